/*
 * An mbox whose writer is killed, has no room or loses power at each of its
 * writes in turn, also while it finishes what another began: afterwards there
 * is the old text or the new one, each message whole and once, and what another
 * program added meanwhile.
 *
 * The code under test is compiled in here, with its system calls replaced.
 */
#include "store.h"

enum fate { LIVE, KILLED, HALF, FULL, POWER };

static ssize_t	test_pwrite(int, const void *, size_t, off_t);
static int	test_ftruncate(int, off_t);
static int	test_fdatasync(int);

#define pwrite		test_pwrite
#define ftruncate	test_ftruncate
#define fdatasync	test_fdatasync
#include "store/mboxwrite.c"
#undef pwrite
#undef ftruncate
#undef fdatasync

#define SEEDS		6		/* power cuts at each call */
#define OPS		64
#define IMAGE		(1 << 18)
#define PLACES		"spool/box"

/* What has not been synced; data is NULL for a change of the length. */
static struct op {
	char	*data;
	size_t	 len;
	off_t	 off;
}		 ops[OPS];
static int	 nops;
static char	 synced[IMAGE];
static size_t	 syncedlen;
static int	 calls, fatal_call = -1;
static enum fate fate;
static size_t	 room;			/* until the disk is full */
static int	 was_full;

static int	 box;

/* The disk after a power cut: any of what was not synced. */
static void
power_cut(int fd)
{
	static char image[IMAGE];
	size_t len = syncedlen, i, s, a, b;
	int n, until;

	memcpy(image, synced, sizeof(image));
	for (s = 0; s < IMAGE; s += 512) {
		until = (int)(random() % (nops + 1));
		for (n = 0; n < until; n++) {
			a = (size_t)ops[n].off;
			b = a + ops[n].len;
			for (i = s; ops[n].data != NULL && i < s + 512; i++)
				if (i >= a && i < b)
					image[i] = ops[n].data[i - a];
		}
	}
	until = (int)(random() % (nops + 1));
	for (n = 0; n < until; n++) {
		b = (size_t)ops[n].off + ops[n].len;
		if (ops[n].data == NULL || b > len)
			len = b;
	}
	if (ftruncate(fd, 0) == -1 || pwrite(fd, image, len, 0) !=
	    (ssize_t)len)
		_exit(3);
	_exit(0);
}

/* 1 if this call is to fail. */
static int
count(int fd)
{
	if (calls++ != fatal_call)
		return (0);
	if (fate == POWER)
		power_cut(fd);
	if (fate == KILLED)
		_exit(0);
	if (fate == FULL) {
		fatal_call++;		/* and so on */
		was_full = 1;
		errno = ENOSPC;
		return (1);
	}
	return (0);
}

static void
remember(const void *data, size_t len, off_t off)
{
	struct op *op = &ops[nops++];

	if (nops == OPS || len + (size_t)off > IMAGE)
		_exit(4);
	op->off = off;
	op->len = len;
	if ((op->data = data == NULL ? NULL : malloc(len + 1)) != NULL)
		memcpy(op->data, data, len);
}

static ssize_t
test_pwrite(int fd, const void *data, size_t len, off_t off)
{
	size_t half;

	/* What is there takes no room. */
	if ((fate != FULL || (size_t)off + len > room) && count(fd))
		return (-1);
	if (fate == HALF && calls - 1 == fatal_call) {
		half = ((size_t)off + len / 2) / 512 * 512;
		if (half > (size_t)off && pwrite(fd, data, half - (size_t)off,
		    off) == -1)
			_exit(3);
		_exit(0);
	}
	remember(data, len, off);
	return (pwrite(fd, data, len, off));
}

static int
test_ftruncate(int fd, off_t len)
{
	if (fate != FULL)
		(void)count(fd);
	remember(NULL, 0, len);
	return (ftruncate(fd, len));
}

static int
test_fdatasync(int fd)
{
	if (fate != FULL)
		(void)count(fd);
	nops = 0;
	syncedlen = (size_t)pread(fd, synced, sizeof(synced), 0);
	memset(synced + syncedlen, 0, sizeof(synced) - syncedlen);
	return (0);
}

/* The messages. */

static void
add_message(int number, const char *head, size_t size)
{
	char line[128];
	size_t i;
	FILE *f;
	int fd;

	fd = openat(scratch, PLACES, O_WRONLY | O_APPEND);
	if (fd == -1 || (f = fdopen(fd, "a")) == NULL)
		exit(2);
	fprintf(f, "From a@b Thu Jan  1 00:00:%02d 1970\nSubject: %d\n%s\n",
	    number % 60, number, head);
	snprintf(line, sizeof(line), "this is the text of number %d\n", number);
	for (i = 0; i < size; i += strlen(line))
		fputs(line, f);
	fprintf(f, "end of %d\n\n", number);
	if (fclose(f) != 0)
		exit(2);
}

/* Is the message the one that its subject says, all of it? */
static int
number_of(const struct mbox_text *t, const struct mbox_message *m)
{
	char line[64], *text;
	const char *p, *end;
	int number, ok;

	if ((text = malloc(m->size + 1)) == NULL)
		exit(2);
	mboxtext_export(t, m, text);
	text[m->size] = '\0';
	p = strstr(text, "Subject: ");
	number = p == NULL ? -1 : atoi(p + 9);
	snprintf(line, sizeof(line), "this is the text of number %d\r\n",
	    number);
	end = text + m->size;
	ok = (p = strstr(text, "\r\n\r\n")) != NULL;
	for (p += 4; ok && p < end && strncmp(p, "end of", 6) != 0;
	    p += strlen(line))
		ok = strncmp(p, line, strlen(line)) == 0;
	snprintf(line, sizeof(line), "end of %d\r\n", number);
	ok = ok && strcmp(p, line) == 0;
	free(text);
	return (ok ? number : -1);
}

/* "UID:NUMBER:FLAGS ..." of the file as it is meant. */
static const char *
meaning(int with_flags)
{
	static char out[2][8192];
	static int which;
	struct mbox_text t = { 0 };
	char *p = out[which ^= 1];
	size_t i, n = 0;

	p[0] = '\0';
	if ((t.data = mboxwrite_read(box, IMAGE, &t.len)) == NULL ||
	    mboxtext_parse(&t) == -1)
		snprintf(p, sizeof(out[0]), "unreadable: %s", strerror(errno));
	else if (t.len > 0) {
		(void)mboxtext_number(&t, 1);
		n = (size_t)snprintf(p, sizeof(out[0]), "%u %u ",
		    t.uidvalidity == 1 ? 0 : 1, t.uidnext);
		for (i = 0; i < t.n && n < sizeof(out[0]) - 64; i++)
			n += (size_t)snprintf(p + n, sizeof(out[0]) - n,
			    "%u:%d:%x ", t.list[i].uid, number_of(&t,
			    &t.list[i]), with_flags ? t.list[i].flags : 0);
	}
	mboxtext_free(&t);
	return (p);
}

/* What is done to it. */

static struct store *
open_mbox(void)
{
	const struct store_settings set = { .user = "test",
	    .hostname = "host.example", .mbox = 1 };
	struct store *st;

	if (store_open(&st, scratch, PLACES, &set, 0) != STORE_OK)
		_exit(5);
	return (st);
}

static void
expunge(uint32_t first, uint32_t last)
{
	uint32_t seqs[16], n = 0;
	struct mailbox *mb = open_box(open_mbox(), "INBOX", 0);

	for (; first <= last && first <= mailbox_count(mb); first++)
		seqs[n++] = first;
	if ((mailbox_expunge(mb, seqs, n, NULL, NULL) == STORE_OK) == was_full)
		_exit(7);
}

static void
expunge_first(void)
{
	expunge(1, 1);
}

static void
expunge_middle(void)
{
	expunge(3, 5);
}

static void
expunge_last(void)
{
	expunge(8, 8);
}

static void
expunge_all(void)
{
	expunge(1, 16);
}

static void
flags(uint32_t first, uint32_t last)
{
	struct store *st = open_mbox();
	struct mailbox *mb = open_box(st, "INBOX", 0);

	for (; first <= last; first++)
		(void)mailbox_store(mb, first, FLAGS_SET, MSG_SEEN |
		    MSG_DELETED, 0);
	(void)store_flush(st);
}

static void
flags_one(void)
{
	flags(4, 4);
}

static void
flags_all(void)
{
	flags(1, 8);
}

static void
number(void)
{
	(void)open_box(open_mbox(), "INBOX", 0);
}

static void
append(void)
{
	struct store *st = open_mbox();
	char text[128];
	struct append *a[2];
	uint32_t uids[2], validity;
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "Subject: %d\n\nthis is the text "
		    "of number %d\nend of %d\n", 50 + i, 50 + i, 50 + i);
		if (append_begin(st, "INBOX", 1, 0, NULL, &a[i]) != STORE_OK)
			_exit(5);
		(void)append_write(a[i], text, strlen(text));
	}
	if ((append_commit(a, 2, uids, &validity) == STORE_OK) == was_full)
		_exit(7);
}

#define NEW	0x01		/* three messages without UIDs are there */
#define EMPTY	0x02
#define SOME	0x04		/* flags may be changed in some */
#define AGAIN	0x08		/* who finishes it is killed, too */

static const struct deed {
	const char	*name;
	void		(*act)(void);
	int		 what;
} deeds[] = {
	{ "expunge first", expunge_first, AGAIN },
	{ "expunge middle", expunge_middle, 0 },
	{ "expunge last", expunge_last, 0 },
	{ "expunge all", expunge_all, 0 },
	{ "expunge with new ones", expunge_middle, NEW },
	{ "flags of one", flags_one, 0 },
	{ "flags of all", flags_all, SOME },
	{ "flags with new ones", flags_all, NEW | SOME },
	{ "number new ones", number, NEW | AGAIN },
	{ "append", append, 0 },
	{ "append to nothing", append, EMPTY | AGAIN },
};

static char	before[IMAGE];		/* the file as it is prepared */
static ssize_t	beforelen;

static void
put_back(const char *image, ssize_t len)
{
	if (ftruncate(box, 0) == -1 || pwrite(box, image, (size_t)len, 0) !=
	    len)
		exit(2);
}

static void
prepare(const struct deed *d)
{
	int i;

	put_back("", 0);
	for (i = 1; i <= 8 && (d->what & EMPTY) == 0; i++)
		add_message(i, i % 2 ? "Status: R\n" : "X-Status: F\n",
		    (size_t)(i * i * 97));
	if ((d->what & EMPTY) == 0)
		number();
	for (i = 11; i <= 13 && (d->what & NEW); i++)
		add_message(i, "To: me\n", 700);
	if ((beforelen = pread(box, before, sizeof(before), 0)) == -1)
		exit(2);
}

/* The deed, in a process that ends at that call; -1 if it did not. */
static int
victim(void (*act)(void), enum fate how, int call)
{
	int status;
	pid_t pid;

	if ((pid = fork()) == -1)
		exit(2);
	if (pid == 0) {
		/* An offset of its own. */
		box = openat(scratch, PLACES, O_RDWR);
		fate = how;
		calls = 0;
		srandom((unsigned int)(getpid() + call));
		(void)test_fdatasync(box);
		room = syncedlen;
		calls = 0;
		fatal_call = call;
		act();
		_exit(calls > call ? 0 : 1);
	}
	if (waitpid(pid, &status, 0) == -1 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) > 1) {
		printf("# %#x\n", (unsigned int)status);
		exit(2);
	}
	return (WEXITSTATUS(status) == 0 ? 0 : -1);
}

static void
finish(void)
{
	if (mboxwrite_finish(box) == -1)
		_exit(6);
}

/* "1 9 ... 9:99:0 " of "1 8 ... ": as it is with the foreign message. */
static const char *
with_foreign(const char *text)
{
	static char out[8192];
	unsigned int validity, uidnext;
	int n = 0;

	if (sscanf(text, "%u %u %n", &validity, &uidnext, &n) != 2)
		return ("0 2 1:99:0 ");
	snprintf(out, sizeof(out), "%u %u %s%u:99:0 ", validity, uidnext + 1,
	    text + n, uidnext);
	return (out);
}

static int
is_one_of(const char *now, const char *old, const char *new, int foreign)
{
	if (strcmp(now, foreign ? with_foreign(old) : old) == 0 ||
	    strcmp(now, foreign ? with_foreign(new) : new) == 0)
		return (1);
	printf("# is:  %s\n# old: %s\n# new: %s\n", now, old, new);
	return (0);
}

static int
is_plain(void)
{
	char first[MBOXREDO_STAMP];

	return (pread(box, first, sizeof(first), 0) < (ssize_t)sizeof(first) ||
	    memcmp(first, "From ", sizeof(first)) == 0);
}

/* Now it is finished; if again is set by one that is killed, first. */
static int
check_finish(const char *old, const char *new, int foreign, int flagged,
    int again)
{
	static char image[IMAGE];
	ssize_t len = pread(box, image, sizeof(image), 0);
	int i, ok = 1;

	for (i = 0; ok && again && victim(finish, KILLED, i) == 0; i++) {
		ok = is_one_of(meaning(flagged), old, new, foreign);
		if (!ok)
			printf("# finishing, call %d\n", i);
		finish();
		ok = ok && is_plain() && is_one_of(meaning(flagged), old, new,
		    foreign);
		put_back(image, len);
	}
	finish();
	return (ok && is_plain() &&
	    is_one_of(meaning(flagged), old, new, foreign));
}

static void
test_deed(const struct deed *d, enum fate how, const char *what, int foreign)
{
	char name[128], old[8192], new[8192];
	int call = 0, seed, ended = 0, flagged = (d->what & SOME) == 0, ok = 1;

	prepare(d);
	strlcpy(old, meaning(flagged), sizeof(old));
	(void)victim(d->act, LIVE, -1);
	strlcpy(new, meaning(flagged), sizeof(new));
	ok = flagged ? strcmp(old, new) != 0 || (d->what & NEW) : 1;
	for (; ok && !ended; call++)
		for (seed = 0; ok && seed < (how == POWER ? SEEDS : 1);
		    seed++) {
			put_back(before, beforelen);
			ended = victim(d->act, how, call) == -1;
			if (foreign)
				add_message(99, "To: other\n", 1500);
			ok = is_one_of(meaning(flagged), old, new, foreign) &&
			    check_finish(old, new, foreign, flagged,
			    how == KILLED && (d->what & AGAIN));
		}
	snprintf(name, sizeof(name), "%s, %s%s (%d calls)", d->name, what,
	    foreign ? ", somebody else adds" : "", call - 1);
	TEST(name, ok);
	snprintf(name, sizeof(name), "%s, %s: it was tried", d->name, what);
	TEST(name, call > 1);
}

/* What looks like a record is none where nobody has stamped the file. */
static void
test_forged(void)
{
	static const char head[] = "From a@b Thu Jan  1 00:00:00 1970\n"
	    "Subject: 1\n\n";
	static char text[8192], now[8192];
	struct mboxredo r = { .at = 1024, .old = 1000, .new = 600,
	    .from = 40 };
	size_t len = 1024 + MBOXREDO_BLOCK + 560;

	memset(text, 'x', sizeof(text));
	memcpy(text, head, sizeof(head) - 1);
	r.sum = hash_bytes(text + 1024 + MBOXREDO_BLOCK, 560);
	mboxredo_block(&r, text + 1024);
	put_back(text, (ssize_t)len);
	TEST("forged record", mboxwrite_finish(box) == 0 &&
	    pread(box, now, sizeof(now), 0) == (ssize_t)len &&
	    memcmp(now, text, len) == 0);
	mboxredo_stamp(1024, text);
	put_back(text, (ssize_t)len);
	memcpy(text, "From ", 5);
	TEST("the same with a stamp", mboxwrite_finish(box) == 0 &&
	    pread(box, now, sizeof(now), 0) == 600 &&
	    memcmp(now, text, 40) == 0 && now[40] == 'x');
	memset(text, 0, 3);
	put_back(text, (ssize_t)len);
	TEST("no mbox", mboxwrite_finish(box) == -1 && errno == EBADMSG &&
	    pread(box, now, sizeof(now), 0) == (ssize_t)len &&
	    memcmp(now, text, len) == 0);
}

int
main(void)
{
	size_t i;
	int foreign;

	scratch_make();
	mkdirat(scratch, "spool", 0700);
	box = openat(scratch, PLACES, O_RDWR | O_CREAT, 0600);
	for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		for (foreign = 0; foreign < 2; foreign++) {
			test_deed(&deeds[i], KILLED, "killed", foreign);
			test_deed(&deeds[i], HALF, "killed half way",
			    foreign);
			test_deed(&deeds[i], POWER, "power cut", foreign);
		}
		if (deeds[i].act != flags_one && deeds[i].act != flags_all)
			test_deed(&deeds[i], FULL, "disk full", 0);
	}
	test_forged();
	scratch_remove();
	TEST_DONE();
}
