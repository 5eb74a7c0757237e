/*
 * park_state: numbers and two strings, little endian, in a fixed order.
 */
#include "os/compat.h"
#include "buf/buf.h"
#include "park_state.h"

#define VERSION		2
#define FLAG_IDLING	0x01
#define FLAG_SELECTED	0x02
#define FLAG_READONLY	0x04
#define FLAGS		(FLAG_IDLING | FLAG_SELECTED | FLAG_READONLY)
#define SECONDS_MAX	86400

struct out {
	unsigned char	*p;
	size_t		 left;
	int		 bad;
};

static void	put(struct out *, uint64_t, unsigned int);
static void	put_id(struct out *, const unsigned char [16]);
static void	put_text(struct out *, const char *);
static int	get(struct cursor *, uint64_t *, unsigned int);
static int	get_u32(struct cursor *, uint32_t *);
static int	get_text(struct cursor *, char *, size_t);

size_t
park_state_write(const struct park_state *s, void *buf, size_t size)
{
	struct out o = { buf, size, 0 };

	put(&o, VERSION, 4);
	put(&o, (s->idling ? FLAG_IDLING : 0u) |
	    (s->selected ? FLAG_SELECTED : 0u) |
	    (s->readonly ? FLAG_READONLY : 0u), 4);
	put(&o, s->enabled, 4);
	put(&o, s->commands, 4);
	put(&o, s->left, 4);
	put_text(&o, s->tag);
	if (s->selected) {
		put(&o, s->keywords, 4);
		put(&o, s->frozen.uidvalidity, 4);
		put(&o, s->frozen.uidnext, 4);
		put(&o, s->frozen.count, 4);
		put_id(&o, s->frozen.index);
		put(&o, s->frozen.modseq, 8);
		put(&o, s->frozen.hash, 8);
		put_text(&o, s->name);
	}
	return (o.bad ? 0 : size - o.left);
}

int
park_state_read(struct park_state *s, const void *buf, size_t len)
{
	struct cursor c;
	uint32_t version, flags, enabled, commands, left;

	memset(s, 0, sizeof(*s));
	cursor_init(&c, buf, len);
	if (get_u32(&c, &version) == -1 || version != VERSION ||
	    get_u32(&c, &flags) == -1 || (flags & ~(uint32_t)FLAGS) != 0 ||
	    get_u32(&c, &enabled) == -1 || get_u32(&c, &commands) == -1 ||
	    get_u32(&c, &left) == -1 || left > SECONDS_MAX ||
	    get_text(&c, s->tag, sizeof(s->tag)) == -1)
		return (-1);
	s->enabled = enabled;
	s->commands = commands;
	s->left = left;
	s->idling = (flags & FLAG_IDLING) != 0;
	s->selected = (flags & FLAG_SELECTED) != 0;
	s->readonly = (flags & FLAG_READONLY) != 0;
	if (s->selected && (get_u32(&c, &s->keywords) == -1 ||
	    get_u32(&c, &s->frozen.uidvalidity) == -1 ||
	    get_u32(&c, &s->frozen.uidnext) == -1 ||
	    get_u32(&c, &s->frozen.count) == -1 ||
	    cursor_get(&c, s->frozen.index, sizeof(s->frozen.index)) == -1 ||
	    get(&c, &s->frozen.modseq, 8) == -1 ||
	    get(&c, &s->frozen.hash, 8) == -1 ||
	    get_text(&c, s->name, sizeof(s->name)) == -1))
		return (-1);
	return (c.left == 0 ? 0 : -1);
}

static void
put(struct out *o, uint64_t n, unsigned int bytes)
{
	if (o->left < bytes) {
		o->bad = 1;
		return;
	}
	o->left -= bytes;
	for (; bytes > 0; bytes--, n >>= 8)
		*o->p++ = (unsigned char)(n & 0xff);
}

static void
put_id(struct out *o, const unsigned char id[16])
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		put(o, id[i], 1);
}

static void
put_text(struct out *o, const char *s)
{
	size_t len = strlen(s);

	put(o, len, 4);
	if (o->bad || o->left < len) {
		o->bad = 1;
		return;
	}
	memcpy(o->p, s, len);
	o->p += len;
	o->left -= len;
}

static int
get(struct cursor *c, uint64_t *n, unsigned int bytes)
{
	unsigned char raw[8];
	unsigned int i;

	if (cursor_get(c, raw, bytes) == -1)
		return (-1);
	*n = 0;
	for (i = bytes; i > 0; i--)
		*n = *n << 8 | raw[i - 1];
	return (0);
}

static int
get_u32(struct cursor *c, uint32_t *n)
{
	uint64_t wide;

	if (get(c, &wide, 4) == -1)
		return (-1);
	*n = (uint32_t)wide;
	return (0);
}

/* No NUL within. */
static int
get_text(struct cursor *c, char *buf, size_t size)
{
	uint32_t len;

	if (get_u32(c, &len) == -1 || len >= size ||
	    cursor_get(c, buf, len) == -1)
		return (-1);
	buf[len] = '\0';
	return (strlen(buf) == len ? 0 : -1);
}
