/*
 * What happens beside us: a directory that cannot be read to its end, our files
 * removed while they are in use, times and names that lie.
 */
#include <dlfcn.h>

#include "store.h"
#include "store/folder.h"

#define TEXT1	"Subject: one\n\none\n"

static int entries = -1;	/* of a directory, then it fails; -1 never */
static int written;	/* bytes have gone to the disk since */
static int early;	/* names that came before their bytes */

struct dirent *
readdir(DIR *dir)
{
	struct dirent *(*real)(DIR *);

	*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	if (entries == 0) {
		errno = EIO;
		return (NULL);
	}
	entries -= entries > 0;
	return (real(dir));
}

int
sync_file_range(int fd, off_t off, off_t len, unsigned int flags)
{
	int (*real)(int, off_t, off_t, unsigned int);

	*(void **)&real = dlsym(RTLD_NEXT, "sync_file_range");
	written++;
	return (real(fd, off, len, flags));
}

int
syncfs(int fd)
{
	int (*real)(int);

	*(void **)&real = dlsym(RTLD_NEXT, "syncfs");
	written++;
	return (real(fd));
}

int
linkat(int a, const char *from, int b, const char *to, int flags)
{
	int (*real)(int, const char *, int, const char *, int);

	*(void **)&real = dlsym(RTLD_NEXT, "linkat");
	early += written == 0;
	return (real(a, from, b, to, flags));
}

int
renameat(int a, const char *from, int b, const char *to)
{
	int (*real)(int, const char *, int, const char *);

	*(void **)&real = dlsym(RTLD_NEXT, "renameat");
	early += written == 0;
	return (real(a, from, b, to));
}

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

int
main(void)
{
	scratch_make();
	test_read_error();
	test_move_here();
	test_young();
	test_lock_removed();
	test_jump();
	scratch_remove();
	TEST_DONE();
}
