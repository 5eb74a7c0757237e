/*
 * envelope: what goes to the disk comes back, whatever bytes a client sent;
 * what is damaged is refused, at every byte.
 */
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "os/compat.h"
#include "smtpd/envelope.h"
#include "../test.h"

static const char	*const hostile[] = {
	"", "a@b", "\n", "\r\n.\r\n", "a\nsender: root", "=", "a=b;c",
	"\x01\x02\x7f\x80\xff", "%s%n%x", "$(id)", "`id`", "'\"\\",
	"\"a b\"@c", "../../etc/passwd", "\xc3\xa4@b",
};
#define HOSTILE	(sizeof(hostile) / sizeof(hostile[0]))

static char *
copy_of(const char *s)
{
	char	*p;

	if ((p = strdup(s)) == NULL)
		exit(2);
	return (p);
}

static void
fill(struct envelope *e, size_t nrcpts, size_t shift)
{
	struct erecipient	*r;
	size_t			 i;

#define H(n)	copy_of(hostile[(shift + i + (n)) % HOSTILE])
	memset(e, 0, sizeof(*e));
	i = 0;
	e->arrived = -1;
	e->size = UINT64_MAX - 5;
	e->body = 2;
	e->utf8 = 1;
	e->ret = 2;
	e->held = 1;
	e->kind = KIND_DOUBLE;
	e->sender = H(0);
	e->user = H(1);
	e->msgid = H(2);
	e->envid = H(10);
	e->addr = H(11);
	e->nrcpts = nrcpts;
	if ((e->rcpts = calloc(nrcpts, sizeof(*e->rcpts))) == NULL)
		exit(2);
	for (i = 0; i < nrcpts; i++) {
		r = &e->rcpts[i];
		r->status = (enum rcpt_status)(i % (RCPT_STATUS_MAX + 1));
		r->tries = (unsigned int)(0xffffffff - i);
		r->next = (int64_t)(1ull << 62) - (int64_t)i;
		r->last = (int64_t)(1ull << 61) + (int64_t)i;
		r->notify = i % 16;
		r->orcpt = H(12);
		r->remote = H(13);
		r->owner = H(14);
		r->rcpt = H(3);
		r->orig = H(4);
		r->reply = H(5);
		r->place.local = i % 2 == 0;
		r->place.scheme = i % 5;
		r->place.port = 65535;
		r->place.nomx = 1;
		r->place.route = 0xfffffff0;
		r->place.user = H(6);
		r->place.host = H(7);
		r->place.label = H(8);
		r->place.source = H(9);
	}
#undef H
}

static int
same_rcpt(const struct erecipient *a, const struct erecipient *b)
{
	return (a->status == b->status && a->tries == b->tries &&
	    a->next == b->next && strcmp(a->rcpt, b->rcpt) == 0 &&
	    strcmp(a->orig, b->orig) == 0 && a->last == b->last &&
	    a->notify == b->notify && strcmp(a->orcpt, b->orcpt) == 0 &&
	    strcmp(a->remote, b->remote) == 0 &&
	    strcmp(a->owner, b->owner) == 0 &&
	    strcmp(a->reply, b->reply) == 0 &&
	    a->place.local == b->place.local &&
	    a->place.scheme == b->place.scheme &&
	    a->place.port == b->place.port &&
	    a->place.nomx == b->place.nomx &&
	    a->place.route == b->place.route &&
	    strcmp(a->place.user, b->place.user) == 0 &&
	    strcmp(a->place.host, b->place.host) == 0 &&
	    strcmp(a->place.label, b->place.label) == 0 &&
	    strcmp(a->place.source, b->place.source) == 0);
}

static int
same(const struct envelope *a, const struct envelope *b)
{
	size_t	i;

	if (a->arrived != b->arrived || a->size != b->size ||
	    a->body != b->body || a->spooled != b->spooled ||
	    a->utf8 != b->utf8 || a->ret != b->ret || a->held != b->held ||
	    a->kind != b->kind || strcmp(a->envid, b->envid) != 0 ||
	    strcmp(a->addr, b->addr) != 0 ||
	    a->warned != b->warned || strcmp(a->sender, b->sender) != 0 ||
	    strcmp(a->user, b->user) != 0 ||
	    strcmp(a->msgid, b->msgid) != 0 || a->nrcpts != b->nrcpts)
		return (0);
	for (i = 0; i < a->nrcpts; i++)
		if (!same_rcpt(&a->rcpts[i], &b->rcpts[i]))
			return (0);
	return (1);
}

/* From memory of the exact size. */
static int
decode(struct envelope *e, const void *p, size_t n)
{
	void	*copy;
	int	 r;

	if ((copy = malloc(n > 0 ? n : 1)) == NULL)
		exit(2);
	memcpy(copy, p, n);
	r = envelope_decode(e, copy, n);
	free(copy);
	return (r);
}

static void
test_round(void)
{
	struct envelope	e, back;
	struct buf	b;
	size_t		shift, n;
	int		good = 1;

	for (shift = 0; shift < HOSTILE; shift++)
		for (n = 1; n <= 40; n += 13) {
			fill(&e, n, shift);
			buf_init(&b, ENVELOPE_MAX);
			good &= envelope_encode(&e, &b) == 0 &&
			    decode(&back, buf_data(&b), buf_len(&b)) == 0;
			if (!good)
				break;
			good &= same(&e, &back);
			envelope_free(&back);
			envelope_free(&e);
			buf_free(&b);
		}
	TEST("round trip", good);
	fill(&e, ENVELOPE_RCPTS, 3);
	buf_init(&b, ENVELOPE_MAX);
	TEST("as many as there may be", envelope_encode(&e, &b) == 0 &&
	    decode(&back, buf_data(&b), buf_len(&b)) == 0 && same(&e, &back));
	envelope_free(&back);
	buf_free(&b);
	buf_init(&b, 1000);
	TEST("no room", envelope_encode(&e, &b) == -1);
	buf_free(&b);
	envelope_free(&e);
}

static void
test_damage(void)
{
	struct envelope	 e, back;
	struct buf	 b;
	unsigned char	*p;
	size_t		 i, n;
	int		 bit, cut = 0, crazy = 0;

	fill(&e, 3, 0);
	buf_init(&b, ENVELOPE_MAX);
	if (envelope_encode(&e, &b) == -1)
		exit(2);
	p = buf_data(&b);
	n = buf_len(&b);
	for (i = 0; i < n; i++)
		if (decode(&back, p, i) != -1 || back.rcpts != NULL ||
		    back.sender != NULL)
			cut++;
	TEST("cut at every byte", cut == 0);
	for (i = 0; i < n; i++)
		for (bit = 1; bit < 256; bit <<= 1) {
			p[i] ^= (unsigned char)bit;
			if (decode(&back, p, n) == 0) {
				crazy += back.nrcpts != 3;
				envelope_free(&back);
			}
			p[i] ^= (unsigned char)bit;
		}
	TEST("every bit", crazy == 0);
	TEST("with more behind", buf_add(&b, "x", 1) == 0 &&
	    decode(&back, buf_data(&b), n + 1) == -1);
	memset(p, 0xff, n);
	TEST("all ones", decode(&back, p, n) == -1);
	memset(p, 0, n);
	TEST("zeroes", decode(&back, p, n) == -1);
	buf_free(&b);
	envelope_free(&e);
}

static void
test_limits(void)
{
	static char	long_text[5001];
	struct envelope	e, back;
	struct buf	b;
	unsigned char	*p;
	size_t		i;

	memset(long_text, 'x', sizeof(long_text) - 1);
	fill(&e, 1, 0);
	free(e.rcpts[0].reply);
	e.rcpts[0].reply = copy_of(long_text);
	free(e.rcpts[0].place.label);
	e.rcpts[0].place.label = NULL;
	buf_init(&b, ENVELOPE_MAX);
	TEST("a long reply is cut", envelope_encode(&e, &b) == 0 &&
	    decode(&back, buf_data(&b), buf_len(&b)) == 0 &&
	    strlen(back.rcpts[0].reply) == 4096);
	TEST_STR("NULL is empty", back.rcpts[0].place.label, "");
	envelope_free(&back);
	/* The count of recipients is in front of the first one's status. */
	p = buf_data(&b);
	i = 1 + 8 + 8 + 3 + 4 + 2 + strlen(e.envid) + 2 + strlen(e.addr) +
	    2 + strlen(e.sender) + 2 + strlen(e.user) + 2 +
	    strlen(e.msgid);
	TEST("the count", p[i] == 1 && p[i + 1] == 0);
	p[i] = 0;
	TEST("no recipients", decode(&back, p, buf_len(&b)) == -1);
	memset(p + i, 0xff, 4);
	TEST("very many recipients", decode(&back, p, buf_len(&b)) == -1);
	buf_free(&b);
	envelope_free(&e);
}

/* What the first version wrote is still read. */
static void
test_version_1(void)
{
	static const unsigned char	old[] =
	    "\x01" "\x10\0\0\0\0\0\0\0" "\x20\0\0\0\0\0\0\0"
	    "\x01" "\0" "\x01" "\3\0" "a@b" "\0\0" "\3\0" "<x>"
	    "\1\0\0\0"
	    "\1" "\2\0\0\0" "\7\0\0\0\0\0\0\0" "\0" "\1" "\x19\0"
	    "\1" "\5\0\0\0" "\3\0" "c@d" "\3\0" "e@f" "\0\0" "\0\0"
	    "\1\0" "d" "\0\0" "\0\0";
	const size_t			len = sizeof(old) - 1;
	struct envelope			e;
	size_t				i;
	int				bad = 0;

	TEST("version 1", decode(&e, old, len) == 0 && e.arrived == 16 &&
	    e.size == 32 && e.body == 1 && e.warned == 1 && e.utf8 == 0 &&
	    e.ret == 0 && e.held == 0 && e.nrcpts == 1 &&
	    strcmp(e.sender, "a@b") == 0 && strcmp(e.msgid, "<x>") == 0 &&
	    *e.envid == '\0' && *e.addr == '\0' &&
	    e.rcpts[0].status == RCPT_FAILED && e.rcpts[0].tries == 2 &&
	    e.rcpts[0].next == 7 && e.rcpts[0].last == 0 &&
	    e.rcpts[0].notify == 0 && *e.rcpts[0].orcpt == '\0' &&
	    *e.rcpts[0].owner == '\0' &&
	    strcmp(e.rcpts[0].rcpt, "c@d") == 0 &&
	    e.rcpts[0].place.port == 25 && e.rcpts[0].place.route == 5 &&
	    strcmp(e.rcpts[0].place.host, "d") == 0);
	envelope_free(&e);
	for (i = 0; i < len; i++)
		bad += decode(&e, old, i) != -1;
	TEST("version 1 cut at every byte", bad == 0);
}

/* The second had no owners of lists. */
static void
test_version_2(void)
{
	static const unsigned char	old[] =
	    "\x02" "\x10\0\0\0\0\0\0\0" "\x20\0\0\0\0\0\0\0"
	    "\x01" "\0" "\x01" "\1" "\2" "\0" "\0" "\1\0" "i" "\0\0"
	    "\3\0" "a@b" "\0\0" "\3\0" "<x>" "\1\0\0\0"
	    "\1" "\2\0\0\0" "\7\0\0\0\0\0\0\0" "\x8\0\0\0\0\0\0\0"
	    "\2" "\0" "\1" "\x19\0" "\1" "\5\0\0\0" "\3\0" "c@d"
	    "\3\0" "e@f" "\0\0" "\0\0" "\1\0" "d" "\0\0" "\0\0"
	    "\1\0" "o" "\1\0" "r";
	const size_t			len = sizeof(old) - 1;
	struct envelope			e;
	size_t				i;
	int				bad = 0;

	TEST("version 2", decode(&e, old, len) == 0 && e.utf8 == 1 &&
	    e.ret == 2 && strcmp(e.envid, "i") == 0 && e.nrcpts == 1 &&
	    e.rcpts[0].last == 8 && e.rcpts[0].notify == 2 &&
	    strcmp(e.rcpts[0].orcpt, "o") == 0 &&
	    strcmp(e.rcpts[0].remote, "r") == 0 &&
	    *e.rcpts[0].owner == '\0' &&
	    envelope_sender(&e, &e.rcpts[0]) == e.sender);
	envelope_free(&e);
	for (i = 0; i < len; i++)
		bad += decode(&e, old, i) != -1;
	TEST("version 2 cut at every byte", bad == 0);
}

static void
test_change(void)
{
	struct rcpt_change	 ch = { .index = 7, .status = RCPT_FAILED,
				    .tries = 3, .next = -5, .last = 9,
				    .reply = "550 5.1.1 \x01\xff=\n",
				    .remote = "mx.test" }, back;
	struct buf		 b;
	unsigned char		*p;
	size_t			 n, old;
	int			 bad = 0;

	buf_init(&b, 10000);
	TEST("change", rcpt_change_encode(&ch, &b) == 0 &&
	    rcpt_change_decode(&back, buf_data(&b), buf_len(&b)) == 0 &&
	    back.index == 7 && back.status == RCPT_FAILED &&
	    back.tries == 3 && back.next == -5 &&
	    back.replylen == strlen(ch.reply) &&
	    memcmp(back.reply, ch.reply, back.replylen) == 0 &&
	    back.last == 9 && back.remotelen == strlen(ch.remote) &&
	    memcmp(back.remote, ch.remote, back.remotelen) == 0);
	old = 4 + 1 + 4 + 8 + 2 + strlen(ch.reply);
	for (n = 0; n < buf_len(&b); n++)
		bad += n != old &&
		    rcpt_change_decode(&back, buf_data(&b), n) != -1;
	TEST("change cut at every byte", bad == 0);
	TEST("change of version 1", rcpt_change_decode(&back, buf_data(&b),
	    old) == 0 && back.index == 7 && back.last == 0 &&
	    back.remotelen == 0 && back.replylen == strlen(ch.reply));
	p = buf_data(&b);
	p[4] = RCPT_STATUS_MAX + 1;
	TEST("unknown status", rcpt_change_decode(&back, p, buf_len(&b)) ==
	    -1);
	p[4] = RCPT_DONE;
	TEST("more behind", buf_add(&b, "", 1) == 0 &&
	    rcpt_change_decode(&back, buf_data(&b), buf_len(&b)) == -1);
	buf_free(&b);
}

int
main(void)
{
	test_round();
	test_damage();
	test_limits();
	test_version_1();
	test_version_2();
	test_change();
	TEST_DONE();
}
