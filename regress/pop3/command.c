/*
 * Command lines that clients send, and that they should not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "pop3/command.h"

struct row {
	const char	*line;
	enum pop3_error	 error;
	enum pop3_verb	 verb;
	const char	*arg;
	uint32_t	 number;
	uint32_t	 lines;
};

static const struct row rows[] = {
	{ "NOOP", POP3_OK, POP3_NOOP, "", 0, 0 },
	{ "noop", POP3_OK, POP3_NOOP, "", 0, 0 },
	{ "NoOp ", POP3_OK, POP3_NOOP, "", 0, 0 },
	{ "NOOP x", POP3_BAD_ARGUMENT, POP3_NOOP, "", 0, 0 },
	{ "NOO", POP3_NO_COMMAND, POP3_UNKNOWN, "", 0, 0 },
	{ "NOOPS", POP3_NO_COMMAND, POP3_UNKNOWN, "", 0, 0 },
	{ "", POP3_NO_COMMAND, POP3_UNKNOWN, "", 0, 0 },
	{ " NOOP", POP3_NO_COMMAND, POP3_UNKNOWN, "", 0, 0 },
	{ "LAST", POP3_NO_COMMAND, POP3_UNKNOWN, "", 0, 0 },
	{ "USER alice@example.org", POP3_OK, POP3_USER, "alice@example.org",
	    0, 0 },
	{ "USER", POP3_BAD_ARGUMENT, POP3_USER, "", 0, 0 },
	{ "USER ", POP3_BAD_ARGUMENT, POP3_USER, "", 0, 0 },
	{ "PASS a b ", POP3_OK, POP3_PASS, "a b ", 0, 0 },
	{ "PASS  x", POP3_OK, POP3_PASS, " x", 0, 0 },
	{ "PASS p\xc3\xa4ss", POP3_OK, POP3_PASS, "p\xc3\xa4ss", 0, 0 },
	{ "PASS\tx", POP3_NO_COMMAND, POP3_UNKNOWN, "", 0, 0 },
	{ "PASS a\rb", POP3_BAD_ARGUMENT, POP3_PASS, "", 0, 0 },
	{ "APOP x 0123456789abcdef", POP3_OK, POP3_APOP, "", 0, 0 },
	{ "AUTH", POP3_OK, POP3_AUTH, "", 0, 0 },
	{ "AUTH PLAIN", POP3_OK, POP3_AUTH, "PLAIN", 0, 0 },
	{ "AUTH PLAIN AGEAYg==", POP3_OK, POP3_AUTH, "PLAIN", 0, 0 },
	{ "AUTH PLAIN = x", POP3_BAD_ARGUMENT, POP3_AUTH, "PLAIN", 0, 0 },
	{ "LIST", POP3_OK, POP3_LIST, "", 0, 0 },
	{ "LIST ", POP3_OK, POP3_LIST, "", 0, 0 },
	{ "LIST 1", POP3_OK, POP3_LIST, "", 1, 0 },
	{ "LIST  7 ", POP3_OK, POP3_LIST, "", 7, 0 },
	{ "LIST 0", POP3_BAD_NUMBER, POP3_LIST, "", 0, 0 },
	{ "LIST -1", POP3_BAD_NUMBER, POP3_LIST, "", 0, 0 },
	{ "LIST +1", POP3_BAD_NUMBER, POP3_LIST, "", 0, 0 },
	{ "LIST 1 2", POP3_BAD_ARGUMENT, POP3_LIST, "", 1, 0 },
	{ "RETR", POP3_BAD_NUMBER, POP3_RETR, "", 0, 0 },
	{ "RETR 1x", POP3_BAD_NUMBER, POP3_RETR, "", 0, 0 },
	{ "RETR 0x1", POP3_BAD_NUMBER, POP3_RETR, "", 0, 0 },
	{ "RETR 4294967295", POP3_OK, POP3_RETR, "", 4294967295u, 0 },
	{ "RETR 4294967296", POP3_BAD_NUMBER, POP3_RETR, "", 0, 0 },
	{ "RETR 4294967297", POP3_BAD_NUMBER, POP3_RETR, "", 0, 0 },
	{ "RETR 18446744073709551617", POP3_BAD_NUMBER, POP3_RETR, "", 0, 0 },
	{ "RETR 99999999999999999999999999", POP3_BAD_NUMBER, POP3_RETR, "",
	    0, 0 },
	{ "RETR 0000000000000000001", POP3_OK, POP3_RETR, "", 1, 0 },
	{ "DELE 2", POP3_OK, POP3_DELE, "", 2, 0 },
	{ "DELE 1:3", POP3_BAD_NUMBER, POP3_DELE, "", 0, 0 },
	{ "DELE *", POP3_BAD_NUMBER, POP3_DELE, "", 0, 0 },
	{ "TOP 1", POP3_BAD_NUMBER, POP3_TOP, "", 1, 0 },
	{ "TOP 1 0", POP3_OK, POP3_TOP, "", 1, 0 },
	{ "TOP 1 10", POP3_OK, POP3_TOP, "", 1, 10 },
	{ "TOP 1 -1", POP3_BAD_NUMBER, POP3_TOP, "", 1, 0 },
	{ "TOP 1 4294967296", POP3_BAD_NUMBER, POP3_TOP, "", 1, 0 },
	{ "TOP 1 2 3", POP3_BAD_ARGUMENT, POP3_TOP, "", 1, 2 },
	{ "UIDL", POP3_OK, POP3_UIDL, "", 0, 0 },
	{ "UIDL 3", POP3_OK, POP3_UIDL, "", 3, 0 },
	{ "GET / HTTP/1.1", POP3_OK, POP3_HTTP, "", 0, 0 },
	{ "POST /", POP3_OK, POP3_HTTP, "", 0, 0 },
	{ "CONNECT x:110", POP3_OK, POP3_HTTP, "", 0, 0 },
	{ "EHLO x", POP3_NO_COMMAND, POP3_UNKNOWN, "", 0, 0 },
};

static void
test_rows(void)
{
	struct pop3_command cmd;
	const struct row *r;
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = &rows[i];
		snprintf(name, sizeof(name), "command %.40s", r->line);
		TEST(name, pop3_parse(&cmd, r->line, strlen(r->line)) ==
		    r->error && cmd.verb == r->verb &&
		    (r->error != POP3_OK || strcmp(cmd.arg, r->arg) == 0) &&
		    (r->error != POP3_OK || cmd.number == r->number) &&
		    (r->error != POP3_OK || cmd.lines == r->lines));
	}
}

static void
test_initial(void)
{
	struct pop3_command cmd;
	const char *line = "AUTH plain =";

	TEST("initial response", pop3_parse(&cmd, line, strlen(line)) ==
	    POP3_OK && cmd.has_initial && strcmp(cmd.initial, "=") == 0 &&
	    strcmp(cmd.arg, "plain") == 0);
	TEST("no initial response", pop3_parse(&cmd, line, 10) == POP3_OK &&
	    !cmd.has_initial);
}

/* Each verb followed by each byte, and lines that are too long. */
static void
test_bytes(void)
{
	struct pop3_command cmd;
	char line[2 * POP3_LINE_MAX];
	int c, good = 1;

	for (c = 0; c < 256; c++) {
		snprintf(line, sizeof(line), "RETR 1");
		line[4] = (char)c;
		if ((pop3_parse(&cmd, line, 6) == POP3_OK) != (c == ' '))
			good = 0;
		line[4] = ' ';
		line[5] = (char)c;
		if ((pop3_parse(&cmd, line, 6) == POP3_OK) !=
		    (c >= '1' && c <= '9'))
			good = 0;
	}
	TEST("every byte", good);
	memset(line, 'a', sizeof(line));
	memcpy(line, "USER ", 5);
	TEST("longest", pop3_parse(&cmd, line, POP3_LINE_MAX - 1) == POP3_OK);
	TEST("too long", pop3_parse(&cmd, line, POP3_LINE_MAX) ==
	    POP3_BAD_ARGUMENT);
	line[9] = '\0';
	TEST("NUL", pop3_parse(&cmd, line, 20) == POP3_BAD_ARGUMENT);
}

static void
test_line(void)
{
	size_t used = 99;

	TEST("no data", pop3_line("", 0, &used) == -1 && used == 99);
	TEST("no line end", pop3_line("NOOP\r", 5, &used) == -1);
	TEST("CRLF", pop3_line("NOOP\r\nX", 7, &used) == 4 && used == 6);
	TEST("LF", pop3_line("NOOP\nX", 6, &used) == 4 && used == 5);
	TEST("only LF", pop3_line("\n", 1, &used) == 0 && used == 1);
	TEST("only CRLF", pop3_line("\r\n", 2, &used) == 0 && used == 2);
	TEST("CR CRLF", pop3_line("\r\r\n", 3, &used) == 1 && used == 3);
}

int
main(void)
{
	test_rows();
	test_initial();
	test_bytes();
	test_line();
	TEST_STR("name", pop3_verb_name(POP3_RETR), "RETR");
	TEST_STR("no name", pop3_verb_name(POP3_HTTP), "unknown");
	TEST_DONE();
}
