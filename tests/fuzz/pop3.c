/*
 * POP3: lines out of a stream, commands out of lines, and a message as a
 * reply.  Checks what must hold for any input.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
		data += used;
		len -= used;
	}
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
	reply(text, len, data[0] % 7u + 1, data[0] & 0x80);
	return (0);
}
