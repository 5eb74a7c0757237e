/*
 * dsn: what reports say, and that nothing which others wrote can become a
 * line of its own in them.
 */
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "os/compat.h"
#include "smtp/dsn.h"
#include "smtp/dsn_field.h"
#include "../test.h"

static char	*text;

static const struct dsn_rcpt	one = {
	.action = DSN_FAILED, .orcpt = "rfc822;a+2Bb@c.test",
	.orig = "list@here.test", .final = "x@far.test",
	.reply = "550 5.1.1 no such user", .remote = "mx.far.test",
	.last = 1000000060
};

static struct dsn
about(const struct dsn_rcpt *v, size_t n)
{
	static const char	mail[] = "From: a@b\r\nSubject: s\r\n\r\n"
				    "body\r\n";
	struct dsn		d = {
		.hostname = "mail.test", .id = "abcdefghijk",
		.boundary = "=_b", .to = "from@sender.test",
		.about = "<1@sender.test>", .envid = "E+3D1",
		.arrived = 1000000000, .now = 1000000100,
		.until = 1000400000, .rcpts = v, .nrcpts = n,
		.text = mail, .textlen = sizeof(mail) - 1
	};

	return (d);
}

static int
report(const struct dsn *d, size_t max)
{
	struct buf	b;
	int		r;

	free(text);
	text = NULL;
	buf_init(&b, max);
	r = dsn_write(d, &b);
	if ((text = calloc(1, buf_len(&b) + 1)) == NULL)
		exit(2);
	memcpy(text, buf_data(&b), buf_len(&b));
	buf_free(&b);
	return (r);
}

static int
has(const char *what)
{
	return (text != NULL && strstr(text, what) != NULL);
}

static size_t
count(const char *what)
{
	const char	*p = text;
	size_t		 n = 0;

	while ((p = strstr(p, what)) != NULL) {
		n++;
		p += strlen(what);
	}
	return (n);
}

/* Every line ends in CRLF, is not too long, and has no control character. */
static int
lines_are_good(void)
{
	const char	*p = text, *end;
	size_t		 i;

	for (; *p != '\0'; p = end + 2) {
		if ((end = strstr(p, "\r\n")) == NULL || end - p > 998)
			return (0);
		for (i = 0; p + i < end; i++)
			if ((unsigned char)p[i] < 0x20 && p[i] != '\t')
				return (0);
	}
	return (1);
}

static void
test_a_failure(void)
{
	struct dsn	d = about(&one, 1);

	TEST("written", report(&d, 100000) == 0 && lines_are_good());
	TEST("to", has("\r\nTo: <from@sender.test>\r\n"));
	TEST("automatic", has("\r\nAuto-Submitted: auto-replied\r\n"));
	TEST("reference", has("\r\nIn-Reply-To: <1@sender.test>\r\n"));
	TEST("type", has("multipart/report; report-type=delivery-status;"));
	TEST("envelope id", has("\r\nOriginal-Envelope-Id: E=1\r\n"));
	TEST("mta", has("\r\nReporting-MTA: dns; mail.test\r\n"));
	TEST("original", has("\r\nOriginal-Recipient: rfc822; a+b@c.test\r\n"));
	TEST("final", has("\r\nFinal-Recipient: rfc822; x@far.test\r\n"));
	TEST("action", has("\r\nAction: failed\r\nStatus: 5.1.1\r\n"));
	TEST("remote", has("\r\nRemote-MTA: dns; mx.far.test\r\n"));
	TEST("diagnostic", has("\r\nDiagnostic-Code: smtp; 550 5.1.1 no such "
	    "user\r\n"));
	TEST("last", has("\r\nLast-Attempt-Date: "));
	TEST("no retry", !has("Will-Retry-Until"));
	TEST("header only", has("Content-Type: text/rfc822-headers\r\n\r\n"
	    "From: a@b\r\nSubject: s\r\n\r\n--=_b--\r\n") && !has("body"));
	TEST("the written address is read of", has("\r\n  <list@here.test>"
	    "\r\n    mx.far.test said:\r\n    550 5.1.1 no such user\r\n"));
	d.full = 1;
	TEST("all of it", report(&d, 100000) == 0 && has("Content-Type: "
	    "message/rfc822\r\n\r\nFrom: a@b\r\nSubject: s\r\n\r\nbody\r\n"
	    "\r\n--=_b--\r\n"));
	d.envid = "a+0D+0AX-Evil: 1";
	d.about = "<x@y>\r\nX-Evil: 1";
	TEST("what decodes to a line end is left out", report(&d, 100000) ==
	    0 && !has("Evil") && !has("Original-Envelope-Id"));
}

static void
test_actions(void)
{
	static const struct {
		enum dsn_action	 a;
		const char	*reply, *want;
	} cases[] = {
		{ DSN_FAILED, "550 no code", "failed\r\nStatus: 5.0.0" },
		{ DSN_FAILED, "451 4.4.7 late", "failed\r\nStatus: 4.4.7" },
		{ DSN_FAILED, "", "failed\r\nStatus: 5.0.0" },
		{ DSN_DELAYED, "", "delayed\r\nStatus: 4.0.0" },
		{ DSN_DELAYED, "450 4.2.2 full", "delayed\r\nStatus: 4.2.2" },
		{ DSN_DELAYED, "550 5.1.1 x", "delayed\r\nStatus: 4.0.0" },
		{ DSN_DELIVERED, "250 2.1.5 ok", "delivered\r\nStatus: 2.1.5" },
		{ DSN_DELIVERED, "250 ok", "delivered\r\nStatus: 2.0.0" },
		{ DSN_RELAYED, "250 2.0.0 q", "relayed\r\nStatus: 2.0.0" },
		{ DSN_EXPANDED, "250 2.1.5 m", "expanded\r\nStatus: 2.1.5" },
	};
	struct dsn_rcpt	r[sizeof(cases) / sizeof(cases[0])];
	struct dsn	d = about(r, 1);
	size_t		i, n = sizeof(cases) / sizeof(cases[0]);

	for (i = 0; i < n; i++) {
		r[0] = one;
		r[0].action = cases[i].a;
		r[0].reply = cases[i].reply;
		TEST("action and status", report(&d, 100000) == 0 &&
		    has(cases[i].want) && lines_are_good());
		TEST("retry until", has("Will-Retry-Until: ") ==
		    (cases[i].a == DSN_DELAYED));
	}
	for (i = 0; i < n; i++) {
		r[i] = one;
		r[i].action = cases[i].a;
		r[i].reply = cases[i].reply;
	}
	d.nrcpts = n;
	TEST("one report for all", report(&d, 100000) == 0 &&
	    count("\r\nFinal-Recipient: ") == n &&
	    has("Subject: Your message was not delivered\r\n"));
	TEST("local", (r[0].remote = "", report(&d, 100000)) == 0 &&
	    has("Diagnostic-Code: x-postern; 550 no code"));
	d.doubled = 1;
	TEST("to the postmaster", report(&d, 100000) == 0 &&
	    has("Subject: A report could not be delivered\r\n"));
}

static void
test_hostile(void)
{
	static char	long_reply[3000];
	struct dsn_rcpt	r = one;
	struct dsn	d = about(&r, 1);
	size_t		i;

	r.reply = "550 5.0.0 a\r\nX-Evil: 1\r\n\r\n--=_b--\n\x01\x7f\xff";
	r.remote = "mx\r\nX-Evil: 2";
	r.final = "x\r\nAction: delivered@y";
	r.orig = "o\nX-Evil: 3@y";
	r.orcpt = "rfc822\r\nX-Evil;4";
	d.to = "t\r\nBcc: x@y";
	TEST("hostile", report(&d, 100000) == 0 && lines_are_good());
	TEST("no line of theirs", !has("\r\nX-Evil") && !has("\nBcc") &&
	    count("\r\nAction: ") == 1 && count("\r\n--=_b--\r\n") == 1);
	r = one;
	r.orcpt = "rfc822;a+0D+0Ab";
	TEST("original with a line end", report(&d, 100000) == 0 &&
	    !has("Original-Recipient"));
	for (i = 0; i < sizeof(long_reply) - 1; i++)
		long_reply[i] = 'x';
	r.reply = long_reply;
	TEST("very long word", report(&d, 100000) == 0 && lines_are_good());
	r.remote = long_reply;
	TEST("long remote", report(&d, 100000) == 0 && lines_are_good());
	for (i = 0; i + 2 < sizeof(long_reply); i += 2)
		memcpy(long_reply + i, "\303\244", 2);
	d.utf8 = 1;
	TEST("of two octets", report(&d, 100000) == 0 && lines_are_good());
	d.utf8 = 0;
	r.remote = "";
	memset(long_reply, 'x', sizeof(long_reply) - 1);
	for (i = 0; i < sizeof(long_reply) - 1; i += 7)
		long_reply[i] = ' ';
	TEST("many words", report(&d, 100000) == 0 && lines_are_good() &&
	    count("\r\n xxxxxx") > 20);
}

static void
test_utf8(void)
{
	struct dsn_rcpt	r = one;
	struct dsn	d = about(&r, 1);

	r.final = "j\xc3\xbcrgen+x@far.test";
	r.orcpt = "utf-8;j\\x{FC}rgen@far.test";
	r.reply = "550 5.1.1 kein \xc3\x84rger \xff";
	TEST("of plain mail", report(&d, 100000) == 0 &&
	    has("\r\nFinal-Recipient: utf-8; j\\x{FC}rgen\\x{2B}x@far.test"
	    "\r\n") && has("Original-Recipient: utf-8; j\\x{FC}rgen@") &&
	    has("Diagnostic-Code: smtp; 550 5.1.1 kein ?rger ?\r\n"));
	d.utf8 = 1;
	TEST("of international mail", report(&d, 100000) == 0 &&
	    has("report-type=global-delivery-status;") &&
	    has("\r\nContent-Type: message/global-delivery-status\r\n") &&
	    has("\r\nContent-Type: message/global-headers\r\n") &&
	    has("\r\nFinal-Recipient: utf-8; j\xc3\xbcrgen+x@far.test\r\n") &&
	    has("Original-Recipient: utf-8; j\xc3\xbcrgen@far.test\r\n") &&
	    has("kein \xc3\x84rger ?\r\n"));
	d.full = 1;
	TEST("with all of it", report(&d, 100000) == 0 &&
	    has("\r\nContent-Type: message/global\r\n"));
}

static void
test_room(void)
{
	struct dsn_rcpt	*v;
	struct dsn	 d;
	size_t		 i, n = 10000;

	if ((v = calloc(n, sizeof(*v))) == NULL)
		exit(2);
	for (i = 0; i < n; i++)
		v[i] = one;
	d = about(v, n);
	TEST("ten thousand recipients", report(&d, 262143) == 0 &&
	    strlen(text) < 262144 && count("\r\nFinal-Recipient: ") > 500 &&
	    has("... and more\r\n") && has("Subject: s\r\n") &&
	    lines_are_good());
	d.nrcpts = 1;
	TEST("no room at all", report(&d, 600) == -1);
	free(v);
}

static void
test_codes(void)
{
	static const char	*const bad[] = { "+", "+4", "+4g", "+0a", "a=b",
				    "+7F", "\xc3\xa4", "a b\n" };
	char			 to[20];
	size_t			 i;

	TEST("xtext", dsn_xtext_decode("a+2Bb+3D", to, sizeof(to)) == 0 &&
	    strcmp(to, "a+b=") == 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		TEST("bad xtext", dsn_xtext_decode(bad[i], to, sizeof(to)) ==
		    -1);
	TEST("fits", dsn_xtext_decode("1234567890123456789", to,
	    sizeof(to)) == 0);
	TEST("does not fit", dsn_xtext_decode("12345678901234567890", to,
	    sizeof(to)) == -1);
	TEST("characters", dsn_utf8_decode("\\x{E4}\\x{1F600}x", to,
	    sizeof(to)) == 0 && strcmp(to, "\xc3\xa4\xf0\x9f\x98\x80x") == 0);
	TEST("no characters", dsn_utf8_decode("\\x{D800}", to, sizeof(to)) ==
	    -1 && dsn_utf8_decode("\\x{110000}", to, sizeof(to)) == -1 &&
	    dsn_utf8_decode("\\x{0A}", to, sizeof(to)) == -1 &&
	    dsn_utf8_decode("\\x{}", to, sizeof(to)) == -1 &&
	    dsn_utf8_decode("\\", to, sizeof(to)) == -1);
}

int
main(void)
{
	test_a_failure();
	test_actions();
	test_hostile();
	test_utf8();
	test_room();
	test_codes();
	free(text);
	TEST_DONE();
}
