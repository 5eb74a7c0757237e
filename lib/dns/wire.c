/*
 * wire: a DNS answer in wire format made into records.
 *
 * Trusts nothing.  A compression pointer must point before everything of the
 * name that was read so far, so that following them ends (RFC 1035 4.1.4 says
 * "a prior occurrence").  The cost of an answer is bounded by ANSWERS_MAX
 * names for each of CHAIN_MAX aliases.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dns/wire.h"

#define HEADER		12
#define ANSWERS_MAX	256	/* records looked at */
#define CHAIN_MAX	8	/* CNAMEs followed */
#define LABEL_MAX	63
#define POINTERS_MAX	128	/* of one name */
#define WIRE_NAME_MAX	255	/* RFC 1035 2.3.4, lengths included */
#define CLASS_IN	1

struct packet {
	const unsigned char	*p;
	size_t			 len;
	size_t			 answers;	/* where they begin */
	unsigned int		 count;
};

struct rr {
	char		owner[DNS_NAME];	/* "" if no host name */
	unsigned int	type;
	unsigned int	class;
	uint32_t	ttl;
	size_t		data;
	size_t		datalen;
};

static int	open_packet(struct packet *, const void *, size_t,
		    unsigned int *rcode, char *name);
static int	follow_alias(const struct packet *, char *name, uint32_t *ttl);
static int	collect(const struct packet *, const char *name,
		    unsigned int type, struct dns_answer *);
static int	next_rr(const struct packet *, size_t *, struct rr *);

int
dns_wire_parse(const void *data, size_t len, unsigned int type,
    struct dns_answer *a)
{
	struct packet	pkt;
	char		name[DNS_NAME];
	int		i, r;

	memset(a, 0, sizeof(*a));
	a->ttl = UINT32_MAX;
	if (open_packet(&pkt, data, len, &a->rcode, name) == -1)
		return (-1);
	for (i = 0; i < CHAIN_MAX; i++) {
		if (collect(&pkt, name, type, a) == -1)
			return (-1);
		if (a->found > 0)
			break;
		if ((r = follow_alias(&pkt, name, &a->ttl)) == -1)
			return (-1);
		if (r == 0)
			break;
	}
	if (i == CHAIN_MAX)
		return (-1);
	if (a->ttl == UINT32_MAX)
		a->ttl = 0;
	return (0);
}

static unsigned int
get16(const unsigned char *p)
{
	return ((unsigned int)p[0] << 8 | p[1]);
}

static uint32_t
get32(const unsigned char *p)
{
	return ((uint32_t)get16(p) << 16 | get16(p + 2));
}

/* The header and the one question, whose name is filled in. */
static int
open_packet(struct packet *pkt, const void *data, size_t len,
    unsigned int *rcode, char *name)
{
	const unsigned char	*p = data;
	size_t			 off = HEADER;

	if (len < HEADER || get16(p + 4) != 1)
		return (-1);
	*rcode = p[3] & 0x0f;
	pkt->p = p;
	pkt->len = len;
	pkt->count = get16(p + 6);
	if (dns_wire_name(p, len, &off, name) == -1 || len - off < 4)
		return (-1);
	pkt->answers = off + 4;
	if (pkt->count > ANSWERS_MAX)
		pkt->count = ANSWERS_MAX;
	return (0);
}

static int
next_rr(const struct packet *pkt, size_t *off, struct rr *rr)
{
	const unsigned char	*p;

	if (dns_wire_name(pkt->p, pkt->len, off, rr->owner) == -1 ||
	    pkt->len - *off < 10)
		return (-1);
	p = pkt->p + *off;
	rr->type = get16(p);
	rr->class = get16(p + 2);
	rr->ttl = get32(p + 4);
	rr->datalen = get16(p + 8);
	rr->data = *off + 10;
	if (pkt->len - rr->data < rr->datalen)
		return (-1);
	*off = rr->data + rr->datalen;
	return (0);
}

/* RFC 2181 section 8: a TTL with the highest bit set is none. */
static void
lower_ttl(uint32_t *ttl, uint32_t other)
{
	if (other > INT32_MAX)
		other = 0;
	if (other < *ttl)
		*ttl = other;
}

static int
is_ours(const struct rr *rr, const char *name, unsigned int type)
{
	return (rr->class == CLASS_IN && rr->type == type &&
	    name[0] != '\0' && strcasecmp(rr->owner, name) == 0);
}

/* 1 if name was an alias and is now what it stands for. */
static int
follow_alias(const struct packet *pkt, char *name, uint32_t *ttl)
{
	struct rr	rr;
	size_t		off = pkt->answers, at;
	unsigned int	i;

	for (i = 0; i < pkt->count; i++) {
		if (next_rr(pkt, &off, &rr) == -1)
			return (-1);
		if (!is_ours(&rr, name, DNS_WIRE_CNAME))
			continue;
		at = rr.data;
		if (dns_wire_name(pkt->p, off, &at, name) == -1 || at != off)
			return (-1);
		lower_ttl(ttl, rr.ttl);
		return (1);
	}
	return (0);
}

static int
address(const unsigned char *p, size_t len, unsigned int type, char *out)
{
	if (len != (type == DNS_WIRE_A ? 4 : 16))
		return (-1);
	if (inet_ntop(type == DNS_WIRE_A ? AF_INET : AF_INET6, p, out,
	    DNS_NAME) == NULL)
		return (-1);
	return (0);
}

/* 0 usable, 1 not, -1 malformed. */
static int
record(const struct packet *pkt, const struct rr *rr, struct dns_record *rec)
{
	size_t	at = rr->data, end = rr->data + rr->datalen;
	int	r;

	rec->pref = 0;
	if (rr->type == DNS_WIRE_A || rr->type == DNS_WIRE_AAAA)
		return (address(pkt->p + at, rr->datalen, rr->type,
		    rec->name));
	if (rr->type == DNS_WIRE_MX) {
		if (rr->datalen < 2)
			return (-1);
		rec->pref = get16(pkt->p + at);
		at += 2;
	}
	if ((r = dns_wire_name(pkt->p, end, &at, rec->name)) == -1 ||
	    at != end)
		return (-1);
	return (r);
}

static int
collect(const struct packet *pkt, const char *name, unsigned int type,
    struct dns_answer *a)
{
	struct rr	rr;
	size_t		off = pkt->answers;
	unsigned int	i;
	int		r;

	for (i = 0; i < pkt->count; i++) {
		if (next_rr(pkt, &off, &rr) == -1)
			return (-1);
		if (!is_ours(&rr, name, type))
			continue;
		a->found++;
		lower_ttl(&a->ttl, rr.ttl);
		if (a->n == DNS_RECORDS)
			continue;
		if ((r = record(pkt, &rr, &a->rec[a->n])) == -1)
			return (-1);
		if (r == 0)
			a->n++;
	}
	return (0);
}

static int
label_ok(const char *p, size_t len)
{
	size_t	i;

	if (len == 0 || len > LABEL_MAX || p[0] == '-' || p[len - 1] == '-')
		return (0);
	for (i = 0; i < len; i++)
		if (!(p[i] >= 'a' && p[i] <= 'z') &&
		    !(p[i] >= 'A' && p[i] <= 'Z') &&
		    !(p[i] >= '0' && p[i] <= '9') && p[i] != '-' &&
		    p[i] != '_')
			return (0);
	return (1);
}

/*
 * Labels are at most 63 bytes, the name at most 255, so the text fits into
 * DNS_NAME: a dot a label stands where its length was.
 */
int
dns_wire_name(const void *data, size_t len, size_t *offp, char out[DNS_NAME])
{
	const unsigned char	*p = data;
	size_t			 off = *offp, lowest = *offp, n = 0, total = 1;
	unsigned int		 c;
	int			 pointers = 0, ok = 1;

	for (;;) {
		if (off >= len)
			return (-1);
		c = p[off];
		if (c == 0)
			break;
		if ((c & 0xc0) == 0xc0) {
			if (len - off < 2)
				return (-1);
			if (pointers == 0)
				*offp = off + 2;
			off = get16(p + off) & 0x3fff;
			if (off >= lowest || ++pointers > POINTERS_MAX)
				return (-1);
			lowest = off;
			continue;
		}
		if ((c & 0xc0) != 0 || len - off - 1 < c ||
		    WIRE_NAME_MAX - total < c + 1)
			return (-1);
		total += c + 1;
		memcpy(out + n, p + off + 1, c);
		ok = ok && label_ok(out + n, c);
		n += c;
		out[n++] = '.';
		off += c + 1;
	}
	if (pointers == 0)
		*offp = off + 1;
	if (n == 0)
		out[n++] = '.';		/* the root, as of RFC 7505 */
	else
		n--;
	out[ok ? n : 0] = '\0';
	return (ok ? 0 : 1);
}

int
dns_name_ok(const char *name)
{
	size_t	n, len = strlen(name);

	if (len == 0 || len > WIRE_NAME_MAX - 2)
		return (0);
	for (;;) {
		n = strcspn(name, ".");
		if (!label_ok(name, n))
			return (0);
		name += n;
		if (*name == '\0')
			return (1);
		if (*++name == '\0')
			return (1);		/* one dot at the end */
	}
}

/* zone NULL: where the reverse names are */
static int
reverse(const char *addr, const char *zone, char *out, size_t size)
{
	static const char	hex[] = "0123456789abcdef";
	char			text[4 * 16 + 1], *p = text;
	unsigned char		b[16];
	size_t			i;
	int			n;

	if (inet_pton(AF_INET, addr, b) == 1) {
		n = snprintf(out, size, "%u.%u.%u.%u.%s", b[3], b[2], b[1],
		    b[0], zone != NULL ? zone : "in-addr.arpa");
		return (n < 0 || (size_t)n >= size ? -1 : 0);
	}
	if (inet_pton(AF_INET6, addr, b) != 1)
		return (-1);
	for (i = sizeof(b); i > 0; i--) {
		*p++ = hex[b[i - 1] & 0x0f];
		*p++ = '.';
		*p++ = hex[b[i - 1] >> 4];
		*p++ = '.';
	}
	*p = '\0';
	n = snprintf(out, size, "%s%s", text, zone != NULL ? zone :
	    "ip6.arpa");
	return (n < 0 || (size_t)n >= size ? -1 : 0);
}

int
dns_reverse_name(const char *addr, char *out, size_t size)
{
	return (reverse(addr, NULL, out, size));
}

int
dns_reverse_under(const char *addr, const char *zone, char *out, size_t size)
{
	return (reverse(addr, zone, out, size));
}
