/*
 * Names: mailboxes and their directories, Maildir files and their flags.
 */
#include "store.h"
#include "store/info.h"
#include "store/name.h"

static void
test_mailboxes(void)
{
	static const struct {
		const char	*name, *dir;
	} cases[] = {
		{ "INBOX", "." },
		{ "Work", ".Work" },
		{ "INBOX/Sub", ".INBOX.Sub" },
		{ "a/b/c", ".a.b.c" },
		{ "R&D", ".R&-D" },
		{ "Entw\xc3\xbcrfe", ".Entw&APw-rfe" },
		{ "\xe5\x8f\xb0\xe5\x8c\x97", ".&U,BTFw-" },
		{ "\xe6\x97\xa5\xe6\x9c\xac/x", ".&ZeVnLA-.x" },
		{ "\xf0\x9f\x93\xac", ".&2D3c7A-" },
		{ "\xc3\xa9" "a" "\xc3\xa9", ".&AOk-a&AOk-" },
		{ "with space", ".with space" }
	};
	char out[STORE_NAME_MAX + 1];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (name_to_dir(cases[i].name, out, sizeof(out)) == -1)
			strlcpy(out, "(none)", sizeof(out));
		TEST_STR(cases[i].name, out, cases[i].dir);
		if (i == 0)
			continue;
		if (name_from_dir(cases[i].dir, out, sizeof(out)) == -1)
			strlcpy(out, "(none)", sizeof(out));
		TEST_STR(cases[i].dir, out, cases[i].name);
	}
}

static void
test_bad(void)
{
	static const char *const dirs[] = { "", ".", "..", "...", "a", ".a.",
	    ".a..b", ".a/b", ".&", ".&AO", ".&AOk", ".&AOk-&AOk-", ".&AGE-",
	    ".&2D0-", ".&3Kw-", ".&AAA-", ".&AAo-", ".\xc3\xa9", ".INBOX",
	    ".inbox", ".&AOl-", ".&AOk=-", ".a\nb", ".&AC8-", ".&AC4-" };
	char out[STORE_NAME_MAX + 1], text[64];
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(text, sizeof(text), "bad directory %zu", i);
		TEST(text, name_from_dir(dirs[i], out, sizeof(out)) == -1);
	}
	memset(out, 'a', 255);
	out[255] = '\0';
	TEST("too long for a directory", name_to_dir(out, text,
	    sizeof(text)) == -1);
}

static void
test_files(void)
{
	static const struct {
		const char	*name, *again;
		uint32_t	 flags, keywords;
	} cases[] = {
		{ "1.a.h", "1.a.h:2,", 0, 0 },
		{ "1.a.h:2,", "1.a.h:2,", 0, 0 },
		{ "1.a.h:2,SF", "1.a.h:2,FS", MSG_SEEN | MSG_FLAGGED, 0 },
		{ "1.a.h:2,DFPRSTaz", "1.a.h:2,DFPRSTaz", 0x3f,
		    1 | 1U << 25 },
		{ "1.a.h:2,SXa", "1.a.h:2,SaX", MSG_SEEN, 1 },
		{ "1.a.h:2,S,S=a", "1.a.h:2,S,S=a", MSG_SEEN, 0 },
		{ "1.a.h:1,S", "1.a.h:2,", 0, 0 },
		{ ".hidden", NULL, 0, 0 },
		{ ":2,S", NULL, 0, 0 },
		{ "a\nb", NULL, 0, 0 }
	};
	struct info info;
	char out[NAME_MAX + 1];
	uint64_t n;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ret = info_parse(cases[i].name, &info);
		if (cases[i].again == NULL) {
			TEST("no message", ret == -1);
			continue;
		}
		TEST(cases[i].name, ret == 0 &&
		    info.flags == cases[i].flags &&
		    info.keywords == cases[i].keywords);
		(void)info_format(cases[i].name, info.baselen, info.flags,
		    info.keywords, info.extra, out);
		TEST_STR(cases[i].name, out, cases[i].again);
	}
	TEST("S=", info_size("1.a,S=12,W=34", 13, 'S', &n) == 0 && n == 12);
	TEST("W=", info_size("1.a,S=12,W=34", 13, 'W', &n) == 0 && n == 34);
	TEST("W= empty", info_size("1.a,W=", 6, 'W', &n) == -1);
	TEST("W= text", info_size("1.a,W=1x", 8, 'W', &n) == -1);
	TEST("W= huge", info_size("1,W=99999999999999999999", 24, 'W', &n) ==
	    -1);
}

int
main(void)
{
	test_mailboxes();
	test_bad();
	test_files();
	TEST_DONE();
}
