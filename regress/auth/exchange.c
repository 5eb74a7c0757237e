/*
 * exchange: SCRAM logins from the first message to the verdict, with the
 * client's side of lib/sasl as the client.  The program plays net, the daemon
 * and the role.
 */
#include <event2/event.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/exchange.h"
#include "auth/hold.h"
#include "auth/judge.h"
#include "conf/conf.h"
#include "log/log.h"
#include "sasl/base64.h"
#include "sasl/scram.h"
#include "../test.h"

#define SALT	"W22ZaJ0SNY7soEsUEjb6gQ=="
#define KEYS	"{SCRAM-SHA-256}4096," SALT ","				\
		"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"		\
		"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define KEY	"00112233445566778899aabbccddeeff"			\
		"00112233445566778899aabbccddeeff"

/* The keys are those of "pencil", RFC 7677 section 3. */
static const char	text[] =
"hostname \"mail.example.org\"\n"
"table one {\n"
"	\"keys@example.org\" = \"" KEYS ":5000:5001\",\n"
"	\"plain@example.org\" = \"{PLAIN}pencil:5000:5001\",\n"
"	\"crypt@example.org\" = \"$2b$04$abcdefghijklmnopqrstuufznL8bkzdtHw"
"Lhca4To/v9Lo9bA7fR6:5000:5001\",\n"
"	\"locked@example.org\" = \"!" KEYS ":5000:5001\",\n"
"	\"broken@example.org\" = \"{SCRAM-SHA-256}4096,x:5000:5001\",\n"
"	\"noowner@example.org\" = \"" KEYS "\"\n"
"}\n"
"auth <one> scram\n"
"domain \"example.org\" {\n"
"	alias \"example.net\"\n"
"	users <one>\n"
"	deliver maildir \"/tmp/%d/%n\" as nosuchuser\n"
"}\n";

static struct event_base	*base;
static struct auth_grant	 granted;
static struct msg_AUTH_DONE	 done;
static char			 challenge[C_SASL];
static int			 ngranted, ndone, nchallenge;
static char			 channel, another;	/* stand for nets */

#define NET	((struct peer *)(void *)&channel)
#define OTHER	((struct peer *)(void *)&another)

static void
capture(const struct auth_grant *g)
{
	granted = *g;
	ngranted++;
}

void (*const auth_granted)(const struct auth_grant *) = capture;

static void
start_from(struct peer *net, unsigned int conn, const char *addr,
    const char *message)
{
	struct msg_AUTH_START	m = { .conn = conn, .tls = 1 };

	challenge[0] = '\0';
	snprintf(m.proto, sizeof(m.proto), "imap");
	snprintf(m.addr, sizeof(m.addr), "%s", addr);
	snprintf(m.text, sizeof(m.text), "%s", message);
	exchange_start(net, &m);
	hold_flush();
}

static void
step(struct peer *net, unsigned int conn, const char *message)
{
	struct msg_AUTH_STEP	m = { .conn = conn };

	challenge[0] = '\0';
	snprintf(m.text, sizeof(m.text), "%s", message);
	exchange_step(net, &m);
	hold_flush();
}

/* What goes wrong on purpose. */
enum spoil { NOTHING, CUT, NO_BINDING, OTHER_BINDING, EXTRA, NO_ACK };

static void
spoil(char *last, enum spoil how)
{
	switch (how) {
	case CUT:
		last[strlen(last) - 5] = '\0';
		break;
	case NO_BINDING:
		memmove(last + 2, last + 6, strlen(last + 6) + 1);
		break;
	case OTHER_BINDING:
		memcpy(last + 2, "eSws", 4);	/* "y,," */
		break;
	case EXTRA:
		memcpy(last, "d", 1);
		break;
	default:
		break;
	}
}

/* AUTH_*; -1: no answer. */
static int
login_with(const char *addr, const char *user, const char *pass,
    enum spoil how)
{
	struct scram	c;
	char		out[SCRAM_MESSAGE];
	int		before = ngranted, refused = ndone;

	if (scram_client_first(&c, user, "fyko+d2lbbFgONRv9qkxdawL", out,
	    sizeof(out)) == -1)
		return (-1);
	start_from(NET, 7, addr, out);
	if (ndone > refused)
		return ((int)done.result);
	if (scram_client_final(&c, pass, challenge, out, sizeof(out)) == -1)
		return (-1);
	spoil(out, how);
	step(NET, 7, out);
	if (ndone > refused)
		return ((int)done.result);
	if (scram_client_check(&c, challenge) != 1)
		return (-1);
	if (ngranted != before)
		return (-1);		/* before it was acknowledged */
	step(NET, 7, how == NO_ACK ? "no" : "");
	return (ngranted > before ? AUTH_GRANTED : ndone > refused ?
	    (int)done.result : -1);
}

static const struct {
	const char	*name, *user, *pass;
	enum spoil	 how;
	int		 result;
} logins[] = {
	{ "keys", "keys@example.org", "pencil", NOTHING, AUTH_GRANTED },
	{ "case", "Keys@Example.ORG", "pencil", NOTHING, AUTH_GRANTED },
	{ "bare", "keys", "pencil", NOTHING, AUTH_GRANTED },
	{ "alias-domain", "keys@example.net", "pencil", NOTHING,
	    AUTH_GRANTED },
	{ "plain", "plain@example.org", "pencil", NOTHING, AUTH_GRANTED },
	{ "wrong", "keys@example.org", "Pencil", NOTHING, AUTH_DENIED },
	{ "plain-wrong", "plain@example.org", "Pencil", NOTHING,
	    AUTH_DENIED },
	{ "unknown", "zed@example.org", "pencil", NOTHING, AUTH_DENIED },
	{ "crypt", "crypt@example.org", "pass", NOTHING, AUTH_DENIED },
	{ "locked", "locked@example.org", "pencil", NOTHING, AUTH_DENIED },
	{ "broken", "broken@example.org", "pencil", NOTHING, AUTH_DENIED },
	{ "no-owner", "noowner@example.org", "pencil", NOTHING,
	    AUTH_TEMPFAIL },
	{ "cut", "keys@example.org", "pencil", CUT, AUTH_DENIED },
	{ "no-binding", "keys@example.org", "pencil", NO_BINDING,
	    AUTH_DENIED },
	{ "other-binding", "keys@example.org", "pencil", OTHER_BINDING,
	    AUTH_DENIED },
	{ "extra", "keys@example.org", "pencil", EXTRA, AUTH_DENIED },
	{ "no-ack", "keys@example.org", "pencil", NO_ACK, AUTH_DENIED },
	{ "again", "keys@example.org", "pencil", NOTHING, AUTH_GRANTED }
};

static void
test_logins(void)
{
	char	addr[32];
	size_t	i;

	for (i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		/* of another address each: nobody is throttled here */
		snprintf(addr, sizeof(addr), "192.0.2.%zu", i);
		TEST(logins[i].name, login_with(addr, logins[i].user,
		    logins[i].pass, logins[i].how) == logins[i].result);
	}
	TEST("grant", granted.net == NET && granted.conn == 7 &&
	    granted.tls == 1 && granted.uid == 5000 && granted.gid == 5001 &&
	    strcmp(granted.user, "keys@example.org") == 0 &&
	    strcmp(granted.addr, "192.0.2.17") == 0);
	TEST("all-over", exchange_count() == 0 && judge_count() == 0);
}

static const struct {
	const char	*name, *first;
} malformed[] = {
	{ "empty", "" },
	{ "plus", "p=tls-exporter,,n=keys@example.org,r=abc" },
	{ "no-header", "n=keys@example.org,r=abc" },
	{ "bad-flag", "x,,n=keys@example.org,r=abc" },
	{ "authzid", "n,a=root,n=keys@example.org,r=abc" },
	{ "extension", "n,,m=x,n=keys@example.org,r=abc" },
	{ "no-name", "n,,n=,r=abc" },
	{ "bad-escape", "n,,n=a=20b,r=abc" },
	{ "no-nonce", "n,,n=keys@example.org" },
	{ "empty-nonce", "n,,n=keys@example.org,r=" },
	{ "control", "n,,n=a\nb,r=abc" }
};

static void
test_malformed(void)
{
	char	name[32], addr[32];
	size_t	i;
	int	n;

	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		n = ndone;
		snprintf(name, sizeof(name), "malformed-%s",
		    malformed[i].name);
		snprintf(addr, sizeof(addr), "192.0.2.%zu", 100 + i);
		start_from(NET, 9, addr, malformed[i].first);
		TEST(name, ndone == n + 1 && done.result == AUTH_DENIED &&
		    done.conn == 9 && challenge[0] == '\0');
	}
	start_from(NET, 9, "192.0.2.130", "y,,n=keys@example.org,r=abc");
	TEST("flag-y", strncmp(challenge, "r=abc", 5) == 0);
	exchange_cancel(NET, 9);
}

/* Salt and iterations of a name, "" if there is no challenge. */
static const char *
salt_of(const char *user)
{
	static char	 salts[4][C_SASL];
	static size_t	 i;
	char		 first[C_SASL], *out = salts[i++ % 4];
	const char	*s;

	snprintf(first, sizeof(first), "n,,n=%s,r=abc", user);
	start_from(NET, 11, "192.0.2.140", first);
	exchange_cancel(NET, 11);
	s = strstr(challenge, ",s=");
	snprintf(out, C_SASL, "%s", s == NULL ? "" : s);
	return (out);
}

/* Nothing in the challenge tells who is there. */
static void
test_decoy(void)
{
	const char	*a = salt_of("zed@example.org");

	TEST("decoy", strlen(a) == strlen(",s=" SALT ",i=15000") &&
	    strcmp(a + strlen(a) - 8, ",i=15000") == 0);
	TEST_STR("decoy-same", salt_of("zed@example.org"), a);
	TEST_STR("decoy-case", salt_of("ZED@example.org"), a);
	TEST_STR("decoy-bare", salt_of("zed"), a);
	TEST_STR("decoy-alias", salt_of("zed@example.net"), a);
	TEST("decoy-differs", strcmp(salt_of("zee@example.org"), a) != 0);
	TEST_STR("keys-salt", salt_of("keys"), ",s=" SALT ",i=4096");
	a = salt_of("crypt@example.org");
	TEST_STR("crypt-bare", salt_of("crypt"), a);
	TEST("decoy-other-key", exchange_key(KEY) == 0);
	TEST("decoy-key-short", exchange_key("0011") == -1);
	TEST("decoy-key-bad", exchange_key("x0112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff") == -1);
	TEST("decoy-depends", strcmp(salt_of("crypt"), a) != 0);
}

/* Who begins again, cancels, is another or comes late. */
static void
test_order(void)
{
	int	n = ndone;

	start_from(NET, 20, "192.0.2.150", "n,,n=keys,r=abc");
	start_from(NET, 20, "192.0.2.150", "n,,n=keys,r=def");
	TEST("one-a-connection", exchange_count() == 1);
	step(OTHER, 20, "c=biws,r=def,p=AAAA");
	TEST("not-another-net's", ndone == n + 1 &&
	    done.result == AUTH_TEMPFAIL && exchange_count() == 1);
	exchange_cancel(NET, 20);
	step(NET, 20, "c=biws,r=def,p=AAAA");
	TEST("cancelled", ndone == n + 2 && done.result == AUTH_TEMPFAIL);
	exchange_cancel(NET, 20);
	start_from(NET, 21, "192.0.2.150", "n,,n=keys,r=abc");
	start_from(OTHER, 21, "192.0.2.150", "n,,n=keys,r=abc");
	exchange_gone(NET);
	TEST("gone", exchange_count() == 1);
	exchange_gone(OTHER);
	TEST("both-gone", exchange_count() == 0);
}

static void
test_bound(void)
{
	unsigned int	i;
	int		n = ndone;

	for (i = 0; i < EXCHANGES_MAX + 10; i++)
		start_from(NET, i, "192.0.2.160", "n,,n=keys,r=abc");
	TEST("bound", exchange_count() == EXCHANGES_MAX && ndone == n);
	step(NET, 0, "c=biws");
	TEST("oldest-went", ndone == n + 1 && done.result == AUTH_TEMPFAIL);
	exchange_gone(NET);
}

/* Guesses end in AUTH_SLOWDOWN, with the same wrong password as well. */
static void
test_throttle(void)
{
	char	pass[16];
	int	i, got = 0;

	for (i = 0; i < 30 && got != AUTH_SLOWDOWN; i++)
		got = login_with("198.51.100.1", "zoe", "old", NOTHING);
	TEST("old-password", got == AUTH_SLOWDOWN && i == 11);
	got = 0;
	for (i = 0; i < 30 && got != AUTH_SLOWDOWN; i++) {
		snprintf(pass, sizeof(pass), "guess%d", i);
		got = login_with("198.51.100.2", "plain", pass, NOTHING);
	}
	/* one of them was made above, under the whole name */
	TEST("slowdown", got == AUTH_SLOWDOWN && i == 10);
	/* another name for the same account is no way out */
	TEST("slowdown-right", login_with("198.51.100.3", "plain@example.net",
	    "pencil", NOTHING) == AUTH_SLOWDOWN);
}

static void
ask(unsigned int index, void *arg)
{
	(void)index;
	(void)arg;
}

int
main(void)
{
	struct conf	*conf;
	struct sources	*sources;
	char		 err[128];

	if ((base = event_base_new()) == NULL)
		return (1);
	conf = conf_parse(text, strlen(text), NULL, NULL);
	TEST("conf", conf != NULL && conf_has_keys(conf));
	if (conf == NULL)
		return (1);
	sources = sources_new(conf, ask, NULL, err, sizeof(err));
	TEST("sources", sources != NULL);
	TEST("init", judge_init(sources, 1) == 0);
	exchange_init(sources);
	test_logins();
	test_malformed();
	test_decoy();
	test_order();
	test_bound();
	test_throttle();
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
	const struct msg_AUTH_CHALLENGE	*ch = body;
	const struct msg_AUTH_DONE	*d = body;

	if ((p != NET && p != OTHER) || fd != -1)
		exit(102);
	if (type == M_AUTH_CHALLENGE) {
		memcpy(challenge, ch->text, sizeof(challenge));
		nchallenge++;
	} else if (type == M_AUTH_DONE && d->result != AUTH_GRANTED) {
		done = *d;
		ndone++;
	} else
		exit(103);
}
