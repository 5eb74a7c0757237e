/*
 * net_session: the lines of an SMTP session (RFC 5321) before and between
 * messages.
 *
 * MAIL and RCPT are asked of lookup as they come, without waiting (RFC 2920);
 * the answers come from queue, in any order, and leave in that of the
 * commands.  DATA, BDAT, AUTH, STARTTLS and the end of a message wait.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/limit.h"
#include "log/log.h"
#include "smtpd/net.h"

/* Go on reading when what was waited for has come. */
void
net_go_on(struct session *s)
{
	enum smtp_verb	 v = s->wait;

	time_wait(s);
	if (v != SMTP_UNKNOWN && s->nslots == 0 && s->state == S_BUSY) {
		s->wait = SMTP_UNKNOWN;
		s->state = S_COMMAND;
		if (v == SMTP_DATA)
			data_command(s);
		else if (v == SMTP_BDAT)
			bdat_go_on(s);
		else
			starttls_command(s);
	}
	if (s->state != S_BUSY && s->state != S_ENDING &&
	    s->nslots < limit_of(net_config(), LIMIT_PIPELINE))
		conn_resume(s->conn);
}

/* DATA and STARTTLS come when all before them was answered (RFC 2920 3.2). */
void
net_wait(struct session *s, enum smtp_verb v)
{
	s->wait = v;
	s->state = S_BUSY;
	conn_pause(s->conn);
}

void
net_begin(struct session *s)
{
	const char	*banner = net_config()->banner;

	conn_printf(s->conn, "220 %s\r\n", banner);
	time_wait(s);
}

void
net_reset(struct session *s, int tell)
{
	struct msg_TX_END	 end = { .conn = s->id };
	struct peer		*lookup = role_peer(ROLE_LOOKUP);

	if (tell && s->mail_seq != 0 && lookup != NULL)
		peer_send(lookup, M_TX_END, &end, -1);
	data_free(s);
	s->mail_seq = 0;
	s->queueid = 0;
	s->nrcpts = s->pending = s->asked = 0;
	s->body = s->utf8 = s->wide = s->handed = 0;
	s->wait = SMTP_UNKNOWN;
	s->size = 0;
	s->rcpt[0] = '\0';
}

/* What queue did with MAIL, RCPT or a message. */
void
net_take_reply(struct session *s, const struct msg_TX_REPLY *r)
{
	unsigned int	times = 1;

	if (s->handed && s->state == S_BUSY) {
		s->state = S_COMMAND;
		times = net_times(s);
		net_reset(s, 0);
		if (r->accepted) {
			s->idle = 0;
			time_message(s);
			counter_add(COUNTER_MESSAGES, 1);
		}
	} else if (r->seq == s->mail_seq) {
		if (r->accepted)
			s->queueid = r->id;
		else
			s->mail_seq = 0;
	} else if (s->mail_seq != 0 && r->seq > s->mail_seq) {
		s->pending--;		/* not one of before RSET */
		s->nrcpts += r->accepted;
	}
	net_answer(s, r->seq, r->reply, times);
	net_go_on(s);
}

void
net_take_auth(struct session *s, const struct msg_AUTH_DONE *d)
{
	if (!s->auth_pending)
		return;
	s->auth_pending = 0;
	auth_end(s, 0);
	counter_login(s->method, d->result);
	switch (d->result) {
	case AUTH_GRANTED:
		if ((s->user = strdup(d->user)) == NULL) {
			conn_finish(s->conn);
			return;
		}
		net_known(s);
		log_info("login: user=%s addr=%s tls=%s conn=%u", s->user,
		    s->addr, conn_is_tls(s->conn) ? conn_cipher(s->conn) :
		    "no", s->id);
		net_reply(s, "235 2.7.0 authenticated");
		break;
	case AUTH_DENIED:
		if (++s->logins >= limit_of(net_config(), LIMIT_LOGINS)) {
			limit_reached(LIMIT_LOGINS);
			net_hang_up(s, "421 4.7.0 too many failed logins");
			return;
		}
		net_reply(s, "535 5.7.8 authentication failed");
		break;
	case AUTH_SLOWDOWN:
		net_hang_up(s, "421 4.7.0 too many failures, try again "
		    "later");
		return;
	default:
		net_reply(s, "454 4.7.0 no authentication now, try again "
		    "later");
	}
	net_go_on(s);
}

/* Commands. */

/* What a listener demands before anything else. NULL: go on. */
static const char *
not_yet(const struct session *s, enum smtp_verb v)
{
	if (s->listener->require_tls && !conn_is_tls(s->conn) &&
	    v != SMTP_EHLO && v != SMTP_HELO && v != SMTP_STARTTLS &&
	    v != SMTP_QUIT && v != SMTP_NOOP)
		return ("530 5.7.0 say STARTTLS first");
	if (s->listener->require_auth && s->user == NULL &&
	    (v == SMTP_MAIL || v == SMTP_RCPT || v == SMTP_DATA))
		return ("530 5.7.0 authentication is required");
	return (NULL);
}

static int
is_simple(enum smtp_verb v)
{
	return (v == SMTP_DATA || v == SMTP_RSET || v == SMTP_QUIT ||
	    v == SMTP_STARTTLS);
}

/* Commands that bring no message may not be said for ever. */
static int
is_idle(struct session *s, enum smtp_verb v)
{
	if (v == SMTP_MAIL || v == SMTP_RCPT || v == SMTP_DATA ||
	    v == SMTP_BDAT || v == SMTP_QUIT ||
	    ++s->idle <= limit_of(net_config(), LIMIT_IDLE))
		return (0);
	limit_reached(LIMIT_IDLE);
	net_hang_up(s, "421 4.7.0 too many commands without a message");
	return (1);
}

static void
unknown_command(struct session *s)
{
	if (++s->unknown < limit_of(net_config(), LIMIT_UNKNOWN)) {
		net_reply(s, "500 5.5.1 unknown command");
		return;
	}
	limit_reached(LIMIT_UNKNOWN);
	net_hang_up(s, "421 4.7.0 too many unknown commands");
}

static void
dispatch(struct session *s, const struct smtp_command *c)
{
	switch (c->verb) {
	case SMTP_HELO:
	case SMTP_EHLO:
	case SMTP_LHLO:
		hello_command(s, c);
		break;
	case SMTP_MAIL:
		mail_command(s, c);
		break;
	case SMTP_RCPT:
		rcpt_command(s, c);
		break;
	case SMTP_DATA:
		data_command(s);
		break;
	case SMTP_BDAT:
		bdat_command(s, c);
		break;
	case SMTP_RSET:
		net_reset(s, 1);
		net_reply(s, "250 2.0.0 forgotten");
		break;
	case SMTP_NOOP:
		net_reply(s, "250 2.0.0 ok");
		break;
	case SMTP_QUIT:
		net_hang_up(s, "221 2.0.0 bye");
		break;
	case SMTP_VRFY:
		net_reply(s, "252 2.5.2 send mail, then we see");
		break;
	case SMTP_EXPN:
		net_reply(s, "502 5.7.0 not told to anybody");
		break;
	case SMTP_HELP:
		net_reply(s, "214 2.0.0 see RFC 5321: %s MAIL RCPT DATA BDAT "
		    "RSET NOOP QUIT VRFY HELP STARTTLS AUTH",
		    s->listener->proto == PROTO_LMTP ? "LHLO" : "HELO EHLO");
		break;
	case SMTP_STARTTLS:
		starttls_command(s);
		break;
	case SMTP_AUTH:
		auth_command(s, c->arg);
		break;
	case SMTP_HTTP:
		net_hang_up(s, "421 4.7.0 this is a mail server");
		break;
	case SMTP_UNKNOWN:
		unknown_command(s);
		return;
	}
	s->unknown = 0;
}

static void
obey(struct session *s, const struct smtp_command *c)
{
	const char	*wait = not_yet(s, c->verb);

	if (is_idle(s, c->verb))
		return;
	/* The bytes behind BDAT must not be read as commands. */
	if (wait != NULL && c->verb != SMTP_BDAT)
		net_reply(s, "%s", wait);
	else if (is_simple(c->verb) && *c->arg != '\0')
		net_reply(s, "501 5.5.4 no argument, please");
	else
		dispatch(s, c);
}

/* Lines. */

static void
one_line(struct session *s, const char *p, size_t len)
{
	struct smtp_command	 c;
	char			 line[SMTP_AUTH_MAX + 1];
	const char		*wrong;

	memcpy(line, p, len);
	line[len] = '\0';
	if (memchr(line, '\0', len) != NULL || memchr(line, '\n', len) ||
	    memchr(line, '\r', len))
		net_reply(s, "500 5.5.2 bad character in the line");
	else if (s->state == S_AUTH)
		auth_line(s, line, len);
	else if (len > SMTP_LINE_MAX) {
		limit_reached(LIMIT_LINE);
		net_reply(s, "500 5.5.6 line is too long");
	} else if ((wrong = smtp_command(line, &c)) != NULL)
		net_reply(s, "%s", wrong);
	else
		obey(s, &c);
	explicit_bzero(line, len);
	time_wait(s);
}

static int
too_much(struct session *s)
{
	if (s->errors < limit_of(net_config(), LIMIT_ERRORS) ||
	    s->state == S_ENDING)
		return (0);
	limit_reached(LIMIT_ERRORS);
	net_hang_up(s, "421 4.7.0 too many errors");
	return (1);
}

/*
 * The length of the line that begins at p, with its end; 0: it is not
 * complete, -1: the session ends.
 */
static ssize_t
line_length(struct session *s, const char *p, size_t len)
{
	const char	*nl = memchr(p, '\n', len);

	if (nl == NULL && len <= SMTP_AUTH_MAX)
		return (0);
	if (nl == NULL || nl - p > SMTP_AUTH_MAX) {
		limit_reached(LIMIT_AUTH_LINE);
		net_hang_up(s, "500 5.5.6 line is too long");
		return (-1);
	}
	if (nl > p && nl[-1] == '\r')
		s->crlf = 1;
	else if (!s->listener->lenient_lf) {
		/* it may be meant to be read differently elsewhere */
		net_hang_up(s, "500 5.5.2 lines end with CRLF");
		return (-1);
	}
	return (nl + 1 - p);
}

/* One step of input: how much of it was used; 0 no more now, -1 the end. */
static ssize_t
step(struct session *s, const char *p, size_t len)
{
	ssize_t	n;

	switch ((enum session_state)s->state) {
	case S_GREET:
		log_info("conn %u: %s talks before the greeting", s->id,
		    s->addr);
		net_hang_up(s, "554 5.5.1 you talk before you are greeted");
		return (-1);
	case S_ENDING:
		return (-1);
	case S_BUSY:
		conn_pause(s->conn);
		return (0);
	case S_DATA:
		return (data_feed(s, p, len));
	case S_CHUNK:
		return ((ssize_t)bdat_input(s, p, len));
	case S_COMMAND:
	case S_AUTH:
		break;
	}
	if (s->nslots >= limit_of(net_config(), LIMIT_PIPELINE)) {
		conn_pause(s->conn);
		return (0);
	}
	if ((n = line_length(s, p, len)) <= 0)
		return (n);
	one_line(s, p, n > 1 && p[n - 2] == '\r' ? n - 2 : n - 1);
	return (too_much(s) ? -1 : n);
}

size_t
net_input(struct conn *conn, void *arg, const char *data, size_t len)
{
	struct session	*s = arg;
	size_t		 used = 0;
	ssize_t		 n;

	while (used < len) {
		if ((n = step(s, data + used, len - used)) == -1)
			return (len);
		if (n == 0)
			break;
		used += n;
	}
	return (used);
}
