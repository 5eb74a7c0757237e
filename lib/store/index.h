/*
 * index: what we know of a folder's messages, in one memory-mapped file.
 *
 * The file's states are described in index.c.  All that changes it is called
 * with the folder's lock held, between index_begin() and index_end().
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <sys/types.h>
#include <stdint.h>
#include <time.h>

#define INDEX_FILE	"postern.index"
#define INDEX_BAD	"postern.index.bad"
#define INDEX_SLOTS	(16U << 20)	/* records in an index */
#define INDEX_UNSIZED	UINT64_MAX	/* size with CRLF not yet known */
#define INDEX_UNDATED	INT64_MIN	/* dates not yet known */

/* Where a message stands. */
#define REC_LIVE	0x01		/* not expunged */
#define REC_NEW		0x02		/* its file is in new/ */
#define REC_RECENT	0x04		/* no session has been told yet */
#define REC_PENDING	0x08		/* its file is still in tmp/ */
#define REC_LINKED	0x10		/* or, with this, in cur/ already */

struct index_time {
	int64_t		 sec;
	int64_t		 nsec;
};

struct index_header {
	char		 magic[8];
	uint64_t	 gen;		/* the higher of two is the header */
	uint32_t	 order;		/* byte order and version */
	uint32_t	 recsize;
	uint32_t	 busy;		/* a writer is at work, or was killed */
	uint32_t	 slots;		/* records in use, from 0 */
	uint32_t	 intent;	/* REC_PENDING below this: go forward */
	uint32_t	 uidvalidity;
	uint32_t	 uidnext;
	uint32_t	 messages;	/* of these and the next: live ones */
	uint32_t	 unseen;
	uint32_t	 deleted;
	uint32_t	 unsized;
	uint32_t	 dead;		/* slots of expunged messages */
	uint32_t	 newlow;	/* no REC_NEW or REC_RECENT below */
	uint32_t	 keywords;	/* times that a keyword was added */
	uint64_t	 size;		/* sums, as far as sizes are known */
	uint64_t	 fsize;
	uint64_t	 modseq;	/* highest */
	uint64_t	 floor;		/* older expunges are forgotten */
	uint64_t	 logged;	/* changes ever logged */
	uint64_t	 logfloor;	/* those up to here are not logged */
	struct index_time newtime;	/* mtime of new/ and cur/ as we know */
	struct index_time curtime;	/* them; 0: look */
	int64_t		 racy;		/* ms; mtime was too young to trust */
	int64_t		 boot;		/* when this system was started */
	uint64_t	 cached;	/* octets of the cache file in use */
	uint32_t	 uidmax;	/* on disk: no UID above was given */
	uint32_t	 jump;		/* UIDs go on there, at least */
	uint32_t	 uidlisted;	/* UIDs below are in Dovecot's list */
	uint32_t	 dense;		/* each slot below is a live message */
	struct index_time listtime;	/* mtime of that list as we know it */
	uint32_t	 unseenlow;	/* no unseen message below this slot */
	uint32_t	 unused;
	unsigned char	 id[16];	/* MAILBOXID */
	uint64_t	 sum;		/* of all above; last */
};

/* What changes of a message. */
struct index_mut {
	uint64_t	 modseq;
	uint64_t	 size;		/* or INDEX_UNSIZED */
	uint64_t	 cache;		/* offset in the cache file, or 0 */
	int64_t		 internal;	/* or INDEX_UNDATED, both */
	int64_t		 saved;
	uint32_t	 keywords;
	uint8_t		 flags;
	uint8_t		 state;
	uint8_t		 text;		/* TEXT_* */
	uint8_t		 unused;
};

/* What does not. */
struct index_fix {
	uint32_t	 uid;
	uint32_t	 uidvalidity;	/* so that a lost header can be made */
	uint64_t	 fsize;		/* of the file */
	uint64_t	 emailid;	/* 0: index_put() makes one */
	uint16_t	 namelen;
	uint16_t	 unused[3];
};

/* Which records' fixed halves were found whole, since they were mapped. */
struct index_checked {
	uint32_t	 slots;
	int		 bad;		/* one was not */
	unsigned char	 bit[];
};

struct index {
	int			 fd;
	dev_t			 dev;
	ino_t			 ino;
	unsigned char		*map;
	size_t			 maplen;
	uint32_t		 cap;		/* slots that are mapped */
	struct index_checked	*checked;
	int			 damaged;	/* one header is not valid */
	struct index_header	 hdr;		/* as of index_load() */
};

/* Errors are errno; EBADMSG: the file cannot be trusted. */
int	index_open(struct index *, int dirfd, const char *file);
int	index_create(struct index *, int dirfd, const char *file,
	    const struct index_header *);
/* Map what cannot be trusted; hdr is zero if no header is valid. */
int	index_open_damaged(struct index *, int dirfd, const char *file);
void	index_close(struct index *);
int	index_is_open(const struct index *);
/* Read the header again; map what was added. */
int	index_load(struct index *);
/* No record that was looked at was found damaged. */
int	index_sound(const struct index *);
/* Check all records, and their order. */
int	index_verify(struct index *);
/*
 * The system was started again since the index was written: what was not
 * synced may be lost.
 */
int	index_rebooted(const struct index *);
void	index_boot(struct index *);
int	index_sync(struct index *);		/* to disk */

void	index_begin(struct index *);
void	index_end(struct index *);
void	index_publish(struct index *);		/* the header as it is now */
/* After a crash: count again, find unpublished records. */
int	index_repair(struct index *);

/*
 * Of a message: its record is checked when it is first looked at.  If it is
 * damaged these fail with EBADMSG, index_uid() gives 0, and index_sound() says
 * so from then on.  The base name is not terminated.
 */
const char *index_name(const struct index *, uint32_t slot, size_t *len);
int	index_fixed(const struct index *, uint32_t slot, struct index_fix *);
uint32_t index_uid(const struct index *, uint32_t slot);
/* -1 with EAGAIN if a writer is at it; take the lock and try again. */
int	index_get(const struct index *, uint32_t slot, struct index_mut *);
/* Where its cached items may be, unchecked: good to read ahead, no more. */
uint64_t index_cache_hint(const struct index *, uint32_t slot);
/* The slot after this message's: long names take two. */
uint32_t index_next(const struct index *, uint32_t slot);

/*
 * Add a record at slot *end and move *end behind it; not published.  The next
 * call may move the mapping.
 */
int	index_put(struct index *, uint32_t *end, const struct index_fix *,
	    const char *name, const struct index_mut *);
/* Make slots that were not published nothing again. */
void	index_wipe(struct index *, uint32_t slot, uint32_t end);
/* Add and count one message. */
int	index_add(struct index *, struct index_fix *, const char *name,
	    struct index_mut *);
void	index_count(struct index *, const struct index_fix *,
	    const struct index_mut *, int sign);
/* Change one; counted, and logged if its mod-sequence is a new one. */
void	index_set(struct index *, uint32_t slot, const struct index_mut *);
/* Raise dense and unseenlow, looking at so many records at most. */
void	index_advance(struct index *, uint32_t max);

/*
 * Slots below limit that changed after modseq, each once or oftener, newest
 * first; the number, or -1 if the log does not reach back or would give more
 * than max.
 */
int	index_changes(struct index *, uint64_t modseq, uint32_t limit,
	    uint32_t *slots, int max);

#endif
