/*
 * relay_mail: one message in a session: MAIL, RCPT, DATA, content, results.
 *
 * With PIPELINING (RFC 2920) the commands leave in one write, otherwise one by
 * one.  Every recipient gets one result: the reply to its RCPT if that was a
 * refusal, else the one to the content.  A server that breaks off, or says
 * what makes no sense, leaves the rest without; then nothing is known, and
 * queue tries again.
 *
 * A server without 8BITMIME gets content with the eighth bit as it is, as
 * nearly all servers take it; the alternative would be to return the mail.
 */
#include <sys/types.h>

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "log/log.h"
#include "net/conn.h"
#include "privsep/role.h"
#include "smtpd/relay_mail.h"
#include "smtpd/relay_session.h"
#include "smtpd/relay_state.h"

#define COMMAND_SECONDS	300	/* RFC 5321 4.5.3.2.2, .3 */
#define DATA_SECONDS	120	/* .4 */
#define BLOCK_SECONDS	180	/* .5 */
#define DOT_SECONDS	600	/* .6 */
#define SLOWEST		1024	/* bytes of content a second, on average */
#define FLIGHT		(32 * 1024)	/* bytes of commands unsent */

static void	write_commands(struct session *);
static void	write_command(struct session *, unsigned int);
static void	commands_reply(struct session *, const struct reply *);
static void	result_all(struct session *, enum rcpt_state, int final,
		    const char *);
static void	content_begin(struct session *);
static void	content_more(struct session *);
static void	content_reply(struct session *, const struct reply *);
static void	reset(struct session *);
static void	done(struct session *);

/* What can be in a command: no control character, no byte beyond ASCII. */
static int
sendable(const char *addr)
{
	for (; *addr != '\0'; addr++)
		if (*addr < 0x20 || *addr > 0x7e)
			return (0);
	return (1);
}

/* What this server cannot be given at all. */
static const char *
objection(struct session *s, char *text, size_t size)
{
	struct relay_mail	*m = s->mail;

	if ((s->ehlo.offers & EHLO_SIZE) && s->ehlo.size > 0 &&
	    m->msg.size > s->ehlo.size) {
		(void)snprintf(text, size, "552 5.3.4 message of %llu bytes "
		    "is larger than %.200s takes",
		    (unsigned long long)m->msg.size, session_host(s));
		return (text);
	}
	if (!sendable(m->msg.sender))
		return ("553 5.6.7 the sender's address is not ASCII");
	return (NULL);
}

void
mail_begin(struct session *s)
{
	struct relay_mail	*m = s->mail;
	char			 text[C_REPLY];
	const char		*why;
	unsigned int		 i;

	session_no_timer(s);
	s->nmails++;
	content_init(&m->content, m->msg.size);
	if ((why = objection(s, text, sizeof(text))) != NULL)
		result_all(s, RCPT_WAITING, 0, why);
	for (i = 0; i < m->nrcpts; i++)
		if (!sendable(m->rcpts[i].addr)) {
			m->rcpts[i].skip = 1;
			mail_result(s, i, 0,
			    "553 5.6.7 the address is not ASCII");
		}
	if (m->nreported == m->nrcpts) {
		done(s);
		return;
	}
	s->phase = PHASE_COMMANDS;
	write_commands(s);
	session_await(s, COMMAND_SECONDS);
}

/* Commands that can follow without an answer to the ones before. */
static int
may_write(const struct session *s)
{
	const struct relay_mail	*m = s->mail;
	unsigned int		 data = m->nrcpts + 1;

	if (m->written > data || m->refused)
		return (0);
	if (m->written == m->answered)
		return (m->written < data || m->naccepted > 0);
	if (!(s->ehlo.offers & EHLO_PIPELINING))
		return (0);
	/* RFC 2033 4.2: LMTP's DATA is refused when no recipient was taken. */
	if (m->written == data && s->dest.scheme == SCHEME_LMTP)
		return (0);
	return (conn_unsent(s->conn) < FLIGHT);
}

static int
skipped(const struct relay_mail *m, unsigned int n)
{
	return (n > 0 && n <= m->nrcpts && m->rcpts[n - 1].skip);
}

/* A command that was not sent is not answered. */
static void
pass_skipped(struct relay_mail *m)
{
	while (m->answered < m->written && skipped(m, m->answered))
		m->answered++;
}

static void
write_commands(struct session *s)
{
	struct relay_mail	*m = s->mail;

	while (may_write(s)) {
		if (!skipped(m, m->written))
			write_command(s, m->written);
		m->written++;
		pass_skipped(m);
	}
}

/* An address as the contract has it is without brackets; "<>" is as well. */
static const char *
bare(const char *addr)
{
	return (strcmp(addr, "<>") == 0 ? "" : addr);
}

static void
write_command(struct session *s, unsigned int n)
{
	struct relay_mail	*m = s->mail;

	if (n > m->nrcpts) {
		conn_printf(s->conn, "DATA\r\n");
		return;
	}
	if (n > 0) {
		conn_printf(s->conn, "RCPT TO:<%s>\r\n", m->rcpts[n - 1].addr);
		return;
	}
	conn_printf(s->conn, "MAIL FROM:<%s>", bare(m->msg.sender));
	if (s->ehlo.offers & EHLO_SIZE)
		conn_printf(s->conn, " SIZE=%llu",
		    (unsigned long long)m->msg.size);
	if (m->msg.body != BODY_7BIT && (s->ehlo.offers & EHLO_8BITMIME))
		conn_printf(s->conn, " BODY=8BITMIME");
	conn_printf(s->conn, "\r\n");
}

void
mail_more(struct session *s)
{
	if (s->phase == PHASE_COMMANDS)
		write_commands(s);
	else
		content_more(s);
}

void
mail_reply(struct session *s, const struct reply *r)
{
	if (s->phase == PHASE_COMMANDS)
		commands_reply(s, r);
	else if (s->phase == PHASE_RSET) {
		if (r->code / 100 == 2)
			done(s);
		else
			session_broken(s, "RSET is refused");
	} else
		content_reply(s, r);
}

/* The reply that all recipients of a state get. */
static void
result_all(struct session *s, enum rcpt_state state, int final,
    const char *reply)
{
	unsigned int	i;

	for (i = 0; i < s->mail->nrcpts; i++)
		if (s->mail->rcpts[i].state == state)
			mail_result(s, i, final, reply);
}

static int
is_refusal(const struct reply *r)
{
	return (r->code / 100 == 4 || r->code / 100 == 5);
}

/* The reply to command n, MAIL or RCPT: 0, or -1 if it makes no sense. */
static int
envelope_reply(struct session *s, unsigned int n, const struct reply *r)
{
	struct relay_mail	*m = s->mail;
	char			 text[C_REPLY];

	if (!is_refusal(r) && r->code / 100 != 2)
		return (-1);
	reply_print(r, text, sizeof(text));
	if (n == 0 && is_refusal(r)) {
		m->refused = 1;
		result_all(s, RCPT_WAITING, 0, text);
	} else if (n > 0 && is_refusal(r))
		mail_result(s, n - 1, 0, text);
	else if (n > 0 && m->rcpts[n - 1].state == RCPT_WAITING) {
		m->rcpts[n - 1].state = RCPT_ACCEPTED;
		m->naccepted++;
	}
	return (0);
}

/* 1 if the content is sent now, 0 if not, -1 if it makes no sense. */
static int
data_reply(struct session *s, const struct reply *r)
{
	char	text[C_REPLY];

	if (r->code == 354)
		return (1);
	if (!is_refusal(r))
		return (-1);
	reply_print(r, text, sizeof(text));
	result_all(s, RCPT_ACCEPTED, 1, text);
	return (0);
}

static void
commands_reply(struct session *s, const struct reply *r)
{
	struct relay_mail	*m = s->mail;
	unsigned int		 n = m->answered;
	int			 go;

	if (n == m->written) {
		session_broken(s, "a reply to nothing");
		return;
	}
	m->answered++;
	pass_skipped(m);
	go = n <= m->nrcpts ? envelope_reply(s, n, r) : data_reply(s, r);
	if (go == -1) {
		session_broken(s, "%u in the wrong place", r->code);
		return;
	}
	if (go == 1) {
		content_begin(s);
		return;
	}
	write_commands(s);
	/* Nothing outstanding and nothing more to say: refused altogether. */
	if (m->answered == m->written) {
		reset(s);
		return;
	}
	session_await(s, m->answered == m->nrcpts + 1 ? DATA_SECONDS :
	    COMMAND_SECONDS);
}

static void
content_begin(struct session *s)
{
	struct relay_mail	*m = s->mail;
	uint64_t		 most = COMMAND_SECONDS;

	s->phase = PHASE_CONTENT;
	/*
	 * RFC 2920 3.1: DATA was sent before the refusals came, and the server
	 * waits for content that nobody is to get: an empty one.
	 */
	if (m->naccepted == 0) {
		s->phase = PHASE_DOT;
		conn_printf(s->conn, ".\r\n");
		session_await(s, DOT_SECONDS);
		return;
	}
	most += m->msg.size / SLOWEST;
	session_await(s, most > UINT32_MAX / 2 ? UINT32_MAX / 2 :
	    (unsigned int)most);
	conn_timeout(s->conn, BLOCK_SECONDS);
	content_more(s);
}

static void
content_more(struct session *s)
{
	static char		 out[CONTENT_OUT];
	struct relay_mail	*m = s->mail;
	ssize_t			 n;
	int			 last;

	if ((n = content_next(&m->content, m->fd, out, &last)) == -1) {
		log_warn("session=%llu message=%s: content",
		    (unsigned long long)s->dest.session, m->msg.id);
		session_closed(s, 0, "451 4.3.0 the content cannot be read");
		return;
	}
	conn_write(s->conn, out, (size_t)n);
	if (last) {
		s->phase = PHASE_DOT;
		conn_timeout(s->conn, 0);
		session_await(s, DOT_SECONDS);
	}
}

/* The next recipient that the server took; RFC 2033 4.2 keeps their order. */
static unsigned int
next_accepted(const struct relay_mail *m)
{
	unsigned int	i;

	for (i = 0; i < m->nrcpts; i++)
		if (m->rcpts[i].state == RCPT_ACCEPTED)
			break;
	return (i);
}

/*
 * The reply to the dot, or one before it.  Before it, a refusal ends the
 * session, as the server takes the rest for commands; nothing else is believed.
 */
static void
content_reply(struct session *s, const struct reply *r)
{
	struct relay_mail	*m = s->mail;
	char			 text[C_REPLY];
	int			 early;

	early = s->phase == PHASE_CONTENT || conn_unsent(s->conn) > 0;
	if (!is_refusal(r) && (early || r->code / 100 != 2)) {
		session_broken(s, "%u in the wrong place", r->code);
		return;
	}
	reply_print(r, text, sizeof(text));
	if (early) {
		result_all(s, RCPT_ACCEPTED, 1, text);
		session_broken(s, "the server did not wait for the content");
		return;
	}
	if (s->dest.scheme == SCHEME_LMTP && m->naccepted > 0)
		mail_result(s, next_accepted(m), 1, text);
	else
		result_all(s, RCPT_ACCEPTED, 1, text);
	if (m->nreported == m->nrcpts)
		done(s);
	else
		session_await(s, DOT_SECONDS);
}

/* RFC 5321 4.1.1.5: no trace of this message meets the next. */
static void
reset(struct session *s)
{
	s->phase = PHASE_RSET;
	conn_printf(s->conn, "RSET\r\n");
	session_await(s, COMMAND_SECONDS);
}

static void
done(struct session *s)
{
	mail_flush(s, role_draining());
	mail_free(s->mail);
	s->mail = NULL;
	session_idle(s);
}
