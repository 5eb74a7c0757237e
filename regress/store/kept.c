/*
 * What is kept beside the messages (the index, the count of the quota, a list
 * of Dovecot, files in tmp/) when there is no room, no descriptor or no time.
 */
#include <sys/resource.h>

#include "faults.h"
#include "store/folder.h"

/* A restored index has no holes that a full disk could not fill. */
static void
test_holes(void)
{
	struct store *st = open_store("s");
	struct stat sb;
	uint32_t uid;
	int fd;

	(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	store_close(st);
	fd = openat(scratch, "s/postern.index", O_RDWR);
	if (fd == -1 || fstat(fd, &sb) == -1 || fallocate(fd,
	    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 12288,
	    sb.st_size - 12288) == -1) {
		printf("skip holes: there are none here\n");
		return;
	}
	close(fd);
	st = open_store("s");
	(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	(void)fstatat(scratch, "s/postern.index", &sb, 0);
	TEST("no hole", uid == 2 && sb.st_blocks * 512 >= sb.st_size);
	store_close(st);
}

/* An index that is damaged and cannot be read just now: its UIDs are kept. */
static void
test_not_now(void)
{
	static const char zeros[1024];
	struct store *st = open_store("n");
	struct mailbox *mb;
	uint32_t uid = 1;
	int fd, i;

	for (i = 0; i < 3; i++)
		(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	put_file("n/cur/1000000000.theirs.h:2,", TEXT1);
	mb = open_box(st, "INBOX", 0);
	uid = 1;
	(void)mailbox_expunge(mb, &uid, 1, NULL, NULL);
	uid = mailbox_message(mb, 3)->uid;
	mailbox_close(mb);
	store_close(st);
	for (i = 0; i < 4; i++) {
		fd = openat(scratch, "n/postern.index", O_WRONLY);
		if (fd == -1 || pwrite(fd, zeros, sizeof(zeros), 0) == -1)
			exit(1);
		close(fd);
		st = open_store("n");
		busy_name = "postern.index";
		busy_after = i;
		if (mailbox_open(st, "INBOX", 0, &mb) == STORE_OK)
			mailbox_close(mb);
		busy_name = NULL;
		mb = open_box(st, "INBOX", 0);
		TEST("not to be opened for a while", mailbox_count(mb) == 3 &&
		    mailbox_message(mb, 3)->uid == uid);
		mailbox_close(mb);
		store_close(st);
	}
}

/* What could not be counted once is counted the next time. */
static void
test_counted(void)
{
	const struct store_settings set = { .user = "test", .hostname = "h",
	    .quota = 1000 };
	struct store *st;
	uint64_t bytes, n;
	uint32_t uid;

	(void)store_open(&st, scratch, "q", &set, STORE_CREATE);
	(void)store_create(st, "A");
	(void)append_text(st, "A", TEXT1, 0, &uid);
	(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	unlinkat(scratch, "q/maildirsize", 0);
	store_close(st);
	(void)store_open(&st, scratch, "q", &set, STORE_CREATE);
	busy_name = ".A";
	busy_after = 0;
	TEST("counted in part", store_quota(st, &bytes, &n) == STORE_OK &&
	    n == 1);
	busy_name = NULL;
	TEST("counted", store_quota(st, &bytes, &n) == STORE_OK && n == 2 &&
	    bytes == 2 * strlen(TEXT1));
	store_close(st);
}

static struct store *
open_counted(void)
{
	const struct store_settings set = { .user = "test", .hostname = "h",
	    .quota = 100000 };
	struct store *st;

	if (store_open(&st, scratch, "c", &set, STORE_CREATE) != STORE_OK)
		exit(1);
	return (st);
}

/* Whether what is kept is what there is. */
static int
count_is_right(struct store *st)
{
	struct mailbox *mb = open_box(st, "INBOX", 0);
	uint64_t bytes, n, size = mailbox_count(mb) * strlen(TEXT1);

	mailbox_close(mb);
	return (store_quota(st, &bytes, &n) == STORE_OK && bytes == size &&
	    n == (uint64_t)count_files("c/new") +
	    (uint64_t)count_files("c/cur"));
}

static int
come_and_go(void)
{
	struct store *st = open_counted();
	struct store_delivery d = { .id = "x", .fd = -1, .head = TEXT1,
	    .headlen = strlen(TEXT1), .arrived = 1700000000 };
	uint32_t uid, seqs[2] = { 1, 2 };
	struct mailbox *mb;
	int ok;

	ok = store_deliver(st, "INBOX", &d) == STORE_OK &&
	    append_text(st, "INBOX", TEXT1, 0, &uid) == STORE_OK;
	mb = open_box(st, "INBOX", 0);
	ok = mailbox_expunge(mb, seqs, 2, NULL, NULL) == STORE_OK && ok;
	mailbox_close(mb);
	store_close(st);
	return (ok);
}

/* Killed at any instant, and when others come and go. */
static void
test_quota(void)
{
	struct store *st = open_counted();
	char path[NAME_MAX + 8];
	uint32_t uid;
	pid_t pid;
	int k, status = 1, ok = 1;

	for (k = 0; k < 3; k++)
		(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	ok = count_is_right(st);
	for (k = 1; k < 100 && ok; k++) {
		if ((pid = fork()) == 0) {
			calls = k;
			status = come_and_go() ? calls == 0 : 2;
			_exit(status);
		}
		waitpid(pid, &status, 0);
		ok = count_is_right(st);
		if (WIFEXITED(status))
			break;
		(void)append_text(st, "INBOX", TEXT1, 0, &uid);
		(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	}
	TEST("counted when killed", ok && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0 && k > 10);
	snprintf(path, sizeof(path), "c/cur/%s", find_file("c/cur", ",P="));
	TEST("others remove", unlinkat(scratch, path, 0) == 0 &&
	    count_is_right(st));
	put_file("c/new/1700000009.y.h", TEXT1);
	TEST("others deliver", count_is_right(st));
	store_close(st);
}

static int
append_three(void)
{
	struct store *st = open_store("p");
	struct append *a[3];
	uint32_t uids[3], validity;
	int i;

	for (i = 0; i < 3; i++)
		if (append_begin(st, "INBOX", 1, 0, NULL, &a[i]) != STORE_OK ||
		    append_write(a[i], TEXT1, strlen(TEXT1)) != STORE_OK)
			return (-1);
	return (append_commit(a, 3, uids, &validity) == STORE_OK ? 0 : -1);
}

/* What a killed one had decided on waits in tmp/, however long. */
static void
test_pending(void)
{
	struct store *st;
	struct mailbox *mb;
	uint32_t seq, before = 0;
	pid_t pid;
	int fd, k, status = 1, ok = 1;

	for (k = 1; k < 100 && ok; k++) {
		if ((pid = fork()) == 0) {
			calls = k;
			_exit(append_three() == 0 ? 0 : 2);
		}
		waitpid(pid, &status, 0);
		later = 40 * 60 * 60;
		st = open_store("p");
		mb = open_box(st, "INBOX", 0);
		ok = mailbox_count(mb) == before ||
		    mailbox_count(mb) == before + 3;
		for (seq = 1; ok && seq <= mailbox_count(mb); seq++) {
			ok = mailbox_message_fd(mb, seq, &fd) == STORE_OK;
			close(fd);
		}
		before = mailbox_count(mb);
		mailbox_close(mb);
		store_close(st);
		later = 0;
		if (WIFEXITED(status))
			break;
	}
	TEST("waits to be finished", ok && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0 && k > 10);
}

/* Dovecot's list is not left with half a line when there is no room. */
static void
test_list(void)
{
	struct store *st = open_store("u");
	struct rlimit all, none;
	struct stat sb;
	char last = '\0';
	uint32_t uid = 0;
	int fd;

	put_file("u/dovecot-uidlist", "3 V1234 N2 G0\n1 :1000000000.u.h\n");
	put_file("u/cur/1000000000.u.h:2,", TEXT1);
	TEST("adopted", append_text(st, "INBOX", TEXT1, 0, &uid) == STORE_OK &&
	    uid == 2);
	(void)fstatat(scratch, "u/dovecot-uidlist", &sb, 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)getrlimit(RLIMIT_FSIZE, &all);
	none = all;
	none.rlim_cur = (rlim_t)sb.st_size + 10;
	(void)setrlimit(RLIMIT_FSIZE, &none);
	store_close(st);
	(void)setrlimit(RLIMIT_FSIZE, &all);
	fd = openat(scratch, "u/dovecot-uidlist", O_RDONLY);
	TEST("no half line", fd != -1 && fstat(fd, &sb) == 0 &&
	    pread(fd, &last, 1, sb.st_size - 1) == 1 && last == '\n');
	close(fd);
}

/* What says which UIDs are reserved is lost, and the index after it. */
static void
test_reserved(const char *dir, int both)
{
	struct store *st = open_store(dir);
	struct mailbox *mb;
	char path[64];
	uint32_t uid = 0, seq = 3;
	int i;

	for (i = 0; i < 3; i++)
		(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	mb = open_box(st, "INBOX", 0);
	(void)mailbox_expunge(mb, &seq, 1, NULL, NULL);
	snprintf(path, sizeof(path), "%s/postern.lock", dir);
	TEST("lock removed", uid == 3 && unlinkat(scratch, path, 0) == 0);
	if (!both)
		(void)mailbox_store(mb, 1, FLAGS_SET, MSG_SEEN, 0);
	mailbox_close(mb);
	snprintf(path, sizeof(path), "%s/postern.index", dir);
	TEST("index removed", unlinkat(scratch, path, 0) == 0);
	store_close(st);
	st = open_store(dir);
	TEST("no UID again", append_text(st, "INBOX", TEXT1, 0, &uid) ==
	    STORE_OK && uid > 3 && (both || uid < 2000));
	mb = open_box(st, "INBOX", 0);
	TEST("the others' stay", mailbox_count(mb) == 3 &&
	    mailbox_message(mb, 1)->uid == 1 &&
	    mailbox_message(mb, 2)->uid == 2);
	mailbox_close(mb);
	store_close(st);
}

/* The same beside a list of Dovecot's, which a kill left behind. */
static void
test_list_behind(void)
{
	static const char list[] = "3 V1234 N2 G0\n1 :1000000000.u.h\n";
	struct store *st = open_store("x");
	struct mailbox *mb;
	uint32_t uid = 0, seq = 3;

	put_file("x/dovecot-uidlist", list);
	put_file("x/cur/1000000000.u.h:2,", TEXT1);
	(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	put_file("x/new/1700000009.y.h", TEXT1);
	mb = open_box(st, "INBOX", 0);
	TEST("theirs is the last", uid == 2 && mailbox_count(mb) == 3 &&
	    mailbox_message(mb, 3)->uid == 3);
	(void)mailbox_expunge(mb, &seq, 1, NULL, NULL);
	mailbox_close(mb);
	store_close(st);
	put_file("x/dovecot-uidlist", list);
	unlinkat(scratch, "x/postern.lock", 0);
	unlinkat(scratch, "x/postern.index", 0);
	put_file("x/new/1700000010.z.h", TEXT1);
	st = open_store("x");
	mb = open_box(st, "INBOX", 0);
	TEST("list behind", mailbox_count(mb) == 3 &&
	    mailbox_message(mb, 1)->uid == 1 &&
	    mailbox_message(mb, 2)->uid == 2 &&
	    mailbox_message(mb, 3)->uid > 3);
	mailbox_close(mb);
	store_close(st);
}

/* What a kill left of files that were to be replaced; others' are left. */
static void
test_leftovers(void)
{
	static const char *const ours[] = { "dovecot-keywords.123.tmp",
	    "maildirsize.1.tmp", "postern.cache.tmp", "postern.expunge.7.tmp",
	    "postern.index.tmp", "postern.use.4194304.tmp",
	    "subscriptions.99.tmp" };
	static const char *const others[] = { "subscriptions.tmp.mine",
	    "subscriptions.x.tmp", "postern.mine.1.tmp", "dovecot.tmp" };
	struct store *st = open_store("t");
	struct stat sb;
	char path[64];
	size_t i;
	int n;

	mailbox_close(open_box(st, "INBOX", 0));
	store_close(st);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		snprintf(path, sizeof(path), "t/%s", ours[i]);
		put_file(path, "x");
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(path, sizeof(path), "t/%s", others[i]);
		put_file(path, "x");
	}
	st = open_store("t");
	mailbox_close(open_box(st, "INBOX", 0));
	for (i = 0, n = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		snprintf(path, sizeof(path), "t/%s", ours[i]);
		n += fstatat(scratch, path, &sb, 0) == 0;
	}
	TEST("somebody may be at it", n == 7);
	later = 40 * 60 * 60;
	mailbox_close(open_box(st, "INBOX", 0));
	later = 0;
	for (i = 0, n = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		snprintf(path, sizeof(path), "t/%s", ours[i]);
		n += fstatat(scratch, path, &sb, 0) == 0;
	}
	TEST("left over", n == 0);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(path, sizeof(path), "t/%s", others[i]);
		n += fstatat(scratch, path, &sb, 0) == 0;
	}
	TEST("not ours", n == 4);
	store_close(st);
}

static struct store *
open_limited(void)
{
	const struct store_settings set = { .user = "test", .hostname = "h",
	    .quota_messages = 3 };
	struct store *st;

	if (store_open(&st, scratch, "y", &set, STORE_CREATE) != STORE_OK)
		exit(1);
	return (st);
}

static void
other_appends(void)
{
	struct store *st = open_limited();
	uint32_t uid;

	TEST("another has the last", append_text(st, "INBOX", TEXT1, 0, &uid) ==
	    STORE_OK);
	store_close(st);
}

static void
other_comes_and_goes(void)
{
	struct store *st = open_limited();
	struct mailbox *mb;
	uint32_t uid, seq = 1;

	mb = open_box(st, "INBOX", 0);
	TEST("another", mailbox_expunge(mb, &seq, 1, NULL, NULL) == STORE_OK &&
	    append_text(st, "A", TEXT1, 0, &uid) == STORE_OK &&
	    append_text(st, "A", TEXT1, 0, &uid) == STORE_OK);
	mailbox_close(mb);
	store_close(st);
}

static void
other_delivers(void)
{
	put_file("y/.A/new/1700000010.z.h", TEXT1);
	mailbox_close(open_box(open_limited(), "A", 0));
}

/* Two that have room for one, and who counts while others come and go. */
static void
test_together(void)
{
	struct store *st = open_limited();
	uint32_t uid;
	uint64_t bytes, n;

	(void)store_create(st, "A");
	(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	(void)append_text(st, "A", TEXT1, 0, &uid);
	meet = other_appends;
	TEST("not both of them", append_text(st, "INBOX", TEXT1, 0, &uid) ==
	    STORE_QUOTA && meet == NULL && count_files("y/tmp") == 0);
	TEST("three in all", store_quota(st, &bytes, &n) == STORE_OK &&
	    n == 3 && count_files("y/cur") == 2);
	TEST("room again", store_delete(st, "A") == STORE_OK &&
	    store_quota(st, &bytes, &n) == STORE_OK && n == 2 &&
	    bytes == 2 * strlen(TEXT1));
	(void)store_create(st, "A");
	store_close(st);

	unlinkat(scratch, "y/maildirsize", 0);
	st = open_limited();
	meet_name = ".A";
	meet = other_comes_and_goes;
	TEST("counted again", store_quota(st, &bytes, &n) == STORE_OK &&
	    meet == NULL && n == 3 && bytes == n * strlen(TEXT1));
	TEST("and kept", store_quota(st, &bytes, &n) == STORE_OK && n == 3);
	store_close(st);

	unlinkat(scratch, "y/maildirsize", 0);
	st = open_limited();
	meet_name = ".";
	meet = other_delivers;
	TEST("what was found counts", store_quota(st, &bytes, &n) ==
	    STORE_OK && meet == NULL && n == 4 && store_quota(st, &bytes,
	    &n) == STORE_OK && n == 4);
	meet_name = NULL;
	store_close(st);
}

static void
other_moves(void)
{
	struct store *st = open_limited();
	struct mailbox *mb = open_box(st, "A", 0);
	uint32_t uid, validity, seq = 1;

	TEST("another moves", mailbox_move(mb, &seq, 1, "INBOX", &uid,
	    &validity, NULL, NULL) == STORE_OK);
	mailbox_close(mb);
	store_close(st);
}

static void
other_renames(void)
{
	struct store *st = open_limited();

	TEST("another renames", store_rename(st, "A", "0") == STORE_OK);
	store_close(st);
}

/* As DELETE does, which then empties it. */
static void
other_deletes(void)
{
	move_file("y/.X", "y/.Y");
}

/* What only goes elsewhere while somebody counts, or is where he adds to. */
static void
test_elsewhere(void)
{
	static void (*const others[])(void) = { other_moves, other_renames };
	struct store *st = open_limited();
	uint64_t bytes, n, all = 0;
	uint32_t uid;
	size_t i;

	(void)store_quota(st, &bytes, &all);
	for (i = 0; i < 2; i++) {
		store_close(st);
		unlinkat(scratch, "y/maildirsize", 0);
		st = open_limited();
		meet_name = ".A";
		meet = others[i];
		TEST("none twice, none missed", store_quota(st, &bytes, &n) ==
		    STORE_OK && meet == NULL && n == all);
		meet_name = NULL;
	}
	(void)store_delete(st, "0");
	(void)store_create(st, "X");
	(void)store_quota(st, &bytes, &all);
	store_close(st);
	st = open_limited();
	meet = other_deletes;
	TEST("nothing into the trash", append_text(st, "X", TEXT1, 0, &uid) ==
	    STORE_NOENT && meet == NULL && store_quota(st, &bytes, &n) ==
	    STORE_OK && n == all);
	store_close(st);
}

int
main(void)
{
	scratch_make();
	test_holes();
	test_not_now();
	test_counted();
	test_quota();
	test_pending();
	test_list();
	test_reserved("v", 0);
	test_reserved("w", 1);
	test_list_behind();
	test_leftovers();
	test_together();
	test_elsewhere();
	scratch_remove();
	TEST_DONE();
}
