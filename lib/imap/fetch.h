/*
 * fetch: what a FETCH asks for (RFC 9051 6.4.5, 3516, 7162, 8474, 8514, 8970,
 * 9394).
 */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "buf/buf.h"
#include "imap/parse.h"

#define IMAP_FETCH_UID		0x01
#define IMAP_FETCH_FLAGS	0x02
#define IMAP_FETCH_INTERNALDATE	0x04
#define IMAP_FETCH_SIZE		0x08
#define IMAP_FETCH_ENVELOPE	0x10
#define IMAP_FETCH_BODY		0x20
#define IMAP_FETCH_STRUCTURE	0x40
#define IMAP_FETCH_MODSEQ	0x80
#define IMAP_FETCH_SAVEDATE	0x100
#define IMAP_FETCH_EMAILID	0x200
#define IMAP_FETCH_THREADID	0x400
#define IMAP_FETCH_PREVIEW	0x800
#define IMAP_FETCH_LAST		IMAP_FETCH_PREVIEW

#define IMAP_SECTIONS_MAX	128	/* of one FETCH */
#define IMAP_PART_DEPTH		100	/* numbers in "1.2.3" */
#define IMAP_FIELDS_MAX		256	/* names in HEADER.FIELDS */

enum imap_section_text {
	SECTION_ALL,
	SECTION_HEADER,
	SECTION_FIELDS,
	SECTION_FIELDS_NOT,
	SECTION_TEXT,
	SECTION_MIME
};

/* BINARY[...] and BINARY.SIZE[...] */
enum imap_binary { BINARY_NONE, BINARY_DATA, BINARY_SIZE };

struct imap_section {
	enum imap_binary binary;
	const char	*old_name;	/* RFC822 and its like; else NULL */
	enum imap_section_text text;
	int		 peek;
	int		 partial;
	uint64_t	 offset;
	uint64_t	 length;
	uint32_t	 part[IMAP_PART_DEPTH];
	size_t		 nparts;
	struct imap_str	*fields;
	size_t		 nfields;
};

struct imap_fetch {
	uint32_t		 items;		/* IMAP_FETCH_* */
	struct imap_section	*sections;
	size_t			 nsections;
	int			 lazy;		/* PREVIEW (LAZY) */
	/* Modifiers. */
	int			 changed;	/* CHANGEDSINCE was given */
	uint64_t		 since;
	int			 vanished;
	int			 partial;
	int64_t			 range[2];
};

/*
 * The items, and the modifiers behind them.  Free it with imap_fetch_free() in
 * any case.
 */
int	imap_fetch(struct imap_parser *, struct imap_fetch *);
void	imap_fetch_free(struct imap_fetch *);
/* "BODY[1.HEADER.FIELDS (TO)]<0>" as the answer names it. */
int	imap_write_section(struct buf *, const struct imap_section *);
/* Does HEADER.FIELDS have this name? */
int	imap_section_has_field(const struct imap_section *, const char *,
	    size_t);

#endif
