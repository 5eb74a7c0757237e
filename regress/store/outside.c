/*
 * What happens beside us: a directory that cannot be read to its end, our files
 * removed while they are in use, times and names that lie.
 */
#include "faults.h"
#include "store/files.h"
#include "store/folder.h"

/* A directory of which a part can be read says nothing of the rest. */
static void
test_read_error(void)
{
	struct store *st = open_store("e");
	struct mailbox *mb;
	struct told t;
	uint32_t uid;
	int i, k, ok = 1;

	for (i = 0; i < 3; i++)
		ok &= append_text(st, "INBOX", TEXT1, 0, &uid) == STORE_OK;
	mb = open_box(st, "INBOX", 0);
	for (k = 0; k < 6 && ok; k++) {
		put_file("e/cur/1.x", "x\n");
		unlinkat(scratch, "e/cur/1.x", 0);
		entries = k;
		(void)sync_told(mb, 0, &t);
		entries = -1;
		ok = strchr(t.text, '-') == NULL;
	}
	TEST("directory not read to its end", ok);
	(void)sync_told(mb, 0, &t);
	TEST("nothing is gone", mailbox_count(mb) == 3 &&
	    mailbox_message(mb, 1)->uid == 1 &&
	    mailbox_message(mb, 3)->uid == 3);
	mailbox_close(mb);
	store_close(st);
}

/* A move to where it is already (RFC 6851 3) is one, however old it is. */
static void
test_move_here(void)
{
	struct store *st = open_store("h");
	struct mailbox *mb;
	struct folder *f;
	struct index_mut m;
	uint32_t one = 1, uid, validity;

	TEST("append", append_text(st, "INBOX", TEXT1, 0, &uid) == STORE_OK &&
	    folder_get(st, "INBOX", &f) == STORE_OK);
	if (folder_lock(f, LOCK_LONG) == STORE_OK) {
		index_begin(&f->ix);
		(void)index_get(&f->ix, 0, &m);
		m.saved = 1000000000;
		index_set(&f->ix, 0, &m);
		index_end(&f->ix);
		folder_unlock(f);
	}
	mb = open_box(st, "INBOX", 0);
	TEST("move to itself", mailbox_move(mb, &one, 1, "INBOX", &uid,
	    &validity, NULL, NULL) == STORE_OK && uid == 2 &&
	    mailbox_count(mb) == 1);
	mailbox_close(mb);
	folder_release(f);
	store_close(st);
}

/*
 * Mail that was delivered and is not synced yet is copied and moved: another's
 * sync may take the new name to the disk.
 */
static void
test_young(void)
{
	struct store *st = open_store("y");
	struct mailbox *mb;
	uint32_t seqs[12], uids[12], validity, i;
	char id[8];

	(void)store_create(st, "To");
	for (i = 0; i < 12; i++) {
		seqs[i] = i + 1;
		snprintf(id, sizeof(id), "y%u", i);
		(void)deliver(st, "INBOX", id, TEXT1, 0);
	}
	mb = open_box(st, "INBOX", 0);
	written = early = 0;
	TEST("copy young", mailbox_copy(mb, seqs, 1, "To", uids, &validity) ==
	    STORE_OK && early == 0);
	written = 0;
	TEST("move young", mailbox_move(mb, seqs, 1, "To", uids, &validity,
	    NULL, NULL) == STORE_OK && early == 0);
	written = 0;
	TEST("move some young", mailbox_move(mb, seqs, 2, "To", uids,
	    &validity, NULL, NULL) == STORE_OK && early == 0);
	written = 0;
	TEST("move many young", mailbox_move(mb, seqs, 9, "To", uids,
	    &validity, NULL, NULL) == STORE_OK && early == 0 &&
	    mailbox_count(mb) == 0);
	mailbox_close(mb);
	store_close(st);
}

/* Who holds a lock on a file that has gone holds nothing. */
static void
test_lock_removed(void)
{
	struct store *a = open_store("l"), *b;
	struct folder *fa, *fb;
	int both;

	(void)folder_get(a, "INBOX", &fa);
	TEST("lock", folder_lock(fa, LOCK_LONG) == STORE_OK);
	folder_unlock(fa);
	unlinkat(scratch, "l/postern.lock", 0);
	b = open_store("l");
	(void)folder_get(b, "INBOX", &fb);
	TEST("lock anew", folder_lock(fb, LOCK_LONG) == STORE_OK);
	both = folder_lock(fa, LOCK_SHORT) == STORE_OK;
	TEST("one at a time", !both);
	if (both)
		folder_unlock(fa);
	folder_unlock(fb);
	TEST("and again", folder_lock(fa, LOCK_SHORT) == STORE_OK);
	folder_unlock(fa);
	folder_release(fa);
	folder_release(fb);
	store_close(a);
	store_close(b);
}

/* After a power cut no UID is given before it is known which are free. */
static void
test_jump(void)
{
	struct store *st = open_store("j");
	struct mailbox *mb;
	struct folder *f;
	uint32_t uid, uidmax, n;

	TEST("append", append_text(st, "INBOX", TEXT1, 0, &uid) == STORE_OK);
	(void)folder_get(st, "INBOX", &f);
	f->ix.hdr.boot -= 1000;
	index_publish(&f->ix);
	index_publish(&f->ix);
	uidmax = f->ix.hdr.uidmax;
	/* Somebody looks at it, but does not read the directories. */
	TEST("repaired", folder_lock(f, LOCK_LONG) == STORE_OK);
	folder_unlock(f);
	TEST("deliver", deliver(st, "INBOX", "j1", TEXT1, 0) == STORE_OK);
	mb = open_box(st, "INBOX", 0);
	n = mailbox_count(mb);
	TEST("a UID that nobody was told", n == 2 &&
	    mailbox_message(mb, 2)->uid >= uidmax);
	mailbox_close(mb);
	folder_release(f);
	store_close(st);
}

/* The log is written over while somebody reads it: then it does not do. */
static void
test_overtaken(void)
{
	struct store *st = open_store("o");
	struct index_mut m;
	struct index reader;
	struct folder *f;
	uint32_t uid, slots[4];
	uint64_t since;
	int i, n;

	for (i = 0; i < 2; i++)
		(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	(void)folder_get(st, "INBOX", &f);
	(void)folder_lock(f, LOCK_LONG);
	since = f->ix.hdr.modseq;
	for (i = 0; i < 600; i++) {
		if (i == 0 || i == 400)
			index_begin(&f->ix);
		(void)index_get(&f->ix, i > 0, &m);
		m.modseq = f->ix.hdr.modseq + 1;
		index_set(&f->ix, i > 0, &m);
		if (i == 399)
			index_end(&f->ix);
		if (i == 399 &&
		    index_open(&reader, f->dir, INDEX_FILE) == -1)
			return;
	}
	n = index_changes(&reader, since, 1, slots, 4);
	TEST("log overtaken", n == -1 || (n == 1 && slots[0] == 0));
	index_end(&f->ix);
	index_close(&reader);
	folder_unlock(f);
	folder_release(f);
	store_close(st);
}

/* Mail that came in the tick of our own change shows, however busy we are. */
static void
test_racy(void)
{
	struct store *st = open_store("r");
	struct timespec times[2];
	struct mailbox *mb;
	struct stat sb;
	struct told t;
	uint32_t uid;
	int i;

	(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	mb = open_box(st, "INBOX", 0);
	later += 60;
	(void)sync_told(mb, 0, &t);
	(void)mailbox_store(mb, 1, FLAGS_SET, MSG_SEEN, 0);
	(void)fstatat(scratch, "r/new", &sb, 0);
	put_file("r/new/1700000001.r.h", TEXT1);
	times[0] = times[1] = sb.st_mtim;
	(void)utimensat(scratch, "r/new", times, 0);
	(void)sync_told(mb, 0, &t);
	for (i = 0; i < 10 && mailbox_count(mb) == 1; i++) {
		later++;
		(void)mailbox_store(mb, 1, FLAGS_SET, i % 2 ? MSG_SEEN : 0, 0);
		(void)sync_told(mb, 0, &t);
	}
	TEST("seen in time", mailbox_count(mb) == 2 && i < 5);
	mailbox_close(mb);
	store_close(st);
	later = 0;
}

/* Renamed while we read, in the same tick: no message is gone. */
static void
test_tick(void)
{
	struct store *st = open_store("t");
	struct mailbox *mb;
	struct told t;
	uint32_t uid;

	(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	(void)append_text(st, "INBOX", TEXT1, 0, &uid);
	mb = open_box(st, "INBOX", 0);
	put_file("t/cur/1.x", "x\n");
	unlinkat(scratch, "t/cur/1.x", 0);
	hide = 1;
	(void)sync_told(mb, 0, &t);
	TEST("renamed while read", hide == 0 && strchr(t.text, '-') == NULL &&
	    mailbox_count(mb) == 2 && mailbox_message(mb, 2)->uid == 2);
	(void)sync_told(mb, 0, &t);
	TEST("renamed, and told", mailbox_count(mb) == 2 &&
	    ((mailbox_message(mb, 1)->flags |
	    mailbox_message(mb, 2)->flags) & MSG_SEEN) != 0);
	mailbox_close(mb);
	store_close(st);
}

/* The table of keywords, changed in the same tick. */
static void
test_keywords(void)
{
	struct store *st = open_store("k");
	struct timespec times[2];
	struct mailbox *mb;
	struct stat sb;

	mb = open_box(st, "INBOX", 0);
	TEST("keyword", mailbox_keyword_find(mb, "one", 1) == 0);
	(void)fstatat(scratch, "k/dovecot-keywords", &sb, 0);
	put_file("k/dovecot-keywords", "0 one\n1 two\n");
	times[0] = times[1] = sb.st_mtim;
	(void)utimensat(scratch, "k/dovecot-keywords", times, 0);
	TEST("keyword beside another's", mailbox_keyword_find(mb, "three",
	    1) == 2 && mailbox_keyword_find(mb, "two", 0) == 1);
	mailbox_close(mb);
	store_close(st);
}

/* Mail is seen, whatever its file is called. */
static void
test_odd_names(void)
{
	static const char *const names[] = { "a\nb", "a\tb:2,S", ":2,S",
	    "1.x.h:2,0123456789ABCDEFGHIJK", "" };
	struct store *st = open_store("d");
	struct mailbox *mb;
	struct told t;
	char path[NAME_MAX + 8];
	uint32_t i, seen = 0;

	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "d/cur/%s", names[i]);
		if (names[i][0] == '\0')
			snprintf(path, sizeof(path), "d/cur/%0230d:2,S", 1);
		put_file(path, TEXT1);
	}
	put_file("d/cur/.hidden", TEXT1);
	mb = open_box(st, "INBOX", 0);
	TEST("odd names", mailbox_count(mb) == 5);
	for (i = 1; i <= mailbox_count(mb); i++)
		seen += (mailbox_message(mb, i)->flags & MSG_SEEN) != 0;
	TEST("their flags", seen == 3);
	TEST_STR("only once", sync_told(mb, 0, &t), "");
	TEST("not the hidden", faccessat(scratch, "d/cur/.hidden", F_OK,
	    0) == 0);
	mailbox_close(mb);
	store_close(st);
}

int
main(void)
{
	scratch_make();
	test_read_error();
	test_move_here();
	test_young();
	test_lock_removed();
	test_jump();
	test_overtaken();
	test_racy();
	test_tick();
	test_keywords();
	test_odd_names();
	scratch_remove();
	TEST_DONE();
}
