/*
 * submit_keep: see submit_keep.h.  A file is
 *
 *	postern 1 LENGTH		of all that follows this line
 *	sender ADDRESS
 *	rcpt ADDRESS			one or more
 *	origin DOMAIN
 *	notify, ret, envid VALUE	perhaps
 *	text HEADER BODY		lengths, and then as many bytes
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf/buf.h"
#include "daemon/submit_keep.h"
#include "os/compat.h"
#include "os/os.h"

#define MAGIC		"postern 1 "
#define LINE_BYTES	1100
#define TRIES		10

int
keep_dir(const char *spool, char *path, size_t size)
{
	int	n = snprintf(path, size, "%s-handover", spool);

	return (n < 0 || (size_t)n >= size ? -1 : 0);
}

int
keep_open(const char *path, uid_t owner)
{
	struct stat	st;
	int		fd;

	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1 && errno == EACCES)
		fd = open(path, OS_O_SEARCH | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
	if (fd == -1)
		return (-1);
	if (fstat(fd, &st) == -1 || st.st_uid != owner ||
	    ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)) {
		close(fd);
		errno = EPERM;
		return (-1);
	}
	return (fd);
}

int
keep_name_uid(const char *name, uid_t *uid)
{
	const char	*dot = strchr(name, '.'), *why;
	char		 number[16];

	if (dot == NULL || dot == name || *name < '0' || *name > '9' ||
	    (size_t)(dot - name) >= sizeof(number) ||
	    strspn(dot + 1, "0123456789abcdef") != 16 || dot[17] != '\0')
		return (-1);
	memcpy(number, name, (size_t)(dot - name));
	number[dot - name] = '\0';
	*uid = (uid_t)strtonum(number, 0, UINT32_MAX - 1, &why);
	return (why == NULL ? 0 : -1);
}

static int
add_line(struct buf *b, const char *key, const char *value)
{
	if (value == NULL)
		return (0);
	if (strchr(value, '\n') != NULL || strlen(value) + 16 > LINE_BYTES) {
		errno = EINVAL;
		return (-1);
	}
	return (buf_printf(b, "%s %s\n", key, value));
}

/* All but the text itself. */
static int
print_envelope(struct buf *b, const struct submit_mail *m, const char *origin)
{
	size_t	i;

	if (add_line(b, "sender", m->sender) == -1 ||
	    add_line(b, "origin", origin) == -1 ||
	    add_line(b, "notify", m->notify) == -1 ||
	    add_line(b, "ret", m->ret) == -1 ||
	    add_line(b, "envid", m->envid) == -1)
		return (-1);
	for (i = 0; i < m->nrcpts; i++)
		if (add_line(b, "rcpt", m->rcpts[i].address) == -1)
			return (-1);
	return (buf_printf(b, "text %zu %zu\n", m->headerlen, m->len));
}

static int
write_file(int fd, const struct submit_mail *m, const char *origin)
{
	struct buf	b;
	char		first[64];
	int		n, rv = -1;

	buf_init(&b, SUBMIT_RCPTS_MAX * (size_t)LINE_BYTES);
	if (print_envelope(&b, m, origin) == 0) {
		n = snprintf(first, sizeof(first), MAGIC "%zu\n",
		    buf_len(&b) + m->headerlen + m->len);
		if (os_write_all(fd, first, (size_t)n) == 0 &&
		    os_write_all(fd, buf_data(&b), buf_len(&b)) == 0 &&
		    os_write_all(fd, m->header, m->headerlen) == 0 &&
		    os_write_all(fd, m->text, m->len) == 0)
			rv = 0;
	}
	buf_free(&b);
	return (rv);
}

/* The file, and its name in a directory that we may not read. */
static int
sync_file(int fd)
{
	if (fsync(fd) == -1)
		return (-1);
	if (os_syncfs(fd) == 0)
		return (0);
	if (errno == ENOSYS) {
		sync();
		return (0);
	}
	return (-1);
}

static int
create(int dir, uid_t uid, char name[KEEP_NAME])
{
	uint64_t	n;
	int		fd, i;

	for (i = 0; i < TRIES; i++) {
		arc4random_buf(&n, sizeof(n));
		snprintf(name, KEEP_NAME, "%u.%016llx", (unsigned int)uid,
		    (unsigned long long)n);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd != -1 || errno != EEXIST)
			return (fd);
	}
	return (-1);
}

int
keep_write(int dir, uid_t uid, gid_t gid, const struct submit_mail *m,
    const char *origin)
{
	char	name[KEEP_NAME];
	int	fd, save;

	if ((fd = create(dir, uid, name)) == -1)
		return (-1);
	if (os_lock(fd) == 0 &&
	    (geteuid() == uid || fchown(fd, uid, gid) == 0) &&
	    write_file(fd, m, origin) == 0 && sync_file(fd) == 0) {
		close(fd);
		return (0);
	}
	/* Who calls says that it failed: it must not be sent as well. */
	save = errno;
	if (unlinkat(dir, name, 0) == -1 && ftruncate(fd, 0) == -1)
		save = errno;		/* the disk does nothing any more */
	close(fd);
	errno = save;
	return (-1);
}

int
keep_take(int dir, const char *name, size_t max, struct stat *st)
{
	int	fd, save;

	if ((fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC)) == -1)
		return (-1);
	/* Locked first: who gave it up has unlinked it by then. */
	if (os_lock(fd) == 0 && fstat(fd, st) == 0) {
		if (S_ISREG(st->st_mode) && st->st_uid == getuid() &&
		    st->st_nlink == 1 && st->st_size > 0 &&
		    (uintmax_t)st->st_size <= max)
			return (fd);
		errno = EPERM;
	}
	save = errno;
	close(fd);
	errno = save;
	return (-1);
}

/* The next line, terminated in place; NULL if there is none of that kind. */
static char *
next_line(char **p, char *end)
{
	char	*line = *p, *nl;
	size_t	 left = (size_t)(end - line);

	if (left > LINE_BYTES)
		left = LINE_BYTES;
	if (left == 0 || (nl = memchr(line, '\n', left)) == NULL ||
	    memchr(line, '\0', (size_t)(nl - line)) != NULL)
		return (NULL);
	*nl = '\0';
	*p = nl + 1;
	return (line);
}

static char *
value_of(char *line, const char *key)
{
	size_t	n = strlen(key);

	return (strncmp(line, key, n) == 0 && line[n] == ' ' ? line + n + 1 :
	    NULL);
}

static int
set(char **slot, const char *value)
{
	if (*slot != NULL)
		return (-1);		/* twice */
	return ((*slot = strdup(value)) == NULL ? -1 : 0);
}

static int
take_line(struct keep *k, char *line)
{
	char	*v;

	if ((v = value_of(line, "rcpt")) != NULL)
		return (*v == '\0' ? -1 : submit_add_rcpt(&k->mail, v));
	if ((v = value_of(line, "sender")) != NULL)
		return (set(&k->mail.sender, v));
	if ((v = value_of(line, "origin")) != NULL)
		return (set(&k->origin, v));
	if ((v = value_of(line, "notify")) != NULL)
		return (set(&k->mail.notify, v));
	if ((v = value_of(line, "ret")) != NULL)
		return (set(&k->mail.ret, v));
	if ((v = value_of(line, "envid")) != NULL)
		return (set(&k->mail.envid, v));
	return (-1);
}

/* "HEADER BODY", which must be what is left. */
static int
take_text(struct keep *k, const char *v, char *p, const char *end)
{
	unsigned long long	h, n;
	char			*rest;

	errno = 0;
	h = strtoull(v, &rest, 10);
	if (*v < '0' || *v > '9' || *rest != ' ' || rest[1] < '0' ||
	    rest[1] > '9')
		return (-1);
	n = strtoull(rest + 1, &rest, 10);
	if (errno != 0 || *rest != '\0' || h > (size_t)(end - p) ||
	    n != (size_t)(end - p) - h)
		return (-1);
	k->mail.header = p;
	k->mail.headerlen = (size_t)h;
	k->mail.text = p + h;
	k->mail.len = (size_t)n;
	return (0);
}

static int
parse(struct keep *k, char *p, char *end)
{
	unsigned long long	 len;
	char			*line, *v, *rest;

	if ((line = next_line(&p, end)) == NULL ||
	    strncmp(line, MAGIC, strlen(MAGIC)) != 0)
		return (-1);
	v = line + strlen(MAGIC);
	errno = 0;
	len = strtoull(v, &rest, 10);
	if (*v < '0' || *v > '9' || errno != 0 || *rest != '\0' ||
	    len != (size_t)(end - p))
		return (-1);
	while ((line = next_line(&p, end)) != NULL) {
		if ((v = value_of(line, "text")) != NULL)
			return (k->mail.sender == NULL || k->origin == NULL ||
			    k->mail.nrcpts == 0 ? -1 :
			    take_text(k, v, p, end));
		if (take_line(k, line) == -1)
			return (-1);
	}
	return (-1);
}

int
keep_parse(struct keep *k, char *bytes, size_t len)
{
	memset(k, 0, sizeof(*k));
	k->bytes = bytes;
	return (parse(k, bytes, bytes + len));
}

void
keep_free(struct keep *k)
{
	submit_mail_free(&k->mail);
	free(k->origin);
	free(k->bytes);
	memset(k, 0, sizeof(*k));
}
