/*
 * queue_load: what the journal holds when the queue starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "log/log.h"
#include "smtpd/queue.h"

/* A copy of a record that is whole and makes no sense. */
static void
set_aside(uint64_t id, const void *p, const struct journal_place *place)
{
	char	name[64], text[QUEUEID_SIZE];
	size_t	len = place->len - journal_header();
	int	fd;

	queueid_text(id, text);
	(void)snprintf(name, sizeof(name), "damaged/%s", text);
	fd = openat(queue_spool(), name, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	log_warnx("spool: the envelope of %s cannot be read; %s", text,
	    fd != -1 && write(fd, p, len) == (ssize_t)len ?
	    "a copy of all is in damaged/" : "no copy could be made");
	if (fd != -1)
		close(fd);
}

/* The text behind the payload that was told, in a record that is mapped. */
static int
text_is_whole(const struct envelope *env, const unsigned char *p, size_t len,
    const struct journal_place *place)
{
	size_t		most = place->len - journal_header() - len;
	uint32_t	crc;

	if (env->spooled)
		return (1);
	memcpy(&crc, p + 4, sizeof(crc));
	return (env->size <= most && crc32(crc32(0, NULL, 0), p + len,
	    (uInt)env->size) == crc);
}

/*
 * 0, or -1: it cannot be read.  A later record of the same message is its
 * newest state, unless its write was cut: then the one before still counts.
 */
static int
found_message(uint64_t id, const unsigned char *p, size_t len,
    const struct journal_place *place)
{
	struct message	*m, *before = message_find(id);
	struct envelope	 env;
	uint32_t	 envlen;

	if (len < 8)
		return (-1);
	memcpy(&envlen, p, sizeof(envlen));
	errno = EINVAL;
	if (envlen != len - 8 || envelope_decode(&env, p + 8, envlen) == -1) {
		if (errno == ENOMEM)
			fatal("spool");
		return (-1);
	}
	if (before != NULL) {
		if (!text_is_whole(&env, p, len, place)) {
			envelope_free(&env);
			return (0);
		}
		message_forget(before);
	}
	if ((m = message_new(id)) == NULL)
		fatal("spool");
	m->env = env;
	m->place = *place;
	m->committed = 1;
	m->again = 1;
	(void)message_live((int64_t)place->len);
	return (0);
}

/* To be tried, over and to be told, over. */
static int
progress(uint32_t status)
{
	return (status == RCPT_ACTIVE ? 0 : status == RCPT_DONE ? 2 : 1);
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
	if (ch.index == CHANGE_HELD)
		m->env.held = ch.status != 0;
	if (ch.index >= m->env.nrcpts)
		return;
	e = &m->env.rcpts[ch.index];
	/* One that was written late, after a full disk, says nothing new. */
	if (ch.tries < e->tries || (ch.tries == e->tries &&
	    progress(ch.status) < progress(e->status)))
		return;
	e->status = ch.status;
	e->tries = ch.tries;
	e->next = ch.next;
	free(e->reply);
	e->reply = strndup(ch.reply, ch.replylen);
	e->last = ch.last;
	free(e->remote);
	e->remote = strndup(ch.remote, ch.remotelen);
}

static void
found(void *arg, enum record_type type, uint64_t id, const void *p,
    size_t len, const struct journal_place *place)
{
	struct message	*m;
	int		*whole = arg;

	/* The clock may have been set back since. */
	message_id_seen(id);
	switch (type) {
	case RECORD_MESSAGE:
		if (found_message(id, p, len, place) == -1) {
			*whole = 0;
			set_aside(id, p, place);
		}
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
	if (message_count() > 0)
		log_info("%zu messages in the spool", message_count());
	return (ret);
}

/* Nobody waits for longer than he was to after his last try. */
int64_t
erecipient_next(const struct erecipient *e)
{
	int64_t	now = time(NULL);
	int64_t	latest = now + 2 * (int64_t)queue_conf()->retry_max;

	if (e->next > latest)
		return (0);
	if (e->last > now && e->next > e->last)
		return (now + (e->next - e->last));
	return (e->next);
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
			if (m->recips[i].state == RECIP_NEW)
				wait_add(&m->recips[i],
				    erecipient_next(&m->env.rcpts[i]));
		message_owing(m);
		if (m->owed == 0 && m->active == 0)
			message_drop(m);
	}
}
