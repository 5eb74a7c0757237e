/*
 * An index of the version before ours: nothing that a client was told of its
 * messages is another thing afterwards.
 */
#include "store.h"
#include "store/hash.h"
#include "store/index_map.h"

#define OLD_ORDER	0x01020302
#define ALL		32
#define LONG "name.that.is.so.long.that.it.takes.a.second.slot.of.the.index." \
		"as.names.of.others.may.do.if.their.hosts.have.names.like.that"

struct old_record {
	uint64_t	 sum;
	struct {
		uint32_t uid, uidvalidity;
		uint64_t fsize;
		int64_t	 internal, saved;
		uint64_t emailid;
		uint16_t namelen, unused[3];
	}		 fix;
	struct {
		uint64_t modseq, size, cache;
		uint32_t keywords;
		uint8_t	 flags, state, text, unused;
	}		 mut;
	uint64_t	 mutsum;
	char		 name[RECORD_NAME];
};

struct was {
	struct mailbox_status	 status;
	struct store_message	 m[ALL];
	uint32_t		 n;
};

static void
old_record(const struct index_record *r, struct old_record *o)
{
	size_t len = r->fix.namelen;

	o->fix.uid = r->fix.uid;
	o->fix.uidvalidity = r->fix.uidvalidity;
	o->fix.fsize = r->fix.fsize;
	o->fix.internal = r->mut.internal;
	o->fix.saved = r->mut.saved;
	o->fix.emailid = r->fix.emailid;
	o->fix.namelen = r->fix.namelen;
	o->mut.modseq = r->mut.modseq;
	o->mut.size = r->mut.size;
	o->mut.cache = r->mut.cache;
	o->mut.keywords = r->mut.keywords;
	o->mut.flags = r->mut.flags;
	o->mut.state = r->mut.state;
	o->mut.text = r->mut.text;
	o->mutsum = hash_bytes(&o->mut, sizeof(o->mut));
	memcpy((char *)o + offsetof(struct old_record, name),
	    index_record_name(r), len);
	o->sum = hash_bytes(&o->fix, sizeof(o->fix)) * 3 +
	    hash_bytes((char *)o + offsetof(struct old_record, name), len);
}

static void
old_header(const struct index_header *h, int busy, unsigned char *to)
{
	struct index_header old = *h;
	size_t tail = offsetof(struct index_header, unseenlow);
	uint64_t sum;

	old.order = OLD_ORDER;
	old.busy = (uint32_t)busy;
	old.dense = 0;
	memcpy(to, &old, tail);
	memcpy(to + tail, h->id, sizeof(h->id));
	sum = hash_bytes(to, tail + sizeof(h->id));
	memcpy(to + tail + sizeof(h->id), &sum, sizeof(sum));
}

/* Write it as the version before did. */
static void
make_old(int busy)
{
	struct index ix;
	unsigned char *data;
	uint32_t s;
	int fd;

	if (index_open(&ix, scratch, "m/postern.index") == -1 ||
	    (data = calloc(1, ix.maplen)) == NULL)
		exit(1);
	memcpy(data + RING_OFFSET, ix.map + RING_OFFSET, RING_ENTRIES *
	    sizeof(struct index_change));
	for (s = 0; s < ix.hdr.slots; s = index_next(&ix, s))
		old_record(index_record(&ix, s), (struct old_record *)(void *)
		    (data + RECORD_OFFSET + s * sizeof(struct old_record)));
	old_header(&ix.hdr, busy, data);
	old_header(&ix.hdr, busy, data + HEADER_ROOM);
	(void)unlinkat(scratch, "m/postern.index", 0);
	fd = openat(scratch, "m/postern.index", O_WRONLY | O_CREAT, 0600);
	if (fd == -1 || write(fd, data, ix.maplen) != (ssize_t)ix.maplen)
		exit(1);
	close(fd);
	free(data);
	index_close(&ix);
}

/* What the files would say now is not what was told. */
static void
touch_all(void)
{
	static const struct timespec times[2] = { { 5, 0 }, { 5, 0 } };
	struct dirent *e;
	DIR *dir;
	int fd;

	if ((fd = openat(scratch, "m/cur", O_RDONLY | O_DIRECTORY)) == -1 ||
	    (dir = fdopendir(fd)) == NULL)
		exit(1);
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && utimensat(fd, e->d_name, times, 0)
		    == -1)
			exit(1);
	closedir(dir);
}

static void
look(struct was *w)
{
	const struct store_message *m;
	struct store *st = open_store("m");
	struct mailbox *mb = open_box(st, "INBOX", 0);
	uint32_t i;

	mailbox_status(mb, &w->status);
	w->n = mailbox_count(mb);
	for (i = 0; i < w->n && i < ALL; i++) {
		m = mailbox_facts(mb, i + 1, FACT_SIZE | FACT_DATES);
		w->m[i] = *m;
		w->m[i].flags &= ~(uint32_t)MSG_RECENT;
	}
	mailbox_close(mb);
	store_close(st);
}

static void
prepare(void)
{
	struct mailbox *mb;
	struct store *st;
	uint32_t uid, seq = 2, uids[1];

	st = open_store("m");
	put_file("m/cur/1000.a.host:2,S", "a: b\n");
	put_file("m/cur/1001." LONG ":2,F", "a: c\n");
	put_file("m/cur/1002.c.host,S=5,W=6:2,a", "a: d\n");
	(void)append_text(st, "INBOX", "a: e\n\n", MSG_FLAGGED, &uid);
	(void)append_text(st, "INBOX", "a: f\n\n", 0, &uid);
	(void)deliver(st, "INBOX", "q1", "a: g\n\n", 0);
	mb = open_box(st, "INBOX", 0);
	TEST("copy", mailbox_copy(mb, &seq, 1, "INBOX", uids, &uid) ==
	    STORE_OK);
	seq = 5;
	TEST("expunge", mailbox_expunge(mb, &seq, 1, NULL, NULL) == STORE_OK);
	TEST("store", mailbox_store(mb, 1, FLAGS_ADD, MSG_ANSWERED, 0) ==
	    STORE_OK);
	mailbox_close(mb);
	store_close(st);
}

static void
compare(const char *name, const struct was *a, const struct was *b)
{
	char text[64];
	uint32_t i;
	int bad = 0;

	for (i = 0; i < a->n && i < ALL; i++)
		bad += memcmp(&a->m[i], &b->m[i], sizeof(a->m[i])) != 0;
	snprintf(text, sizeof(text), "%s: messages", name);
	TEST(text, a->n == 6 && b->n == a->n && bad == 0);
	snprintf(text, sizeof(text), "%s: mailbox", name);
	TEST(text, b->status.uidvalidity == a->status.uidvalidity &&
	    b->status.uidnext == a->status.uidnext &&
	    b->status.unseen == a->status.unseen &&
	    b->status.first_unseen == a->status.first_unseen &&
	    b->status.highestmodseq == a->status.highestmodseq &&
	    strcmp(b->status.id, a->status.id) == 0);
}

/* By an administrator. */
static void
test_rebuild(const struct was *a)
{
	struct was b = { .n = 0 };
	struct store *st = open_store("m");
	uint32_t i;
	int bad = 0;

	TEST("rebuild", store_rebuild(st, "INBOX") == STORE_OK);
	store_close(st);
	look(&b);
	for (i = 0; i < a->n && i < ALL; i++)
		bad += a->m[i].uid != b.m[i].uid ||
		    a->m[i].emailid != b.m[i].emailid ||
		    a->m[i].saved != b.m[i].saved;
	TEST("a copy is still the same message", b.n == a->n && bad == 0);
}

/* How many have the UID of a message that was another. */
static int
others(const struct was *a, const struct was *b)
{
	uint32_t i, j;
	int n = 0;

	for (i = 0; i < b->n && i < ALL; i++)
		for (j = 0; j < a->n && j < ALL; j++)
			n += a->m[j].uid == b->m[i].uid &&
			    (a->m[j].flags != b->m[i].flags ||
			    a->m[j].keywords != b->m[i].keywords);
	return (n);
}

int
main(void)
{
	struct was a = { .n = 0 }, b = { .n = 0 };
	int fd;

	scratch_make();
	prepare();
	look(&a);
	look(&a);
	test_rebuild(&a);
	look(&a);
	make_old(0);
	touch_all();
	look(&b);
	compare("before", &a, &b);
	TEST("set aside", faccessat(scratch, "m/postern.index.bad", F_OK, 0)
	    == 0);
	make_old(1);
	look(&b);
	compare("a writer was killed", &a, &b);
	/* With a damaged record only what the files say is left. */
	make_old(0);
	fd = openat(scratch, "m/postern.index", O_RDWR);
	TEST("damaged", pwrite(fd, "\377", 1, RECORD_OFFSET + RECORD_SIZE + 10)
	    == 1);
	close(fd);
	look(&b);
	TEST("UIDs of ours", b.n == a.n &&
	    b.status.uidvalidity == a.status.uidvalidity);
	TEST("never another's", others(&a, &b) == 0);
	TEST("mod-sequences go on", b.status.highestmodseq >
	    a.status.highestmodseq);
	scratch_remove();
	TEST_DONE();
}
