/*
 * relay_command: what is said to a server of one message, in the extensions
 * that it offers.
 *
 * Addresses and parameters came from clients, by way of lookup and queue:
 * nothing leaves that is not printable, so that no byte of them is a line end.
 */
#include "os/compat.h"
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "net/conn.h"
#include "smtpd/relay_command.h"
#include "smtpd/relay_state.h"

/* 1 ASCII, 0 beyond it, -1 with what can be in no command. */
static int
is_ascii(const char *s)
{
	int	ascii = 1;

	for (; *s != '\0'; s++) {
		if ((unsigned char)*s > 0x7e)
			ascii = 0;
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return (-1);
	}
	return (ascii);
}

/* RFC 6531 3.2: only where it is offered. */
static int
sendable(const struct session *s, const char *addr)
{
	int	ascii = is_ascii(addr);

	return (ascii == 1 || (ascii == 0 &&
	    (s->ehlo.offers & EHLO_SMTPUTF8) != 0));
}

/* An xtext: it has no blanks either. */
static int
is_param(const char *s)
{
	return (s[0] != '\0' && is_ascii(s) == 1 && strchr(s, ' ') == NULL);
}

static int
needs_utf8(const struct relay_mail *m)
{
	unsigned int	i;

	if (m->msg.utf8 || is_ascii(m->msg.sender) != 1)
		return (1);
	for (i = 0; i < m->nrcpts; i++)
		if (!m->rcpts[i].skip && is_ascii(m->rcpts[i].addr) != 1)
			return (1);
	return (0);
}

static const char *
why_not(enum mime_recode_error error)
{
	switch (error) {
	case RECODE_HEADER:
		return ("554 5.6.3 8-bit bytes outside of the body, and the "
		    "server takes none");
	case RECODE_SIGNED:
		return ("554 5.6.3 the message needs a conversion that would "
		    "break its signature");
	case RECODE_STRUCTURE:
		return ("554 5.6.3 the message needs a conversion and its "
		    "parts make no sense");
	default:
		return ("451 4.3.0 the content cannot be read");
	}
}

/*
 * RFC 3030 3 and RFC 6152 3: as it is, where the server takes it so; else
 * converted; else not at all.
 */
static const char *
prepare_content(struct session *s)
{
	struct relay_mail	*m = s->mail;
	unsigned int		 offers = s->ehlo.offers;
	enum mime_recode_error	 error;

	content_init(&m->content, m->msg.size);
	if (m->msg.body == BODY_7BIT)
		return (NULL);
	if (m->msg.body == BODY_BINARYMIME && (offers & EHLO_CHUNKING) &&
	    (offers & EHLO_BINARYMIME)) {
		m->content.raw = 1;
		return (NULL);
	}
	if (m->msg.body == BODY_8BITMIME && (offers & EHLO_8BITMIME))
		return (NULL);
	error = content_recode(&m->content, m->fd, offers & EHLO_8BITMIME ?
	    RECODE_8BIT : RECODE_7BIT);
	return (error == RECODE_OK ? NULL : why_not(error));
}

const char *
command_prepare(struct session *s, char *text, size_t size)
{
	struct relay_mail	*m = s->mail;
	const char		*why;

	if (is_ascii(m->msg.sender) == -1)
		return ("553 5.1.7 the sender's address has control "
		    "characters");
	if ((m->msg.utf8 || is_ascii(m->msg.sender) == 0) &&
	    !(s->ehlo.offers & EHLO_SMTPUTF8)) {
		(void)snprintf(text, size, "550 5.6.7 %.200s takes no "
		    "internationalized mail (SMTPUTF8)", session_host(s));
		return (text);
	}
	if ((why = prepare_content(s)) != NULL)
		return (why);
	if ((s->ehlo.offers & EHLO_SIZE) && s->ehlo.size > 0 &&
	    content_size(&m->content) > s->ehlo.size) {
		(void)snprintf(text, size, "552 5.3.4 message of %llu bytes "
		    "is larger than %.200s takes", (unsigned long long)
		    content_size(&m->content), session_host(s));
		return (text);
	}
	return (NULL);
}

const char *
command_objection(const struct session *s, unsigned int rcpt)
{
	const char	*addr = s->mail->rcpts[rcpt].addr;

	if (sendable(s, addr))
		return (NULL);
	return (is_ascii(addr) == -1 ?
	    "553 5.1.3 the address has control characters" :
	    "553 5.6.7 the server takes no address that is not ASCII");
}

/* An address as the contract has it is without brackets; "<>" is as well. */
static const char *
bare(const char *addr)
{
	return (strcmp(addr, "<>") == 0 ? "" : addr);
}

static void
write_mail(struct session *s)
{
	const struct relay_mail	*m = s->mail;
	unsigned int		 offers = s->ehlo.offers;

	conn_printf(s->conn, "MAIL FROM:<%s>", bare(m->msg.sender));
	if (offers & EHLO_SIZE)
		conn_printf(s->conn, " SIZE=%llu",
		    (unsigned long long)content_size(&m->content));
	if (m->content.raw)
		conn_printf(s->conn, " BODY=BINARYMIME");
	else if (m->msg.body != BODY_7BIT && (offers & EHLO_8BITMIME))
		conn_printf(s->conn, " BODY=8BITMIME");
	if ((offers & EHLO_SMTPUTF8) && needs_utf8(m))
		conn_printf(s->conn, " SMTPUTF8");
	if ((offers & EHLO_DSN) && m->msg.ret != 0)
		conn_printf(s->conn, " RET=%s", m->msg.ret == RET_FULL ?
		    "FULL" : "HDRS");
	if ((offers & EHLO_DSN) && is_param(m->msg.envid))
		conn_printf(s->conn, " ENVID=%s", m->msg.envid);
	conn_printf(s->conn, "\r\n");
}

static void
write_notify(struct session *s, unsigned int notify)
{
	static const struct {
		unsigned int	 bit;
		const char	*word;
	} words[] = {
		{ NOTIFY_NEVER, "NEVER" },
		{ NOTIFY_SUCCESS, "SUCCESS" },
		{ NOTIFY_FAILURE, "FAILURE" },
		{ NOTIFY_DELAY, "DELAY" },
	};
	const char	*before = " NOTIFY=";
	size_t		 i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (notify & words[i].bit) {
			conn_printf(s->conn, "%s%s", before, words[i].word);
			before = ",";
		}
}

static void
write_rcpt(struct session *s, const struct relay_rcpt *r)
{
	conn_printf(s->conn, "RCPT TO:<%s>", r->addr);
	if (s->ehlo.offers & EHLO_DSN) {
		write_notify(s, r->notify);
		if (is_param(r->orcpt))
			conn_printf(s->conn, " ORCPT=%s", r->orcpt);
	}
	conn_printf(s->conn, "\r\n");
}

void
command_write(struct session *s, unsigned int n)
{
	const struct relay_mail	*m = s->mail;

	if (n == 0)
		write_mail(s);
	else if (n <= m->nrcpts)
		write_rcpt(s, &m->rcpts[n - 1]);
	else if (m->content.raw)
		conn_printf(s->conn, "BDAT %llu LAST\r\n",
		    (unsigned long long)content_size(&m->content));
	else
		conn_printf(s->conn, "DATA\r\n");
}
