/*
 * table: key to value, from words of the configuration, a file, or a database.
 *
 * A lookup answers through a callback, so that a backend which has to ask
 * somebody else can answer later; those of today answer before table_lookup()
 * returns.  "There is no such key" and "it could not be found out" are
 * different results everywhere.
 *
 * Keys of inline and file tables are compared without regard to the case of
 * ASCII letters; a database gets the key as it was asked for.  Of a key that
 * occurs twice the first counts.
 */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

struct conf_table;
struct table;

#define TABLE_FILE_MAX	(64 << 20)	/* bytes of a file */
#define TABLE_KEY_MAX	1024		/* longer keys are in no table */
#define TABLE_VALUE_MAX	(1 << 20)	/* what a database may answer */

enum table_form {
	TABLE_MAP,		/* key: value, or bare keys */
	TABLE_USERS		/* name:hash:uid:gid:gecos:home:shell:extra */
};

enum table_result {
	TABLE_FOUND,
	TABLE_NONE,
	TABLE_FAILED		/* not known now: answer with a tempfail */
};

/* A line of a user table. Strings are never NULL. */
struct table_user {
	const char	*name;
	const char	*hash;
	const char	*home;
	const char	*extra;
	int		 has_uid, has_gid, has_quota;
	uid_t		 uid;
	gid_t		 gid;
	uint64_t	 quota;		/* bytes; "quota=" of extra */
	uint64_t	 messages;	/* "messages=" of extra; 0 none */
};

/* All of it is gone when the callback returns. */
struct table_answer {
	enum table_result	 result;
	const char		*key;		/* as it stands in the table */
	const char		*value;		/* of a map; "" bare */
	const struct table_user	*user;		/* TABLE_USERS */
	const char		*why;		/* TABLE_FAILED: one line */
};

typedef void (*table_cb)(const struct table_answer *, void *arg);

/* An entry; of TABLE_USERS the value is what follows the name. */
typedef void (*table_entry_cb)(const char *key, const char *value, void *arg);

/* What was in a file. */
struct table_report {
	size_t		entries;
	size_t		duplicates;
	size_t		bad;		/* lines that were left out */
	unsigned int	first_bad;	/* line number of the first one */
};

/*
 * NULL with errno (ENOTSUP: no such backend here).  conf_table is not needed
 * afterwards.
 */
struct table	*table_open(const struct conf_table *, enum table_form);
void		 table_close(struct table *);
/*
 * Read the whole file behind fd, which stays the caller's; a database is used
 * through a copy of fd.  1 its contents were taken, 0 it is what was read last
 * time, -1 with errno and the contents of before: EFBIG, EINVAL no regular file
 * or a table that needs none, EAGAIN it was being written to.
 */
int		 table_load_fd(struct table *, int fd, struct table_report *);
/* From now on every lookup fails with why, until something is loaded. */
void		 table_unload(struct table *, const char *why);
/* Is it read from a descriptor, which somebody else has to open? */
int		 table_needs_fd(const struct table *);
void		 table_lookup(struct table *, const char *key, table_cb,
		    void *);
/* Every entry of what is loaded; nothing of a database. */
void		 table_each(const struct table *, table_entry_cb, void *);

#endif
