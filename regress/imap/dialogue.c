/*
 * dialogue: IMAP as text in and text out, against the session's own code and
 * a store in a temporary directory.
 *
 * A file NAME.dialogue has lines
 *
 *	C: text		the client sends the text and a line end
 *	c: text		the same without the line end
 *	S: pattern	the next line of the server; <*> stands for anything
 *	U: pattern	lines are read until one matches
 *	E:		the server closes
 *	B: n text	the text is sent n times
 *	N: n text	the same, each with a line end
 *	L: text		the text, the size of the lines that follow with "| "
 *			in front, and these, as a literal
 *	G: text		files of INBOX that hold the text grow beyond what
 *			can be read
 *	M: n		another program puts n messages into INBOX
 *
 * The mailbox of mbox.dialogue is an mbox.
 *
 * with a digit behind the letter for a second connection ("C2: a NOOP").
 * Lines that begin with '#', and empty ones, are comments.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <sys/wait.h>
#include <dirent.h>
#include <err.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "../../imapd/session_conn.h"
#include "daemon/mailsession.h"
#include "store/store.h"

#define CONNS		6
#define WAIT_MS		10000
#define LINE_SIZE	65536

struct end {
	int	fd;
	char	buf[LINE_SIZE];
	size_t	len;
};

static struct end *ends[CONNS];
static struct end *literal_to;		/* an L: whose lines are read */
static char literal_head[1024], literal[LINE_SIZE];
static size_t literal_len;
static pid_t child;
static const char *maildir;
static int is_mbox;
static unsigned int open_conns;
static struct event_base *base;

static void
conn_ended(uint64_t number)
{
	if (--open_conns == 0)
		(void)event_base_loopbreak(base);
}

/* The process that is imapd-session elsewhere. */
static void
serve(const char *dir, int fds[CONNS])
{
	struct store_settings set = { .user = "user", .hostname = "test" };
	struct mailsession session = { .user = "user" };
	enum store_error e;
	int fd, i;

	if ((base = event_base_new()) == NULL ||
	    (fd = open(dir, O_RDONLY | O_DIRECTORY)) == -1)
		err(1, "%s", dir);
	set.mbox = is_mbox;
	e = store_open(&session.store, fd, is_mbox ? "inbox" : ".", &set,
	    STORE_CREATE);
	if (e != STORE_OK)
		errx(1, "store: %s", store_strerror(e));
	session.base = base;
	session.ended = conn_ended;
	for (i = 0; i < CONNS; i++) {
		open_conns++;
		if (session_conn_new(&session, fds[i], (unsigned int)i,
		    "::1") == -1)
			err(1, "connection");
	}
	event_base_dispatch(base);
	store_close(session.store);
	event_base_free(base);
	close(fd);
}

static void
start(const char *dir)
{
	int pair[2], server[CONNS], i;

	for (i = 0; i < CONNS; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
		    (ends[i] = calloc(1, sizeof(*ends[i]))) == NULL)
			err(1, "socketpair");
		ends[i]->fd = pair[0];
		server[i] = pair[1];
	}
	fflush(stdout);
	if ((child = fork()) == -1)
		err(1, "fork");
	if (child == 0) {
		for (i = 0; i < CONNS; i++)
			close(ends[i]->fd);
		/* What it logs does not belong to the results. */
		if (getenv("VERBOSE") == NULL &&
		    dup2(open("/dev/null", O_WRONLY), 2) == -1)
			_exit(1);
		serve(dir, server);
		for (i = 0; i < CONNS; i++)
			free(ends[i]);
		exit(0);
	}
	for (i = 0; i < CONNS; i++)
		close(server[i]);
}

/* 1 a line, without its end; 0 EOF; -1 nothing came. */
static int
read_line(struct end *e, char *line)
{
	struct pollfd pfd = { .fd = e->fd, .events = POLLIN };
	char *nl;
	size_t n;
	ssize_t got;

	while ((nl = memchr(e->buf, '\n', e->len)) == NULL) {
		if (e->len == sizeof(e->buf) || poll(&pfd, 1, WAIT_MS) != 1)
			return (-1);
		got = read(e->fd, e->buf + e->len, sizeof(e->buf) - e->len);
		if (got <= 0)
			return (0);
		e->len += (size_t)got;
	}
	n = (size_t)(nl - e->buf);
	memcpy(line, e->buf, n);
	line[n > 0 && line[n - 1] == '\r' ? n - 1 : n] = '\0';
	e->len -= n + 1;
	memmove(e->buf, nl + 1, e->len);
	return (1);
}

static int
matches(const char *pattern, const char *line)
{
	const char *any = strstr(pattern, "<*>");
	size_t n;

	if (any == NULL)
		return (strcmp(pattern, line) == 0);
	n = (size_t)(any - pattern);
	if (strncmp(pattern, line, n) != 0)
		return (0);
	for (line += n;; line++) {
		if (matches(any + 3, line))
			return (1);
		if (*line == '\0')
			return (0);
	}
}

static int
send_all(struct end *e, const char *text, size_t len)
{
	ssize_t n;

	for (; len > 0; text += n, len -= (size_t)n)
		if ((n = send(e->fd, text, len, MSG_NOSIGNAL)) <= 0)
			return (-1);
	return (0);
}

static int
send_many(struct end *e, char *text, size_t line_end)
{
	unsigned long i, n;
	char *end;

	n = strtoul(text, &end, 10);
	if (*end == ' ')
		end++;
	for (i = 0; i < n && i < 1000000; i++)
		if (send_all(e, end, strlen(end)) == -1 ||
		    send_all(e, "\r\n", line_end) == -1)
			return (0);		/* it may have closed */
	return (0);
}

static int
expect(struct end *e, const char *pattern, int until, char *got)
{
	int ret;

	do {
		if ((ret = read_line(e, got)) != 1) {
			snprintf(got, LINE_SIZE, "%s",
			    ret == 0 ? "(closed)" : "(nothing)");
			return (-1);
		}
	} while (until && !matches(pattern, got));
	return (matches(pattern, got) ? 0 : -1);
}

/* A line of a literal, without its mark. */
static int
literal_line(const char *line)
{
	int n;

	n = snprintf(literal + literal_len, sizeof(literal) - literal_len,
	    "%s\r\n", line[1] == ' ' ? line + 2 : "");
	if (n < 0 || (size_t)n >= sizeof(literal) - literal_len)
		return (-1);
	literal_len += (size_t)n;
	return (0);
}

/* All its lines were read. */
static int
literal_end(void)
{
	struct end *e = literal_to;
	char size[32];

	if (e == NULL)
		return (0);
	literal_to = NULL;
	snprintf(size, sizeof(size), " {%zu+}\r\n", literal_len);
	if (send_all(e, literal_head, strlen(literal_head)) == -1 ||
	    send_all(e, size, strlen(size)) == -1 ||
	    send_all(e, literal, literal_len) == -1)
		return (-1);
	return (send_all(e, "\r\n", 2));
}

static int
grow(const char *text)
{
	char path[PATH_MAX], buf[4096];
	struct dirent *e;
	ssize_t n;
	DIR *d;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/cur", maildir);
	if ((d = opendir(path)) == NULL)
		return (-1);
	while ((e = readdir(d)) != NULL) {
		if ((fd = openat(dirfd(d), e->d_name, O_RDWR)) == -1)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n > 0 && memmem(buf, (size_t)n, text, strlen(text)) !=
		    NULL && ftruncate(fd, 3L << 30) == -1)
			perror(e->d_name);
		close(fd);
	}
	return (closedir(d));
}

/* Others' files, in the order of their names. */
static int
put_mail(const char *text)
{
	static const char mail[] = "Subject: x\n\nx\n";
	char first[PATH_MAX], path[PATH_MAX];
	unsigned long i, n = strtoul(text, NULL, 10);
	int fd;

	(void)snprintf(first, sizeof(first), "%s/first", maildir);
	if ((fd = open(first, O_WRONLY | O_CREAT, 0600)) == -1 ||
	    write(fd, mail, strlen(mail)) == -1)
		return (-1);
	close(fd);
	for (i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/cur/%lu.M1P1.h:2,",
		    maildir, 1000000000 + i);
		if (link(first, path) == -1)
			return (-1);
	}
	return (unlink(first));
}

/* One line of the file. */
static int
play(char *line, char *got)
{
	struct end *e = ends[0];
	char kind = line[0], *text = line + 1;

	if (kind == '|')
		return (literal_line(line));
	if (literal_end() == -1)
		return (-1);

	if (*text >= '1' && *text <= '0' + CONNS)
		e = ends[*text++ - '1'];
	if (*text++ != ':')
		return (-1);
	if (*text == ' ')
		text++;
	switch (kind) {
	case 'C':
		return (send_all(e, text, strlen(text)) == -1 ||
		    send_all(e, "\r\n", 2) == -1 ? -1 : 0);
	case 'c':
		return (send_all(e, text, strlen(text)));
	case 'B':
		return (send_many(e, text, 0));
	case 'N':
		return (send_many(e, text, 2));
	case 'L':
		literal_to = e;
		literal_len = 0;
		(void)strlcpy(literal_head, text, sizeof(literal_head));
		return (0);
	case 'S':
		return (expect(e, text, 0, got));
	case 'U':
		return (expect(e, text, 1, got));
	case 'G':
		return (grow(text));
	case 'M':
		return (put_mail(text));
	case 'E':
		while (read_line(e, got) == 1)
			;
		return (0);
	default:
		return (-1);
	}
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return (remove(path));
}

static int
finish(const char *dir)
{
	int i, status;

	for (i = 0; i < CONNS; i++) {
		close(ends[i]->fd);
		free(ends[i]);
	}
	if (waitpid(child, &status, 0) == -1)
		return (-1);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1);
}

/* 0 if all went as written. */
static int
dialogue(const char *path)
{
	char dir[] = "/tmp/dialogue.XXXXXXXXXX", *line = NULL;
	static char got[LINE_SIZE];
	unsigned int lineno = 0;
	size_t size = 0;
	ssize_t n;
	int bad = 0, i;
	FILE *f;

	if (mkdtemp(dir) == NULL || (f = fopen(path, "r")) == NULL)
		err(1, "%s", path);
	maildir = dir;
	is_mbox = strstr(path, "/mbox.dialogue") != NULL;
	start(dir);
	for (i = 0; i < CONNS && !bad; i++)
		bad = send_all(ends[i], "pre\r\n", 5) == -1 ||
		    expect(ends[i], "pre OK [CAPABILITY <*>] Logged in", 0,
		    got) == -1;
	while (!bad && (n = getline(&line, &size, f)) != -1) {
		lineno++;
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		got[0] = '\0';
		if (play(line, got) == -1)
			bad = 1;
	}
	bad = bad || literal_end() == -1;
	if (bad)
		printf("not ok %s: line %u: want \"%s\", got \"%s\"\n", path,
		    lineno, line != NULL ? line : "", got);
	if (finish(dir) == -1 && !bad) {
		printf("not ok %s: the session failed\n", path);
		bad = 1;
	}
	if (!bad)
		printf("ok %s\n", path);
	free(line);
	fclose(f);
	return (bad);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return (strcmp((*a)->d_name, (*b)->d_name));
}

static int
is_dialogue(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return (n > 9 && strcmp(e->d_name + n - 9, ".dialogue") == 0);
}

int
main(int argc, char **argv)
{
	const char *where = "regress/imap";
	struct dirent **list;
	char path[1024];
	int bad = 0, i, n;

	signal(SIGPIPE, SIG_IGN);
	for (i = 1; i < argc; i++)
		bad |= dialogue(argv[i]);
	if (argc > 1)
		return (bad);
	if ((n = scandir(where, &list, is_dialogue, by_name)) <= 0)
		err(1, "%s", where);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", where, list[i]->d_name);
		bad |= dialogue(path);
		free(list[i]);
	}
	free(list);
	return (bad);
}
