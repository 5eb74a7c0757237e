/*
 * index_map: how the index lies in its file; for index.c and record.c only.
 */
#ifndef STORE_INDEX_MAP_H
#define STORE_INDEX_MAP_H

#include <stdint.h>

#include "store/index.h"

#define HEADER_ROOM	512
#define RING_OFFSET	(2 * HEADER_ROOM)
#define RING_ENTRIES	512
#define RECORD_OFFSET	(RING_OFFSET + RING_ENTRIES * 16)
#define RECORD_SIZE	192
#define RECORD_NAME	96

struct index_record {
	uint64_t		 sum;		/* of fix and the name */
	struct index_fix	 fix;
	struct index_mut	 mut;
	uint64_t		 mutsum;
	char			 name[RECORD_NAME]; /* and the next slot */
};

struct index_change {
	uint64_t	 modseq;
	uint32_t	 slot;
	uint32_t	 sum;
};

/* NULL if it is not mapped. */
struct index_record *index_record(const struct index *, uint32_t slot);
/* The record's sum and bounds are right. */
int	index_record_ok(const struct index *, uint32_t slot);
/* Its base name, which may go on in the next slot. */
const char *index_record_name(const struct index_record *);
/* How many slots it takes. */
uint32_t index_span(const struct index_record *);
uint64_t index_mut_sum(const struct index_mut *);
int	index_grow(struct index *, uint32_t slots);

#endif
