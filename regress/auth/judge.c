/*
 * judge: logins against tables, from the question to the answer.  The program
 * plays net and the daemon; the role around it is played by the functions at
 * the end.
 */
#include <event2/event.h>
#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/hold.h"
#include "auth/judge.h"
#include "conf/conf.h"
#include "log/log.h"
#include "../test.h"

#define B04	"$2b$04$abcdefghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7fR6"

static const char	text[] =
"hostname \"mail.example.org\"\n"
"table one {\n"
"	\"alice@example.org\" = \"" B04 ":5000:5001::/home/alice::"
"quota=5g messages=700\",\n"
"	\"bob@example.org\" = \"{PLAIN}bobpass\",\n"
"	\"carol@example.org\" = \"!" B04 ":5000:5000\",\n"
"	\"root@example.org\" = \"{PLAIN}pass:0:0\",\n"
"	\"bad@example.org\" = \"{PLAIN}pass:x:0\",\n"
"	\"odd@example.org\" = \"{SMD5}pass:5000:5000\",\n"
"	\"bsd@example.org\" = \"{BSDAUTH}root:5000:5000\",\n"
"	\"both@example.org\" = \"{PLAIN}first:5000:5000\",\n"
"	\"mary\" = \"{PLAIN}pass:5000:5000\"\n"
"}\n"
"table two {\n"
"	\"both@example.org\" = \"{PLAIN}second:6000:6000\",\n"
"	\"dan@example.com\" = \"{PLAIN}pass\",\n"
"	\"eve@example.org\" = \"{PLAIN}pass:6000:6000\"\n"
"}\n"
"table file file \"/nonexistent/users\"\n"
"auth <one>\n"
"auth <two>\n"
"domain \"example.org\" {\n"
"	alias \"example.net\"\n"
"	users <one>\n"
"	deliver maildir \"/tmp/%d/%n\" as nobody\n"
"}\n"
"domain \"example.com\" {\n"
"	users <two>\n"
"	deliver maildir \"/tmp/%d/%n\" as nosuchuser\n"
"}\n";

static struct event_base	*base;
static int			 waiting;	/* do not hurry answers */
static struct auth_grant	 granted;
static struct msg_AUTH_DONE	 done;
static int			 ngranted, ndone;
static uint32_t			 asked = UINT32_MAX;
static char			 channel;	/* stands for net */

#define NET	((struct peer *)(void *)&channel)

static void
capture(const struct auth_grant *g)
{
	granted = *g;
	ngranted++;
}

void (*const auth_granted)(const struct auth_grant *) = capture;

/* The answer: AUTH_*, or -1 if there was none within a while. */
static int
try_from(const char *addr, const char *user, const char *pass)
{
	struct msg_AUTH_TRY	ask = { .conn = 7, .tls = 1 };
	int			i, before = ngranted + ndone;

	snprintf(ask.proto, sizeof(ask.proto), "imap");
	snprintf(ask.addr, sizeof(ask.addr), "%s", addr);
	snprintf(ask.user, sizeof(ask.user), "%s", user);
	snprintf(ask.pass, sizeof(ask.pass), "%s", pass);
	i = ngranted;
	judge_login(NET, &ask);
	while (ngranted + ndone == before) {
		if (event_base_loop(base, EVLOOP_NONBLOCK) == -1)
			return (-1);
		if (!waiting)
			hold_flush();
		usleep(1000);
	}
	return (ngranted > i ? AUTH_GRANTED : (int)done.result);
}

static const struct {
	const char	*name, *user, *pass;
	int		 result;
	const char	*canonical;
	long		 uid;		/* -1: that of nobody */
} logins[] = {
	{ "hash", "alice@example.org", "pass", AUTH_GRANTED,
	    "alice@example.org", 5000 },
	{ "cached", "alice@example.org", "pass", AUTH_GRANTED,
	    "alice@example.org", 5000 },
	{ "case", "Alice@Example.ORG", "pass", AUTH_GRANTED,
	    "alice@example.org", 5000 },
	{ "alias-domain", "alice@example.net", "pass", AUTH_GRANTED,
	    "alice@example.org", 5000 },
	{ "completed", "alice", "pass", AUTH_GRANTED, "alice@example.org",
	    5000 },
	{ "bare", "mary", "pass", AUTH_GRANTED, "mary", 5000 },
	{ "bare-is-not-at", "mary@example.org", "pass", AUTH_DENIED, NULL, 0 },
	{ "as", "bob@example.org", "bobpass", AUTH_GRANTED,
	    "bob@example.org", -1 },
	{ "wrong", "alice@example.org", "Pass", AUTH_DENIED, NULL, 0 },
	{ "wrong-again", "alice@example.org", "Pass", AUTH_DENIED, NULL, 0 },
	{ "unknown", "zed@example.org", "pass", AUTH_DENIED, NULL, 0 },
	{ "unknown-domain", "alice@else.example", "pass", AUTH_DENIED, NULL,
	    0 },
	{ "two-ats", "alice@example.org@example.org", "pass", AUTH_DENIED,
	    NULL, 0 },
	{ "locked", "carol@example.org", "pass", AUTH_DENIED, NULL, 0 },
	{ "root", "root@example.org", "pass", AUTH_DENIED, NULL, 0 },
	{ "bad-line", "bad@example.org", "pass", AUTH_TEMPFAIL, NULL, 0 },
	{ "bad-as", "dan@example.com", "pass", AUTH_TEMPFAIL, NULL, 0 },
	{ "bad-scheme", "odd@example.org", "pass", AUTH_DENIED, NULL, 0 },
	{ "bsdauth", "bsd@example.org", "pass", AUTH_TEMPFAIL, NULL, 0 },
	{ "first-source", "both@example.org", "first", AUTH_GRANTED,
	    "both@example.org", 5000 },
	{ "second-source", "both@example.org", "second", AUTH_GRANTED,
	    "both@example.org", 6000 },
	{ "only-second", "eve@example.org", "pass", AUTH_GRANTED,
	    "eve@example.org", 6000 },
	{ "empty-user", "", "pass", AUTH_DENIED, NULL, 0 },
	{ "empty-pass", "bob@example.org", "", AUTH_DENIED, NULL, 0 },
	{ "control", "bob@example.org\n", "bobpass", AUTH_DENIED, NULL, 0 },
	{ "latin1", "b\xf6" "b@example.org", "bobpass", AUTH_DENIED, NULL,
	    0 }
};

static void
test_logins(void)
{
	const struct passwd	*nobody = getpwnam("nobody");
	char			 addr[32];
	size_t			 i;
	int			 got;

	for (i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		/* of another address each: nobody is throttled here */
		snprintf(addr, sizeof(addr), "192.0.2.%zu", i / 3);
		got = try_from(addr, logins[i].user, logins[i].pass);
		TEST(logins[i].name, got == logins[i].result &&
		    (got != AUTH_GRANTED ||
		    (strcmp(granted.user, logins[i].canonical) == 0 &&
		    granted.uid == (logins[i].uid == -1 ? nobody->pw_uid :
		    (uid_t)logins[i].uid))));
	}
	got = try_from("192.0.2.200", "alice@example.org", "pass");
	TEST("grant", got == AUTH_GRANTED && granted.net == NET &&
	    granted.conn == 7 && granted.tls == 1 && granted.system == 0 &&
	    granted.gid == 5001 && granted.quota.bytes == 5ULL << 30 &&
	    granted.quota.messages == 700 &&
	    strcmp(granted.home, "/home/alice") == 0 &&
	    strcmp(granted.addr, "192.0.2.200") == 0 &&
	    strcmp(granted.proto, "imap") == 0);
	TEST("done-says-conn", done.conn == 7);
}

/* Guesses end in AUTH_SLOWDOWN; who was here before still gets in. */
static void
test_throttle(void)
{
	char	pass[16];
	int	i, got = 0;

	TEST("known", try_from("198.51.100.1", "eve@example.org", "pass") ==
	    AUTH_GRANTED);
	for (i = 0; i < 30 && got != AUTH_SLOWDOWN; i++) {
		snprintf(pass, sizeof(pass), "guess%d", i);
		got = try_from("198.51.100.1", "both@example.org", pass);
	}
	TEST("slowdown", got == AUTH_SLOWDOWN && i == 11);
	TEST("slowdown-right", try_from("198.51.100.1", "both@example.org",
	    "first") == AUTH_SLOWDOWN);
	TEST("known-gets-in", try_from("198.51.100.1", "eve@example.org",
	    "pass") == AUTH_GRANTED);
}

/* Guesses that are all under way before the first one has failed. */
static void
test_burst(void)
{
	struct msg_AUTH_TRY	ask = { .proto = "imap",
				    .addr = "198.51.100.9",
				    .user = "alice@example.org" };
	int			i, before = ngranted, left = ndone + 31;

	for (i = 0; i < 31; i++) {
		if (i < 30)
			snprintf(ask.pass, sizeof(ask.pass), "burst%d", i);
		else
			snprintf(ask.pass, sizeof(ask.pass), "pass");
		judge_login(NET, &ask);
	}
	while (ndone + ngranted - before < left) {
		if (event_base_loop(base, EVLOOP_NONBLOCK) == -1)
			break;
		hold_flush();
		usleep(1000);
	}
	TEST("burst-not-granted", ngranted == before && ndone == left);
}

static int64_t
now_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* A failure waits, a success does not; a channel that goes is not answered. */
static void
test_hold(void)
{
	struct msg_AUTH_DONE	d = { .conn = 1 };
	int64_t			before = now_ms(), spent;
	int			n;

	waiting = 1;
	TEST("held", try_from("203.0.113.1", "zed@example.org", "x") ==
	    AUTH_DENIED);
	spent = now_ms() - before;
	/* A timer counts from the beginning of its turn of the loop. */
	TEST("held-a-second", spent >= 800 && spent < 20000);
	before = now_ms();
	TEST("granted-at-once", try_from("203.0.113.1", "alice@example.org",
	    "pass") == AUTH_GRANTED && now_ms() - before < 900);
	n = ndone;
	for (d.conn = 0; d.conn < HOLD_MAX + 5; d.conn++)
		hold_answer(NET, &d, 60000);
	TEST("hold-bound", hold_count() == HOLD_MAX && ndone == n + 5 &&
	    done.conn == 4);
	hold_gone(NET);
	TEST("hold-gone", hold_count() == 0 && ndone == n + 5);
	hold_answer(NET, &d, 60000);
	hold_flush();
	TEST("hold-flush", hold_count() == 0 && ndone == n + 6);
}

static void
ask(unsigned int index, void *arg)
{
	(void)arg;
	asked = index;
}

/* A file that the parent has to give, or cannot. */
static void
found(enum source_result result, const struct account *a, const char *why,
    void *arg)
{
	(void)why;
	*(int *)arg = result == SOURCE_FOUND ? (int)a->uid : -1 - (int)result;
}

static void
test_file_source(struct conf *conf)
{
	struct conf_auth	 line = { .kind = USERS_TABLE };
	struct sources		*s;
	struct conf		 copy = *conf;
	char			 err[128], path[] = "/tmp/regress.XXXXXX";
	static const char	 user[] = "fay@example.org:{PLAIN}x:7000:1\n";
	int			 fd, uid = 0;

	line.table = conf_table_find(conf, "file");
	TAILQ_INIT(&copy.auths);
	TAILQ_INSERT_TAIL(&copy.auths, &line, entry);
	s = sources_new(&copy, ask, NULL, err, sizeof(err));
	TEST("file-source", s != NULL && sources_count(s) == 1);
	sources_find(s, 0, "fay@example.org", found, &uid);
	TEST("file-asked", asked == line.table->index && uid == 0);
	fd = mkstemp(path);
	TEST("file-write", write(fd, user, strlen(user)) ==
	    (ssize_t)strlen(user));
	TEST("file-other", sources_table(s, line.table->index + 1, 0, fd) ==
	    0 && uid == 0);
	TEST("file-table", sources_table(s, line.table->index, 0, fd) == 1 &&
	    uid == 7000);
	close(fd);
	unlink(path);
	sources_free(s);
}

/* The system's own: root and who is locked or unknown never get in. */
static void
test_system(struct conf *conf)
{
	static const char *const never[] = { "root", "daemon", "nobody",
		"nosuchuser", "root@example.org", "nobody@nowhere.example" };
	char	name[64];
	size_t	i;
	int	uid;

	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		uid = 0;
		source_system(conf, never[i], found, &uid);
		snprintf(name, sizeof(name), "system-%s", never[i]);
		TEST(name, uid < 0);
	}
}

static void
report(void *arg, int is_error, const char *line)
{
	(void)arg;
	if (is_error)
		fprintf(stderr, "%s\n", line);
}

int
main(void)
{
	struct conf	*conf;
	struct sources	*sources;
	char		 err[128], line[256];

	if ((base = event_base_new()) == NULL)
		return (1);
	conf = conf_parse(text, strlen(text), report, NULL);
	TEST("conf", conf != NULL);
	if (conf == NULL)
		return (1);
	sources = sources_new(conf, ask, NULL, err, sizeof(err));
	TEST("sources", sources != NULL && sources_count(sources) == 2);
	TEST("init", judge_init(sources, 2) == 0);
	test_logins();
	test_throttle();
	test_hold();
	test_burst();
	test_file_source(conf);
	test_system(conf);
	judge_gone(NET);
	judge_stats(line, sizeof(line));
	TEST("stats", strncmp(line, "granted=", 8) == 0 &&
	    strstr(line, " cached=0 ") == NULL && judge_count() == 0);
	TEST_DONE();
}

struct event_base *
role_base(void)
{
	return (base);
}

int
role_draining(void)
{
	return (0);
}

void
role_exit(int status)
{
	exit(100 + status);
}

int
peer_flush(struct peer *p)
{
	return (p == NET ? 0 : -1);
}

void
peer_send(struct peer *p, uint32_t type, const void *body, int fd)
{
	if (p != NET || type != M_AUTH_DONE || fd != -1)
		exit(102);
	memcpy(&done, body, sizeof(done));
	ndone++;
}
