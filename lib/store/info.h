/*
 * info: Maildir file names, "base:2,flags".
 */
#ifndef STORE_INFO_H
#define STORE_INFO_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define INFO_BASE_MAX	200	/* base names longer than this are not ours */
#define INFO_EXTRA_MAX	16	/* letters of others that we keep */

struct info {
	size_t		 baselen;
	uint32_t	 flags;		/* MSG_* */
	uint32_t	 keywords;
	int		 plain;		/* as info_format() would write it */
	char		 extra[INFO_EXTRA_MAX + 1];
};

/* 0, or -1 if it is no message's name. */
int	info_parse(const char *name, struct info *);
/* The name with these flags and others' letters; buf has NAME_MAX + 1. */
int	info_format(const char *base, size_t baselen, uint32_t flags,
	    uint32_t keywords, const char *extra, char *buf);
/* ",S=" or ",W=" in a base name; 0, or -1 if it is not there. */
int	info_size(const char *base, size_t baselen, char which, uint64_t *);
/* What of a base name tells it from all others. */
size_t	info_unique(const char *base, size_t baselen);
/*
 * ",P=validity.uid": which UID a file of ours has in the mailbox with that
 * UIDVALIDITY.  Dovecot and others keep what they do not know in a base name.
 */
int	info_uid(const char *base, size_t baselen, uint32_t *uidvalidity,
	    uint32_t *uid);
/* Add it to a base name in a buffer of INFO_BASE_MAX + 1. */
int	info_uid_add(char *base, uint32_t uidvalidity, uint32_t uid);
/* Whether a client's APPEND or COPY made it: files_unique() named it. */
int	info_appended(const char *base, size_t baselen);
/* The seconds that a base name begins with, or 0. */
uint64_t info_seconds(const char *base, size_t baselen);

#endif
