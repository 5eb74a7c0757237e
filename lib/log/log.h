/*
 * log: one line per event to syslog, a file or stderr.
 *
 * A role never opens the log itself: the parent opens it and hands the
 * descriptor over, so that a role in an empty chroot logs for as long as it
 * lives.  When syslogd was restarted the descriptor is dead; the lost hook
 * (set by lib/privsep) asks the parent for a new one.
 *
 * Every line is at most LOG_LINE_MAX bytes; bytes that are not printable
 * ASCII are written as \xNN, so no stranger writes into a log.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include <stdarg.h>
#include <syslog.h>
#include <time.h>

#define LOG_LINE_MAX	1024

enum log_dest {
	LOG_TO_STDERR,
	LOG_TO_SYSLOG,		/* a connected datagram socket */
	LOG_TO_FILE
};

/* Before log_use() lines go to stderr. daemon and role must stay valid. */
void	log_init(const char *daemon, const char *role);
/* Use fd from now on; takes it over and closes the one before. */
void	log_use(enum log_dest, int fd, int json);
void	log_verbose(int level);		/* 0 info, 1 debug, 2 every message */
int	log_level(void);
void	log_lost_hook(void (*)(void));
/* Open the destination: -1 with errno. path only for LOG_TO_FILE. */
int	log_open(enum log_dest, const char *path);

void	log_warn(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	log_warnx(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	log_info(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	log_debug(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	log_trace(const char *, ...) __attribute__((__format__(printf, 1, 2)));

/*
 * A limit for lines that a stranger can cause at will; static, one a place.
 * 1 if a line may be written now: LOG_LIMIT a second, and then one that says
 * how many were not.
 */
#define LOG_LIMIT	10

struct log_limit {
	time_t		second;
	unsigned int	lines;
	unsigned int	lost;
};
int	log_allowed(struct log_limit *);

/* For start-up only: log and exit 1.  No stranger can cause one. */
__attribute__((__format__(printf, 1, 2), __noreturn__))
void	fatal(const char *, ...);
__attribute__((__format__(printf, 1, 2), __noreturn__))
void	fatalx(const char *, ...);

#endif
