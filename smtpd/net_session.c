/*
 * net_session: the commands of an SMTP session (RFC 5321) before and between
 * messages.
 *
 * MAIL and RCPT are asked of lookup as they come, without waiting (RFC 2920);
 * the answers come from queue, in any order, and leave in that of the
 * commands.  DATA, AUTH and the end of a message wait.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log/log.h"
#include "smtp/command.h"
#include "smtpd/net.h"

#define SLOTS_MAX	128	/* unanswered commands; then reading pauses */
#define ERRORS_MAX	20	/* then we hang up */
#define UNKNOWN_MAX	3	/* in a row: no mail client talks so */

static void	mail_command(struct session *, struct smtp_command *);
static void	rcpt_command(struct session *, struct smtp_command *);
static void	data_command(struct session *);
static void	starttls_command(struct session *);

/* Replies, in order. */

static void
slots_flush(struct session *s)
{
	struct slot	*sl;
	int		 close = 0;

	while ((sl = TAILQ_FIRST(&s->slots)) != NULL && sl->text != NULL) {
		TAILQ_REMOVE(&s->slots, sl, entry);
		s->nslots--;
		conn_write(s->conn, sl->text, strlen(sl->text));
		close = sl->close;
		free(sl->text);
		free(sl);
		if (close) {
			conn_finish(s->conn);
			return;
		}
	}
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
	struct slot	*sl;

	if (s->state == S_ENDING)
		return;
	s->state = S_ENDING;
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
	conn_printf(s->conn, "%s\r\n", reply);
	conn_finish(s->conn);
	net_reset(s, 1);
	s->auth_pending = 0;
	s->state = S_ENDING;
}

static void
answer(struct session *s, uint32_t seq, const char *reply)
{
	struct slot	*sl;

	TAILQ_FOREACH(sl, &s->slots, entry)
		if (sl->seq == seq && sl->text == NULL)
			break;
	if (sl == NULL)
		return;
	if (asprintf(&sl->text, "%s\r\n", reply) == -1) {
		sl->text = NULL;
		conn_finish(s->conn);
		return;
	}
	if (*reply == '4' || *reply == '5')
		s->errors++;
	slots_flush(s);
}

/* Go on reading when what was waited for has come. */
void
net_go_on(struct session *s)
{
	enum smtp_verb	 v = s->wait;

	if (v != SMTP_UNKNOWN && s->nslots == 0) {
		s->wait = SMTP_UNKNOWN;
		s->state = S_COMMAND;
		if (v == SMTP_DATA)
			data_command(s);
		else
			starttls_command(s);
	}
	if (s->state != S_BUSY && s->state != S_ENDING &&
	    s->nslots < SLOTS_MAX)
		conn_resume(s->conn);
}

void
net_begin(struct session *s)
{
	const char	*banner = net_config()->banner;

	conn_printf(s->conn, "220 %s\r\n", banner);
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
	s->nrcpts = s->asked = 0;
	s->body = s->utf8 = s->handed = 0;
	s->wait = SMTP_UNKNOWN;
	s->size = 0;
	s->rcpt[0] = '\0';
}

/* What queue did with MAIL, RCPT or a message. */
void
net_take_reply(struct session *s, const struct msg_TX_REPLY *r)
{
	if (s->handed && s->state == S_BUSY) {
		s->state = S_COMMAND;
		net_reset(s, 0);
	} else if (r->seq == s->mail_seq) {
		if (r->accepted)
			s->queueid = r->id;
		else
			s->mail_seq = 0;
	} else if (r->accepted && s->mail_seq != 0 && r->seq > s->mail_seq)
		s->nrcpts++;		/* not one of before RSET */
	answer(s, r->seq, r->reply);
	net_go_on(s);
}

void
net_take_auth(struct session *s, const struct msg_AUTH_DONE *d)
{
	if (!s->auth_pending)
		return;
	s->auth_pending = 0;
	auth_end(s, 0);
	switch (d->result) {
	case AUTH_GRANTED:
		if ((s->user = strdup(d->user)) == NULL) {
			conn_finish(s->conn);
			return;
		}
		log_info("login: user=%s addr=%s tls=%s conn=%u", s->user,
		    s->addr, conn_is_tls(s->conn) ? conn_cipher(s->conn) :
		    "no", s->id);
		net_reply(s, "235 2.7.0 authenticated");
		break;
	case AUTH_DENIED:
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

static void
ehlo_command(struct session *s)
{
	const struct conf	*conf = net_config();
	int			 tls = conn_is_tls(s->conn);

	net_reply(s, "250-%s Hello %s [%s]\r\n250-PIPELINING\r\n"
	    "250-SIZE %" PRIu64 "\r\n250-8BITMIME\r\n%s%s%s%s"
	    "250 ENHANCEDSTATUSCODES", conf->hostname, s->helo, s->addr,
	    conf->max_message,
	    !tls && s->listener->tls != NULL ? "250-STARTTLS\r\n" : "",
	    net_may_login(s) ? "250-" : "",
	    net_may_login(s) ? auth_offer() : "",
	    net_may_login(s) ? "\r\n" : "");
}

static void
helo_command(struct session *s, struct smtp_command *c)
{
	if (!smtp_is_domain(c->arg, strlen(c->arg))) {
		net_reply(s, "501 5.5.4 say %s followed by your name",
		    c->verb == SMTP_EHLO ? "EHLO" : "HELO");
		return;
	}
	net_reset(s, 1);
	free(s->helo);
	if ((s->helo = strdup(c->arg)) == NULL) {
		net_hang_up(s, "421 4.3.0 no memory");
		return;
	}
	s->esmtp = c->verb == SMTP_EHLO;
	if (s->esmtp)
		ehlo_command(s);
	else
		net_reply(s, "250 %s Hello %s [%s]",
		    net_config()->hostname, s->helo, s->addr);
}

/* DATA and STARTTLS come when all before them was answered (RFC 2920 3.2). */
static void
wait_for_answers(struct session *s, enum smtp_verb v)
{
	s->wait = v;
	s->state = S_BUSY;
	conn_pause(s->conn);
}

static void
starttls_command(struct session *s)
{
	struct tls	*ctx;

	if (s->nslots > 0)
		wait_for_answers(s, SMTP_STARTTLS);
	else if (conn_is_tls(s->conn))
		net_reply(s, "503 5.5.1 TLS is on already");
	else if (s->listener->tls == NULL ||
	    (ctx = net_tls(s->listener)) == NULL)
		net_reply(s, "502 5.5.1 no TLS here");
	else {
		net_reply(s, "220 2.0.0 ready to start TLS");
		/* RFC 3207 4.2: everything that was said is forgotten */
		net_reset(s, 1);
		net_forget(s);
		s->state = S_BUSY;
		if (conn_accept_tls(s->conn, ctx) == -1)
			conn_finish(s->conn);
	}
}

void
net_secured(struct conn *c, void *arg)
{
	struct session	*s = arg;

	s->state = S_COMMAND;
	log_debug("conn %u: %s", s->id, conn_cipher(c));
	if (conf_proto_is_tls(s->listener->proto))
		net_begin(s);
}

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
	return (v == SMTP_DATA || v == SMTP_RSET || v == SMTP_QUIT);
}

static void
dispatch(struct session *s, struct smtp_command *c)
{
	const char	*wait = not_yet(s, c->verb);

	if (wait != NULL) {
		net_reply(s, "%s", wait);
		return;
	}
	if (is_simple(c->verb) && *c->arg != '\0') {
		net_reply(s, "501 5.5.4 no argument, please");
		return;
	}
	switch (c->verb) {
	case SMTP_HELO:
	case SMTP_EHLO:
		helo_command(s, c);
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
		net_reply(s, "214 2.0.0 see RFC 5321: HELO EHLO MAIL RCPT "
		    "DATA RSET NOOP QUIT VRFY HELP STARTTLS AUTH");
		break;
	case SMTP_STARTTLS:
		if (*c->arg != '\0')
			net_reply(s, "501 5.5.4 STARTTLS takes no argument");
		else
			starttls_command(s);
		break;
	case SMTP_AUTH:
		auth_command(s, c->arg);
		break;
	case SMTP_HTTP:
		net_hang_up(s, "421 4.7.0 this is a mail server");
		break;
	case SMTP_UNKNOWN:
		if (++s->unknown >= UNKNOWN_MAX)
			net_hang_up(s, "421 4.7.0 too many unknown "
			    "commands");
		else
			net_reply(s, "500 5.5.1 unknown command");
		return;
	}
	s->unknown = 0;
}

/* SIZE, BODY and AUTH of MAIL (RFC 1870, 6152, 4954). NULL: fine. */
static const char *
mail_params(struct session *s, struct smtp_command *c)
{
	const char	*err;
	size_t		 i;

	for (i = 0; i < c->nparams; i++) {
		const char *key = c->params[i].key, *v = c->params[i].value;

		if (strcasecmp(key, "SIZE") == 0 && v != NULL) {
			s->size = strtonum(v, 0, LLONG_MAX, &err);
			if (err != NULL)
				return ("501 5.5.4 bad SIZE");
			if (s->size > net_config()->max_message)
				return ("552 5.3.4 message is too big");
		} else if (strcasecmp(key, "BODY") == 0 && v != NULL) {
			if (strcasecmp(v, "8BITMIME") == 0)
				s->body = BODY_8BITMIME;
			else if (strcasecmp(v, "7BIT") != 0)
				return ("501 5.5.4 unknown BODY");
		} else if (strcasecmp(key, "AUTH") == 0 && v != NULL) {
			/* taken, and not believed: RFC 4954 section 5 */
			if (strlen(v) > 500)
				return ("501 5.5.4 AUTH is too long");
		} else
			return ("555 5.5.4 unknown parameter of MAIL");
	}
	return (NULL);
}

static void
mail_command(struct session *s, struct smtp_command *c)
{
	struct msg_TX_MAIL	 m = { .conn = s->id };
	struct peer		*lookup = role_peer(ROLE_LOOKUP);
	const char		*wrong;

	if (s->helo == NULL) {
		net_reply(s, "503 5.5.1 say HELO or EHLO first");
		return;
	}
	if (s->mail_seq != 0) {
		net_reply(s, "503 5.5.1 one transaction at a time");
		return;
	}
	s->size = 0;
	if ((wrong = mail_params(s, c)) != NULL) {
		net_reply(s, "%s", wrong);
		return;
	}
	if (lookup == NULL || role_peer(ROLE_QUEUE) == NULL) {
		net_reply(s, "451 4.3.0 not now, try again later");
		return;
	}
	if ((m.seq = net_ask(s)) == 0)
		return;
	s->mail_seq = m.seq;
	s->known = 1;
	m.listener = s->listener->index;
	m.tls = conn_is_tls(s->conn);
	m.size = s->size;
	m.lmtp = s->listener->proto == PROTO_LMTP;
	m.body = s->body;
	m.utf8 = s->utf8;
	strlcpy(m.addr, s->addr, sizeof(m.addr));
	strlcpy(m.helo, s->helo, sizeof(m.helo));
	strlcpy(m.sender, c->addr, sizeof(m.sender));
	peer_send(lookup, M_TX_MAIL, &m, -1);
}

static void
rcpt_command(struct session *s, struct smtp_command *c)
{
	struct msg_TX_RCPT	 m = { .conn = s->id };
	struct peer		*lookup = role_peer(ROLE_LOOKUP);

	if (s->mail_seq == 0)
		net_reply(s, "503 5.5.1 say MAIL first");
	else if (c->addr[0] == '\0')
		net_reply(s, "501 5.1.3 <> is no recipient");
	else if (c->nparams > 0)
		net_reply(s, "555 5.5.4 unknown parameter of RCPT");
	else if (s->nrcpts >= net_config()->max_recipients ||
	    s->asked >= 10 * net_config()->max_recipients)
		net_reply(s, "452 4.5.3 too many recipients");
	else if (lookup == NULL)
		net_reply(s, "451 4.3.0 not now, try again later");
	else if ((m.seq = net_ask(s)) != 0) {
		s->asked++;
		if (s->asked == 1)
			strlcpy(s->rcpt, c->addr, sizeof(s->rcpt));
		strlcpy(m.rcpt, c->addr, sizeof(m.rcpt));
		peer_send(lookup, M_TX_RCPT, &m, -1);
	}
}

static void
data_command(struct session *s)
{
	if (s->nslots > 0)
		wait_for_answers(s, SMTP_DATA);
	else if (s->mail_seq == 0)
		net_reply(s, "503 5.5.1 say MAIL first");
	else if (s->nrcpts == 0)
		net_reply(s, s->asked == 0 ? "503 5.5.1 say RCPT first" :
		    "554 5.5.1 no valid recipients");
	else if (data_begin(s) == -1)
		net_reply(s, "452 4.3.1 no memory for a message now");
	else {
		s->state = S_DATA;
		net_reply(s, "354 end with a line that holds only a dot");
	}
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
	else if (len > SMTP_LINE_MAX)
		net_reply(s, "500 5.5.6 line is too long");
	else if ((wrong = smtp_command(line, &c)) != NULL)
		net_reply(s, "%s", wrong);
	else
		dispatch(s, &c);
	explicit_bzero(line, len);
}

static int
too_much(struct session *s)
{
	if (s->errors < ERRORS_MAX)
		return (0);
	net_hang_up(s, "421 4.7.0 too many errors");
	return (1);
}

size_t
net_input(struct conn *conn, void *arg, const char *data, size_t len)
{
	struct session	*s = arg;
	const char	*p = data, *nl;
	ssize_t		 n;

	while (len > 0) {
		if (s->state == S_ENDING)
			return (p - data + len);
		if (s->state == S_BUSY || s->nslots >= SLOTS_MAX) {
			conn_pause(conn);
			break;
		}
		if (s->state == S_DATA) {
			if ((n = data_feed(s, p, len)) <= 0)
				break;
			p += n;
			len -= n;
			continue;
		}
		nl = memchr(p, '\n', len);
		if (nl == NULL && len <= SMTP_AUTH_MAX)
			break;
		if (nl == NULL || nl - p > SMTP_AUTH_MAX) {
			net_hang_up(s, "500 5.5.6 line is too long");
			return (p - data + len);
		}
		if (nl == p || nl[-1] != '\r') {
			/* it may be meant to be read differently elsewhere */
			net_hang_up(s, "500 5.5.2 lines end with CRLF");
			return (p - data + len);
		}
		len -= nl + 1 - p;
		one_line(s, p, nl - p - 1);
		p = nl + 1;
		if (too_much(s))
			return (p - data + len);
	}
	return (p - data);
}
