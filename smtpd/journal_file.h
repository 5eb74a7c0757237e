/*
 * journal_file: segments and records as they lie on the disk; used by
 * journal.c and by the check of a spool that is not running.
 */
#ifndef SMTPD_JOURNAL_FILE_H
#define SMTPD_JOURNAL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "smtpd/journal.h"

#define SEGMENT_NAME	17		/* 16 digits and NUL */

#define RECORD_FIRST	1		/* of those of one write */

/* In the byte order of the machine: a spool does not move to another kind. */
struct record_head {
	uint32_t	magic;
	uint32_t	crc;		/* of what follows, as far as covered */
	uint32_t	len;		/* of the payload */
	uint32_t	type;
	uint32_t	covered;	/* bytes of the payload under crc */
	uint32_t	flags;
	uint64_t	seg;
	uint64_t	id;
};

struct segments {
	uint64_t	*v;		/* ascending; the caller frees */
	size_t		 n;
};

/* Payloads are filled up to a multiple of eight bytes. */
size_t	record_pad(size_t len);
void	record_seal(struct record_head *, enum record_type, uint64_t seg,
	    uint64_t id, const void *payload, size_t len, size_t covered);
/* A write begins with it: what came before was answered for. */
void	record_first(struct record_head *, const void *payload);

void	segment_name(uint64_t seg, char name[SEGMENT_NAME]);
/* Open for writing; made of zeroes, or of a retired one.  -1 with errno. */
int	segment_make(int dirfd, uint64_t seg);
/* Keep the file for segment_make(), or remove it if enough are kept. */
void	segment_retire(int dirfd, uint64_t seg);
/* tidy: remove what an ended journal has kept for later use. */
int	segments_list(int dirfd, struct segments *, int tidy);
/* Read one that may be in use; len 0 and p NULL if it is empty. */
int	segment_map(int dirfd, uint64_t seg, const unsigned char **p,
	    size_t *len);
int	segment_unmap(const unsigned char *p, size_t len);
/*
 * Tell all good records.  Texts of the last write, which may have been cut, are
 * checked too, all of them if text is set.  bad grows by the number of places
 * where a good one lies behind what is none.
 */
void	segment_walk(const unsigned char *p, size_t len, uint64_t seg,
	    int text, journal_found, void *arg, unsigned int *bad);
/* The same; a damaged one is set aside. */
int	segment_scan(int dirfd, uint64_t seg, journal_found, journal_damaged,
	    void *arg);

#endif
