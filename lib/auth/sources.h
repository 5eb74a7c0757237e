/*
 * sources: the "auth" lines of the configuration, in their order.
 */
#ifndef AUTH_SOURCES_H
#define AUTH_SOURCES_H

#include "auth/source.h"

#define SOURCES_MAX	8	/* WORKER_HASHES: one hash of each at most */

struct sources;

/* Send TABLE_AGAIN. */
typedef void (*sources_ask)(unsigned int index, void *arg);

/* conf must outlive it. NULL with what is wrong in err. */
struct sources	*sources_new(const struct conf *, sources_ask, void *arg,
		    char *err, size_t errsize);
void		 sources_free(struct sources *);
size_t		 sources_count(const struct sources *);
/* Ask source i who login is; see source.h. */
void		 sources_find(struct sources *, size_t i, const char *login,
		    source_cb, void *arg);
/* The one name of an account that may have several; returns it. */
const char	*sources_name(const struct sources *, const char *login,
		    char *, size_t);
/* A TABLE message; logs what it brought. 0 if the table is none of ours. */
int		 sources_table(struct sources *, unsigned int index, int failed,
		    int fd);
/*
 * The hash to work on for a user that nobody knows: of the scheme and cost of
 * the account that was seen last.
 */
const char	*sources_dummy(const struct sources *);
void		 sources_seen(struct sources *, const char *hash);

#endif
