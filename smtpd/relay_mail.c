/*
 * relay_mail: one message in a session: MAIL, RCPT, DATA, content, results.
 *
 * With PIPELINING (RFC 2920) the commands leave in one write, otherwise one by
 * one.  Every recipient gets one result: the reply to its RCPT if that was a
 * refusal, else the one to the content.  A server that takes fewer recipients
 * at a time than there are gets the message again for the rest.  A server that
 * breaks off, or says what makes no sense, leaves the rest without; then
 * nothing is known, and queue tries again.
 *
 * Cost of a message to a server with PIPELINING: a write for the commands, one
 * for the content, three reads of replies.
 */
#include <sys/types.h>

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"
#include "log/log.h"
#include "net/conn.h"
#include "privsep/role.h"
#include "smtpd/relay_command.h"
#include "smtpd/relay_mail.h"
#include "smtpd/relay_session.h"
#include "smtpd/relay_share.h"
#include "smtpd/relay_state.h"

#define COMMAND_SECONDS	300	/* RFC 5321 4.5.3.2.2, .3 */
#define DATA_SECONDS	120	/* .4 */
#define BLOCK_SECONDS	180	/* .5 */
#define DOT_SECONDS	600	/* .6 */
#define SLOWEST		1024	/* bytes of content a second, on average */
#define FLIGHT		(32 * 1024)	/* bytes of commands unsent */

static void	transaction(struct session *);
static void	write_commands(struct session *);
static void	commands_reply(struct session *, const struct reply *);
static void	result_all(struct session *, enum rcpt_state, int final,
		    const char *);
static void	content_begin(struct session *);
static void	content_more(struct session *);
static void	content_reply(struct session *, const struct reply *);
static void	reset(struct session *);
static void	done(struct session *);

void
mail_begin(struct session *s)
{
	struct relay_mail	*m = s->mail;
	char			 text[C_REPLY];
	const char		*why;
	unsigned int		 i;

	session_no_timer(s);
	s->nmails++;
	if ((why = command_prepare(s, text, sizeof(text))) != NULL)
		result_all(s, RCPT_WAITING, 0, why);
	for (i = 0; i < m->nrcpts; i++)
		if ((why = command_objection(s, i)) != NULL)
			mail_result(s, i, 0, why);
	transaction(s);
}

/* Is a domain that only now comes in one too many? */
static int
too_many_domains(const struct session *s, unsigned int n, unsigned int *have)
{
	const struct relay_mail	*m = s->mail;
	const char		*a, *b = strrchr(m->rcpts[n].addr, '@');
	unsigned int		 i;

	if (s->ehlo.rcptdomainmax == 0 || b == NULL)
		return (0);
	for (i = 0; i < n; i++)
		if (!m->rcpts[i].skip &&
		    (a = strrchr(m->rcpts[i].addr, '@')) != NULL &&
		    strcasecmp(a, b) == 0)
			return (0);
	if (*have == s->ehlo.rcptdomainmax)
		return (1);
	(*have)++;
	return (0);
}

/*
 * The recipients that wait, as many as the server takes at a time (RFC 9422).
 * 0 if there are none.
 */
static unsigned int
choose(struct session *s)
{
	struct relay_mail	*m = s->mail;
	unsigned int		 i, n = 0, domains = 0;
	unsigned int		 most = s->ehlo.rcptmax;

	for (i = 0; i < m->nrcpts; i++) {
		m->rcpts[i].skip = m->rcpts[i].state != RCPT_WAITING ||
		    (most > 0 && n == most) ||
		    too_many_domains(s, i, &domains);
		n += !m->rcpts[i].skip;
	}
	return (n);
}

/* RFC 9422: the other recipients are for another connection, at once. */
static void
no_more(struct session *s)
{
	session_forget(s, END_STOPPED, "421 4.5.3 the server takes no more on "
	    "a connection");
	mail_free(s->mail);
	s->mail = NULL;
	s->phase = PHASE_IDLE;
	session_quit(s);
}

/* The next transaction with this message, or its end. */
static void
transaction(struct session *s)
{
	struct relay_mail	*m = s->mail;
	char			 text[C_REPLY];
	const char		*why;

	if (choose(s) == 0) {
		done(s);
		return;
	}
	if (m->begun && s->ehlo.mailmax > 0 &&
	    s->ntransactions >= s->ehlo.mailmax) {
		no_more(s);
		return;
	}
	if (m->begun) {
		content_free(&m->content);	/* from its start */
		if ((why = command_prepare(s, text, sizeof(text))) != NULL) {
			result_all(s, RCPT_WAITING, 0, why);
			done(s);
			return;
		}
	}
	m->begun = 1;
	s->ntransactions++;
	m->written = m->answered = m->naccepted = 0;
	m->refused = 0;
	s->phase = PHASE_COMMANDS;
	session_await(s, COMMAND_SECONDS);
	write_commands(s);
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
	/*
	 * RFC 2033 4.2: LMTP's DATA is refused when no recipient was taken; so
	 * is BDAT, behind which the content follows at once.
	 */
	if (m->written == data &&
	    (s->dest.scheme == SCHEME_LMTP || m->content.raw))
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
			command_write(s, m->written);
		m->written++;
		pass_skipped(m);
	}
	/* RFC 3030 2: BDAT is not answered before all of it is there. */
	if (m->content.raw && m->written == m->nrcpts + 2) {
		m->answered = m->written;
		content_begin(s);
	}
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
			transaction(s);
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

/*
 * RFC 5321 4.5.3.1.10: no more at a time, then the rest by themselves.  Only
 * if some were taken, or there is no end.
 */
static int
is_too_many(const struct relay_mail *m, const struct reply *r)
{
	return (m->naccepted > 0 && (r->code == 452 || r->code == 552) &&
	    (r->enh[0] == '\0' || strcmp(r->enh + 1, ".5.3") == 0));
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
	} else if (n > 0 && is_refusal(r)) {
		if (!is_too_many(m, r))
			mail_result(s, n - 1, 0, text);
	}
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
	if (s->phase != PHASE_COMMANDS)
		return;
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
		session_closed(s, END_FAILED,
		    "451 4.3.0 the content cannot be read");
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
	if (next_accepted(m) == m->nrcpts)
		transaction(s);
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
	enum share_turn	turn;

	if (s->mail->last.reply[0] == '2')
		share_took(s);
	if (s->ehlo.mailmax > 0 && s->ntransactions >= s->ehlo.mailmax)
		turn = TURN_CLOSE;
	else
		turn = role_draining() ? TURN_KEEP : share_turn(s);
	mail_flush(s, turn != TURN_KEEP || role_draining());
	mail_free(s->mail);
	s->mail = NULL;
	s->phase = PHASE_IDLE;
	if (turn == TURN_CLOSE)
		session_quit(s);
	else if (turn == TURN_PASS)
		share_pass(s);
	else
		session_idle(s);
}
