/*
 * param: what the parameters of MAIL, RCPT and BDAT may be, to the letter.
 */
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "smtp/param.h"
#include "../test.h"

#define X10	"xxxxxxxxxx"
#define X100	X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X490	X100 X100 X100 X100 X10 X10 X10 X10 X10 X10 X10 X10 X10

static const struct {
	const char	*params;
	const char	*want;		/* what was read, or the refusal */
} mails[] = {
	{ "", "0 0 0 0 " },
	{ "SIZE=0", "0 0 0 0 " },
	{ "size=1000", "1000 0 0 0 " },
	{ "SIZE=18446744073709551615", "18446744073709551615 0 0 0 " },
	{ "SIZE=18446744073709551616", "501" },
	{ "SIZE=000000000000000000001", "501" },
	{ "SIZE=-1", "501" },
	{ "SIZE=+1", "501" },
	{ "SIZE=1x", "501" },
	{ "SIZE=0x10", "501" },
	{ "SIZE", "501" },
	{ "SIZE=1 SIZE=1", "501" },
	{ "BODY=7BIT", "0 0 0 0 " },
	{ "body=8bitmime", "0 1 0 0 " },
	{ "BODY=BINARYMIME", "0 2 0 0 " },
	{ "BODY", "501" },
	{ "BODY=9BIT", "501" },
	{ "BODY=7BIT BODY=8BITMIME", "501" },
	{ "SMTPUTF8", "0 0 1 0 " },
	{ "smtputf8", "0 0 1 0 " },
	{ "SMTPUTF8=1", "501" },
	{ "SMTPUTF8 SMTPUTF8", "501" },
	{ "RET=FULL", "0 0 0 1 " },
	{ "ret=hdrs", "0 0 0 2 " },
	{ "RET=HEADERS", "501" },
	{ "RET", "501" },
	{ "RET=FULL RET=HDRS", "501" },
	{ "ENVID=abc", "0 0 0 0 abc" },
	{ "ENVID=QQ314159", "0 0 0 0 QQ314159" },
	{ "ENVID=a+20b", "0 0 0 0 a+20b" },
	{ "ENVID=a+3Db+2Bc", "0 0 0 0 a+3Db+2Bc" },
	{ "ENVID=" X100, "0 0 0 0 " X100 },
	{ "ENVID=" X100 "x", "501" },
	{ "ENVID", "501" },
	{ "ENVID=a+", "501" },
	{ "ENVID=a+2", "501" },
	{ "ENVID=a+2b", "501" },
	{ "ENVID=a+0D+0Ab", "501" },
	{ "ENVID=a+00", "501" },
	{ "ENVID=a+7F", "501" },
	{ "ENVID=a+C3+A4", "501" },
	{ "ENVID=\xc3\xa4", "501" },
	{ "AUTH=<>", "0 0 0 0 " },
	{ "AUTH=e+3Dmc2@example.com", "0 0 0 0 " },
	{ "AUTH=" X490 X10, "0 0 0 0 " },
	{ "AUTH=" X490 X10 "x", "501" },
	{ "AUTH=a+", "501" },
	{ "AUTH", "501" },
	{ "SIZE=7 BODY=8BITMIME RET=HDRS ENVID=e SMTPUTF8 AUTH=<>",
	    "7 1 1 2 e" },
	{ "FOO=1", "555" },
	{ "NOTIFY=NEVER", "555" },
};

static const struct {
	const char	*params;
	const char	*want;
} rcpts[] = {
	{ "", "0 " },
	{ "NOTIFY=NEVER", "1 " },
	{ "NOTIFY=SUCCESS", "2 " },
	{ "notify=failure", "4 " },
	{ "NOTIFY=DELAY", "8 " },
	{ "NOTIFY=SUCCESS,FAILURE,DELAY", "14 " },
	{ "NOTIFY=DELAY,SUCCESS", "10 " },
	{ "NOTIFY=NEVER,DELAY", "501" },
	{ "NOTIFY=DELAY,NEVER", "501" },
	{ "NOTIFY=DELAY,DELAY", "501" },
	{ "NOTIFY=,DELAY", "501" },
	{ "NOTIFY=DELAY,", "501" },
	{ "NOTIFY=LATER", "501" },
	{ "NOTIFY", "501" },
	{ "NOTIFY=NEVER NOTIFY=NEVER", "501" },
	{ "ORCPT=rfc822;a@b", "0 rfc822;a@b" },
	{ "ORCPT=RFC822;a+2Bb@c", "0 RFC822;a+2Bb@c" },
	{ "ORCPT=x-local;a;b", "0 x-local;a;b" },
	{ "ORCPT=rfc822;" X490 "xyz", "0 rfc822;" X490 "xyz" },
	{ "ORCPT=rfc822;" X490 "wxyz", "501" },
	{ "ORCPT=rfc822;a+0D+0AX:y", "501" },
	{ "ORCPT=rfc822;a+b", "501" },
	{ "ORCPT=rfc822;\xc3\xa4@b", "501" },
	{ "ORCPT=rfc822;", "501" },
	{ "ORCPT=;a", "501" },
	{ "ORCPT=a", "501" },
	{ "ORCPT=r(f)c;a", "501" },
	{ "ORCPT", "501" },
	{ "ORCPT=utf-8;\xc3\xa4@b", "0 utf-8;\xc3\xa4@b" },
	{ "ORCPT=UTF-8;\\x{E4}@b", "0 UTF-8;\\x{E4}@b" },
	{ "ORCPT=utf-8;\\x{1F600}@b", "0 utf-8;\\x{1F600}@b" },
	{ "ORCPT=utf-8;\\x{}@b", "501" },
	{ "ORCPT=utf-8;\\x{12345678}@b", "501" },
	{ "ORCPT=utf-8;\\n@b", "501" },
	{ "ORCPT=utf-8;a+20b", "501" },
	{ "NOTIFY=DELAY ORCPT=rfc822;a@b", "8 rfc822;a@b" },
	{ "SIZE=1", "555" },
};

static const struct {
	const char	*arg;
	int		 ok;
	uint64_t	 size;
	int		 last;
} bdats[] = {
	{ "0", 1, 0, 0 },
	{ "0 LAST", 1, 0, 1 },
	{ "86 last", 1, 86, 1 },
	{ "1000000", 1, 1000000, 0 },
	{ "1  LAST", 1, 1, 1 },
	{ "18446744073709551615", 1, UINT64_MAX, 0 },
	{ "18446744073709551616", 0, 0, 0 },
	{ "99999999999999999999999", 0, 0, 0 },
	{ "", 0, 0, 0 },
	{ "LAST", 0, 0, 0 },
	{ "-1", 0, 0, 0 },
	{ "-1 LAST", 0, 0, 0 },
	{ "+1", 0, 0, 0 },
	{ "1x", 0, 0, 0 },
	{ "0x10", 0, 0, 0 },
	{ "1 LAST LAST", 0, 0, 0 },
	{ "1 FIRST", 0, 0, 0 },
	{ "1LAST", 0, 0, 0 },
	{ "1.5", 0, 0, 0 },
};

static void
parse(char *line, size_t size, const char *start, const char *params,
    struct smtp_command *c)
{
	snprintf(line, size, "%s %s", start, params);
	if (smtp_command(line, c) != NULL)
		exit(2);
}

static void
test_mail(void)
{
	struct smtp_mail_params	 p;
	struct smtp_command	 c;
	char			 line[2048], got[512];
	const char		*wrong;
	size_t			 i;

	for (i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		parse(line, sizeof(line), "MAIL FROM:<a@b>", mails[i].params,
		    &c);
		if ((wrong = smtp_mail_params(&c, &p)) != NULL)
			snprintf(got, sizeof(got), "%.3s", wrong);
		else
			snprintf(got, sizeof(got), "%llu %d %d %d %s",
			    (unsigned long long)p.size, (int)p.body, p.utf8,
			    (int)p.ret, p.envid);
		TEST_STR(mails[i].params, got, mails[i].want);
	}
}

static void
test_rcpt(void)
{
	struct smtp_rcpt_params	 p;
	struct smtp_command	 c;
	char			 line[2048], got[600];
	const char		*wrong;
	size_t			 i;

	for (i = 0; i < sizeof(rcpts) / sizeof(rcpts[0]); i++) {
		parse(line, sizeof(line), "RCPT TO:<a@b>", rcpts[i].params,
		    &c);
		if ((wrong = smtp_rcpt_params(&c, &p)) != NULL)
			snprintf(got, sizeof(got), "%.3s", wrong);
		else
			snprintf(got, sizeof(got), "%u %s", p.notify,
			    p.orcpt);
		TEST_STR(rcpts[i].params, got, rcpts[i].want);
	}
}

static void
test_bdat(void)
{
	uint64_t	size;
	size_t		i;
	int		last;

	for (i = 0; i < sizeof(bdats) / sizeof(bdats[0]); i++) {
		int ok = smtp_bdat(bdats[i].arg, &size, &last) == 0;

		TEST(bdats[i].arg, ok == bdats[i].ok && (!ok ||
		    (size == bdats[i].size && last == bdats[i].last)));
	}
}

int
main(void)
{
	test_mail();
	test_rcpt();
	test_bdat();
	TEST_DONE();
}
