/*
 * name: mailbox names (UTF-8, '/' between levels) and Maildir++ directory
 * names (".A.B" in modified UTF-7, as Dovecot and Courier write them).
 */
#ifndef STORE_NAME_H
#define STORE_NAME_H

#include <stddef.h>

#define NAME_LEVELS	16

/* 0 if it is a name that we can keep. */
int	name_check(const char *);
int	name_is_inbox(const char *);
/* The directory below the Maildir; "." for INBOX.  -1: no legal name. */
int	name_to_dir(const char *name, char *dir, size_t len);
int	name_from_dir(const char *dir, char *name, size_t len);

/* RFC 3501 5.1.3; -1 if it does not fit or is not valid. */
int	name_mutf7(const char *utf8, char *out, size_t len);
int	name_utf8(const char *mutf7, char *out, size_t len);

#endif
