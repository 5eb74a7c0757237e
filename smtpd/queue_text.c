/*
 * queue_text: the text of a message, as a descriptor to hand on.
 *
 * A small one came in a sealed descriptor that is kept for its delivery; after
 * a restart it is read back from the journal, and checked.  A large one is a
 * file.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "log/log.h"
#include "os/os.h"
#include "smtpd/queue.h"

#define FDS_MAX		2000		/* texts kept open */

static size_t	nfds;

/* What is left of a text whose checksum is wrong, for who repairs by hand. */
static void
set_aside(const struct message *m, const char *p, size_t len)
{
	char	name[64], id[QUEUEID_SIZE];
	int	fd;

	queueid_text(m->id, id);
	(void)snprintf(name, sizeof(name), "damaged/%s", id);
	fd = openat(queue_spool(), name, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	log_warnx("%s: the text is damaged on the disk; %s", id, fd != -1 &&
	    write(fd, p, len) == (ssize_t)len ? "a copy is in damaged/" :
	    "no copy could be made");
	if (fd != -1)
		close(fd);
}

static int
text_from_journal(struct message *m)
{
	uint32_t	 head[2];
	char		*p = NULL;
	size_t		 len = m->env.size;
	int		 fd = -1;

	/* A short read sets none, and an old EBADMSG would fail it for good. */
	errno = EIO;
	if (journal_read(&m->place, 0, head, sizeof(head)) !=
	    (ssize_t)sizeof(head) || (p = malloc(len + 1)) == NULL ||
	    journal_read(&m->place, 8 + (size_t)head[0], p, len) !=
	    (ssize_t)len)
		goto done;
	if (crc32(crc32(0, NULL, 0), (Bytef *)p, len) != head[1]) {
		set_aside(m, p, len);
		errno = EBADMSG;
		goto done;
	}
	if ((fd = os_anonfile("message")) == -1)
		goto done;
	if (write(fd, p, len) != (ssize_t)len || (os_anonfile_seal(fd) == -1 &&
	    errno != ENOSYS)) {
		close(fd);
		fd = -1;
	}
done:
	free(p);
	return (fd);
}

/* A file that is not what was written is set aside whole. */
static int
text_from_file(struct message *m)
{
	char		name[QUEUEID_SIZE], to[64];
	struct stat	st;
	int		fd;

	queueid_text(m->id, name);
	if ((fd = openat(queue_large(), name, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW)) == -1 || fstat(fd, &st) == -1)
		return (fd);
	if ((uint64_t)st.st_size == m->env.size)
		return (fd);
	close(fd);
	(void)snprintf(to, sizeof(to), "../damaged/%s", name);
	log_warnx("%s: the text is damaged on the disk; %s", name,
	    renameat(queue_large(), name, queue_large(), to) == 0 ?
	    "it is now in damaged/" : "it cannot be set aside");
	errno = EBADMSG;
	return (-1);
}

void
large_name(uint64_t id, const char *suffix, char *to, size_t size)
{
	char	text[QUEUEID_SIZE];

	queueid_text(id, text);
	snprintf(to, size, "%s%s", text, suffix);
}

void
large_remove(uint64_t id, const char *suffix)
{
	char	name[32];

	large_name(id, suffix, name, sizeof(name));
	if (unlinkat(queue_large(), name, 0) == -1 && errno != ENOENT)
		log_warn("large/%s", name);
}

void
recipient_unreadable(struct recipient *r)
{
	if (errno == EBADMSG || (errno == ENOENT && r->m->env.spooled))
		recipient_failed(r, "554 5.3.0 the message was damaged on "
		    "our disk", NULL);
	else {
		log_warn("text of a message");
		recipient_deferred(r, "451 4.3.0 the message cannot be read "
		    "now", NULL);
	}
}

int
message_text_fd(struct message *m)
{
	if (m->env.spooled)
		return (text_from_file(m));
	if (m->fd == -1) {
		if ((m->fd = text_from_journal(m)) == -1)
			return (-1);
		nfds++;
	}
	if (nfds > FDS_MAX) {
		int fd = m->fd;

		m->fd = -1;
		nfds--;
		return (fd);
	}
	return (fcntl(m->fd, F_DUPFD_CLOEXEC, 3));
}

void
message_keep_text(struct message *m, int fd)
{
	if (nfds >= FDS_MAX) {
		close(fd);
		return;
	}
	m->fd = fd;
	nfds++;
}

void
message_close_text(struct message *m)
{
	if (m->fd == -1)
		return;
	close(m->fd);
	m->fd = -1;
	nfds--;
}
