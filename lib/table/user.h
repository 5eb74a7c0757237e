/*
 * user: the fields of a user table behind the name.
 */
#ifndef TABLE_USER_H
#define TABLE_USER_H

#include "table/table.h"

/*
 * Split "hash:uid:gid:gecos:home:shell:extra" (changed, and pointed into).
 * NULL, or what is wrong with it.
 */
const char	*table_user_parse(struct table_user *, const char *name,
		    char *rest);
/* A field on its own, as a database gives it; NULL or what is wrong. */
const char	*table_user_uid(struct table_user *, const char *);
const char	*table_user_gid(struct table_user *, const char *);
const char	*table_user_extra(struct table_user *, const char *);
/*
 * The next word of extra, which rest moves behind, its length, and whether it
 * is one that means something here; NULL at the end.
 */
const char	*table_user_word(const char **rest, size_t *, int *ours);
const char	*table_user_quota(struct table_user *, const char *);
const char	*table_user_messages(struct table_user *, const char *);

#endif
