/*
 * spoolcheck: reads a spool as the queue would at its start, and more
 * closely: every text, every file.
 *
 * Beside a running queue a record may be seen half written, or a file be gone
 * that was listed a moment ago: what is found then counts only if it is found
 * TRIES times.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "smtp/queueid.h"
#include "smtpd/envelope.h"
#include "smtpd/journal_file.h"
#include "smtpd/spoolcheck.h"

#define TRIES		3
#define PAUSE_NS	300000000

struct found {
	RB_ENTRY(found)	 entry;
	uint64_t	 id;
	uint64_t	 size;
	int		 spooled;
	int		 held;
	size_t		 nrcpts;
	size_t		 active;
	unsigned char	*status;	/* a recipient */
};
RB_HEAD(founds, found);

struct check {
	int		 spool;
	struct founds	 all;
	struct spool_counts *n;
	spool_tell	 tell;
	void		*arg;
	int		 nomem;
};

static int	by_id(struct found *, struct found *);

RB_PROTOTYPE(founds, found, entry, by_id)
RB_GENERATE(founds, found, entry, by_id)

static void	tell(struct check *, int bad, const char *, ...)
    __attribute__((__format__(printf, 3, 4)));

static int
by_id(struct found *a, struct found *b)
{
	return (a->id < b->id ? -1 : a->id > b->id);
}

static void
tell(struct check *c, int bad, const char *fmt, ...)
{
	char	line[512];
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (bad)
		c->n->mistakes++;
	if (c->tell != NULL)
		c->tell(c->arg, bad, line);
}

static struct found *
find(struct check *c, uint64_t id)
{
	struct found	key = { .id = id };

	return (RB_FIND(founds, &c->all, &key));
}

static void
forget(struct check *c, struct found *f)
{
	if (f == NULL)
		return;
	RB_REMOVE(founds, &c->all, f);
	free(f->status);
	free(f);
}

static int
fill(struct found *f, uint64_t id, const struct envelope *e)
{
	size_t	i;

	f->id = id;
	f->size = e->size;
	f->spooled = e->spooled != 0;
	f->held = e->held != 0;
	f->nrcpts = e->nrcpts;
	if ((f->status = malloc(e->nrcpts)) == NULL)
		return (-1);
	for (i = 0; i < e->nrcpts; i++)
		f->status[i] = (unsigned char)e->rcpts[i].status;
	return (0);
}

static void
message(struct check *c, uint64_t id, const unsigned char *p, size_t len,
    const struct journal_place *place)
{
	struct envelope	 e;
	struct found	*f;
	char		 name[QUEUEID_SIZE];
	uint32_t	 n = 0;

	queueid_text(id, name);
	if (len >= 8)
		memcpy(&n, p, sizeof(n));
	if (len < 8 || n != len - 8 || envelope_decode(&e, p + 8, n) == -1) {
		tell(c, 1, "%s: the envelope cannot be read", name);
		return;
	}
	if (!e.spooled && place->len != sizeof(struct record_head) + len +
	    e.size + record_pad(len + e.size))
		tell(c, 1, "%s: the text has not the size that the envelope "
		    "says", name);
	/* A later record of the same message is its newest state. */
	forget(c, find(c, id));
	if ((f = calloc(1, sizeof(*f))) == NULL || fill(f, id, &e) == -1) {
		free(f);
		c->nomem = 1;
	} else
		RB_INSERT(founds, &c->all, f);
	envelope_free(&e);
}

static void
change(struct check *c, uint64_t id, const void *p, size_t len)
{
	struct rcpt_change	 ch;
	struct found		*f = find(c, id);
	char			 name[QUEUEID_SIZE];

	queueid_text(id, name);
	if (rcpt_change_decode(&ch, p, len) == -1) {
		tell(c, 1, "%s: a change cannot be read", name);
		return;
	}
	/* One of a message that is over may outlive it. */
	if (f == NULL || ch.index == CHANGE_WARNED)
		return;
	if (ch.index == CHANGE_HELD)
		f->held = ch.status != 0;
	else if (ch.index >= f->nrcpts)
		tell(c, 1, "%s: a change of no recipient", name);
	else
		f->status[ch.index] = (unsigned char)ch.status;
}

static void
found(void *arg, enum record_type type, uint64_t id, const void *p,
    size_t len, const struct journal_place *place)
{
	struct check	*c = arg;

	switch (type) {
	case RECORD_MESSAGE:
		message(c, id, p, len, place);
		break;
	case RECORD_CHANGE:
		change(c, id, p, len);
		break;
	case RECORD_DONE:
		forget(c, find(c, id));
		break;
	}
}

static int
check_journal(struct check *c)
{
	struct segments		 list;
	const unsigned char	*p;
	size_t			 len, i;
	unsigned int		 bad;
	int			 dir;

	if ((dir = openat(c->spool, "journal", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (-1);
	if (segments_list(dir, &list, 0) == -1) {
		close(dir);
		return (-1);
	}
	for (i = 0; i < list.n; i++) {
		if (segment_map(dir, list.v[i], &p, &len) == -1) {
			/* It was dropped meanwhile. */
			if (!c->n->running || errno != ENOENT)
				tell(c, 1, "segment %016" PRIx64 ": %s",
				    list.v[i], strerror(errno));
			continue;
		}
		c->n->segments++;
		bad = 0;
		segment_walk(p, len, list.v[i], 1, found, c, &bad);
		if (bad > 0)
			tell(c, 1, "segment %016" PRIx64 ": %u damaged places",
			    list.v[i], bad);
		(void)segment_unmap(p, len);
	}
	free(list.v);
	close(dir);
	return (0);
}

/* Every message that has a file, has it, as long as it says. */
static void
check_messages(struct check *c)
{
	struct found	*f;
	struct stat	 st;
	char		 path[64], name[QUEUEID_SIZE];
	size_t		 i;

	RB_FOREACH(f, founds, &c->all) {
		c->n->messages++;
		c->n->held += (size_t)f->held;
		for (i = 0; i < f->nrcpts; i++)
			c->n->recipients += f->status[i] == RCPT_ACTIVE;
		if (!f->spooled)
			continue;
		queueid_text(f->id, name);
		(void)snprintf(path, sizeof(path), "large/%s", name);
		if (fstatat(c->spool, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
			tell(c, 1, "%s: %s", path, strerror(errno));
		else if (!S_ISREG(st.st_mode) ||
		    (uint64_t)st.st_size != f->size)
			tell(c, 1, "%s: not the file of %" PRIu64 " bytes "
			    "that it should be", path, f->size);
		else
			c->n->large++;
	}
}

static int
each_file(struct check *c, const char *dir,
    void (*fn)(struct check *, const char *, const struct stat *))
{
	struct dirent	*e;
	struct stat	 st;
	DIR		*d;
	int		 fd;

	if ((fd = openat(c->spool, dir, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (-1);
	if ((d = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			fn(c, e->d_name, &st);
	closedir(d);
	return (0);
}

/* Files of nobody go at the next start; beside a queue they may be new. */
static void
large_file(struct check *c, const char *name, const struct stat *st)
{
	size_t		n = strlen(name);
	uint64_t	id;

	if (n == QUEUEID_SIZE + 3 && strcmp(name + n - 4, ".new") == 0) {
		if (!c->n->running)
			tell(c, 0, "large/%s: was being received; removed at "
			    "the next start", name);
	} else if (queueid_parse(name, &id) == -1)
		tell(c, 1, "large/%s: no file of ours", name);
	else if (find(c, id) == NULL && !c->n->running)
		tell(c, 0, "large/%s: of no message; removed at the next "
		    "start", name);
}

static void
aside_file(struct check *c, const char *name, const struct stat *st)
{
	char		when[32];
	struct tm	tm;

	c->n->aside++;
	if (localtime_r(&st->st_mtime, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm) == 0)
		when[0] = '\0';
	tell(c, 0, "damaged/%s: set aside %s, %lld bytes", name, when,
	    (long long)st->st_size);
}

static int
is_running(int spool)
{
	int	fd, running;

	if ((fd = openat(spool, "lock", O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW)) == -1)
		return (0);
	running = os_lock(fd) == -1;
	close(fd);
	return (running);
}

static int
once(struct check *c)
{
	int	ret;

	RB_INIT(&c->all);
	memset(c->n, 0, sizeof(*c->n));
	c->n->running = is_running(c->spool);
	ret = check_journal(c);
	if (ret == 0) {
		check_messages(c);
		if (each_file(c, "large", large_file) == -1 ||
		    each_file(c, "damaged", aside_file) == -1)
			ret = -1;
	}
	while (!RB_EMPTY(&c->all))
		forget(c, RB_MIN(founds, &c->all));
	if (c->nomem) {
		errno = ENOMEM;
		ret = -1;
	}
	return (ret);
}

int
spool_check(const char *spool, struct spool_counts *n, spool_tell fn,
    void *arg)
{
	static const struct timespec	pause = { 0, PAUSE_NS };
	struct check			c = { .n = n };
	int				tries = 0, ret;

	if ((c.spool = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	/* Silently, until it is known whether what is found counts. */
	while ((ret = once(&c)) == 0 && n->mistakes > 0 && n->running &&
	    ++tries < TRIES)
		(void)nanosleep(&pause, NULL);
	if (ret == 0 && (n->mistakes == 0 || !n->running || tries == TRIES)) {
		c.tell = fn;
		c.arg = arg;
		ret = once(&c);
	}
	close(c.spool);
	return (ret);
}
