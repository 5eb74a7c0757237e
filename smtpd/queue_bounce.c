/*
 * queue_bounce: telling the sender what became of a message (RFC 3464, 6522,
 * 3834).
 *
 * A report is a message of its own with the null path as its sender; one that
 * fails is never reported again (RFC 5321 4.5.5).  Of the message only the
 * header is returned, quoted as data.  Replies of other servers were made
 * printable by relay before they came here.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf/buf.h"
#include "log/log.h"
#include "os/os.h"
#include "smtpd/queue.h"

#define HEADER_MAX	16384		/* of the original that goes back */
#define REPORT_MAX	(JOURNAL_INLINE - 1)
#define TEXT_MAX	(REPORT_MAX / 4)	/* of what people read */
#define STATUS_MAX	(REPORT_MAX / 4 * 3)	/* with what programs read */

struct bounce {
	uint64_t	 about;		/* id of the original */
	int		 delayed;
	struct message	*m;		/* the report */
	char		*text;
	size_t		 len;
	char		 boundary[40];
};

static void
bounce_free(struct bounce *b)
{
	if (b->m != NULL)
		message_forget(b->m);
	free(b->text);
	free(b);
}

static void
date(char *to, size_t size, time_t t)
{
	struct tm	tm;

	localtime_r(&t, &tm);
	strftime(to, size, "%a, %d %b %Y %H:%M:%S %z", &tm);
}

/* Recipients that the report is about. */
static int
concerns(const struct message *m, size_t i, int delayed)
{
	return (m->env.rcpts[i].status ==
	    (delayed ? RCPT_ACTIVE : RCPT_FAILED));
}

/* "550 5.1.1 text" to "5.1.1"; class.0.0 if the server gave none. */
static void
status_code(const char *reply, int delayed, char *to, size_t size)
{
	const char	*p = reply;
	unsigned int	 a, b, c;

	if (p != NULL && strlen(p) > 4 && sscanf(p + 4, "%1u.%3u.%3u", &a, &b,
	    &c) == 3 && a == (delayed ? 4 : a))
		snprintf(to, size, "%u.%u.%u", a, b, c);
	else
		snprintf(to, size, "%c.0.0", delayed ? '4' : '5');
}

static void
text_part(struct buf *o, const struct message *m, const struct bounce *b)
{
	int	delayed = b->delayed;
	size_t	i;

	(void)buf_printf(o, "--%s\r\nContent-Type: text/plain; "
	    "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
	    "This is the mail system at %s.\r\n\r\n%s"
	    "\r\n\r\n", b->boundary, queue_conf()->hostname, delayed ?
	    "Your message could not be delivered yet. It will be tried "
	    "further;\r\nyou need not send it again." :
	    "Your message could not be delivered to these recipients:");
	for (i = 0; i < m->env.nrcpts && buf_len(o) < TEXT_MAX; i++)
		if (concerns(m, i, delayed))
			(void)buf_printf(o, "  <%s>\r\n    %s\r\n",
			    m->env.rcpts[i].orig, m->env.rcpts[i].reply !=
			    NULL ? m->env.rcpts[i].reply : "no answer yet");
	if (i < m->env.nrcpts)
		(void)buf_puts(o, "  ... and more\r\n");
	(void)buf_puts(o, "\r\n");
}

static void
status_part(struct buf *o, const struct message *m, const struct bounce *b)
{
	char	when[64], code[32];
	int	delayed = b->delayed;
	size_t	i;

	date(when, sizeof(when), m->env.arrived);
	(void)buf_printf(o, "--%s\r\n"
	    "Content-Type: message/delivery-status\r\n\r\n"
	    "Reporting-MTA: dns; %s\r\nArrival-Date: %s\r\n\r\n",
	    b->boundary, queue_conf()->hostname, when);
	for (i = 0; i < m->env.nrcpts && buf_len(o) < STATUS_MAX; i++) {
		const struct erecipient *e = &m->env.rcpts[i];

		if (!concerns(m, i, delayed))
			continue;
		status_code(e->reply, delayed, code, sizeof(code));
		(void)buf_printf(o, "Original-Recipient: rfc822; %s\r\n"
		    "Final-Recipient: rfc822; %s\r\nAction: %s\r\n"
		    "Status: %s\r\n", e->orig, e->rcpt,
		    delayed ? "delayed" : "failed", code);
		if (!e->place.local)
			(void)buf_printf(o, "Remote-MTA: dns; %s\r\n",
			    e->place.host);
		if (e->reply != NULL)
			(void)buf_printf(o, "Diagnostic-Code: smtp; %s\r\n",
			    e->reply);
		(void)buf_puts(o, "\r\n");
	}
}

/* The header of the original, cut at a line end. */
static void
header_part(struct buf *o, struct message *m, const struct bounce *b)
{
	char	 head[HEADER_MAX + 1], *end;
	ssize_t	 n = 0;
	int	 fd;

	if ((fd = message_text_fd(m)) != -1) {
		n = pread(fd, head, HEADER_MAX, 0);
		close(fd);
	}
	if (n < 0)
		n = 0;
	head[n] = '\0';
	if ((end = strstr(head, "\r\n\r\n")) != NULL)
		end[2] = '\0';
	else if ((end = strrchr(head, '\n')) != NULL)
		end[1] = '\0';
	(void)buf_printf(o, "--%s\r\n"
	    "Content-Type: text/rfc822-headers\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n%s\r\n"
	    "--%s--\r\n", b->boundary, head, b->boundary);
}

static int
compose(struct bounce *b, struct message *m)
{
	struct buf	o;
	char		when[64], id[QUEUEID_SIZE];
	const char	*host = queue_conf()->hostname;

	queueid_text(b->m->id, id);
	date(when, sizeof(when), time(NULL));
	/* What it quotes cannot know it, and so not end a part. */
	snprintf(b->boundary, sizeof(b->boundary), "=_%08x%08x",
	    arc4random(), arc4random());
	buf_init(&o, REPORT_MAX);
	(void)buf_printf(&o, "Received: by %s (Postern) id %s; %s\r\n"
	    "Date: %s\r\nFrom: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <%s>\r\nMessage-ID: <%s@%s>\r\nSubject: %s\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"%s\"\r\n\r\n", host, id, when, when, host,
	    m->env.sender, id, host, b->delayed ?
	    "Your message is delayed" : "Your message was not delivered",
	    b->boundary);
	text_part(&o, m, b);
	status_part(&o, m, b);
	header_part(&o, m, b);
	b->len = buf_len(&o);
	if ((b->text = malloc(b->len + 1)) != NULL)
		memcpy(b->text, buf_data(&o), b->len);
	buf_free(&o);
	return (b->text == NULL ? -1 : 0);
}

static void
bounce_stored(void *arg, int error)
{
	struct bounce	*b = arg;
	struct message	*about = message_find(b->about), *m = b->m;
	char		 id[QUEUEID_SIZE];
	size_t		 i;

	if (error != 0) {
		log_warnx("report cannot be stored: %s", strerror(error));
		if (about != NULL && !b->delayed)
			about->bouncing = 0;	/* again with the sweep */
		bounce_free(b);
		return;
	}
	queueid_text(m->id, id);
	log_info("%s: accepted from=<> report=%s size=%llu nrcpt=%zu", id,
	    b->delayed ? "delayed" : "failed",
	    (unsigned long long)m->env.size, m->env.nrcpts);
	b->m = NULL;
	for (i = 0; i < m->env.nrcpts; i++)
		if (m->recips[i].state == RECIP_WAITING &&
		    dest_add(&m->recips[i]) == -1)
			wait_add(&m->recips[i], time(NULL) + 60);
	if (about != NULL && !b->delayed)
		message_told(about);
	bounce_free(b);
	dest_run();
}

static void
undeliverable(struct bounce *b, const char *reply)
{
	struct message	*about = message_find(b->about);
	char		 id[QUEUEID_SIZE];

	queueid_text(b->about, id);
	log_info("%s: no report: its sender cannot be reached: %s", id, reply);
	if (about != NULL && !b->delayed)
		message_told(about);
	bounce_free(b);
}

/* Not now: the next sweep begins anew. */
static void
later(struct bounce *b, const char *reply)
{
	struct message	*about = message_find(b->about);
	char		 id[QUEUEID_SIZE];

	queueid_text(b->about, id);
	log_info("%s: no report yet: %s", id, reply);
	if (about != NULL && !b->delayed)
		about->bouncing = 0;
	bounce_free(b);
}

/* lookup has told where the sender's mail goes. */
static void
bounce_resolved(void *arg, struct msg_TX_ADD *adds, size_t n,
    const char *reply)
{
	struct bounce		*b = arg;
	struct envelope		*env = &b->m->env;
	size_t			 i;

	if (n == 0 && reply[0] == '5') {
		undeliverable(b, reply);
		return;
	}
	if (n == 0 || (env->rcpts = calloc(n, sizeof(*env->rcpts))) == NULL) {
		later(b, n == 0 ? reply : "no memory");
		return;
	}
	for (i = 0; i < n; i++) {
		env->nrcpts++;
		if (place_from_add(&env->rcpts[i], &adds[i]) == -1) {
			later(b, "no memory");
			return;
		}
	}
	if (message_recipients(b->m) == -1 || message_store(b->m, b->text,
	    b->len, NULL, bounce_stored, b) == -1)
		later(b, "it cannot be stored");
}

static int
has_eightbit(const char *p, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if (p[i] & 0x80)
			return (1);
	return (0);
}

/* Those that fail from now on are the next report's. */
static void
mark_reported(struct message *m)
{
	size_t	i;

	for (i = 0; i < m->env.nrcpts; i++)
		m->recips[i].reported = concerns(m, i, 0);
}

static void
begin(struct message *m, int delayed)
{
	struct bounce	*b;
	struct envelope	*env;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return;
	b->about = m->id;
	b->delayed = delayed;
	if ((b->m = message_new(message_new_id())) == NULL) {
		free(b);
		return;
	}
	env = &b->m->env;
	env->arrived = time(NULL);
	if ((env->sender = strdup("")) == NULL ||
	    (env->user = strdup("")) == NULL ||
	    (env->msgid = strdup("")) == NULL || compose(b, m) == -1) {
		bounce_free(b);
		return;
	}
	env->size = b->len;
	env->body = has_eightbit(b->text, b->len) ? BODY_8BITMIME :
	    BODY_7BIT;
	if (!delayed)
		m->bouncing = 1;
	tx_resolve("", m->env.sender, 1, bounce_resolved, b);
}

void
bounce_send(struct message *m)
{
	char	id[QUEUEID_SIZE];

	mark_reported(m);
	if (m->env.sender[0] == '\0') {
		queueid_text(m->id, id);
		log_info("%s: a report failed itself and is dropped", id);
		message_told(m);
		return;
	}
	begin(m, 0);
}

void
bounce_delayed(struct message *m)
{
	if (m->env.sender[0] != '\0')
		begin(m, 1);
}
