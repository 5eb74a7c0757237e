/*
 * What leaves: CRLF and stuffed dots only, however the content is cut.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "regress/test.h"
#include "smtpd/relay_data.h"

static const struct test {
	const char	*name;
	const char	*in;
	const char	*want;
} tests[] = {
	{ "empty", "", ".\r\n" },
	{ "a line", "a\r\n", "a\r\n.\r\n" },
	{ "no end", "a", "a\r\n.\r\n" },
	{ "bare LF", "a\nb\n", "a\r\nb\r\n.\r\n" },
	{ "bare CR", "a\rb\r\n", "a b\r\n.\r\n" },
	{ "CR at the end", "a\r", "a \r\n.\r\n" },
	{ "CR CR LF", "a\r\r\nb", "a \r\nb\r\n.\r\n" },
	{ "LF CR", "a\n\rb", "a\r\n b\r\n.\r\n" },
	{ "dot", ".\r\n", "..\r\n.\r\n" },
	{ "dots", "..\r\n.a\r\nb.\r\n", "...\r\n..a\r\nb.\r\n.\r\n" },
	{ "dot at the end", "a\r\n.", "a\r\n..\r\n.\r\n" },
	{ "LF dot LF", "a\n.\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n" },
	{ "LF dot CR LF", "a\n.\r\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n" },
	{ "CR dot CR", "a\r.\rMAIL", "a . MAIL\r\n.\r\n" },
	{ "CR LF dot CR", "a\r\n.\rb", "a\r\n.. b\r\n.\r\n" },
	{ "CR dot CR LF", "a\r.\r\nb", "a .\r\nb\r\n.\r\n" },
	{ "empty lines", "\r\n\n\r\n", "\r\n\r\n\r\n.\r\n" },
	{ "only CRs", "\r\r\r", "   \r\n.\r\n" },
};

/* All in pieces of n bytes. */
static void
stuff(const char *in, size_t n, char *out)
{
	struct content	c;
	size_t		len = strlen(in), k, got = 0;

	content_init(&c, len);
	while (len > 0) {
		k = len < n ? len : n;
		got += content_stuff(&c, in, k, out + got);
		in += k;
		len -= k;
	}
	got += content_end(&c, out + got);
	out[got] = '\0';
}

/* No CR without LF, no LF without CR, one line that is a dot. */
static int
is_clean(const char *p, size_t len)
{
	size_t	i, dots = 0;

	for (i = 0; i < len; i++) {
		if (p[i] == '\r' && (i + 1 == len || p[i + 1] != '\n'))
			return (0);
		if (p[i] == '\n' && (i == 0 || p[i - 1] != '\r'))
			return (0);
		if (p[i] == '.' && (i == 0 || p[i - 1] == '\n') &&
		    i + 1 < len && p[i + 1] == '\r')
			dots++;
	}
	return (dots == 1 && len >= 3 && memcmp(p + len - 3, ".\r\n", 3) == 0);
}

static void
test_random(void)
{
	static const char	alphabet[] = "\r\n.a";
	static char		in[40], out[200];
	unsigned int		seed = 1;
	size_t			i, j, n;
	int			clean = 1;

	for (i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		n = (seed >> 16) % (sizeof(in) - 1);
		for (j = 0; j < n; j++) {
			seed = seed * 1103515245 + 12345;
			in[j] = alphabet[(seed >> 16) % 4];
		}
		in[n] = '\0';
		stuff(in, (seed >> 20) % 5 + 1, out);
		clean = clean && is_clean(out, strlen(out));
	}
	TEST("random content is clean", clean);
}

/* Through a file, at the edges of a chunk. */
static void
test_file(size_t size, char fill, const char *name)
{
	static char	 out[CONTENT_OUT], block[3 * CONTENT_CHUNK];
	static char	 all[7 * CONTENT_CHUNK];
	struct content	 c;
	ssize_t		 n;
	size_t		 got = 0;
	int		 fd, last = 0, most = 1;

	memset(block, fill, size);
	fd = memfd_create("content", 0);
	if (fd == -1 || write(fd, block, size) != (ssize_t)size)
		exit(2);
	content_init(&c, size);
	while (!last) {
		n = content_next(&c, fd, out, &last);
		if (n < 0 || (size_t)n > sizeof(out)) {
			most = 0;
			break;
		}
		memcpy(all + got, out, (size_t)n);
		got += (size_t)n;
	}
	TEST(name, most && is_clean(all, got));
	content_init(&c, size + 1);
	last = 0;
	while (!last && (n = content_next(&c, fd, out, &last)) > 0)
		;
	TEST("a file that is too short", n == -1 && !last);
	close(fd);
}

int
main(void)
{
	char	out[200], name[80];
	size_t	i, n;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		for (n = 1; n < 12; n++) {
			stuff(tests[i].in, n, out);
			if (strcmp(out, tests[i].want) != 0)
				break;
		}
		snprintf(name, sizeof(name), "%s", tests[i].name);
		TEST_STR(name, out, tests[i].want);
	}
	test_random();
	test_file(0, 'a', "nothing");
	test_file(CONTENT_CHUNK, 'a', "one chunk");
	test_file(CONTENT_CHUNK + 1, '\r', "a chunk of CRs");
	test_file(2 * CONTENT_CHUNK, '\n', "two chunks of LFs");
	test_file(2 * CONTENT_CHUNK + 1, '.', "two chunks of dots");
	TEST_DONE();
}
