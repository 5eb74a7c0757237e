/*
 * recover: every state that a cut may leave on the disk.
 *
 * A queue stores messages, ends some, and cleans its journal.  It is stopped
 * before each step that changes the disk, once for each thing that may be
 * missing then: names given, changed or removed since the folder was synced,
 * the last ones first, as a file system with a journal of its own loses them;
 * and, while messages are being moved, each sector of the write under way.
 * After a start on what is left, and after later ones, all that was
 * acknowledged is there and can be read.
 */
#include "os/compat.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <time.h>

#include "spool.h"
#include "smtpd/queue.h"
#include "../test.h"

#define IDS		64
#define TEXT		700
#define SECTOR		512
#define WRITE_MAX	(64 * 1024)
#define PENDING		64
#define RETRY_MAX	3600
#define MARK		999		/* a change of no message */

struct step {
	char	from[40], to[40];	/* to "": it was made as from */
};

/* What the process that is stopped tells. */
static struct shared {
	unsigned int	 steps;
	unsigned int	 npending;	/* when it was stopped */
	unsigned int	 nsectors;	/* of the write under way */
	int		 cleaning;	/* messages are being moved */
	int		 finished;
	unsigned char	 acked[IDS], over[IDS];
	unsigned int	 wrong;		/* an id */
} *shared;

/* Where it is stopped, and what is missing then. */
static struct {
	unsigned int	 step;
	unsigned int	 undo;		/* so many of the names */
	unsigned int	 sectors;	/* of the write are there, */
	int		 hole;		/*  or all but that one */
} plan;

static struct event_base	*base;
static struct step		 pending[PENDING];
static unsigned int		 npending, ntrash;
static int			 journalfd, spoolfd, largefd, marked, late;

/* What the queue calls: the rest of it. */

struct event_base *
role_base(void)
{
	return (base);
}

const struct conf *
queue_conf(void)
{
	static const struct conf	conf = { .queue_lifetime = 86400,
					    .retry_max = RETRY_MAX };

	return (&conf);
}

int
queue_spool(void)
{
	return (spoolfd);
}

int
queue_large(void)
{
	return (largefd);
}

time_t
queue_now(void)
{
	return (0);
}

uint32_t
queue_routes(void)
{
	return (1);
}

int
dest_is_stale(const struct recipient *r)
{
	return (0);
}

int
dest_add(struct recipient *r)
{
	return (0);
}

void
dest_remove(struct recipient *r)
{
}

void
wait_add(struct recipient *r, int64_t next)
{
	if (next > time(NULL) + RETRY_MAX)
		late = 1;
}

int64_t
retry_delay(unsigned int tries)
{
	return (1);
}

/* The disk: what is not synced can be taken back. */

static int
real_rename(const char *from, const char *to)
{
	return ((int)syscall(SYS_renameat2, spoolfd, from, spoolfd, to, 0));
}

/* The name of a file below the spool. */
static void
name_of(int dirfd, const char *name, char *to, size_t size)
{
	(void)snprintf(to, size, "%s/%s", dirfd == largefd ? "large" :
	    "journal", name);
}

static void
stop(void)
{
	while (plan.undo-- > 0 && npending > 0) {
		struct step *s = &pending[--npending];

		if (s->to[0] == '\0')
			(void)syscall(SYS_unlinkat, spoolfd, s->from, 0);
		else if (real_rename(s->to, s->from) == -1)
			_exit(3);
	}
	_exit(0);
}

/* Before anything that changes the disk; 1 if this is the one. */
static int
step(unsigned int nsectors)
{
	if (shared->steps++ != plan.step)
		return (0);
	shared->npending = npending;
	shared->nsectors = shared->cleaning ? nsectors : 0;
	return (1);
}

static void
remember(const char *from, const char *to)
{
	if (npending == PENDING)
		_exit(3);
	strlcpy(pending[npending].from, from, sizeof(pending[0].from));
	strlcpy(pending[npending++].to, to, sizeof(pending[0].to));
}

int
renameat(int fromfd, const char *from, int tofd, const char *to)
{
	char	a[40], b[40];

	name_of(fromfd, from, a, sizeof(a));
	name_of(tofd, to, b, sizeof(b));
	if (step(0))
		stop();
	if (real_rename(a, b) == -1)
		return (-1);
	remember(a, b);
	return (0);
}

int
unlinkat(int dirfd, const char *name, int flags)
{
	char	a[40], trash[40];

	name_of(dirfd, name, a, sizeof(a));
	if (step(0))
		stop();
	(void)snprintf(trash, sizeof(trash), "trash/%u", ntrash++);
	if (real_rename(a, trash) == -1)
		return (-1);
	remember(a, trash);
	return (0);
}

int
fsync(int fd)
{
	struct stat	st;

	if (fstat(fd, &st) == -1 || !S_ISDIR(st.st_mode))
		return (0);
	if (step(0))
		stop();
	npending = 0;
	return (0);
}

/* Zeroes of a new segment: none, as if it had been cut; what is read ends. */
ssize_t
pwrite(int fd, const void *p, size_t len, off_t off)
{
	char	path[64], name[256];
	ssize_t	n;

	if (off == 0) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if ((n = readlink(path, name, sizeof(name) - 1)) == -1)
			_exit(3);
		name[n] = '\0';
		remember(strstr(name, "journal/"), "");
		if (step(0))
			stop();
	}
	return ((ssize_t)len);
}

static int
is_missing(unsigned int sector)
{
	return (plan.hole ? sector == plan.sectors : sector >= plan.sectors);
}

static void
write_part(int fd, const char *p, size_t len, off_t off)
{
	size_t		n, done;
	unsigned int	i = 0;

	for (done = 0; done < len; done += n, i++) {
		n = SECTOR - (size_t)(off + (off_t)done) % SECTOR;
		if (n > len - done)
			n = len - done;
		if (!is_missing(i))
			(void)syscall(SYS_pwrite64, fd, p + done, n,
			    off + (off_t)done);
	}
}

/* What fills a whole segment is zeroes but for its header. */
ssize_t
pwritev2(int fd, const struct iovec *iov, int n, off_t off, int flags)
{
	static char	all[WRITE_MAX];
	size_t		len = 0, total = 0, part;
	int		i;

	for (i = 0; i < n; i++) {
		part = iov[i].iov_len;
		total += part;
		if (part > sizeof(all) - len)
			part = sizeof(all) - len;
		memcpy(all + len, iov[i].iov_base, part);
		len += part;
	}
	if (total > sizeof(all))
		len = SECTOR;
	if (step((unsigned int)(((size_t)off % SECTOR + len + SECTOR - 1) /
	    SECTOR))) {
		write_part(fd, all, len, off);
		stop();
	}
	if (syscall(SYS_pwrite64, fd, all, len, off) != (long)len)
		_exit(3);
	return ((ssize_t)total);
}

/* The queue that is stopped. */

static void
text_of(uint64_t id, unsigned char text[TEXT])
{
	size_t	i;

	for (i = 0; i < TEXT; i++)
		text[i] = (unsigned char)(id * 31 + i * 7 + i / 256);
}

static void
on_mark(void *arg, int error)
{
	marked = 1;
}

/* All that was given to the journal has been written and answered. */
static void
settle(void)
{
	struct journal_place	pl;

	marked = 0;
	if (journal_append(RECORD_CHANGE, MARK, calloc(1, 8), 8, 8, NULL,
	    on_mark, NULL, &pl) == -1)
		_exit(3);
	journal_flush();
	while (!marked)
		event_base_loop(base, EVLOOP_ONCE);
}

static void
on_stored(void *arg, int error)
{
	struct message	*m = arg;

	if (error != 0)
		_exit(3);
	shared->acked[m->id] = 1;
}

static struct message *
new_message(uint64_t id)
{
	struct message	*m = message_new(id);

	if (m == NULL || (m->env.rcpts = calloc(1, sizeof(*m->env.rcpts))) ==
	    NULL)
		_exit(3);
	m->env.nrcpts = 1;
	m->env.size = TEXT;
	m->env.rcpts[0].rcpt = strdup("a@example.org");
	/* By a clock that was wrong, or that was set back since. */
	m->env.rcpts[0].next = INT64_MAX / 4;
	if (id % 2 == 1) {
		m->env.rcpts[0].last = time(NULL) + RETRY_MAX + 100;
		m->env.rcpts[0].next = m->env.rcpts[0].last + 10;
	}
	if (message_recipients(m) == -1)
		_exit(3);
	return (m);
}

static void
store(uint64_t id)
{
	struct message	*m = new_message(id);
	unsigned char	 text[TEXT];

	text_of(id, text);
	if (message_store(m, text, TEXT, NULL, on_stored, m) == -1)
		_exit(3);
}

static void
store_large(uint64_t id)
{
	struct journal_file	 f = { .dirfd = largefd };
	struct message		*m = new_message(id);
	unsigned char		 text[TEXT];
	char			 name[QUEUEID_SIZE];

	text_of(id, text);
	queueid_text(id, name);
	(void)snprintf(f.from, sizeof(f.from), "%s.new", name);
	(void)snprintf(f.to, sizeof(f.to), "%s", name);
	if ((f.fd = openat(largefd, f.from, O_RDWR | O_CREAT, 0600)) == -1 ||
	    write(f.fd, text, TEXT) != TEXT)
		_exit(3);
	m->env.spooled = 1;
	if (message_store(m, NULL, 0, &f, on_stored, m) == -1)
		_exit(3);
}

static void
over(uint64_t id)
{
	shared->over[id] = 1;
	message_drop(message_find(id));
}

/* A change of no message that takes a segment. */
static void
fill_segment(void)
{
	size_t			len = JOURNAL_SEGMENT - journal_header();
	struct journal_place	pl;

	if (journal_append(RECORD_CHANGE, MARK, calloc(1, len), len, 0, NULL,
	    NULL, NULL, &pl) == -1)
		_exit(3);
}

static void
clean(void)
{
	int	i;

	shared->cleaning = 1;
	for (i = 0; i < 4; i++) {
		messages_clean();
		settle();
	}
	shared->cleaning = 0;
}

static void
start(void)
{
	int	whole;

	if ((base = event_base_new()) == NULL || messages_load(&whole) == -1)
		_exit(3);
	messages_start();
}

static void
queue(void)
{
	uint64_t	id;

	start();
	for (id = 1; id <= 4; id++)
		store(id);
	settle();
	store_large(5);
	store(6);
	settle();
	over(2);
	fill_segment();
	store(7);
	store(8);
	settle();
	for (id = 0; id < 4; id++)
		fill_segment();
	store(9);
	settle();
	clean();
	over(3);
	over(5);
	store(10);
	fill_segment();
	fill_segment();
	store(11);
	settle();
	clean();
	over(1);
	store(12);
	settle();
	shared->finished = 1;
	_exit(0);
}

/* The next starts. */

static int
is_readable(struct message *m)
{
	unsigned char	want[TEXT], got[TEXT];
	int		fd, good;

	if ((fd = message_text_fd(m)) == -1)
		return (0);
	text_of(m->id, want);
	good = pread(fd, got, TEXT, 0) == TEXT &&
	    memcmp(got, want, TEXT) == 0;
	close(fd);
	return (good);
}

/* As if so many starts had come after it; each takes a new segment. */
static void
add_segments(int n)
{
	struct segments	list;
	char		name[SEGMENT_NAME];
	int		fd;

	if (segments_list(journalfd, &list, 0) == -1)
		_exit(3);
	while (n > 0 && list.n > 0) {
		segment_name(list.v[list.n - 1] + (uint64_t)n--, name);
		if ((fd = openat(journalfd, name, O_RDWR | O_CREAT,
		    0600)) == -1)
			_exit(3);
		close(fd);
	}
	free(list.v);
}

static void
look(int n)
{
	struct message	*m;
	uint64_t	 id;

	add_segments(n);
	start();
	if (late)
		_exit(4);
	for (id = 0; id < IDS; id++) {
		m = message_find(id);
		shared->wrong = (unsigned int)id;
		if (!shared->acked[id] || shared->over[id])
			continue;
		if (m == NULL)
			_exit(1);
		if (!is_readable(m))
			_exit(2);
	}
	_exit(0);
}

/* The driver. */

static void
empty(const char *name)
{
	struct dirent	*e;
	DIR		*dir;
	char		 path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", spool_dir, name);
	if ((dir = opendir(path)) == NULL)
		exit(2);
	while ((e = readdir(dir)) != NULL)
		(void)syscall(SYS_unlinkat, dirfd(dir), e->d_name, 0);
	closedir(dir);
}

static int
child(void (*fn)(int), int arg)
{
	int	status;
	pid_t	pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		/* What is set aside is said there. */
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(3);
		fn(arg);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		exit(2);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

static void
be_stopped(int arg)
{
	queue();
}

/* 0, or what went wrong. */
static int
one(void)
{
	static const char *const	why[] = { "", "is lost", "is damaged",
					    "does not start",
					    "waits for years" };
	int				i, bad, more;

	memset(shared, 0, sizeof(*shared));
	empty("journal");
	empty("large");
	empty("trash");
	empty("damaged");
	bad = child(be_stopped, 0);
	/* The texts of the last two segments are looked at. */
	more = shared->finished ? -1 : shared->nsectors > 0 ? 2 : 0;
	for (i = 0; bad == 0 && i <= more; i += 2)
		bad = child(look, i);
	if (bad != 0)
		printf("# stopped at step %u, %u names undone, sectors %s%u: "
		    "message %u %s\n", plan.step, plan.undo,
		    plan.hole ? "all but " : "", plan.sectors,
		    shared->wrong, why[bad]);
	return (bad != 0);
}

/* One step, in all ways: how many went wrong. */
static unsigned int
all_of(unsigned int n, unsigned int *runs)
{
	unsigned int	bad, i, names, sectors;

	memset(&plan, 0, sizeof(plan));
	plan.step = n;
	bad = (unsigned int)one();
	(*runs)++;
	names = shared->npending;
	sectors = shared->nsectors;
	if (shared->finished)
		return (bad);
	/* The last, and all: what lies between has gone the same way. */
	for (i = 1; i <= names; i += names > 1 ? names - 1 : 1) {
		plan.undo = i;
		bad += (unsigned int)one();
		(*runs)++;
	}
	plan.undo = 0;
	for (i = 0; sectors > 0 && i <= sectors; i++) {
		plan.hole = i < sectors;
		plan.sectors = plan.hole ? i : sectors / 2;
		bad += (unsigned int)one();
		(*runs)++;
	}
	return (bad);
}

static int
below(const char *name)
{
	if (mkdirat(spoolfd, name, 0700) == -1 && errno != EEXIST)
		exit(2);
	return (openat(spoolfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int
main(void)
{
	unsigned int	n, bad = 0, runs = 0;

	journalfd = spool_new();
	if ((spoolfd = open(spool_dir, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (2);
	largefd = below("large");
	(void)below("trash");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return (2);
	for (n = 0; !shared->finished; n++)
		bad += all_of(n, &runs);
	printf("# %u steps, %u states\n", n, runs);
	TEST("some steps", n > 30 && runs > 100);
	TEST("nothing that was acknowledged is lost", bad == 0);
	spool_remove(journalfd);
	TEST_DONE();
}
