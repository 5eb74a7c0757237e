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
	char		 extra[INFO_EXTRA_MAX + 1];
};

/* 0, or -1 if it is no message's name. */
int	info_parse(const char *name, struct info *);
/* The name with these flags and others' letters; buf has NAME_MAX + 1. */
int	info_format(const char *base, size_t baselen, uint32_t flags,
	    uint32_t keywords, const char *extra, char *buf);
/* ",S=" or ",W=" in a base name; 0, or -1 if it is not there. */
int	info_size(const char *base, size_t baselen, char which, uint64_t *);
/* The seconds that a base name begins with, or 0. */
uint64_t info_seconds(const char *base, size_t baselen);

#endif
