/*
 * What other programs left: dovecot-uidlist, dovecot-keywords, subscriptions,
 * sizes in names; and an mbox.
 */
#include <sys/resource.h>

#include "store.h"
#include "store/uidlist.h"

#define MANY	3000

static void
test_adopt(void)
{
	struct mailbox_status s;
	struct mailbox *mb;
	struct store *st;
	struct store_delivery d = { .id = "x", .fd = -1, .arrived = 1 };

	mkdirat(scratch, "d", 0700);
	mkdirat(scratch, "d/cur", 0700);
	mkdirat(scratch, "d/new", 0700);
	mkdirat(scratch, "d/tmp", 0700);
	put_file("d/cur/1000.a.host,S=5,W=6:2,S", "a: b\n");
	put_file("d/cur/1001.b.host:2,b", "a: c\n\n");
	put_file("d/cur/1002.c.host,S=9,W=9:2,FX", "a: d\n");
	put_file("d/cur/1003.unlisted.host:2,", "a: e\n");
	put_file("d/new/1004.new.host", "a: f\n");
	put_file("d/dovecot-keywords", "0 $Forwarded\n1 Work\nx y\n99 z\n");
	put_file("d/subscriptions", "Work.Old\nINBOX\n\n");
	put_file("d/dovecot-uidlist", "3 V1190129035 N235 G2a6a9f\n"
	    "7 W6 S5 :1000.a.host,S=5,W=6:2,\n"
	    "12 :1002.c.host,S=9,W=9:2,F\n"
	    "11 :out-of-order\n"
	    "garbage\n"
	    "100 G12 :1001.b.host\n"
	    "200 :gone.host:2,\n"
	    "201 :incomplete");
	st = open_store("d");
	/* Not before somebody has looked at it. */
	TEST("deliver before adoption", store_deliver(st, "INBOX", &d) ==
	    STORE_OK && faccessat(scratch, "d/postern.index", F_OK, 0) == -1);
	mb = open_box(st, "INBOX", 0);
	mailbox_status(mb, &s);
	TEST("uidvalidity", s.uidvalidity == 1190129035);
	TEST("messages", s.messages == 6);
	TEST("uids", mailbox_message(mb, 1)->uid == 7 &&
	    mailbox_message(mb, 2)->uid == 12 &&
	    mailbox_message(mb, 3)->uid == 100);
	TEST("next uids", mailbox_message(mb, 4)->uid == 235 &&
	    mailbox_message(mb, 6)->uid == 237 && s.uidnext == 238);
	TEST("size from the name", mailbox_facts(mb, 1, FACT_SIZE)->size
	    == 6);
	TEST("size measured", mailbox_facts(mb, 3, FACT_SIZE)->size == 8);
	TEST("size not believed", mailbox_facts(mb, 2, FACT_SIZE)->size
	    == 6);
	TEST_STR("keyword", mailbox_keyword(mb, 1), "Work");
	TEST("keyword bit", mailbox_message(mb, 3)->keywords == 2);
	TEST("bad keyword", mailbox_keyword(mb, 2) == NULL);
	TEST("recent", (mailbox_message(mb, 6)->flags & MSG_RECENT) != 0 &&
	    (mailbox_message(mb, 5)->flags & MSG_RECENT) == 0);
	TEST("subscriptions keep their form", store_subscribe(st, "Work/New",
	    1) == STORE_OK);
	mailbox_close(mb);
	store_close(st);
}

static void
test_version1(void)
{
	char text[] = "1 1234 99\n5 a.host:2,\n6 b.host\n";
	struct seeds seeds = { 0 };
	uint32_t validity = 0, next = 0;

	TEST("uidlist 1", uidlist_parse(text, strlen(text), &seeds, &validity,
	    &next) == 0 && validity == 1234 && next == 99 && seeds.n == 2 &&
	    seeds_find(&seeds, "b.host", 6)->uid == 6);
	seeds_free(&seeds);
}

#define MBOX	"From a@example Thu Nov 16 10:00:00 2023\n"		\
		"Subject: one\nStatus: RO\nX-UID: 77\n\n"		\
		"text\n>From me\nFrom you\n\n"				\
		"From b@example Thu Nov 16 10:00:01 2023\n"		\
		"Subject: two\n folded\nX-Status: F\n\nmore\n\n"

static char *
slurp(const char *path)
{
	static char text[65536];
	ssize_t n;
	int fd;

	fd = openat(scratch, path, O_RDONLY);
	n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	close(fd);
	return (text);
}

static struct store *
open_mbox(const char *path)
{
	const struct store_settings set = { .user = "test",
	    .hostname = "host.example", .mbox = 1 };
	struct store *st = NULL;

	if (store_open(&st, scratch, path, &set, 0) != STORE_OK)
		exit(1);
	return (st);
}

/* The fields of UIDs do not fit on the disk any more. */
static void
test_mbox_full(void)
{
	static const char text[] = "From a@b Thu Jan  1 00:00:00 1970\n"
	    "Subject: 1\n\none\n\nFrom a@b Thu Jan  1 00:00:00 1970\n"
	    "Subject: 2\n\nthe last words\n";
	struct rlimit old, full;
	struct mailbox *mb;
	struct store *st;
	char now[2 * sizeof(text)];
	ssize_t n;
	int fd;

	put_file("spool/full", text);
	st = open_mbox("spool/full");
	if (getrlimit(RLIMIT_FSIZE, &old) == -1 ||
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		perror("getrlimit");
	full = old;
	full.rlim_cur = sizeof(text) + 20;
	if (setrlimit(RLIMIT_FSIZE, &full) == -1)
		perror("setrlimit");
	if (mailbox_open(st, "INBOX", 0, &mb) == STORE_OK) {
		(void)mailbox_store(mb, 1, FLAGS_ADD, MSG_SEEN, 0);
		(void)sync_told(mb, 0, &(struct told){ 0 });
		mailbox_close(mb);
	}
	store_close(st);
	if (setrlimit(RLIMIT_FSIZE, &old) == -1)
		perror("setrlimit");
	fd = openat(scratch, "spool/full", O_RDONLY);
	n = read(fd, now, sizeof(now));
	close(fd);
	TEST("mbox full disk", n == (ssize_t)sizeof(text) - 1 &&
	    memcmp(now, text, sizeof(text) - 1) == 0);
}

/* Full after the first. */
static int
one_only(void *arg)
{
	return (((struct told *)arg)->text[0] != '\0');
}

/* What is told in parts ends when the file cannot be read any more. */
static void
test_mbox_parts(void)
{
	static const struct mailbox_changes few = { told_expunged, told_flags,
	    told_exists, one_only };
	static const char text[] = "From a@b Thu Jan  1 00:00:00 1970\n"
	    "Subject: 1\n\none\n\nFrom a@b Thu Jan  1 00:00:00 1970\n"
	    "Subject: 2\n\ntwo\n\n";
	struct told t = { 0 };
	struct mailbox *mb, *other;
	struct store *st, *st2;

	put_file("spool/parts", text);
	st = open_mbox("spool/parts");
	st2 = open_mbox("spool/parts");
	if (mailbox_open(st, "INBOX", 0, &mb) != STORE_OK ||
	    mailbox_open(st2, "INBOX", 0, &other) != STORE_OK)
		exit(1);
	(void)mailbox_store(other, 1, FLAGS_ADD, MSG_SEEN, 0);
	(void)mailbox_store(other, 2, FLAGS_ADD, MSG_SEEN, 0);
	(void)sync_told(other, 0, &(struct told){ 0 });
	mailbox_close(other);
	store_close(st2);
	(void)mailbox_sync(mb, 0, &few, &t);
	TEST_STR("the first", t.text, "f1 ");
	TEST("there is more", mailbox_untold(mb));
	unlinkat(scratch, "spool/parts", 0);
	mkdirat(scratch, "spool/parts", 0700);
	t.text[0] = '\0';
	TEST("no end of it", mailbox_sync(mb, 0, &few, &t) != STORE_OK &&
	    !mailbox_untold(mb));
	mailbox_close(mb);
	store_close(st);
	unlinkat(scratch, "spool/parts", AT_REMOVEDIR);
}

static void
test_mbox(void)
{
	struct stat cut, whole;
	int fd;
	struct mailbox_status s;
	struct message_text t;
	struct mailbox *mb, *other;
	struct store *st, *st2;
	struct told told;
	const uint32_t one = 1;
	uint32_t uid, validity;

	mkdirat(scratch, "spool", 0700);
	put_file("spool/user", MBOX);
	st = open_mbox("spool/user");
	mb = open_box(st, "inbox", 0);
	mailbox_status(mb, &s);
	validity = s.uidvalidity;
	TEST("mbox count", s.messages == 2 && s.unseen == 1 &&
	    s.recent == 1);
	TEST("mbox flags", mailbox_message(mb, 1)->flags == MSG_SEEN &&
	    mailbox_message(mb, 2)->flags == (MSG_FLAGGED | MSG_RECENT));
	TEST("mbox text", mailbox_message_text(mb, 1, &t) == STORE_OK &&
	    t.len == 42 && memcmp(t.data, "Subject: one\r\n\r\n"
	    "text\r\n>From me\r\nFrom you\r\n", 42) == 0 &&
	    mailbox_message(mb, 1)->size == 42);
	message_text_free(&t);
	TEST("mbox uids", mailbox_message(mb, 1)->uid == 1 &&
	    mailbox_message(mb, 2)->uid == 2);
	TEST("mbox deliver", deliver(st, "INBOX", "id1",
	    "Subject: 3\r\nX-UID: 5\r\nStatus: R\r\n more\r\n\r\n"
	    "From x\r\nend", 0) == STORE_OK);
	TEST("mbox deliver again", deliver(st, "INBOX", "id1",
	    "Subject: 3\r\nX-UID: 5\r\nStatus: R\r\n more\r\n\r\n"
	    "From x\r\nend", 1) == STORE_OK && store_deliver_sync(st) ==
	    STORE_OK);
	TEST("mbox cut", fstatat(scratch, "spool/user", &cut, 0) == 0 &&
	    (fd = openat(scratch, "spool/user", O_WRONLY)) != -1 &&
	    ftruncate(fd, cut.st_size - 3) == 0 && close(fd) == 0);
	TEST("mbox deliver after cut", deliver(st, "INBOX", "id1",
	    "Subject: 3\r\nX-UID: 5\r\nStatus: R\r\n more\r\n\r\n"
	    "From x\r\nend", 1) == STORE_OK && store_deliver_sync(st) ==
	    STORE_OK && fstatat(scratch, "spool/user", &whole, 0) == 0 &&
	    whole.st_size == cut.st_size);
	TEST_STR("mbox new", sync_told(mb, 0, &told), "=3/2 ");
	TEST("mbox quoted", mailbox_message_text(mb, 3, &t) == STORE_OK &&
	    t.len == 48 && memcmp(t.data, "Delivered-To: test\r\n"
	    "Subject: 3\r\n\r\n>From x\r\nend\r\n", 48) == 0);
	message_text_free(&t);
	TEST("mbox not seen", mailbox_message(mb, 3)->flags == MSG_RECENT);
	TEST("mbox append", append_text(st, "INBOX", "Subject: 4\n\nfour\n",
	    MSG_SEEN, &uid) == STORE_OK && uid == 4);
	TEST_STR("mbox appended", sync_told(mb, 0, &told), "=4/3 ");
	TEST("mbox store", mailbox_store(mb, 2, FLAGS_ADD, MSG_ANSWERED, 0)
	    == STORE_OK);
	TEST_STR("mbox written", sync_told(mb, 0, &told), "");
	TEST("mbox X-Status", strstr(slurp("spool/user"),
	    "X-Status: AF  \n") != NULL);
	st2 = open_mbox("spool/user");
	other = open_box(st2, "INBOX", 0);
	mailbox_status(other, &s);
	TEST("mbox second", s.uidvalidity == validity && s.messages == 4 &&
	    mailbox_message(other, 4)->uid == 4 && mailbox_message(other,
	    2)->flags == (MSG_ANSWERED | MSG_FLAGGED));
	TEST("mbox expunge", mailbox_expunge(mb, &one, 1, NULL, NULL) ==
	    STORE_OK && mailbox_count(mb) == 3);
	TEST_STR("mbox expunged", sync_told(other, 0, &told), "-1/1 ");
	mailbox_status(other, &s);
	TEST("mbox validity kept", s.uidvalidity == validity &&
	    s.uidnext == 5);
	TEST("mbox no folders", store_create(st, "x") == STORE_SINGLE &&
	    store_rename(st, "INBOX", "x") == STORE_SINGLE);
	put_file("spool/user", "no mbox at all\n");
	TEST("mbox damaged", mailbox_sync(mb, 0, NULL, NULL) ==
	    STORE_CORRUPT);
	TEST_STR("mbox not touched", slurp("spool/user"),
	    "no mbox at all\n");
	mailbox_close(other);
	mailbox_close(mb);
	store_close(st2);
	store_close(st);
	TEST("mbox unlocked", count_files("spool") == 1);
}

/* What the file holds counts, whoever put it there. */
static void
test_mbox_quota(void)
{
	struct store_settings set = { .user = "test",
	    .hostname = "host.example", .mbox = 1, .quota = 700 };
	static char big[800];
	struct store *st;
	uint64_t bytes, n;
	uint32_t uid;

	memset(big, 'x', sizeof(big) - 1);
	put_file("spool/quota", MBOX);
	if (store_open(&st, scratch, "spool/quota", &set, 0) != STORE_OK)
		exit(1);
	TEST("mbox usage", store_quota(st, &bytes, &n) == STORE_OK &&
	    bytes == strlen(MBOX) && n == 2);
	TEST("mbox quota bytes", append_text(st, "INBOX", big, 0, &uid) ==
	    STORE_QUOTA && deliver(st, "INBOX", "q1", big, 0) ==
	    STORE_QUOTA && store_quota(st, &bytes, NULL) == STORE_OK &&
	    bytes == strlen(MBOX));
	TEST("mbox quota room", deliver(st, "INBOX", "q2", "a: b\n\nc\n",
	    0) == STORE_OK);
	TEST("mbox quota delivered", deliver(st, "INBOX", "q2",
	    "a: b\n\nc\n", 1) == STORE_OK && store_quota(st, &bytes, &n) ==
	    STORE_OK && bytes > strlen(MBOX) && n == 3);
	store_close(st);
	set.quota = 0;
	set.quota_messages = 4;
	if (store_open(&st, scratch, "spool/quota", &set, 0) != STORE_OK)
		exit(1);
	TEST("mbox quota fourth", append_text(st, "INBOX", big, 0, &uid) ==
	    STORE_OK);
	TEST("mbox quota messages", append_text(st, "INBOX", "a: b\n\nc\n",
	    0, &uid) == STORE_QUOTA && deliver(st, "INBOX", "q3",
	    "a: b\n\nc\n", 0) == STORE_QUOTA &&
	    store_quota(st, &bytes, &n) == STORE_OK && n == 4);
	TEST("mbox quota again", deliver(st, "INBOX", "q2",
	    "a: b\n\nc\n", 1) == STORE_OK);
	store_close(st);
}

/* A copy's name does not repeat what is not so. */
static void
test_lie(void)
{
	struct mailbox *mb;
	struct store *st;
	uint32_t one = 1, uid, validity;

	mkdirat(scratch, "lie", 0700);
	mkdirat(scratch, "lie/cur", 0700);
	put_file("lie/cur/1000.a.host,S=99,W=120:2,S", "a: b\n");
	st = open_store("lie");
	mb = open_box(st, "INBOX", 0);
	TEST("copy of a lie", mailbox_copy(mb, &one, 1, "INBOX", &uid,
	    &validity) == STORE_OK);
	TEST("is true", *find_file("lie/cur", ",S=5,W=6,P=") != '\0');
	mailbox_close(mb);
	store_close(st);
}

/* So many new messages that their lines are added in pieces. */
static void
test_many_listed(void)
{
	char end[192], last[16] = "";
	struct store *st;
	struct stat sb;
	int fd;

	memset(end, 'x', sizeof(end));
	memcpy(end, ".", 1);
	strlcpy(end + sizeof(end) - 5, ":2,S", 5);
	make_dirs("l");
	put_file("l/dovecot-uidlist", "3 V1190129035 N1\n");
	st = open_store("l");
	mailbox_close(open_box(st, "INBOX", 0));
	put_many("l", 0, MANY, end);
	mailbox_close(open_box(st, "INBOX", 0));
	store_close(st);
	fd = openat(scratch, "l/dovecot-uidlist", O_RDONLY);
	TEST("all are listed", fd != -1 && fstat(fd, &sb) == 0 &&
	    sb.st_size > 200 * MANY && pread(fd, last, 10, sb.st_size -
	    (off_t)strlen(end) - 7) == 10);
	TEST_STR("to the last", last, "1000002999");
	close(fd);
}

/* A list whose last line was cut short. */
static void
test_half_line(void)
{
	struct store *st;
	uint32_t uid;

	make_dirs("c");
	put_file("c/cur/7.host:2,", "a: b\n");
	put_file("c/dovecot-uidlist", "3 V1190129035 N9\n7 :7.host\n8 :8.ho");
	st = open_store("c");
	TEST("append", append_text(st, "INBOX", "a: b\n", 0, &uid) ==
	    STORE_OK && uid >= 9);
	store_close(st);
	TEST("goes on in a line of its own", strstr(slurp("c/dovecot-uidlist"),
	    "\n8 :8.ho\n9 :") != NULL);
}

int
main(void)
{
	scratch_make();
	test_adopt();
	test_lie();
	test_version1();
	test_mbox();
	test_mbox_full();
	test_mbox_parts();
	test_mbox_quota();
	test_many_listed();
	test_half_line();
	scratch_remove();
	TEST_DONE();
}
