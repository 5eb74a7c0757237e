/*
 * subscribe: the names in the file "subscriptions".
 *
 * Dovecot's first form is a name a line, levels separated by '.'; its second
 * begins with "V\t2" and an empty line and has tabs between levels.  Names are
 * in modified UTF-7.  The form that is found is kept; ours is the second.
 */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf/buf.h"
#include "os/compat.h"
#include "store/file.h"
#include "store/lock.h"
#include "store/name.h"
#include "store/subscribe.h"

#define SUBSCRIPTIONS_SIZE (4U << 20)

static int line_name(const char *, int, char *, size_t);
static enum store_error subscribe_change(struct store *, const char *, int);

enum store_error
subscribe_each(int rootfd, int (*cb)(void *, const char *), void *arg)
{
	char name[FOLDER_NAME_MAX], *data, *p, *line;
	size_t len;
	int v2;

	data = file_read(rootfd, SUBSCRIPTIONS, SUBSCRIPTIONS_SIZE, &len);
	if (data == NULL)
		return (errno == ENOENT ? STORE_OK : store_errno());
	p = data;
	if ((v2 = strncmp(p, SUBSCRIBE_V2, strlen(SUBSCRIBE_V2)) == 0))
		p += strlen(SUBSCRIBE_V2);
	while ((line = strsep(&p, "\n")) != NULL) {
		if (line_name(line, v2, name, sizeof(name)) == -1)
			continue;
		if (cb(arg, name) != 0)
			break;
	}
	free(data);
	return (STORE_OK);
}

static int
line_name(const char *line, int v2, char *name, size_t len)
{
	char utf7[NAME_MAX * 2], *p;

	if (*line == '\0' ||
	    strlcpy(utf7, line, sizeof(utf7)) >= sizeof(utf7))
		return (-1);
	for (p = utf7; *p != '\0'; p++)
		if (*p == (v2 ? '\t' : '.'))
			*p = '/';
	if (name_utf8(utf7, name, len) == -1 || name_check(name) == -1)
		return (-1);
	if (name_is_inbox(name))
		strlcpy(name, "INBOX", len);
	return (0);
}

int
subscribe_line(const char *name, int v2, char *line, size_t len)
{
	char *p;

	if (name_mutf7(name_is_inbox(name) ? "INBOX" : name, line, len) == -1)
		return (-1);
	for (p = line; *p != '\0'; p++)
		if (*p == '/')
			*p = v2 ? '\t' : '.';
	return (0);
}

enum store_error
store_subscribe(struct store *st, const char *name, int on)
{
	char dirname[NAME_MAX + 1];
	enum store_error error;
	int fd;

	if (st->mbox != NULL)
		return (name_is_inbox(name) ? STORE_OK : STORE_NOENT);
	if (name_to_dir(name, dirname, sizeof(dirname)) == -1)
		return (STORE_NAME);
	if ((fd = lock_file(st->root, LOCK_FILE, LOCK_LONG)) == -1)
		return (store_errno());
	error = subscribe_change(st, name, on);
	close(fd);
	return (error);
}

/* The file again, without or with one line. */
static enum store_error
subscribe_change(struct store *st, const char *name, int on)
{
	char want[NAME_MAX * 2], *data, *p, *line;
	struct buf out;
	enum store_error error = STORE_SYS;
	size_t len;
	int v2 = 1, found = 0;

	buf_init(&out, SUBSCRIPTIONS_SIZE + NAME_MAX * 2);
	data = file_read(st->root, SUBSCRIPTIONS, SUBSCRIPTIONS_SIZE, &len);
	if (data == NULL && errno != ENOENT)
		return (store_errno());
	if ((p = data) != NULL &&
	    (v2 = strncmp(p, SUBSCRIBE_V2, strlen(SUBSCRIBE_V2)) == 0))
		p += strlen(SUBSCRIBE_V2);
	if (subscribe_line(name, v2, want, sizeof(want)) == -1) {
		error = STORE_NAME;
		goto done;
	}
	if (v2 && buf_puts(&out, SUBSCRIBE_V2) == -1)
		goto done;
	while (p != NULL && (line = strsep(&p, "\n")) != NULL) {
		if (strcmp(line, want) == 0 && (!on || found++))
			continue;
		if (*line != '\0' && buf_printf(&out, "%s\n", line) == -1)
			goto done;
	}
	if (on && !found && buf_printf(&out, "%s\n", want) == -1)
		goto done;
	error = file_replace(st->root, SUBSCRIPTIONS, buf_data(&out),
	    buf_len(&out)) == -1 ? store_errno() : STORE_OK;
done:
	free(data);
	buf_free(&out);
	return (error);
}
