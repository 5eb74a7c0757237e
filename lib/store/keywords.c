/*
 * keywords: what the letters a to z in a folder's file names mean.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "store/file.h"
#include "store/keywords.h"

#define KEYWORDS_SIZE	65536		/* bytes of a sane file */

static int keyword_ok(const char *);
static int keywords_save(const struct keywords *, int);
static void keywords_parse(struct keywords *, char *);

void
keywords_free(struct keywords *k)
{
	size_t i;

	for (i = 0; i < STORE_KEYWORDS; i++)
		free(k->name[i]);
	memset(k, 0, sizeof(*k));
}

int
keywords_load(struct keywords *k, int dirfd)
{
	struct stat st;
	char *data;
	size_t len;

	if (fstatat(dirfd, KEYWORDS_FILE, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (st.st_ino == k->ino && st.st_size == k->size &&
	    st.st_mtim.tv_sec == k->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == k->mtime.tv_nsec)
		return (0);
	if ((data = file_read(dirfd, KEYWORDS_FILE, KEYWORDS_SIZE, &len)) ==
	    NULL)
		return (-1);
	keywords_free(k);
	keywords_parse(k, data);
	free(data);
	k->ino = st.st_ino;
	k->size = st.st_size;
	k->mtime = st.st_mtim;
	return (0);
}

static void
keywords_parse(struct keywords *k, char *data)
{
	char *line, *name;
	const char *errstr;
	int i;

	while ((line = strsep(&data, "\n")) != NULL) {
		if ((name = strchr(line, ' ')) == NULL)
			continue;
		*name++ = '\0';
		i = (int)strtonum(line, 0, STORE_KEYWORDS - 1, &errstr);
		if (errstr != NULL || !keyword_ok(name) ||
		    k->name[i] != NULL || keywords_find(k, name) != -1)
			continue;
		k->name[i] = strdup(name);
	}
}

/* An IMAP flag-keyword: an atom (RFC 3501 9). */
static int
keyword_ok(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("(){%*\"\\]", *p))
			return (0);
	return (p > name && p - name <= KEYWORD_MAX);
}

int
keywords_find(const struct keywords *k, const char *name)
{
	int i;

	for (i = 0; i < STORE_KEYWORDS; i++)
		if (k->name[i] != NULL && strcasecmp(k->name[i], name) == 0)
			return (i);
	return (-1);
}

int
keywords_add(struct keywords *k, int dirfd, const char *name)
{
	struct stat st;
	int i;

	if (!keyword_ok(name) || keywords_load(k, dirfd) == -1)
		return (-1);
	if ((i = keywords_find(k, name)) != -1)
		return (i);
	for (i = 0; i < STORE_KEYWORDS && k->name[i] != NULL; i++)
		continue;
	if (i == STORE_KEYWORDS || (k->name[i] = strdup(name)) == NULL)
		return (-1);
	if (keywords_save(k, dirfd) == -1) {
		free(k->name[i]);
		k->name[i] = NULL;
		return (-1);
	}
	if (fstatat(dirfd, KEYWORDS_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		k->ino = st.st_ino;
		k->size = st.st_size;
		k->mtime = st.st_mtim;
	}
	return (i);
}

static int
keywords_save(const struct keywords *k, int dirfd)
{
	char text[STORE_KEYWORDS * (KEYWORD_MAX + 5)];
	size_t len = 0;
	int i, n;

	for (i = 0; i < STORE_KEYWORDS; i++) {
		if (k->name[i] == NULL)
			continue;
		n = snprintf(text + len, sizeof(text) - len, "%d %s\n", i,
		    k->name[i]);
		if (n < 0 || (size_t)n >= sizeof(text) - len)
			return (-1);
		len += (size_t)n;
	}
	return (file_replace(dirfd, KEYWORDS_FILE, text, len));
}
