/*
 * What the store keeps of a message for lists of messages; mod-sequences and
 * what vanished since one.
 */
#include "store.h"
#include "store/cached.h"

#define MAIL	"From: Ann <ann@example.org>\r\nX-Secret: no\r\n" \
		"Subject: Re: [l] Tea\r\nDate: Tue, 1 Jan 2030 02:00:00 " \
		"+0200\r\nTo: bob@example.org\r\n\r\nAt five.\r\n"
#define FIELDS	"From: Ann <ann@example.org>\r\nSubject: Re: [l] Tea\r\n" \
		"Date: Tue, 1 Jan 2030 02:00:00 +0200\r\n" \
		"To: bob@example.org\r\n"
#define ENVELOPE "(\"Tue, 1 Jan 2030 02:00:00 +0200\" \"Re: [l] Tea\" " \
		"((\"Ann\" NIL \"ann\" \"example.org\")) " \
		"((\"Ann\" NIL \"ann\" \"example.org\")) " \
		"((\"Ann\" NIL \"ann\" \"example.org\")) " \
		"((NIL NIL \"bob\" \"example.org\")) NIL NIL NIL NIL)"
#define BODY	"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL " \
		"\"7bit\" 10 1"

static int
item_is(const struct store_cached *c, enum cached_item item, const char *want)
{
	return ((c->has & CACHED_BIT(item)) && c->item[item].len ==
	    strlen(want) && memcmp(c->item[item].p, want, strlen(want)) == 0);
}

static void
items_are(struct mailbox *mb, const char *how, uint32_t seq)
{
	struct store_cached c;
	char name[80];
	int ok;

	ok = mailbox_cached(mb, seq, CACHED_ALL, &c) == STORE_OK &&
	    item_is(&c, CACHED_ENVELOPE, ENVELOPE) &&
	    item_is(&c, CACHED_STRUCTURE, BODY " NIL NIL NIL NIL)") &&
	    item_is(&c, CACHED_BODY, BODY ")") &&
	    item_is(&c, CACHED_FIELDS, FIELDS) &&
	    item_is(&c, CACHED_PREVIEW, "At five.") &&
	    item_is(&c, CACHED_SUBJECT, "TEA") && c.sent == 1893456000 &&
	    c.zone == 120 && c.header == strlen(MAIL) - 10;
	snprintf(name, sizeof(name), "items %s", how);
	TEST(name, ok);
}

static void
test_items(struct store *st)
{
	struct store_cached c;
	struct mailbox *mb;
	uint32_t uid, validity, one = 1;

	(void)append_text(st, "INBOX", MAIL, 0, &uid);
	mb = open_box(st, "INBOX", 0);
	items_are(mb, "appended", 1);
	(void)deliver(st, "INBOX", "d", MAIL, 0);
	(void)mailbox_copy(mb, &one, 1, "INBOX", &uid, &validity);
	put_file("m/cur/1700000000.foreign.host:2,", MAIL);
	(void)mailbox_sync(mb, 0, NULL, NULL);
	TEST("four", mailbox_count(mb) == 4);
	TEST("delivered", mailbox_cached(mb, 2, CACHED_HEADER, &c) ==
	    STORE_OK && item_is(&c, CACHED_ENVELOPE, ENVELOPE));
	items_are(mb, "copied", 3);
	items_are(mb, "foreign", 4);
	items_are(mb, "again", 1);
	TEST("none", mailbox_cached(mb, 5, CACHED_ALL, &c) == STORE_NOENT);
	TEST("ids", mailbox_message(mb, 1)->emailid != 0);
	mailbox_close(mb);
}

/* An item at a time: what is there stays, and is not made twice. */
static void
test_pieces(struct store *st)
{
	struct store_cached c;
	struct mailbox *mb;
	uint32_t n;

	put_file("m/cur/1700000001.pieces.host:2,", MAIL);
	mb = open_box(st, "INBOX", 0);
	n = mailbox_count(mb);
	TEST("a field", mailbox_cached(mb, n, CACHED_BIT(CACHED_FIELDS), &c) ==
	    STORE_OK && item_is(&c, CACHED_FIELDS, FIELDS) &&
	    (c.has & CACHED_BIT(CACHED_PREVIEW)) == 0);
	TEST("a field that is not kept", !cached_lacks(&c, "X-SECRET", 8) &&
	    cached_lacks(&c, "X-Other", 7) && !cached_lacks(&c, "To", 2) &&
	    !cached_lacks(&c, "Cc", 2));
	TEST("its preview", mailbox_cached(mb, n, CACHED_BIT(CACHED_PREVIEW),
	    &c) == STORE_OK && item_is(&c, CACHED_PREVIEW, "At five.") &&
	    item_is(&c, CACHED_FIELDS, FIELDS) && c.sent == 1893456000 &&
	    !cached_lacks(&c, "X-Secret", 8));
	(void)unlinkat(scratch, "m/cur/1700000001.pieces.host:2,", 0);
	TEST("made once", mailbox_cached(mb, n, CACHED_BIT(CACHED_PREVIEW) |
	    CACHED_HEADER, &c) == STORE_OK &&
	    item_is(&c, CACHED_ENVELOPE, ENVELOPE));
	put_file("m/cur/1700000001.pieces.host:2,", MAIL);
	(void)mailbox_sync(mb, 0, NULL, NULL);
	items_are(mb, "in pieces", n);
	mailbox_close(mb);
}

static void
test_fields(void)
{
	static const char *const yes[] = { "Subject", "SUBJECT", "to",
	    "References", "x-universally-unique-identifier", "Autocrypt",
	    "List-Id" };
	static const char *const no[] = { "", "t", "too", "received",
	    "subjec", "zzz", "x-secret" };
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		TEST(yes[i], cached_field(yes[i], strlen(yes[i])));
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		TEST(no[i], !cached_field(no[i], strlen(no[i])));
}

/* Each byte of the file changed in turn, cut off, gone: never a wrong item. */
static void
test_damage(struct store *st)
{
	struct store_cached c;
	struct mailbox *mb;
	char byte, name[32];
	struct stat sb;
	uint32_t uid;
	off_t i;
	int fd, bad = 0;

	(void)store_create(st, "D");
	(void)append_text(st, "D", MAIL, 0, &uid);
	for (i = 0; bad == 0; i++) {
		fd = openat(scratch, "m/.D/postern.cache", O_RDWR);
		if (fstat(fd, &sb) == -1 || i >= sb.st_size || i >= 2000) {
			close(fd);
			break;
		}
		bad |= pread(fd, &byte, 1, i) != 1;
		byte ^= 0x41;
		bad |= pwrite(fd, &byte, 1, i) != 1;
		mb = open_box(st, "D", 0);
		if (mailbox_cached(mb, 1, CACHED_ALL, &c) != STORE_OK ||
		    !item_is(&c, CACHED_ENVELOPE, ENVELOPE) ||
		    !item_is(&c, CACHED_FIELDS, FIELDS) ||
		    !item_is(&c, CACHED_STRUCTURE, BODY " NIL NIL NIL NIL)") ||
		    !item_is(&c, CACHED_PREVIEW, "At five."))
			bad = 1;
		mailbox_close(mb);
		byte ^= 0x41;
		bad |= pwrite(fd, &byte, 1, i) != 1;
		close(fd);
	}
	snprintf(name, sizeof(name), "byte %lld", (long long)i);
	TEST(bad == 0 ? "each byte of the cache" : name, bad == 0);
	unlinkat(scratch, "m/.D/postern.cache", 0);
	mb = open_box(st, "D", 0);
	items_are(mb, "without a file", 1);
	mailbox_close(mb);
	mb = open_box(st, "D", 0);
	items_are(mb, "made again", 1);
	mailbox_close(mb);
}

static void
vanished(void *arg, uint32_t first, uint32_t last)
{
	char one[32], *out = arg;

	snprintf(one, sizeof(one), "%u:%u ", first, last);
	strlcat(out, one, 4096);
}

static void
test_modseq(struct store *st)
{
	struct store_change change = { FLAGS_ADD, MSG_SEEN, 0, UINT64_MAX };
	struct store_changed r[3];
	struct mailbox_status status;
	struct mailbox *mb;
	char told[4096] = "";
	uint32_t all[] = { 1, 2, 3 }, uid, two = 2, i;
	uint64_t before, since;

	(void)store_create(st, "M");
	for (i = 0; i < 3; i++)
		(void)append_text(st, "M", MAIL, 0, &uid);
	mb = open_box(st, "M", 0);
	mailbox_status(mb, &status);
	before = status.highestmodseq;
	TEST("ascending", mailbox_message(mb, 1)->modseq <
	    mailbox_message(mb, 3)->modseq &&
	    mailbox_message(mb, 3)->modseq == before);
	change.unchangedsince = mailbox_message(mb, 2)->modseq;
	TEST("unchangedsince", mailbox_change(mb, all, 3, &change, r) ==
	    STORE_OK && r[0].error == STORE_OK && r[1].error == STORE_OK &&
	    r[2].error == STORE_MODIFIED && r[2].modseq == before &&
	    r[0].modseq > before && r[1].modseq > before);
	TEST("same again", mailbox_change(mb, all, 1, &(struct store_change){
	    FLAGS_ADD, MSG_SEEN, 0, UINT64_MAX }, r) == STORE_OK &&
	    r[0].error == STORE_OK &&
	    r[0].modseq == mailbox_message(mb, 1)->modseq);
	TEST("no such", mailbox_change(mb, (uint32_t[]){ 9 }, 1, &change, r) ==
	    STORE_OK && r[0].error == STORE_NOENT);
	mailbox_status(mb, &status);
	since = status.highestmodseq;
	(void)mailbox_expunge(mb, &two, 1, NULL, NULL);
	(void)mailbox_vanished(mb, since, vanished, told);
	TEST("vanished", strcmp(told, "2:2 ") == 0);
	told[0] = '\0';
	(void)mailbox_vanished(mb, 0, vanished, told);
	TEST("vanished for ever", strcmp(told, "2:2 ") == 0);
	mailbox_status(mb, &status);
	told[0] = '\0';
	(void)mailbox_vanished(mb, status.highestmodseq, vanished, told);
	TEST("vanished nothing", status.highestmodseq > since &&
	    told[0] == '\0');
	TEST("flush", store_flush(st) == STORE_OK);
	mailbox_close(mb);
}

static void
test_names(struct store *st)
{
	const struct store_namespace *list;

	TEST("namespace", store_namespaces(st, &list) == 1 &&
	    list[0].prefix[0] == '\0' && list[0].kind == STORE_PERSONAL);
	TEST("rights", strchr(store_rights(st, "INBOX"), 'r') != NULL);
	TEST("no rights", store_rights(st, "a/../b")[0] == '\0');
}

int
main(void)
{
	struct store *st;

	scratch_make();
	st = open_store("m");
	test_items(st);
	test_pieces(st);
	test_fields();
	test_damage(st);
	test_modseq(st);
	test_names(st);
	store_close(st);
	scratch_remove();
	TEST_DONE();
}
