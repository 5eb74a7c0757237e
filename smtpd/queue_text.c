/*
 * queue_text: the text of a message, as a descriptor to hand on.
 *
 * A small one came in a sealed descriptor that is kept for its delivery; after
 * a restart it is read back from the journal, and checked.  A large one is a
 * file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "os/os.h"
#include "smtpd/queue.h"

#define FDS_MAX		2000		/* texts kept open */

static size_t	nfds;

static int
text_from_journal(struct message *m)
{
	uint32_t	 head[2];
	char		*p = NULL;
	size_t		 len = m->env.size;
	int		 fd = -1;

	if (journal_read(&m->place, 0, head, sizeof(head)) !=
	    (ssize_t)sizeof(head) || (p = malloc(len + 1)) == NULL ||
	    journal_read(&m->place, 8 + (size_t)head[0], p, len) !=
	    (ssize_t)len)
		goto done;
	if (crc32(crc32(0, NULL, 0), (Bytef *)p, len) != head[1]) {
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

int
message_text_fd(struct message *m)
{
	char	name[QUEUEID_SIZE];

	if (m->env.spooled) {
		queueid_text(m->id, name);
		return (openat(queue_large(), name, O_RDONLY | O_CLOEXEC |
		    O_NOFOLLOW));
	}
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
