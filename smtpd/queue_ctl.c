/*
 * queue_ctl: mailctl's questions about the queue.
 *
 * The socket is in the directory "state", mode 0600; the parent bound it.
 * Whoever connects must be root or the user that the suite runs as, told by
 * the kernel.  A malformed request closes that request and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf/buf.h"
#include "daemon/ctlserve.h"
#include "log/log.h"
#include "smtpd/queue.h"
#include "smtpd/queue_filter.h"

#define TEXT_PIECE	32000

static struct ctlserve	*serve;

void
ctl_listener(struct peer *p, struct msg *m)
{
	if (serve != NULL)
		ctlserve_close(serve);
	serve = ctlserve_new(role_base(), m->fd, &smtpd_contract, ROLE_QUEUE,
	    ctl_ask_queue);
	m->fd = -1;
	if (serve == NULL)
		fatal("control socket");
}

static void
send_text(struct peer *p, struct buf *b)
{
	struct msg_CTL_TEXT	 t = { 0 };
	size_t			 n;

	while ((n = buf_len(b)) > 0) {
		if (n > TEXT_PIECE)
			n = TEXT_PIECE;
		peer_send_tail(p, M_CTL_TEXT, &t, buf_data(b), n, -1);
		buf_drain(b, n);
	}
}

static void
send_done(struct peer *p, const char *text, uint64_t status)
{
	struct msg_CTL_TEXT	 t = { .error = status != 0 };
	struct msg_CTL_DONE	 d = { .status = status };

	if (*text != '\0')
		peer_send_tail(p, M_CTL_TEXT, &t, text, strlen(text), -1);
	peer_send(p, M_CTL_DONE, &d, -1);
}

static const char *
state_of(const struct recipient *r)
{
	switch (r->state) {
	case RECIP_NEW:
		return ("active");
	case RECIP_HELD:
		return ("held");
	case RECIP_READY:
		return (r->dest->blocked > queue_now() ? "blocked" : "ready");
	case RECIP_FLYING:
		return ("active");
	case RECIP_WAITING:
		return ("deferred");
	case RECIP_OVER:
		return (recipient_env(r)->status == RCPT_FAILED ?
		    "failed" : "done");
	}
	return ("?");
}

static int64_t
next_try(const struct recipient *r)
{
	if (r->state == RECIP_WAITING)
		return (recipient_env(r)->next - time(NULL));
	if (r->state == RECIP_READY && r->dest->blocked > queue_now())
		return (r->dest->blocked - queue_now());
	return (0);
}

/* JSON: only what is printable and harmless goes out as it is. */
static void
put_json(struct buf *b, const char *s)
{
	(void)buf_puts(b, "\"");
	for (; *s != '\0'; s++)
		if (*s == '"' || *s == '\\' || (unsigned char)*s < 0x20)
			(void)buf_printf(b, "\\u%04x", (unsigned char)*s);
		else
			(void)buf_add(b, s, 1);
	(void)buf_puts(b, "\"");
}

static const char *
last_reply(const struct recipient *r)
{
	if (recipient_env(r)->reply != NULL)
		return (recipient_env(r)->reply);
	return (r->dest != NULL && r->dest->why != NULL ? r->dest->why : "");
}

static void
list_recipient(struct buf *b, const struct recipient *r, int json, int first)
{
	const struct erecipient	*e = recipient_env(r);

	if (!json) {
		(void)buf_printf(b, "    %-8s %s next=%llds tries=%u %s\n",
		    state_of(r), e->rcpt, (long long)next_try(r), e->tries,
		    last_reply(r));
		return;
	}
	(void)buf_printf(b, "%s{\"to\": ", first ? "" : ", ");
	put_json(b, e->rcpt);
	(void)buf_printf(b, ", \"state\": \"%s\", \"next\": %lld, \"tries\": "
	    "%u, \"reply\": ", state_of(r), (long long)next_try(r), e->tries);
	put_json(b, last_reply(r));
	(void)buf_puts(b, "}");
}

static void
list_one(struct buf *b, struct message *m, int json, int first, int all)
{
	char	id[QUEUEID_SIZE];
	size_t	i;
	int	n = 0;

	queueid_text(m->id, id);
	if (json) {
		(void)buf_printf(b, "%s{\"id\": \"%s\", \"age\": %lld, "
		    "\"size\": %llu, \"sender\": ", first ? "" : ",\n", id,
		    (long long)(time(NULL) - m->env.arrived),
		    (unsigned long long)m->env.size);
		put_json(b, m->env.sender);
		(void)buf_puts(b, ", \"recipients\": [");
	} else
		(void)buf_printf(b, "%s age=%llds size=%llu from=<%s>\n", id,
		    (long long)(time(NULL) - m->env.arrived),
		    (unsigned long long)m->env.size, m->env.sender);
	for (i = 0; i < m->env.nrcpts && m->recips != NULL; i++)
		if (all || m->recips[i].state != RECIP_OVER)
			list_recipient(b, &m->recips[i], json, n++ == 0);
	if (json)
		(void)buf_puts(b, "]}");
}

/* Does the filter want this recipient (NULL: a message without any)? */
static int
wanted(const struct queue_filter *f, const struct message *m,
    const struct recipient *r)
{
	struct filter_facts	a = { .id = m->id,
				    .age = time(NULL) - m->env.arrived,
				    .sender = m->env.sender, .rcpt = "",
				    .state = "" };

	if (r != NULL) {
		a.rcpt = recipient_env(r)->rcpt;
		a.state = state_of(r);
	}
	return (queue_filter_match(f, &a));
}

static int
message_wanted(const struct queue_filter *f, const struct message *m)
{
	size_t	i;

	if (!m->committed || m->recips == NULL)
		return (0);
	for (i = 0; i < m->env.nrcpts; i++)
		if (m->recips[i].state != RECIP_OVER &&
		    wanted(f, m, &m->recips[i]))
			return (1);
	return (m->active == 0 && wanted(f, m, NULL));
}

static void
ask_list(struct peer *p, const struct queue_filter *f, int json)
{
	struct message	*m;
	struct buf	 b;
	int		 first = 1;

	buf_init(&b, 1 << 20);
	if (json)
		(void)buf_puts(&b, "[");
	for (m = message_first(); m != NULL; m = message_next(m)) {
		if (!message_wanted(f, m))
			continue;
		list_one(&b, m, json, first, 0);
		first = 0;
		if (buf_len(&b) > TEXT_PIECE)
			send_text(p, &b);
	}
	if (json)
		(void)buf_puts(&b, "]\n");
	send_text(p, &b);
	buf_free(&b);
	send_done(p, "", 0);
}

static void
ask_show(struct peer *p, const struct queue_filter *f, int json)
{
	struct message	*m;
	struct buf	 b;

	if (!f->has_id || (m = message_find(f->id)) == NULL || !m->committed ||
	    m->recips == NULL) {
		send_done(p, "there is no such message\n", 1);
		return;
	}
	buf_init(&b, 32 << 20);
	list_one(&b, m, json, 1, 1);
	if (json)
		(void)buf_puts(&b, "\n");
	send_text(p, &b);
	buf_free(&b);
	send_done(p, "", 0);
}

static int
is_flying(const struct message *m)
{
	size_t	i;

	for (i = 0; i < m->env.nrcpts; i++)
		if (m->recips[i].state == RECIP_FLYING ||
		    m->recips[i].state == RECIP_NEW)
			return (1);
	return (m->bouncing);
}

static void
delete(struct message *m)
{
	char	id[QUEUEID_SIZE];
	size_t	i;

	for (i = 0; i < m->env.nrcpts; i++)
		dest_remove(&m->recips[i]);
	queueid_text(m->id, id);
	log_info("%s: deleted by the administrator", id);
	message_drop(m);
}

/*
 * What is being delivered at this moment is left alone: it may have arrived
 * already.  Nobody is told of a deletion.
 */
static void
ask_delete(struct peer *p, const struct queue_filter *f)
{
	struct message	*m, *next;
	size_t		 gone = 0, busy = 0;
	char		 text[128];

	for (m = message_first(); m != NULL; m = next) {
		next = message_next(m);
		if (!message_wanted(f, m))
			continue;
		if (is_flying(m)) {
			busy++;
			continue;
		}
		delete(m);
		gone++;
	}
	if (gone == 0 && busy == 0)
		strlcpy(text, "there is no such message\n", sizeof(text));
	else
		snprintf(text, sizeof(text), "%zu deleted, %zu are being "
		    "delivered now\n", gone, busy);
	send_done(p, text, gone == 0);
}

static void
ask_retry(struct peer *p, const struct queue_filter *f)
{
	struct message	*m;
	size_t		 i, n = 0;
	char		 text[64];

	for (m = message_first(); m != NULL; m = message_next(m)) {
		if (!message_wanted(f, m))
			continue;
		for (i = 0; i < m->env.nrcpts; i++)
			if (wanted(f, m, &m->recips[i]))
				dest_retry(&m->recips[i]);
		n++;
	}
	dest_run();
	snprintf(text, sizeof(text), "%zu messages are tried again\n", n);
	send_done(p, text, 0);
}

void
ctl_ask_queue(struct peer *p, struct msg *m)
{
	const struct msg_CTL_ASK	*a = m->body;
	struct queue_filter		 f;
	char				 arg[sizeof(a->arg)], text[256];
	const char			*wrong;

	strlcpy(arg, a->arg, sizeof(arg));
	if ((wrong = queue_filter_parse(&f, arg)) != NULL) {
		if (a->what == CTL_QUEUE_SHOW) {
			send_done(p, "there is no such message\n", 1);
			return;
		}
		snprintf(text, sizeof(text), "%s\n", wrong);
		send_done(p, text, 2);
		return;
	}
	switch (a->what) {
	case CTL_QUEUE_LIST:
		ask_list(p, &f, a->json);
		break;
	case CTL_QUEUE_SHOW:
		ask_show(p, &f, a->json);
		break;
	case CTL_QUEUE_RETRY:
		ask_retry(p, &f);
		break;
	case CTL_QUEUE_DELETE:
		ask_delete(p, &f);
		break;
	default:
		send_done(p, "not a question for the queue\n", 1);
	}
}
