/*
 * maildrop: INBOX as POP3 sees it (RFC 1939 5): a fixed view, opened for one
 * client alone, from which messages go only at the very end.
 */
#ifndef POP3D_MAILDROP_H
#define POP3D_MAILDROP_H

#include <stdint.h>

#include "store/store.h"

#define MAILDROP_UID_MAX	24	/* of maildrop_uid() */

struct maildrop;

/* STORE_BUSY if another client has it. The store must outlive it. */
enum store_error maildrop_open(struct store *, struct maildrop **);
/* Nothing is deleted. NULL is fine. */
void		 maildrop_close(struct maildrop *);

/* Messages as they were numbered at the beginning. */
uint32_t	 maildrop_last(const struct maildrop *);
/* What is there and not marked deleted. */
uint32_t	 maildrop_count(const struct maildrop *);
uint64_t	 maildrop_size(const struct maildrop *);
/* Its size, or -1 if there is no such message or it is marked deleted. */
int64_t		 maildrop_message(struct maildrop *, uint32_t n);
/* The unique id of a message that there is (RFC 1939 7 UIDL). */
void		 maildrop_uid(struct maildrop *, uint32_t n,
		    char uid[MAILDROP_UID_MAX]);
/* The text, to be read with pread; closed by the caller. */
enum store_error maildrop_text(struct maildrop *, uint32_t n, int *fd);
/* It was read to the end: it will be seen after maildrop_update(). */
void		 maildrop_retrieved(struct maildrop *, uint32_t n);

void		 maildrop_delete(struct maildrop *, uint32_t n);
void		 maildrop_reset(struct maildrop *);
/* The UPDATE state: remove what is marked, all or nothing. */
enum store_error maildrop_update(struct maildrop *);

#endif
