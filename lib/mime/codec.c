/*
 * codec: transfer encodings of a stranger's mail, as streams: state is a few
 * bytes.  Pure, linear.
 */
#include <string.h>
#include <strings.h>

#include "mime/codec.h"
#include "mime/header.h"

static int
word_is(const char *s, size_t len, const char *word)
{
	return (strlen(word) == len && strncasecmp(s, word, len) == 0);
}

enum mime_encoding
mime_encoding(const char *value, size_t len)
{
	char word[32];
	size_t i, n;

	n = mime_unfold(value, len, word, sizeof(word));
	for (i = 0; i < n; i++)
		if (word[i] == ' ' || word[i] == ';' || word[i] == '(' ||
		    word[i] == '\t')
			break;
	n = i;
	if (n == 0 || word_is(word, n, "7bit") || word_is(word, n, "8bit") ||
	    word_is(word, n, "binary"))
		return (MIME_7BIT);
	if (word_is(word, n, "base64"))
		return (MIME_BASE64);
	if (word_is(word, n, "quoted-printable"))
		return (MIME_QP);
	return (MIME_ENCODING_UNKNOWN);
}

void
mime_codec_init(struct mime_codec *c, enum mime_encoding enc)
{
	memset(c, 0, sizeof(*c));
	c->enc = enc;
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	if (c == '+')
		return (62);
	if (c == '/')
		return (63);
	return (-1);
}

static size_t
base64_feed(struct mime_codec *c, const char *in, size_t len, char *out)
{
	size_t i, n = 0;
	int v;

	for (i = 0; i < len; i++) {
		if (in[i] == '=') {
			/* Padding ends a run; another may follow. */
			c->bits = c->nbits = 0;
			continue;
		}
		if ((v = base64_value(in[i])) == -1)
			continue;
		c->bits = c->bits << 6 | (uint32_t)v;
		c->nbits += 6;
		if (c->nbits >= 8) {
			c->nbits -= 8;
			out[n++] = (char)(c->bits >> c->nbits & 0xff);
			c->bits &= (1u << c->nbits) - 1;
		}
	}
	return (n);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	return (-1);
}

/* One byte more of an escape that held[] began. */
static size_t
qp_escape(struct mime_codec *c, char in, char *out)
{
	size_t n;

	c->held[c->nheld++] = in;
	if (in == '\n') {		/* a soft line break */
		c->nheld = 0;
		return (0);
	}
	if (c->nheld == 2 && (in == '\r' || hex_value(in) != -1))
		return (0);
	if (c->nheld == 3 && hex_value(c->held[1]) != -1 &&
	    hex_value(in) != -1) {
		*out = (char)(hex_value(c->held[1]) << 4 | hex_value(in));
		c->nheld = 0;
		return (1);
	}
	/* No escape: it stands for itself. */
	n = c->nheld;
	memcpy(out, c->held, n);
	c->nheld = 0;
	return (n);
}

static size_t
qp_feed(struct mime_codec *c, const char *in, size_t len, char *out)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (c->nheld > 0)
			n += qp_escape(c, in[i], out + n);
		else if (in[i] == '=')
			c->held[c->nheld++] = '=';
		else
			out[n++] = in[i];
	}
	return (n);
}

size_t
mime_codec_feed(struct mime_codec *c, const char *in, size_t len, char *out)
{
	switch (c->enc) {
	case MIME_BASE64:
		return (base64_feed(c, in, len, out));
	case MIME_QP:
		return (qp_feed(c, in, len, out));
	default:
		memcpy(out, in, len);
		return (len);
	}
}

size_t
mime_codec_end(struct mime_codec *c, char *out)
{
	size_t n = c->nheld;

	memcpy(out, c->held, n);
	c->nheld = 0;
	return (n);
}
