/*
 * maildrop: INBOX as POP3 sees it (RFC 1939 5): a fixed view, opened for one
 * client alone, from which messages go only at the very end.
 */
#ifndef POP3D_MAILDROP_H
#define POP3D_MAILDROP_H

#include <stdint.h>

#include "conf/uidl.h"
#include "store/store.h"
#include "text.h"

struct maildrop;

/*
 * STORE_BUSY if another client has it.  The store and the format of unique ids
 * must outlive it.
 */
enum store_error maildrop_open(struct store *, const char *uidl,
		    struct maildrop **);
/*
 * Once, before anything else is asked of it: find the sizes.  utf8: the client
 * takes headers as they are.  1 if maildrop_prove() has something to do.
 */
int		 maildrop_begin(struct maildrop *, int utf8);
/*
 * Look at some more of the files whose sizes are only told by their names; 1
 * if there are others.  What is wrong is mended, for this client only before
 * maildrop_fix().
 */
int		 maildrop_prove(struct maildrop *);
/* From now on the sizes stay as they are. */
void		 maildrop_fix(struct maildrop *);
/* Nothing is deleted. NULL is fine. */
void		 maildrop_close(struct maildrop *);

/* Messages as they were numbered at the beginning. */
uint32_t	 maildrop_last(const struct maildrop *);
/* What is there and not marked deleted. */
uint32_t	 maildrop_count(const struct maildrop *);
uint64_t	 maildrop_size(const struct maildrop *);
/*
 * The octets of RETR's reply, or -1 if there is no such message or it is marked
 * deleted.
 */
int64_t		 maildrop_message(const struct maildrop *, uint32_t n);
/*
 * The unique id of a message that there is (RFC 1939 7 UIDL), or -1 with
 * errno: what is not known would be taken for another's.  Before the first,
 * maildrop_uids(): -1 with errno if they are not known.
 */
int		 maildrop_uids(struct maildrop *);
int		 maildrop_uid(struct maildrop *, uint32_t n,
		    char uid[UIDL_MAX + 1]);
/* The text, to be read; text_end() by the caller. */
enum store_error maildrop_text(struct maildrop *, uint32_t n, struct text *);
/*
 * It was read to the end: it will be seen after maildrop_update().  What its
 * size turned out to be is remembered for the next one who asks.
 */
void		 maildrop_retrieved(struct maildrop *, uint32_t n,
		    const struct text *);

void		 maildrop_delete(struct maildrop *, uint32_t n);
void		 maildrop_reset(struct maildrop *);
/* The UPDATE state: remove what is marked, all or nothing. */
enum store_error maildrop_update(struct maildrop *);

#endif
