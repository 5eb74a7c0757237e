/*
 * source: the files that a configuration names: their owner, mode and text.
 *
 * Runs in the parent and in mailctl, before anything else is started.  It
 * opens files for reading and nothing more.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "os/compat.h"
#include "conf/source.h"

/* The complaint that follows the path, or NULL. */
static const char *
trust_fault(const struct stat *st, enum source_trust trust)
{
	if (!S_ISREG(st->st_mode))
		return ("is no regular file; name one");
	if ((st->st_mode & S_IWOTH) != 0)
		return ("may be written by others; chmod o-w it");
	if (trust == SOURCE_SECRET && (st->st_mode & S_IROTH) != 0)
		return ("holds secrets and may be read by others; "
		    "chmod o-rwx it");
	if (trust == SOURCE_PLAIN || trust == SOURCE_SECRET)
		return (NULL);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return ("belongs to somebody else; chown it to root");
	if ((st->st_mode & S_IWGRP) != 0)
		return ("may be written by its group; chmod g-w it");
	if (trust == SOURCE_KEY && (st->st_mode & (S_IRGRP | S_IROTH)) != 0)
		return ("is a private key and may be read by others; "
		    "chmod 0600 it");
	return (NULL);
}

static int
check_stat(const char *path, const struct stat *st, enum source_trust trust,
    struct report *report, const struct conf_pos *pos)
{
	const char *fault;

	if ((fault = trust_fault(st, trust)) == NULL)
		return (0);
	report_error(report, pos, "%s %s", path, fault);
	return (-1);
}

int
source_check(const char *path, enum source_trust trust,
    struct report *report, const struct conf_pos *pos)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return (check_stat(path, &st, trust, report, pos));
	if (errno == EACCES && geteuid() != 0) {
		report_warning(report, pos, "%s cannot be looked at: %s; "
		    "run the check as root", path, strerror(errno));
		return (0);
	}
	report_error(report, pos, "%s: %s; create it or correct the path",
	    path, strerror(errno));
	return (-1);
}

/* Read len bytes and find the end there: a file that grows is no file. */
static char *
read_all(int fd, size_t len)
{
	char *text;
	size_t done = 0;
	ssize_t n;

	if ((text = malloc(len + 1)) == NULL)
		return (NULL);
	while (done < len) {
		if ((n = read(fd, text + done, len - done)) == -1) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (n == 0) {
			errno = EIO;
			break;
		}
		done += (size_t)n;
	}
	if (done != len) {
		free(text);
		return (NULL);
	}
	text[len] = '\0';
	return (text);
}

/* An editor's mark of UTF-8 is no part of the first word. */
static void
cut_mark(char *text, size_t *len)
{
	if (*len < 3 || memcmp(text, "\xef\xbb\xbf", 3) != 0)
		return;
	*len -= 3;
	memmove(text, text + 3, *len + 1);
}

char *
source_read(const char *path, enum source_trust trust, size_t *len,
    struct report *report, const struct conf_pos *pos)
{
	struct stat st;
	char *text = NULL;
	int fd;

	/* Not to wait for the writer of a fifo. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1) {
		report_error(report, pos, "%s: %s; create it or correct the "
		    "path", path, strerror(errno));
		goto done;
	}
	if (check_stat(path, &st, trust, report, pos) == -1)
		goto done;
	if (st.st_size < 0 || st.st_size > SOURCE_MAX) {
		report_error(report, pos, "%s is larger than %d bytes; "
		    "split it", path, SOURCE_MAX);
		goto done;
	}
	*len = (size_t)st.st_size;
	if ((text = read_all(fd, *len)) == NULL)
		report_error(report, pos, "%s: %s; try again", path,
		    strerror(errno));
	else
		cut_mark(text, len);
done:
	if (fd != -1)
		(void)close(fd);
	return (text);
}
