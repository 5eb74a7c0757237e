/*
 * table: the backends through their one interface, and the refresh of files.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "conf/conf.h"
#include "table/refresh.h"
#include "../test.h"

static char		dir[] = "/tmp/regress.table.XXXXXX";
static char		path[64];

static struct seen {
	int			calls;
	enum table_result	result;
	char			key[64], value[128], why[128];
	char			hash[64], home[64], name[64];
	long			uid;
	uint64_t		quota, messages;
} seen;

static void
see(const struct table_answer *a, void *arg)
{
	struct seen	*s = arg;

	s->calls++;
	s->result = a->result;
	s->uid = -1;
	snprintf(s->key, sizeof(s->key), "%s", a->key);
	snprintf(s->value, sizeof(s->value), "%s", a->value ? a->value : "-");
	snprintf(s->why, sizeof(s->why), "%s", a->why ? a->why : "-");
	if (a->user != NULL) {
		snprintf(s->name, sizeof(s->name), "%s", a->user->name);
		snprintf(s->hash, sizeof(s->hash), "%s", a->user->hash);
		snprintf(s->home, sizeof(s->home), "%s", a->user->home);
		s->uid = a->user->has_uid ? (long)a->user->uid : -1;
		s->quota = a->user->has_quota ? a->user->quota : 0;
		s->messages = a->user->messages;
	}
}

static enum table_result
look(struct table *t, const char *key)
{
	memset(&seen, 0, sizeof(seen));
	table_lookup(t, key, see, &seen);
	return (seen.calls == 1 ? seen.result : TABLE_FAILED);
}

static void
in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
}

static int
write_file(const char *text)
{
	int	fd;

	if ((fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600)) == -1)
		return (-1);
	if (write(fd, text, strlen(text)) == -1) {
		close(fd);
		return (-1);
	}
	return (fd);
}

static void
test_inline(void)
{
	char			 k[] = "Root", v[] = "alice", u[] = "bob",
				 h[] = "$6$h:1000::::";
	char			*keys[] = { k, u }, *values[] = { v, h };
	struct conf_table	 ct = { .kind = TABLE_INLINE };
	struct table		*t;

	ct.keys.v = keys;
	ct.values.v = values;
	ct.keys.n = ct.values.n = 2;
	t = table_open(&ct, TABLE_MAP);
	TEST("inline", look(t, "root") == TABLE_FOUND &&
	    strcmp(seen.value, "alice") == 0 && strcmp(seen.key, "Root") == 0);
	TEST("inline-none", look(t, "alice") == TABLE_NONE);
	TEST("inline-empty-key", look(t, "") == TABLE_NONE);
	TEST("inline-not-file", !table_needs_fd(t));
	table_close(t);
	t = table_open(&ct, TABLE_USERS);
	TEST("inline-user", look(t, "bob") == TABLE_FOUND &&
	    strcmp(seen.hash, "$6$h") == 0 && seen.uid == 1000);
	table_close(t);
	ct.kind = TABLE_LDAP;
	errno = 0;
	TEST("no-backend", table_open(&ct, TABLE_MAP) == NULL &&
	    errno == ENOTSUP);
	table_close(NULL);
}

static void
test_file(void)
{
	struct conf_table	 ct = { .kind = TABLE_FILE };
	struct table_report	 r;
	struct table		*t;
	int			 fd, null, pipes[2];

	in_dir("users");
	ct.source = path;
	t = table_open(&ct, TABLE_USERS);
	TEST("file-before", look(t, "a") == TABLE_FAILED);
	fd = write_file("a:h1:10\nbad:h:x\n");
	TEST("file-load", table_load_fd(t, fd, &r) == 1 && r.entries == 2);
	TEST("file-same", table_load_fd(t, fd, &r) == 0);
	TEST("file-found", look(t, "A") == TABLE_FOUND && seen.uid == 10 &&
	    strcmp(seen.hash, "h1") == 0);
	TEST("file-none", look(t, "b") == TABLE_NONE);
	TEST("file-bad-user", look(t, "bad") == TABLE_FAILED &&
	    strcmp(seen.why, "-") != 0);
	close(fd);
	fd = write_file("a:h2:11\n# longer\n");
	TEST("file-changed", table_load_fd(t, fd, &r) == 1);
	TEST("file-new", look(t, "a") == TABLE_FOUND && seen.uid == 11);
	TEST("file-huge", ftruncate(fd, TABLE_FILE_MAX + 1) == 0 &&
	    table_load_fd(t, fd, &r) == -1 && errno == EFBIG);
	close(fd);
	TEST("file-kept", look(t, "a") == TABLE_FOUND && seen.uid == 11);
	null = open("/dev/null", O_RDONLY);
	TEST("file-device", table_load_fd(t, null, &r) == -1 &&
	    errno == EINVAL);
	close(null);
	if (pipe(pipes) == 0) {
		TEST("file-pipe", table_load_fd(t, pipes[0], &r) == -1);
		close(pipes[0]);
		close(pipes[1]);
	}
	TEST("file-closed", table_load_fd(t, -1, &r) == -1);
	table_unload(t, "gone");
	TEST("file-unload", look(t, "a") == TABLE_FAILED &&
	    strcmp(seen.why, "gone") == 0);
	table_close(t);
}

static int64_t		clock_ms;
static int		asked;

static int64_t
fake_clock(void)
{
	return (clock_ms);
}

static void
ask(unsigned int index, void *arg)
{
	(void)arg;
	asked += index == 7;
}

static void
test_refresh(void)
{
	struct conf_table	 ct = { .kind = TABLE_FILE };
	struct table_refresh	*r;
	struct table_report	 report;
	struct seen		 a = { 0 }, b = { 0 };
	int			 fd;

	in_dir("map");
	r = table_refresh_new(table_open(&ct, TABLE_MAP), 7, ask, NULL);
	table_refresh_clock(r, fake_clock);
	table_refresh_lookup(r, "k", see, &a);
	table_refresh_lookup(r, "none", see, &b);
	TEST("refresh-waits", a.calls == 0 && b.calls == 0 && asked == 1);
	fd = write_file("k: 1\n");
	TEST("refresh-answer", table_refresh_answer(r, 0, fd, &report) == 1);
	TEST("refresh-answered", a.calls == 1 && b.calls == 1 &&
	    strcmp(a.value, "1") == 0 && b.result == TABLE_NONE);
	clock_ms = REFRESH_MS - 1;
	table_refresh_lookup(r, "k", see, &a);
	TEST("refresh-young", a.calls == 2 && asked == 1);
	clock_ms = REFRESH_MS;
	table_refresh_lookup(r, "k", see, &a);
	TEST("refresh-old", a.calls == 2 && asked == 2);
	TEST("refresh-same", table_refresh_answer(r, 0, fd, &report) == 0 &&
	    a.calls == 3 && strcmp(a.value, "1") == 0);
	close(fd);
	fd = write_file("k: 22\n");
	clock_ms += REFRESH_MS;
	table_refresh_lookup(r, "k", see, &a);
	TEST("refresh-new", table_refresh_answer(r, 0, fd, &report) == 1 &&
	    strcmp(a.value, "22") == 0);
	clock_ms += REFRESH_MS;
	table_refresh_lookup(r, "k", see, &a);
	TEST("refresh-failed", table_refresh_answer(r, EACCES, -1, &report) ==
	    -1 && a.result == TABLE_FAILED);
	table_refresh_lookup(r, "k", see, &a);
	TEST("refresh-still", a.result == TABLE_FAILED && a.calls == 6);
	TEST("refresh-unasked", table_refresh_answer(r, 0, fd, &report) == 1);
	close(fd);
	table_refresh_lookup(r, "k", see, &a);
	TEST("refresh-back", a.result == TABLE_FOUND && a.calls == 7);
	clock_ms += REFRESH_MS;
	table_refresh_lookup(r, "k", see, &a);
	table_refresh_free(r);
	TEST("refresh-free", a.calls == 8 && a.result == TABLE_FAILED);
}

static void
test_refresh_bound(void)
{
	struct conf_table	 ct = { .kind = TABLE_FILE };
	struct table_refresh	*r;
	struct seen		 a = { 0 };
	int			 i;

	asked = 0;
	r = table_refresh_new(table_open(&ct, TABLE_MAP), 7, ask, NULL);
	for (i = 0; i < REFRESH_WAITING + 10; i++)
		table_refresh_lookup(r, "k", see, &a);
	TEST("refresh-bound", a.calls == 10 && asked == 1);
	table_refresh_free(r);
	TEST("refresh-bound-free", a.calls == REFRESH_WAITING + 10);
}

static int
make_db(const char *sql)
{
	sqlite3	*db;
	int	 rc;

	if (sqlite3_open(path, &db) != SQLITE_OK)
		return (-1);
	rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return (rc == SQLITE_OK ? 0 : -1);
}

static struct table *
open_db(const char *sql, enum table_form form)
{
	struct conf_table	 ct = { .kind = TABLE_SQLITE };
	struct table		*t;
	char			*query;

	if ((query = strdup(sql)) == NULL)
		return (NULL);
	ct.source = path;
	ct.query = query;
	t = table_open(&ct, form);
	free(query);
	return (t);
}

/* As the parent does: the file as it is now, or why there is none. */
static int
load_db(struct table *t)
{
	struct table_report	r;
	int			fd, rv;

	if ((fd = open(path, O_RDONLY)) == -1) {
		table_unload(t, strerror(errno));
		return (-1);
	}
	rv = table_load_fd(t, fd, &r);
	close(fd);
	return (rv);
}

static enum table_result
query_fails(const char *sql)
{
	struct table		*t = open_db(sql, TABLE_MAP);
	enum table_result	 rv;

	if (load_db(t) != 1)
		return (0);
	rv = look(t, "root");
	table_close(t);
	return (rv == TABLE_FAILED && strcmp(seen.why, "-") != 0);
}

static void
test_sqlite_map(void)
{
	struct table	*t;
	char		 gone[80];

	in_dir("map.db");
	snprintf(gone, sizeof(gone), "%s.gone", path);
	t = open_db("SELECT v FROM m WHERE k = ?", TABLE_MAP);
	TEST("sqlite-not-yet", look(t, "root") == TABLE_FAILED &&
	    strcmp(seen.why, "the file was not opened yet") == 0);
	TEST("sqlite-no-file", load_db(t) == -1 &&
	    look(t, "root") == TABLE_FAILED &&
	    strcmp(seen.why, "No such file or directory") == 0);
	TEST("sqlite-make", make_db("CREATE TABLE m (k, v);"
	    "INSERT INTO m VALUES ('root', 'alice'), ('all', 'a'),"
	    "('all', 'b'), ('nul', x'610062'), ('null', NULL), ('n', 5);") ==
	    0);
	TEST("sqlite-load", load_db(t) == 1);
	TEST("sqlite-found", look(t, "root") == TABLE_FOUND &&
	    strcmp(seen.value, "alice") == 0);
	TEST("sqlite-none", look(t, "' OR 1=1 --") == TABLE_NONE);
	TEST("sqlite-case", look(t, "Root") == TABLE_NONE);
	TEST("sqlite-rows", look(t, "all") == TABLE_FOUND &&
	    strcmp(seen.value, "a, b") == 0);
	TEST("sqlite-nul", look(t, "nul") == TABLE_FAILED);
	TEST("sqlite-null", look(t, "null") == TABLE_FOUND &&
	    strcmp(seen.value, "") == 0);
	TEST("sqlite-number", look(t, "n") == TABLE_FOUND &&
	    strcmp(seen.value, "5") == 0);
	TEST("sqlite-again", load_db(t) == 0 &&
	    look(t, "root") == TABLE_FOUND);
	TEST("sqlite-not-by-name", rename(path, gone) ==
	    0 && look(t, "root") == TABLE_FOUND);
	TEST("sqlite-replaced", make_db("CREATE TABLE m (k, v);"
	    "INSERT INTO m VALUES ('root', 'bob');") == 0 &&
	    load_db(t) == 1 && look(t, "root") == TABLE_FOUND &&
	    strcmp(seen.value, "bob") == 0);
	TEST("sqlite-written", make_db("UPDATE m SET v = 'carol';") == 0 &&
	    look(t, "root") == TABLE_FOUND &&
	    strcmp(seen.value, "carol") == 0);
	table_close(t);
	TEST("sqlite-writes", query_fails("DELETE FROM m WHERE k = ?"));
	TEST("sqlite-two", query_fails("SELECT v FROM m WHERE k = ?; "
	    "SELECT 1"));
	TEST("sqlite-no-key", query_fails("SELECT v FROM m"));
	TEST("sqlite-syntax", query_fails("SELECT FROM"));
	TEST("sqlite-empty", query_fails(""));
	TEST("sqlite-endless", query_fails("WITH RECURSIVE c(x) AS (SELECT 1 "
	    "UNION ALL SELECT x+1 FROM c) SELECT max(x) FROM c WHERE x = ?"));
	TEST("sqlite-large", query_fails(
	    "SELECT zeroblob(2000000) || ?"));
}

static void
test_sqlite_users(void)
{
	struct table	*t;

	in_dir("users.db");
	TEST("sqlite-users-make", make_db("CREATE TABLE u (name, hash, uid, "
	    "gid, home, quota, messages); INSERT INTO u VALUES ('Bob', "
	    "'$6$x', 1001, NULL, '/h', '2k', 30), "
	    "('bad', 'h', 'x', 1, '', '', '');") == 0);
	t = open_db("SELECT * FROM u WHERE name = ? COLLATE NOCASE",
	    TABLE_USERS);
	TEST("sqlite-users-load", load_db(t) == 1);
	TEST("sqlite-user", look(t, "bob") == TABLE_FOUND &&
	    strcmp(seen.name, "Bob") == 0 && strcmp(seen.hash, "$6$x") == 0 &&
	    strcmp(seen.home, "/h") == 0 && seen.uid == 1001 &&
	    seen.quota == 2048 && seen.messages == 30);
	TEST("sqlite-bad-user", look(t, "bad") == TABLE_FAILED);
	table_close(t);
	t = open_db("SELECT hash FROM u WHERE name = ?", TABLE_USERS);
	TEST("sqlite-single-load", load_db(t) == 1);
	TEST("sqlite-single", look(t, "Bob") == TABLE_FOUND &&
	    strcmp(seen.hash, "$6$x") == 0 && strcmp(seen.name, "Bob") == 0);
	table_close(t);
}

int
main(void)
{
	char	cmd[64];

	if (mkdtemp(dir) == NULL)
		return (1);
	test_inline();
	test_file();
	test_refresh();
	test_refresh_bound();
	test_sqlite_map();
	test_sqlite_users();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (system(cmd) != 0)
		return (1);
	TEST_DONE();
}
