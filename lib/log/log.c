/*
 * log: formats a line, makes it safe, writes it with one system call.
 *
 * Text from strangers reaches the log only through here; every byte that is
 * not printable ASCII becomes \xNN before it is written.
 */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "os/compat.h"

#define LOG_WAIT	100000	/* microseconds for a syslogd that hangs */
#define LOG_PREFIX	192	/* what put() adds to a text, and more */

static struct {
	const char	*daemon;
	const char	*role;
	enum log_dest	 dest;
	int		 fd;
	int		 json;
	int		 verbose;
	void		(*lost)(void);
} lg = { "postern", "", LOG_TO_STDERR, STDERR_FILENO, 0, 0, NULL };

static const char *const level_name[] = {
	"emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"
};

void
log_init(const char *daemon, const char *role)
{
	lg.daemon = daemon;
	lg.role = role;
}

void
log_use(enum log_dest dest, int fd, int json)
{
	if (lg.fd != STDERR_FILENO)
		close(lg.fd);
	lg.dest = dest;
	lg.fd = fd;
	lg.json = json;
}

void
log_verbose(int level)
{
	lg.verbose = level;
}

int
log_level(void)
{
	return (lg.verbose);
}

void
log_lost_hook(void (*fn)(void))
{
	lg.lost = fn;
}

static int
open_syslog(void)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	struct timeval		most = { .tv_usec = LOG_WAIT };
	int			fd, save;

	strlcpy(sun.sun_path, "/dev/log", sizeof(sun.sun_path));
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return (-1);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most)) ==
	    -1 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		save = errno;
		close(fd);
		errno = save;
		return (-1);
	}
	return (fd);
}

int
log_open(enum log_dest dest, const char *path)
{
	switch (dest) {
	case LOG_TO_SYSLOG:
		return (open_syslog());
	case LOG_TO_FILE:
		return (open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
		    O_NOFOLLOW, 0640));
	case LOG_TO_STDERR:
		return (fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
	}
	errno = EINVAL;
	return (-1);
}

/* Bytes that could fool a reader or a terminal become \xNN. */
static size_t
escape(char *to, size_t size, const char *from, int json)
{
	static const char	hex[] = "0123456789abcdef";
	size_t			n = 0;

	for (; *from != '\0' && size - n > 7; from++) {
		unsigned char c = *from;

		if (c >= 0x20 && c < 0x7f && !(json && (c == '"' || c == '\\')))
			to[n++] = c;
		else if (json) {
			n += snprintf(to + n, size - n, "\\u%04x", c);
		} else {
			to[n++] = '\\';
			to[n++] = 'x';
			to[n++] = hex[c >> 4];
			to[n++] = hex[c & 15];
		}
	}
	to[n] = '\0';
	return (n);
}

static void
stamp(char *to, size_t size, int iso)
{
	struct timeval	tv;
	struct tm	tm;
	char		t[40];

	gettimeofday(&tv, NULL);
	if (iso) {
		gmtime_r(&tv.tv_sec, &tm);
		strftime(t, sizeof(t), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(to, size, "%s.%03dZ", t, (int)(tv.tv_usec / 1000));
	} else {
		localtime_r(&tv.tv_sec, &tm);
		strftime(to, size, "%b %e %H:%M:%S", &tm);
	}
}

static void
put(int prio, const char *text)
{
	char	line[LOG_LINE_MAX], when[64];
	int	n;

	stamp(when, sizeof(when), lg.json || lg.dest != LOG_TO_SYSLOG);
	if (lg.json)
		n = snprintf(line, sizeof(line),
		    "{\"time\":\"%s\",\"level\":\"%s\",\"daemon\":\"%s\","
		    "\"role\":\"%s\",\"pid\":%d,\"text\":\"%s\"}", when,
		    level_name[prio], lg.daemon, lg.role, (int)getpid(), text);
	else if (lg.dest == LOG_TO_SYSLOG)
		n = snprintf(line, sizeof(line), "<%d>%s %s[%d]: %s%s%s",
		    LOG_MAIL | prio, when, lg.daemon, (int)getpid(), lg.role,
		    *lg.role != '\0' ? ": " : "", text);
	else
		n = snprintf(line, sizeof(line), "%s %s[%d]: %s%s%s", when,
		    lg.daemon, (int)getpid(), lg.role,
		    *lg.role != '\0' ? ": " : "", text);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;		/* names of great length */
	if (lg.dest != LOG_TO_SYSLOG)
		line[n++] = '\n';
	if (write(lg.fd, line, n) == -1 && errno != EAGAIN && errno != EINTR &&
	    lg.lost != NULL)
		lg.lost();
}

static void	vlog(int, const char *, const char *, va_list)
		    __attribute__((__format__(printf, 3, 0)));

static void
vlog(int prio, const char *suffix, const char *fmt, va_list ap)
{
	char	raw[LOG_LINE_MAX], safe[LOG_LINE_MAX - LOG_PREFIX];
	int	save = errno;
	size_t	n;

	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		return;
	if (suffix != NULL) {
		n = strlen(raw);
		snprintf(raw + n, sizeof(raw) - n, ": %s", suffix);
	}
	escape(safe, sizeof(safe), raw, lg.json);
	put(prio, safe);
	errno = save;
}

int
log_allowed(struct log_limit *l)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (ts.tv_sec != l->second) {
		if (l->lost > 0)
			log_info("%u more lines like the next were left out",
			    l->lost);
		l->second = ts.tv_sec;
		l->lines = l->lost = 0;
	}
	if (l->lines == LOG_LIMIT) {
		l->lost++;
		return (0);
	}
	l->lines++;
	return (1);
}

void
log_warn(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LOG_WARNING, strerror(errno), fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LOG_WARNING, NULL, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LOG_INFO, NULL, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list	ap;

	if (lg.verbose < 1)
		return;
	va_start(ap, fmt);
	vlog(LOG_DEBUG, NULL, fmt, ap);
	va_end(ap);
}

void
log_trace(const char *fmt, ...)
{
	va_list	ap;

	if (lg.verbose < 2)
		return;
	va_start(ap, fmt);
	vlog(LOG_DEBUG, NULL, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LOG_CRIT, strerror(errno), fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LOG_CRIT, NULL, fmt, ap);
	va_end(ap);
	exit(1);
}
