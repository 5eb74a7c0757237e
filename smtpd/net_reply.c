/*
 * net_reply: replies of an SMTP session, in the order of the commands,
 * whatever the order of the answers.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "smtpd/net.h"

static void
slot_free(struct session *s, struct slot *sl)
{
	TAILQ_REMOVE(&s->slots, sl, entry);
	s->nslots--;
	free(sl->text);
	free(sl);
}

static void
slots_flush(struct session *s)
{
	struct slot	*sl;
	int		 close = 0;

	while (!close && (sl = TAILQ_FIRST(&s->slots)) != NULL &&
	    sl->text != NULL) {
		conn_write(s->conn, sl->text, strlen(sl->text));
		close = sl->close;
		slot_free(s, sl);
	}
	if (!close)
		return;
	/* Commands that came with the last one get no answer any more. */
	while ((sl = TAILQ_FIRST(&s->slots)) != NULL)
		slot_free(s, sl);
	conn_finish(s->conn);
}

static struct slot *
slot_new(struct session *s)
{
	struct slot	*sl;

	if ((sl = calloc(1, sizeof(*sl))) == NULL) {
		conn_finish(s->conn);
		return (NULL);
	}
	sl->seq = ++s->seq;
	TAILQ_INSERT_TAIL(&s->slots, sl, entry);
	s->nslots++;
	return (sl);
}

uint32_t
net_ask(struct session *s)
{
	struct slot	*sl = slot_new(s);

	return (sl == NULL ? 0 : sl->seq);
}

static void
slot_fill(struct session *s, struct slot *sl, const char *fmt, va_list ap)
    __attribute__((__format__(printf, 3, 0)));

static void
slot_fill(struct session *s, struct slot *sl, const char *fmt, va_list ap)
{
	char	text[2048];
	int	n;

	n = vsnprintf(text, sizeof(text) - 2, fmt, ap);
	if (n < 0)
		n = 0;
	if ((size_t)n > sizeof(text) - 3)
		n = sizeof(text) - 3;
	if (text[0] == '4' || text[0] == '5')
		s->errors++;
	counter_reply(text, 1);
	memcpy(text + n, "\r\n", 3);
	if ((sl->text = strdup(text)) == NULL)
		conn_finish(s->conn);
}

void
net_reply(struct session *s, const char *fmt, ...)
{
	struct slot	*sl;
	va_list		 ap;

	if ((sl = slot_new(s)) == NULL)
		return;
	va_start(ap, fmt);
	slot_fill(s, sl, fmt, ap);
	va_end(ap);
	slots_flush(s);
}

void
net_hang_up(struct session *s, const char *reply)
{
	static struct log_limit	 told;
	struct slot		*sl;

	if (s->state == S_ENDING)
		return;
	s->state = S_ENDING;
	if (reply[0] != '2' && log_allowed(&told))
		log_info("hung up: addr=%s conn=%u%s%s reply=\"%s\"", s->addr,
		    s->id, s->user != NULL ? " user=" : "", s->user != NULL ?
		    s->user : "", reply);
	net_reply(s, "%s", reply);
	if ((sl = TAILQ_LAST(&s->slots, slots_list)) != NULL) {
		sl->close = 1;
		conn_pause(s->conn);
	} else
		conn_finish(s->conn);
}

void
net_abort(struct session *s, const char *reply)
{
	counter_reply(reply, 1);
	conn_printf(s->conn, "%s\r\n", reply);
	conn_finish(s->conn);
	net_reset(s, 1);
	s->auth_pending = 0;
	s->state = S_ENDING;
}

/* 421 closes, whoever said it. */
static int
is_last(const char *reply)
{
	return (strncmp(reply, "421 ", 4) == 0);
}

static char *
repeat(const char *reply, unsigned int times)
{
	size_t	 len = strlen(reply) + 2;
	char	*text, *p;

	if ((text = reallocarray(NULL, times, len + 1)) == NULL)
		return (NULL);
	for (p = text; times > 0; times--, p += len)
		snprintf(p, len + 1, "%s\r\n", reply);
	return (text);
}

void
net_answer(struct session *s, uint32_t seq, const char *reply,
    unsigned int times)
{
	struct slot	*sl;

	TAILQ_FOREACH(sl, &s->slots, entry)
		if (sl->seq == seq && sl->text == NULL)
			break;
	if (sl == NULL)
		return;
	if ((sl->text = repeat(reply, times)) == NULL) {
		conn_finish(s->conn);
		return;
	}
	if (*reply == '4' || *reply == '5')
		s->errors++;
	counter_reply(reply, times);
	if (is_last(reply)) {
		sl->close = 1;
		s->state = S_ENDING;
		conn_pause(s->conn);
	}
	slots_flush(s);
}

unsigned int
net_times(const struct session *s)
{
	return (s->listener->proto == PROTO_LMTP && s->nrcpts > 0 ?
	    s->nrcpts : 1);
}

void
net_refuse(struct session *s, const char *reply, unsigned int times)
{
	uint32_t	seq;

	if ((seq = net_ask(s)) != 0)
		net_answer(s, seq, reply, times);
}
