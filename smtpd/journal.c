/*
 * journal: what "250" stands on.
 *
 * Segments are files journal/NNNNNNNNNNNNNNNN of JOURNAL_SEGMENT bytes that
 * are written with zeroes first, so that a later write changes no metadata and
 * one pwritev2(RWF_DSYNC) is one flush.  A segment that is not needed any more
 * is renamed to the next number and used again.
 *
 * States of a segment on disk, and what start-up makes of them:
 *
 *	zeroes only			new; nothing in it
 *	records, then zeroes		in use; all records count
 *	records, then records of	in use, was used before: the number in
 *	another segment number		each header tells where the end is
 *	... then a torn record		the last write was cut: nobody was
 *					answered for it; it does not count
 *	record with a bad checksum,	damage: the segment is copied to
 *	good ones behind it		damaged/, the good ones count
 *	shorter than JOURNAL_SEGMENT	creation was cut: filled up again
 *
 * A record is good if magic, segment number and checksum agree; the checksum
 * covers the header and the payload up to a message's text, which has one of
 * its own that is checked when the text is read.  At start it is checked in the
 * last write of a segment, known by the mark of its first record: a text that
 * is cut there was never answered for, at this start and at any later one.
 * One in a write before it was, and its sender is told that it is damaged.
 *
 * Segments go oldest first only.  A change lies never before the message that
 * it changes, so dropping the oldest segment loses nothing that is needed.
 *
 * Cost: for all who wait at a time one pwritev2() of all records, made by the
 * committer thread; two futex calls and a wake-up through a pipe a batch.
 * Those who come during one write share the next: with 50 sessions that is a
 * sync for seven to ten messages.  To wait for more of them, a quarter of a
 * millisecond say, halves the syncs and costs a fifth of the messages a
 * second; nobody waits.
 */
#include <sys/stat.h>
#include <sys/uio.h>

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "smtpd/journal.h"
#include "smtpd/journal_file.h"

#define BATCH_MAX	340		/* records of three vectors each */
#define RETRY_SECONDS	2
#define CLOSE_SECONDS	5

struct entry {
	TAILQ_ENTRY(entry)	 entry;
	struct record_head	 head;
	void			*payload;
	uint64_t		 seg;
	uint32_t		 off;
	struct journal_file	 file;
	int			 has_file;
	journal_done		 done;
	void			*arg;
	int			 waited;	/* somebody waits for it */
	int			 hole;		/* its place was not written */
	int			 error;
};
TAILQ_HEAD(entries, entry);

static struct {
	int			 dirfd;
	uint64_t		 oldest;	/* segment numbers */
	uint64_t		 newest;
	uint32_t		 off;		/* next record in newest */
	struct entries		 todo;		/* main to committer */
	struct entries		 finished;	/* committer to main */
	int			 urgent;	/* somebody waits */
	int			 writing;	/* the committer has a batch */
	pthread_mutex_t		 lock;
	pthread_cond_t		 work;
	pthread_cond_t		 idle;
	int			 wake[2];
	struct event		*ev;
	struct event		*lazy;
	int			 lazy_on;
	struct entries		 failed;	/* to be tried again */
	struct event		*retry;
	int			 readfd;	/* last segment read */
	uint64_t		 readseg;
	uint64_t		 syncs;
	/* the committer's own */
	int			 fd;
	uint64_t		 seg;
} self = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.work = PTHREAD_COND_INITIALIZER,
	.idle = PTHREAD_COND_INITIALIZER,
	.readfd = -1, .fd = -1,
};

size_t
journal_header(void)
{
	return (sizeof(struct record_head));
}

uint64_t
journal_oldest(void)
{
	return (self.oldest);
}

uint64_t
journal_newest(void)
{
	return (self.newest);
}

uint64_t
journal_bytes(void)
{
	return ((self.newest - self.oldest + 1) * JOURNAL_SEGMENT);
}

/* The committer. */

static int
open_segment(uint64_t seg)
{
	if (self.fd != -1 && self.seg == seg)
		return (0);
	if (self.fd != -1)
		close(self.fd);
	self.seg = seg;
	self.fd = segment_make(self.dirfd, seg);
	return (self.fd == -1 ? -1 : 0);
}

/* A large message's own file goes to the disk before its record. */
static int
sync_file(struct entry *e)
{
	struct journal_file	*f = &e->file;
	int			 ret = 0;

	if (!e->has_file)
		return (0);
	if (fsync(f->fd) == -1 ||
	    renameat(f->dirfd, f->from, f->dirfd, f->to) == -1 ||
	    fsync(f->dirfd) == -1)
		ret = -1;
	close(f->fd);
	return (ret);
}

/*
 * Its file failed, and the others in the batch are not to suffer: a record
 * that says nothing takes the place.
 */
static void
void_record(struct entry *e)
{
	record_seal(&e->head, RECORD_DONE, e->seg, e->head.id, e->payload,
	    e->head.len, 0);
}

uint64_t
journal_syncs(void)
{
	uint64_t	n;

	pthread_mutex_lock(&self.lock);
	n = self.syncs;
	pthread_mutex_unlock(&self.lock);
	return (n);
}

/* As many entries as lie one behind the other in one segment. */
static struct entry *
write_run(struct entries *batch, struct entry *first)
{
	static const char	 zero[8];
	struct iovec		 iov[3 * BATCH_MAX];
	struct entry		*e, *next;
	int			 n = 0, count = 0, error = 0;
	size_t			 pad;

	for (e = first; e != NULL && e->seg == first->seg &&
	    count < BATCH_MAX; e = TAILQ_NEXT(e, entry), count++) {
		if (sync_file(e) == -1) {
			e->error = errno != 0 ? errno : EIO;
			void_record(e);
		}
		if (e == first)
			record_first(&e->head, e->payload);
		iov[n].iov_base = &e->head;
		iov[n++].iov_len = sizeof(e->head);
		if (e->head.len > 0) {
			iov[n].iov_base = e->payload;
			iov[n++].iov_len = e->head.len;
		}
		if ((pad = record_pad(e->head.len)) > 0) {
			iov[n].iov_base = (void *)(uintptr_t)zero;
			iov[n++].iov_len = pad;
		}
	}
	next = e;
	if (open_segment(first->seg) == -1 ||
	    os_sync_write(self.fd, iov, n, first->off) == -1)
		error = errno != 0 ? errno : EIO;
	for (e = first; error != 0 && e != next; e = TAILQ_NEXT(e, entry)) {
		e->error = error;
		e->hole = 1;
	}
	return (next);
}

/*
 * With the lock: wait for work.  After a pause the segment is closed, so that
 * the file system can be made read-only, or be repaired, while we run.
 */
static void
wait_for_work(void)
{
	struct timespec	end;

	while (!self.urgent) {
		if (self.fd == -1) {
			pthread_cond_wait(&self.work, &self.lock);
			continue;
		}
		if (clock_gettime(CLOCK_REALTIME, &end) == -1)
			memset(&end, 0, sizeof(end));
		end.tv_sec += CLOSE_SECONDS;
		if (pthread_cond_timedwait(&self.work, &self.lock, &end) ==
		    ETIMEDOUT && !self.urgent) {
			close(self.fd);
			self.fd = -1;
		}
	}
}

static void *
committer(void *arg)
{
	struct entries	 batch;
	struct entry	*e;

	for (;;) {
		TAILQ_INIT(&batch);
		pthread_mutex_lock(&self.lock);
		wait_for_work();
		TAILQ_CONCAT(&batch, &self.todo, entry);
		self.urgent = 0;
		self.writing = 1;
		pthread_mutex_unlock(&self.lock);
		for (e = TAILQ_FIRST(&batch); e != NULL; )
			e = write_run(&batch, e);
		pthread_mutex_lock(&self.lock);
		TAILQ_CONCAT(&self.finished, &batch, entry);
		self.syncs++;
		self.writing = 0;
		pthread_cond_broadcast(&self.idle);
		pthread_mutex_unlock(&self.lock);
		while (write(self.wake[1], "", 1) == -1 && errno == EINTR)
			;
	}
	return (NULL);
}

/* The event loop's side. */

static void
wake_committer(void)
{
	pthread_mutex_lock(&self.lock);
	self.urgent = 1;
	pthread_cond_signal(&self.work);
	pthread_mutex_unlock(&self.lock);
}

void
journal_flush(void)
{
	pthread_mutex_lock(&self.lock);
	while (!TAILQ_EMPTY(&self.todo) || self.writing) {
		self.urgent = 1;
		pthread_cond_signal(&self.work);
		pthread_cond_wait(&self.idle, &self.lock);
	}
	pthread_mutex_unlock(&self.lock);
}

static void
on_lazy(evutil_socket_t fd, short ev, void *arg)
{
	self.lazy_on = 0;
	wake_committer();
}

/* The next place; a record lies in one segment. */
static void
give_place(struct entry *e)
{
	size_t	total = sizeof(e->head) + e->head.len + record_pad(e->head.len);

	if (JOURNAL_SEGMENT - self.off < total) {
		self.newest++;
		self.off = 0;
	}
	e->seg = self.newest;
	e->off = self.off;
	self.off += total;
}

static void
hand_over(struct entry *e, int urgent)
{
	static const struct timeval	soon = { 0, JOURNAL_LAZY_MS * 1000 };

	pthread_mutex_lock(&self.lock);
	TAILQ_INSERT_TAIL(&self.todo, e, entry);
	if (urgent) {
		self.urgent = 1;
		pthread_cond_signal(&self.work);
	}
	pthread_mutex_unlock(&self.lock);
	if (!urgent && !self.lazy_on && event_add(self.lazy, &soon) == 0)
		self.lazy_on = 1;
}

/* Of a change that was not written nobody was told, so it has to be. */
static void
on_retry(evutil_socket_t fd, short ev, void *arg)
{
	struct entry	*e;

	while ((e = TAILQ_FIRST(&self.failed)) != NULL) {
		TAILQ_REMOVE(&self.failed, e, entry);
		e->error = e->hole = 0;
		give_place(e);
		record_seal(&e->head, e->head.type, e->seg, e->head.id,
		    e->payload, e->head.len, e->head.covered);
		hand_over(e, 0);
	}
}

static void
try_again(struct entry *e)
{
	static const struct timeval	later = { RETRY_SECONDS, 0 };

	TAILQ_INSERT_TAIL(&self.failed, e, entry);
	if (!event_pending(self.retry, EV_TIMEOUT, NULL))
		event_add(self.retry, &later);
}

static void
one_finished(struct entry *e)
{
	if (e->hole && e->seg == self.newest) {
		/* What was not written is to be the end of its segment. */
		self.newest++;
		self.off = 0;
	}
	if (e->error != 0 && !e->waited) {
		try_again(e);
		return;
	}
	if (e->done != NULL)
		e->done(e->arg, e->error);
	free(e->payload);
	free(e);
}

static void
on_finished(evutil_socket_t fd, short ev, void *arg)
{
	struct entries	 list;
	struct entry	*e;
	char		 drain[64];

	TAILQ_INIT(&list);
	while (read(self.wake[0], drain, sizeof(drain)) == sizeof(drain))
		;
	pthread_mutex_lock(&self.lock);
	TAILQ_CONCAT(&list, &self.finished, entry);
	pthread_mutex_unlock(&self.lock);
	while ((e = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, e, entry);
		one_finished(e);
	}
}

int
journal_append(enum record_type type, uint64_t id, void *payload, size_t len,
    size_t covered, const struct journal_file *file, journal_done done,
    void *arg, struct journal_place *place)
{
	struct entry	*e;
	size_t		 total;

	total = sizeof(e->head) + len + record_pad(len);
	if (total > JOURNAL_SEGMENT || (e = calloc(1, sizeof(*e))) == NULL) {
		free(payload);
		errno = total > JOURNAL_SEGMENT ? EFBIG : ENOMEM;
		return (-1);
	}
	e->head.len = len;
	give_place(e);
	place->seg = e->seg;
	place->off = e->off;
	place->len = total;
	e->waited = type == RECORD_MESSAGE;
	e->payload = payload;
	e->done = done;
	e->arg = arg;
	if (file != NULL) {
		e->file = *file;
		e->has_file = 1;
	}
	record_seal(&e->head, type, e->seg, id, payload, len, covered);
	hand_over(e, e->waited);
	return (0);
}

ssize_t
journal_read(const struct journal_place *p, size_t off, void *to, size_t len)
{
	char	name[SEGMENT_NAME];
	size_t	most;

	if (self.readfd == -1 || self.readseg != p->seg) {
		if (self.readfd != -1)
			close(self.readfd);
		segment_name(p->seg, name);
		if ((self.readfd = openat(self.dirfd, name, O_RDONLY |
		    O_CLOEXEC | O_NOFOLLOW)) == -1)
			return (-1);
		self.readseg = p->seg;
	}
	most = p->len - sizeof(struct record_head);
	if (off > most)
		return (0);
	if (len > most - off)
		len = most - off;
	return (pread(self.readfd, to, len, (off_t)p->off +
	    (off_t)sizeof(struct record_head) + (off_t)off));
}

void
journal_drop_oldest(void)
{
	if (self.oldest >= self.newest)
		return;
	if (self.readfd != -1 && self.readseg == self.oldest) {
		close(self.readfd);
		self.readfd = -1;
	}
	segment_retire(self.dirfd, self.oldest);
	self.oldest++;
}

static int
start_committer(struct event_base *base)
{
	pthread_t	t;
	int		flags;

	if (pipe2(self.wake, O_CLOEXEC | O_NONBLOCK) == -1 ||
	    (flags = fcntl(self.wake[1], F_GETFL)) == -1 ||
	    (self.ev = event_new(base, self.wake[0], EV_READ | EV_PERSIST,
	    on_finished, NULL)) == NULL ||
	    (self.lazy = evtimer_new(base, on_lazy, NULL)) == NULL ||
	    (self.retry = evtimer_new(base, on_retry, NULL)) == NULL ||
	    event_add(self.ev, NULL) == -1)
		return (-1);
	if ((errno = pthread_create(&t, NULL, committer, NULL)) != 0)
		return (-1);
	return (0);
}

int
journal_open(struct event_base *base, int dirfd, journal_found found,
    journal_damaged damaged, void *arg)
{
	struct segments	 list;
	size_t		 i;

	TAILQ_INIT(&self.todo);
	TAILQ_INIT(&self.finished);
	TAILQ_INIT(&self.failed);
	self.dirfd = dirfd;
	if (segments_list(dirfd, &list, 1) == -1)
		return (-1);
	/*
	 * Numbers begin at a secret: who could guess one could write a message
	 * whose text looks like a record, and hope for a torn write.
	 */
	arc4random_buf(&self.newest, sizeof(self.newest));
	self.newest &= UINT64_MAX >> 2;
	self.oldest = self.newest;
	for (i = 0; i < list.n; i++) {
		if (segment_scan(dirfd, list.v[i], found, damaged, arg) ==
		    -1) {
			free(list.v);
			return (-1);
		}
		if (i == 0)
			self.oldest = list.v[i];
		self.newest = list.v[i] + 1;
	}
	free(list.v);
	return (start_committer(base));
}
