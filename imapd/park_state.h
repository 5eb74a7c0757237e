/*
 * park_state: what a session must know of a connection that it parks, as
 * bytes.
 *
 * Pure.  The parent keeps the bytes and looks at none of them; they come from
 * a session of the same user, and are checked all the same.
 */
#ifndef IMAPD_PARK_STATE_H
#define IMAPD_PARK_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "imap/parse.h"
#include "store/store.h"

#define PARK_NAME_MAX	(STORE_NAME_MAX + 1)

struct park_state {
	unsigned int	 enabled;	/* ENABLED_* */
	unsigned int	 commands;
	unsigned int	 left;		/* seconds until the autologout */
	int		 idling;	/* in IDLE, whose tag it is */
	int		 selected;	/* and if so: */
	int		 readonly;
	uint32_t	 keywords;
	struct mailbox_frozen frozen;
	char		 tag[IMAP_TAG_MAX + 1];
	char		 name[PARK_NAME_MAX];
};

/* Its length, 0 if it does not fit. */
size_t	park_state_write(const struct park_state *, void *, size_t);
/* -1 if it is nothing that park_state_write() wrote. */
int	park_state_read(struct park_state *, const void *, size_t);

#endif
