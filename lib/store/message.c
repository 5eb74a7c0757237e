/*
 * message: a message's bytes.
 *
 * One open, one read, one pass; an fstat where its size is needed.  If the file
 * is not where the index says, somebody renamed it: the directories are read
 * once, and the index knows again.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "store/crlf.h"
#include "store/file.h"
#include "store/files.h"
#include "store/sync.h"
#include "store/view.h"

#define MESSAGE_MAX	(1UL << 31)	/* bytes that are read into memory */

static enum store_error mbox_message_fd(struct mailbox *, uint32_t, int *);

enum store_error
message_open(struct mailbox *mb, uint32_t seq, int *fd)
{
	struct view_entry e;
	struct index_mut m;
	char name[NAME_MAX + 1];
	enum store_error error;
	int dirfd, try;

	for (try = 0; try < 2; try++) {
		if ((error = view_record(mb, seq, &e, NULL, &m)) != STORE_OK)
			return (error);
		if ((m.state & REC_LIVE) == 0)
			return (STORE_NOENT);
		if (files_path(mb->f, e.slot, &m, &dirfd, name) == -1)
			return (STORE_CORRUPT);
		if ((*fd = file_open_unseen(dirfd, name)) != -1)
			return (STORE_OK);
		if (errno != ENOENT)
			return (store_errno());
		if (try == 0 && (error = folder_sync(mb->f, 1)) != STORE_OK)
			return (error);
	}
	return (STORE_NOENT);
}

enum store_error
mailbox_message_fd(struct mailbox *mb, uint32_t seq, int *fd)
{
	*fd = -1;
	if (mb->mbox != NULL)
		return (mbox_message_fd(mb, seq, fd));
	return (message_open(mb, seq, fd));
}

/* A message of an mbox is no file: make it one, in memory. */
static enum store_error
mbox_message_fd(struct mailbox *mb, uint32_t seq, int *fd)
{
	struct message_text text;
	enum store_error error;

	if ((error = mbox_text(mb->mbox, seq, &text)) != STORE_OK)
		return (error);
#ifdef __linux__
	*fd = memfd_create("message", MFD_CLOEXEC);
#else
	errno = ENOTSUP;
#endif
	if (*fd == -1 || os_write_all(*fd, text.data, text.len) == -1 ||
	    lseek(*fd, 0, SEEK_SET) == -1) {
		error = STORE_SYS;
		if (*fd != -1)
			close(*fd);
		*fd = -1;
	}
	message_text_free(&text);
	return (error);
}

enum store_error
mailbox_message_text(struct mailbox *mb, uint32_t seq,
    struct message_text *text)
{
	enum store_error error;
	int fd;

	memset(text, 0, sizeof(*text));
	if (mb->mbox != NULL)
		return (mbox_text(mb->mbox, seq, text));
	if ((error = message_open(mb, seq, &fd)) != STORE_OK)
		return (error);
	error = message_read(fd, text);
	close(fd);
	/* A size in a file's name is somebody's word; this is the fact. */
	if (error == STORE_OK)
		message_sized(mb, seq, text->len, crlf_text(text->data,
		    text->len));
	return (error);
}

enum store_error
message_read(int fd, struct message_text *text)
{
	struct stat st;
	char *buf, *more;
	size_t size, done = 0, add;
	ssize_t n;

	if (file_stat(fd, &st) == -1)
		return (store_errno());
	if ((uintmax_t)st.st_size > MESSAGE_MAX)
		return (STORE_LIMIT);
	size = (size_t)st.st_size;
	/* Room for a CR in each line of 32 bytes or more. */
	add = size / 32 + 64;
	if ((buf = malloc(size + add)) == NULL)
		return (STORE_SYS);
	while (done < size) {
		n = pread(fd, buf + add + done, size - done, (off_t)done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			free(buf);
			return (store_errno());
		}
		if (n == 0)
			break;
		done += (size_t)n;
	}
	text->len = done + crlf_count(buf + add, done);
	if (text->len > size + add) {
		if ((more = malloc(text->len)) == NULL) {
			free(buf);
			return (STORE_SYS);
		}
		memcpy(more + (text->len - done), buf + add, done);
		free(buf);
		buf = more;
	} else
		memmove(buf + (text->len - done), buf + add, done);
	crlf_expand(buf, text->len, done);
	text->data = buf;
	return (STORE_OK);
}

void
message_text_free(struct message_text *text)
{
	free(text->data);
	memset(text, 0, sizeof(*text));
}
