/*
 * A Maildir through store.h: delivery, sync with what others did, flags,
 * keywords, expunge, copy, move, append, the tree of mailboxes.
 */
#include "store.h"

#define MAIL1	"Subject: one\r\n\r\nhello\r\n"
#define MAIL2	"Subject: two\r\n\r\nhello again\r\n"

static void
text_is(struct mailbox *mb, const char *name, uint32_t seq, const char *want,
    size_t len)
{
	struct message_text t;
	int ok;

	ok = mailbox_message_text(mb, seq, &t) == STORE_OK && t.len == len &&
	    memcmp(t.data, want, len) == 0;
	TEST(name, ok && mailbox_facts(mb, seq, FACT_SIZE)->size ==
	    len);
	message_text_free(&t);
}

static void
test_lines(struct store *st)
{
	static const struct {
		const char	*name, *in, *out;
	} cases[] = {
		{ "crlf", "a: b\r\n\r\nc\r\n", "a: b\r\n\r\nc\r\n" },
		{ "lf", "a: b\n\nc\n", "a: b\r\n\r\nc\r\n" },
		{ "mixed", "a: b\r\n\nc\n\r\n", "a: b\r\n\r\nc\r\n\r\n" },
		{ "bare cr", "a\rb\r\nc\r", "a\rb\r\nc\r" },
		{ "crcrlf", "a\r\r\nb\r\r\r\n\r\n", "a\r\r\nb\r\r\r\n\r\n" },
		{ "no end", "a: b\r\n\r\nc", "a: b\r\n\r\nc" },
		{ "empty", "", "" },
		{ "only cr", "\r\r\r", "\r\r\r" },
		{ "only lf", "\n\n\n", "\r\n\r\n\r\n" }
	};
	struct append *a;
	struct mailbox *mb;
	char name[64];
	uint32_t uid, validity, seq = 0;
	size_t i, j;

	mb = open_box(st, "INBOX", 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)append_begin(st, "INBOX", 1, 0, NULL, &a);
		/* A byte at a time: each boundary is met. */
		for (j = 0; j < strlen(cases[i].in); j++)
			(void)append_write(a, cases[i].in + j, 1);
		(void)append_commit(&a, 1, &uid, &validity);
		(void)mailbox_sync(mb, 0, NULL, NULL);
		seq = mailbox_seq_of_uid(mb, uid);
		snprintf(name, sizeof(name), "lines %s", cases[i].name);
		text_is(mb, name, seq, cases[i].out, strlen(cases[i].out));
	}
	while (seq > 0) {
		(void)mailbox_expunge(mb, &seq, 1, NULL, NULL);
		seq--;
	}
	mailbox_close(mb);
}

static const char *
cut_path(char *path, size_t size)
{
	const char *name;

	path[0] = '\0';
	if (*(name = find_file("m/new", ".cut1.")) != '\0')
		snprintf(path, size, "m/new/%s", name);
	else if (*(name = find_file("m/cur", ".cut1.")) != '\0')
		snprintf(path, size, "m/cur/%s", name);
	return (path);
}

/*
 * A power cut after the rename and before the bytes: the name is there and the
 * message is not.  Delivered again it must be whole, under the same UID.
 */
static void
test_power_cut(struct store *st)
{
	struct message_text t;
	struct mailbox *mb;
	char path[NAME_MAX + 8];
	uint32_t uid;
	int fd;

	TEST("cut deliver", deliver(st, "INBOX", "cut1", MAIL1, 0) ==
	    STORE_OK && store_deliver_sync(st) == STORE_OK);
	mb = open_box(st, "INBOX", 0);
	uid = mailbox_message(mb, mailbox_count(mb))->uid;
	mailbox_close(mb);
	fd = openat(scratch, cut_path(path, sizeof(path)), O_WRONLY | O_TRUNC);
	TEST("cut file", fd != -1 && close(fd) == 0);
	TEST("cut again", deliver(st, "INBOX", "cut1", MAIL1, 1) ==
	    STORE_OK && store_deliver_sync(st) == STORE_OK);
	mb = open_box(st, "INBOX", 0);
	TEST("cut one copy", mailbox_message(mb, mailbox_count(mb))->uid ==
	    uid);
	TEST("cut whole", mailbox_message_text(mb, mailbox_count(mb), &t) ==
	    STORE_OK && t.len == strlen("Delivered-To: test\r\n" MAIL1));
	message_text_free(&t);
	mailbox_close(mb);
	TEST("cut lost", unlinkat(scratch, cut_path(path, sizeof(path)),
	    0) == 0);
	TEST("cut lost again", deliver(st, "INBOX", "cut1", MAIL1, 1) ==
	    STORE_OK && store_deliver_sync(st) == STORE_OK);
	mb = open_box(st, "INBOX", 0);
	TEST("cut lost whole", mailbox_message_text(mb, mailbox_count(mb),
	    &t) == STORE_OK && t.len == strlen("Delivered-To: test\r\n"
	    MAIL1));
	message_text_free(&t);
	uid = mailbox_count(mb);
	TEST("cut expunge", mailbox_expunge(mb, &uid, 1, NULL, NULL) ==
	    STORE_OK);
	TEST("cut gone stays gone", deliver(st, "INBOX", "cut1", MAIL1, 1) ==
	    STORE_OK && *cut_path(path, sizeof(path)) == '\0');
	mailbox_close(mb);
	TEST("cut sync", store_deliver_sync(st) == STORE_OK);
}

static void
test_deliver(struct store *st)
{
	struct mailbox_status s;
	struct mailbox *mb;
	const struct store_message *m;

	TEST("deliver", deliver(st, "INBOX", "q1", MAIL1, 0) == STORE_OK);
	TEST("deliver second", deliver(st, "INBOX", "q2", MAIL2, 0) ==
	    STORE_OK);
	TEST("deliver again", deliver(st, "INBOX", "q2", MAIL2, 1) ==
	    STORE_OK);
	TEST("deliver sync", store_deliver_sync(st) == STORE_OK);
	TEST("deliver noent", deliver(st, "None", "q3", MAIL1, 0) ==
	    STORE_NOENT);
	TEST("in new", count_files("m/new") == 2 && count_files("m/tmp") ==
	    0);
	TEST("status", store_status(st, "INBOX", &s, NULL) == STORE_OK &&
	    s.messages == 2 && s.recent == 2 && s.unseen == 2);
	mb = open_box(st, "INBOX", 0);
	m = mailbox_facts(mb, 1, FACT_DATES);
	TEST("internaldate", m->internal == 1700000000);
	TEST("recent", m->flags == MSG_RECENT);
	TEST("size", m->size == strlen(MAIL1) + 20);
	text_is(mb, "text", 1, "Delivered-To: test\r\n" MAIL1,
	    strlen(MAIL1) + 20);
	TEST("moved to cur", count_files("m/new") == 0 &&
	    count_files("m/cur") == 2);
	mailbox_status(mb, &s);
	TEST("status open", s.messages == 2 && s.recent == 2 &&
	    s.first_unseen == 1 && strlen(s.id) == 32);
	mailbox_close(mb);
	mb = open_box(st, "INBOX", 0);
	TEST("recent once", mailbox_message(mb, 1)->flags == 0);
	mailbox_close(mb);
}

static void
test_flags(struct store *st)
{
	struct mailbox *a, *b;
	struct told t;
	uint64_t modseq;
	int k;

	a = open_box(st, "INBOX", 0);
	b = open_box(st, "INBOX", 0);
	modseq = mailbox_message(a, 1)->modseq;
	TEST("store", mailbox_store(a, 1, FLAGS_ADD, MSG_SEEN | MSG_FLAGGED,
	    0) == STORE_OK);
	TEST("modseq rises", mailbox_message(a, 1)->modseq > modseq);
	TEST_STR("own change not told", sync_told(a, 0, &t), "");
	TEST_STR("other view told", sync_told(b, 0, &t), "f1 ");
	TEST("flags there", mailbox_message(b, 1)->flags ==
	    (MSG_SEEN | MSG_FLAGGED));
	TEST("in name", strstr(find_file("m/cur", ".q1."), ":2,FS") != NULL);
	TEST("remove", mailbox_store(b, 1, FLAGS_REMOVE, MSG_FLAGGED, 0) ==
	    STORE_OK && mailbox_message(a, 1)->flags == MSG_SEEN);
	k = mailbox_keyword_find(a, "$Label1", 1);
	TEST("keyword made", k == 0);
	TEST("keyword not made", mailbox_keyword_find(a, "other", 0) == -1);
	TEST("keyword bad", mailbox_keyword_find(a, "a b", 1) == -1);
	TEST("keyword set", mailbox_store(a, 2, FLAGS_SET, 0, 1U << k) ==
	    STORE_OK);
	TEST("keyword in name", strstr(find_file("m/cur", ".q2."), ":2,a") !=
	    NULL);
	TEST_STR("keyword's name", mailbox_keyword(b, 0), "$Label1");
	(void)sync_told(a, 0, &t);
	TEST_STR("told later", sync_told(b, 0, &t), "f2 ");
	TEST("read-only", (mailbox_close(b), b = open_box(st, "INBOX",
	    MAILBOX_READONLY), mailbox_store(b, 1, FLAGS_SET, 0, 0)) ==
	    STORE_READONLY);
	mailbox_close(a);
	mailbox_close(b);
}

static void
test_outside(struct store *st)
{
	struct mailbox *mb;
	struct told t;
	char from[NAME_MAX + 16];
	int fd;

	mb = open_box(st, "INBOX", 0);
	put_file("m/new/1700000100.out.host", "Subject: x\n\ny\n");
	TEST_STR("new file", sync_told(mb, 0, &t), "=3/1 ");
	text_is(mb, "new text", 3, "Subject: x\r\n\r\ny\r\n", 17);
	move_file("m/cur/1700000100.out.host:2,",
	    "m/cur/1700000100.out.host:2,RSa");
	TEST_STR("flags by another", sync_told(mb, 0, &t), "f3 ");
	TEST("their flags", mailbox_message(mb, 3)->flags == (MSG_SEEN |
	    MSG_ANSWERED | MSG_RECENT) && mailbox_message(mb, 3)->keywords ==
	    1);
	/* Renamed, and asked for before any sync. */
	move_file("m/cur/1700000100.out.host:2,RSa",
	    "m/cur/1700000100.out.host:2,S");
	TEST("found again", mailbox_message_fd(mb, 3, &fd) == STORE_OK);
	close(fd);
	move_file("m/cur/1700000100.out.host:2,S",
	    "m/cur/1700000100.out.host:2,RS");
	TEST("store finds it", mailbox_store(mb, 3, FLAGS_ADD, MSG_FLAGGED,
	    0) == STORE_OK);
	TEST("merged", faccessat(scratch, "m/cur/1700000100.out.host:2,FRS",
	    F_OK, 0) == 0);
	/* Letters of others stay. */
	move_file("m/cur/1700000100.out.host:2,FRS",
	    "m/cur/1700000100.out.host:2,FRSX");
	(void)sync_told(mb, 0, &t);
	TEST("unknown letter kept", mailbox_store(mb, 3, FLAGS_REMOVE,
	    MSG_FLAGGED, 0) == STORE_OK && faccessat(scratch,
	    "m/cur/1700000100.out.host:2,RSX", F_OK, 0) == 0);
	snprintf(from, sizeof(from), "m/cur/%s", find_file("m/cur", ".q1."));
	unlinkat(scratch, from, 0);
	TEST_STR("removed kept", sync_told(mb, 1, &t), "");
	TEST("still counted", mailbox_count(mb) == 3);
	TEST("no text", mailbox_message_fd(mb, 1, &fd) == STORE_NOENT);
	TEST_STR("removed told", sync_told(mb, 0, &t), "-1/10 ");
	/* Two files of one name get a UID each. */
	snprintf(from, sizeof(from), "m/cur/%s", find_file("m/cur", ".q2."));
	put_file("m/cur/1700000100.out.host:2,F", "other\n");
	TEST_STR("duplicate name", sync_told(mb, 0, &t), "=3/1 ");
	TEST("two files", count_files("m/cur") == 3);
	/* What is no regular file is no message. */
	TEST("symlink", symlinkat("/etc/passwd", scratch,
	    "m/new/1700000200.link.host") == 0);
	mkdirat(scratch, "m/new/1700000200.dir.host", 0700);
	TEST_STR("symlink refused", sync_told(mb, 0, &t), "");
	unlinkat(scratch, "m/new/1700000200.link.host", 0);
	unlinkat(scratch, "m/new/1700000200.dir.host", AT_REMOVEDIR);
	/* A message's file is replaced by a link afterwards. */
	snprintf(from, sizeof(from), "m/cur/%s", find_file("m/cur", ".q2."));
	unlinkat(scratch, from, 0);
	TEST("link put", symlinkat("/etc/passwd", scratch, from) == 0);
	TEST("link not followed", mailbox_message_fd(mb, 1, &fd) ==
	    STORE_CORRUPT);
	unlinkat(scratch, from, 0);
	TEST_STR("gone", sync_told(mb, 0, &t), "-1/11 ");
	mailbox_close(mb);
}

static void
test_expunge(struct store *st)
{
	struct mailbox *a, *b;
	struct told t = { "" };
	const uint32_t seqs[] = { 2, 3 };
	uint32_t uid;

	TEST("append", append_text(st, "INBOX", MAIL1, MSG_SEEN, &uid) ==
	    STORE_OK && uid == 14);
	a = open_box(st, "INBOX", 0);
	b = open_box(st, "INBOX", 0);
	TEST("expunge", mailbox_expunge(a, seqs, 2, &told_changes, &t) ==
	    STORE_OK);
	TEST_STR("expunged", t.text, "-3/14 -2/13 ");
	TEST("view", mailbox_count(a) == 1 && mailbox_count(b) == 3);
	TEST("still there", mailbox_message(b, 2)->uid == 13);
	TEST("not stored", mailbox_store(b, 2, FLAGS_SET, 0, 0) ==
	    STORE_NOENT);
	TEST_STR("told", sync_told(b, 0, &t), "-3/14 -2/13 ");
	TEST("files gone", count_files("m/cur") == 1);
	mailbox_close(a);
	mailbox_close(b);
}

static void
test_copy(struct store *st)
{
	struct mailbox *a, *b;
	struct told t = { "" };
	uint32_t seqs[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, uids[8], validity;
	uint32_t uid;
	int i, k;

	TEST("create", store_create(st, "Copies") == STORE_OK);
	for (i = 0; i < 7; i++)
		(void)append_text(st, "INBOX", MAIL2, MSG_DRAFT, &uid);
	a = open_box(st, "INBOX", 0);
	b = open_box(st, "Copies", 0);
	(void)mailbox_keyword_find(b, "first", 1);
	k = mailbox_keyword_find(a, "$Label1", 1);
	(void)mailbox_store(a, 2, FLAGS_ADD, 0, 1U << k);
	TEST("copy one", mailbox_copy(a, seqs, 1, "Copies", uids, &validity)
	    == STORE_OK && uids[0] == 1);
	TEST("copy many", mailbox_copy(a, seqs, 8, "Copies", uids,
	    &validity) == STORE_OK && uids[0] == 2 && uids[7] == 9);
	TEST_STR("there", sync_told(b, 0, &t), "=9/9 ");
	text_is(b, "copied text", 9, MAIL2, strlen(MAIL2));
	TEST("copied flags", mailbox_message(b, 9)->flags == (MSG_DRAFT |
	    MSG_RECENT));
	TEST("copied keyword", mailbox_message(b, 3)->keywords == 2);
	TEST("copied date", mailbox_facts(b, 9, FACT_DATES)->internal ==
	    1600000000);
	TEST("copy noent", mailbox_copy(a, seqs, 1, "None", uids, &validity)
	    == STORE_NOENT);
	TEST("copy to itself", mailbox_copy(a, seqs, 2, "INBOX", uids,
	    &validity) == STORE_OK);
	t.text[0] = '\0';
	TEST("move", mailbox_move(a, seqs, 2, "Copies", uids, &validity,
	    &told_changes, &t) == STORE_OK && uids[1] == 11);
	TEST("move told", strncmp(t.text, "-2/15 -1/12 =8/", 15) == 0);
	TEST("tmp empty", count_files("m/tmp") == 0 &&
	    count_files("m/.Copies/tmp") == 0);
	mailbox_close(a);
	mailbox_close(b);
}

static void
test_append_many(struct store *st)
{
	struct append *a[3];
	const char *const keywords[] = { "one", "$Label1", NULL };
	struct mailbox *mb;
	uint32_t uids[3], validity, before, i;

	mb = open_box(st, "INBOX", 0);
	before = mailbox_count(mb);
	for (i = 0; i < 3; i++) {
		(void)append_begin(st, "INBOX", 5, MSG_SEEN, keywords, &a[i]);
		(void)append_write(a[i], MAIL1, strlen(MAIL1));
	}
	TEST("multiappend", append_commit(a, 3, uids, &validity) == STORE_OK &&
	    uids[2] == uids[0] + 2);
	(void)mailbox_sync(mb, 0, NULL, NULL);
	TEST("all there", mailbox_count(mb) == before + 3);
	TEST("keywords", mailbox_message(mb, before + 3)->keywords == 3);
	(void)append_begin(st, "INBOX", 5, 0, NULL, &a[0]);
	(void)append_write(a[0], MAIL1, strlen(MAIL1));
	append_abort(a[0]);
	TEST("abort", count_files("m/tmp") == 0);
	mailbox_close(mb);
}

static int
list_one(void *arg, const char *name, unsigned int flags)
{
	char *out = arg, one[STORE_NAME_MAX + 8];

	snprintf(one, sizeof(one), "%s:%u ", name, flags);
	strlcat(out, one, 4096);
	return (0);
}

static const char *
list_text(struct store *st)
{
	static char out[4096];

	out[0] = '\0';
	(void)store_list(st, list_one, out);
	return (out);
}

static void
test_tree(struct store *st)
{
	static const char *const bad[] = { "", "/a", "a/", "a//b", "..",
	    "a/../b", ".", "a.b", "a\nb", "a*", "%", "\xff", "\xc0\xaf",
	    "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", "\xed\xa0\x80" };
	struct mailbox_status s;
	struct mailbox *mb;
	char name[64];
	uint32_t v;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(name, sizeof(name), "bad name %zu", i);
		TEST(name, store_create(st, bad[i]) == STORE_NAME);
	}
	TEST("exists", store_create(st, "Copies") == STORE_EXISTS);
	TEST("inbox exists", store_create(st, "inBox") == STORE_EXISTS);
	TEST("child", store_create(st, "A/B & C") == STORE_OK);
	TEST("utf8", store_create(st, "Entw\xc3\xbcrfe") == STORE_OK);
	TEST("on disk", faccessat(scratch, "m/.A.B &- C/cur", F_OK, 0) == 0 &&
	    faccessat(scratch, "m/.Entw&APw-rfe/cur", F_OK, 0) == 0);
	TEST_STR("list", list_text(st), "INBOX:0 A:3 A/B & C:0 Copies:0 "
	    "Entw\xc3\xbcrfe:0 ");
	TEST("subscribe", store_subscribe(st, "A/B & C", 1) == STORE_OK &&
	    store_subscribe(st, "None", 1) == STORE_OK &&
	    store_subscribe(st, "INBOX", 1) == STORE_OK &&
	    store_subscribe(st, "None", 1) == STORE_OK);
	TEST_STR("subscribed", list_text(st), "INBOX:4 A:3 A/B & C:4 "
	    "Copies:0 Entw\xc3\xbcrfe:0 None:12 ");
	TEST("unsubscribe", store_subscribe(st, "None", 0) == STORE_OK);
	(void)store_status(st, "Entw\xc3\xbcrfe", &s, NULL);
	v = s.uidvalidity;
	TEST("delete", store_delete(st, "Entw\xc3\xbcrfe") == STORE_OK);
	TEST("deleted", store_status(st, "Entw\xc3\xbcrfe", &s, NULL) ==
	    STORE_NOENT && faccessat(scratch, "m/.Entw&APw-rfe", F_OK, 0) ==
	    -1);
	TEST("create again", store_create(st, "Entw\xc3\xbcrfe") == STORE_OK &&
	    store_status(st, "Entw\xc3\xbcrfe", &s, NULL) == STORE_OK &&
	    s.uidvalidity > v);
	TEST("delete noselect", store_delete(st, "A") == STORE_NOTEMPTY);
	TEST("delete inbox", store_delete(st, "INBOX") == STORE_NAME);
	TEST("rename tree", store_rename(st, "A", "X/Y") == STORE_OK);
	TEST("rename copies", store_rename(st, "Copies", "X/Y/Z") ==
	    STORE_OK);
	TEST("rename exists", store_rename(st, "X/Y/Z", "X/Y/B & C") ==
	    STORE_EXISTS);
	TEST("rename below itself", store_rename(st, "X/Y", "X/Y/Q") ==
	    STORE_NAME);
	TEST("rename noent", store_rename(st, "A", "C") == STORE_NOENT);
	TEST_STR("renamed", list_text(st), "INBOX:4 A/B & C:12 "
	    "Entw\xc3\xbcrfe:0 X:3 X/Y:3 X/Y/B & C:0 X/Y/Z:0 ");
	(void)store_status(st, "INBOX", &s, NULL);
	v = s.messages;
	TEST("rename inbox", store_rename(st, "INBOX", "Old") == STORE_OK &&
	    store_status(st, "Old", &s, NULL) == STORE_OK && s.messages == v &&
	    store_status(st, "INBOX", &s, NULL) == STORE_OK && s.messages == 0);
	/* A name that is not ours to understand. */
	mkdirat(scratch, "m/.bad&name", 0700);
	mkdirat(scratch, "m/.bad&name/cur", 0700);
	TEST("undecodable skipped", strstr(list_text(st), "bad") == NULL);
	mb = open_box(st, "X/Y/Z", MAILBOX_EXCLUSIVE);
	TEST("exclusive", mailbox_open(st, "X/Y/Z", MAILBOX_EXCLUSIVE,
	    &(struct mailbox *){ NULL }) == STORE_BUSY);
	mailbox_close(mb);
}

static uint32_t
append_one(struct store *st, const char *name, uint32_t *validity)
{
	struct append *a;
	uint32_t uid = 0;

	if (append_begin(st, name, 1, 0, NULL, &a) == STORE_OK) {
		(void)append_write(a, MAIL1, strlen(MAIL1));
		(void)append_commit(&a, 1, &uid, validity);
	}
	return (uid);
}

/* UIDs from elsewhere: while there is no message, and upwards only. */
static void
test_set_uids(struct store *st)
{
	struct mailbox_status s;
	uint32_t v = 0;

	(void)store_create(st, "Moved");
	TEST("uids noent", store_set_uids(st, "None", 5, 1) == STORE_NOENT);
	TEST("uids none", store_set_uids(st, "Moved", 0, 1) == STORE_LIMIT &&
	    store_set_uids(st, "Moved", 1, 0) == STORE_LIMIT);
	TEST("uids anew", store_set_uids(st, "Moved", 77, 5) == STORE_OK);
	TEST("uids first", append_one(st, "Moved", &v) == 5 && v == 77);
	TEST("uids used", store_set_uids(st, "Moved", 77, 5) ==
	    STORE_MODIFIED);
	TEST("uids up", store_set_uids(st, "Moved", 77, 5000) == STORE_OK &&
	    append_one(st, "Moved", &v) == 5000 && v == 77);
	TEST("uids another", store_set_uids(st, "Moved", 78, 6000) ==
	    STORE_MODIFIED);
	TEST("uids kept", store_status(st, "Moved", &s, NULL) == STORE_OK &&
	    s.uidvalidity == 77 && s.uidnext == 5001 && s.messages == 2);
	/* The index is lost: what was reserved is remembered. */
	TEST("uids lost", store_set_uids(st, "Moved", 77, 9000) == STORE_OK &&
	    unlinkat(scratch, "m/.Moved/postern.index", 0) == 0 &&
	    append_one(st, "Moved", &v) >= 9000 && v == 77);
}

static void
test_quota(void)
{
	const struct store_settings set = { .user = "test",
	    .hostname = "host.example", .quota = 100, .quota_messages = 3 };
	struct mailbox *mb;
	struct store *st;
	uint64_t bytes, n;
	uint32_t uid, one = 1;
	char first[8];
	int fd;

	(void)store_open(&st, scratch, "q", &set, STORE_CREATE);
	TEST("quota room", append_text(st, "INBOX", MAIL1, 0, &uid) ==
	    STORE_OK && deliver(st, "INBOX", "a", MAIL1, 0) == STORE_OK);
	TEST("quota used", store_quota(st, &bytes, &n) == STORE_OK &&
	    bytes == 2 * (strlen(MAIL1) - 3) + 19 && n == 2);
	TEST("quota bytes", deliver(st, "INBOX", "b", MAIL2 MAIL2, 0) ==
	    STORE_QUOTA && count_files("q/tmp") == 0);
	TEST("quota third", append_text(st, "INBOX", "x", 0, &uid) ==
	    STORE_OK);
	TEST("quota messages", append_text(st, "INBOX", "x", 0, &uid) ==
	    STORE_QUOTA && count_files("q/tmp") == 0);
	mb = open_box(st, "INBOX", 0);
	TEST("quota copy", mailbox_copy(mb, &one, 1, "INBOX", &uid, &uid) ==
	    STORE_QUOTA);
	TEST("quota expunge", mailbox_expunge(mb, &one, 1, NULL, NULL) ==
	    STORE_OK && store_quota(st, &bytes, &n) == STORE_OK && n == 2);
	fd = openat(scratch, "q/maildirsize", O_RDONLY);
	TEST("quota file", read(fd, first, 8) == 8 &&
	    memcmp(first, "100S,3C\n", 8) == 0);
	close(fd);
	unlinkat(scratch, "q/maildirsize", 0);
	TEST("quota counted", append_text(st, "INBOX", "y", 0, &uid) ==
	    STORE_OK && store_quota(st, &bytes, &n) == STORE_OK && n == 3 &&
	    bytes == strlen(MAIL1) - 3 + 19 + 2);
	mailbox_close(mb);
	store_close(st);
}

static void
test_care(void)
{
	struct store *st;
	uint64_t gone;
	uint32_t uid;

	st = open_store("c");
	TEST("special", store_special(st, "Junk\nA/B\n\nINBOX\n") ==
	    STORE_OK && count_files("c/.Junk/cur") == 0 &&
	    count_files("c/.A.B/cur") == 0);
	TEST("special again", store_special(st, "Junk\n") == STORE_OK);
	TEST("special bad", store_special(st, "../x\nOk") == STORE_OK &&
	    count_files("c/.Ok/cur") == 0);
	(void)append_text(st, "Junk", MAIL1, 0, &uid);
	TEST("expire young", store_expire_daily(st, "1000 Junk\n", &gone) ==
	    STORE_OK && gone == 0);
	sleep(2);
	TEST("expire not twice a day", store_expire_daily(st, "1 Junk\n",
	    &gone) == STORE_OK && gone == 0);
	unlinkat(scratch, "c/postern.care", 0);
	(void)append_text(st, "Junk", MAIL2, 0, &uid);
	TEST("expire old", store_expire_daily(st, "9 None\nx\n1 Junk",
	    &gone) == STORE_OK && gone == 1 &&
	    count_files("c/.Junk/cur") == 1);
	store_close(st);
}

int
main(void)
{
	struct store *st;

	scratch_make();
	st = open_store("m");
	test_lines(st);
	test_deliver(st);
	test_flags(st);
	test_outside(st);
	test_expunge(st);
	test_copy(st);
	test_append_many(st);
	test_tree(st);
	test_power_cut(st);
	test_set_uids(st);
	store_close(st);
	test_quota();
	test_care();
	scratch_remove();
	TEST_DONE();
}
