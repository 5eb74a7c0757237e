/*
 * thread: nodes in one array, linked by index; no recursion.
 *
 * Pure; the fields are strangers'.  Time is that of a sort: a message's
 * references are counted, an ancestor is looked for over at most LOOP_STEPS
 * nodes, and chains of messages that are not there are made short once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "mime/thread.h"
#include "os/compat.h"

#define LOOP_STEPS	4096
#define TEXT_MAX	(256u * 1024 * 1024)	/* of all ids and subjects */
#define ID_MAX		998			/* bytes of one */
#define NONE		0

struct node {
	uint32_t	num;		/* 0: not there, only referred to */
	uint32_t	parent;
	uint32_t	child;		/* first */
	uint32_t	next;		/* sibling */
	uint32_t	children;	/* how many name it as their parent */
	uint32_t	subject;	/* name of the base subject */
	int64_t		date;
	uint32_t	order;		/* of equal dates: num, a child's */
	uint8_t		reply;
	uint8_t		dead;		/* told no more */
};

/* A string and what it stands for. */
struct name {
	uint64_t	hash;
	uint32_t	off, len;	/* in text */
	uint32_t	node;		/* of an id; of a subject: its thread */
};

struct names {
	struct name	*v;		/* v[0] is none */
	uint32_t	 n, cap;
	uint32_t	*slot;		/* by hash; a power of two of them */
	uint32_t	 slots;
};

struct mime_threads {
	uint64_t	 seed;
	struct buf	 text;
	struct names	 ids, subjects;
	struct node	*node;		/* node[0] is the root of all */
	uint32_t	 n, cap;
};

static int	names_init(struct names *);
static int	gather_subjects(struct mime_threads *);
static int	order(struct mime_threads *);

struct mime_threads *
mime_threads_new(uint64_t seed)
{
	struct mime_threads *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return (NULL);
	t->seed = seed;
	buf_init(&t->text, TEXT_MAX);
	t->cap = 64;
	if ((t->node = calloc(t->cap, sizeof(*t->node))) == NULL ||
	    names_init(&t->ids) == -1 || names_init(&t->subjects) == -1) {
		mime_threads_free(t);
		return (NULL);
	}
	t->n = 1;
	return (t);
}

void
mime_threads_free(struct mime_threads *t)
{
	if (t == NULL)
		return;
	buf_free(&t->text);
	free(t->ids.v);
	free(t->ids.slot);
	free(t->subjects.v);
	free(t->subjects.slot);
	free(t->node);
	free(t);
}

static int
names_init(struct names *names)
{
	names->slots = 64;
	names->cap = 64;
	names->n = 1;
	names->v = calloc(names->cap, sizeof(*names->v));
	names->slot = calloc(names->slots, sizeof(*names->slot));
	return (names->v != NULL && names->slot != NULL ? 0 : -1);
}

static uint64_t
hash(uint64_t h, const char *s, size_t len)
{
	uint64_t w;

	h ^= len;
	for (; len > 0; s += sizeof(w), len -= sizeof(w)) {
		w = 0;
		memcpy(&w, s, len < sizeof(w) ? len : sizeof(w));
		h = (h ^ w) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
		if (len <= sizeof(w))
			break;
	}
	return (h ^ h >> 32);
}

static int
names_grow(struct names *names)
{
	struct name *v;
	uint32_t *slot, slots = names->slots * 2, i, j;

	if (names->n == names->cap) {
		if ((v = reallocarray(names->v, names->cap,
		    2 * sizeof(*v))) == NULL)
			return (-1);
		names->v = v;
		names->cap *= 2;
	}
	if (names->n < names->slots / 2)
		return (0);
	if ((slot = calloc(slots, sizeof(*slot))) == NULL)
		return (-1);
	for (i = 1; i < names->n; i++) {
		for (j = (uint32_t)names->v[i].hash & (slots - 1);
		    slot[j] != NONE; j = (j + 1) & (slots - 1))
			;
		slot[j] = i;
	}
	free(names->slot);
	names->slot = slot;
	names->slots = slots;
	return (0);
}

/* The name's number, a new one if need be; -1 with errno. */
static int64_t
intern(struct mime_threads *t, struct names *names, const char *s, size_t len)
{
	struct name *name;
	const char *text = buf_data(&t->text);
	uint64_t h = hash(t->seed, s, len);
	uint32_t i;

	for (i = (uint32_t)h & (names->slots - 1); names->slot[i] != NONE;
	    i = (i + 1) & (names->slots - 1)) {
		name = &names->v[names->slot[i]];
		if (name->hash == h && name->len == len &&
		    memcmp(text + name->off, s, len) == 0)
			return (names->slot[i]);
	}
	if (names_grow(names) == -1)
		return (-1);
	name = &names->v[names->n];
	name->hash = h;
	name->off = (uint32_t)buf_len(&t->text);
	name->len = (uint32_t)len;
	name->node = NONE;
	if (buf_add(&t->text, s, len) == -1)
		return (-1);
	for (i = (uint32_t)h & (names->slots - 1); names->slot[i] != NONE;
	    i = (i + 1) & (names->slots - 1))
		;
	names->slot[i] = names->n;
	return (names->n++);
}

static int64_t
node_new(struct mime_threads *t)
{
	struct node *v;

	if (t->n == t->cap) {
		if ((v = reallocarray(t->node, t->cap,
		    2 * sizeof(*v))) == NULL)
			return (-1);
		t->node = v;
		t->cap *= 2;
	}
	memset(&t->node[t->n], 0, sizeof(*t->node));
	return (t->n++);
}

/* The next "<id>", without quotes; its length, 0 at the end. */
static size_t
next_id(const char **p, const char *end, char id[ID_MAX])
{
	const char *s;
	size_t n;

	while ((s = memchr(*p, '<', (size_t)(end - *p))) != NULL) {
		for (n = 0, s++; s < end && *s != '>' && *s != '<' &&
		    n < ID_MAX; s++)
			if (*s != ' ' && *s != '"' && *s != '\\' &&
			    *s != '\t' && *s != '\r' && *s != '\n')
				id[n++] = *s;
		*p = s;
		if (s < end && *s == '>' && n > 0)
			return (n);
		if (s == end)
			break;
		if (*s != '<')
			*p = s + 1;
	}
	*p = end;
	return (0);
}

/* The node of an id; 0 if there are too many, -1 with errno. */
static int64_t
node_of_id(struct mime_threads *t, const char *id, size_t len)
{
	int64_t name, n;

	if (t->n >= MIME_THREAD_IDS)
		return (NONE);
	if ((name = intern(t, &t->ids, id, len)) == -1)
		return (-1);
	if (t->ids.v[name].node == NONE) {
		if ((n = node_new(t)) == -1)
			return (-1);
		t->ids.v[name].node = (uint32_t)n;
	}
	return (t->ids.v[name].node);
}

/* Would parent below child be a loop?  One too long to tell is none of ours. */
static int
loops(const struct mime_threads *t, uint32_t parent, uint32_t child)
{
	int steps;

	if (parent == child)
		return (1);
	if (t->node[child].children == 0)
		return (0);
	for (steps = 0; steps < LOOP_STEPS && parent != NONE; steps++) {
		if (parent == child)
			return (1);
		parent = t->node[parent].parent;
	}
	return (parent != NONE);
}

static void
set_parent(struct mime_threads *t, uint32_t child, uint32_t parent)
{
	if (t->node[child].parent != NONE)
		t->node[t->node[child].parent].children--;
	t->node[child].parent = parent;
	if (parent != NONE)
		t->node[parent].children++;
}

/* Skip to the last MIME_THREAD_REFS of them. */
static const char *
last_refs(const char *p, size_t len)
{
	const char *s = p + len;
	int n = 0;

	while (s > p && n < MIME_THREAD_REFS)
		n += *--s == '<';
	return (s);
}

/* Step 1.A; the last reference, 0 if there is none, -1 with errno. */
static int64_t
link_references(struct mime_threads *t, const struct mime_thread_message *m)
{
	char id[ID_MAX];
	const char *p, *end;
	int64_t n, last = NONE;
	size_t len;

	if (m->references != NULL) {
		end = m->references + m->referenceslen;
		p = last_refs(m->references, m->referenceslen);
		while ((len = next_id(&p, end, id)) > 0) {
			if ((n = node_of_id(t, id, len)) == -1)
				return (-1);
			if (n == NONE)
				continue;
			if (last != NONE && t->node[n].parent == NONE &&
			    !loops(t, (uint32_t)last, (uint32_t)n))
				set_parent(t, (uint32_t)n, (uint32_t)last);
			last = n;
		}
	}
	if (last == NONE && m->in_reply_to != NULL) {
		p = m->in_reply_to;
		if ((len = next_id(&p, p + m->in_reply_tolen, id)) > 0)
			last = node_of_id(t, id, len);
	}
	return (last);
}

int
mime_threads_add(struct mime_threads *t, const struct mime_thread_message *m)
{
	char id[ID_MAX];
	const char *p = m->id;
	int64_t n = NONE, subject = NONE, last;
	size_t len;

	if (p != NULL && (len = next_id(&p, p + m->idlen, id)) > 0 &&
	    (n = node_of_id(t, id, len)) == -1)
		return (-1);
	/* One that is there already: two messages with one id. */
	if ((n == NONE || t->node[n].num != 0) && (n = node_new(t)) == -1)
		return (-1);
	if (m->subjectlen > 0 && (subject = intern(t, &t->subjects,
	    m->subject, m->subjectlen)) == -1)
		return (-1);
	t->node[n].num = m->num;
	t->node[n].order = m->num;
	t->node[n].date = m->date;
	t->node[n].reply = m->reply != 0;
	t->node[n].subject = (uint32_t)subject;
	if ((last = link_references(t, m)) == -1)
		return (-1);
	/* Step 1.B */
	if (last == NONE)
		set_parent(t, (uint32_t)n, NONE);
	else if (!loops(t, (uint32_t)last, (uint32_t)n))
		set_parent(t, (uint32_t)n, (uint32_t)last);
	return (0);
}

/*
 * Steps 2 and 3: the nearest ancestor that is there, or the highest that is
 * not.  Those passed on the way are made to point there, too.
 */
static uint32_t
real_parent(struct mime_threads *t, uint32_t n)
{
	uint32_t top = t->node[n].parent, p, up;

	while (top != NONE && t->node[top].num == 0 &&
	    t->node[top].parent != NONE)
		top = t->node[top].parent;
	for (p = t->node[n].parent; p != NONE && p != top; p = up) {
		up = t->node[p].parent;
		t->node[p].parent = top;
	}
	return (top);
}

static void
prune(struct mime_threads *t)
{
	struct node *up;
	uint32_t i;

	for (i = 1; i < t->n; i++)
		if (t->node[i].num != 0)
			t->node[i].parent = real_parent(t, i);
	for (i = 1; i < t->n; i++) {
		t->node[i].children = 0;
		t->node[i].dead = t->node[i].num == 0;
	}
	for (i = 1; i < t->n; i++)
		if (!t->node[i].dead)
			t->node[t->node[i].parent].children++;
	/* One that is not there and holds several together stays. */
	for (i = 1; i < t->n; i++) {
		up = &t->node[t->node[i].parent];
		if (t->node[i].dead || t->node[i].parent == NONE ||
		    up->num != 0)
			continue;
		if (up->children == 1)
			t->node[i].parent = NONE;
		else {
			up->dead = 0;
			up->parent = NONE;
		}
	}
}

/* Those that are not there have the date and subject of their first child. */
static void
inherit(struct mime_threads *t)
{
	struct node *n, *up;
	uint32_t i;

	for (i = 1; i < t->n; i++)
		t->node[i].child = NONE;
	for (i = 1; i < t->n; i++) {
		n = &t->node[i];
		up = &t->node[n->parent];
		if (n->dead || n->parent == NONE || up->num != 0)
			continue;
		if (up->child != NONE && (t->node[up->child].date < n->date ||
		    (t->node[up->child].date == n->date &&
		    t->node[up->child].num < n->num)))
			continue;
		up->child = i;
		up->date = n->date;
		up->order = n->order;
		up->subject = n->subject;
	}
}

int
mime_threads_references(struct mime_threads *t)
{
	prune(t);
	inherit(t);
	if (gather_subjects(t) == -1)
		return (-1);
	inherit(t);
	return (order(t));
}

/* Step 5.B: which of two in the root is the thread of their subject? */
static int
preferred(const struct node *a, const struct node *than)
{
	if ((a->num == 0) != (than->num == 0))
		return (a->num == 0);
	return (than->num != 0 && than->reply && !a->reply);
}

/* Step 5.C for one root that is not its subject's thread. */
static int
join(struct mime_threads *t, uint32_t i)
{
	struct name *name = &t->subjects.v[t->node[i].subject];
	uint32_t head = name->node, j;
	int64_t both;

	if (t->node[head].num == 0 && t->node[i].num == 0) {
		/* Its children find their way in the second pass. */
		for (j = t->node[i].child; j != NONE; j = t->node[j].next)
			t->node[j].parent = head;
		t->node[i].dead = 1;
	} else if (t->node[head].num == 0 ||
	    (t->node[i].reply && !t->node[head].reply))
		t->node[i].parent = head;
	else {
		if ((both = node_new(t)) == -1)
			return (-1);
		t->node[both].subject = t->node[i].subject;
		t->node[head].parent = (uint32_t)both;
		t->node[i].parent = (uint32_t)both;
		name->node = (uint32_t)both;
	}
	return (0);
}

static int
gather_subjects(struct mime_threads *t)
{
	struct name *name;
	uint32_t i, n;

	/* In the order of the root's dates, and each with its children. */
	if (order(t) == -1)
		return (-1);
	for (i = t->node[0].child; i != NONE; i = t->node[i].next) {
		if (t->node[i].subject == NONE)
			continue;
		name = &t->subjects.v[t->node[i].subject];
		if (name->node == NONE ||
		    preferred(&t->node[i], &t->node[name->node]))
			name->node = i;
	}
	for (i = t->node[0].child; i != NONE; i = n) {
		n = t->node[i].next;
		if (t->node[i].subject != NONE &&
		    t->subjects.v[t->node[i].subject].node != i &&
		    t->node[i].parent == NONE && join(t, i) == -1)
			return (-1);
	}
	return (0);
}

int
mime_threads_subjects(struct mime_threads *t)
{
	struct name *name;
	uint32_t i, n, *first, nameless = NONE;

	for (i = 1; i < t->n; i++) {
		t->node[i].parent = NONE;
		t->node[i].dead = t->node[i].num == 0;
	}
	if (order(t) == -1)
		return (-1);
	for (i = t->node[0].child; i != NONE; i = n) {
		n = t->node[i].next;
		name = &t->subjects.v[t->node[i].subject];
		first = t->node[i].subject != NONE ? &name->node : &nameless;
		if (*first == NONE)
			*first = i;
		else
			t->node[i].parent = *first;
	}
	return (order(t));
}

/* What order() sorts: by date, then by number. */
struct place {
	int64_t		date;
	uint32_t	num, node;
};

static int
place_cmp(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;

	if (a->date != b->date)
		return (a->date < b->date ? -1 : 1);
	if (a->num != b->num)
		return (a->num < b->num ? -1 : 1);
	return (a->node < b->node ? -1 : a->node > b->node);
}

/*
 * Steps 4 and 6.  All are sorted together, and siblings so are, too: mail
 * mostly comes in the order of its dates, which mergesort() makes use of.
 */
static int
order(struct mime_threads *t)
{
	struct place *v;
	struct node *up;
	uint32_t i, n = 0;

	if ((v = reallocarray(NULL, t->n, sizeof(*v))) == NULL)
		return (-1);
	for (i = 0; i < t->n; i++) {
		t->node[i].child = t->node[i].next = NONE;
		if (i == NONE || t->node[i].dead)
			continue;
		v[n].num = t->node[i].order;
		v[n].date = t->node[i].date;
		v[n++].node = i;
	}
	if (mergesort(v, n, sizeof(*v), place_cmp) == -1) {
		free(v);
		return (-1);
	}
	for (i = n; i > 0; i--) {
		up = &t->node[t->node[v[i - 1].node].parent];
		t->node[v[i - 1].node].next = up->child;
		up->child = v[i - 1].node;
	}
	free(v);
	return (0);
}

/* A node with siblings, or of the root, has parentheses of its own. */
static int
in_list(const struct mime_threads *t, uint32_t n)
{
	uint32_t up = t->node[n].parent;

	return (up == NONE || t->node[t->node[up].child].next != NONE);
}

int
mime_threads_walk(const struct mime_threads *t, struct mime_thread_walk *w)
{
	uint32_t n = w->node, up;

	if (n == NONE || t->node[n].child != NONE)
		n = t->node[n].child;
	else {
		while (n != NONE && t->node[n].next == NONE)
			n = t->node[n].parent;
		n = n != NONE ? t->node[n].next : NONE;
	}
	if ((w->node = n) == NONE)
		return (0);
	up = t->node[n].parent;
	if (!in_list(t, n))
		w->before = " ";
	else if (up != NONE && t->node[up].num != 0 && t->node[up].child == n)
		w->before = " (";
	else
		w->before = "(";
	w->num = t->node[n].num;
	w->close = 0;
	if (t->node[n].child != NONE)
		return (1);
	for (; n != NONE; n = t->node[n].parent) {
		w->close += in_list(t, n) != 0;
		if (t->node[n].next != NONE)
			break;
	}
	return (1);
}
