/*
 * command: lines as clients write them, beginners and attackers too.
 */
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "smtp/command.h"
#include "../test.h"

static const struct {
	const char	*line;
	enum smtp_verb	 verb;
	const char	*want;		/* of MAIL, RCPT the address, else arg;
					   or the start of the refusal */
	const char	*params;	/* "KEY=value,KEY" */
} cases[] = {
	{ "HELO example.org", SMTP_HELO, "example.org", "" },
	{ "helo lo", SMTP_HELO, "lo", "" },
	{ "EHLO [192.0.2.1]", SMTP_EHLO, "[192.0.2.1]", "" },
	{ "eHlO\t example.org  ", SMTP_EHLO, "example.org", "" },
	{ "HELO", SMTP_HELO, "", "" },
	{ "DATA", SMTP_DATA, "", "" },
	{ "data ", SMTP_DATA, "", "" },
	{ "DATA x", SMTP_DATA, "x", "" },
	{ "BDAT 86 LAST", SMTP_BDAT, "86 LAST", "" },
	{ "LHLO example.org", SMTP_LHLO, "example.org", "" },
	{ "TURN", SMTP_UNKNOWN, "", "" },
	{ "ETRN x", SMTP_UNKNOWN, "x", "" },
	{ "RSET", SMTP_RSET, "", "" },
	{ "NOOP anything goes here", SMTP_NOOP, "anything goes here", "" },
	{ "quit", SMTP_QUIT, "", "" },
	{ "VRFY alice", SMTP_VRFY, "alice", "" },
	{ "EXPN list", SMTP_EXPN, "list", "" },
	{ "HELP", SMTP_HELP, "", "" },
	{ "STARTTLS", SMTP_STARTTLS, "", "" },
	{ "AUTH PLAIN AGEAYg==", SMTP_AUTH, "PLAIN AGEAYg==", "" },
	{ "GET / HTTP/1.1", SMTP_HTTP, "/ HTTP/1.1", "" },
	{ "POST /x HTTP/1.0", SMTP_HTTP, "/x HTTP/1.0", "" },
	{ "", SMTP_UNKNOWN, "", "" },
	{ " ", SMTP_UNKNOWN, "", "" },
	{ " HELO x", SMTP_UNKNOWN, "HELO x", "" },
	{ "HELOX", SMTP_UNKNOWN, "", "" },
	{ "HEL", SMTP_UNKNOWN, "", "" },
	{ "MAIL1 FROM:<a@b>", SMTP_UNKNOWN, "", "" },
	{ "MAIL:", SMTP_UNKNOWN, "", "" },
	{ "\x80\xff", SMTP_UNKNOWN, "", "" },
	{ "Received: from x", SMTP_UNKNOWN, "", "" },
	{ ".", SMTP_UNKNOWN, "", "" },

	{ "MAIL FROM:<a@b>", SMTP_MAIL, "a@b", "" },
	{ "mail from: user@yahoo.com", SMTP_MAIL, "user@yahoo.com", "" },
	{ "rcpt to: tester@lt01.am", SMTP_RCPT, "tester@lt01.am", "" },
	{ "MAIL FROM:user@yahoo.com", SMTP_MAIL, "user@yahoo.com", "" },
	{ "MAIL FROM : <a@b>", SMTP_MAIL, "a@b", "" },
	{ "MAIL  FROM:<>", SMTP_MAIL, "", "" },
	{ "MAIL FROM: <> ", SMTP_MAIL, "", "" },
	{ "RCPT TO:<>", SMTP_RCPT, "", "" },
	{ "RCPT TO:postmaster", SMTP_RCPT, "postmaster", "" },
	{ "MAIL FROM:<a@b> SIZE=1000", SMTP_MAIL, "a@b", "SIZE=1000" },
	{ "MAIL FROM:<a@b>  SIZE=1\tBODY=8BITMIME", SMTP_MAIL, "a@b",
	    "SIZE=1,BODY=8BITMIME" },
	{ "MAIL FROM:<a@b> SMTPUTF8", SMTP_MAIL, "a@b", "SMTPUTF8" },
	{ "MAIL FROM:<a@b> AUTH=<>", SMTP_MAIL, "a@b", "AUTH=<>" },
	{ "MAIL FROM:<a@b> AUTH=a+3Db@c", SMTP_MAIL, "a@b",
	    "AUTH=a+3Db@c" },
	{ "RCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;x@y", SMTP_RCPT, "a@b",
	    "NOTIFY=NEVER,ORCPT=rfc822;x@y" },
	{ "RCPT TO:<\xc3\xa4@b> ORCPT=utf-8;\xc3\xa4@b", SMTP_RCPT,
	    "\xc3\xa4@b", "ORCPT=utf-8;\xc3\xa4@b" },
	{ "MAIL FROM:<a@b> 1-X=y", SMTP_MAIL, "a@b", "1-X=y" },

	{ "MAIL", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:", SMTP_MAIL, "!501 5.1.7", "" },
	{ "MAIL TO:<a@b>", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM<a@b>", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL a@b", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b", SMTP_MAIL, "!501 5.1.7", "" },
	{ "MAIL FROM:<a@b>x", SMTP_MAIL, "!501 5.1.7", "" },
	{ "MAIL FROM:<>x", SMTP_MAIL, "!501 5.1.7", "" },
	{ "MAIL FROM:<;id;>", SMTP_MAIL, "!501 5.1.7", "" },
	{ "RCPT TO:<${run{/bin/sh}}@x>", SMTP_RCPT, "${run{/bin/sh}}@x", "" },
	{ "RCPT TO:<`id`@x>", SMTP_RCPT, "`id`@x", "" },
	{ "RCPT TO:<a b@x>", SMTP_RCPT, "!501 5.1.3", "" },
	{ "RCPT TO:<a@b> <c@d>", SMTP_RCPT, "!501 5.5.4", "" },
	{ "RCPT FROM:<a@b>", SMTP_RCPT, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> =1", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> SIZE=", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> SIZE==1", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> SIZE=1=2", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> -X=1", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> S_X=1", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> \"SIZE\"=1", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> X=\x01", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> X=a\x7f", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> X=\r", SMTP_MAIL, "!501 5.5.4", "" },
	{ "MAIL FROM:<a@b> X=\xc3", SMTP_MAIL, "!501 5.5.4", "" },
};

static void
join(const struct smtp_command *c, char *to, size_t size)
{
	size_t	i;

	*to = '\0';
	for (i = 0; i < c->nparams; i++) {
		strlcat(to, i > 0 ? "," : "", size);
		strlcat(to, c->params[i].key, size);
		if (c->params[i].value != NULL) {
			strlcat(to, "=", size);
			strlcat(to, c->params[i].value, size);
		}
	}
}

static void
test_table(void)
{
	struct smtp_command	 c;
	char			*line, params[300], name[64];
	const char		*got, *wrong, *want;
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if ((line = strdup(cases[i].line)) == NULL)
			exit(2);
		wrong = smtp_command(line, &c);
		want = cases[i].want;
		snprintf(name, sizeof(name), "line %zu", i);
		TEST(name, c.verb == cases[i].verb);
		if (*want == '!') {
			TEST(name, wrong != NULL && strncmp(wrong,
			    want + 1, strlen(want + 1)) == 0);
			free(line);
			continue;
		}
		got = c.verb == SMTP_MAIL || c.verb == SMTP_RCPT ? c.addr :
		    c.arg;
		TEST_STR(name, wrong != NULL ? wrong : got, want);
		join(&c, params, sizeof(params));
		TEST_STR(name, params, cases[i].params);
		free(line);
	}
}

static void
test_many(void)
{
	static char		line[200000];
	struct smtp_command	c;
	const char		*wrong;
	size_t			n, i;

	for (n = 15; n <= 10000; n = n < 17 ? n + 1 : n * 25) {
		strlcpy(line, "MAIL FROM:<a@b>", sizeof(line));
		for (i = 0; i < n; i++)
			strlcpy(line + 15 + i * 6, " A=b-c", 7);
		wrong = smtp_command(line, &c);
		TEST("many parameters", n <= SMTP_PARAMS ?
		    wrong == NULL && c.nparams == n :
		    wrong != NULL && strncmp(wrong, "501", 3) == 0);
	}
	memset(line, ' ', sizeof(line) - 1);
	memcpy(line, "NOOP", 4);
	TEST("many spaces", smtp_command(line, &c) == NULL &&
	    *c.arg == '\0');
	memset(line, 'a', sizeof(line) - 1);
	TEST("one long word", smtp_command(line, &c) == NULL &&
	    c.verb == SMTP_UNKNOWN);
}

int
main(void)
{
	test_table();
	test_many();
	TEST_DONE();
}
