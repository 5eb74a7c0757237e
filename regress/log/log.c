/*
 * log: whatever is logged, a line of text or of JSON comes out, bounded,
 * without a byte that could fool a reader or a terminal.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/log.h"
#include "os/compat.h"
#include "../test.h"

static int	fds[2];
static char	got[65536];
static size_t	gotlen;
static int	lost;

/* One descriptor of ours goes to the log for good each time. */
static void
use(enum log_dest dest, int json)
{
	int	fd;

	if ((fd = dup(fds[1])) == -1)
		exit(2);
	log_use(dest, fd, json);
}

static const char *
take(void)
{
	ssize_t	n;

	n = read(fds[0], got, sizeof(got) - 1);
	gotlen = n > 0 ? (size_t)n : 0;
	got[gotlen] = '\0';
	return (got);
}

/* What follows "daemon[pid]: role: ". */
static const char *
text(void)
{
	const char	*p = strstr(take(), "]: role: ");

	if (p == NULL || gotlen == 0 || got[gotlen - 1] != '\n')
		return (NULL);
	got[gotlen - 1] = '\0';
	return (p + 9);
}

static const char *
json_string(const char *p)
{
	if (*p++ != '"')
		return (NULL);
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return (NULL);
		if (*p != '\\')
			continue;
		if (*++p != 'u' || !isxdigit((unsigned char)p[1]) ||
		    !isxdigit((unsigned char)p[2]) ||
		    !isxdigit((unsigned char)p[3]) ||
		    !isxdigit((unsigned char)p[4]))
			return (NULL);
		p += 4;
	}
	return (p + 1);
}

/* An object of strings and numbers, one line, nothing behind it. */
static int
is_json(const char *p)
{
	if (*p++ != '{')
		return (0);
	for (;;) {
		if ((p = json_string(p)) == NULL || *p++ != ':')
			return (0);
		if (isdigit((unsigned char)*p))
			p += strspn(p, "0123456789");
		else if ((p = json_string(p)) == NULL)
			return (0);
		if (*p == '}')
			return (strcmp(p, "}\n") == 0);
		if (*p++ != ',')
			return (0);
	}
}

static void
test_bytes(void)
{
	char		 want[16], name[32], in[4] = "a?b";
	const char	*p;
	unsigned int	 c;
	int		 good = 1;

	use(LOG_TO_FILE, 0);
	for (c = 1; c < 256; c++) {
		in[1] = (char)c;
		if (c >= 0x20 && c < 0x7f)
			snprintf(want, sizeof(want), "a%cb", c);
		else
			snprintf(want, sizeof(want), "a\\x%02xb", c);
		log_info("%s", in);
		if ((p = text()) == NULL || strcmp(p, want) != 0) {
			snprintf(name, sizeof(name), "byte %u", c);
			TEST(name, 0);
			good = 0;
		}
	}
	TEST("every byte as text", good);
	use(LOG_TO_FILE, 1);
	good = 1;
	for (c = 1; c < 256; c++) {
		in[1] = (char)c;
		log_info("%s", in);
		if (!is_json(take())) {
			snprintf(name, sizeof(name), "byte %u in JSON", c);
			TEST(name, 0);
			good = 0;
		}
	}
	TEST("every byte as JSON", good);
}

static void
test_length(void)
{
	static const char	 fill[] = { 'a', '\n', '"', '\\', '\377' };
	static char		 in[3001];
	char			 name[64];
	size_t			 i, n;
	int			 json, good;

	for (json = 0; json <= 1; json++)
		for (i = 0; i < sizeof(fill); i++) {
			use(LOG_TO_FILE, json);
			good = 1;
			for (n = 0; n < sizeof(in); n += n < 700 ? 97 : 1) {
				if (n > 1100 && n < 2900)
					n = 2900;
				memset(in, fill[i], n);
				in[n] = '\0';
				log_warnx("%s", in);
				(void)take();
				if (gotlen > LOG_LINE_MAX || memchr(got,
				    '\n', gotlen) != got + gotlen - 1 ||
				    (json && !is_json(got)))
					good = 0;
			}
			snprintf(name, sizeof(name), "lines of \\x%02x%s",
			    (unsigned char)fill[i], json ? " in JSON" : "");
			TEST(name, good);
		}
}

static void
test_syslog(void)
{
	use(LOG_TO_SYSLOG, 0);
	log_warnx("two\nlines");
	(void)take();
	TEST("syslog priority", strncmp(got, "<20>", 4) == 0);
	TEST("syslog text", strstr(got, ": role: two\\x0alines") != NULL);
	TEST("no newline in a datagram", strchr(got, '\n') == NULL);
}

static void
note_lost(void)
{
	lost++;
}

static int
open_fds(void)
{
	int	fd, n = 0;

	for (fd = 0; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return (n);
}

static void
test_rest(void)
{
	const char	*p;
	int		 closed[2], before;

	use(LOG_TO_FILE, 0);
	errno = ENOENT;
	log_warn("file %d", 5);
	p = text();
	TEST_STR("the error's name", p, "file 5: No such file or directory");
	errno = EBADMSG;
	log_info("x");
	TEST("errno is kept", errno == EBADMSG);
	(void)take();
	log_verbose(0);
	log_debug("debug");
	log_trace("trace");
	log_info("info");
	TEST_STR("levels", text(), "info");
	log_verbose(1);
	log_debug("debug");
	log_trace("trace");
	TEST_STR("debug", text(), "debug");
	log_verbose(2);
	log_trace("trace");
	TEST_STR("trace", text(), "trace");
	log_verbose(0);
	log_lost_hook(note_lost);
	if (pipe(closed) == -1)
		exit(2);
	close(closed[0]);
	log_use(LOG_TO_SYSLOG, closed[1], 0);
	log_info("nobody hears this");
	TEST("lost hook", lost == 1);
	use(LOG_TO_FILE, 0);
	before = open_fds();
	use(LOG_TO_FILE, 0);
	TEST("the one before is closed", open_fds() == before);
	log_info("again");
	TEST_STR("after the loss", text(), "again");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (pipe(fds) == -1)
		return (2);
	log_init("daemon", "role");
	test_bytes();
	test_length();
	test_syslog();
	test_rest();
	log_use(LOG_TO_STDERR, STDERR_FILENO, 0);
	TEST_DONE();
}
