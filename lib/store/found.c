/*
 * found: files in a folder's directories that its index does not have.  What
 * a name says is read once.
 *
 * Cost: a hundred bytes and the name for each, until the index has it.  When
 * it has none yet the memory is taken once, by the size of the directory; to
 * move what was found each time that it had doubled was an eighth of the CPU
 * time of the first opening of 10,000 messages.
 */
#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "store/found.h"
#include "store/index.h"

#define FOUND_MIN	64
#define DIR_ENTRY	64		/* what a name takes in a directory */
#define DIR_MAX		(16 * 1024 * 1024)

static int found_room(struct found_list *, size_t);
static int found_compare(const void *, const void *);

void
found_free(struct found_list *l)
{
	free(l->v);
	free(l->names);
	memset(l, 0, sizeof(*l));
}

void
found_clear(struct found_list *l)
{
	l->n = l->len = 0;
}

/* A guess that may be wrong: what is not needed of it is not touched. */
void
found_expect(struct found_list *l, int dirfd)
{
	struct found *v;
	struct stat st;
	size_t size, n;
	char *names;

	if (fstat(dirfd, &st) == -1 || st.st_size <= 0)
		return;
	size = st.st_size < DIR_MAX ? (size_t)st.st_size : DIR_MAX;
	n = size / DIR_ENTRY;
	if (n > l->cap &&
	    (v = reallocarray(l->v, n, sizeof(*v))) != NULL) {
		l->v = v;
		l->cap = n;
	}
	if (size > l->room && (names = realloc(l->names, size)) != NULL) {
		l->names = names;
		l->room = size;
	}
}

static int
found_room(struct found_list *l, size_t len)
{
	size_t cap;
	void *p;

	if (l->n == l->cap) {
		cap = l->cap == 0 ? FOUND_MIN : l->cap * 2;
		if ((p = reallocarray(l->v, cap, sizeof(*l->v))) == NULL)
			return (-1);
		l->v = p;
		l->cap = cap;
	}
	if (len > l->room - l->len) {
		cap = (l->room + len) * 2;
		if ((p = realloc(l->names, cap)) == NULL)
			return (-1);
		l->names = p;
		l->room = cap;
	}
	return (0);
}

struct found *
found_add(struct found_list *l, const char *name, const struct info *info)
{
	struct found *p;
	size_t len = strlen(name) + 1;

	if (found_room(l, len) == -1)
		return (NULL);
	p = &l->v[l->n++];
	memset(p, 0, sizeof(*p));
	p->off = l->len;
	memcpy(l->names + l->len, name, len);
	l->len += len;
	p->seconds = info_seconds(name, info->baselen);
	p->baselen = (uint16_t)info->baselen;
	p->flags = info->flags;
	p->keywords = info->keywords;
	p->plain = (uint8_t)info->plain;
	p->size = p->told[0] = p->told[1] = INDEX_UNSIZED;
	(void)info_size(name, info->baselen, 'S', &p->told[0]);
	(void)info_size(name, info->baselen, 'W', &p->told[1]);
	return (p);
}

void
found_sort(struct found_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		l->v[i].name = l->names + l->v[i].off;
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), found_compare);
}

static int
found_compare(const void *va, const void *vb)
{
	const struct found *a = va, *b = vb;
	int ret;

	if ((a->uid == 0) != (b->uid == 0))
		return (a->uid == 0 ? 1 : -1);
	if (a->uid != b->uid)
		return (a->uid < b->uid ? -1 : 1);
	if (a->seconds != b->seconds)
		return (a->seconds < b->seconds ? -1 : 1);
	ret = memcmp(a->name, b->name, a->baselen < b->baselen ? a->baselen :
	    b->baselen);
	if (ret != 0)
		return (ret);
	return (a->baselen < b->baselen ? -1 : a->baselen > b->baselen);
}

int
found_again(const struct found_list *l, size_t i)
{
	const struct found *a, *b;

	if (i == 0)
		return (0);
	a = &l->v[i - 1];
	b = &l->v[i];
	return (b->uid != 0 ? b->uid == a->uid : a->uid == 0 &&
	    found_compare(a, b) == 0);
}
