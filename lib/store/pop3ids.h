/*
 * pop3ids: what POP3 clients know a mailbox's messages by where a Dovecot kept
 * ids of another server's or another format's, by UID, none of them twice.
 */
#ifndef STORE_POP3IDS_H
#define STORE_POP3IDS_H

#include <stdint.h>

struct mailbox;
struct pop3_ids;

/* NULL if there are none; -1 with errno if nobody can know. */
int		 mailbox_pop3_ids(struct mailbox *, struct pop3_ids **);
/*
 * NULL for a message without, and else 1 to 70 printable octets that are good
 * until the next call.
 */
const char	*pop3_ids_find(struct pop3_ids *, uint32_t uid);
/* Whether any message has this one. */
int		 pop3_ids_has(struct pop3_ids *, const char *id);
void		 pop3_ids_free(struct pop3_ids *);

#endif
