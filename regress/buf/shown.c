/*
 * shown: no text that strangers wrote reaches a terminal or JSON as it is,
 * unless it is harmless.
 */
#include "buf/shown.h"
#include "buf/utf8.h"
#include "../test.h"

static const struct {
	const char	*text, *terminal, *json;
} cases[] = {
	{ "", "", "" },
	{ "alice@example.org", "alice@example.org", "alice@example.org" },
	{ "a\"b\\c", "a\"b\\c", "a\\\"b\\\\c" },
	{ "a\033[2Jb", "a?[2Jb", "a\\u001b[2Jb" },
	{ "a\r\n\tb", "a???b", "a\\u000d\\u000a\\u0009b" },
	{ "a\177b", "a?b", "a\\u007fb" },
	{ "a\302\2332Jb", "a?2Jb", "a\\u009b2Jb" },	/* CSI of C1 */
	{ "a\2332Jb", "a?2Jb", "a\\ufffd2Jb" },		/* as a byte */
	{ "a\377b", "a?b", "a\\ufffdb" },
	{ "a\303", "a?", "a\\ufffd" },			/* cut off */
	{ "a\300\200b", "a??b", "a\\ufffd\\ufffdb" },	/* overlong */
	{ "a\355\240\200b", "a???b", "a\\ufffd\\ufffd\\ufffdb" },
	{ "b\303\274cher", "b\303\274cher", "b\303\274cher" },
	{ "\342\202\254", "\342\202\254", "\342\202\254" },
	{ "\360\237\230\200", "\360\237\230\200", "\360\237\230\200" },
	{ "a\342\200\256b", "a?b", "a\\u202eb" },	/* turned around */
	{ "a\342\201\246b", "a?b", "a\\u2066b" },
	{ "a\342\200\250b", "a?b", "a\\u2028b" },	/* a line's end */
};

/* Whatever the room, it holds whole characters only. */
static void
test_room(enum shown how, const char *name)
{
	static const char	text[] = "a\303\274\033\"\360\237\230\200";
	char			whole[64], to[64];
	size_t			size, n;
	int			ok = 1;

	shown_text(whole, sizeof(whole), text, how);
	for (size = 1; size < sizeof(to); size++) {
		memset(to, 'x', sizeof(to));
		shown_text(to, size, text, how);
		n = strlen(to);
		ok &= n < size && strncmp(to, whole, n) == 0 &&
		    utf8_valid(to, n) && (size == sizeof(to) ||
		    to[size] == 'x') && (how == SHOWN_TERMINAL ||
		    n == 0 || to[n - 1] != '\\');
	}
	TEST(name, ok && strcmp(to, whole) == 0);
}

int
main(void)
{
	char	to[128], name[32];
	size_t	i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(name, sizeof(name), "terminal %zu", i);
		shown_text(to, sizeof(to), cases[i].text, SHOWN_TERMINAL);
		TEST_STR(name, to, cases[i].terminal);
		snprintf(name, sizeof(name), "json %zu", i);
		shown_text(to, sizeof(to), cases[i].text, SHOWN_JSON);
		TEST_STR(name, to, cases[i].json);
	}
	test_room(SHOWN_TERMINAL, "room on a terminal");
	test_room(SHOWN_JSON, "room in JSON");
	TEST_DONE();
}
