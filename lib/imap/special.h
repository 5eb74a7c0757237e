/*
 * special: what a mailbox is for (RFC 6154), by its name.
 */
#ifndef IMAP_SPECIAL_H
#define IMAP_SPECIAL_H

/* "\Sent" and its like, or NULL. */
const char	*imap_special_use(const char *mailbox);
/* The name of the mailbox that is for this, or NULL. */
const char	*imap_special_mailbox(const char *use);

#endif
