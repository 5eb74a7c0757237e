/*
 * An index that cannot be trusted: each byte changed in turn, cut off, gone.
 * Never a crash, never another message under a UID that was told.  And what a
 * large mailbox costs.
 */
#include "store.h"
#include "store/cached.h"

#define LARGE	100000
#define LINKS	10000
#define FEW	5

static int
index_file(const char *path, char **data, size_t *len)
{
	struct stat st;
	int fd;

	if ((fd = openat(scratch, path, O_RDONLY)) == -1 ||
	    fstat(fd, &st) == -1)
		return (-1);
	*len = (size_t)st.st_size;
	*data = malloc(*len);
	if (read(fd, *data, *len) != (ssize_t)*len)
		return (-1);
	close(fd);
	return (0);
}

static void
index_put_file(const char *path, const char *data, size_t len)
{
	int fd;

	unlinkat(scratch, path, 0);
	fd = openat(scratch, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || write(fd, data, len) != (ssize_t)len)
		exit(1);
	close(fd);
}

/*
 * Each message has its number as its subject, and number is its UID; with
 * another UIDVALIDITY all would be new.  The bits say what is wrong.
 */
static int
check(uint32_t validity, uint32_t *missing)
{
	struct mailbox_status s;
	struct message_text t;
	struct mailbox *mb;
	struct store *st;
	uint32_t seq, uid, n = 0;
	int bad = 0;

	st = open_store("m");
	mb = open_box(st, "INBOX", 0);
	mailbox_status(mb, &s);
	if (s.uidvalidity != validity)
		bad |= 1;
	if (s.messages != FEW)
		bad |= 2;
	for (seq = 1; seq <= mailbox_count(mb); seq++) {
		uid = mailbox_message(mb, seq)->uid;
		if (mailbox_message_text(mb, seq, &t) != STORE_OK) {
			bad |= 4;
			continue;
		}
		/* "N: ..." is message N; a new UID is above all old ones. */
		if (uid <= FEW + 1 && uid != (uint32_t)(t.data[0] - '0'))
			bad |= 8;
		n += uid <= FEW + 1;
		message_text_free(&t);
	}
	if (FEW - n > *missing)
		*missing = FEW - n;
	if (mailbox_message(mb, 2)->flags != MSG_FLAGGED && n == FEW)
		bad |= 16;
	mailbox_close(mb);
	store_close(st);
	return (bad);
}

static uint32_t
prepare(void)
{
	struct mailbox_status s;
	struct mailbox *mb;
	struct store *st;
	char text[32];
	uint32_t i, uid, three = 3;

	st = open_store("m");
	for (i = 1; i <= FEW + 1; i++) {
		snprintf(text, sizeof(text), "%u: x\n\n", i);
		(void)append_text(st, "INBOX", text, 0, &uid);
	}
	mb = open_box(st, "INBOX", 0);
	(void)mailbox_store(mb, 2, FLAGS_SET, MSG_FLAGGED, 0);
	(void)mailbox_expunge(mb, &three, 1, NULL, NULL);
	mailbox_status(mb, &s);
	mailbox_close(mb);
	store_close(st);
	return (s.uidvalidity);
}

static void
test_bytes(void)
{
	char *data, name[64];
	uint32_t validity, missing = 0;
	size_t len, used, i, step;
	int bad = 0;

	validity = prepare();
	if (index_file("m/postern.index", &data, &len) == -1)
		exit(1);
	TEST("before", check(validity, &missing) == 0 && missing == 0);
	/* The log's unused entries and free records need not all be tried. */
	used = 9216 + 192 * (FEW + 2);
	for (i = 0; i < used && i < len; i += step) {
		step = i >= 1088 && i < 9216 ? 37 : 1;
		data[i] ^= 0x41;
		index_put_file("m/postern.index", data, len);
		bad = check(validity, &missing);
		data[i] ^= 0x41;
		if (bad != 0) {
			snprintf(name, sizeof(name), "byte %zu: %#x", i,
			    (unsigned int)bad);
			TEST(name, 0);
			break;
		}
	}
	TEST("each byte", bad == 0);
	TEST("none gets a new UID", missing == 0);
	TEST("set aside", faccessat(scratch, "m/postern.index.bad", F_OK, 0)
	    == 0);
	for (i = 0; i < len && bad == 0; i += 613) {
		index_put_file("m/postern.index", data, i);
		bad = check(validity, &missing);
	}
	TEST("cut off", bad == 0);
	memset(data, 0, len);
	index_put_file("m/postern.index", data, len);
	TEST("zeroes", check(validity, &missing) == 0);
	unlinkat(scratch, "m/postern.index", 0);
	TEST("gone", check(validity, &missing) == 0 && missing == 0);
	unlinkat(scratch, "m/postern.index", 0);
	unlinkat(scratch, "m/postern.lock", 0);
	TEST("lock gone too", check(validity, &missing) == 0 && missing == 0);
	unlinkat(scratch, "m/postern.index", 0);
	TEST("link put", symlinkat("/etc/passwd", scratch,
	    "m/postern.index") == 0);
	TEST("link", check(validity, &missing) == 0);
	free(data);
}

/* While sessions have it open. */
static void
test_open(void)
{
	struct mailbox *mb;
	struct store *st;
	struct told t;
	char *data;
	uint32_t uid;
	size_t len, i;
	int fd;

	st = open_store("o");
	for (i = 0; i < 3; i++)
		(void)append_text(st, "INBOX", "a: b\n\n", MSG_SEEN, &uid);
	mb = open_box(st, "INBOX", 0);
	/* A record's changing half, under our mapping. */
	fd = openat(scratch, "o/postern.index", O_RDWR);
	TEST("torn", pwrite(fd, "\377", 1, 9216 + 192 + 56 + 17) == 1);
	TEST("torn is read", mailbox_message(mb, 2)->uid == 2);
	(void)sync_told(mb, 0, &t);
	TEST("torn is mended", mailbox_message(mb, 2)->flags == (MSG_SEEN |
	    MSG_RECENT));
	close(fd);
	/* A record that no session has looked at yet, and one asks for it. */
	mailbox_close(mb);
	store_close(st);
	st = open_store("o");
	mb = open_box(st, "INBOX", 0);
	fd = openat(scratch, "o/postern.index", O_RDWR);
	TEST("damaged", pwrite(fd, "\377", 1, 9216 + 192 + 10) == 1);
	close(fd);
	TEST("rebuilt", mailbox_store(mb, 2, FLAGS_ADD, MSG_FLAGGED, 0) ==
	    STORE_OK && mailbox_message(mb, 2)->uid == 2 &&
	    mailbox_message(mb, 3)->uid == 3 &&
	    mailbox_message(mb, 2)->flags == (MSG_SEEN | MSG_FLAGGED));
	TEST("nothing lost", strpbrk(sync_told(mb, 0, &t), "-=") == NULL);
	/* Replaced by another process that rebuilt it. */
	(void)index_file("o/postern.index", &data, &len);
	index_put_file("o/postern.index", data, len);
	(void)append_text(st, "INBOX", "a: c\n\n", 0, &uid);
	TEST_STR("replaced", sync_told(mb, 0, &t), "=4/1 ");
	free(data);
	mailbox_close(mb);
	store_close(st);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

static void
test_large(void)
{
	struct mailbox *mb;
	struct store *st;
	char path[64], first[64];
	uint32_t *seqs, i, n = 0;
	double t0, t1;

	st = open_store("l");
	for (i = 0; i < LARGE; i++) {
		/* Many names, few files: it is the names that are read. */
		if (i % LINKS == 0) {
			snprintf(first, sizeof(first), "l/tmp/%u", i);
			put_file(first, "a:b\n");
		}
		snprintf(path, sizeof(path), "l/cur/%u.x.host,S=4,W=5:2,S",
		    1000000000 + i);
		if (linkat(scratch, first, scratch, path, 0) == -1)
			break;
	}
	t0 = now();
	mb = open_box(st, "INBOX", 0);
	t1 = now();
	fprintf(stderr, "adopt %u: %.3f s\n", LARGE, t1 - t0);
	TEST("large adopted", mailbox_count(mb) == LARGE && t1 - t0 < 30);
	mailbox_close(mb);
	store_close(st);
	st = open_store("l");
	t0 = now();
	mb = open_box(st, "INBOX", 0);
	t1 = now();
	fprintf(stderr, "open %u: %.3f s\n", LARGE, t1 - t0);
	TEST("large opened", mailbox_count(mb) == LARGE && t1 - t0 < 2);
	t0 = now();
	for (i = 0; i < 1000; i++) {
		n += mailbox_store(mb, 1 + i * 7, FLAGS_ADD, MSG_FLAGGED, 0)
		    == STORE_OK;
		n += mailbox_sync(mb, 0, NULL, NULL) == STORE_OK;
	}
	t1 = now();
	fprintf(stderr, "1000 flags: %.3f s\n", t1 - t0);
	TEST("store costs nothing", n == 2000 && t1 - t0 < 5);
	/* Expunging nearly all makes the index small again. */
	seqs = calloc(LARGE, sizeof(*seqs));
	for (i = 0; i < LARGE - 10; i++)
		seqs[i] = i + 1;
	t0 = now();
	TEST("expunge many", mailbox_expunge(mb, seqs, LARGE - 10, NULL, NULL)
	    == STORE_OK && mailbox_count(mb) == 10 &&
	    mailbox_message(mb, 10)->uid == LARGE);
	t1 = now();
	fprintf(stderr, "expunge %u: %.3f s\n", LARGE - 10, t1 - t0);
	(void)mailbox_sync(mb, 0, NULL, NULL);
	TEST("compacted", mailbox_store(mb, 10, FLAGS_SET, 0, 0) == STORE_OK &&
	    mailbox_count(mb) == 10);
	free(seqs);
	mailbox_close(mb);
	store_close(st);
}

static void
cut_file(const char *path, off_t len)
{
	int fd = openat(scratch, path, O_WRONLY);

	if (fd == -1 || ftruncate(fd, len) == -1)
		exit(1);
	close(fd);
}

/* How many of the messages are what they were, by number and UID. */
static uint32_t
same(struct mailbox *mb, const uint32_t *uids)
{
	const struct store_message *m;
	uint32_t seq, n = 0;

	for (seq = 1; seq <= FEW; seq++)
		n += (m = mailbox_message(mb, seq)) != NULL && !m->gone &&
		    m->uid == uids[seq - 1];
	return (n);
}

/*
 * Cut by others while it is in use, at any place: what we look at first is
 * the record, the directory, or what we are going to write.
 */
static void
test_cut(const char *dir, int how)
{
	struct store *st = open_store(dir), *other;
	struct mailbox *mb, *again;
	struct store_cached c;
	struct stat sb;
	uint32_t uids[FEW], uid, seq;
	char index[64], cache[64];
	off_t len;
	int ok = 1;

	snprintf(index, sizeof(index), "%s/postern.index", dir);
	snprintf(cache, sizeof(cache), "%s/postern.cache", dir);
	for (seq = 0; seq < FEW + 1; seq++)
		(void)append_text(st, "INBOX", "Subject: a\n\nb\n", 0, &uid);
	mb = open_box(st, "INBOX", 0);
	seq = 2;
	(void)mailbox_expunge(mb, &seq, 1, NULL, NULL);
	mailbox_close(mb);
	(void)fstatat(scratch, index, &sb, 0);
	for (len = 0; len < sb.st_size && ok; len += 1000) {
		mb = open_box(st, "INBOX", 0);
		for (seq = 1; seq <= FEW; seq++) {
			uids[seq - 1] = mailbox_message(mb, seq)->uid;
			(void)mailbox_cached(mb, seq, CACHED_ALL, &c);
		}
		cut_file(index, len);
		cut_file(cache, len / 100);
		if (how == 1)
			ok = mailbox_sync(mb, 0, NULL, NULL) == STORE_OK;
		if (how == 2)
			ok = mailbox_store(mb, 1, FLAGS_ADD, MSG_SEEN, 0) ==
			    STORE_OK;
		ok = ok && same(mb, uids) == FEW &&
		    mailbox_cached(mb, FEW, CACHED_ALL, &c) == STORE_OK;
		other = open_store(dir);
		again = open_box(other, "INBOX", 0);
		ok = ok && mailbox_sync(mb, 0, NULL, NULL) == STORE_OK &&
		    mailbox_count(mb) == FEW && same(mb, uids) == FEW &&
		    mailbox_count(again) == FEW && same(again, uids) == FEW;
		mailbox_close(again);
		store_close(other);
		mailbox_close(mb);
		if (!ok)
			printf("# how %d, cut to %ld\n", how, (long)len);
	}
	TEST("cut while in use", ok);
	store_close(st);
}

int
main(void)
{
	scratch_make();
	test_bytes();
	test_open();
	test_large();
	test_cut("cut0", 0);
	test_cut("cut1", 1);
	test_cut("cut2", 2);
	scratch_remove();
	TEST_DONE();
}
