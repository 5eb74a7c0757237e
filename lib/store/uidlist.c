/*
 * uidlist: Dovecot's dovecot-uidlist and dovecot-uidvalidity.
 *
 *	3 V1190129035 N235 G2a6a9f...		version, UIDVALIDITY, next UID
 *	25006 W2481 :1276528487.M364837P9451.kurkku,S=1355:2,
 *	25007 P1100000.M1 :1276528490.M2P9451.kurkku	an id for POP3
 *
 * Version 1 has "1 uidvalidity uidnext" and "uid name".  The file is the
 * user's: bad lines are passed over, never believed.
 */
#include <sys/file.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/file.h"
#include "store/info.h"
#include "store/uidlist.h"

static int number(const char *, uint64_t, uint64_t *);
static int uidlist_header(char *, uint32_t *, uint32_t *);
static int uidlist_line(char *, uint32_t, struct seeds *, uint32_t *);
static int uidlist_pop3(struct seeds *, const char *);

int
uidlist_read(int dirfd, struct seeds *seeds, uint32_t *uidvalidity,
    uint32_t *uidnext)
{
	char *data;
	size_t len;
	int ret;

	if ((data = file_read(dirfd, UIDLIST_FILE, UIDLIST_MAX, &len)) == NULL)
		return (-1);
	ret = uidlist_parse(data, len, seeds, uidvalidity, uidnext);
	free(data);
	return (ret);
}

int
uidlist_parse(char *data, size_t len, struct seeds *seeds,
    uint32_t *uidvalidity, uint32_t *uidnext)
{
	char *line, *end = data + len, *nl;
	uint32_t last = 0;
	int version = 0;

	for (line = data; line < end; line = nl + 1) {
		if ((nl = memchr(line, '\n', (size_t)(end - line))) == NULL)
			break;		/* a line that is not complete */
		*nl = '\0';
		if (version == 0) {
			version = uidlist_header(line, uidvalidity, uidnext);
			if (version == -1)
				break;
		} else if (uidlist_line(line, (uint32_t)version, seeds,
		    &last) == -1)
			return (-1);
	}
	if (version <= 0) {
		errno = EBADMSG;
		return (-1);
	}
	if (last >= *uidnext)
		*uidnext = last == UINT32_MAX ? last : last + 1;
	return (0);
}

static int
uidlist_header(char *line, uint32_t *uidvalidity, uint32_t *uidnext)
{
	uint64_t v = 0, next = 0;
	char *word;
	int i, version;

	word = strsep(&line, " ");
	version = strcmp(word, "3") == 0 ? 3 : strcmp(word, "1") == 0 ? 1 : -1;
	for (i = 0; line != NULL && (word = strsep(&line, " ")) != NULL; i++) {
		if (version == 3 ? word[0] == 'V' : i == 0) {
			if (number(word + (version == 3), UINT32_MAX, &v) == -1)
				return (-1);
		} else if (version == 3 ? word[0] == 'N' : i == 1) {
			if (number(word + (version == 3), UINT32_MAX, &next) ==
			    -1)
				return (-1);
		}
	}
	if (v == 0 || next == 0)
		return (-1);
	*uidvalidity = (uint32_t)v;
	*uidnext = (uint32_t)next;
	return (version);
}

/* -1 only if there is no memory. */
static int
uidlist_line(char *line, uint32_t version, struct seeds *seeds,
    uint32_t *last)
{
	uint64_t uid, size = UINT64_MAX;
	struct seed *seed;
	char *word, *name, *pop3 = NULL;
	size_t len;

	word = strsep(&line, " ");
	if (line == NULL || number(word, UINT32_MAX - 1, &uid) == -1 ||
	    uid <= *last)
		return (0);
	name = line;
	if (version == 3) {
		/* Extensions up to the colon: "W2481 S1355 :name". */
		while (name != NULL && *name != ':') {
			word = strsep(&name, " ");
			if (word[0] == 'W' &&
			    number(word + 1, UINT64_MAX / 2, &size) == -1)
				size = UINT64_MAX;
			else if (word[0] == 'P')
				pop3 = word + 1;
		}
		if (name == NULL)
			return (0);
		name++;
	}
	len = strcspn(name, ":");
	*last = (uint32_t)uid;
	if (len == 0 || len > INFO_BASE_MAX || seeds_find(seeds, name, len))
		return (0);
	if ((seed = seeds_add(seeds, name, len, (uint32_t)uid)) == NULL)
		return (-1);
	seed->size = size;
	return (pop3 == NULL ? 0 : uidlist_pop3(seeds, pop3));
}

/* What is no id of RFC 1939 7 is passed over. */
static int
uidlist_pop3(struct seeds *seeds, const char *id)
{
	size_t len;

	for (len = 0; id[len] >= 0x21 && id[len] <= 0x7e; len++)
		continue;
	if (id[len] != '\0' || len == 0 || len > POP3_ID_MAX)
		return (0);
	return (seeds_pop3(seeds, id, len));
}

/* Digits only. */
static int
number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (*s == '\0')
		return (-1);
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' || n > max / 10 ||
		    n * 10 > max - (uint64_t)(*s - '0'))
			return (-1);
		n = n * 10 + (uint64_t)(*s - '0');
	}
	*out = n;
	return (0);
}

uint32_t
uidvalidity_next(int rootfd)
{
	char text[16] = "", *end;
	unsigned long last;
	uint32_t next = (uint32_t)time(NULL);
	int fd;

	fd = openat(rootfd, UIDVALIDITY_FILE, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd == -1)
		return (next);
	/* Held for two system calls; nobody is asked to wait long. */
	(void)flock(fd, LOCK_EX);
	if (pread(fd, text, sizeof(text) - 1, 0) > 0) {
		last = strtoul(text, &end, 16);
		if (last >= next && last < UINT32_MAX)
			next = (uint32_t)last + 1;
	}
	snprintf(text, sizeof(text), "%08x", (unsigned int)next);
	/* If it cannot be kept, the clock still makes it a new one. */
	if (pwrite(fd, text, 8, 0) != 8 || ftruncate(fd, 8) == -1)
		next++;
	close(fd);
	return (next);
}
