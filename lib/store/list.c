/*
 * list: which mailboxes there are.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/file.h"
#include "store/folder.h"
#include "store/name.h"
#include "store/subscribe.h"
#include "store/use.h"

#define LIST_MAX	100000		/* names, levels counted */

#define NAME_EXISTS	0x01
#define NAME_PARENT	0x02
#define NAME_SUBSCRIBED	0x04

struct listing {
	struct listed {
		char		*name;
		unsigned int	 is;	/* NAME_*, LIST_USE */
	}	*list;
	size_t	 n, cap;
	unsigned int	 uses;	/* LIST_USE that some were made for */
};

static enum store_error listing_read(struct store *, struct listing *);
static int listing_add(struct listing *, const char *, unsigned int);
static int listing_folder(struct listing *, const char *, unsigned int);
static int listing_subscribed(void *, const char *);
static unsigned int listing_flags(const struct listing *,
    const struct listed *);
static int listing_compare(const void *, const void *);
static void listing_merge(struct listing *);

enum store_error
store_list(struct store *st, store_list_cb cb, void *arg)
{
	struct listing l = { 0 };
	enum store_error error = STORE_OK;
	size_t i;

	if (st->mbox != NULL) {
		(void)cb(arg, "INBOX", LIST_SUBSCRIBED);
		return (STORE_OK);
	}
	if (listing_add(&l, "INBOX", NAME_EXISTS) == -1)
		error = STORE_SYS;
	if (error == STORE_OK)
		error = listing_read(st, &l);
	if (error == STORE_OK)
		error = subscribe_each(st->root, listing_subscribed, &l);
	if (error == STORE_OK)
		listing_merge(&l);
	for (i = 0; i < l.n && error == STORE_OK; i++)
		if (cb(arg, l.list[i].name, listing_flags(&l,
		    &l.list[i])) != 0)
			break;
	for (i = 0; i < l.n; i++)
		free(l.list[i].name);
	free(l.list);
	return (error);
}

static unsigned int
listing_flags(const struct listing *l, const struct listed *p)
{
	unsigned int flags = 0;

	if (p->is & NAME_PARENT)
		flags |= LIST_CHILDREN;
	if (p->is & NAME_SUBSCRIBED)
		flags |= LIST_SUBSCRIBED;
	if ((p->is & NAME_EXISTS) == 0)
		return (flags | (p->is & NAME_PARENT ? LIST_NOSELECT :
		    LIST_NOEXIST));
	if (p->is & LIST_USES)
		return (flags | (p->is & LIST_USES));
	return (flags | (use_of_name(p->name) & ~l->uses));
}

static enum store_error
listing_read(struct store *st, struct listing *l)
{
	char name[FOLDER_NAME_MAX], cur[NAME_MAX + 8];
	struct dirent *e;
	struct stat sb;
	DIR *dir;
	int fd, n, ret = 0, bad;

	fd = openat(st->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return (store_errno());
	}
	while (ret == 0 && (e = file_next(dir)) != NULL) {
		if (e->d_name[0] != '.' || (e->d_type != DT_DIR &&
		    e->d_type != DT_UNKNOWN) ||
		    name_from_dir(e->d_name, name, sizeof(name)) == -1)
			continue;
		n = snprintf(cur, sizeof(cur), "%s/cur", e->d_name);
		if (n < 0 || (size_t)n >= sizeof(cur) || fstatat(st->root,
		    cur, &sb, AT_SYMLINK_NOFOLLOW) == -1 ||
		    !S_ISDIR(sb.st_mode))
			continue;
		ret = listing_folder(l, name, use_read(st->root, e->d_name));
	}
	/* All of them, or who counts counts too little. */
	bad = ret == 0 && errno != 0;
	closedir(dir);
	return (ret == 0 && !bad ? STORE_OK : l->n >= LIST_MAX ?
	    STORE_LIMIT : STORE_SYS);
}

/* A folder, and that the levels above it have one below. */
static int
listing_folder(struct listing *l, const char *name, unsigned int use)
{
	char up[FOLDER_NAME_MAX], *p;

	l->uses |= use;
	if (listing_add(l, name, NAME_EXISTS | use) == -1)
		return (-1);
	strlcpy(up, name, sizeof(up));
	while ((p = strrchr(up, '/')) != NULL) {
		*p = '\0';
		if (listing_add(l, up, NAME_PARENT) == -1)
			return (-1);
	}
	return (0);
}

static int
listing_subscribed(void *arg, const char *name)
{
	return (listing_add(arg, name, NAME_SUBSCRIBED));
}

static int
listing_add(struct listing *l, const char *name, unsigned int is)
{
	struct listed *p;
	size_t cap;

	if (l->n >= LIST_MAX)
		return (-1);
	if (l->n == l->cap) {
		cap = l->cap == 0 ? 64 : l->cap * 2;
		if ((p = reallocarray(l->list, cap, sizeof(*p))) == NULL)
			return (-1);
		l->list = p;
		l->cap = cap;
	}
	if ((l->list[l->n].name = strdup(name)) == NULL)
		return (-1);
	l->list[l->n++].is = is;
	return (0);
}

static int
listing_compare(const void *va, const void *vb)
{
	const struct listed *a = va, *b = vb;
	int ia = strcmp(a->name, "INBOX") == 0;
	int ib = strcmp(b->name, "INBOX") == 0;

	return (ia != ib ? ib - ia : strcmp(a->name, b->name));
}

static void
listing_merge(struct listing *l)
{
	size_t i, n = 0;

	qsort(l->list, l->n, sizeof(*l->list), listing_compare);
	for (i = 0; i < l->n; i++) {
		if (n > 0 && strcmp(l->list[n - 1].name, l->list[i].name) ==
		    0) {
			l->list[n - 1].is |= l->list[i].is;
			free(l->list[i].name);
		} else
			l->list[n++] = l->list[i];
	}
	l->n = n;
}
