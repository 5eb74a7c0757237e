/*
 * queue_ctl: mailctl's questions about the queue.
 *
 * The socket is in the directory "state", mode 0600; the parent bound it.
 * Whoever connects must be root or the user that the suite runs as, told by
 * the kernel.  A malformed request closes that request and nothing else.
 */
#include <errno.h>
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
#include "smtpd/queue_list.h"

#define TEXT_PIECE	32000
#define LIST_MAX	(64 << 20)	/* of a message and its recipients */

static struct ctlserve	*serve;

void
ctl_listener(struct peer *p, struct msg *m)
{
	if (serve != NULL)
		ctlserve_close(serve);
	serve = ctlserve_new(role_base(), m->fd, &smtpd_contract, ROLE_QUEUE,
	    ctl_ask_queue, NULL);
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

/* Does the filter want this recipient (NULL: a message without any)? */
static int
wanted(const struct queue_filter *f, const struct message *m,
    const struct recipient *r)
{
	struct filter_facts	a = { .id = m->id,
				    .age = time(NULL) - m->env.arrived,
				    .sender = m->env.sender, .rcpt = "",
				    .orig = "", .state = "" };

	if (r != NULL) {
		a.rcpt = recipient_env(r)->rcpt;
		a.orig = recipient_orig(r);
		a.state = list_state(r);
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

	buf_init(&b, LIST_MAX);
	if (json)
		(void)buf_puts(&b, "[");
	for (m = message_first(); m != NULL; m = message_next(m)) {
		if (!message_wanted(f, m))
			continue;
		list_message(&b, m, json, first, 0);
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

static struct message *
the_one(struct peer *p, const struct queue_filter *f)
{
	struct message	*m;

	if (f->nids == 1 && (m = message_find(f->ids[0])) != NULL &&
	    m->committed && m->recips != NULL)
		return (m);
	send_done(p, "there is no such message\n", 1);
	return (NULL);
}

static void
ask_show(struct peer *p, const struct queue_filter *f, int json)
{
	struct message	*m;
	struct buf	 b;

	if ((m = the_one(p, f)) == NULL)
		return;
	buf_init(&b, LIST_MAX);
	list_message(&b, m, json, 1, 1);
	if (json)
		(void)buf_puts(&b, "\n");
	send_text(p, &b);
	buf_free(&b);
	send_done(p, "", 0);
}

static void
ask_cat(struct peer *p, const struct queue_filter *f)
{
	struct msg_CTL_FILE	 file = { 0 };
	struct message		*m;
	int			 fd;

	if ((m = the_one(p, f)) == NULL)
		return;
	if ((fd = message_text_fd(m)) == -1) {
		send_done(p, "its text cannot be read\n", 1);
		return;
	}
	file.size = m->env.size;
	peer_send(p, M_CTL_FILE, &file, fd);
	send_done(p, "", 0);
}

/* What of the queue it is about, and what became of the rest. */
static void
ask_trace(struct peer *p, const char *what, int json)
{
	struct queue_filter	 by[2];
	struct message		*m;
	struct buf		 b;
	char			 words[2][sizeof(((struct msg_CTL_ASK *)0)->arg)
				    + 8];
	uint64_t		 id;
	int			 n = 0;

	(void)snprintf(words[0], sizeof(words[0]), "%s%s",
	    queueid_parse(what, &id) == 0 ? "" : "sender=", what);
	(void)snprintf(words[1], sizeof(words[1]), "to=%s", what);
	if (queue_filter_parse(&by[0], words[0]) != NULL ||
	    queue_filter_parse(&by[1], words[1]) != NULL) {
		send_done(p, "an id or an address, please\n", 2);
		return;
	}
	buf_init(&b, LIST_MAX);
	if (json)
		(void)buf_puts(&b, "{\"queue\": [");
	for (m = message_first(); m != NULL; m = message_next(m))
		if (message_wanted(&by[0], m) || message_wanted(&by[1], m))
			list_message(&b, m, json, n++ == 0, 1);
	if (json)
		(void)buf_puts(&b, "],\n\"history\": [");
	list_history(&b, what, json);
	if (json)
		(void)buf_puts(&b, "]}\n");
	send_text(p, &b);
	buf_free(&b);
	send_done(p, "", 0);
}

static void
ask_stats(struct peer *p, int json)
{
	struct buf	b;

	buf_init(&b, 65536);
	list_stats(&b, json);
	send_text(p, &b);
	buf_free(&b);
	send_done(p, "", 0);
}

static void
ask_pause(struct peer *p, const char *what, int on)
{
	char	text[128];
	int	i;

	for (i = 0; i < PAUSE_MAX; i++)
		if (strcmp(what, pause_name((enum pause)i)) == 0)
			break;
	if (i == PAUSE_MAX) {
		send_done(p, "one of accept, relay and deliver\n", 2);
		return;
	}
	if (pause_set((enum pause)i, on) == -1) {
		(void)snprintf(text, sizeof(text), "%s\n", strerror(errno));
		send_done(p, text, 1);
		return;
	}
	if (!on)
		dest_run();
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

	for (i = 0; i < m->env.nrcpts; i++) {
		if (m->recips[i].state == RECIP_OVER)
			continue;
		recipient_deleted(&m->recips[i]);
		dest_remove(&m->recips[i]);
	}
	queueid_text(m->id, id);
	log_info("%s: deleted by the administrator", id);
	message_drop(m);
}

static void
send_count(struct peer *p, int json, const char *did, size_t n, size_t busy)
{
	char	text[128];

	if (json)
		(void)snprintf(text, sizeof(text), "{\"%s\": %zu, \"busy\": "
		    "%zu}\n", did, n, busy);
	else if (n == 0 && busy == 0)
		strlcpy(text, "there is no such message\n", sizeof(text));
	else if (busy > 0)
		(void)snprintf(text, sizeof(text), "%zu %s, %zu are being "
		    "delivered now\n", n, did, busy);
	else
		(void)snprintf(text, sizeof(text), "%zu %s\n", n, did);
	send_done(p, text, n == 0);
}

/*
 * What is being delivered at this moment is left alone: it may have arrived
 * already.  Nobody is told of a deletion.
 */
static void
ask_delete(struct peer *p, const struct queue_filter *f, int json)
{
	struct message	*m, *next;
	size_t		 gone = 0, busy = 0;

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
	send_count(p, json, "deleted", gone, busy);
}

/* What is being delivered is held if it comes back. */
static void
ask_hold(struct peer *p, const struct queue_filter *f, int held, int json)
{
	struct message	*m;
	char		 id[QUEUEID_SIZE];
	size_t		 n = 0;

	for (m = message_first(); m != NULL; m = message_next(m)) {
		if (m->env.held == (unsigned int)held || m->active == 0 ||
		    !message_wanted(f, m))
			continue;
		message_hold(m, held);
		queueid_text(m->id, id);
		log_info("%s: %s by the administrator", id, held ? "held" :
		    "released");
		n++;
	}
	dest_tick();
	dest_run();
	send_count(p, json, held ? "held" : "released", n, 0);
}

static void
ask_retry(struct peer *p, const struct queue_filter *f, int json)
{
	struct message	*m;
	size_t		 i, n = 0, held = 0;
	char		 text[128];

	for (m = message_first(); m != NULL; m = message_next(m)) {
		if (m->active == 0 || !message_wanted(f, m))
			continue;
		if (m->env.held) {
			held++;
			continue;
		}
		for (i = 0; i < m->env.nrcpts; i++)
			if (wanted(f, m, &m->recips[i]))
				dest_retry(&m->recips[i]);
		n++;
	}
	dest_run();
	(void)snprintf(text, sizeof(text), json ? "{\"retried\": %zu, "
	    "\"held\": %zu}\n" : held == 0 ? "%zu messages are tried "
	    "again\n" : "%zu messages are tried again, %zu held: release "
	    "them first\n", n, held);
	send_done(p, text, 0);
}

static void
ask_filtered(struct peer *p, unsigned int what, const struct queue_filter *f,
    int json)
{
	switch (what) {
	case CTL_QUEUE_LIST:
		ask_list(p, f, json);
		break;
	case CTL_QUEUE_SHOW:
		ask_show(p, f, json);
		break;
	case CTL_QUEUE_CAT:
		ask_cat(p, f);
		break;
	case CTL_QUEUE_RETRY:
		ask_retry(p, f, json);
		break;
	case CTL_QUEUE_HOLD:
	case CTL_QUEUE_RELEASE:
		ask_hold(p, f, what == CTL_QUEUE_HOLD, json);
		break;
	case CTL_QUEUE_DELETE:
		ask_delete(p, f, json);
		break;
	default:
		send_done(p, "not a question for the queue\n", 1);
	}
}

void
ctl_ask_queue(struct peer *p, struct msg *m)
{
	const struct msg_CTL_ASK	*a = m->body;
	struct queue_filter		 f;
	char				 arg[sizeof(a->arg)], text[256];
	const char			*wrong;

	if (!queue_opened() && a->what != CTL_QUEUE_STATS) {
		(void)snprintf(text, sizeof(text), "the spool is not open "
		    "yet: %s\n", queue_no_room());
		send_done(p, text, 1);
		return;
	}
	strlcpy(arg, a->arg, sizeof(arg));
	switch (a->what) {
	case CTL_QUEUE_TRACE:
		ask_trace(p, arg, (int)a->json);
		return;
	case CTL_QUEUE_PAUSE:
	case CTL_QUEUE_RESUME:
		ask_pause(p, arg, a->what == CTL_QUEUE_PAUSE);
		return;
	case CTL_QUEUE_STATS:
		ask_stats(p, (int)a->json);
		return;
	default:
		break;
	}
	if ((wrong = queue_filter_parse(&f, arg)) == NULL) {
		ask_filtered(p, (unsigned int)a->what, &f, (int)a->json);
		return;
	}
	if (a->what == CTL_QUEUE_SHOW || a->what == CTL_QUEUE_CAT) {
		send_done(p, "there is no such message\n", 1);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s\n", wrong);
	send_done(p, text, 2);
}
