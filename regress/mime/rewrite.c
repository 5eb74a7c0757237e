/*
 * rewrite: domains in the header of a message of ours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mime/rewrite.h"
#include "../test.h"

static char	got[600000];
static size_t	len;

static int
put(void *arg, const void *p, size_t n)
{
	if (n > sizeof(got) - 1 - len)
		exit(2);
	memcpy(got + len, p, n);
	len += n;
	got[len] = '\0';
	return (0);
}

static const char *
domain(void *arg, const char *dom, size_t n)
{
	return (n == 9 && strncasecmp(dom, "host1.lab", 9) == 0 ? "lab" :
	    NULL);
}

static void
run(const char *text, size_t piece)
{
	struct rewrite	r = { .origin = "o.lab", .domain = domain,
			    .put = put };
	size_t		n = strlen(text), i;

	len = 0;
	got[0] = '\0';
	rewrite_init(&r);
	for (i = 0; i < n; i += piece)
		if (rewrite_feed(&r, text + i, n - i < piece ? n - i :
		    piece) == -1)
			exit(2);
	if (rewrite_end(&r) == -1)
		exit(2);
	rewrite_free(&r);
}

static const struct {
	const char	*name, *in, *want;
} cases[] = {
	{ "host", "From: a@host1.lab\r\n", "From: a@lab\r\n" },
	{ "capitals", "from: a@HOST1.LAB\r\n", "from: a@lab\r\n" },
	{ "other host", "From: a@host2.lab\r\n", "From: a@host2.lab\r\n" },
	{ "below", "From: a@x.host1.lab\r\n", "From: a@x.host1.lab\r\n" },
	{ "bare", "To: root\r\n", "To: root@o.lab\r\n" },
	{ "angle", "Cc: Bob <b@host1.lab>, <carol>,d\r\n",
	    "Cc: Bob <b@lab>, <carol@o.lab>,d@o.lab\r\n" },
	{ "comment", "To: (x@host1.lab) root (Ro@ot)\r\n",
	    "To: (x@host1.lab) root@o.lab (Ro@ot)\r\n" },
	{ "quoted name", "To: \"a@host1.lab, b\" <c@host1.lab>\r\n",
	    "To: \"a@host1.lab, b\" <c@lab>\r\n" },
	{ "quoted local part", "To: \"a b\"@host1.lab, \"c d\"\r\n",
	    "To: \"a b\"@lab, \"c d\"@o.lab\r\n" },
	{ "folded", "To: a@host1.lab,\r\n\tb@host1.lab\r\nX: y\r\n",
	    "To: a@lab,\r\n\tb@lab\r\nX: y\r\n" },
	{ "group", "To: friends: a@host1.lab, b;\r\n",
	    "To: friends: a@lab, b@o.lab;\r\n" },
	{ "nobody", "To: undisclosed-recipients:;\r\n",
	    "To: undisclosed-recipients:;\r\n" },
	{ "empty", "To:\r\nCc: <>\r\n", "To:\r\nCc: <>\r\n" },
	{ "literal", "To: a@[IPv6:::1], <b@[127.0.0.1]>\r\n",
	    "To: a@[IPv6:::1], <b@[127.0.0.1]>\r\n" },
	{ "route", "To: <@x:a@host1.lab>\r\n", "To: <@x:a@host1.lab>\r\n" },
	{ "two ats", "To: a@b@host1.lab\r\n", "To: a@b@host1.lab\r\n" },
	{ "encoded word", "From: =?utf-8?q?x?= <a@host1.lab>\r\n",
	    "From: =?utf-8?q?x?= <a@lab>\r\n" },
	{ "words", "From: no address here\r\n", "From: no address here\r\n" },
	{ "other fields", "Subject: a@host1.lab\r\nX-To: root\r\nTo-X: r\r\n",
	    "Subject: a@host1.lab\r\nX-To: root\r\nTo-X: r\r\n" },
	{ "resent", "Resent-From: a@host1.lab\r\n", "Resent-From: a@lab\r\n" },
	{ "space before the colon", "To : root\r\n", "To : root@o.lab\r\n" },
	{ "body", "To: a\r\n\r\nTo: a\r\nFrom: b@host1.lab\r\n",
	    "To: a@o.lab\r\n\r\nTo: a\r\nFrom: b@host1.lab\r\n" },
	{ "no header", "\r\nTo: a\r\n", "\r\nTo: a\r\n" },
	{ "no line end", "To: a", "To: a@o.lab" },
	{ "an open quote", "To: \"a@host1.lab\r\n", "To: \"a@host1.lab\r\n" },
	{ "an open angle", "To: <a@host1.lab\r\n", "To: <a@lab\r\n" },
	{ "UTF-8", "To: <\xc3\xa4@host1.lab>, b@\xc3\xa4.lab\r\n",
	    "To: <\xc3\xa4@lab>, b@\xc3\xa4.lab\r\n" },
	{ "a line that is no field", "This is no field\r\nTo: a\r\n",
	    "This is no field\r\nTo: a@o.lab\r\n" },
};

int
main(void)
{
	char	*big;
	size_t	 i, piece, n = 300000;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (piece = 1; piece < 60; piece += piece < 4 ? 1 : 17) {
			run(cases[i].in, piece);
			TEST_STR(cases[i].name, got, cases[i].want);
		}
	/* longer than is held: as it was, and the next one is looked at */
	if ((big = malloc(n + 100)) == NULL)
		return (2);
	memset(big, ' ', n);
	memcpy(big, "To: a,", 6);
	strcpy(big + n, "\r\nCc: a\r\n");
	run(big, 1000);
	TEST("too long", len == n + 9 + 6 && memcmp(got, big, n) == 0 &&
	    strcmp(got + n, "\r\nCc: a@o.lab\r\n") == 0);
	free(big);
	TEST_DONE();
}
