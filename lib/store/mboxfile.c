/*
 * mboxfile: the text of an mbox file.  No descriptor; memory to memory, in
 * one pass.
 *
 * A message begins with a line "From sender date" after an empty line.  Lines
 * of its text that begin like that are quoted with '>' when we write them, and
 * are left so when we read.  Flags and UIDs are header fields, as UW-IMAP
 * began and mutt and Dovecot go on:
 *
 *	X-IMAPbase: 1190129035 0000000235	UIDVALIDITY and last UID; first
 *						message only
 *	X-UID: 0000000235
 *	Status: RO				read, old
 *	X-Status: AFTD				answered flagged draft deleted
 *	X-Keywords: Work			of exported messages
 *
 * They are padded so that a changed flag changes no other byte's place.
 * Senders could write such fields too: they are taken out of new messages.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "buf/buf.h"
#include "os/compat.h"
#include "store/crlf.h"
#include "store/mboxfile.h"

#define UID_SANE	0xf0000000U	/* a larger last UID is a lie */
#define FROM_MAX	512		/* bytes of a From_ line that count */

static const char *const internal_fields[] = {
	"Status", "X-Status", "X-UID", "X-IMAPbase", "X-IMAP", "X-Keywords",
	"Content-Length", "X-Delivery-Id"
};

static int from_line(const char *, const char *, time_t *);
static int parse_one(struct mbox_text *, size_t, size_t, size_t);
static void parse_field(struct mbox_text *, struct mbox_message *,
    const char *, size_t);
static int field_internal(const char *, size_t);
static size_t field_end(const char *, size_t, size_t);
static size_t export(const struct mbox_text *, const struct mbox_message *,
    char *);
static int rewrite_one(const struct mbox_text *, const struct mbox_message *,
    int, struct buf *);
static int new_numbers(struct buf *, const struct mbox_new *);
static void new_sender(const char *, size_t, char *, size_t);
static int new_lines(struct buf *, const char *, size_t);

void
mboxtext_free(struct mbox_text *t)
{
	free(t->data);
	free(t->list);
	memset(t, 0, sizeof(*t));
}

int
mboxtext_parse(struct mbox_text *t)
{
	const char *end = t->data + t->len, *p = t->data, *next, *q;
	time_t when;

	t->n = 0;
	t->uidvalidity = t->uidnext = 0;
	if (t->len == 0)
		return (0);
	if (t->len < 5 || strncmp(p, "From ", 5) != 0) {
		errno = EBADMSG;
		return (-1);
	}
	for (; p < end; p = next) {
		/* The next line like it that follows an empty one. */
		for (q = p; (q = memmem(q, (size_t)(end - q), "\nFrom ", 6)) !=
		    NULL; q++)
			if ((q[-1] == '\n' || q[-1] == '\r') &&
			    from_line(q + 1, end, &when))
				break;
		next = q == NULL ? end : q + 1;
		if (t->n >= MBOX_MESSAGES) {
			errno = EFBIG;
			return (-1);
		}
		if (parse_one(t, (size_t)(p - t->data),
		    (size_t)(next - t->data), t->n) == -1)
			return (-1);
	}
	return (0);
}

/* Does a From_ line with a date stand here? */
static int
from_line(const char *p, const char *end, time_t *when)
{
	char line[FROM_MAX];
	struct tm tm;
	const char *nl;
	char *s;
	size_t len;

	nl = memchr(p, '\n', (size_t)(end - p));
	len = (size_t)((nl == NULL ? end : nl) - p);
	if (len < 5 || len >= sizeof(line) || memcmp(p, "From ", 5) != 0)
		return (0);
	memcpy(line, p, len);
	line[len] = '\0';
	for (s = line + 4; (s = strchr(s, ' ')) != NULL; s++) {
		if (!isupper((unsigned char)s[1]))
			continue;
		memset(&tm, 0, sizeof(tm));
		if (strptime(s + 1, "%a %b %d %H:%M:%S %Y", &tm) == NULL)
			continue;
		tm.tm_isdst = -1;
		*when = mktime(&tm);
		return (1);
	}
	return (0);
}

static int
parse_one(struct mbox_text *t, size_t start, size_t end, size_t i)
{
	struct mbox_message *m;
	const char *nl;
	size_t cap, p, next;

	if (i == t->cap) {
		cap = t->cap == 0 ? 64 : t->cap * 2;
		if ((m = reallocarray(t->list, cap, sizeof(*m))) == NULL)
			return (-1);
		t->list = m;
		t->cap = cap;
	}
	m = &t->list[t->n++];
	memset(m, 0, sizeof(*m));
	m->start = start;
	(void)from_line(t->data + start, t->data + end, &m->internal);
	nl = memchr(t->data + start, '\n', end - start);
	m->head = nl == NULL ? end : (size_t)(nl + 1 - t->data);
	/* The empty line before the next From_ line is not the message's. */
	m->stop = end;
	if (end < t->len && m->stop > m->head)
		m->stop--;
	if (end < t->len && m->stop > m->head && t->data[m->stop] == '\n' &&
	    t->data[m->stop - 1] == '\r')
		m->stop--;
	if (end == t->len && m->stop - m->head >= 2 &&
	    memcmp(t->data + m->stop - 2, "\n\n", 2) == 0)
		m->stop--;
	for (p = m->head; p < m->stop; p = next) {
		if (t->data[p] == '\n' || t->data[p] == '\r')
			break;
		next = field_end(t->data, p, m->stop);
		parse_field(t, m, t->data + p, next - p);
	}
	m->body = p;
	m->size = export(t, m, NULL);
	return (0);
}

/* The end of a field with its continuation lines. */
static size_t
field_end(const char *data, size_t p, size_t end)
{
	const char *nl;

	do {
		nl = memchr(data + p, '\n', end - p);
		p = nl == NULL ? end : (size_t)(nl + 1 - data);
	} while (p < end && (data[p] == ' ' || data[p] == '\t'));
	return (p);
}

static int
field_internal(const char *line, size_t len)
{
	size_t i, n;

	for (i = 0; i < sizeof(internal_fields) / sizeof(internal_fields[0]);
	    i++) {
		n = strlen(internal_fields[i]);
		if (len > n && line[n] == ':' &&
		    strncasecmp(line, internal_fields[i], n) == 0)
			return (1);
	}
	return (0);
}

static void
parse_field(struct mbox_text *t, struct mbox_message *m, const char *line,
    size_t len)
{
	char value[128];
	const char *colon;
	unsigned long a, b;
	size_t n;

	if (!field_internal(line, len) ||
	    (colon = memchr(line, ':', len)) == NULL)
		return;
	n = len - (size_t)(colon + 1 - line);
	if (n >= sizeof(value))
		n = sizeof(value) - 1;
	memcpy(value, colon + 1, n);
	value[n] = '\0';
	if (strncasecmp(line, "Status:", 7) == 0) {
		if (strchr(value, 'R') != NULL)
			m->flags |= MSG_SEEN;
		m->old = strchr(value, 'O') != NULL;
	} else if (strncasecmp(line, "X-Status:", 9) == 0) {
		m->flags |= strchr(value, 'A') ? MSG_ANSWERED : 0;
		m->flags |= strchr(value, 'F') ? MSG_FLAGGED : 0;
		m->flags |= strchr(value, 'T') ? MSG_DRAFT : 0;
		m->flags |= strchr(value, 'D') ? MSG_DELETED : 0;
	} else if (strncasecmp(line, "X-UID:", 6) == 0) {
		a = strtoul(value, NULL, 10);
		m->uid = a < UID_SANE ? (uint32_t)a : 0;
	} else if (strncasecmp(line, "X-IMAP", 6) == 0 && t->n == 1 &&
	    sscanf(value, "%10lu %10lu", &a, &b) == 2 && a > 0 &&
	    a <= UINT32_MAX && b < UID_SANE) {
		t->uidvalidity = (uint32_t)a;
		t->uidnext = (uint32_t)b + 1;
		/* UW-IMAP's first message, which is none. */
		m->hidden = line[6] == ':';
	}
}

size_t
mboxtext_number(struct mbox_text *t, uint32_t now)
{
	uint32_t last = 0;
	size_t i, n = 0;

	if (t->uidvalidity == 0) {
		t->uidvalidity = now;
		t->uidnext = 1;
		for (i = 0; i < t->n; i++)
			t->list[i].uid = 0;
	}
	for (i = 0; i < t->n; i++) {
		if (t->list[i].hidden)
			continue;
		/* In order, and none that we have not given. */
		if (t->list[i].uid <= last || t->list[i].uid >= t->uidnext) {
			t->list[i].uid = t->uidnext++;
			n++;
		}
		last = t->list[i].uid;
	}
	return (n);
}

size_t
mboxtext_follow(struct mbox_text *t, const struct mbox_text *old)
{
	size_t i;

	if (t->n < old->n)
		return (0);
	for (i = 0; i < old->n; i++) {
		t->list[i].uid = old->list[i].uid;
		t->list[i].flags = old->list[i].flags;
		t->list[i].old = old->list[i].old;
	}
	t->uidvalidity = old->uidvalidity;
	t->uidnext = old->uidnext;
	(void)mboxtext_number(t, (uint32_t)time(NULL));
	return (t->n - old->n);
}

const char *
mboxtext_gap(const char *end, size_t len)
{
	if (len == 0 || (len > 1 && end[-1] == '\n' && end[-2] == '\n'))
		return ("");
	return (end[-1] == '\n' ? "\n" : "\n\n");
}

/* Header fields for clients, then the rest; out may be NULL. */
static size_t
export(const struct mbox_text *t, const struct mbox_message *m, char *out)
{
	size_t p, next, n, len = 0;

	for (p = m->head; p < m->stop; p = next) {
		next = p < m->body ? field_end(t->data, p, m->body) : m->stop;
		if (p < m->body && field_internal(t->data + p, next - p))
			continue;
		n = next - p + crlf_count(t->data + p, next - p);
		if (out != NULL) {
			memcpy(out + len + n - (next - p), t->data + p,
			    next - p);
			crlf_expand(out + len, n, next - p);
		}
		len += n;
	}
	return (len);
}

void
mboxtext_keywords(const struct mbox_text *t, const struct mbox_message *m,
    char *buf, size_t size)
{
	static const char name[] = "X-Keywords:";
	const char *s;
	size_t p, next, i, n = 0;

	buf[0] = '\0';
	for (p = m->head; p < m->body; p = next) {
		next = field_end(t->data, p, m->body);
		s = t->data + p;
		if (next - p < sizeof(name) || next - p >= size ||
		    strncasecmp(s, name, sizeof(name) - 1) != 0)
			continue;
		for (i = sizeof(name) - 1; i < next - p; i++) {
			unsigned char c = (unsigned char)s[i];

			/* Folded, or padded by others. */
			if (c > ' ' && c < 0x7f)
				buf[n++] = (char)c;
			else if (n > 0 && buf[n - 1] != ' ')
				buf[n++] = ' ';
		}
		buf[n] = '\0';
		return;
	}
}

void
mboxtext_export(const struct mbox_text *t, const struct mbox_message *m,
    char *out)
{
	(void)export(t, m, out);
}

char *
mboxtext_rewrite(const struct mbox_text *t, size_t *len)
{
	struct buf b;
	char *out;
	size_t i;
	int first = 1;

	/* What we add to each is less than this. */
	buf_init(&b, t->len + t->n * 256 + 1024);
	for (i = 0; i < t->n; i++) {
		if (t->list[i].uid == 0 && !t->list[i].hidden)
			continue;
		if (rewrite_one(t, &t->list[i], first, &b) == -1) {
			buf_free(&b);
			return (NULL);
		}
		first = 0;
	}
	*len = buf_len(&b);
	if ((out = malloc(*len + 1)) != NULL && *len > 0)
		memcpy(out, buf_data(&b), *len);
	buf_free(&b);
	return (out);
}

static int
rewrite_one(const struct mbox_text *t, const struct mbox_message *m,
    int first, struct buf *b)
{
	size_t p, next;
	int ret = 0;

	ret |= buf_add(b, t->data + m->start, m->head - m->start);
	if (first)
		ret |= buf_printf(b, "%s: %010u %010u\n", m->hidden ?
		    "X-IMAP" : "X-IMAPbase", t->uidvalidity, t->uidnext - 1);
	for (p = m->head; p < m->body; p = next) {
		next = field_end(t->data, p, m->body);
		if (!field_internal(t->data + p, next - p) ||
		    strncasecmp(t->data + p, "X-Delivery-Id:", 14) == 0)
			ret |= buf_add(b, t->data + p, next - p);
	}
	if (m->hidden)
		ret |= buf_puts(b, "Status: RO\n");
	else
		ret |= buf_printf(b, "X-UID: %010u\nStatus: %s\n"
		    "X-Status: %c%c%c%c\n", m->uid,
		    m->flags & MSG_SEEN ? m->old ? "RO" : "R " :
		    m->old ? "O " : "  ",
		    m->flags & MSG_ANSWERED ? 'A' : ' ',
		    m->flags & MSG_FLAGGED ? 'F' : ' ',
		    m->flags & MSG_DRAFT ? 'T' : ' ',
		    m->flags & MSG_DELETED ? 'D' : ' ');
	if (m->body < m->stop)
		ret |= buf_add(b, t->data + m->body, m->stop - m->body);
	else
		ret |= buf_puts(b, "\n");
	if (m->stop > 0 && t->data[m->stop - 1] != '\n')
		ret |= buf_puts(b, "\n");
	ret |= buf_puts(b, "\n");
	return (ret);
}

char *
mboxtext_new(const struct mbox_new *new, const char *text, size_t textlen,
    size_t *len)
{
	struct buf b;
	struct tm tm;
	char date[64] = "Thu Jan  1 00:00:00 1970", sender[256];
	char *out = NULL;
	int ret = 0;

	buf_init(&b, 2 * (textlen + 2048));
	new_sender(text, textlen, sender, sizeof(sender));
	if (localtime_r(&new->internal, &tm) != NULL)
		(void)strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y",
		    &tm);
	ret |= buf_printf(&b, "From %s %s\n", sender, date);
	if (new->id != NULL)
		ret |= buf_printf(&b, "X-Delivery-Id: %s\n", new->id);
	if (new->uid != 0)
		ret |= new_numbers(&b, new);
	else if (new->flags != 0)
		ret |= buf_printf(&b, "Status: %s\nX-Status: %s%s%s%s\n",
		    new->flags & MSG_SEEN ? "R" : "",
		    new->flags & MSG_ANSWERED ? "A" : "",
		    new->flags & MSG_FLAGGED ? "F" : "",
		    new->flags & MSG_DRAFT ? "T" : "",
		    new->flags & MSG_DELETED ? "D" : "");
	if (ret == 0 && new_lines(&b, text, textlen) == 0) {
		*len = buf_len(&b);
		if ((out = malloc(*len)) != NULL)
			memcpy(out, buf_data(&b), *len);
	}
	buf_free(&b);
	return (out);
}

/* All that another program needs to go on with it. */
static int
new_numbers(struct buf *b, const struct mbox_new *new)
{
	int ret = 0;

	if (new->uidvalidity != 0)
		ret |= buf_printf(b, "X-IMAPbase: %010u %010u\n",
		    new->uidvalidity, new->uidnext - 1);
	ret |= buf_printf(b, "X-UID: %010u\nStatus: %s\n"
	    "X-Status: %c%c%c%c\n", new->uid,
	    new->flags & MSG_SEEN ? "RO" : "O ",
	    new->flags & MSG_ANSWERED ? 'A' : ' ',
	    new->flags & MSG_FLAGGED ? 'F' : ' ',
	    new->flags & MSG_DRAFT ? 'T' : ' ',
	    new->flags & MSG_DELETED ? 'D' : ' ');
	if (new->keywords != NULL && *new->keywords != '\0')
		ret |= buf_printf(b, "X-Keywords: %s\n", new->keywords);
	return (ret);
}

/* From a Return-Path at the top, or the classic stand-in. */
static void
new_sender(const char *text, size_t len, char *sender, size_t size)
{
	const char *p = text, *end = text + len;
	size_t n = 0;

	if (len > 13 && strncasecmp(text, "Return-Path:", 12) == 0) {
		for (p += 12; p < end && (*p == ' ' || *p == '<'); p++)
			continue;
		while (p < end && n < size - 1 && *p > ' ' && *p != '>' &&
		    *p < 0x7f)
			sender[n++] = *p++;
	}
	sender[n] = '\0';
	if (n == 0)
		strlcpy(sender, "MAILER-DAEMON", size);
}

/* LF at the ends of lines, From quoted, our fields left out of the header. */
static int
new_lines(struct buf *b, const char *text, size_t len)
{
	const char *nl;
	size_t p, next, n;
	int header = 1, drop = 0, last = '\n';

	for (p = 0; p < len; p = next) {
		nl = memchr(text + p, '\n', len - p);
		next = nl == NULL ? len : (size_t)(nl + 1 - text);
		if (header && (text[p] == '\n' || text[p] == '\r'))
			header = 0;
		/* A continuation line goes as its field went. */
		if (header && text[p] != ' ' && text[p] != '\t')
			drop = field_internal(text + p, next - p);
		if (header && drop)
			continue;
		n = next - p - (nl != NULL);
		if (nl != NULL && n > 0 && text[p + n - 1] == '\r' &&
		    (n < 2 || text[p + n - 2] != '\r'))
			n--;
		if (n >= 5 && memcmp(text + p, "From ", 5) == 0 &&
		    buf_puts(b, ">") == -1)
			return (-1);
		if (buf_add(b, text + p, n) == -1)
			return (-1);
		last = text[next - 1];
		if (last == '\n' && buf_puts(b, "\n") == -1)
			return (-1);
	}
	if (header && buf_puts(b, "\n") == -1)
		return (-1);
	return (buf_puts(b, last == '\n' ? "\n" : "\n\n"));
}
