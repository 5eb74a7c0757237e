/*
 * The relay role against servers that follow a script, most of them hostile.
 */
#include <sys/wait.h>
#include <fnmatch.h>

#include "conf/conf.h"
#include "regress/relay/cert.h"
#include "regress/relay/fake.h"
#include "regress/relay/server.h"
#include "regress/test.h"
#include "smtpd/relay_state.h"

#define STEPS	40

#define GREET	{ 'A', NULL }, { 'S', "220 mx.lab ESMTP\r\n" }
#define EHLO(s)	{ 'E', "EHLO client.lab\r\n" }, { 'S', s }
#define PLAIN	GREET, EHLO("250-mx.lab\r\n250 8BITMIME\r\n")
#define PIPE	GREET, EHLO("250-mx.lab\r\n250-SIZE 100000\r\n"		   \
		    "250 PIPELINING\r\n")
#define MAIL1	{ 'E', "MAIL FROM:<a@client.lab> BODY=8BITMIME\r\n" }, OK, \
		{ 'E', "RCPT TO:<b@mx.lab>\r\n" }, OK,			   \
		{ 'E', "DATA\r\n" }
#define OK	{ 'S', "250 2.0.0 ok\r\n" }
#define GO	{ 'S', "354 go\r\n" }
#define BYE	{ 'E', "QUIT\r\n" }, { 'S', "221 bye\r\n" }, { 'W', NULL }
#define TLSOFF	EHLO("250-mx.lab\r\n250 STARTTLS\r\n"),			   \
		{ 'E', "STARTTLS\r\n" }

static const char *const	one[] = { "b@mx.lab", NULL };
static const char *const	three[] = { "b@mx.lab", "c@mx.lab",
				    "d@mx.lab", NULL };
static const char *const	utf8[] = { "\303\244@mx.lab", NULL };
static const char *const	domains[] = { "b@mx.lab", "c@other.lab",
				    "d@MX.lab", NULL };
static const char *const	odd[] = { "b@mx.lab", "x\r\nDATA@mx.lab",
				    "d@mx.lab", NULL };

static const struct name	zone[] = {
	{ DNS_MX, "null.lab", 0, ".", 0 },
	{ DNS_MX, "loop.lab", 10, "client.lab", 0 },
	{ DNS_MX, "loop.lab", 20, "mx.lab", 0 },
	{ DNS_MX, "two.lab", 20, "mx.lab", 0 },
	{ DNS_MX, "two.lab", 10, "dead.lab", 0 },
	{ DNS_MX, "two.lab", 30, "CLIENT.lab.", 0 },
	{ DNS_MX, "gone.lab", 10, "nowhere.lab", 0 },
	{ DNS_MX, "fail.lab", 0, NULL, DNS_TEMPFAIL },
	{ DNS_MX, "forged.lab", 0, NULL, DNS_BOGUS },
	{ DNS_MX, "empty.lab", 0, NULL, DNS_OK },
	{ DNS_MX, "half.lab", 10, "half.lab", 0 },
	{ DNS_A, "half.lab", 0, NULL, DNS_TEMPFAIL },
	{ DNS_A, "mx.lab", 0, "127.0.0.1", 0 },
	{ DNS_A, "dead.lab", 0, "127.0.0.99", 0 },
	{ DNS_A, "both.lab", 0, "127.0.0.99", 0 },
	{ DNS_A, "both.lab", 0, "127.0.0.1", 0 },
	{ 0, NULL, 0, NULL, 0 }
};

static const struct test {
	const char		*name;
	const char		*host;
	unsigned int		 scheme;
	const char		*label;
	const char *const	*rcpts;
	const char		*content;
	const char		*want;		/* fnmatch(3) */
	struct step		 script[STEPS];
	unsigned int		 nmessages;	/* 0 is 1 */
	unsigned int		 port;		/* 0: the server's */
	const char		*sender;
	unsigned int		 body;		/* one more than BODY_ */
	int			 utf8;
	int			 dsn;		/* with all its parameters */
} tests[] = {
	{ "one by one", "127.0.0.1", 0, "", one, "Subject: x\n\n.dot\r",
	    "ready;0+ 250 2.0.0 ok;", .script = { PLAIN, MAIL1, GO,
	    { 'D', "Subject: x\r\n\r\n..dot \r\n.\r\n" }, OK, BYE } },
	{ "two messages", "127.0.0.1", 0, "", one, "x",
	    "ready;0+ 250 2.0.0 ok;0+ 250 2.0.0 ok;",
	    .script = { PLAIN, MAIL1, GO,
	    { 'D', "x\r\n.\r\n" }, OK, MAIL1, GO, { 'D', "x\r\n.\r\n" }, OK,
	    BYE }, .nmessages = 2 },
	{ "HELO", "127.0.0.1", 0, "", one, "x", "ready;0+ 250 2.0.0;",
	    .script = { GREET, EHLO("502 what\r\n"), { 'E',
	    "HELO client.lab\r\n" },
	    OK, { 'E', "MAIL FROM:<a@client.lab>\r\n" }, OK,
	    { 'E', "RCPT TO:<b@mx.lab>\r\n" }, OK, { 'E', "DATA\r\n" }, GO,
	    { 'D', NULL }, { 'S', "250\r\n" }, BYE } },
	{ "null sender", "127.0.0.1", 0, "", one, "x",
	    "ready;0 550 5.0.0 no;", .script = { GREET, EHLO("250 mx.lab\r\n"),
	    { 'E', "MAIL FROM:<>\r\n" }, OK, { 'E', "RCPT" },
	    { 'S', "550 no\r\n" }, { 'E', "RSET\r\n" }, OK, BYE },
	    .sender = "" },
	{ "pipelined", "127.0.0.1", 0, "", three, "x", "ready;1 550 5.1.1 no "
	    "c;0+ 250 2.0.0 ok;2+ 250 2.0.0 ok;", .script = { PIPE,
	    { 'E', "MAIL FROM:<a@client.lab> SIZE=1\r\n" }, { 'E', "RCPT" },
	    { 'E', "RCPT" }, { 'E', "RCPT" }, { 'E', "DATA" },
	    { 'S', "250 ok\r\n250 ok\r\n550 5.1.1 no c\r\n250 ok\r\n354\r\n" },
	    { 'D', NULL }, OK, BYE } },
	{ "all refused, early 354", "127.0.0.1", 0, "", three, "x",
	    "ready;0 550 5.0.0 no;1 450 4.0.0 no;2 550 5.0.0 no;",
	    .script = { PIPE,
	    { 'E', "MAIL" }, { 'E', "RCPT" }, { 'E', "RCPT" },
	    { 'E', "RCPT" }, { 'E', "DATA" }, { 'S', "250 ok\r\n550 no\r\n"
	    "450 no\r\n550 no\r\n354 go\r\n" }, { 'E', ".\r\n" },
	    { 'S', "554 no valid recipients\r\n" }, BYE } },
	{ "MAIL refused, pipelined", "127.0.0.1", 0, "", three, "x",
	    "ready;0 451 4.0.0 no;1 451 4.0.0 no;2 451 4.0.0 no;",
	    .script = { PIPE,
	    { 'E', "MAIL" }, { 'E', "RCPT" }, { 'E', "RCPT" },
	    { 'E', "RCPT" }, { 'E', "DATA" }, { 'S', "451 no\r\n503 x\r\n"
	    "503 x\r\n503 x\r\n503 x\r\n" }, { 'E', "RSET" }, OK, BYE } },
	{ "DATA refused", "127.0.0.1", 0, "", one, "x",
	    "ready;0+ 451 4.3.1 full;", .script = { PLAIN, MAIL1,
	    { 'S', "451 4.3.1 full\r\n" }, { 'E', "RSET\r\n" }, OK, BYE } },
	{ "content refused", "127.0.0.1", 0, "", one, "x",
	    "ready;0+ 554 5.6.0 spam;",
	    .script = { PLAIN, MAIL1, GO, { 'D', NULL },
	    { 'S', "554-5.6.0\r\n554 5.6.0 spam\r\n" }, BYE } },
	{ "too large", "127.0.0.1", 0, "", one, "0123456789",
	    "ready;0 552 5.3.4 *;", .script = { GREET,
	    EHLO("250-mx.lab\r\n250 SIZE 9\r\n"), BYE } },
	{ "address that injects", "127.0.0.1", 0, "", odd, "x",
	    "ready;1 553 5.1.3 *;0+ 250 2.0.0 ok;2+ 250 2.0.0 ok;",
	    .script = { PIPE,
	    { 'E', "MAIL" }, { 'E', "RCPT TO:<b@" }, { 'E', "RCPT TO:<d@" },
	    { 'E', "DATA" }, { 'S', "250 ok\r\n250 ok\r\n250 ok\r\n354\r\n" },
	    { 'D', NULL }, OK, BYE } },
	{ "address that injects, one by one", "127.0.0.1", 0, "", odd, "x",
	    "ready;1 553 5.1.3 *;0 550 5.0.0 no;2 550 5.0.0 no;",
	    .script = { PLAIN,
	    { 'E', "MAIL" }, OK, { 'E', "RCPT TO:<b@" },
	    { 'S', "550 no\r\n" }, { 'E', "RCPT TO:<d@" },
	    { 'S', "550 no\r\n" }, { 'E', "RSET" }, OK, BYE } },
	{ "lmtp", "127.0.0.1", SCHEME_LMTP, "", three, "x",
	    "ready;1 550 5.1.1 no;0+ 250 2.0.0 ok;2+ 452 4.2.2 full;",
	    .script = { GREET, { 'E', "LHLO client.lab" },
	    { 'S', "250-x\r\n250 PIPELINING\r\n" }, { 'E', "MAIL" },
	    { 'E', "RCPT" }, { 'E', "RCPT" }, { 'E', "RCPT" }, OK, OK,
	    { 'S', "550 5.1.1 no\r\n" }, OK, { 'E', "DATA" }, GO,
	    { 'D', NULL }, OK, { 'P', NULL }, { 'S', "452 4.2.2 full\r\n" },
	    BYE } },

	/* Extensions. */
	{ "DSN", "127.0.0.1", 0, "", one, "x", "ready dsn;0+ 250 2.0.0 ok;",
	    .script = { GREET, EHLO("250-x\r\n250-8BITMIME\r\n250 DSN\r\n"),
	    { 'E', "MAIL FROM:<a@client.lab> BODY=8BITMIME RET=HDRS "
	    "ENVID=e+2Bid\r\n" }, OK, { 'E', "RCPT TO:<b@mx.lab> "
	    "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+40x\r\n" }, OK,
	    { 'E', "DATA\r\n" }, GO, { 'D', NULL }, OK, BYE }, .dsn = 1 },
	{ "no DSN", "127.0.0.1", 0, "", one, "x", "ready;0+ 250 2.0.0 ok;",
	    .script = { PLAIN, MAIL1, GO, { 'D', NULL }, OK, BYE },
	    .dsn = 1 },
	{ "SMTPUTF8", "127.0.0.1", 0, "", utf8, "x",
	    "ready;0+ 250 2.0.0 ok;", .script = { GREET,
	    EHLO("250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"),
	    { 'E', "MAIL FROM:<a@client.lab> BODY=8BITMIME SMTPUTF8\r\n" },
	    OK, { 'E', "RCPT TO:<\303\244@mx.lab>\r\n" }, OK,
	    { 'E', "DATA\r\n" }, GO, { 'D', NULL }, OK, BYE }, .utf8 = 1 },
	{ "SMTPUTF8 for the address only", "127.0.0.1", 0, "", utf8, "x",
	    "ready;0 553 5.6.7 *;", .script = { PLAIN, BYE } },
	{ "SMTPUTF8 that is not taken", "127.0.0.1", 0, "", one, "x",
	    "ready;0 550 5.6.7 *;", .script = { PLAIN, BYE }, .utf8 = 1 },
	{ "SMTPUTF8 in the sender", "127.0.0.1", 0, "", one, "x",
	    "ready;0 550 5.6.7 *;", .script = { PLAIN, BYE },
	    .sender = "\303\244@client.lab" },
	{ "a 7-bit server", "127.0.0.1", 0, "", one, "A: b\r\n\r\n\344\r\n",
	    "ready;0+ 250 2.0.0 ok;", .script = { GREET,
	    EHLO("250-mx.lab\r\n250 SIZE 1000\r\n"),
	    { 'E', "MAIL FROM:<a@client.lab> SIZE=125\r\n" }, OK,
	    { 'E', "RCPT" }, OK, { 'E', "DATA\r\n" }, GO, { 'D',
	    "A: b\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
	    "charset=unknown-8bit\r\nContent-Transfer-Encoding: "
	    "quoted-printable\r\n\r\n=E4\r\n.\r\n" }, OK, BYE } },
	{ "a 7-bit server and a header", "127.0.0.1", 0, "", one,
	    "A: \344\r\n\r\nx\r\n", "ready;0 554 5.6.3 8-bit *;",
	    .script = { GREET, EHLO("250 mx.lab\r\n"), BYE } },
	{ "a 7-bit server and a signature", "127.0.0.1", 0, "", one,
	    "Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\r\n"
	    "\344\r\n--x--\r\n", "ready;0 554 5.6.3 *signature;",
	    .script = { GREET, EHLO("250 mx.lab\r\n"), BYE } },
	{ "larger when converted", "127.0.0.1", 0, "", one,
	    "A: b\r\n\r\n\344\r\n", "ready;0 552 5.3.4 message of 125 *;",
	    .script = { GREET, EHLO("250-x\r\n250 SIZE 100\r\n"), BYE } },
	{ "BINARYMIME", "127.0.0.1", 0, "", three, "A: b\r\n\r\n.\n\r.\r\n",
	    "ready;1 550 5.0.0 no;0+ 250 2.0.0 ok;2+ 250 2.0.0 ok;",
	    .script = { GREET, EHLO("250-x\r\n250-PIPELINING\r\n"
	    "250-CHUNKING\r\n250-8BITMIME\r\n250 BINARYMIME\r\n"),
	    { 'E', "MAIL FROM:<a@client.lab> BODY=BINARYMIME\r\n" },
	    { 'E', "RCPT" }, { 'E', "RCPT" }, { 'E', "RCPT" },
	    { 'S', "250 a\r\n250 b\r\n550 no\r\n250 d\r\n" },
	    { 'E', "BDAT 14 LAST\r\n" }, { 'B', "A: b\r\n\r\n.\n\r.\r\n" },
	    OK, BYE }, .body = 1 + BODY_BINARYMIME },
	{ "BINARYMIME, all refused", "127.0.0.1", 0, "", one, "x",
	    "ready;0 550 5.0.0 no;", .script = { GREET, EHLO("250-x\r\n"
	    "250-PIPELINING\r\n250-CHUNKING\r\n250 BINARYMIME\r\n"),
	    { 'E', "MAIL" }, { 'E', "RCPT" },
	    { 'S', "250 a\r\n550 no\r\n" }, { 'E', "RSET" }, OK, BYE },
	    .body = 1 + BODY_BINARYMIME },
	{ "BINARYMIME to 8BITMIME", "127.0.0.1", 0, "", one,
	    "Content-Transfer-Encoding: binary\r\n\r\na\nb",
	    "ready;0+ 250 2.0.0 ok;", .script = { PLAIN, MAIL1, GO, { 'D',
	    "Content-Transfer-Encoding: base64\r\n\r\nYQpi\r\n.\r\n" },
	    OK, BYE }, .body = 1 + BODY_BINARYMIME },
	{ "RCPTMAX", "127.0.0.1", 0, "", three, "x", "ready;0+ 250 2.0.0 ok;"
	    "1+ 250 2.0.0 ok;2+ 250 2.0.0 ok;", .script = { GREET,
	    EHLO("250-x\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=2\r\n"),
	    { 'E', "MAIL" }, { 'E', "RCPT TO:<b@" }, { 'E', "RCPT TO:<c@" },
	    { 'E', "DATA" }, { 'S', "250 a\r\n250 b\r\n250 c\r\n354\r\n" },
	    { 'D', "x\r\n.\r\n" }, OK, { 'E', "MAIL" },
	    { 'E', "RCPT TO:<d@" }, { 'E', "DATA" },
	    { 'S', "250 a\r\n250 b\r\n354\r\n" }, { 'D', "x\r\n.\r\n" },
	    OK, BYE } },
	{ "RCPTDOMAINMAX", "127.0.0.1", 0, "", domains, "x",
	    "ready;0+ 250 2.0.0 ok;2+ 250 2.0.0 ok;1+ 250 2.0.0 ok;",
	    .script = { GREET, EHLO("250-x\r\n250 LIMITS "
	    "RCPTDOMAINMAX=1\r\n"), { 'E', "MAIL" }, OK,
	    { 'E', "RCPT TO:<b@" }, OK, { 'E', "RCPT TO:<d@" }, OK,
	    { 'E', "DATA" }, GO, { 'D', NULL }, OK, { 'E', "MAIL" }, OK,
	    { 'E', "RCPT TO:<c@" }, OK, { 'E', "DATA" }, GO, { 'D', NULL },
	    OK, BYE } },
	{ "MAILMAX", "127.0.0.1", 0, "", one, "x",
	    "ready;0+ 250 2.0.0 ok;last;", .script = { GREET,
	    EHLO("250-x\r\n250 LIMITS MAILMAX=1\r\n"), { 'E', "MAIL" }, OK,
	    { 'E', "RCPT" }, OK, { 'E', "DATA" }, GO, { 'D', NULL }, OK,
	    BYE } },
	{ "too many recipients", "127.0.0.1", 0, "", three, "x",
	    "ready;0+ 250 2.0.0 ok;1+ 250 2.0.0 ok;2+ 250 2.0.0 ok;",
	    .script = { PIPE, { 'E', "MAIL" }, { 'E', "RCPT" },
	    { 'E', "RCPT" }, { 'E', "RCPT" }, { 'E', "DATA" },
	    { 'S', "250 ok\r\n250 ok\r\n452 4.5.3 too many\r\n"
	    "452 too many\r\n354\r\n" }, { 'D', NULL }, OK,
	    { 'E', "MAIL" }, { 'E', "RCPT TO:<c@" }, { 'E', "RCPT TO:<d@" },
	    { 'E', "DATA" }, { 'S', "250 ok\r\n250 ok\r\n250 ok\r\n"
	    "354\r\n" }, { 'D', NULL }, OK, BYE } },
	{ "too many from the first on", "127.0.0.1", 0, "", one, "x",
	    "ready;0 452 4.5.3 too many;", .script = { PLAIN,
	    { 'E', "MAIL" }, OK, { 'E', "RCPT" },
	    { 'S', "452 4.5.3 too many\r\n" }, { 'E', "RSET" }, OK, BYE } },

	/* Hostile ones. */
	{ "endless greeting", "127.0.0.1", 0, "", one, "x",
	    "closed 421 4.4.2 *malformed;", .script = { { 'A', NULL },
	    { 'M', "220-hello hello hello hello hello\r\n" } } },
	{ "64 KB without an end", "127.0.0.1", 0, "", one, "x",
	    "closed 421 4.4.2 *malformed;", .script = { { 'A', NULL },
	    { 'M', "220 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } } },
	{ "newline in the text", "127.0.0.1", 0, "", one, "x",
	    "ready;closed 421 4.4.2 *malformed;",
	    .script = { PLAIN, { 'E', "MAIL" },
	    { 'S', "250-ok\nX-Evil: header\n250 ok\r\n" }, { 'W', NULL } } },
	{ "control characters", "127.0.0.1", 0, "", one, "x",
	    "ready;0+ 550 5.7.1 a?[[]31mb?;", .script = { PLAIN, MAIL1, GO,
	    { 'D', NULL }, { 'S', "550 5.7.1 a\033[31mb\302\r\n" }, BYE } },
	{ "garbage", "127.0.0.1", 0, "", one, "x",
	    "closed 421 4.4.2 *malformed;", .script = { { 'A', NULL },
	    { 'S', "SSH-2.0-OpenSSH_9.9\r\n" }, { 'W', NULL } } },
	{ "354 to MAIL", "127.0.0.1", 0, "", one, "x",
	    "ready;closed 421 4.4.2 *354 in the wrong place;",
	    .script = { PLAIN,
	    { 'E', "MAIL" }, GO, { 'W', NULL } } },
	{ "250 to DATA", "127.0.0.1", 0, "", one, "x",
	    "ready;closed 421 4.4.2 *250 in the wrong place;",
	    .script = { PLAIN,
	    MAIL1, OK, { 'W', NULL } } },
	{ "250 before the content", "127.0.0.1", 0, "", one, "x",
	    "ready;closed 421 4.4.2 *250 in the wrong place;",
	    .script = { PLAIN,
	    MAIL1, { 'S', "354 go\r\n250 got it\r\n" }, { 'W', NULL } } },
	{ "refusal before the content", "127.0.0.1", 0, "", one, "x",
	    "ready;0+ 552 5.0.0 big;last;closed 421 4.4.2 *", .script = { PLAIN,
	    MAIL1, { 'S', "354 go\r\n552 big\r\n" }, { 'W', NULL } } },
	{ "354 to the dot", "127.0.0.1", 0, "", one, "x",
	    "ready;closed 421 4.4.2 *354 in the wrong place;",
	    .script = { PLAIN,
	    MAIL1, GO, { 'D', NULL }, GO, { 'W', NULL } } },
	{ "more replies than commands", "127.0.0.1", 0, "", one, "x",
	    "ready;0+ 250 2.0.0 ok;*", .script = { PLAIN, MAIL1, GO,
	    { 'D', NULL }, { 'S', "250 ok\r\n250 2.0.0 evil\r\n" },
	    { 'W', NULL } } },
	{ "a reply to nothing", "127.0.0.1", 0, "", one, "x",
	    "ready;closed 421 4.4.2 *a reply to nothing;", .script = { GREET,
	    EHLO("250 mx.lab\r\n250 unasked\r\n"), { 'W', NULL } } },
	{ "close in the middle", "127.0.0.1", 0, "", three, "x",
	    "ready;0 550 5.0.0 no;closed 421 4.4.2 *closed;", .script = { PLAIN,
	    { 'E', "MAIL" }, OK, { 'E', "RCPT" }, { 'S', "550 no\r\n" },
	    { 'E', "RCPT" }, OK, { 'C', NULL } } },
	{ "close after the dot", "127.0.0.1", 0, "", one, "x",
	    "ready;closed 421 4.4.2 *closed;", .script = { PLAIN, MAIL1, GO,
	    { 'D', NULL }, { 'C', NULL } } },
	{ "421 to the dot", "127.0.0.1", 0, "", one, "x",
	    "ready;closed 421 4.4.2 *421 4.3.2 later;",
	    .script = { PLAIN, MAIL1, GO,
	    { 'D', NULL }, { 'S', "421 4.3.2 later\r\n" }, { 'W', NULL } } },
	{ "554 greeting", "127.0.0.1", 0, "", one, "x",
	    "closed for good 554 5.0.0 no mail here;",
	    .script = { { 'A', NULL },
	    { 'S', "554 no mail here\r\n" }, { 'W', NULL } } },
	{ "550 greeting", "127.0.0.1", 0, "", one, "x",
	    "closed 450 4.4.2 *greets with: 550 5.0.0 blocked;",
	    .script = { { 'A', NULL }, { 'S', "550 blocked\r\n" }, { 'W',
	    NULL } } },
	{ "450 greeting, then the next", "two.lab", 0, "", one, "x",
	    "ready;0+ 250 2.0.0 ok;",
	    .script = { PLAIN, MAIL1, GO, { 'D', NULL }, OK,
	    BYE } },

	/* Names. */
	{ "null MX", "null.lab", 0, "", one, "x",
	    "closed for good 556 5.1.10 null.lab *;",
	    .script = { { 0, NULL } } },
	{ "MX loop", "loop.lab", 0, "", one, "x",
	    "closed for good 554 5.4.6 *;", .script = { { 0, NULL } } },
	{ "ourselves", "client.lab", 0, "", one, "x",
	    "closed for good 550 5.1.2 *;", .script = { { 0, NULL } } },
	{ "no such domain", "nowhere.lab", 0, "", one, "x",
	    "closed for good 550 5.1.2 *;", .script = { { 0, NULL } } },
	{ "MX without an address", "gone.lab", 0, "", one, "x",
	    "closed for good 550 5.4.4 *;", .script = { { 0, NULL } } },
	{ "MX of no use", "empty.lab", 0, "", one, "x",
	    "closed for good 550 5.4.4 *;", .script = { { 0, NULL } } },
	{ "no answer", "fail.lab", 0, "", one, "x", "closed 451 4.4.3 *;",
	    .script = { { 0, NULL } } },
	{ "forged answer", "forged.lab", 0, "", one, "x",
	    "closed 451 4.4.3 *;", .script = { { 0, NULL } } },
	{ "no answer for an address", "half.lab", 0, "", one, "x",
	    "closed 451 4.4.3 *;", .script = { { 0, NULL } } },
	{ "our own door", "mx.lab", 0, "", one, "x",
	    "closed for good 554 5.4.6 *;",
	    .script = { { 0, NULL } }, .port = 25 },
	{ "implicit MX, second address", "both.lab", 0, "", one, "x",
	    "ready;0+ 250 2.0.0 ok;",
	    .script = { PLAIN, MAIL1, GO, { 'D', NULL }, OK,
	    BYE } },
	{ "nobody listens", "[127.0.0.99]", 0, "", one, "x",
	    "closed 421 4.4.1 127.0.0.99 *refused;",
	    .script = { { 0, NULL } } },

	/* TLS. */
	{ "TLS when offered", "127.0.0.1", 0, "", one, "x",
	    "ready tls;0+ 250 2.0.0 ok;",
	    .script = { GREET, TLSOFF, { 'S', "220 go\r\n" },
	    { 'T', NULL }, EHLO("250-x\r\n250 8BITMIME\r\n"), MAIL1, GO,
	    { 'D', NULL }, OK, BYE } },
	{ "injected before TLS", "127.0.0.1", 0, "", one, "x",
	    "ready tls;0+ 250 2.0.0 ok;", .script = { GREET, TLSOFF,
	    { 'S', "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n250 ok\r\n" },
	    { 'T', NULL }, EHLO("250-x\r\n250 8BITMIME\r\n"), MAIL1, GO,
	    { 'D', NULL }, OK, BYE } },
	{ "STARTTLS refused", "127.0.0.1", 0, "", one, "x",
	    "ready;0+ 250 2.0.0 ok;",
	    .script = { GREET, TLSOFF, { 'S', "454 no\r\n" },
	    { 'E', "MAIL" }, OK, { 'E', "RCPT" }, OK, { 'E', "DATA" }, GO,
	    { 'D', NULL }, OK, BYE } },
	{ "TLS fails, then in clear", "127.0.0.1", 0, "", one, "x",
	    "ready;0+ 250 2.0.0 ok;",
	    .script = { GREET, TLSOFF, { 'S', "220 go\r\n" },
	    { 'P', NULL }, { 'S', "500 what is that?\r\n" }, { 'C', NULL },
	    GREET, EHLO("250-mx.lab\r\n250-STARTTLS\r\n250 8BITMIME\r\n"),
	    MAIL1, GO, { 'D', NULL }, OK, BYE } },
	{ "TLS never", "127.0.0.1", SCHEME_SMTP_NOTLS, "", one, "x",
	    "ready;0+ 250 2.0.0 ok;", .script = { GREET,
	    EHLO("250-mx.lab\r\n250-STARTTLS\r\n250 8BITMIME\r\n"), MAIL1, GO,
	    { 'D', NULL }, OK, BYE } },
	{ "TLS required, not offered", "127.0.0.1", SCHEME_SMTP_TLS, "", one,
	    "x", "closed 454 4.7.4 *;", .script = { PLAIN, { 'W', NULL } } },
	{ "TLS required, refused", "127.0.0.1", SCHEME_SMTP_TLS, "", one, "x",
	    "closed 450 4.4.2 *refuses STARTTLS*;", .script = { GREET, TLSOFF,
	    { 'S', "554 no\r\n" }, { 'W', NULL } } },
	{ "verified", "127.0.0.1", SCHEME_SMTP_TLS, "", one, "x",
	    "ready tls;0+ 250 2.0.0 ok;",
	    .script = { GREET, TLSOFF, { 'S', "220 go\r\n" },
	    { 'T', NULL }, EHLO("250-x\r\n250 8BITMIME\r\n"), MAIL1, GO,
	    { 'D', NULL }, OK, BYE } },
	{ "smtps", "127.0.0.1", SCHEME_SMTPS, "isp", one, "x",
	    "ready tls;0+ 250 2.0.0 ok;",
	    .script = { { 'A', NULL }, { 'T', NULL },
	    { 'S', "220 hi\r\n" },
	    EHLO("250-x\r\n250-8BITMIME\r\n250 AUTH LOGIN PLAIN\r\n"),
	    { 'E', "AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n" }, { 'S', "235 in\r\n" },
	    MAIL1, GO, { 'D', NULL }, OK, BYE } },
	{ "certificate of another name", "mx.lab", SCHEME_SMTP_TLS, "", one,
	    "x", "closed 454 4.7.5 *;", .script = { GREET, TLSOFF,
	    { 'S', "220 go\r\n" }, { 'T', NULL }, { 'W', NULL } } },

	/* Login. */
	{ "login on loopback", "127.0.0.1", SCHEME_SMTP_NOTLS, "isp", one,
	    "x", "ready;0+ 250 2.0.0 ok;", .script = { GREET,
	    EHLO("250-x\r\n250-8BITMIME\r\n250 AUTH LOGIN\r\n"),
	    { 'E', "AUTH LOGIN\r\n" }, { 'S', "334 VXNlcm5hbWU6\r\n" },
	    { 'E', "Ym9i\r\n" }, { 'S', "334 UGFzc3dvcmQ6\r\n" },
	    { 'E', "c2VjcmV0\r\n" }, { 'S', "235 in\r\n" }, MAIL1, GO,
	    { 'D', NULL }, OK, BYE } },
	{ "login refused", "127.0.0.1", SCHEME_SMTP_NOTLS, "isp", one, "x",
	    "closed 454 4.7.8 *refuses our login: 535 5.7.8 no;",
	    .script = { GREET,
	    EHLO("250-x\r\n250 AUTH PLAIN\r\n"), { 'E', "AUTH PLAIN A" },
	    { 'S', "535 5.7.8 no\r\n" }, { 'W', NULL } } },
	{ "login without end", "127.0.0.1", SCHEME_SMTP_NOTLS, "isp", one,
	    "x", "closed 454 4.7.0 *makes no sense*;", .script = { GREET,
	    EHLO("250-x\r\n250 AUTH LOGIN\r\n"), { 'E', "AUTH LOGIN\r\n" },
	    { 'S', "334 \r\n" }, { 'E', "Ym9i\r\n" }, { 'S', "334 \r\n" },
	    { 'E', "c2VjcmV0\r\n" }, { 'S', "334 \r\n" }, { 'W', NULL } } },
	{ "SCRAM alone refused", "127.0.0.1", SCHEME_SMTP_NOTLS, "isp", one,
	    "x", "closed 454 4.7.8 *refuses our login: 535 5.7.8 no;",
	    .script = { GREET, EHLO("250-x\r\n250 AUTH SCRAM-SHA-256\r\n"),
	    { 'E', "AUTH SCRAM-SHA-256 biws" },
	    { 'S', "535 5.7.8 no\r\n" }, { 'W', NULL } } },
	{ "SCRAM not now", "127.0.0.1", SCHEME_SMTP_NOTLS, "isp", one, "x",
	    "closed 454 4.7.8 *refuses our login: 454 4.7.0 busy;",
	    .script = { GREET,
	    EHLO("250-x\r\n250-8BITMIME\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n"),
	    { 'E', "AUTH SCRAM-SHA-256 biws" },
	    { 'S', "454 4.7.0 busy\r\n" }, { 'W', NULL } } },
	{ "a server that answers nonsense gets no password", "127.0.0.1",
	    SCHEME_SMTP_NOTLS, "isp", one, "x",
	    "closed 454 4.7.0 *makes no sense*;", .script = { GREET,
	    EHLO("250-x\r\n250-8BITMIME\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n"),
	    { 'E', "AUTH SCRAM-SHA-256 biws" },
	    { 'S', "334 cj1vdGhlcg==\r\n" }, { 'W', NULL } } },
	{ "SCRAM and the password refused", "127.0.0.1", SCHEME_SMTP_NOTLS,
	    "isp", one, "x", "closed 454 4.7.8 *refuses our login: 535 5.7.8 "
	    "nor so;", .script = { GREET,
	    EHLO("250-x\r\n250-8BITMIME\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n"),
	    { 'E', "AUTH SCRAM-SHA-256 biws" },
	    { 'S', "535 5.7.8 no\r\n" }, { 'E', "AUTH PLAIN A" },
	    { 'S', "535 5.7.8 nor so\r\n" }, { 'W', NULL } } },
	{ "server that proves nothing", "127.0.0.1", SCHEME_SMTP_NOTLS, "isp",
	    one, "x", "closed 454 4.7.0 *", .script = { GREET,
	    EHLO("250-x\r\n250-8BITMIME\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n"),
	    { 'E', "AUTH SCRAM-SHA-256 biws" }, { 'S', "235 in\r\n" },
	    { 'W', NULL } } },
	{ "SCRAM refused, then the password", "127.0.0.1", SCHEME_SMTPS,
	    "isp", one, "x", "ready tls;0+ 250 2.0.0 ok;", .script = {
	    { 'A', NULL }, { 'T', NULL }, { 'S', "220 hi\r\n" },
	    EHLO("250-x\r\n250-8BITMIME\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n"),
	    { 'E', "AUTH SCRAM-SHA-256 biws" },
	    { 'S', "535 5.7.8 no such hash\r\n" },
	    { 'E', "AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n" }, { 'S', "235 in\r\n" },
	    MAIL1, GO, { 'D', NULL }, OK, BYE } },
	{ "and at once the next time", "127.0.0.1", SCHEME_SMTPS,
	    "isp", one, "x", "ready tls;0+ 250 2.0.0 ok;", .script = {
	    { 'A', NULL }, { 'T', NULL }, { 'S', "220 hi\r\n" },
	    EHLO("250-x\r\n250-8BITMIME\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n"),
	    { 'E', "AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n" }, { 'S', "235 in\r\n" },
	    MAIL1, GO, { 'D', NULL }, OK, BYE } },
	{ "no AUTH", "127.0.0.1", SCHEME_SMTP_NOTLS, "isp", one, "x",
	    "closed 454 4.7.0 *offers no AUTH;",
	    .script = { PLAIN, { 'W', NULL } } },
	{ "unknown label", "127.0.0.1", SCHEME_SMTP_NOTLS, "bsp", one, "x",
	    "closed 454 4.7.0 no password for \"bsp\" is known;",
	    .script = { GREET,
	    EHLO("250-x\r\n250 AUTH PLAIN\r\n"), { 'W', NULL } } },
};

static unsigned int	port;
static int		lfd;
static struct tls	*context;

static void
tick(evutil_socket_t fd, short ev, void *arg)
{
	static int	polls;

	/* After our RELAY_CLOSE nothing is said; then it is over like this. */
	if (fake.nmessages == 0 && fake.nresults > 0 && sessions_idle())
		fake.over = 1;
	if (fake.over || ++polls % 1000 == 0)
		event_base_loopbreak(fake.base);
}

static void
run(void)
{
	struct timeval	 tv = { .tv_usec = 5000 };
	struct event	*ev = event_new(fake.base, -1, EV_PERSIST, tick, NULL);

	event_add(ev, &tv);
	event_base_dispatch(fake.base);
	event_free(ev);
	/* What is still on its way to the server. */
	event_base_loop(fake.base, EVLOOP_NONBLOCK);
}

static void
open_session(const struct test *t)
{
	struct msg_RELAY_OPEN	open = { 0 };

	memset(fake.seen, 0, sizeof(fake.seen));
	fake.over = 0;
	fake.nresults = 0;
	fake.sender = t->sender != NULL ? t->sender : "a@client.lab";
	fake.rcpts = t->rcpts;
	fake.content = t->content;
	fake.contentlen = strlen(t->content);
	fake.body = t->body > 0 ? t->body - 1 : BODY_8BITMIME;
	fake.utf8 = t->utf8;
	fake.dsn = t->dsn;
	fake.nmessages = t->nmessages > 0 ? t->nmessages : 1;
	open.session = ++fake.session;
	open.scheme = t->scheme;
	open.port = t->port > 0 ? t->port : port;
	strlcpy(open.host, t->host, sizeof(open.host));
	strlcpy(open.label, t->label, sizeof(open.label));
	peer_send(fake.as_queue, M_RELAY_OPEN, &open, -1);
}

static void
test_one(const struct test *t)
{
	char	name[128];
	pid_t	pid;
	int	status = 0;

	pid = server_start(lfd, context, t->script);
	open_session(t);
	run();
	if (fnmatch(t->want, fake.seen, 0) == 0)
		printf("ok %s\n", t->name);
	else
		TEST_STR(t->name, fake.seen, t->want);
	if (waitpid(pid, &status, 0) == -1 || status != 0) {
		snprintf(name, sizeof(name), "%s: the server's side", t->name);
		TEST(name, status == 0);
	}
}

/* A thousand recipients and some megabytes, in about no time. */
static void
test_large(void)
{
	static const char	*rcpts[1001];
	static char		 addrs[1000][32], replies[16000];
	static char		 content[900000];
	struct step		 script[1020] = { PIPE, { 'E', "MAIL" }, OK };
	struct test		 t = { "large", "127.0.0.1", 0, "", rcpts,
				    content, "", .script = { { 0, NULL } } };
	size_t			 i, n = 6;
	pid_t			 pid;
	int			 status;

	for (i = 0; i < 1000; i++) {
		snprintf(addrs[i], sizeof(addrs[i]), "user%zu@mx.lab", i);
		rcpts[i] = addrs[i];
		script[n].op = 'E';
		script[n++].text = "RCPT";
		strlcat(replies, "250 ok\r\n", sizeof(replies));
	}
	script[n++] = (struct step){ 'E', "DATA" };
	script[n++] = (struct step){ 'S', replies };
	script[n++] = (struct step)GO;
	script[n++] = (struct step){ 'D', NULL };
	script[n++] = (struct step)OK;
	script[n++] = (struct step){ 'E', "QUIT" };
	/* SIZE 100000 was offered by PIPE, so it must fit into that. */
	memset(content, 'x', 99000);
	for (i = 76; i < 99000; i += 77)
		content[i] = '\n';
	pid = server_start(lfd, context, script);
	open_session(&t);
	run();
	TEST("a thousand recipients", strncmp(fake.seen, "ready;0+ 250 2.0.0 "
	    "ok;1+ 250", 20) == 0 && fake.nresults == 1000);
	TEST("and their server", waitpid(pid, &status, 0) != -1 &&
	    status == 0);
}

/* role_exit() prints the verdict. */
static void
test_drain(void)
{
	static const struct test t = { "drain", "127.0.0.1", 0, "", one, "x",
	    "", .script = { PLAIN, MAIL1, { 'P', NULL }, GO, { 'D', NULL }, OK,
	    { 'E', "QUIT" } },
	    .nmessages = 1 };
	struct timeval		 tv = { .tv_usec = 1000 };
	pid_t			 pid;

	pid = server_start(lfd, context, t.script);
	open_session(&t);
	while (strstr(fake.seen, "ready") == NULL) {
		event_base_loopexit(fake.base, &tv);
		event_base_dispatch(fake.base);
	}
	fake.draining = 1;
	relay_code.drain(5);
	event_base_dispatch(fake.base);
	printf("not ok drain: no exit: %s\n", fake.seen);
	kill(pid, SIGKILL);
	exit(1);
}

static struct tls *
server_context(const struct cert *c)
{
	struct tls_config	*cfg = tls_config_new();
	struct tls		*ctx = tls_server();

	if (cfg == NULL || ctx == NULL || tls_config_set_keypair_mem(cfg,
	    (const uint8_t *)c->pem, strlen(c->pem), (const uint8_t *)c->key,
	    strlen(c->key)) == -1 || tls_configure(ctx, cfg) == -1)
		exit(2);
	tls_config_free(cfg);
	return (ctx);
}

int
main(int argc, char **argv)
{
	struct cert	c = cert_new("IP:127.0.0.1");
	size_t		i;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_init("regress", "relay");
	log_verbose(argc > 2 ? 1 : -1);
	fake_start();
	fake.names = zone;
	fake_cafile(c.pem);
	context = server_context(&c);
	lfd = server_listen(&port);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (argc < 2 || fnmatch(argv[1], tests[i].name, 0) == 0)
			test_one(&tests[i]);
	free(c.pem);
	free(c.key);
	if (argc > 1)
		TEST_DONE();
	test_large();
	if (test_failed)
		return (1);
	test_drain();
	TEST_DONE();
}
