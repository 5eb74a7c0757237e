/*
 * submit_notice: see submit_notice.h.  The failed message's header is quoted,
 * as text and up to a size; replies are smtpd's own.
 */
#include <string.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/submit_notice.h"
#include "os/compat.h"

#define QUOTE_MAX	16384
#define TEXT_MAX	(1024 * 1024)

static int
add_reasons(struct buf *b, const struct submit_mail *m, const char *reply)
{
	size_t	i;
	int	any = 0;

	for (i = 0; i < m->nrcpts; i++) {
		if (m->rcpts[i].reply[0] == '\0')
			continue;
		any = 1;
		if (buf_printf(b, "\t%s\r\n\t\t%s\r\n", m->rcpts[i].address,
		    m->rcpts[i].reply) == -1)
			return (-1);
	}
	if (any)
		return (0);
	for (i = 0; i < m->nrcpts; i++)
		if (buf_printf(b, "\t%s\r\n", m->rcpts[i].address) == -1)
			return (-1);
	return (buf_printf(b, "\t\t%s\r\n", reply));
}

/* Whole lines of the header, each as text. */
static int
quote(struct buf *b, const struct submit_mail *m)
{
	const char	*p = m->header, *end, *nl;
	size_t		 len = m->headerlen < QUOTE_MAX ? m->headerlen :
			    QUOTE_MAX;

	for (end = p + len; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		if (buf_puts(b, "\t") == -1 ||
		    buf_add(b, p, (size_t)(nl + 1 - p)) == -1)
			return (-1);
	}
	return (0);
}

static int
write_text(struct buf *b, const struct submit_mail *failed,
    const char *origin, const char *to, const char *reply)
{
	char		date[64];
	struct tm	tm;
	time_t		now = time(NULL);

	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S %z", &tm);
	if (buf_printf(b, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <%s>\r\nSubject: Your message could not be sent\r\n"
	    "Date: %s\r\nMessage-ID: <%llx.%08x%08x@%s>\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n", origin, to,
	    date, (unsigned long long)now, arc4random(), arc4random(),
	    origin) == -1 ||
	    buf_puts(b, "A message that you handed over on this machine was "
	    "not sent to\r\n\r\n") == -1 ||
	    add_reasons(b, failed, reply) == -1 ||
	    buf_puts(b, "\r\nIts header was\r\n\r\n") == -1)
		return (-1);
	return (quote(b, failed));
}

int
submit_notice(struct submit_mail *notice, struct buf *text,
    const struct submit_mail *failed, const char *origin, const char *to,
    const char *reply)
{
	memset(notice, 0, sizeof(*notice));
	buf_init(text, TEXT_MAX + SUBMIT_RCPTS_MAX * (size_t)SUBMIT_REPLY * 2);
	if ((notice->sender = strdup("")) == NULL ||
	    submit_add_rcpt(notice, to) == -1 ||
	    write_text(text, failed, origin, to, reply) == -1) {
		submit_mail_free(notice);
		buf_free(text);
		return (-1);
	}
	notice->header = "";
	notice->text = buf_data(text);
	notice->len = buf_len(text);
	return (0);
}
