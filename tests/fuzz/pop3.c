/*
 * POP3: lines out of a stream, commands out of lines, a header as ASCII, a
 * message as a reply, a format of unique ids.  Checks what must hold for any
 * input.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/uidl.h"
#include "pop3/ascii.h"
#include "pop3/capa.h"
#include "pop3/command.h"
#include "pop3/stuff.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
commands(const char *data, size_t len)
{
	struct pop3_command cmd;
	size_t used;
	ptrdiff_t n;

	while ((n = pop3_line(data, len, &used)) != -1) {
		if ((size_t)n >= used || used > len)
			abort();
		if (pop3_parse(&cmd, data, (size_t)n) == POP3_OK &&
		    cmd.has_number && cmd.number == 0)
			abort();
		if (strlen(cmd.arg) >= POP3_LINE_MAX ||
		    strlen(cmd.initial) >= POP3_LINE_MAX)
			abort();
		if (cmd.verb == POP3_LANG && pop3_lang(cmd.arg) == NULL)
			abort();
		data += used;
		len -= used;
	}
}

/* Everything up to the first empty line is ASCII; what is behind it stays. */
static void
ascii(const char *data, size_t len, size_t step)
{
	struct pop3_ascii a;
	size_t o = 0, i, n, room;
	char *out;

	room = len * POP3_ASCII_GROWS + 2 * POP3_ASCII_END;
	if ((out = malloc(room)) == NULL)
		return;
	pop3_ascii_init(&a);
	for (i = 0; i < len; i += n) {
		n = len - i < step ? len - i : step;
		o += pop3_ascii(&a, data + i, n, out + o);
		if (o > (i + n) * POP3_ASCII_GROWS + POP3_ASCII_END)
			abort();
	}
	o += pop3_ascii_end(&a, out + o);
	for (i = 0; i < o && (out[i] & 0x80) == 0; i++)
		continue;
	if (i < o && (i < 1 || !a.over))
		abort();
	free(out);
}

static void
uidl(const char *data, size_t len)
{
	char format[256], uid[UIDL_MAX + 1];
	size_t n = len < sizeof(format) ? len : sizeof(format) - 1;
	int got;

	memcpy(format, data, n);
	format[n] = '\0';
	got = uidl_expand(format, 1, 4294967295u, uid);
	if (got != -1 && (got < 1 || (size_t)got != strlen(uid)))
		abort();
}

/* No line in it is a lone dot but the last; every line ends with CRLF. */
static void
check_reply(const char *out, size_t n)
{
	size_t i;

	if (n < 3 || memcmp(out + n - 3, ".\r\n", 3) != 0)
		abort();
	for (i = 0; i < n; i++) {
		if (out[i] == '\n' && (i == 0 || out[i - 1] != '\r'))
			abort();
		if (out[i] == '.' && (i == 0 || out[i - 1] == '\n') &&
		    n - i > 3 && memcmp(out + i, ".\r\n", 3) == 0)
			abort();
	}
}

static void
reply(const char *data, size_t len, size_t step, int top)
{
	struct pop3_stuff s;
	size_t o = 0, i, n;
	char *out;

	if ((out = malloc(2 * len + POP3_STUFF_END)) == NULL)
		return;
	if (top)
		pop3_stuff_top(&s, (uint32_t)step);
	else
		pop3_stuff_init(&s);
	for (i = 0; i < len; i += n) {
		n = len - i < step ? len - i : step;
		o += pop3_stuff(&s, data + i, n, out + o);
	}
	o += pop3_stuff_end(&s, out + o);
	if (o > 2 * len + POP3_STUFF_END)
		abort();
	check_reply(out, o);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;

	if (len == 0)
		return (0);
	commands(text, len);
	ascii(text, len, data[0] % 97u + 1);
	uidl(text, len);
	reply(text, len, data[0] % 7u + 1, data[0] & 0x80);
	return (0);
}
