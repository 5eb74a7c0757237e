/*
 * A copy, a move and an append of several messages, with the process killed
 * before each of their calls in turn, and with each of them failing once: all
 * of it or nothing, and of a move each message here or there.
 */
#include <dlfcn.h>

#include "store.h"

#define SEVERAL		3

static int calls;	/* until something happens */
static int failing;	/* it is an error, of links and renames; not a kill */

static int
step(int may_fail)
{
	if ((failing && !may_fail) || calls == 0 || --calls > 0)
		return (0);
	if (failing) {
		errno = EXDEV;
		return (-1);
	}
	return (kill(getpid(), SIGKILL));
}

int
linkat(int a, const char *from, int b, const char *to, int flags)
{
	int (*real)(int, const char *, int, const char *, int);

	*(void **)&real = dlsym(RTLD_NEXT, "linkat");
	return (step(1) == -1 ? -1 : real(a, from, b, to, flags));
}

int
renameat(int a, const char *from, int b, const char *to)
{
	int (*real)(int, const char *, int, const char *);

	*(void **)&real = dlsym(RTLD_NEXT, "renameat");
	return (step(1) == -1 ? -1 : real(a, from, b, to));
}

int
unlinkat(int a, const char *name, int flags)
{
	int (*real)(int, const char *, int);

	*(void **)&real = dlsym(RTLD_NEXT, "unlinkat");
	return (step(0) == -1 ? -1 : real(a, name, flags));
}

int
fsync(int fd)
{
	int (*real)(int);

	*(void **)&real = dlsym(RTLD_NEXT, "fsync");
	return (step(0) == -1 ? -1 : real(fd));
}

int
fdatasync(int fd)
{
	int (*real)(int);

	*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	return (step(0) == -1 ? -1 : real(fd));
}

static enum store_error
append_several(struct store *st, const char *name)
{
	struct append *a[SEVERAL];
	uint32_t uids[SEVERAL], validity;
	int i;

	for (i = 0; i < SEVERAL; i++)
		if (append_begin(st, name, 1, 0, NULL, &a[i]) != STORE_OK ||
		    append_write(a[i], "a: b\n\nc\n", 8) != STORE_OK)
			return (STORE_SYS);
	return (append_commit(a, SEVERAL, uids, &validity));
}

static enum store_error
work(struct store *st, char what)
{
	const uint32_t seqs[SEVERAL] = { 1, 2, 3 };
	uint32_t uids[SEVERAL], validity;
	struct mailbox *mb;
	enum store_error error;

	if (what == 'a')
		return (append_several(st, "To"));
	mb = open_box(st, "From", 0);
	error = what == 'c' ?
	    mailbox_copy(mb, seqs, SEVERAL, "To", uids, &validity) :
	    mailbox_move(mb, seqs, SEVERAL, "To", uids, &validity, NULL, NULL);
	mailbox_close(mb);
	return (error);
}

/* How many there are, which the files have to confirm. */
static int
count(struct store *st, const char *name)
{
	struct mailbox *mb = open_box(st, name, 0);
	struct message_text text;
	char path[64];
	uint32_t seq, n = mailbox_count(mb);
	int bad = 0;

	for (seq = 1; seq <= n; seq++) {
		bad |= mailbox_message_text(mb, seq, &text) != STORE_OK;
		message_text_free(&text);
	}
	mailbox_close(mb);
	snprintf(path, sizeof(path), "m/.%s/cur", name);
	return (bad || count_files(path) != (int)n ? -1 : (int)n);
}

static void
empty(struct store *st, const char *name)
{
	struct mailbox *mb = open_box(st, name, 0);
	uint32_t seq = 1;

	while (mailbox_count(mb) > 0 &&
	    mailbox_expunge(mb, &seq, 1, NULL, NULL) == STORE_OK)
		continue;
	mailbox_close(mb);
}

/* 1 if it came to its end before anything happened. */
static int
run(struct store *st, char what, int k)
{
	pid_t pid;
	int status;

	if ((pid = fork()) == 0) {
		st = open_store("m");
		calls = k;
		_exit(work(st, what) == STORE_OK ? (calls > 0) :
		    2 + (calls > 0));
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		return (0);
	if (WEXITSTATUS(status) > 1)
		return (-1);
	return (WEXITSTATUS(status));
}

static void
test_steps(char what, const char *name)
{
	struct store *st = open_store("m");
	char text[64];
	int k, from, to, ended = 0, ok = 1;

	for (k = 1; k < 100 && !ended && ok; k++) {
		empty(st, "From");
		empty(st, "To");
		if (append_several(st, "From") != STORE_OK)
			ok = 0;
		ended = run(st, what, k);
		from = count(st, "From");
		to = count(st, "To");
		ok &= ended != -1 && from >= 0 && to >= 0 &&
		    (what == 'm' ? from + to == SEVERAL : to % SEVERAL == 0);
		/* Failing once, it is done in another way. */
		if (ended || (failing && what != 'a'))
			ok &= to == SEVERAL;
	}
	snprintf(text, sizeof(text), "%s%s, %d steps", name, failing ?
	    " with an error" : "", k - 1);
	TEST(text, ok && ended == 1 && k > 3);
	store_close(st);
}

int
main(void)
{
	struct store *st;

	scratch_make();
	st = open_store("m");
	(void)store_create(st, "From");
	(void)store_create(st, "To");
	store_close(st);
	test_steps('c', "copy");
	test_steps('m', "move");
	test_steps('a', "append");
	failing = 1;
	test_steps('c', "copy");
	test_steps('m', "move");
	scratch_remove();
	TEST_DONE();
}
