/*
 * index_old: an index of the version before ours.
 *
 * There a record's dates did not change, and the header knew neither dense
 * nor unseenlow.  Each record keeps its slot, and so the log its meaning: no
 * UID, date, EMAILID or mod-sequence is lost.  Cost: a copy, once a mailbox.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "store/hash.h"
#include "store/index_map.h"
#include "store/index_old.h"
#include "store/info.h"

#define OLD_MAGIC	"PSTNIDX1"
#define OLD_ORDER	0x01020302

/* Its header is as ours before this, which it has here. */
#define OLD_TAIL	offsetof(struct index_header, unseenlow)
struct old_tail {
	unsigned char	 id[16];
	uint64_t	 sum;
};

struct old_mut {
	uint64_t	 modseq;
	uint64_t	 size;
	uint64_t	 cache;
	uint32_t	 keywords;
	uint8_t		 flags;
	uint8_t		 state;
	uint8_t		 text;
	uint8_t		 unused;
};

struct old_fix {
	uint32_t	 uid;
	uint32_t	 uidvalidity;
	uint64_t	 fsize;
	int64_t		 internal;
	int64_t		 saved;
	uint64_t	 emailid;
	uint16_t	 namelen;
	uint16_t	 unused[3];
};

struct old_record {
	uint64_t	 sum;
	struct old_fix	 fix;
	struct old_mut	 mut;
	uint64_t	 mutsum;
	char		 name[RECORD_NAME];	/* and the next slot */
};

_Static_assert(sizeof(struct old_record) == RECORD_SIZE, "old record");

static int old_header(const struct index *, struct index_header *);
static int old_copy(const struct index *, struct index *);
static const struct old_record *old_record(const struct index *, uint32_t,
    uint32_t);
static int old_put(const struct old_record *, struct index *, uint32_t *);

int
index_from_old(struct index *to, int dirfd, const char *file,
    const char *fresh)
{
	struct index from;
	struct index_header h;
	int save, ret = -1;

	if (index_open_damaged(&from, dirfd, file) == -1)
		return (-1);
	if (old_header(&from, &h) == -1)
		errno = EBADMSG;
	else if (index_create(to, dirfd, fresh, &h) == 0) {
		to->hdr.boot = h.boot;
		ret = old_copy(&from, to);
		save = errno;
		if (ret == -1) {
			index_close(to);
			(void)unlinkat(dirfd, fresh, 0);
		}
		errno = save;
	}
	save = errno;
	index_close(&from);
	errno = save;
	return (ret);
}

/* The newer of the valid headers. */
static int
old_header(const struct index *ix, struct index_header *out)
{
	struct index_header h = { 0 };
	struct old_tail tail;
	const unsigned char *p;
	int i, found = 0;

	for (i = 0; i < 2; i++) {
		p = ix->map + i * HEADER_ROOM;
		memcpy(&h, p, OLD_TAIL);
		memcpy(&tail, p + OLD_TAIL, sizeof(tail));
		if (tail.sum != hash_bytes(p, OLD_TAIL +
		    offsetof(struct old_tail, sum)) ||
		    memcmp(h.magic, OLD_MAGIC, sizeof(h.magic)) != 0 ||
		    h.order != OLD_ORDER || h.recsize != RECORD_SIZE ||
		    h.slots > ix->cap || h.uidvalidity == 0 || h.uidnext == 0)
			continue;
		memcpy(h.id, tail.id, sizeof(h.id));
		h.dense = 0;
		if (found++ == 0 || h.gen > out->gen)
			*out = h;
	}
	return (found > 0 ? 0 : -1);
}

/* If a writer was killed there may be whole records behind the last one. */
static int
old_copy(const struct index *from, struct index *to)
{
	const struct old_record *r;
	struct index_header *h = &to->hdr;
	uint32_t s = 0, end = h->busy ? from->cap : h->slots;

	while (s < end && (r = old_record(from, s, h->uidvalidity)) != NULL)
		if (old_put(r, to, &s) == -1)
			return (-1);
	if (s < h->slots) {
		errno = EBADMSG;
		return (-1);
	}
	memcpy(to->map + RING_OFFSET, from->map + RING_OFFSET,
	    RING_ENTRIES * sizeof(struct index_change));
	if (!h->busy)
		index_advance(to, UINT32_MAX);
	index_publish(to);
	index_publish(to);
	return (0);
}

/* NULL if it is not whole. */
static const struct old_record *
old_record(const struct index *ix, uint32_t slot, uint32_t uidvalidity)
{
	const struct old_record *r;
	size_t len;

	r = (const struct old_record *)(const void *)(ix->map +
	    RECORD_OFFSET + (size_t)slot * RECORD_SIZE);
	len = r->fix.namelen;
	if (r->fix.uid == 0 || r->fix.uidvalidity != uidvalidity || len == 0 ||
	    len > INFO_BASE_MAX || (len > RECORD_NAME && slot + 1 >= ix->cap))
		return (NULL);
	return (r->sum == hash_bytes(&r->fix, sizeof(r->fix)) * 3 +
	    hash_bytes((const char *)r + offsetof(struct old_record, name),
	    len) ? r : NULL);
}

static int
old_put(const struct old_record *r, struct index *to, uint32_t *end)
{
	struct index_fix fix = { .uid = r->fix.uid,
	    .uidvalidity = r->fix.uidvalidity, .fsize = r->fix.fsize,
	    .emailid = r->fix.emailid, .namelen = r->fix.namelen };
	struct index_mut mut = { .modseq = r->mut.modseq,
	    .size = r->mut.size, .cache = r->mut.cache,
	    .internal = r->fix.internal, .saved = r->fix.saved,
	    .keywords = r->mut.keywords, .flags = r->mut.flags,
	    .state = r->mut.state, .text = r->mut.text };
	uint32_t slot = *end;

	if (index_put(to, end, &fix, (const char *)r +
	    offsetof(struct old_record, name), &mut) == -1)
		return (-1);
	/* What was torn there stays so; whoever reads it mends it. */
	if (r->mutsum != hash_bytes(&r->mut, sizeof(r->mut)))
		index_record(to, slot)->mutsum++;
	return (0);
}
