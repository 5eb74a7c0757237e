/*
 * sqlite: one prepared query on a database that is opened for reading only.
 *
 * Keys come from strangers and are bound, never written into the query.  The
 * query must be one statement that changes nothing; a lookup ends after
 * QUERY_STEPS steps of SQLite's machine and waits at most BUSY_MS for a
 * writer.  It runs in the caller's event loop, so a database here should be
 * indexed by its key: then a lookup costs some 10 us.
 *
 * The role that uses it could not open it: the parent did, and SQLite is
 * handed that descriptor where it would open the file by its name.  Its locks
 * work as always; a journal beside the file is found if the directory may be
 * searched.  A database in WAL mode has more files, which the role would have
 * to be able to write: it fails, and says so.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "buf/buf.h"
#include "conf/conf.h"
#include "os/compat.h"
#include "table/backend.h"
#include "table/user.h"

#define BUSY_MS		250
#define STEPS_EACH	1000
#define QUERY_STEPS	10000		/* times STEPS_EACH */
#define ROWS_MAX	10000		/* of one answer */
#define PARAMS_MAX	8

struct database {
	char		*path;
	char		*query;
	sqlite3		*db;		/* NULL: closed */
	sqlite3_stmt	*stmt;
	int		 fd;		/* of the file; -1: none yet */
	dev_t		 dev;
	ino_t		 ino;
	unsigned int	 steps;
	char		 why[256];
};

static int
db_open(const struct conf_table *ct, enum table_form form, void **state)
{
	struct database	*d;

	(void)form;
	if (ct->source == NULL || ct->query == NULL) {
		errno = EINVAL;
		return (-1);
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return (-1);
	d->fd = -1;
	(void)strlcpy(d->why, "the file was not opened yet", sizeof(d->why));
	d->path = strdup(ct->source);
	d->query = strdup(ct->query);
	if (d->path == NULL || d->query == NULL) {
		free(d->path);
		free(d->query);
		free(d);
		return (-1);
	}
	*state = d;
	return (0);
}

static void
disconnect(struct database *d)
{
	sqlite3_finalize(d->stmt);
	sqlite3_close(d->db);
	d->stmt = NULL;
	d->db = NULL;
}

static void
forget_file(struct database *d)
{
	disconnect(d);
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
}

static void
db_close(void *state)
{
	struct database	*d = state;

	forget_file(d);
	free(d->path);
	free(d->query);
	free(d);
}

/* Keep a reason; being cut short does it no harm. */
static int
failed(struct database *d, const char *why)
{
	(void)strlcpy(d->why, why, sizeof(d->why));
	return (-1);
}

static int
progress(void *arg)
{
	struct database	*d = arg;

	return (d->steps++ >= QUERY_STEPS);
}

static int
prepare(struct database *d)
{
	const char	*rest = NULL;
	int		 n;

	if (sqlite3_prepare_v3(d->db, d->query, -1, SQLITE_PREPARE_PERSISTENT,
	    &d->stmt, &rest) != SQLITE_OK)
		return (failed(d, sqlite3_errmsg(d->db)));
	if (d->stmt == NULL || rest[strspn(rest, " \t\r\n;")] != '\0')
		return (failed(d, "the query is not one statement"));
	if (!sqlite3_stmt_readonly(d->stmt))
		return (failed(d, "the query would change the database"));
	n = sqlite3_bind_parameter_count(d->stmt);
	if (n < 1 || n > PARAMS_MAX)
		return (failed(d, "the query has no \"?\" for the key"));
	return (0);
}

/*
 * SQLite's open(2).  While a database is being opened, its name means the
 * descriptor that the parent handed over.
 */
static _Thread_local const struct database	*opening;

static int
open_given(const char *path, int flags, int mode)
{
	if (opening != NULL && strcmp(path, opening->path) == 0)
		return (fcntl(opening->fd, F_DUPFD_CLOEXEC, 3));
	return (open(path, flags | O_CLOEXEC, mode));
}

static int
use_given(void)
{
	static int	 done;
	sqlite3_vfs	*vfs;

	if (done)
		return (0);
	if (sqlite3_initialize() != SQLITE_OK ||
	    (vfs = sqlite3_vfs_find("unix")) == NULL || vfs->iVersion < 3 ||
	    vfs->xSetSystemCall(vfs, "open",
	    (sqlite3_syscall_ptr)open_given) != SQLITE_OK)
		return (-1);
	done = 1;
	return (0);
}

static int
connect_db(struct database *d)
{
	int	rc;

	if (use_given() == -1)
		return (failed(d, "this SQLite cannot be given a file"));
	opening = d;
	rc = sqlite3_open_v2(d->path, &d->db, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, "unix");
	opening = NULL;
	if (rc != SQLITE_OK)
		return (failed(d, d->db != NULL ? sqlite3_errmsg(d->db) :
		    sqlite3_errstr(rc)));
	sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(d->db, SQLITE_LIMIT_LENGTH, TABLE_VALUE_MAX);
	sqlite3_busy_timeout(d->db, BUSY_MS);
	sqlite3_progress_handler(d->db, STEPS_EACH, progress, d);
	return (prepare(d));
}

static int
connected(struct database *d)
{
	if (d->db != NULL)
		return (0);
	if (d->fd == -1)
		return (-1);		/* why was said */
	if (connect_db(d) == -1) {
		disconnect(d);
		return (-1);
	}
	return (0);
}

static int
db_load(void *state, enum table_form form, int fd, struct table_report *report)
{
	struct database	*d = state;
	struct stat	 st;
	int		 copy;

	(void)form;
	(void)report;
	if (fstat(fd, &st) == -1)
		return (-1);
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return (-1);
	}
	if (d->fd != -1 && st.st_dev == d->dev && st.st_ino == d->ino)
		return (0);
	if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1)
		return (-1);
	forget_file(d);
	d->fd = copy;
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	return (1);
}

static void
db_unload(void *state, const char *why)
{
	struct database	*d = state;

	forget_file(d);
	failed(d, why);
}

/* A column of the row as a string, "" for NULL; NULL if it holds a NUL. */
static const char *
column(struct database *d, int i)
{
	const char	*text;

	if (sqlite3_column_type(d->stmt, i) == SQLITE_NULL)
		return ("");
	text = (const char *)sqlite3_column_text(d->stmt, i);
	if (text == NULL ||
	    strlen(text) != (size_t)sqlite3_column_bytes(d->stmt, i))
		return (NULL);
	return (text);
}

/* One column by its name into u; NULL or what is wrong. */
static const char *
user_column(struct table_user *u, const char *name, const char *value)
{
	if (strcasecmp(name, "name") == 0 || strcasecmp(name, "user") == 0) {
		if (*value == '\0')
			return ("name is empty");
		u->name = value;
	} else if (strcasecmp(name, "hash") == 0 ||
	    strcasecmp(name, "password") == 0)
		u->hash = value;
	else if (strcasecmp(name, "home") == 0)
		u->home = value;
	else if (strcasecmp(name, "uid") == 0)
		return (table_user_uid(u, value));
	else if (strcasecmp(name, "gid") == 0)
		return (table_user_gid(u, value));
	else if (strcasecmp(name, "extra") == 0)
		return (table_user_extra(u, value));
	else if (strcasecmp(name, "quota") == 0)
		return (table_user_quota(u, value));
	else if (strcasecmp(name, "messages") == 0)
		return (table_user_messages(u, value));
	return (NULL);
}

/*
 * The first row of a query for a user.  A query with one column gives the hash
 * whatever its name.
 */
static void
user_row(struct database *d, const char *key, table_cb cb, void *arg)
{
	struct table_answer	 a = { .result = TABLE_FAILED };
	struct table_user	 u = { .name = key, .hash = "", .home = "",
				    .extra = "" };
	const char		*value, *name;
	int			 i, n = sqlite3_column_count(d->stmt);

	for (i = 0; i < n && a.why == NULL; i++) {
		name = sqlite3_column_name(d->stmt, i);
		if ((value = column(d, i)) == NULL)
			a.why = "a column holds no text";
		else if (n == 1)
			u.hash = value;
		else if (name != NULL)
			a.why = user_column(&u, name, value);
	}
	a.key = u.name;
	if (a.why == NULL) {
		a.result = TABLE_FOUND;
		a.user = &u;
	}
	cb(&a, arg);
}

/* The first column of all rows, with ", " between them. */
static int
map_rows(struct database *d, struct buf *value)
{
	const char	*text;
	unsigned int	 rows;
	int		 rc = SQLITE_ROW;

	for (rows = 0; rc == SQLITE_ROW && rows < ROWS_MAX; rows++) {
		if ((text = column(d, 0)) == NULL)
			return (failed(d, "a column holds no text"));
		if ((rows > 0 && buf_puts(value, ", ") == -1) ||
		    buf_puts(value, text) == -1)
			return (failed(d, "the answer is too large"));
		rc = sqlite3_step(d->stmt);
	}
	if (rc == SQLITE_ROW)
		return (failed(d, "the answer has too many rows"));
	if (rc != SQLITE_DONE)
		return (failed(d, sqlite3_errmsg(d->db)));
	return (buf_add(value, "", 1));
}

static void
map_answer(struct database *d, const char *key, table_cb cb, void *arg)
{
	struct table_answer	a = { .result = TABLE_FOUND };
	struct buf		value;

	buf_init(&value, TABLE_VALUE_MAX);
	a.key = key;
	if (map_rows(d, &value) == -1)
		table_fail(cb, arg, key, d->why);
	else {
		a.value = buf_data(&value);
		cb(&a, arg);
	}
	buf_wipe(&value);
}

static void
db_lookup(void *state, enum table_form form, const char *key, table_cb cb,
    void *arg)
{
	struct database		*d = state;
	struct table_answer	 none = { .result = TABLE_NONE };
	int			 i, n, rc;

	if (connected(d) == -1) {
		table_fail(cb, arg, key, d->why);
		return;
	}
	d->steps = 0;
	n = sqlite3_bind_parameter_count(d->stmt);
	for (rc = SQLITE_OK, i = 1; i <= n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_text(d->stmt, i, key, -1, SQLITE_TRANSIENT);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(d->stmt);
	if (rc == SQLITE_ROW && form == TABLE_USERS)
		user_row(d, key, cb, arg);
	else if (rc == SQLITE_ROW)
		map_answer(d, key, cb, arg);
	else if (rc == SQLITE_DONE) {
		none.key = key;
		cb(&none, arg);
	} else {
		failed(d, sqlite3_errmsg(d->db));
		table_fail(cb, arg, key, d->why);
	}
	sqlite3_reset(d->stmt);
	sqlite3_clear_bindings(d->stmt);
}

const struct table_backend table_backend_sqlite = {
	db_open, db_lookup, db_close, NULL, db_load, db_unload
};
