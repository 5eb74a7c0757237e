/*
 * ascii: a message's header for clients that did not ask for UTF-8.
 */
#include "buf/utf8.h"
#include "os/compat.h"
#include "pop3/ascii.h"

#define PIECE	18		/* bytes in one encoded word of at most 75 */

static int	breaks(char);
static size_t	flush(struct pop3_ascii *, int, char *);
static size_t	encode(const char *, size_t, int, char *);
static size_t	whole(const char *, size_t);

void
pop3_ascii_init(struct pop3_ascii *a)
{
	struct pop3_ascii fresh = { 0 };

	*a = fresh;
}

int
pop3_ascii_already(const char *p, size_t n)
{
	const char *end = p + n, *nl, *text;
	unsigned char high = 0;

	while ((nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		for (text = p; text < nl && *text == '\r'; text++)
			continue;
		if (text == nl)
			return (high < 0x80);
		while (p <= nl)
			high |= (unsigned char)*p++;
	}
	return (0);
}

size_t
pop3_ascii(struct pop3_ascii *a, const char *in, size_t n, char *out)
{
	size_t i, o = 0;

	for (i = 0; i < n && !a->over; i++) {
		if (!breaks(in[i])) {
			a->filled = 1;
			a->high |= (unsigned char)in[i] >= 0x80;
			a->word[a->n++] = in[i];
			if (a->n == POP3_ASCII_WORD)
				o += flush(a, 0, out + o);
			continue;
		}
		if (a->n > 0)
			o += flush(a, 1, out + o);
		out[o++] = in[i];
		if (in[i] == '\n') {
			a->over = !a->filled;
			a->filled = 0;
		} else if (in[i] != '\r')
			a->filled = 1;
		a->after = in[i] == ' ' && a->after == 1 ? 2 : 0;
	}
	memcpy(out + o, in + i, n - i);
	return (o + n - i);
}

size_t
pop3_ascii_end(struct pop3_ascii *a, char *out)
{
	return (flush(a, 1, out));
}

/* What may stand between words of a header. */
static int
breaks(char c)
{
	return (c == '\0' || strchr(" \t\r\n<>()[],;:@\\\"", c) != NULL);
}

/*
 * Write the word that was collected.  If it goes on, the character that is not
 * complete stays for the rest.
 */
static size_t
flush(struct pop3_ascii *a, int end, char *out)
{
	size_t stop = end ? a->n : whole(a->word, a->n), i = 0, n, o = 0;

	if (!a->high) {
		memcpy(out, a->word, stop);
		i = o = stop;
		a->after = 0;
	}
	for (; i < stop; i += n) {
		n = stop - i <= PIECE ? stop - i : whole(a->word + i, PIECE);
		/*
		 * Blanks between encoded words are not shown (RFC 2047 6.2):
		 * one that parts a word vanishes, one between words is put
		 * into the second.
		 */
		if (a->after == 1)
			out[o++] = ' ';
		o += encode(a->word + i, n, a->after == 2, out + o);
		a->after = 1;
	}
	memmove(a->word, a->word + stop, a->n - stop);
	a->n -= stop;
	if (end)
		a->high = 0;
	return (o);
}

/* Without the beginning of a character at the end. */
static size_t
whole(const char *word, size_t n)
{
	size_t i;

	for (i = 1; i < UTF8_MAX && i < n; i++) {
		if (utf8_partial(word + n - i, i))
			return (n - i);
	}
	return (n);
}

/* RFC 2047 4.2: letters and digits stand for themselves. */
static size_t
encode(const char *word, size_t n, int blank, char *out)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *charset = utf8_valid(word, n) ? "=?UTF-8?Q?" :
	    "=?unknown-8bit?Q?";
	size_t i, o = strlen(charset);

	memcpy(out, charset, o);
	if (blank)
		out[o++] = '_';
	for (i = 0; i < n; i++) {
		if ((word[i] >= '0' && word[i] <= '9') ||
		    (word[i] >= 'A' && word[i] <= 'Z') ||
		    (word[i] >= 'a' && word[i] <= 'z')) {
			out[o++] = word[i];
			continue;
		}
		out[o++] = '=';
		out[o++] = hex[(unsigned char)word[i] >> 4];
		out[o++] = hex[(unsigned char)word[i] & 15];
	}
	memcpy(out + o, "?=", 2);
	return (o + 2);
}
