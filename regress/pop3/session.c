/*
 * Dialogues with pop3d's session over a socketpair, on a Maildir made for each.
 *
 * In an expected reply %V is the mailbox's UIDVALIDITY.
 */
#include "os/compat.h"
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../pop3d/client.h"
#include "../../pop3d/maildrop.h"
#include "daemon/mailsession.h"
#include "../test.h"
#include "daemon/mailsession.h"
#include "conf/uidl.h"
#include "log/log.h"
#include "privsep/contract.h"
#include "store/store.h"

#define TURNS	20000
#define OUT_MAX	65536

static const char *const messages[] = {
	"Subject: one\n\nline one\n.dot\n..\n.\nlast\n",
	"Subject: two\r\n\r\nno end",
	"Subject: three\n\nb1\nb2\nb3\n",
};
#define NMESSAGES	(sizeof(messages) / sizeof(messages[0]))

struct dialogue {
	const char	*name;
	const char	*in;		/* after net's line; then EOF */
	const char	*out;
	unsigned int	 left;		/* messages afterwards */
	const char	*net;		/* net's line, or NULL */
};

#define HELLO	"+OK 3 messages (99 octets)\r\n"

static const struct dialogue dialogues[] = {
	{ "quit", "QUIT\r\n", HELLO "+OK bye\r\n", 3, NULL },
	{ "nothing", "", HELLO, 3, NULL },
	{ "stat", "STAT\r\nNOOP\r\nQUIT\r\n",
	    HELLO "+OK 3 99\r\n+OK\r\n+OK bye\r\n", 3, NULL },
	{ "list", "LIST\r\nLIST 2\r\nQUIT\r\n",
	    HELLO HELLO "1 45\r\n2 24\r\n3 30\r\n.\r\n+OK 2 24\r\n"
	    "+OK bye\r\n", 3, NULL },
	{ "uidl", "UIDL\r\nUIDL 3\r\nQUIT\r\n",
	    HELLO HELLO "1 00000001%V\r\n2 00000002%V\r\n3 00000003%V\r\n"
	    ".\r\n+OK 3 00000003%V\r\n+OK bye\r\n", 3, NULL },
	{ "dots", "RETR 1\r\nQUIT\r\n",
	    HELLO "+OK 45 octets\r\nSubject: one\r\n\r\nline one\r\n"
	    "..dot\r\n...\r\n..\r\nlast\r\n.\r\n+OK bye\r\n", 3, NULL },
	{ "no line end", "RETR 2\r\nQUIT\r\n",
	    HELLO "+OK 24 octets\r\nSubject: two\r\n\r\nno end\r\n.\r\n"
	    "+OK bye\r\n", 3, NULL },
	{ "top", "TOP 3 0\r\nTOP 3 1\r\nTOP 3 99\r\nQUIT\r\n",
	    HELLO "+OK\r\nSubject: three\r\n\r\n.\r\n"
	    "+OK\r\nSubject: three\r\n\r\nb1\r\n.\r\n"
	    "+OK\r\nSubject: three\r\n\r\nb1\r\nb2\r\nb3\r\n.\r\n"
	    "+OK bye\r\n", 3, NULL },
	{ "dele", "DELE 2\r\nDELE 2\r\nRETR 2\r\nSTAT\r\nLIST\r\nQUIT\r\n",
	    HELLO "+OK 2 will be deleted\r\n-ERR no such message\r\n"
	    "-ERR no such message\r\n+OK 2 75\r\n"
	    "+OK 2 messages (75 octets)\r\n1 45\r\n3 30\r\n.\r\n"
	    "+OK bye\r\n", 2, NULL },
	{ "dele all", "DELE 1\r\nDELE 2\r\nDELE 3\r\nSTAT\r\nUIDL\r\nQUIT\r\n",
	    HELLO "+OK 1 will be deleted\r\n+OK 2 will be deleted\r\n"
	    "+OK 3 will be deleted\r\n+OK 0 0\r\n"
	    "+OK 0 messages (0 octets)\r\n.\r\n+OK bye\r\n", 0, NULL },
	{ "rset", "DELE 1\r\nRSET\r\nQUIT\r\n",
	    HELLO "+OK 1 will be deleted\r\n" HELLO "+OK bye\r\n", 3, NULL },
	{ "dropped", "DELE 1\r\nDELE 2\r\nQUI",
	    HELLO "+OK 1 will be deleted\r\n+OK 2 will be deleted\r\n", 3,
	    NULL },
	{ "numbers", "RETR 0\r\nRETR -1\r\nDELE 4294967297\r\nTOP 4 1\r\n"
	    "LIST 99999999999999999999\r\nUIDL 4\r\nRETR\r\nQUIT\r\n",
	    HELLO "-ERR no such message\r\n-ERR no such message\r\n"
	    "-ERR no such message\r\n-ERR no such message\r\n"
	    "-ERR no such message\r\n-ERR no such message\r\n"
	    "-ERR no such message\r\n+OK bye\r\n", 3, NULL },
	{ "words", "USER a\r\nPASS b\r\nSTLS\r\nLAST\r\nSTAT 1\r\n\r\nQUIT\r\n",
	    HELLO "-ERR you are logged in\r\n-ERR you are logged in\r\n"
	    "-ERR you are logged in\r\n-ERR unknown command\r\n"
	    "-ERR bad argument\r\n-ERR unknown command\r\n+OK bye\r\n", 3,
	    NULL },
	{ "capa", "CAPA\r\nQUIT\r\n", HELLO "+OK\r\nTOP\r\nUIDL\r\n"
	    "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\n"
	    "LANG\r\nEXPIRE NEVER\r\nIMPLEMENTATION Postern\r\n.\r\n"
	    "+OK bye\r\n", 3, NULL },
	{ "capa of the login", "CAPA\r\nQUIT\r\n", HELLO
	    "+OK\r\nTOP\r\nUIDL\r\n"
	    "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\n"
	    "LANG\r\nUSER\r\nSASL PLAIN X\r\nEXPIRE NEVER\r\n"
	    "IMPLEMENTATION Postern\r\n.\r\n"
	    "+OK bye\r\n", 3, "UTF8 USER\tSASL PLAIN X\t\r\n" },
	{ "lang", "LANG\r\nLANG en\r\nlang *\r\nLANG de\r\nLANG a b\r\n"
	    "UTF8\r\nQUIT\r\n", HELLO "+OK\r\nen English\r\n.\r\n"
	    "+OK en English it is\r\n+OK en English it is\r\n"
	    "-ERR only English is spoken here\r\n-ERR bad argument\r\n"
	    "-ERR you are logged in\r\n+OK bye\r\n", 3, NULL },
	{ "after quit", "QUIT\r\nSTAT\r\n", HELLO "+OK bye\r\n", 3, NULL },
};

static struct {
	struct msg_MAILBOX mailbox;
	struct event_base *base;
	struct store	*store;
	int		 ended;
	char		 dir[64];
} test;

static void
ended(uint64_t number)
{
	test.ended++;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return (remove(path));
}

static int
write_file(const char *name, const char *text, size_t len)
{
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/new/%s", test.dir, name);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)) == -1)
		return (-1);
	n = write(fd, text, len);
	close(fd);
	return (n == (ssize_t)len ? 0 : -1);
}

/* A fresh Maildir, and the store on it. */
static int
begin(void)
{
	struct store_settings set = { .user = "u", .hostname = "h" };
	static const char *const dirs[] = { "", "/cur", "/new", "/tmp" };
	char name[256];
	size_t i;
	int fd, ok;

	strlcpy(test.dir, "/tmp/pop3.XXXXXXXXXX", sizeof(test.dir));
	if (mkdtemp(test.dir) == NULL)
		return (-1);
	for (i = 1; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", test.dir, dirs[i]);
		if (mkdir(name, 0700) == -1)
			return (-1);
	}
	for (i = 0; i < NMESSAGES; i++) {
		snprintf(name, sizeof(name), "100000000%zu.M%zuP1.h", i, i);
		if (write_file(name, messages[i], strlen(messages[i])) == -1)
			return (-1);
	}
	if ((fd = open(test.dir, O_RDONLY | O_DIRECTORY)) == -1)
		return (-1);
	ok = store_open(&test.store, fd, ".", &set, 0) == STORE_OK;
	close(fd);
	return (ok ? 0 : -1);
}

static void
end(void)
{
	store_close(test.store);
	test.store = NULL;
	if (nftw(test.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == -1)
		perror(test.dir);
}

static int
connect_client(void)
{
	static struct mailsession set;
	int sp[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp) == -1)
		return (-1);
	set.base = test.base;
	set.store = test.store;
	set.user = "u";
	set.mailbox = &test.mailbox;
	set.ended = ended;
	return (client_start(&set, sp[0], 1, "192.0.2.1") == -1 ? -1 : sp[1]);
}

static void
turn(unsigned int turns)
{
	unsigned int i;

	for (i = 0; i < turns; i++) {
		if (event_base_loop(test.base, EVLOOP_NONBLOCK) == -1)
			return;
	}
}

/* Everything up to the end of the connection. */
static void
talk(int fd, const char *in, size_t step, char *out)
{
	size_t o = 0, done = 0, len = strlen(in), n;
	ssize_t got = -1;
	int i, shut = 0;

	for (i = 0; i < TURNS && got != 0; i++) {
		if (done < len) {
			n = len - done < step ? len - done : step;
			if (send(fd, in + done, n, MSG_NOSIGNAL) == (ssize_t)n)
				done += n;
		} else if (!shut)
			shut = shutdown(fd, SHUT_WR) == 0;
		turn(1);
		while ((got = recv(fd, out + o, OUT_MAX - 1 - o, 0)) > 0)
			o += (size_t)got;
	}
	out[o] = '\0';
}

static void
expand(const char *text, char *out, size_t size)
{
	struct mailbox_status st = { 0 };
	char validity[16];
	const char *p;
	size_t o = 0;

	if (store_status(test.store, "INBOX", &st, NULL) != STORE_OK)
		return;
	snprintf(validity, sizeof(validity), "%08x", st.uidvalidity);
	for (p = text; *p != '\0' && o < size - 9; p++) {
		if (p[0] == '%' && p[1] == 'V') {
			memcpy(out + o, validity, 8);
			o += 8;
			p++;
		} else
			out[o++] = *p;
	}
	out[o] = '\0';
}

static unsigned int
left(void)
{
	struct mailbox_status st = { 0 };

	if (store_status(test.store, "INBOX", &st, NULL) != STORE_OK)
		return (999);
	return (st.messages);
}

static void
run(const struct dialogue *d, size_t step)
{
	static char out[OUT_MAX], want[OUT_MAX], in[OUT_MAX];
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%s by %zu", d->name, step);
	if (begin() == -1 || (fd = connect_client()) == -1) {
		printf("not ok %s: %s\n", name, strerror(errno));
		test_failed = 1;
		return;
	}
	snprintf(in, sizeof(in), "%s%s", d->net != NULL ? d->net : "\r\n",
	    d->in);
	talk(fd, in, step, out);
	close(fd);
	turn(10);
	expand(d->out, want, sizeof(want));
	TEST_STR(name, out, want);
	snprintf(name, sizeof(name), "%s by %zu leaves", d->name, step);
	TEST(name, left() == d->left);
	end();
}

static void
test_in_use(void)
{
	static char out[OUT_MAX];
	int a, b;

	if (begin() == -1 || (a = connect_client()) == -1)
		return;
	if (send(a, "\r\n", 2, MSG_NOSIGNAL) != 2)
		return;
	turn(5);
	b = connect_client();
	talk(b, "\r\nSTAT\r\n", 99, out);
	TEST_STR("in use", out,
	    "-ERR [IN-USE] another client has the mailbox\r\n");
	close(b);
	talk(a, "QUIT\r\n", 99, out);
	TEST_STR("the first goes on", out, HELLO "+OK bye\r\n");
	close(a);
	b = connect_client();
	talk(b, "\r\nQUIT\r\n", 99, out);
	TEST_STR("free again", out, HELLO "+OK bye\r\n");
	close(b);
	end();
}

/* A header that is not ASCII, for clients of both kinds. */
static void
test_utf8(void)
{
	static const char text[] = "Subject: Gr\xc3\xbc\xc3\x9f"
	    "e f\xc3\xbcr\n .x\n\n\xc3\xbc";
	static char out[OUT_MAX];
	int fd;

	if (begin() == -1 || write_file("2000000000.M1P1.h", text,
	    sizeof(text) - 1) == -1 || (fd = connect_client()) == -1)
		return;
	talk(fd, "UTF8 \r\nLIST 4\r\nRETR 4\r\nTOP 4 0\r\nQUIT\r\n", 99, out);
	TEST_STR("UTF8", out, "+OK 4 messages (133 octets)\r\n+OK 4 34\r\n"
	    "+OK 34 octets\r\nSubject: Gr\xc3\xbc\xc3\x9f"
	    "e f\xc3\xbcr\r\n .x\r\n\r\n\xc3\xbc\r\n.\r\n"
	    "+OK\r\nSubject: Gr\xc3\xbc\xc3\x9f"
	    "e f\xc3\xbcr\r\n .x\r\n\r\n.\r\n+OK bye\r\n");
	close(fd);
	fd = connect_client();
	talk(fd, "\r\nLIST 4\r\nRETR 4\r\nTOP 4 0\r\nQUIT\r\n", 99, out);
	TEST_STR("without UTF8", out, "+OK 4 messages (170 octets)\r\n"
	    "+OK 4 71\r\n+OK 71 octets\r\n"
	    "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= =?UTF-8?Q?_f=C3=BCr?=\r\n"
	    " .x\r\n\r\n\xc3\xbc\r\n.\r\n+OK\r\n"
	    "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= =?UTF-8?Q?_f=C3=BCr?=\r\n"
	    " .x\r\n\r\n.\r\n+OK bye\r\n");
	close(fd);
	end();
}

/*
 * Another program's sizes in the name, which do not say that the last line has
 * no end: known once the message was read.
 */
static void
test_foreign_size(void)
{
	static char out[OUT_MAX];
	int fd;

	if (begin() == -1 || write_file("2000000000.M1P1.h,S=5,W=6",
	    "\nx\ny", 4) == -1 || write_file("2000000001.M1P1.h,S=4,W=6",
	    "\nx\ny", 4) == -1 || (fd = connect_client()) == -1)
		return;
	talk(fd, "\r\nLIST 4\r\nRETR 5\r\nQUIT\r\n", 99, out);
	TEST_STR("sizes of others", out, "+OK 5 messages (113 octets)\r\n"
	    "+OK 4 8\r\n+OK 6 octets\r\n\r\nx\r\ny\r\n.\r\n+OK bye\r\n");
	close(fd);
	fd = connect_client();
	talk(fd, "\r\nLIST 5\r\nQUIT\r\n", 99, out);
	TEST_STR("sizes as they are", out,
	    "+OK 5 messages (115 octets)\r\n+OK 5 8\r\n+OK bye\r\n");
	close(fd);
	end();
}

/* Taken away by others before its size was known: it was never there. */
static void
test_gone(void)
{
	struct maildrop *drop;
	char path[256];

	if (begin() == -1 || maildrop_open(test.store, UIDL_DEFAULT, &drop) !=
	    STORE_OK)
		return;
	snprintf(path, sizeof(path), "%s/new/1000000001.M1P1.h", test.dir);
	TEST("gone", unlink(path) == 0);
	maildrop_begin(drop, 0);
	TEST("gone before it began", maildrop_last(drop) == 2 &&
	    maildrop_count(drop) == 2 && maildrop_message(drop, 2) == 30 &&
	    maildrop_message(drop, 3) == -1 && maildrop_size(drop) == 75);
	maildrop_close(drop);
	end();
}

/* Commands wait behind more output than is kept at a time. */
static void
test_pipelined(void)
{
	static char text[20000], in[256], out[OUT_MAX * 8];
	size_t i, o = 0, idle;
	ssize_t n;
	int fd;

	memset(text, 'x', sizeof(text));
	for (i = 79; i < sizeof(text); i += 80)
		text[i] = '\n';
	if (begin() == -1 || write_file("2000000000.M1P1.h", text,
	    sizeof(text)) == -1 || (fd = connect_client()) == -1)
		return;
	strlcpy(in, "\r\n", sizeof(in));
	for (i = 0; i < 16; i++)
		strlcat(in, "RETR 4\r\n", sizeof(in));
	strlcat(in, "QUIT\r\n", sizeof(in));
	TEST("sent", send(fd, in, strlen(in), 0) == (ssize_t)strlen(in));
	/* Nothing more is said: all must come all the same. */
	for (idle = 0; idle < 100 && o < sizeof(out) - 1; idle++) {
		turn(1);
		while ((n = recv(fd, out + o, sizeof(out) - 1 - o, 0)) > 0) {
			o += (size_t)n;
			idle = 0;
		}
	}
	out[o] = '\0';
	TEST("pipelined", o > 16 * sizeof(text) &&
	    strcmp(out + o - 9, "+OK bye\r\n") == 0);
	close(fd);
	turn(10);
	end();
}

/* We were killed within QUIT: the list of what is to go was on the disk. */
static void
test_interrupted(void)
{
	struct mailbox_status st = { 0 };
	static char out[OUT_MAX];
	char path[256];
	FILE *f;
	int fd, right;

	for (right = 0; right < 2; right++) {
		if (begin() == -1 ||
		    store_status(test.store, "INBOX", &st, NULL) != STORE_OK)
			return;
		snprintf(path, sizeof(path), "%s/postern.expunge", test.dir);
		if ((f = fopen(path, "w")) == NULL)
			return;
		fprintf(f, "%u\n1\n3\n2x\n3\n0\n-1\n99\n4294967297\n",
		    st.uidvalidity + (right ? 0 : 1));
		fclose(f);
		fd = connect_client();
		talk(fd, "\r\nQUIT\r\n", 99, out);
		TEST_STR(right ? "goes on" : "another mailbox's", out, right ?
		    "+OK 1 messages (24 octets)\r\n+OK bye\r\n" :
		    HELLO "+OK bye\r\n");
		TEST("it is done", access(path, F_OK) == -1);
		close(fd);
		end();
	}
}

static void
test_login_delay(void)
{
	static char out[OUT_MAX];
	int fd;

	test.mailbox.pop3_delay = 3600;
	if (begin() == -1 || (fd = connect_client()) == -1)
		return;
	talk(fd, "\r\nQUIT\r\n", 99, out);
	TEST_STR("login, just before", out, "-ERR [LOGIN-DELAY] logged in too "
	    "short a time ago\r\n");
	test.mailbox.pop3_delay = 0;
	close(fd);
	end();
}

static void
test_long_line(void)
{
	static char in[8192], out[OUT_MAX];
	int fd;

	memset(in, 'a', sizeof(in) - 1);
	memcpy(in, "\r\n", 2);
	if (begin() == -1 || (fd = connect_client()) == -1)
		return;
	talk(fd, in, 4096, out);
	TEST_STR("long line", out, HELLO "-ERR line too long\r\n");
	close(fd);
	turn(10);
	end();
}

static long
rss(void)
{
	struct rusage ru;

	return (getrusage(RUSAGE_SELF, &ru) == -1 ? 0 : ru.ru_maxrss);
}

/* It asks for 400 MB and reads nothing. */
static void
test_never_reads(void)
{
	size_t len = 8 << 20;
	char *text;
	long before;
	int fd, i;

	if (begin() == -1 || (text = malloc(len)) == NULL)
		return;
	memset(text, '.', len);
	for (i = 78; i < (int)len; i += 79)
		text[i] = '\n';
	if (write_file("2000000000.M9P1.h", text, len) == -1 ||
	    (fd = connect_client()) == -1)
		return;
	free(text);
	if (send(fd, "\r\n", 2, MSG_NOSIGNAL) != 2)
		return;
	turn(5);
	before = rss();
	for (i = 0; i < 50; i++) {
		if (send(fd, "RETR 4\r\n", 8, MSG_NOSIGNAL) != 8)
			break;
	}
	turn(2000);
	TEST("never reads", rss() - before < 4096 && test.ended >= 0);
	test.ended = 0;
	close(fd);
	turn(10);
	TEST("never reads, goes", test.ended == 1);
	end();
}

int
main(void)
{
	size_t i;

	log_init("pop3d", "session");
	log_verbose(0);
	if (freopen("/dev/null", "w", stderr) == NULL ||
	    (test.base = event_base_new()) == NULL)
		return (1);
	strlcpy(test.mailbox.pop3_uidl, UIDL_DEFAULT,
	    sizeof(test.mailbox.pop3_uidl));
	for (i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++) {
		run(&dialogues[i], 4096);
		run(&dialogues[i], 1);
	}
	test_in_use();
	test_utf8();
	test_foreign_size();
	test_gone();
	test_interrupted();
	test_pipelined();
	test_login_delay();
	test_long_line();
	test_never_reads();
	TEST_DONE();
}
