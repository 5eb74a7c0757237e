/*
 * write: strings in the form that IMAP wants them.
 *
 * All return 0, or -1 with errno as buf_add().
 */
#ifndef IMAP_WRITE_H
#define IMAP_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"

/* Quoted where that can be, else a literal; NUL becomes 0x80. */
int	imap_write_string(struct buf *, const char *, size_t);
/* The same, and NIL for NULL. */
int	imap_write_nstring(struct buf *, const char *, size_t);
/* An atom where that can be, else a string. */
int	imap_write_astring(struct buf *, const char *, size_t);
/* A UTF-8 name as an astring; as modified UTF-7 unless utf8 is set. */
int	imap_write_mailbox(struct buf *, const char *, int utf8);
/* "1:5,7": add n to the set that was begun; see imap_write_set_end(). */
struct imap_set_writer {
	unsigned int	first;
	unsigned int	last;		/* 0: nothing yet */
	int		any;
};
int	imap_write_set(struct buf *, struct imap_set_writer *, unsigned int);
int	imap_write_set_end(struct buf *, struct imap_set_writer *);

#endif
