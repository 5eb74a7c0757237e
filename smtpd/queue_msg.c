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

static int	by_id(struct message *, struct message *);

RB_PROTOTYPE(messages, message, byid, by_id)
RB_GENERATE(messages, message, byid, by_id)

static struct {
	struct messages		 all;
	size_t			 n;
	uint64_t		 live;		/* bytes of records needed */
	uint64_t		 last_id;
	TAILQ_HEAD(, message)	 owing;
} self = {
	.all = RB_INITIALIZER(&self.all),
	.owing = TAILQ_HEAD_INITIALIZER(self.owing),
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

void
message_id_seen(uint64_t id)
{
	if (id > self.last_id)
		self.last_id = id;
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

void
message_forget(struct message *m)
{
	RB_REMOVE(messages, &self.all, m);
	self.n--;
	if (m->is_owing)
		TAILQ_REMOVE(&self.owing, m, owing);
	if (m->committed)
		self.live -= m->place.len;
	message_close_text(m);
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
		m->recips[i].routes = m->again || m->old_routes ? 0 :
		    queue_routes();
		m->recips[i].index = i;
		m->recips[i].state = RECIP_OVER;
		if (m->env.rcpts[i].status == RCPT_ACTIVE) {
			m->recips[i].state = RECIP_NEW;
			m->active++;
		} else if (m->env.rcpts[i].status != RCPT_DONE)
			m->owed++;
	}
	return (0);
}

void
message_begin(struct message *m)
{
	size_t	i;

	for (i = 0; i < m->env.nrcpts; i++)
		if (m->recips[i].state == RECIP_NEW && (m->env.held ||
		    dest_is_stale(&m->recips[i]) ||
		    dest_add(&m->recips[i]) == -1))
			wait_add(&m->recips[i], time(NULL));
	message_owing(m);
}

struct erecipient *
recipient_env(const struct recipient *r)
{
	return (&r->m->env.rcpts[r->index]);
}

const char *
recipient_sender(const struct recipient *r)
{
	return (envelope_sender(&r->m->env, recipient_env(r)));
}

int
recipient_has_owner(const struct recipient *r)
{
	return (recipient_sender(r) != r->m->env.sender);
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

void
message_journal(const struct recipient *r)
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

void
message_hold(struct message *m, int held)
{
	struct rcpt_change	 ch = { .index = CHANGE_HELD,
				    .status = (uint32_t)held };
	struct recipient	*r;
	size_t			 i;

	m->env.held = (unsigned int)held;
	append_change(m, &ch);
	for (i = 0; i < m->env.nrcpts; i++) {
		r = &m->recips[i];
		if (held && (r->state == RECIP_READY ||
		    r->state == RECIP_WAITING)) {
			dest_remove(r);
			wait_add(r, recipient_env(r)->next);
		} else if (!held && r->state == RECIP_HELD)
			wait_add(r, erecipient_next(recipient_env(r)));
	}
}

static void
remove_text(void *arg, int error)
{
	uint64_t	*id = arg;
	char		 name[QUEUEID_SIZE];

	queueid_text(*id, name);
	if (unlinkat(queue_large(), name, 0) == -1 && errno != ENOENT)
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

void
message_maybe_finished(struct message *m)
{
	if (m->active == 0 && m->owed == 0 && !m->bouncing)
		message_drop(m);
	else if (m->active == 0)
		message_close_text(m);
}

void
messages_owing(void (*fn)(struct message *))
{
	struct message	*m;
	size_t		 n = 0;

	/* Not those that fn() puts there again. */
	TAILQ_FOREACH(m, &self.owing, owing)
		n++;
	while (n-- > 0 && (m = TAILQ_FIRST(&self.owing)) != NULL) {
		TAILQ_REMOVE(&self.owing, m, owing);
		m->is_owing = 0;
		fn(m);
	}
}

void
message_owing(struct message *m)
{
	if (m->owed == 0 || m->is_owing || m->bouncing)
		return;
	m->is_owing = 1;
	if (m->owed_since == 0)
		m->owed_since = queue_now();
	TAILQ_INSERT_TAIL(&self.owing, m, owing);
}

void
message_told(struct message *m)
{
	size_t	i;

	m->bouncing = 0;
	for (i = 0; i < m->env.nrcpts; i++)
		if (m->recips[i].reported &&
		    m->env.rcpts[i].status != RCPT_ACTIVE &&
		    m->env.rcpts[i].status != RCPT_DONE) {
			m->env.rcpts[i].status = RCPT_DONE;
			m->owed--;
			if (m->active > 0 || m->owed > 0)
				message_journal(&m->recips[i]);
		}
	message_owing(m);		/* those that failed meanwhile */
	message_maybe_finished(m);
}
