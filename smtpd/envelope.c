/*
 * envelope: encoding and decoding.  Pure; what it decodes came from a disk
 * that may be damaged.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "os/compat.h"
#include "smtpd/envelope.h"

/*
 * 1 had neither the parameters of DSN, SMTPUTF8 and BINARYMIME nor hold, 2 no
 * owners of lists; they are still read.  What is written is always the newest.
 */
#define ENVELOPE_VERSION	3
#define STRING_MAX		4096

const char *
envelope_sender(const struct envelope *e, const struct erecipient *r)
{
	return (r->owner != NULL && r->owner[0] != '\0' ? r->owner :
	    e->sender);
}

static int
put_num(struct buf *b, uint64_t v, size_t n)
{
	unsigned char	bytes[8];
	size_t		i;

	for (i = 0; i < n; i++, v >>= 8)
		bytes[i] = v & 0xff;
	return (buf_add(b, bytes, n));
}

static int
put_str(struct buf *b, const char *s)
{
	size_t	n = s == NULL ? 0 : strlen(s);

	if (n > STRING_MAX)
		n = STRING_MAX;
	return (put_num(b, n, 2) == -1 || buf_add(b, s, n) == -1 ? -1 : 0);
}

static int
put_rcpt(struct buf *b, const struct erecipient *r)
{
	const struct place	*p = &r->place;

	if (put_num(b, r->status, 1) == -1 || put_num(b, r->tries, 4) == -1 ||
	    put_num(b, (uint64_t)r->next, 8) == -1 ||
	    put_num(b, (uint64_t)r->last, 8) == -1 ||
	    put_num(b, r->notify, 1) == -1 ||
	    put_num(b, p->local, 1) == -1 || put_num(b, p->scheme, 1) == -1 ||
	    put_num(b, p->port, 2) == -1 || put_num(b, p->nomx, 1) == -1 ||
	    put_num(b, p->route, 4) == -1 || put_str(b, r->rcpt) == -1 ||
	    put_str(b, r->orig) == -1 || put_str(b, r->reply) == -1 ||
	    put_str(b, p->user) == -1 || put_str(b, p->host) == -1 ||
	    put_str(b, p->label) == -1 || put_str(b, p->source) == -1 ||
	    put_str(b, r->orcpt) == -1 || put_str(b, r->remote) == -1 ||
	    put_str(b, r->owner) == -1)
		return (-1);
	return (0);
}

int
envelope_encode(const struct envelope *e, struct buf *b)
{
	size_t	i;

	if (put_num(b, ENVELOPE_VERSION, 1) == -1 ||
	    put_num(b, (uint64_t)e->arrived, 8) == -1 ||
	    put_num(b, e->size, 8) == -1 || put_num(b, e->body, 1) == -1 ||
	    put_num(b, e->spooled, 1) == -1 || put_num(b, e->warned, 1) == -1 ||
	    put_num(b, e->utf8, 1) == -1 || put_num(b, e->ret, 1) == -1 ||
	    put_num(b, e->held, 1) == -1 || put_num(b, e->kind, 1) == -1 ||
	    put_str(b, e->envid) == -1 || put_str(b, e->addr) == -1 ||
	    put_str(b, e->sender) == -1 || put_str(b, e->user) == -1 ||
	    put_str(b, e->msgid) == -1 || put_num(b, e->nrcpts, 4) == -1)
		return (-1);
	for (i = 0; i < e->nrcpts; i++)
		if (put_rcpt(b, &e->rcpts[i]) == -1)
			return (-1);
	return (0);
}

static int
get_num(struct cursor *c, uint64_t *v, size_t n)
{
	unsigned char	bytes[8];
	size_t		i;

	if (cursor_get(c, bytes, n) == -1)
		return (-1);
	*v = 0;
	for (i = n; i > 0; i--)
		*v = *v << 8 | bytes[i - 1];
	return (0);
}

static int
get_uint(struct cursor *c, unsigned int *v, size_t n)
{
	uint64_t	w;

	if (get_num(c, &w, n) == -1)
		return (-1);
	*v = (unsigned int)w;
	return (0);
}

static int
get_str(struct cursor *c, char **s)
{
	const void	*start;
	uint64_t	 n;

	if (get_num(c, &n, 2) == -1 || n > STRING_MAX ||
	    cursor_skip(c, n, &start) == -1 ||
	    memchr(start, '\0', n) != NULL)
		return (-1);
	return ((*s = strndup(start, n)) == NULL ? -1 : 0);
}

/* One that is there since a version. */
static int
get_new_str(struct cursor *c, unsigned int version, unsigned int since,
    char **s)
{
	if (version >= since)
		return (get_str(c, s));
	return ((*s = strdup("")) == NULL ? -1 : 0);
}

static int
get_new_flags(struct cursor *c, unsigned int version, struct envelope *e)
{
	if (version > 1 && (get_uint(c, &e->utf8, 1) == -1 || e->utf8 > 1 ||
	    get_uint(c, &e->ret, 1) == -1 || e->ret > 2 ||
	    get_uint(c, &e->held, 1) == -1 || e->held > 1 ||
	    get_uint(c, &e->kind, 1) == -1 || e->kind > KIND_DOUBLE))
		return (-1);
	return (0);
}

static int
get_rcpt(struct cursor *c, unsigned int version, struct erecipient *r)
{
	struct place	*p = &r->place;
	unsigned int	 status, local;
	uint64_t	 next, last = 0;

	if (get_uint(c, &status, 1) == -1 || status > RCPT_STATUS_MAX ||
	    get_uint(c, &r->tries, 4) == -1 || get_num(c, &next, 8) == -1 ||
	    (version > 1 && (get_num(c, &last, 8) == -1 ||
	    get_uint(c, &r->notify, 1) == -1 || r->notify > 15)) ||
	    get_uint(c, &local, 1) == -1 || local > 1 ||
	    get_uint(c, &p->scheme, 1) == -1 || p->scheme > 4 ||
	    get_uint(c, &p->port, 2) == -1 ||
	    get_uint(c, &p->nomx, 1) == -1 || p->nomx > 1 ||
	    get_uint(c, &p->route, 4) == -1 || get_str(c, &r->rcpt) == -1 ||
	    get_str(c, &r->orig) == -1 || get_str(c, &r->reply) == -1 ||
	    get_str(c, &p->user) == -1 || get_str(c, &p->host) == -1 ||
	    get_str(c, &p->label) == -1 || get_str(c, &p->source) == -1 ||
	    get_new_str(c, version, 2, &r->orcpt) == -1 ||
	    get_new_str(c, version, 2, &r->remote) == -1 ||
	    get_new_str(c, version, 3, &r->owner) == -1)
		return (-1);
	r->status = status;
	r->next = (int64_t)next;
	r->last = (int64_t)last;
	p->local = local;
	return (0);
}

int
envelope_decode(struct envelope *e, const void *data, size_t len)
{
	struct cursor	c;
	unsigned int	version;
	uint64_t	arrived, n, i;

	memset(e, 0, sizeof(*e));
	cursor_init(&c, data, len);
	if (get_uint(&c, &version, 1) == -1 || version < 1 ||
	    version > ENVELOPE_VERSION ||
	    get_num(&c, &arrived, 8) == -1 || get_num(&c, &e->size, 8) == -1 ||
	    get_uint(&c, &e->body, 1) == -1 || e->body > 2 ||
	    get_uint(&c, &e->spooled, 1) == -1 || e->spooled > 1 ||
	    get_uint(&c, &e->warned, 1) == -1 || e->warned > 1 ||
	    get_new_flags(&c, version, e) == -1 ||
	    get_new_str(&c, version, 2, &e->envid) == -1 ||
	    get_new_str(&c, version, 2, &e->addr) == -1 ||
	    get_str(&c, &e->sender) == -1 || get_str(&c, &e->user) == -1 ||
	    get_str(&c, &e->msgid) == -1 || get_num(&c, &n, 4) == -1 ||
	    n == 0 || n > ENVELOPE_RCPTS ||
	    (e->rcpts = calloc(n, sizeof(*e->rcpts))) == NULL)
		goto bad;
	e->arrived = (int64_t)arrived;
	for (i = 0; i < n; i++) {
		e->nrcpts = i + 1;
		if (get_rcpt(&c, version, &e->rcpts[i]) == -1)
			goto bad;
	}
	if (c.left == 0)
		return (0);
bad:
	envelope_free(e);
	return (-1);
}

void
erecipient_free(struct erecipient *r)
{
	free(r->rcpt);
	free(r->orig);
	free(r->orcpt);
	free(r->owner);
	free(r->reply);
	free(r->remote);
	free(r->place.user);
	free(r->place.host);
	free(r->place.label);
	free(r->place.source);
	memset(r, 0, sizeof(*r));
}

void
envelope_free(struct envelope *e)
{
	size_t	i;

	for (i = 0; i < e->nrcpts; i++)
		erecipient_free(&e->rcpts[i]);
	free(e->rcpts);
	free(e->sender);
	free(e->user);
	free(e->addr);
	free(e->msgid);
	free(e->envid);
	memset(e, 0, sizeof(*e));
}

int
rcpt_change_encode(const struct rcpt_change *ch, struct buf *b)
{
	if (put_num(b, ch->index, 4) == -1 || put_num(b, ch->status, 1) == -1 ||
	    put_num(b, ch->tries, 4) == -1 ||
	    put_num(b, (uint64_t)ch->next, 8) == -1 ||
	    put_str(b, ch->reply) == -1 ||
	    put_num(b, (uint64_t)ch->last, 8) == -1)
		return (-1);
	return (put_str(b, ch->remote));
}

int
rcpt_change_decode(struct rcpt_change *ch, const void *data, size_t len)
{
	struct cursor	c;
	const void	*reply, *remote = "";
	uint64_t	n, next, last = 0, nremote = 0;

	cursor_init(&c, data, len);
	if (get_uint(&c, &ch->index, 4) == -1 ||
	    get_uint(&c, &ch->status, 1) == -1 ||
	    ch->status > RCPT_STATUS_MAX ||
	    get_uint(&c, &ch->tries, 4) == -1 || get_num(&c, &next, 8) == -1 ||
	    get_num(&c, &n, 2) == -1 || cursor_skip(&c, n, &reply) == -1)
		return (-1);
	/* What envelopes of version 1 had ended here. */
	if (c.left > 0 && (get_num(&c, &last, 8) == -1 ||
	    get_num(&c, &nremote, 2) == -1 ||
	    cursor_skip(&c, nremote, &remote) == -1 || c.left != 0))
		return (-1);
	ch->next = (int64_t)next;
	ch->last = (int64_t)last;
	ch->reply = reply;
	ch->replylen = n;
	ch->remote = remote;
	ch->remotelen = nremote;
	return (0);
}
