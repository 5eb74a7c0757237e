/*
 * check: the "test" lines of a configuration, and the proof that it relays
 * for no stranger.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rules/rules.h"
#include "../test.h"

#define CONF								\
	"hostname \"mx.example.org\"\norigin \"example.org\"\n"		\
	"postmaster \"alice@example.org\"\n"				\
	"table aliases { alice = \"a@else.example\", bad = \"x@@y\" }\n" \
	"table missing file \"/nonexistent/table\"\n"			\
	"domain { \"example.org\" } {\n	aliases <aliases>\n}\n"		\
	"domain { \"broken.example\" } {\n	aliases <missing>\n}\n"

static const struct {
	const char	*name, *rules;
	const char	*want;		/* part of the complaint; "" none */
} cases[] = {
	{ "no rules", "", "" },
	{ "deliver", "permit any deliver\n", "" },
	{ "unsafe is meant", "permit any relay unsafe\n", "" },
	{ "private network", "network n { 10.0.0.0/8, 192.168.0.0/16, "
	    "fd00::/8, 127.0.0.0/8 }\npermit n relay\n", "" },
	{ "a part of the world", "network n { 128.0.0.0/1 }\n"
	    "permit n relay\n", "from 203.0.113.9 " },
	{ "the other part", "network n { 0.0.0.0/1 }\npermit n relay\n",
	    "from 0.0.0.1 " },
	{ "all but the witness", "network n { 200.0.0.0/5, "
	    "!203.0.113.0/24 }\npermit n relay\n", "from 200.0.0.1 " },
	{ "IPv6", "network n { 2000::/3 }\npermit n relay\n",
	    "from 2001:db8:ffff::9 " },
	{ "a part of IPv6", "network n { 2400::/8 }\npermit n relay\n",
	    "from 2400::1 " },
	{ "tag and sender restrict nobody", "listen smtp on all tag x\n"
	    "network n { 128.0.0.0/1 }\npermit n tag x sender "
	    "\"@example.org\" helo h relay\n", "relays for strangers" },
	{ "recipients do", "network n { 128.0.0.0/1 }\npermit n recipient "
	    "\"@b.example\" relay\n", "" },
	{ "but not all of them", "network n { 128.0.0.0/1 }\npermit n "
	    "recipient { \"*.invalid\", \"a@b.example\" } relay\n",
	    "relays for strangers" },
	{ "behind a reject of everybody", "network n { 128.0.0.0/1 }\n"
	    "reject any\npermit n relay\n", "" },
	{ "behind a reject of some", "network n { 128.0.0.0/1 }\n"
	    "reject any no tls\npermit n relay\n", "relays for strangers" },
	{ "behind a reject of our domains", "network n { 128.0.0.0/1 }\n"
	    "reject any deliver\npermit n relay\n", "relays for strangers" },

	{ "expect reject", "test from 203.0.113.9 to x@b.example "
	    "expect reject\n", "" },
	{ "expect relay", "test from 127.0.0.1 to x@b.example "
	    "expect relay\n", "" },
	{ "expect deliver", "test from 203.0.113.9 to alice@example.org "
	    "expect deliver\n", "" },
	{ "bare name", "test to alice expect deliver\n", "" },
	{ "unknown user", "test from 203.0.113.9 to bob@example.org "
	    "expect reject\n", "" },
	{ "unknown user, wrong", "test from 203.0.113.9 to bob@example.org "
	    "expect deliver\n", "expected deliver, but it is reject: 550 "
	    "5.1.1" },
	{ "relaying, wrong", "test from 203.0.113.9 to x@b.example "
	    "expect relay\n", "expected relay, but it is reject: 550 5.7.1" },
	{ "delivery, wrong", "test from 127.0.0.1 to alice@example.org "
	    "expect relay\n", "expected relay, but it is deliver" },
	{ "logged in", "test from 203.0.113.9 auth u to x@b.example "
	    "expect relay\n", "" },
	{ "tls", "reject any no tls\npermit any deliver\ntest from "
	    "203.0.113.9 tls to alice@example.org expect deliver\n"
	    "test from 203.0.113.9 to alice@example.org expect reject\n",
	    "" },
	{ "sender", "reject any sender \"@s.example\"\npermit any deliver\n"
	    "test from 203.0.113.9 sender a@s.example to alice@example.org "
	    "expect reject\ntest from 203.0.113.9 sender \"<>\" to "
	    "alice@example.org expect deliver\n", "" },
	{ "a table that is not there", "test from 203.0.113.9 to "
	    "x@broken.example expect deliver\n",
	    "but it is tempfail: 451 4.3.0" },
	{ "an alias that is none", "test from 203.0.113.9 to bad@example.org "
	    "expect deliver\n", "but it is tempfail: 451 4.3.5" },
	{ "a command", "table c { prog = \"|/bin/prog\" }\n"
	    "domain \"c.example\" {\n	aliases <c>\n}\ntest from "
	    "203.0.113.9 to prog@c.example expect deliver\n", "warning: "
	    "mail to prog waits, its alias names a command" },
	{ "a command as nobody known", "table c { prog = \"|/bin/prog\" }\n"
	    "domain \"c.example\" {\n	aliases <c> commands as "
	    "\"no-such-account\"\n}\ntest to prog@c.example expect reject\n",
	    "warning: commands of aliases do not start: there is no account "
	    "no-such-account" },
	{ "a command that is permitted", "table c { prog = \"|/bin/prog\" "
	    "}\ndomain \"c.example\" {\n	aliases <c> commands as "
	    "\"nobody\"\n}\ntest to prog@c.example expect deliver\n", "" },
	{ "a word of warnings", "bounce any \"550 5.1.1 warning: no\"\n"
	    "test to x@b.example expect relay\n", "reject: 550 5.1.1 "
	    "warning: no" },
	{ "two are wrong", "test from 203.0.113.9 to x@b.example expect "
	    "relay\ntest from 203.0.113.9 to y@b.example expect relay\n",
	    "<y@b.example>" },
};

static void
report(void *arg, int is_error, const char *line)
{
	if (is_error)
		fprintf(stderr, "conf: %s\n", line);
}

static struct {
	FILE	*f;
	int	 errors;
} told;

static void
tell(void *arg, int is_error, const char *line)
{
	told.errors += is_error;
	fprintf(told.f, "%s\n", line);
}

int
main(void)
{
	struct conf	*c;
	char		 text[2000], *got;
	size_t		 i, size;
	int		 r;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", CONF, cases[i].rules);
		if ((c = conf_parse(text, strlen(text), report, NULL)) ==
		    NULL)
			return (2);
		got = NULL;
		told.errors = 0;
		if ((told.f = open_memstream(&got, &size)) == NULL)
			return (2);
		r = rules_check(c, tell, NULL);
		fclose(told.f);
		if (*cases[i].want == '\0')
			TEST_STR(cases[i].name, r == 0 ? got : "failed", "");
		else if (r == -1 && strstr(got, cases[i].want) != NULL)
			printf("ok %s\n", cases[i].name);
		else
			TEST_STR(cases[i].name, got, cases[i].want);
		if (*cases[i].want != '\0')
			TEST("silent", rules_check(c, NULL, NULL) == r);
		TEST("mistakes are told as such", (told.errors > 0) == (r ==
		    -1));
		free(got);
		conf_free(c);
	}
	TEST_DONE();
}
