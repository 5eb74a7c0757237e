/*
 * relay: the role that hands mail to other servers.
 *
 * Runs as _mailout in an empty chroot; may connect anywhere and open nothing.
 * It reads what hostile servers write, and holds the content of the messages
 * under way and, for the length of a login, one password.  What it says about
 * a message is a code and printable text; whether and where mail goes is
 * decided by queue and lookup.
 *
 *	queue	RELAY_OPEN, then any number of messages (RELAY_MAIL and its
 *		RELAY_RCPTs), one at a time, then RELAY_CLOSE; RELAY_SPARE
 *		when a session is ready and there is no message for it
 *	relay	RELAY_READY, one RELAY_RESULT a recipient, of which the last
 *		frees the session; RELAY_CLOSED at any time; RELAY_ROOM
 *		when those may come that it turned away
 *
 * A session belongs to a destination, a connection to whichever of the sessions
 * to one address has it; see relay_share.c.
 *
 * After RELAY_CLOSE nothing more is said about a session.  Sessions are
 * numbered by queue; a number is not used again while it is open.
 */
#include "os/compat.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "smtpd/contract.h"
#include "smtpd/relay.h"
#include "smtpd/relay_connect.h"
#include "smtpd/relay_known.h"
#include "smtpd/relay_login.h"
#include "smtpd/relay_mail.h"
#include "smtpd/relay_session.h"
#include "smtpd/relay_share.h"
#include "smtpd/relay_state.h"
#include "smtpd/relay_tls.h"

#define CAFILE_MAX	(4 << 20)

static unsigned long	nopened, nmessages;

static void
relay_init(void)
{
	sessions_init();
}

static void
relay_cafile(struct peer *p, struct msg *m)
{
	char	*pem;
	size_t	 len;

	if ((pem = role_slurp(m->fd, CAFILE_MAX, &len)) == NULL) {
		log_warn("CA certificates");
		return;
	}
	(void)relay_tls_ca(pem, len);
	free(pem);
}

static void
refuse_session(struct peer *p, uint64_t number, const char *reply)
{
	struct msg_RELAY_CLOSED	closed = { .session = number,
				    .stopped = role_draining() };

	(void)strlcpy(closed.reply, reply, sizeof(closed.reply));
	peer_send(p, M_RELAY_CLOSED, &closed, -1);
}

static void
relay_relay_open(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_OPEN	*open = m->body;
	struct session			*s;

	nopened++;
	if (role_draining()) {
		refuse_session(p, open->session, "421 4.3.2 shutting down");
		return;
	}
	if ((s = session_new(p, open)) != NULL)
		connect_start(s);
	else if (errno == EEXIST)
		role_peer_bad(p, "session is open already");
	else
		refuse_session(p, open->session, errno == ENFILE ?
		    "421 4.3.2 too many sessions" :
		    "421 4.3.0 out of memory");
}

/* A session that was closed meanwhile: queue is being told already. */
static struct session *
find(struct peer *p, uint64_t number)
{
	struct session	*s = session_find((uint32_t)number);

	return (s != NULL && s->queue == p ? s : NULL);
}

static void
relay_relay_mail(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_MAIL	*mail = m->body;
	struct session			*s;

	if ((s = find(p, mail->session)) == NULL)
		return;
	if (s->mail != NULL || mail->nrcpts == 0) {
		role_peer_bad(p, "no message can begin");
		return;
	}
	nmessages++;
	if ((s->mail = mail_new(mail, m->fd)) == NULL) {
		session_closed(s, END_FAILED, "421 4.3.0 out of memory");
		return;
	}
	s->spare = 0;
	m->fd = -1;
}

static void
relay_relay_rcpt(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_RCPT	*rcpt = m->body;
	struct relay_rcpt		*r;
	struct session			*s;

	if ((s = find(p, rcpt->session)) == NULL)
		return;
	if (s->mail == NULL || rcpt->index >= s->mail->nrcpts ||
	    s->mail->rcpts[rcpt->index].state != RCPT_MISSING) {
		role_peer_bad(p, "recipient of no message");
		return;
	}
	r = &s->mail->rcpts[rcpt->index];
	r->notify = rcpt->notify;
	if ((r->addr = strdup(rcpt->rcpt)) == NULL ||
	    (r->orcpt = strdup(rcpt->orcpt)) == NULL) {
		session_closed(s, END_FAILED, "421 4.3.0 out of memory");
		return;
	}
	r->state = RCPT_WAITING;
	if (++s->mail->narrived == s->mail->nrcpts && s->phase == PHASE_IDLE)
		mail_begin(s);
}

static void
relay_relay_close(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_CLOSE	*c = m->body;
	struct session			*s;

	if ((s = find(p, c->session)) != NULL)
		session_quit(s);
}

/* No message is on its way to it: others may have the connection. */
static void
relay_relay_spare(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_SPARE	*spare = m->body;
	struct session			*s;

	if ((s = find(p, spare->session)) != NULL && s->phase == PHASE_IDLE &&
	    s->mail == NULL)
		share_spare(s);
}

static void
relay_secret(struct peer *p, struct msg *m)
{
	const struct msg_SECRET	*secret = m->body;
	struct session		*s;

	if ((s = session_find((uint32_t)secret->session)) != NULL)
		login_secret(s, secret);
}

static void
relay_socket(struct peer *p, struct msg *m)
{
	const struct msg_SOCKET	*a = m->body;
	struct session		*s;

	if ((s = session_find((uint32_t)a->session)) == NULL)
		return;			/* m's descriptor is closed for us */
	connect_socket(s, m->fd, 0);
	m->fd = -1;
}

static void
relay_no_socket(struct peer *p, struct msg *m)
{
	const struct msg_NO_SOCKET	*a = m->body;
	struct session			*s;

	if ((s = session_find((uint32_t)a->session)) != NULL)
		connect_socket(s, -1, (int)a->error);
}

static void
relay_dns_record(struct peer *p, struct msg *m)
{
	connect_record(m->body);
}

static void
relay_dns_done(struct peer *p, struct msg *m)
{
	connect_done(m->body);
}

static void
end_idle(struct session *s, void *arg)
{
	if (s->mail != NULL)
		return;
	session_forget(s, END_STOPPED, "421 4.3.2 shutting down");
	session_quit(s);
}

/* Messages under way are finished, and their sessions then closed. */
static void
relay_drain(unsigned int seconds)
{
	struct timeval	tv = { .tv_sec = seconds };

	if (event_base_loopexit(role_base(), &tv) == -1)
		role_exit(1);
	sessions_each(end_idle, NULL);
	if (sessions_idle())
		sessions_exit();
}

static void
of_queue(struct session *s, void *arg)
{
	if (s->queue == arg)
		session_free(s);
}

static void
ask_dns(struct session *s, void *arg)
{
	connect_ask_again(s);
}

static void
ask_lookup(struct session *s, void *arg)
{
	login_ask_again(s);
}

/*
 * A role that was started again was not at fault: what the last one had no
 * answer to is asked once more, and waits while there is none.
 */
static void
relay_channel(struct peer *p)
{
	if (peer_role(p) == ROLE_DNS)
		sessions_each(ask_dns, NULL);
	else if (peer_role(p) == ROLE_LOOKUP)
		sessions_each(ask_lookup, NULL);
}

static void
relay_channel_gone(struct peer *p)
{
	switch (peer_role(p)) {
	case ROLE_QUEUE:
		/* What it does not know of is sent again by the next one. */
		sessions_each(of_queue, p);
		break;
	case ROLE_DNS:
		if (role_peer(ROLE_DNS) == NULL)
			sessions_each(ask_dns, NULL);
		break;
	default:
		break;
	}
}

static void
relay_stats(void)
{
	log_info("stats sessions=%zu opened=%lu messages=%lu addresses=%zu",
	    sessions_count(), nopened, nmessages, known_count());
}

static const struct handler relay_handlers[] = {
	{ M_CAFILE,		relay_cafile },
	{ M_RELAY_OPEN,		relay_relay_open },
	{ M_RELAY_MAIL,		relay_relay_mail },
	{ M_RELAY_RCPT,		relay_relay_rcpt },
	{ M_RELAY_CLOSE,	relay_relay_close },
	{ M_RELAY_SPARE,	relay_relay_spare },
	{ M_SECRET,		relay_secret },
	{ M_SOCKET,		relay_socket },
	{ M_NO_SOCKET,		relay_no_socket },
	{ M_DNS_RECORD,		relay_dns_record },
	{ M_DNS_DONE,		relay_dns_done },
	{ 0,			NULL }
};

const struct role_code relay_code = {
	.handlers	= relay_handlers,
	.init		= relay_init,
	.drain		= relay_drain,
	.channel	= relay_channel,
	.channel_gone	= relay_channel_gone,
	.stats		= relay_stats,
};
