/*
 * logline: our own log read back, in its three formats, with what strangers
 * may have put into it.
 */
#include <string.h>

#include "os/compat.h"
#include "smtpd/logline.h"
#include "../test.h"

#define FILE_	"2026-11-29T03:55:54.790Z smtpd[851]: queue: "
#define LOOKUP	"2026-11-29T03:55:54.790Z smtpd[851]: lookup: "
#define JSON_LOOKUP "{\"time\":\"2026-11-29T03:55:54.790Z\"," \
		"\"daemon\":\"smtpd\",\"role\":\"lookup\",\"text\":\""
#define SYSLOG	"Nov  2 13:55:54 host smtpd[851]: queue: "
#define JSON	"{\"time\":\"2026-11-29T03:55:54.790Z\",\"level\":\"info\"," \
		"\"daemon\":\"smtpd\",\"role\":\"queue\",\"pid\":851," \
		"\"text\":\""

static struct logline	l;

static void
parse(const char *s)
{
	logline_parse(s, 2025, &l);
}

static void
test_kinds(void)
{
	parse(FILE_ "1j1c92hft93: delivered to=<b@c> from=<a@d> via=local:b "
	    "size=263 delay=7 reply=\"250 2.0.0 ok\"");
	TEST("delivered", l.what == LINE_DELIVERED && l.hour == 3 &&
	    l.size == 263 && l.delay == 7);
	TEST_STR("day", l.day, "2026-11-29");
	TEST_STR("id", l.id, "1j1c92hft93");
	TEST_STR("to", l.to, "b@c");
	TEST_STR("from", l.from, "a@d");
	TEST_STR("via", l.via, "local:b");
	TEST_STR("reply", l.reply, "250 2.0.0 ok");
	parse(SYSLOG "1j1c92hft93: accepted addr=127.0.0.1 conn=1 from=<a@d> "
	    "size=9 nrcpt=1 msgid=<x>");
	TEST("accepted", l.what == LINE_ACCEPTED && l.hour == 13);
	TEST_STR("day of syslog", l.day, "2025-11-02");
	TEST_STR("client", l.addr, "127.0.0.1");
	parse(JSON "1j1c92hft93: failed to=<b@c> from=<> via=mx size=1 "
	    "delay=2 reply=\\u0022550 5.1.1 no\\u005c\\u0022\"}");
	TEST("failed", l.what == LINE_FAILED && l.hour == 3);
	TEST_STR("reply in JSON", l.reply, "550 5.1.1 no\\");
	TEST_STR("null sender", l.from, "");
	parse(FILE_ "refused: rcpt from=192.0.2.1 conn=1 reply=\"550 no\"");
	TEST("refused", l.what == LINE_REFUSED && *l.from == '\0');
	TEST_STR("its client", l.addr, "192.0.2.1");
	parse(LOOKUP "refused: rcpt addr=192.0.2.1 conn=1 helo=h to=<b@c> "
	    "from=<a@d> reply=\"550 no\"");
	TEST("refused by lookup", l.what == LINE_REFUSED && l.hour == 3);
	TEST_STR("whose", l.from, "a@d");
	TEST_STR("for whom", l.to, "b@c");
	TEST_STR("from where", l.addr, "192.0.2.1");
	parse(LOOKUP "refused: rcpt addr=192.0.2.1 conn=1 helo=h "
	    "to=<\"a> addr=192.0.2.66 b\"@c> from=<> reply=\"550 no\"");
	TEST_STR("not where he says he is from", l.addr, "192.0.2.1");
	parse(JSON_LOOKUP "refused: mail addr=192.0.2.2 conn=1 helo=h "
	    "from=<a@d> reply=\\u0022421 no\\u0022\"}");
	TEST("refused by lookup in JSON", l.what == LINE_REFUSED);
	TEST_STR("from where in JSON", l.addr, "192.0.2.2");
	parse(FILE_ "1j1c92hft93: deferred to=<b@c> from=<a@d> via=mx tries=1 "
	    "next=5s reply=\"451 x\"");
	TEST("deferred", l.what == LINE_DEFERRED);
	parse(FILE_ "1j1c92hft93: accepted from=<> report=final of=1j1c92hft92"
	    " size=1 nrcpt=1");
	TEST("report", l.what == LINE_REPORT);
}

static void
test_others(void)
{
	static const char	*const other[] = {
		"", "x", "{", "{}", JSON, FILE_, SYSLOG,
		"2026-11-29T03:55:54.790Z smtpd[851]: net: 1j1c92hft93: "
		    "delivered to=<b>",
		"2026-11-29T03:55:54.790Z imapd[851]: queue: 1j1c92hft93: "
		    "delivered to=<b>",
		"2026-13-29T03:55:54.790Z smtpd[851]: queue: 1j1c92hft93: "
		    "delivered to=<b>",
		"2026-11-29T33:55:54.790Z smtpd[851]: queue: 1j1c92hft93: "
		    "delivered to=<b>",
		LOOKUP "1j1c92hft93: delivered to=<b>",
		"2026-11-29T03:55:54.790Z smtpd[851]: net: refused: rcpt",
		FILE_ "1j1c92hft93: deleted by the administrator",
		FILE_ "1j1c92hft9: delivered to=<b>",
		FILE_ "1j1c92hft93:delivered to=<b>",
		"Foo 29 03:55:54 h smtpd[851]: queue: 1j1c92hft93: delivered "
		    "to=<b>",
		"ovD 29 03:55:54 h smtpd[851]: queue: 1j1c92hft93: delivered "
		    "to=<b>",
	};
	static char		 longest[9000];
	size_t			 i;

	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		parse(other[i]);
		TEST("other", l.what == LINE_OTHER);
	}
	strlcpy(longest, FILE_ "1j1c92hft93: delivered to=<", sizeof(longest));
	while (strlcat(longest, "xxxxxxxxxx", sizeof(longest)) <
	    sizeof(longest) - 20)
		;
	parse(longest);
	TEST("a very long field is cut", l.what == LINE_DELIVERED &&
	    strlen(l.to) == LINE_FIELD - 1);
}

int
main(void)
{
	test_kinds();
	test_others();
	TEST_DONE();
}
