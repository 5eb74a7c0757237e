/*
 * queue_msg: messages in memory, and what the journal is told of them.
 *
 * A message's life in records: MESSAGE when it is accepted, CHANGE when a
 * recipient was tried or came to its end, DONE when nothing is left.  MESSAGE
 * is waited for; the others are not: if they are lost in a crash, what they
 * said happens once more.  A file of its own goes after DONE is on the disk.
 */
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "buf/buf.h"
#include "log/log.h"
#include "os/os.h"
#include "smtpd/queue.h"

#define FDS_MAX		2000		/* texts kept open */

static int	by_id(struct message *, struct message *);

RB_PROTOTYPE(messages, message, byid, by_id)
RB_GENERATE(messages, message, byid, by_id)

static struct {
	struct messages		 all;
	size_t			 n;
	size_t			 nfds;
	uint64_t		 live;		/* bytes of records needed */
	uint64_t		 last_id;
	TAILQ_HEAD(, message)	 failing;
} self = {
	.all = RB_INITIALIZER(&self.all),
	.failing = TAILQ_HEAD_INITIALIZER(self.failing),
};

static int
by_id(struct message *a, struct message *b)
{
	return (a->id < b->id ? -1 : a->id > b->id);
}

/* Microseconds, but never twice the same: ids sort by age. */
uint64_t
message_new_id(void)
{
	struct timeval	tv;
	uint64_t	id;

	gettimeofday(&tv, NULL);
	id = (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
	if (id <= self.last_id)
		id = self.last_id + 1;
	self.last_id = id;
	return (id);
}

struct message *
message_find(uint64_t id)
{
	struct message	key = { .id = id };

	return (RB_FIND(messages, &self.all, &key));
}

struct message *
message_first(void)
{
	return (RB_MIN(messages, &self.all));
}

struct message *
message_next(struct message *m)
{
	return (RB_NEXT(messages, &self.all, m));
}

uint64_t
message_live(int64_t change)
{
	self.live += (uint64_t)change;
	return (self.live);
}

size_t
message_count(void)
{
	return (self.n);
}

struct message *
message_new(uint64_t id)
{
	struct message	*m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	m->id = id;
	m->fd = -1;
	if (RB_INSERT(messages, &self.all, m) != NULL) {
		free(m);
		return (NULL);
	}
	self.n++;
	return (m);
}

static void
close_text(struct message *m)
{
	if (m->fd == -1)
		return;
	close(m->fd);
	m->fd = -1;
	self.nfds--;
}

void
message_forget(struct message *m)
{
	RB_REMOVE(messages, &self.all, m);
	self.n--;
	if (m->is_failing)
		TAILQ_REMOVE(&self.failing, m, failing);
	if (m->committed)
		self.live -= m->place.len;
	close_text(m);
	envelope_free(&m->env);
	free(m->recips);
	free(m);
}

int
message_recipients(struct message *m)
{
	size_t	i;

	if ((m->recips = calloc(m->env.nrcpts, sizeof(*m->recips))) == NULL)
		return (-1);
	for (i = 0; i < m->env.nrcpts; i++) {
		m->recips[i].m = m;
		m->recips[i].routes = m->again ? 0 : queue_routes();
		m->recips[i].index = i;
		m->recips[i].state = RECIP_OVER;
		if (m->env.rcpts[i].status == RCPT_ACTIVE) {
			m->recips[i].state = RECIP_WAITING;
			m->active++;
		} else if (m->env.rcpts[i].status == RCPT_FAILED)
			m->failed++;
	}
	return (0);
}

struct erecipient *
recipient_env(const struct recipient *r)
{
	return (&r->m->env.rcpts[r->index]);
}

/* u32 length of the envelope, u32 CRC of the text, envelope, text. */
static void *
payload(const struct envelope *env, const void *text, size_t textlen,
    size_t *len, size_t *covered)
{
	struct buf	b;
	uint32_t	n, crc;
	void		*p = NULL;

	buf_init(&b, ENVELOPE_MAX);
	if (envelope_encode(env, &b) == 0 &&
	    buf_len(&b) <= UINT32_MAX - 8 - textlen &&
	    (p = malloc(8 + buf_len(&b) + textlen)) != NULL) {
		n = buf_len(&b);
		crc = crc32(crc32(0, NULL, 0), text, textlen);
		memcpy(p, &n, 4);
		memcpy((char *)p + 4, &crc, 4);
		memcpy((char *)p + 8, buf_data(&b), n);
		if (textlen > 0)
			memcpy((char *)p + 8 + n, text, textlen);
		*covered = 8 + (size_t)n;
		*len = *covered + textlen;
	}
	buf_free(&b);
	return (p);
}

int
message_store(struct message *m, const void *text, size_t textlen,
    const struct journal_file *file, journal_done done, void *arg)
{
	size_t	 len, covered;
	void	*p;

	if ((p = payload(&m->env, text, textlen, &len, &covered)) == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	if (journal_append(RECORD_MESSAGE, m->id, p, len, covered, file, done,
	    arg, &m->place) == -1)
		return (-1);
	self.live += m->place.len;
	m->committed = 1;
	return (0);
}

static void
append_change(const struct message *m, const struct rcpt_change *ch)
{
	struct journal_place	 place;
	struct buf		 b;
	void			*p;
	size_t			 n;

	buf_init(&b, 8192);
	if (rcpt_change_encode(ch, &b) == 0 &&
	    (p = malloc(n = buf_len(&b))) != NULL) {
		memcpy(p, buf_data(&b), n);
		if (journal_append(RECORD_CHANGE, m->id, p, n, n, NULL, NULL,
		    NULL, &place) == -1)
			log_warn("journal");
	}
	buf_free(&b);
}

static void
journal_change(const struct recipient *r)
{
	const struct erecipient	*e = recipient_env(r);
	struct rcpt_change	 ch = { .index = r->index,
				    .status = e->status, .tries = e->tries,
				    .next = e->next, .last = e->last,
				    .reply = e->reply, .remote = e->remote };

	append_change(r->m, &ch);
}

/* The sender was told that it takes longer: once is enough. */
void
message_warned(struct message *m)
{
	struct rcpt_change	 ch = { .index = CHANGE_WARNED };

	m->env.warned = 1;
	append_change(m, &ch);
}

static void
remove_text(void *arg, int error)
{
	uint64_t	*id = arg;
	char		 name[QUEUEID_SIZE];

	queueid_text(*id, name);
	if (unlinkat(queue_large(), name, 0) == -1)
		log_warn("large/%s", name);
	free(id);
}

void
message_drop(struct message *m)
{
	struct journal_place	 place;
	uint64_t		*id = NULL;

	/* Without memory for it the file stays until the next start. */
	if (m->env.spooled && (id = malloc(sizeof(*id))) != NULL)
		*id = m->id;
	if (journal_append(RECORD_DONE, m->id, NULL, 0, 0, NULL,
	    id != NULL ? remove_text : NULL, id, &place) == -1) {
		log_warn("journal");
		free(id);
	}
	message_forget(m);
}

static void
maybe_finished(struct message *m)
{
	if (m->active == 0 && m->failed == 0 && !m->bouncing)
		message_drop(m);
	else if (m->active == 0)
		close_text(m);
}

static void
log_final(const struct recipient *r, const char *what)
{
	const struct erecipient	*e = recipient_env(r);
	char			 id[QUEUEID_SIZE];

	queueid_text(r->m->id, id);
	log_info("%s: %s to=<%s> from=<%s> via=%s%s size=%llu delay=%lld "
	    "reply=\"%s\"", id, what, e->rcpt, r->m->env.sender,
	    e->place.local ? "local:" : "", e->place.local ? e->place.user :
	    e->place.host, (unsigned long long)r->m->env.size,
	    (long long)(time(NULL) - r->m->env.arrived),
	    e->reply != NULL ? e->reply : "");
}

static void
set_reply(struct erecipient *e, const char *reply)
{
	free(e->reply);
	e->reply = strdup(reply);
}

void
recipient_done(struct recipient *r, const char *reply)
{
	struct erecipient	*e = recipient_env(r);
	struct message		*m = r->m;

	set_reply(e, reply);
	e->status = RCPT_DONE;
	e->tries++;
	r->state = RECIP_OVER;
	m->active--;
	log_final(r, "delivered");
	r->dest = NULL;
	if (m->active > 0 || m->failed > 0)
		journal_change(r);
	maybe_finished(m);
}

void
recipient_failed(struct recipient *r, const char *reply)
{
	struct erecipient	*e = recipient_env(r);
	struct message		*m = r->m;

	set_reply(e, reply);
	e->status = RCPT_FAILED;
	e->tries++;
	r->state = RECIP_OVER;
	m->active--;
	m->failed++;
	log_final(r, "failed");
	r->dest = NULL;
	journal_change(r);
	message_failing(m);
}

void
message_failing(struct message *m)
{
	if (m->failed == 0 || m->is_failing || m->bouncing)
		return;
	m->is_failing = 1;
	TAILQ_INSERT_TAIL(&self.failing, m, failing);
}

void
recipient_deferred(struct recipient *r, const char *reply)
{
	struct erecipient	*e = recipient_env(r);
	char			 id[QUEUEID_SIZE];

	set_reply(e, reply);
	e->next = time(NULL) + retry_delay(e->tries);
	e->tries++;
	queueid_text(r->m->id, id);
	log_info("%s: deferred to=<%s> from=<%s> tries=%u next=%llds "
	    "reply=\"%s\"", id, e->rcpt, r->m->env.sender, e->tries,
	    (long long)(e->next - time(NULL)), reply);
	journal_change(r);
	wait_add(r, e->next);
}

void
messages_failing(void (*fn)(struct message *))
{
	struct message	*m;
	size_t		 n = 0;

	/* Not those that fn() puts there again. */
	TAILQ_FOREACH(m, &self.failing, failing)
		n++;
	while (n-- > 0 && (m = TAILQ_FIRST(&self.failing)) != NULL) {
		TAILQ_REMOVE(&self.failing, m, failing);
		m->is_failing = 0;
		fn(m);
	}
}

void
message_told(struct message *m)
{
	size_t	i;

	m->bouncing = 0;
	for (i = 0; i < m->env.nrcpts; i++)
		if (m->recips[i].reported &&
		    m->env.rcpts[i].status == RCPT_FAILED) {
			m->env.rcpts[i].status = RCPT_DONE;
			m->failed--;
			if (m->active > 0 || m->failed > 0)
				journal_change(&m->recips[i]);
		}
	message_failing(m);		/* those that failed meanwhile */
	maybe_finished(m);
}

/* Texts. */

static int
text_from_journal(struct message *m)
{
	uint32_t	 head[2];
	char		*p = NULL;
	size_t		 len = m->env.size;
	int		 fd = -1;

	if (journal_read(&m->place, 0, head, sizeof(head)) !=
	    (ssize_t)sizeof(head) || (p = malloc(len + 1)) == NULL ||
	    journal_read(&m->place, 8 + (size_t)head[0], p, len) !=
	    (ssize_t)len)
		goto done;
	if (crc32(crc32(0, NULL, 0), (Bytef *)p, len) != head[1]) {
		errno = EBADMSG;
		goto done;
	}
	if ((fd = os_anonfile("message")) == -1)
		goto done;
	if (write(fd, p, len) != (ssize_t)len || (os_anonfile_seal(fd) == -1 &&
	    errno != ENOSYS)) {
		close(fd);
		fd = -1;
	}
done:
	free(p);
	return (fd);
}

int
message_text_fd(struct message *m)
{
	char	name[QUEUEID_SIZE];

	if (m->env.spooled) {
		queueid_text(m->id, name);
		return (openat(queue_large(), name, O_RDONLY | O_CLOEXEC |
		    O_NOFOLLOW));
	}
	if (m->fd == -1) {
		if ((m->fd = text_from_journal(m)) == -1)
			return (-1);
		self.nfds++;
	}
	if (self.nfds > FDS_MAX) {
		int fd = m->fd;

		m->fd = -1;
		self.nfds--;
		return (fd);
	}
	return (fcntl(m->fd, F_DUPFD_CLOEXEC, 3));
}

void
message_keep_text(struct message *m, int fd)
{
	if (self.nfds >= FDS_MAX) {
		close(fd);
		return;
	}
	m->fd = fd;
	self.nfds++;
}

/* Start-up. */

static void
found_message(uint64_t id, const unsigned char *p, size_t len,
    const struct journal_place *place)
{
	struct message	*m;
	uint32_t	 envlen;

	if (len < 8)
		return;
	memcpy(&envlen, p, sizeof(envlen));
	if (envlen != len - 8)
		return;
	/* A later record of the same message is its newest state. */
	if ((m = message_find(id)) != NULL)
		message_forget(m);
	if ((m = message_new(id)) == NULL)
		fatal("spool");
	if (envelope_decode(&m->env, p + 8, envlen) == -1) {
		log_warnx("spool: an envelope cannot be read");
		message_forget(m);
		return;
	}
	m->place = *place;
	m->committed = 1;
	m->again = 1;
	self.live += place->len;
	if (id > self.last_id)
		self.last_id = id;
}

static void
found_change(uint64_t id, const void *p, size_t len)
{
	struct message		*m = message_find(id);
	struct rcpt_change	 ch;
	struct erecipient	*e;

	if (m == NULL || rcpt_change_decode(&ch, p, len) == -1)
		return;
	if (ch.index == CHANGE_WARNED)
		m->env.warned = 1;
	if (ch.index >= m->env.nrcpts)
		return;
	e = &m->env.rcpts[ch.index];
	/* One that was written late, after a full disk, says nothing new. */
	if (ch.tries < e->tries ||
	    (ch.tries == e->tries && ch.status < (uint32_t)e->status))
		return;
	e->status = ch.status;
	e->tries = ch.tries;
	e->next = ch.next;
	free(e->reply);
	e->reply = strndup(ch.reply, ch.replylen);
}

static void
found(void *arg, enum record_type type, uint64_t id, const void *p,
    size_t len, const struct journal_place *place)
{
	struct message	*m;

	switch (type) {
	case RECORD_MESSAGE:
		found_message(id, p, len, place);
		break;
	case RECORD_CHANGE:
		found_change(id, p, len);
		break;
	case RECORD_DONE:
		if ((m = message_find(id)) != NULL)
			message_forget(m);
		break;
	}
}

static void
damaged(void *arg, const char *what)
{
	int	*whole = arg;

	*whole = 0;
	log_warnx("spool: %s", what);
}

int
messages_load(int *whole)
{
	int	dir, ret;

	*whole = 1;
	if ((dir = openat(queue_spool(), "journal", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (-1);
	/* journal keeps it open */
	ret = journal_open(role_base(), dir, found, damaged, whole);
	if (self.n > 0)
		log_info("%zu messages in the spool", self.n);
	return (ret);
}

void
messages_start(void)
{
	struct message	*m, *next;
	size_t		 i;

	for (m = message_first(); m != NULL; m = next) {
		next = message_next(m);
		if (m->recips != NULL)
			continue;
		if (message_recipients(m) == -1)
			fatal("spool");
		for (i = 0; i < m->env.nrcpts; i++)
			if (m->recips[i].state == RECIP_WAITING)
				wait_add(&m->recips[i], m->env.rcpts[i].next);
		message_failing(m);
		if (m->failed == 0 && m->active == 0)
			message_drop(m);
	}
}
