/*
 * uidlist: Dovecot's dovecot-uidlist and dovecot-uidvalidity, taken over so
 * that the clients of a migrated server download nothing again.
 */
#ifndef STORE_UIDLIST_H
#define STORE_UIDLIST_H

#include <stddef.h>
#include <stdint.h>

#include "store/seeds.h"

#define UIDLIST_FILE	"dovecot-uidlist"
#define UIDLIST_MAX	(512U << 20)	/* bytes of the file */
#define POP3_ID_MAX	70		/* RFC 1939 7 */
#define UIDVALIDITY_FILE "dovecot-uidvalidity"

/* -1 with EBADMSG if it is none; seeds has what was good until then. */
int	uidlist_parse(char *data, size_t len, struct seeds *,
	    uint32_t *uidvalidity, uint32_t *uidnext);
/* -1 with ENOENT if there is none. */
int	uidlist_read(int dirfd, struct seeds *, uint32_t *uidvalidity,
	    uint32_t *uidnext);
/* One that no mailbox of this store had. */
uint32_t uidvalidity_next(int rootfd);

#endif
