/*
 * relay_session: the dialogue with a server, up to and after the messages.
 *
 * The server is a stranger.  Its replies are read by lib/smtp and reach us as
 * a code and printable text; each has a time limit that dribbling bytes do
 * not extend.  What was said before TLS is forgotten with it (RFC 3207 4.2).
 */
#include <sys/types.h>

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"
#include "log/log.h"
#include "net/addr.h"
#include "net/conn.h"
#include "privsep/role.h"
#include "smtpd/relay_attempt.h"
#include "smtpd/relay_connect.h"
#include "smtpd/relay_login.h"
#include "smtpd/relay_mail.h"
#include "smtpd/relay_session.h"
#include "smtpd/relay_share.h"
#include "smtpd/relay_state.h"
#include "smtpd/relay_tls.h"

#define REPLY_SECONDS	300	/* RFC 5321 4.5.3.2: greeting, MAIL, RCPT */
#define HANDSHAKE_SECONDS 60
#define QUIT_SECONDS	5
#define IDLE_SECONDS	300

enum want { WANT_NONE, WANT_SOME, WANT_VERIFIED };

static size_t	on_input(struct conn *, void *, const char *, size_t);
static void	on_secured(struct conn *, void *);
static void	on_drained(struct conn *, void *);
static void	on_ended(struct conn *, void *, enum conn_end);
static void	handle(struct session *, const struct reply *);
static void	hello(struct session *);
static void	hello_done(struct session *);
static void	handshake(struct session *);
static void	tls_failed(struct session *, const char *why);

static const struct conn_ops	ops = {
	on_input, on_secured, on_drained, on_ended
};

static int
is_lmtp(const struct session *s)
{
	return (s->dest.scheme == SCHEME_LMTP);
}

static enum want
tls_wanted(const struct session *s)
{
	switch (s->dest.scheme) {
	case SCHEME_SMTP:
		/* A password will be sent. */
		if (s->dest.label[0] != '\0' &&
		    !addr_is_loopback(session_addr(s)))
			return (WANT_VERIFIED);
		return (WANT_SOME);
	case SCHEME_SMTP_TLS:
	case SCHEME_SMTPS:
		return (WANT_VERIFIED);
	default:
		return (WANT_NONE);
	}
}

int
session_must_verify(const struct session *s)
{
	return (tls_wanted(s) == WANT_VERIFIED);
}

void
session_begin(struct session *s, int fd)
{
	reply_init(&s->reply);
	memset(&s->ehlo, 0, sizeof(s->ehlo));
	s->conn = conn_new(role_base(), fd, &ops, s, 2 * REPLY_LINE);
	if (s->conn == NULL) {
		connect_failed(s, 0, "451 4.3.0 out of memory");
		return;
	}
	if (s->dest.scheme == SCHEME_SMTPS) {
		handshake(s);
		return;
	}
	s->phase = PHASE_GREETING;
	session_await(s, REPLY_SECONDS);
}

static void
timed_out(struct session *s)
{
	if (s->phase == PHASE_HANDSHAKE)
		tls_failed(s, "timed out");
	else
		session_broken(s, "timed out");
}

void
session_await(struct session *s, unsigned int seconds)
{
	session_timer(s, seconds, timed_out);
}

/*
 * It did take mail before, and ends when nothing is going on, or before it has
 * answered anything about the next message, or the same one for more
 * recipients: that one is not at fault.
 */
static int
is_tired(const struct session *s)
{
	if (s->phase == PHASE_IDLE)
		return (s->nmails > 0);
	return (s->phase == PHASE_COMMANDS && s->ntransactions > 1 &&
	    s->mail->answered == 0);
}

void
session_broken(struct session *s, const char *fmt, ...)
{
	char	why[C_REPLY / 2], reply[C_REPLY];
	va_list	ap;
	int	n;

	va_start(ap, fmt);
	n = vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (n < 0)
		why[0] = '\0';
	if (s->phase == PHASE_QUIT) {
		session_free(s);
		return;
	}
	if (s->phase < PHASE_IDLE) {
		connect_failed(s, 0, "421 4.4.2 %s [%s]: %s", session_host(s),
		    session_addr(s), why);
		return;
	}
	(void)snprintf(reply, sizeof(reply), "421 4.4.2 %.160s [%s]: %s",
	    session_host(s), session_addr(s), why);
	session_closed(s, is_tired(s) ? END_STOPPED : END_FAILED, reply);
}

static size_t
on_input(struct conn *c, void *arg, const char *data, size_t len)
{
	struct session		*s = arg;
	struct reply		 r;
	enum reply_status	 status;
	size_t			 used, done = 0;

	while (done < len) {
		/* Injected behind the reply to STARTTLS: gone. */
		if (s->phase == PHASE_HANDSHAKE)
			return (len);
		status = reply_read(&s->reply, s->phase == PHASE_EHLO ?
		    &s->ehlo : NULL, data + done, len - done, &used);
		done += used;
		if (status == REPLY_MORE)
			break;
		if (status == REPLY_BAD) {
			session_broken(s, "the server's reply is malformed");
			return (len);
		}
		r = s->reply;
		reply_init(&s->reply);
		handle(s, &r);
		if (s->phase == PHASE_HANDSHAKE)
			return (len);
		/* The rest is another session's, or nobody's. */
		if (s->conn != c)
			return (done);
	}
	return (done);
}

static void
on_secured(struct conn *c, void *arg)
{
	struct session	*s = arg;

	log_debug("session=%llu host=%s addr=%s tls=\"%s\" verified=%d",
	    (unsigned long long)s->dest.session, session_host(s),
	    session_addr(s), conn_cipher(c),
	    tls_wanted(s) == WANT_VERIFIED);
	s->verified = tls_wanted(s) == WANT_VERIFIED;
	reply_init(&s->reply);
	if (s->dest.scheme != SCHEME_SMTPS) {
		hello(s);
		return;
	}
	s->phase = PHASE_GREETING;
	session_await(s, REPLY_SECONDS);
}

static void
on_drained(struct conn *c, void *arg)
{
	struct session	*s = arg;

	if (s->phase == PHASE_COMMANDS || s->phase == PHASE_CONTENT)
		mail_more(s);
}

static void
on_ended(struct conn *c, void *arg, enum conn_end end)
{
	struct session	*s = arg;
	const char	*why = "connection closed";

	if (end == CONN_TIMEOUT)
		why = "timed out";
	else if (end != CONN_EOF)
		why = conn_error(c);
	if (s->phase == PHASE_HANDSHAKE)
		tls_failed(s, why);
	else
		session_broken(s, "%s", why);
}

/* The greeting names a host; ours would mean that we talk to ourselves. */
static int
greets_itself(const struct session *s, const struct reply *r)
{
	const char	*name = role_settings()->hostname;
	size_t		 len = strlen(name);

	return (!s->dest.nomx && s->dest.port == 25 && len > 0 &&
	    strncasecmp(r->text, name, len) == 0 &&
	    (r->text[len] == '\0' || r->text[len] == ' '));
}

/*
 * RFC 5321 4.2 and 3.1, RFC 7504: 521 and 554 say that no mail is accepted
 * here, ever; any other refusal may be about the moment.
 */
static void
greeting(struct session *s, const struct reply *r)
{
	char	text[C_REPLY];

	reply_print(r, text, sizeof(text));
	if (r->code / 100 != 2) {
		if (r->code == 521 || r->code == 554)
			connect_failed(s, 1, "%s", text);
		else
			connect_failed(s, 0, "450 4.4.2 %s [%s] greets with: "
			    "%.200s", session_host(s), session_addr(s), text);
		return;
	}
	if (greets_itself(s, r)) {
		connect_ourselves(s);
		return;
	}
	hello(s);
}

static void
hello(struct session *s)
{
	memset(&s->ehlo, 0, sizeof(s->ehlo));
	s->phase = PHASE_EHLO;
	conn_printf(s->conn, "%s %s\r\n", is_lmtp(s) ? "LHLO" : "EHLO",
	    role_settings()->hostname);
	session_await(s, REPLY_SECONDS);
}

/* What was asked of the server before READY was refused. */
static void
refused(struct session *s, const char *what, const struct reply *r)
{
	char	text[C_REPLY];

	reply_print(r, text, sizeof(text));
	connect_failed(s, 0, "450 4.4.2 %s [%s] refuses %s: %.200s",
	    session_host(s), session_addr(s), what, text);
}

static void
hello_reply(struct session *s, const struct reply *r)
{
	if (r->code / 100 == 2) {
		hello_done(s);
		return;
	}
	memset(&s->ehlo, 0, sizeof(s->ehlo));
	if (s->phase == PHASE_HELO || r->code / 100 != 5 || is_lmtp(s) ||
	    conn_is_tls(s->conn) || tls_wanted(s) == WANT_VERIFIED) {
		refused(s, "our greeting", r);
		return;
	}
	s->phase = PHASE_HELO;
	conn_printf(s->conn, "HELO %s\r\n", role_settings()->hostname);
	session_await(s, REPLY_SECONDS);
}

static void
starttls_reply(struct session *s, const struct reply *r)
{
	if (r->code == 220)
		handshake(s);
	else if (tls_wanted(s) == WANT_VERIFIED)
		refused(s, "STARTTLS", r);
	else {
		s->clear = 1;
		hello_done(s);
	}
}

/* A reply to what was said last. */
static void
handle(struct session *s, const struct reply *r)
{
	char	text[C_REPLY];

	if (r->code == 421 && s->phase != PHASE_GREETING) {
		reply_print(r, text, sizeof(text));
		session_broken(s, "%.200s", text);
		return;
	}
	switch (s->phase) {
	case PHASE_GREETING:
		greeting(s, r);
		break;
	case PHASE_EHLO:
	case PHASE_HELO:
		hello_reply(s, r);
		break;
	case PHASE_STARTTLS:
		starttls_reply(s, r);
		break;
	case PHASE_AUTH:
		login_reply(s, r);
		break;
	case PHASE_COMMANDS:
	case PHASE_CONTENT:
	case PHASE_DOT:
	case PHASE_RSET:
		mail_reply(s, r);
		break;
	case PHASE_QUIT:
		session_free(s);
		break;
	default:
		session_broken(s, "a reply to nothing");
	}
}

/* What the server can do is known; what is missing before a message? */
static void
hello_done(struct session *s)
{
	enum want	want = tls_wanted(s);
	int		tls = conn_is_tls(s->conn);

	if (!tls && !s->clear && want != WANT_NONE &&
	    (s->ehlo.offers & EHLO_STARTTLS)) {
		s->phase = PHASE_STARTTLS;
		conn_printf(s->conn, "STARTTLS\r\n");
		session_await(s, REPLY_SECONDS);
	} else if (!tls && want == WANT_VERIFIED)
		connect_failed(s, 0, "454 4.7.4 %s [%s] offers no TLS, which "
		    "is required", session_host(s), session_addr(s));
	else if (s->dest.label[0] != '\0' && !s->loggedin)
		login_begin(s);
	else
		session_ready(s);
}

/*
 * Hosts that came from the name system without proof have the name that an
 * attacker gave them; then the certificate must be the destination's.
 */
const char *
session_certificate_name(const struct session *s)
{
	if (s->hop.from_mx && !s->hop.secure)
		return (s->dest.host);
	return (session_host(s));
}

static void
handshake(struct session *s)
{
	const char	*why;
	struct tls	*tls;

	s->phase = PHASE_HANDSHAKE;
	session_await(s, HANDSHAKE_SECONDS);
	(void)strlcpy(s->proven, session_certificate_name(s),
	    sizeof(s->proven));
	tls = relay_tls_new(tls_wanted(s) == WANT_VERIFIED, &why);
	if (tls == NULL)
		tls_failed(s, why);
	else if (conn_connect_tls(s->conn, tls, s->proven) == -1) {
		relay_tls_free(tls);
		tls_failed(s, "cannot begin");
	}
}

/* RFC 7435 3: where TLS is not required, its failure is not the mail's. */
static void
tls_failed(struct session *s, const char *why)
{
	if (tls_wanted(s) == WANT_VERIFIED) {
		connect_failed(s, 0, "454 4.7.5 TLS with %s [%s]: %.200s",
		    session_host(s), session_addr(s), why);
		return;
	}
	log_debug("session=%llu host=%s addr=%s TLS: %s: going on without",
	    (unsigned long long)s->dest.session, session_host(s),
	    session_addr(s), why);
	s->clear = 1;
	attempt_again(s);
}

void
session_ready(struct session *s)
{
	struct msg_RELAY_READY	m = { 0 };

	share_reached(s);
	m.session = s->dest.session;
	m.tls = conn_is_tls(s->conn);
	m.dsn = (s->ehlo.offers & EHLO_DSN) != 0;
	(void)strlcpy(m.host, session_host(s), sizeof(m.host));
	(void)strlcpy(m.addr, session_addr(s), sizeof(m.addr));
	peer_send(s->queue, M_RELAY_READY, &m, -1);
	session_idle(s);
}

static void
idle_too_long(struct session *s)
{
	session_forget(s, END_STOPPED,
	    "421 4.4.2 nothing to send for too long");
	session_quit(s);
}

void
session_busy(struct session *s)
{
	char	reply[C_REPLY];

	(void)snprintf(reply, sizeof(reply), "450 4.3.2 many wait for a "
	    "connection to %s [%s]", session_host(s), session_addr(s));
	s->rest = SHARE_BUSY_SECONDS;
	session_closed(s, END_STOPPED, reply);
}

void
session_idle(struct session *s)
{
	s->phase = PHASE_IDLE;
	if (s->mail != NULL && s->mail->narrived == s->mail->nrcpts) {
		mail_begin(s);
		return;
	}
	if (role_draining()) {
		session_forget(s, END_STOPPED, "421 4.3.2 shutting down");
		session_quit(s);
		return;
	}
	session_timer(s, IDLE_SECONDS, idle_too_long);
}

void
session_quit(struct session *s)
{
	session_unlink(s);
	if (s->phase != PHASE_IDLE || s->conn == NULL) {
		session_free(s);
		return;
	}
	s->phase = PHASE_QUIT;
	conn_printf(s->conn, "QUIT\r\n");
	session_await(s, QUIT_SECONDS);
}
