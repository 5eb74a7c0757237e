/*
 * journal: the spool's log of records, in segments of a fixed size.
 *
 * Appending gives a record its place at once and writes it in the background;
 * all that wait share one synchronous write.  Somebody waits for a message;
 * the other records go with the next write, within JOURNAL_LAZY_MS at the
 * latest, and are tried again until the disk takes them.
 */
#ifndef SMTPD_JOURNAL_H
#define SMTPD_JOURNAL_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;

#define JOURNAL_SEGMENT	(16 << 20)	/* bytes */
#define JOURNAL_INLINE	(256 * 1024)	/* larger messages have files */
#define JOURNAL_LAZY_MS	200

enum record_type {
	RECORD_MESSAGE = 1,	/* u32 envelope length, u32 CRC of the text,
				   envelope, text (none if spooled) */
	RECORD_CHANGE,		/* a struct rcpt_change */
	RECORD_DONE		/* nothing is left to do for the message */
};

struct journal_place {
	uint64_t	seg;
	uint32_t	off;	/* of the record in its segment */
	uint32_t	len;	/* of the whole record */
};

/* A record that was read back.  data is the payload without the text. */
typedef void (*journal_found)(void *arg, enum record_type, uint64_t id,
	    const void *data, size_t len, const struct journal_place *);
typedef void (*journal_damaged)(void *arg, const char *what);

/*
 * Open the journal below dirfd, read back what is there (found() for each
 * record, oldest first; damaged() for what was set aside), and start the
 * committer.  The next record goes to a new segment.  -1 with errno.
 */
int	journal_open(struct event_base *, int dirfd, journal_found,
	    journal_damaged, void *arg);

/*
 * error is 0 or an errno, and that only for a message: the others are called
 * when they are on the disk.  Called from the event loop.
 */
typedef void (*journal_done)(void *arg, int error);

/* A file that must be on disk, under its final name, before the record is. */
struct journal_file {
	int	fd;		/* closed afterwards */
	int	dirfd;
	char	from[32], to[32];
};

/*
 * Append a record; payload (malloc'ed) is taken over.  envlen: how many bytes
 * of it the header's checksum covers, all for other types.  done may be NULL.
 * -1 with errno if the record is too long.
 */
int	journal_append(enum record_type, uint64_t id, void *payload, size_t len,
	    size_t covered, const struct journal_file *, journal_done,
	    void *arg, struct journal_place *);
/*
 * Bytes of a record's payload from off on, up to len; -1 with errno.  Only
 * after its write was done.
 */
ssize_t	journal_read(const struct journal_place *, size_t off, void *, size_t);

uint64_t journal_syncs(void);	/* writes so far */
/* Wait until all that was appended is on the disk; for the end only. */
void	 journal_flush(void);

/*
 * The oldest segment may go when nothing in it is alive.  The number of the
 * oldest, the one being written, and how much lies in all.
 */
uint64_t journal_oldest(void);
uint64_t journal_newest(void);
uint64_t journal_bytes(void);
void	 journal_drop_oldest(void);
/* Bytes of a record's header, in front of the payload. */
size_t	 journal_header(void);

#endif
