/*
 * What QUIT removes: all of it or nothing, also if there is no room for the
 * list of it, and if others remove some at the same time.
 */
#include <dlfcn.h>
#include <stdarg.h>

#include "store.h"

#define MESSAGES	6

static int full;	/* so many times there is no room for the list */
static int fsyncs;	/* until one fails, 0 never */

int
openat(int dir, const char *name, int flags, ...)
{
	int (*real)(int, const char *, int, mode_t);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (full > 0 && strncmp(name, "postern.expunge.", 16) == 0) {
		full--;
		errno = ENOSPC;
		return (-1);
	}
	*(void **)&real = dlsym(RTLD_NEXT, "openat");
	return (real(dir, name, flags, mode));
}

int
fsync(int fd)
{
	int (*real)(int);

	if (fsyncs > 0 && --fsyncs == 0) {
		errno = EIO;
		return (-1);
	}
	*(void **)&real = dlsym(RTLD_NEXT, "fsync");
	return (real(fd));
}

/* The UIDs that are left, who was killed having been finished. */
static const char *
left(struct store *st)
{
	static char text[128];
	struct mailbox *mb = open_box(st, "INBOX", MAILBOX_EXCLUSIVE);
	uint32_t i;
	size_t o = 0;

	text[0] = '\0';
	for (i = 1; i <= mailbox_count(mb); i++)
		o += (size_t)snprintf(text + o, sizeof(text) - o, "%u ",
		    mailbox_message(mb, i)->uid);
	mailbox_close(mb);
	return (text);
}

static struct store *
fill(const char *name)
{
	struct store *st = open_store(name);
	uint32_t uid;
	int i;

	for (i = 0; i < MESSAGES; i++)
		if (append_text(st, "INBOX", "a: b\n\nc\n", 0, &uid) !=
		    STORE_OK)
			exit(1);
	return (st);
}

static void
test_others(int times, const char *want)
{
	const uint32_t seqs[] = { 2, 4, 5 }, first = 1;
	struct store *st, *other;
	struct mailbox *mb, *theirs;
	char name[16];

	snprintf(name, sizeof(name), "o%d", times);
	st = fill(name);
	other = open_store(name);
	mb = open_box(st, "INBOX", MAILBOX_EXCLUSIVE);
	theirs = open_box(other, "INBOX", 0);
	TEST("another removes one", mailbox_expunge(theirs, &first, 1, NULL,
	    NULL) == STORE_OK);
	full = times;
	TEST("removed", mailbox_expunge_together(mb, seqs, 3) == STORE_OK &&
	    full == 0);
	mailbox_close(mb);
	TEST_STR("those that were meant", left(st), want);
	mailbox_close(theirs);
	store_close(other);
	store_close(st);
}

/* Who is told that it failed finds all of it. */
static void
test_no_sync(void)
{
	const uint32_t seqs[] = { 2, 4, 5 };
	struct store *st = fill("n");
	struct mailbox *mb;
	int i;

	for (i = 1; i <= 2; i++) {
		mb = open_box(st, "INBOX", MAILBOX_EXCLUSIVE);
		fsyncs = i;
		TEST("not removed", mailbox_expunge_together(mb, seqs, 3) !=
		    STORE_OK && fsyncs == 0);
		mailbox_close(mb);
		TEST_STR("nor later", left(st), "1 2 3 4 5 6 ");
	}
	store_close(st);
}

int
main(void)
{
	scratch_make();
	test_others(0, "3 6 ");
	test_others(1, "3 6 ");
	test_others(2, "3 6 ");
	test_no_sync();
	scratch_remove();
	TEST_DONE();
}
