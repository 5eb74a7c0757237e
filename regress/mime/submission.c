/*
 * submission: headers completed, recipients taken, messages kept and read.
 */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "mime/submission.h"
#include "os/compat.h"

static char	taken[4096];

static int
take(void *arg, const char *address)
{
	strlcat(taken, address, sizeof(taken));
	strlcat(taken, " ", sizeof(taken));
	return (*(int *)arg);
}

/* The header that comes out; "-" if it cannot be made. */
static const char *
header(const char *in, int from_header)
{
	static char		out[8192];
	static int		go_on;
	struct submission	s = { .from = "ann", .fullname = "Ann Example",
				    .origin = "o.example", .date = "DATE",
				    .msgid = "<ID>", .recipient = take,
				    .arg = &go_on };
	struct buf		b;

	taken[0] = out[0] = '\0';
	s.take = from_header;
	buf_init(&b, 65536);
	if (submission_header(&s, in, submission_body(in, strlen(in)), &b) ==
	    -1)
		return ("-");
	memcpy(out, buf_data(&b), buf_len(&b));
	out[buf_len(&b)] = '\0';
	buf_free(&b);
	return (out);
}

#define ADDED	"Message-ID: <ID>\r\nDate: DATE\r\n"
#define FROM	"From: Ann Example <ann@o.example>\r\n"

static const struct {
	const char	*name, *in, *out;
} headers[] = {
	{ "empty", "", ADDED FROM "\r\n" },
	{ "no-header", "hello: there is none\nreally\n",
	    "hello: there is none\r\n" ADDED FROM "\r\n" },
	{ "text", "just text\n", ADDED FROM "\r\n" },
	{ "from-line", "From ann Mon Jan 1\nSubject: x\n\nbody\n",
	    "Subject: x\r\n" ADDED FROM "\r\n" },
	{ "has-all", "Date: d\nMessage-Id: <m>\nFROM: b@c\n\n",
	    "Date: d\r\nMessage-Id: <m>\r\nFROM: b@c\r\n\r\n" },
	{ "crlf", "Subject: x\r\n y\r\n\r\nbody", "Subject: x\r\n y\r\n" ADDED
	    FROM "\r\n" },
	{ "bcc-goes", "To: a@b\nBcc: c@d,\n e@f\nSubject: s\n\n",
	    "To: a@b\r\nSubject: s\r\n" ADDED FROM "\r\n" },
	{ "return-path-goes", "Return-Path: <x@y>\nTo: a@b\n\n",
	    "To: a@b\r\n" ADDED FROM "\r\n" },
	{ "resent", "Resent-To: r@s\nTo: a@b\nFrom: f@g\nDate: d\n"
	    "Message-ID: <m>\n\n", "Resent-Message-ID: <ID>\r\n"
	    "Resent-Date: DATE\r\nResent-From: Ann Example <ann@o.example>\r\n"
	    "Resent-To: r@s\r\nTo: a@b\r\nFrom: f@g\r\nDate: d\r\n"
	    "Message-ID: <m>\r\n\r\n" },
	{ "continued", "Subject: a\n b\n\tc\nTo: x@y,\n z\n\n",
	    "Subject: a\r\n b\r\n\tc\r\nTo: x@y,\r\n z@o.example\r\n" ADDED
	    FROM "\r\n" },
	{ "bare-cr", "Subject: a\rb\n\n", "Subject: a\rb\r\n" ADDED FROM
	    "\r\n" },
};

static const struct {
	const char	*name, *in, *out;
} values[] = {
	{ "whole", " a@b", " a@b" },
	{ "bare", "a", "a@o" },
	{ "bare-list", "a, b@c,d", "a@o, b@c,d@o" },
	{ "angle", "A B <a>", "A B <a@o>" },
	{ "angle-whole", "<a@b>, <c>", "<a@b>, <c@o>" },
	{ "angle-empty", "<>", "<>" },
	{ "comment", "a (Ann, of <b>)", "a@o (Ann, of <b>)" },
	{ "comment-nested", "(x (y) \\) z) a", "(x (y) \\) z) a@o" },
	{ "quoted", "\"a b\"", "\"a b\"@o" },
	{ "quoted-name", "\"Doe, J.\" <j>", "\"Doe, J.\" <j@o>" },
	{ "quoted-at", "\"a@b\" <c>, \"@\"", "\"a@b\" <c@o>, \"@\"@o" },
	{ "group", "us: a, b@c;, d", "us: a@o, b@c;, d@o" },
	{ "group-empty", "undisclosed-recipients:;",
	    "undisclosed-recipients:;" },
	{ "route", "<@x,@y:a@b>", "<@x,@y:a@b>" },
	{ "literal", "a@[IPv6:::1], b", "a@[IPv6:::1], b@o" },
	{ "two-words", "a b", "a b" },
	{ "dotted", "a.b.c", "a.b.c@o" },
	{ "open-angle", "<a", "<a@o" },
	{ "open-quote", "\"a", "\"a" },
	{ "open-comment", "a (b", "a (b" },
	{ "nothing", " , ,", " , ," },
};

static const struct {
	const char	*name, *in, *rcpts;
} takes[] = {
	{ "take-all", "To: a@b, C <c>\nCc: d@e (x)\nBcc: f\nFrom: g@h\n\n",
	    "a@b c@o.example d@e f@o.example " },
	{ "take-group", "To: us: a@b, c;, d@e\n\n", "a@b c@o.example d@e " },
	{ "take-resent", "Resent-To: r@s\nResent-Bcc: t\nTo: a@b\n"
	    "Bcc: c@d\n\n",
	    "r@s t@o.example " },
	{ "take-quoted", "To: \"a b\"@c, \"d\\\"e\"@f\n\n",
	    "\"a b\"@c \"d\\\"e\"@f " },
	{ "take-none", "Subject: x\n\n", "" },
	{ "take-not-from-the-body", "Subject: x\n\nTo: a@b\n", "" },
};

static const struct {
	const char	*name, *in, *out;
} phrases[] = {
	{ "phrase", "Ann Example", "Ann Example" },
	{ "phrase-dot", "Ann E. X", "\"Ann E. X\"" },
	{ "phrase-quote", "A \"B\" \\C", "\"A \\\"B\\\" \\\\C\"" },
	{ "phrase-utf8", "J\xc3\xb6rg", "=?utf-8?Q?=4A=C3=B6=72=67?=" },
	{ "phrase-newline", "A\nBcc: x",
	    "=?utf-8?Q?=41=0A=42=63=63=3A=20=78?=" },
};

static void
test_values(void)
{
	struct buf	b;
	char		out[1024];
	size_t		i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		buf_init(&b, 1000);
		out[0] = '\0';
		if (submission_complete(values[i].in, strlen(values[i].in),
		    "o", &b) == 0 && buf_len(&b) > 0) {
			memcpy(out, buf_data(&b), buf_len(&b));
			out[buf_len(&b)] = '\0';
		}
		TEST_STR(values[i].name, out, values[i].out);
		buf_free(&b);
	}
	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		buf_init(&b, 1000);
		out[0] = '\0';
		if (submission_phrase(phrases[i].in, &b) == 0) {
			memcpy(out, buf_data(&b), buf_len(&b));
			out[buf_len(&b)] = '\0';
		}
		TEST_STR(phrases[i].name, out, phrases[i].out);
		buf_free(&b);
	}
}

static void
test_bounds(void)
{
	struct submission	s = { .from = "a", .fullname = "", .origin =
				    "o", .date = "D", .msgid = "<I>" };
	struct buf		b;
	char			*big = malloc(SUBMISSION_HEADER_MAX + 1);
	static int		stop = -1;

	if (big == NULL)
		return;
	memset(big, 'x', SUBMISSION_HEADER_MAX + 1);
	buf_init(&b, 32);
	TEST("header-too-long", submission_header(&s, big,
	    SUBMISSION_HEADER_MAX + 1, &b) == -1);
	TEST("no-room", submission_header(&s, "To: a\n", 6, &b) == -1);
	buf_free(&b);
	buf_init(&b, 4096);
	s.take = 1;
	s.recipient = take;
	s.arg = &stop;
	TEST("stopped", submission_header(&s, "To: a, b\n", 9, &b) == -1);
	buf_free(&b);
	free(big);
}

int
main(void)
{
	size_t	i;

	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		TEST_STR(headers[i].name, header(headers[i].in, 0),
		    headers[i].out);
	for (i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
		(void)header(takes[i].in, 1);
		TEST_STR(takes[i].name, taken, takes[i].rcpts);
	}
	test_values();
	test_bounds();
	TEST_DONE();
}
