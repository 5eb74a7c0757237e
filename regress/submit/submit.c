/*
 * submit: the command line of sendmail, files of kept messages, and the
 * dialogue with a server that the program plays.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "daemon/submit_args.h"
#include "daemon/submit_keep.h"
#include "daemon/submit_notice.h"
#include "os/compat.h"

#define WORDS	10
#define BAD	SUBMIT_MESSAGE, NULL, NULL, 0, 0, 0

/* What programs really say; NULL in bad: it is understood. */
static const struct {
	const char	*name;
	const char	*argv[WORDS];
	const char	*bad;
	enum submit_mode mode;
	const char	*sender, *fullname;
	int		 take, dots, first;
} lines[] = {
	{ "cron", { "/usr/sbin/sendmail", "-FCronDaemon", "-i", "-odi",
	    "-oem", "-oi", "root", NULL }, NULL, SUBMIT_MESSAGE, NULL,
	    "CronDaemon", 0, 1, 6 },
	{ "php", { "sendmail", "-t", "-i", NULL }, NULL, SUBMIT_MESSAGE, NULL,
	    NULL, 1, 1, 3 },
	{ "git", { "sendmail", "-i", "a@b", NULL }, NULL, SUBMIT_MESSAGE,
	    NULL, NULL, 0, 1, 2 },
	{ "mutt", { "sendmail", "-oem", "-oi", "-f", "a@b", "--", "c@d",
	    NULL }, NULL, SUBMIT_MESSAGE, "a@b", NULL, 0, 1, 6 },
	{ "mailx", { "sendmail", "-i", "-r", "a@b", "c@d", NULL }, NULL,
	    SUBMIT_MESSAGE, "a@b", NULL, 0, 1, 4 },
	{ "together", { "sendmail", "-tifa@b", NULL }, NULL, SUBMIT_MESSAGE,
	    "a@b", NULL, 1, 1, 2 },
	{ "null-sender", { "sendmail", "-f", "", "a", NULL }, NULL,
	    SUBMIT_MESSAGE, "", NULL, 0, 0, 3 },
	{ "bs", { "sendmail", "-bs", NULL }, NULL, SUBMIT_SMTP, NULL, NULL, 0,
	    0, 2 },
	{ "bp", { "sendmail", "-bp", NULL }, NULL, SUBMIT_LIST, NULL, NULL, 0,
	    0, 2 },
	{ "mailq", { "/usr/bin/mailq", NULL }, NULL, SUBMIT_LIST, NULL, NULL,
	    0, 0, 1 },
	{ "newaliases", { "newaliases", NULL }, NULL, SUBMIT_ALIASES, NULL,
	    NULL, 0, 0, 1 },
	{ "bi", { "sendmail", "-bi", NULL }, NULL, SUBMIT_ALIASES, NULL, NULL,
	    0, 0, 2 },
	{ "I", { "sendmail", "-I", NULL }, NULL, SUBMIT_ALIASES, NULL, NULL,
	    0, 0, 2 },
	{ "q", { "sendmail", "-q", NULL }, NULL, SUBMIT_FLUSH, NULL, NULL, 0,
	    0, 2 },
	{ "ignored", { "sendmail", "-Am", "-B8BITMIME", "-G", "-U", "-L",
	    "tag", "-O", "Timeout=1", NULL }, NULL, SUBMIT_MESSAGE, NULL,
	    NULL, 0, 0, 9 },
	{ "dsn", { "sendmail", "-N", "success,delay", "-R", "hdrs", "-V",
	    "id", "a", NULL }, NULL, SUBMIT_MESSAGE, NULL, NULL, 0, 0, 7 },
	{ "dash-is-a-name", { "sendmail", "-", NULL }, NULL, SUBMIT_MESSAGE,
	    NULL, NULL, 0, 0, 1 },
	{ "bd", { "sendmail", "-bd", NULL },
	    "the daemon is a program of its own: start smtpd", BAD },
	{ "q15m", { "sendmail", "-q15m", NULL },
	    "smtpd runs the queue by itself: see queue in mail.conf(5)",
	    BAD },
	{ "bv", { "sendmail", "-bv", "a@b", NULL }, NULL, SUBMIT_VERIFY,
	    NULL, NULL, 0, 0, 2 },
	{ "bt", { "sendmail", "-bt", NULL }, "no such mode: -bt", BAD },
	{ "unknown", { "sendmail", "-tZ", NULL }, "unknown option -Z", BAD },
	{ "no-argument", { "sendmail", "-f", NULL },
	    "an argument is missing: -f", BAD },
	{ "bad-notify", { "sendmail", "-N", "never,delay", NULL },
	    "never, or success, failure and delay, but not -N never,delay",
	    BAD },
	{ "bad-ret", { "sendmail", "-R", "all", NULL },
	    "full or hdrs, but not -R all", BAD },
	{ "bad-envid", { "sendmail", "-V", "a b", NULL },
	    "an envelope id has no blanks, controls or '='", BAD },
};

static void
test_args(void)
{
	struct submit_args	 a;
	char			*argv[WORDS + 1];
	const char		*bad;
	size_t			 i;
	int			 n;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		for (n = 0; n < WORDS && lines[i].argv[n] != NULL; n++)
			argv[n] = strdup(lines[i].argv[n]);
		argv[n] = NULL;
		bad = submit_args(&a, n, argv);
		if (lines[i].bad != NULL)
			TEST_STR(lines[i].name, bad == NULL ? "" : bad,
			    lines[i].bad);
		else
			TEST(lines[i].name, bad == NULL && a.mode ==
			    lines[i].mode && a.take == lines[i].take &&
			    a.ignore_dots == lines[i].dots && a.first ==
			    lines[i].first && (a.sender == NULL) ==
			    (lines[i].sender == NULL) && (a.sender == NULL ||
			    strcmp(a.sender, lines[i].sender) == 0) &&
			    (a.fullname == NULL) == (lines[i].fullname ==
			    NULL) && (a.fullname == NULL ||
			    strcmp(a.fullname, lines[i].fullname) == 0));
		while (n > 0)
			free(argv[--n]);
	}
}

static void
make_mail(struct submit_mail *m)
{
	memset(m, 0, sizeof(*m));
	m->sender = strdup("a@b");
	m->ret = strdup("HDRS");
	m->header = "Subject: x\r\n\r\n";
	m->headerlen = strlen(m->header);
	m->text = ".\n..two\nlast\0line";
	m->len = 17;
	(void)submit_add_rcpt(m, "c@d");
	(void)submit_add_rcpt(m, "e@f");
}

static char *
copy(const char *text, size_t len)
{
	char	*p = malloc(len + 1);

	if (p == NULL)
		exit(1);
	memcpy(p, text, len);
	return (p);
}

/* While sendmail waits for the disk, smtpd looks at the directory. */
static struct {
	int	dir;			/* -1: nobody looks */
	int	fails;
	int	calls, seen;
	int	error;			/* of smtpd */
} disk = { .dir = -1 };

static int
one_name(int dir, char *name, size_t size)
{
	struct dirent	*e;
	DIR		*d;
	int		 n = 0;

	if ((d = fdopendir(dup(dir))) == NULL)
		exit(1);
	rewinddir(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.') {
			strlcpy(name, e->d_name, size);
			n++;
		}
	closedir(d);
	return (n);
}

/* In place of libc's. */
int
fsync(int fd)
{
	struct stat	st;
	char		name[KEEP_NAME];
	int		got;

	(void)fd;
	if (disk.dir == -1)
		return (0);
	disk.calls++;
	disk.seen = one_name(disk.dir, name, sizeof(name));
	errno = 0;
	if ((got = keep_take(disk.dir, name, 1 << 20, &st)) != -1)
		close(got);
	disk.error = errno;
	errno = EIO;
	return (disk.fails ? -1 : 0);
}

static void
test_sync(void)
{
	struct submit_mail	m;
	struct stat		st;
	char			dir[] = "/tmp/regress.XXXXXX";
	char			name[KEEP_NAME] = "";
	int			d, first = -1;

	if (mkdtemp(dir) == NULL || (d = keep_open(dir, getuid())) == -1)
		exit(1);
	make_mail(&m);
	disk.dir = d;
	disk.fails = 1;
	TEST("sync-fails", keep_write(d, getuid(), getgid(), &m, "o") == -1 &&
	    errno == EIO && disk.calls == 1);
	TEST("sync-fails-not-taken", disk.seen == 1 &&
	    disk.error == EWOULDBLOCK);
	TEST("sync-fails-nothing-left", one_name(d, name, sizeof(name)) == 0);
	disk.fails = 0;
	TEST("sync", keep_write(d, getuid(), getgid(), &m, "o") == 0);
	TEST("sync-not-taken", disk.calls == 2 && disk.error == EWOULDBLOCK);
	TEST("taken", one_name(d, name, sizeof(name)) == 1 &&
	    (first = keep_take(d, name, 1 << 20, &st)) != -1);
	TEST("taken-once", keep_take(d, name, 1 << 20, &st) == -1 &&
	    errno == EWOULDBLOCK);
	close(first);
	TEST("too-large", keep_take(d, name, (size_t)st.st_size - 1, &st) ==
	    -1 && errno == EPERM);
	TEST("two-names", linkat(d, name, d, "x", 0) == 0 &&
	    keep_take(d, name, 1 << 20, &st) == -1 && errno == EPERM);
	(void)unlinkat(d, "x", 0);
	TEST("a-link", symlinkat(name, d, "x") == 0 &&
	    keep_take(d, "x", 1 << 20, &st) == -1 && errno == ELOOP);
	(void)unlinkat(d, "x", 0);
	(void)unlinkat(d, name, 0);
	disk.dir = -1;
	submit_mail_free(&m);
	close(d);
	(void)rmdir(dir);
}

/* Kept, read again; then every shorter and every changed file. */
static void
test_keep(void)
{
	struct submit_mail	 m;
	struct keep		 k;
	struct stat		 st;
	char			 dir[] = "/tmp/regress.XXXXXX", line[128];
	char			 bytes[4096], name[64] = "", path[128];
	ssize_t			 n;
	size_t			 i, bad = 0;
	uid_t			 uid;
	int			 fd, d = -1;

	TEST("keep-dir", mkdtemp(dir) != NULL && (d = keep_open(dir,
	    getuid())) != -1);
	make_mail(&m);
	TEST("keep-write", keep_write(d, getuid(), getgid(), &m, "o") == 0);
	snprintf(path, sizeof(path), "ls %s", dir);
	{
		FILE *f = popen(path, "r");

		if (f != NULL) {
			(void)!fgets(name, sizeof(name), f);
			pclose(f);
		}
	}
	name[strcspn(name, "\n")] = '\0';
	TEST("keep-name", keep_name_uid(name, &uid) == 0 && uid == getuid());
	fd = openat(d, name, O_RDONLY);
	TEST("keep-mode", fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	n = read(fd, bytes, sizeof(bytes));
	close(fd);
	TEST("keep-parse", keep_parse(&k, copy(bytes, (size_t)n), (size_t)n) ==
	    0 && strcmp(k.mail.sender, "a@b") == 0 && k.mail.nrcpts == 2 &&
	    strcmp(k.mail.rcpts[1].address, "e@f") == 0 && strcmp(k.origin,
	    "o") == 0 && strcmp(k.mail.ret, "HDRS") == 0 && k.mail.notify ==
	    NULL && k.mail.len == m.len && memcmp(k.mail.text, m.text, m.len)
	    == 0 && k.mail.headerlen == m.headerlen);
	keep_free(&k);
	for (i = 0; i < (size_t)n; i++) {
		bad += keep_parse(&k, copy(bytes, i), i) == 0;
		keep_free(&k);
	}
	TEST("keep-short", bad == 0);
	memcpy(bytes + n, "x", 1);
	TEST("keep-longer", keep_parse(&k, copy(bytes, (size_t)n + 1),
	    (size_t)n + 1) == -1);
	keep_free(&k);
	free(m.rcpts[0].address);
	m.rcpts[0].address = strdup("c@d\nrcpt x@y");
	TEST("keep-newline", keep_write(d, getuid(), getgid(), &m, "o") ==
	    -1 && errno == EINVAL);
	submit_mail_free(&m);
	(void)unlinkat(d, name, 0);
	TEST("keep-leaves-nothing", rmdir(dir) == 0);
	close(d);
	snprintf(line, sizeof(line), "%u.0123456789abcdef", 4294967295U);
	TEST("name-minus-one", keep_name_uid(line, &uid) == -1);
	TEST("name-sign", keep_name_uid("-1.0123456789abcdef", &uid) == -1);
	TEST("name-short", keep_name_uid("1.0123456789abcde", &uid) == -1);
	TEST("name-long", keep_name_uid("1.0123456789abcdef0", &uid) == -1);
	TEST("name-path", keep_name_uid("1.0123456789abcdef/..", &uid) == -1);
	TEST("name-dots", keep_name_uid("..", &uid) == -1);
	TEST("name-huge", keep_name_uid("99999999999999999999."
	    "0123456789abcdef", &uid) == -1);
	TEST("dir-of-others", keep_open("/tmp", getuid() + 1) == -1);
}

/* Where the server's replies change. */
struct script {
	const char	*name;
	const char	*mail, *rcpt1, *rcpt2, *data, *end;
	int		 partial;
	enum submit_result want;
	const char	*reply;
	int		 one;		/* recipient at a time */
	const char	*left;		/* in the message; NULL both */
};

static const struct script scripts[] = {
	{ "sent", "250 ok", "250 ok", "250 ok", "354 go", "250 done", 0,
	    SUBMIT_DONE, "250 done", 0, NULL },
	{ "one-refused", "250 ok", "250 ok", "550 no", NULL, NULL, 0,
	    SUBMIT_REFUSED, "550 no", 0, NULL },
	{ "one-refused-partial", "250 ok", "550 no", "250 ok", "354 go",
	    "250 done", 1, SUBMIT_DONE, "250 done", 0, NULL },
	{ "all-refused", "250 ok", "550 no", "551 no", NULL, NULL, 1,
	    SUBMIT_REFUSED, "550 no", 0, NULL },
	{ "one-later", "250 ok", "550 no", "451 later", NULL, NULL, 0,
	    SUBMIT_LATER, "451 later", 0, NULL },
	{ "sender-refused", "550 who", NULL, NULL, NULL, NULL, 0,
	    SUBMIT_REFUSED, "550 who", 0, NULL },
	{ "data-later", "250 ok", "250 ok", "250 ok", "452 full", NULL, 0,
	    SUBMIT_LATER, "452 full", 0, NULL },
	{ "text-refused", "250 ok", "250 ok", "250 ok", "354 go",
	    "552 too big", 0, SUBMIT_REFUSED, "552 too big", 0, NULL },
	{ "hangs-up", "250 ok", "250 ok", NULL, NULL, NULL, 0, SUBMIT_LATER,
	    "451 4.3.2 smtpd hung up", 0, NULL },
	{ "parts", "250 ok", "250 ok", "250 ok", "354 go", "250 done", 0,
	    SUBMIT_DONE, "250 done", 1, NULL },
	{ "second-part-later", "250 ok", "250 ok", "451 later", "354 go",
	    "250 done", 0, SUBMIT_LATER, "451 later", 1, "e@f" },
	{ "second-part-later-partial", "250 ok", "250 ok", "451 later",
	    "354 go", "250 done", 1, SUBMIT_LATER, "451 later", 1, "e@f" },
	{ "who-was-refused-is-to-be-told-of", "250 ok", "550 no", "451 later",
	    "354 go", "250 done", 1, SUBMIT_LATER, "451 later", 1, NULL },
	{ "so-is-a-part-that-was-refused", "250 ok", "250 ok", "451 later",
	    "354 go", "552 too big", 1, SUBMIT_LATER, "451 later", 1, NULL },
	{ "first-part-later", "250 ok", "451 later", "250 ok", "354 go",
	    "250 done", 0, SUBMIT_LATER, "451 later", 1, NULL },
};

static void
say(FILE *f, const char *line)
{
	if (line == NULL)
		_exit(0);
	fprintf(f, "%s\r\n", line);
	fflush(f);
}

/* The server; exits 0 if what it read is what it should be. */
static void
serve(int fd, const struct script *s)
{
	FILE	*in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	char	 line[512], text[512] = "";

	if (in == NULL || out == NULL)
		_exit(1);
	say(out, "220 hi");
	while (fgets(line, sizeof(line), in) != NULL) {
		if (strncmp(line, "EHLO", 4) == 0)
			say(out, s->one ? "250-x\r\n250-DSN\r\n250-LIMITS "
			    "RCPTMAX=1\r\n250 8BITMIME" :
			    "250-x\r\n250-DSN\r\n250 8BITMIME");
		else if (strncmp(line, "MAIL", 4) == 0)
			say(out, strcmp(line, "MAIL FROM:<a@b> SIZE=31 "
			    "RET=HDRS\r\n") == 0 ? s->mail : "500 what");
		else if (strcmp(line, "RCPT TO:<c@d>\r\n") == 0)
			say(out, s->rcpt1);
		else if (strcmp(line, "RCPT TO:<e@f>\r\n") == 0)
			say(out, s->rcpt2);
		else if (strcmp(line, "DATA\r\n") == 0)
			say(out, s->data);
		else if (strcmp(line, ".\r\n") == 0) {
			if (strcmp(text, "Subject: x\r\n\r\n..\r\n...two\r\n"
			    "last") != 0)
				_exit(2);
			text[0] = '\0';
			say(out, s->end);
		} else if (strcmp(line, "RSET\r\n") == 0)
			say(out, "250 ok");
		else if (strcmp(line, "QUIT\r\n") == 0)
			_exit(0);
		else
			strlcat(text, line, sizeof(text));
	}
	_exit(0);
}

/* A process that serves it, and the client's end. */
static pid_t
server(const struct script *s, int *fd)
{
	pid_t	pid;
	int	sp[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == -1 ||
	    (pid = fork()) == -1)
		exit(1);
	if (pid == 0) {
		close(sp[0]);
		serve(sp[1], s);
	}
	close(sp[1]);
	*fd = sp[0];
	return (pid);
}

static void
test_dialogue(void)
{
	struct submit_mail	 m;
	enum submit_result	 r;
	char			 reply[SUBMIT_REPLY];
	size_t			 i;
	pid_t			 pid;
	int			 fd, status;

	for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		pid = server(&scripts[i], &fd);
		make_mail(&m);
		r = submit_send(fd, &m, scripts[i].partial, NULL, reply);
		TEST(scripts[i].name, waitpid(pid, &status, 0) == pid &&
		    status == 0 && r == scripts[i].want &&
		    strcmp(reply, scripts[i].reply) == 0 &&
		    (scripts[i].left == NULL ? m.nrcpts == 2 :
		    m.nrcpts == 1 && strcmp(m.rcpts[0].address,
		    scripts[i].left) == 0));
		submit_mail_free(&m);
	}
}

/* Replies are the script's; "": never asked. */
static void
test_ask(void)
{
	static const struct {
		const char		*name, *rcpt1, *rcpt2;
		int			 one;
		enum submit_result	 want;
		const char		*reply;
		int			 accepted[2];
	} asked[] = {
		{ "ask", "250 ok", "250 ok", 0, SUBMIT_DONE, "250 ok",
		    { 1, 1 } },
		{ "ask-one-refused", "550 no", "250 ok", 0, SUBMIT_REFUSED,
		    "550 no", { 0, 1 } },
		{ "ask-parts", "451 later", "250 ok", 1, SUBMIT_LATER,
		    "451 later", { 0, 1 } },
		{ "ask-hangs-up", "250 ok", NULL, 0, SUBMIT_LATER,
		    "451 4.3.2 smtpd hung up", { 1, 0 } },
		{ "ask-hangs-up-between", "250 ok", NULL, 1, SUBMIT_LATER,
		    "451 4.3.2 smtpd hung up", { 1, 0 } },
		{ "ask-turned-away", "421 go away", NULL, 0, SUBMIT_LATER,
		    "451 4.3.2 smtpd hung up", { 0, 0 } },
	};
	struct script		 s = { .mail = "250 ok" };
	struct submit_mail	 m;
	enum submit_result	 r;
	char			 reply[SUBMIT_REPLY];
	size_t			 i;
	pid_t			 pid;
	int			 fd, status;

	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		s.rcpt1 = asked[i].rcpt1;
		s.rcpt2 = asked[i].rcpt2;
		s.one = asked[i].one;
		pid = server(&s, &fd);
		make_mail(&m);
		r = submit_ask(fd, &m, NULL, reply);
		TEST(asked[i].name, waitpid(pid, &status, 0) == pid &&
		    status == 0 && r == asked[i].want &&
		    strcmp(reply, asked[i].reply) == 0 &&
		    m.rcpts[0].accepted == asked[i].accepted[0] &&
		    m.rcpts[1].accepted == asked[i].accepted[1]);
		submit_mail_free(&m);
	}
}

static void
test_notice(void)
{
	struct submit_mail	 m, n;
	struct buf		 text;
	char			*p;

	make_mail(&m);
	strlcpy(m.rcpts[1].reply, "550 5.1.1 nobody", SUBMIT_REPLY);
	TEST("notice", submit_notice(&n, &text, &m, "o", "a@b", "550 x") ==
	    0 && *n.sender == '\0' && n.nrcpts == 1);
	p = copy(n.text, n.len);
	p[n.len] = '\0';
	TEST("notice-says", strstr(p, "To: <a@b>\r\n") != NULL &&
	    strstr(p, "\te@f\r\n\t\t550 5.1.1 nobody\r\n") != NULL &&
	    strstr(p, "c@d") == NULL && strstr(p, "\tSubject: x\r\n") !=
	    NULL);
	free(p);
	submit_mail_free(&n);
	buf_free(&text);
	submit_mail_free(&m);
}

int
main(void)
{
	test_args();
	test_sync();
	test_keep();
	test_dialogue();
	test_ask();
	test_notice();
	TEST_DONE();
}
