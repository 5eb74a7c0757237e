/*
 * mboxredo: what an mbox holds while it is rewritten.
 *
 * An mbox cannot be replaced by a new file: other programs have it open, and
 * the directory is often not its owner's to write.  So what is to be written
 * over it is first put behind its end, together with a record; whoever finds
 * it so finishes the work (mboxwrite.c).  The file's states, and what it means
 * in each of them:
 *
 *	From ...			old text
 *	STAMP... 			old text; or new text, if it was cut
 *	STAMP... zeros			old text
 *	STAMP... zeros RECORD zeros	old text, as long as the record says
 *	STAMP... RECORD new bytes	the new text
 *	zeros, or zeros and more	nothing; or what is behind the zeros: a
 *					power cut has taken the rest
 *
 * A record counts only in a file that is stamped, where the stamp says, and if
 * the bytes behind it are those that it tells of.  The stamp stands where
 * every program that delivers writes "From ": no sender of mail can make one,
 * whatever he writes.  Other programs see that a stamped file is no mbox, and
 * leave it alone; those that add a message at its end all the same lose
 * nothing.
 *
 * The record is text, with zeros up to the end of its block:
 *
 *	postern rewrite 1 AT OLD NEW FROM SUM CHECK
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "store/hash.h"
#include "store/mboxredo.h"

#define FROM_		"From "
#define MAGIC		"\001P"		/* then at / MBOXREDO_BLOCK */
#define RECORD		"postern rewrite 1 "

static uint64_t stamp_at(const char *);
static int	block_read(const char *, size_t, uint64_t, struct mboxredo *);
static int	redo_ok(const struct mboxredo *, uint64_t);
static void	with_record(const char *, size_t, const struct mboxredo *,
		    struct mboxredo_parts *);
static void	without_record(const char *, size_t, uint64_t,
		    struct mboxredo_parts *);
static void	without_second(const char *, size_t, struct mboxredo_parts *);

uint64_t
mboxredo_place(uint64_t old, uint64_t new)
{
	uint64_t max = old > new ? old : new;

	return ((max + MBOXREDO_BLOCK - 1) / MBOXREDO_BLOCK * MBOXREDO_BLOCK);
}

uint64_t
mboxredo_end(const struct mboxredo *r)
{
	return (r->at + MBOXREDO_BLOCK + (r->new - r->from));
}

void
mboxredo_stamp(uint64_t at, char out[MBOXREDO_STAMP])
{
	uint64_t n = at / MBOXREDO_BLOCK;

	memcpy(out, MAGIC, 2);
	out[2] = (char)(n & 0xff);
	out[3] = (char)(n >> 8 & 0xff);
	out[4] = (char)(n >> 16 & 0xff);
}

int
mboxredo_stamped(const char *data, size_t len)
{
	return (len >= MBOXREDO_STAMP && (memcmp(data, MAGIC, 2) == 0 ||
	    data[0] == '\0'));
}

static uint64_t
stamp_at(const char *data)
{
	const unsigned char *p = (const unsigned char *)data;

	if (data[0] == '\0')
		return (0);
	return ((uint64_t)MBOXREDO_BLOCK * (p[2] | (unsigned int)p[3] << 8 |
	    (unsigned int)p[4] << 16));
}

void
mboxredo_block(const struct mboxredo *r, char out[MBOXREDO_BLOCK])
{
	size_t len;

	memset(out, 0, MBOXREDO_BLOCK);
	/* Six numbers of at most 20 digits fit. */
	(void)snprintf(out, MBOXREDO_BLOCK, RECORD "%" PRIu64 " %" PRIu64
	    " %" PRIu64 " %" PRIu64 " %016" PRIx64 " ", r->at, r->old, r->new,
	    r->from, r->sum);
	len = strlen(out);
	(void)snprintf(out + len, MBOXREDO_BLOCK - len, "%016" PRIx64 "\n",
	    hash_bytes(out, len));
}

/* The record at a place, if there is one and it is sound. */
static int
block_read(const char *data, size_t len, uint64_t at, struct mboxredo *r)
{
	char block[MBOXREDO_BLOCK];

	if (at > len || len - at < MBOXREDO_BLOCK ||
	    memcmp(data + at, RECORD, strlen(RECORD)) != 0 ||
	    data[at + MBOXREDO_BLOCK - 1] != '\0' ||
	    sscanf(data + at + strlen(RECORD), "%19" SCNu64 " %19" SCNu64
	    " %19" SCNu64 " %19" SCNu64 " %16" SCNx64, &r->at, &r->old,
	    &r->new, &r->from, &r->sum) != 5 || !redo_ok(r, at))
		return (-1);
	/* There is one way to write it. */
	mboxredo_block(r, block);
	return (memcmp(block, data + at, sizeof(block)) == 0 ? 0 : -1);
}

static int
redo_ok(const struct mboxredo *r, uint64_t at)
{
	return (r->at == at && r->old <= MBOXREDO_MAX &&
	    r->new <= MBOXREDO_MAX && mboxredo_place(r->old, r->new) == at &&
	    r->from <= r->old && r->from <= r->new);
}

void
mboxredo_parts(const char *data, size_t len, struct mboxredo_parts *p)
{
	struct mboxredo r;
	uint64_t at = stamp_at(data);

	memset(p, 0, sizeof(*p));
	p->stop = len;
	if (block_read(data, len, at, &r) == -1)
		without_record(data, len, at, p);
	else
		with_record(data, len, &r, p);
	while (p->stop > p->back && data[p->stop - 1] == '\0')
		p->stop--;
	without_second(data, len, p);
	if (p->front == 0 && p->middlelen == 0)
		while (p->back < p->stop && data[p->back] == '\n')
			p->back++;
}

static void
with_record(const char *data, size_t len, const struct mboxredo *r,
    struct mboxredo_parts *p)
{
	uint64_t end = mboxredo_end(r);

	if (end <= len && hash_bytes(data + r->at + MBOXREDO_BLOCK,
	    (size_t)(r->new - r->from)) == r->sum) {
		p->redo = *r;
		p->middle = data + r->at + MBOXREDO_BLOCK;
		p->middlelen = (size_t)(r->new - r->from);
		p->front = (size_t)r->from;
	} else
		p->front = (size_t)r->old;
	p->back = end < len ? (size_t)end : len;
}

/* It was not written yet, or has been cut off. */
static void
without_record(const char *data, size_t len, uint64_t at,
    struct mboxredo_parts *p)
{
	size_t i = at < len ? (size_t)at : len;

	for (p->back = i; p->back < len && data[p->back] == '\0'; )
		p->back++;
	/* No zeros there: it is a file that grew again since. */
	if (p->back == i && i < len)
		p->back = i = len;
	while (i > MBOXREDO_STAMP && data[i - 1] == '\0')
		i--;
	/* Where the stamp is all of it there was nothing. */
	p->front = i == MBOXREDO_STAMP ? 0 : i;
}

/*
 * Finishing needs a record of its own if others have added something; killed
 * before that was stamped, it is still behind what they added.
 */
static void
without_second(const char *data, size_t len, struct mboxredo_parts *p)
{
	struct mboxredo r;
	uint64_t at;

	for (at = mboxredo_place(p->back, 0); at < p->stop;
	    at += MBOXREDO_BLOCK) {
		if (block_read(data, len, at, &r) == -1 ||
		    r.old < p->back || mboxredo_end(&r) < p->stop)
			continue;
		p->stop = (size_t)r.old;
		return;
	}
}

char *
mboxredo_text(const char *data, const struct mboxredo_parts *p, size_t *len)
{
	size_t back = p->stop - p->back;
	char *out;

	*len = p->front + p->middlelen + back;
	if ((out = malloc(*len + 1)) == NULL)
		return (NULL);
	memcpy(out, data, p->front);
	if (p->middlelen > 0)
		memcpy(out + p->front, p->middle, p->middlelen);
	memcpy(out + p->front + p->middlelen, data + p->back, back);
	out[*len] = '\0';
	/* In all of what is kept from the beginning the stamp is undone. */
	memcpy(out, FROM_, p->front < MBOXREDO_STAMP ? p->front :
	    MBOXREDO_STAMP);
	return (out);
}
