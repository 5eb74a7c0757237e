/*
 * dsn: writes delivery status notifications.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "buf/buf.h"
#include "os/compat.h"
#include "smtp/dsn.h"
#include "smtp/dsn_field.h"

#define READ_MAX	200		/* recipients that people read of */

static const char *const names[DSN_ACTIONS] = {
	"failed", "delayed", "delivered", "relayed", "expanded"
};
/* What people read above the recipients of an action. */
static const char *const words[DSN_ACTIONS] = {
	"Your message could not be delivered to these recipients:",
	"Your message could not be delivered to these recipients yet. It "
	    "will be\r\ntried further; you need not send it again.",
	"Your message was delivered to these recipients:",
	"Your message was handed on to servers that will not report what "
	    "becomes\r\nof it, for these recipients:",
	"Your message was sent on to the members behind these addresses:",
};

const char *
dsn_action_name(enum dsn_action a)
{
	return (names[a]);
}

const char *
dsn_date(int64_t when, char *to, size_t size)
{
	struct tm	tm;
	time_t		t = (time_t)when;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(to, size, "%a, %d %b %Y %H:%M:%S %z", &tm) == 0)
		strlcpy(to, "Thu, 01 Jan 1970 00:00:00 +0000", size);
	return (to);
}

/* "550 5.1.1 text" to "5.1.1"; the class is the action's. */
static void
status(const struct dsn_rcpt *r, char *to, size_t size)
{
	unsigned int	a, b, c, class;

	class = r->action == DSN_FAILED ? 5 : r->action == DSN_DELAYED ? 4 : 2;
	if (strlen(r->reply) < 5 || sscanf(r->reply + 4, "%1u.%3u.%3u", &a, &b,
	    &c) != 3 || (a != class && !(class == 5 && a == 4)))
		b = c = 0;
	else
		class = a;
	(void)snprintf(to, size, "%u.%u.%u", class, b, c);
}

static int
has(const struct dsn *d, enum dsn_action a)
{
	size_t	i;

	for (i = 0; i < d->nrcpts; i++)
		if (d->rcpts[i].action == a)
			return (1);
	return (0);
}

static const char *
subject(const struct dsn *d)
{
	if (d->doubled)
		return ("A report could not be delivered");
	if (has(d, DSN_FAILED))
		return ("Your message was not delivered");
	if (has(d, DSN_DELAYED))
		return ("Your message is delayed");
	return ("Your message was delivered");
}

/* Is it a Message-ID that can be repeated? */
static int
is_msgid(const char *s)
{
	size_t	n = strlen(s), i;

	for (i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return (0);
	return (n > 2 && n < 500 && s[0] == '<' && s[n - 1] == '>');
}

static int
header(const struct dsn *d, struct buf *b)
{
	char	when[64];

	dsn_date(d->now, when, sizeof(when));
	if (buf_printf(b, "Received: by %s (Postern) id %s; %s\r\n"
	    "Date: %s\r\nFrom: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <", d->hostname, d->id, when, when, d->hostname) == -1 ||
	    dsn_text(b, d->to, 1) == -1 ||
	    buf_printf(b, ">\r\nMessage-ID: <%s@%s>\r\n", d->id,
	    d->hostname) == -1)
		return (-1);
	if (is_msgid(d->about) && buf_printf(b, "In-Reply-To: %s\r\n"
	    "References: %s\r\n", d->about, d->about) == -1)
		return (-1);
	return (buf_printf(b, "Subject: %s\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=%sdelivery-status;"
	    "\r\n\tboundary=\"%s\"\r\n\r\n", subject(d), d->utf8 ?
	    "global-" : "", d->boundary));
}

/* The recipients of one action, for people. */
static int
read_action(const struct dsn *d, enum dsn_action a, struct buf *b)
{
	size_t	i, n = 0;

	if (!has(d, a))
		return (0);
	if (buf_printf(b, "%s\r\n\r\n", words[a]) == -1)
		return (-1);
	for (i = 0; i < d->nrcpts; i++) {
		const struct dsn_rcpt *r = &d->rcpts[i];

		if (r->action != a)
			continue;
		if (n++ == READ_MAX) {
			if (buf_puts(b, "  ... and more\r\n") == -1)
				return (-1);
			break;
		}
		if (buf_puts(b, "  <") == -1 ||
		    dsn_text(b, r->orig, 1) == -1 ||
		    buf_puts(b, ">\r\n    ") == -1 ||
		    (*r->remote != '\0' && (dsn_text(b, r->remote, 1) == -1 ||
		    buf_puts(b, " said:\r\n    ") == -1)) ||
		    dsn_text(b, *r->reply != '\0' ? r->reply :
		    "no answer yet", 1) == -1 || buf_puts(b, "\r\n") == -1)
			return (-1);
	}
	return (buf_puts(b, "\r\n"));
}

static int
text_part(const struct dsn *d, struct buf *b)
{
	int	a;

	if (buf_printf(b, "--%s\r\nContent-Type: text/plain; charset=utf-8"
	    "\r\nContent-Transfer-Encoding: 8bit\r\n\r\nThis is the mail "
	    "system at %s.\r\n\r\n%s", d->boundary, d->hostname, d->doubled ?
	    "A report of ours could not be delivered to the sender of a "
	    "message, and\r\nis returned to you below.\r\n\r\n" : "") == -1)
		return (-1);
	for (a = 0; a < DSN_ACTIONS; a++)
		if (read_action(d, (enum dsn_action)a, b) == -1)
			return (-1);
	return (0);
}

/* RFC 3464 2.3; one recipient, or -1 as buf_add(). */
static int
status_rcpt(const struct dsn *d, const struct dsn_rcpt *r, struct buf *b)
{
	char	when[64], code[16];

	status(r, code, sizeof(code));
	if (dsn_field_orcpt(b, r->orcpt, d->utf8) == -1 ||
	    dsn_field_address(b, "Final-Recipient", r->final, d->utf8) == -1 ||
	    buf_printf(b, "Action: %s\r\nStatus: %s\r\n", names[r->action],
	    code) == -1)
		return (-1);
	if (*r->remote != '\0' &&
	    dsn_field(b, "Remote-MTA", "dns", r->remote, d->utf8) == -1)
		return (-1);
	if (*r->reply != '\0' && dsn_field(b, "Diagnostic-Code",
	    *r->remote != '\0' ? "smtp" : "x-postern", r->reply, d->utf8) ==
	    -1)
		return (-1);
	if (r->last != 0 && buf_printf(b, "Last-Attempt-Date: %s\r\n",
	    dsn_date(r->last, when, sizeof(when))) == -1)
		return (-1);
	if (r->action == DSN_DELAYED && d->until != 0 &&
	    buf_printf(b, "Will-Retry-Until: %s\r\n",
	    dsn_date(d->until, when, sizeof(when))) == -1)
		return (-1);
	return (buf_puts(b, "\r\n"));
}

static int
status_part(const struct dsn *d, struct buf *b, size_t reserve)
{
	char		when[64], envid[128];
	struct buf	one;
	size_t		i;
	int		ret = 0;

	if (buf_printf(b, "--%s\r\nContent-Type: message/%sdelivery-status"
	    "\r\n%s\r\n", d->boundary, d->utf8 ? "global-" : "",
	    d->utf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "") == -1 ||
	    buf_printf(b, "Reporting-MTA: dns; %s\r\n", d->hostname) == -1)
		return (-1);
	if (*d->envid != '\0' &&
	    dsn_xtext_decode(d->envid, envid, sizeof(envid)) == 0 &&
	    dsn_field(b, "Original-Envelope-Id", NULL, envid, 0) == -1)
		return (-1);
	if (buf_printf(b, "Arrival-Date: %s\r\n\r\n",
	    dsn_date(d->arrived, when, sizeof(when))) == -1)
		return (-1);
	buf_init(&one, 65536);
	for (i = 0; i < d->nrcpts && ret == 0; i++) {
		ret = status_rcpt(d, &d->rcpts[i], &one);
		if (ret == 0 && buf_len(&one) + reserve > b->max - buf_len(b))
			break;		/* no room for more of them */
		if (ret == 0)
			ret = buf_add(b, buf_data(&one), buf_len(&one));
		buf_drain(&one, buf_len(&one));
	}
	buf_free(&one);
	return (ret);
}

/* How much of the text goes back: up to the end of the header, of a line. */
static size_t
returned(const struct dsn *d)
{
	size_t	n = d->textlen, i;

	if (d->full)
		return (n);
	if (n > DSN_HEADER_MAX)
		n = DSN_HEADER_MAX;
	for (i = 0; i + 3 < n; i++)
		if (memcmp(d->text + i, "\r\n\r\n", 4) == 0)
			return (i + 2);
	while (n > 0 && d->text[n - 1] != '\n')
		n--;
	return (n);
}

static int
returned_part(const struct dsn *d, size_t len, struct buf *b)
{
	const char	*type;

	if (d->utf8)
		type = d->full ? "message/global" : "message/global-headers";
	else
		type = d->full ? "message/rfc822" : "text/rfc822-headers";
	if (buf_printf(b, "--%s\r\nContent-Type: %s\r\n%s\r\n", d->boundary,
	    type, dsn_is_eightbit(d->text, len) ?
	    "Content-Transfer-Encoding: 8bit\r\n" : "") == -1 ||
	    (len > 0 && buf_add(b, d->text, len) == -1))
		return (-1);
	return (buf_printf(b, "\r\n--%s--\r\n", d->boundary));
}

int
dsn_write(const struct dsn *d, struct buf *b)
{
	size_t	len = returned(d);

	if (header(d, b) == -1 || text_part(d, b) == -1 ||
	    status_part(d, b, len + 512) == -1)
		return (-1);
	return (returned_part(d, len, b));
}
