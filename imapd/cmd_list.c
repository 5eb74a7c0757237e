/*
 * cmd_list: LIST (RFC 9051 6.3.9; LIST-EXTENDED of RFC 5258, LIST-STATUS of
 * RFC 5819, SPECIAL-USE of RFC 6154, CHILDREN of RFC 3348).
 *
 * All names are collected first, since a parent may be told for its children's
 * sake; then they are told, some a turn.
 */
#include <stdio.h>

#include "cmd_list.h"
#include "cmd_status.h"
#include "cmd_table.h"
#include "imap/mutf7.h"
#include "imap/pattern.h"
#include "session_reply.h"

#define NAME_SIZE	(STORE_NAME_MAX + 1)
#define PATTERNS_MAX	32
#define NAMES_A_TURN	256
#define ATTRIBUTES_SIZE	256

#define OPT_SUBSCRIBED	0x01
#define OPT_RECURSIVE	0x02
#define OPT_SPECIAL	0x04
#define OPT_REMOTE	0x08
#define OPT_CHILDREN	0x10
#define OPT_STATUS	0x20

struct entry {
	char		*name;
	unsigned int	 flags;		/* LIST_* */
	int		 below;		/* a mailbox below it is selected, */
	int		 untold;	/* and one of them has no line */
};

struct run {
	unsigned int	 select, returns;	/* OPT_* */
	unsigned int	 status;
	char		*pattern[PATTERNS_MAX];
	size_t		 npatterns;
	int		 extended;
	struct entry	*list;
	size_t		 n, room, at;
	int		 failed;
};

struct option {
	const char	*name;
	unsigned int	 bit;
};

static const struct option select_options[] = {
	{ "SUBSCRIBED", OPT_SUBSCRIBED }, { "REMOTE", OPT_REMOTE },
	{ "RECURSIVEMATCH", OPT_RECURSIVE }, { "SPECIAL-USE", OPT_SPECIAL },
	{ NULL, 0 }
};
static const struct option return_options[] = {
	{ "SUBSCRIBED", OPT_SUBSCRIBED }, { "CHILDREN", OPT_CHILDREN },
	{ "SPECIAL-USE", OPT_SPECIAL }, { "STATUS", OPT_STATUS },
	{ NULL, 0 }
};

static enum cmd_result	step(struct client *, void *);
static void		run_free(void *);

static const struct cmd_run list_ops = { step, NULL, run_free };

static void
run_free(void *arg)
{
	struct run *run = arg;

	while (run->npatterns > 0)
		free(run->pattern[--run->npatterns]);
	while (run->n > 0)
		free(run->list[--run->n].name);
	free(run->list);
	free(run);
}

int
list_begin(struct client *c, const char *what, const char *attributes,
    const char *name)
{
	struct buf *out = sio_out(c->io);
	struct buf enc;
	int ok = 1;

	/* A directory that others made may have any name. */
	buf_init(&enc, 8 * NAME_SIZE);
	ok = imap_mutf7_encode(name, &enc) == 0;
	buf_free(&enc);
	if (!ok)
		return (0);
	reply_check(c, buf_printf(out, "* %s (%s) \"/\" ", what, attributes));
	reply_mailbox(c, name);
	return (1);
}

void
list_tell(struct client *c, const char *what, const char *attributes,
    const char *name)
{
	if (list_begin(c, what, attributes, name))
		reply_bytes(c, "\r\n", 2);
}

void
list_pattern(char *reference, const char *pattern)
{
	if (pattern[0] == '/')
		reference[0] = '\0';
	if (strlcat(reference, pattern, NAME_SIZE) >= NAME_SIZE)
		(void)strlcpy(reference, IMAP_PATTERN_NONE, NAME_SIZE);
	imap_pattern_fold(reference);
}

/* "(a b)"; STATUS has a list of its own behind it. */
static int
options(struct imap_parser *p, const struct option *known, unsigned int *bits,
    unsigned int *status)
{
	struct imap_str s;
	size_t i;

	if (imap_expect(p, '(') == -1)
		return (-1);
	if (imap_accept(p, ')'))
		return (0);
	do {
		if (imap_atom(p, &s) == -1)
			return (-1);
		for (i = 0; known[i].name != NULL; i++)
			if (imap_str_is(&s, known[i].name))
				break;
		if (known[i].name == NULL)
			return (imap_error(p, "Unknown option"));
		*bits |= known[i].bit;
		if (known[i].bit == OPT_STATUS && (imap_sp(p) == -1 ||
		    status_items_parse(p, status) == -1))
			return (-1);
	} while (imap_accept(p, ' '));
	return (imap_expect(p, ')'));
}

static int
one_pattern(struct imap_parser *p, struct run *run, const char *reference)
{
	char whole[NAME_SIZE], pattern[NAME_SIZE];

	if (imap_list_mailbox(p, pattern, sizeof(pattern)) == -1)
		return (-1);
	if (run->npatterns == PATTERNS_MAX)
		return (imap_error(p, "Too many patterns"));
	/* RFC 9051 6.3.9: only the separator is asked for. */
	if (pattern[0] == '\0' && !run->extended)
		return (0);
	(void)strlcpy(whole, reference, sizeof(whole));
	list_pattern(whole, pattern);
	if ((run->pattern[run->npatterns] = strdup(whole)) == NULL)
		return (imap_error(p, "Out of memory"));
	run->npatterns++;
	return (0);
}

static int
patterns(struct imap_parser *p, struct run *run, const char *reference)
{
	if (!imap_accept(p, '('))
		return (one_pattern(p, run, reference));
	run->extended = 1;
	do {
		if (one_pattern(p, run, reference) == -1)
			return (-1);
	} while (imap_accept(p, ' '));
	return (imap_expect(p, ')'));
}

static int
arguments(struct imap_parser *p, struct run *run)
{
	char reference[NAME_SIZE];
	struct imap_str s;

	if (imap_sp(p) == -1)
		return (-1);
	if (imap_peek(p) == '(') {
		run->extended = 1;
		if (options(p, select_options, &run->select, NULL) == -1 ||
		    imap_sp(p) == -1)
			return (-1);
	}
	/* RFC 5258 3.1 */
	if ((run->select & OPT_RECURSIVE) &&
	    (run->select & (OPT_SUBSCRIBED | OPT_SPECIAL)) == 0)
		return (imap_error(p, "RECURSIVEMATCH needs another option"));
	if (imap_mailbox(p, reference, sizeof(reference)) == -1 ||
	    imap_sp(p) == -1 || patterns(p, run, reference) == -1)
		return (-1);
	if (imap_accept(p, ' ')) {
		run->extended = 1;
		if (imap_atom(p, &s) == -1)
			return (-1);
		if (!imap_str_is(&s, "RETURN"))
			return (imap_error(p, "Expected RETURN"));
		if (imap_sp(p) == -1 || options(p, return_options,
		    &run->returns, &run->status) == -1)
			return (-1);
	}
	return (imap_end(p));
}

static int
collect(void *arg, const char *name, unsigned int flags)
{
	struct run *run = arg;
	struct entry *v;
	size_t want;

	if (strlen(name) >= NAME_SIZE)
		return (0);
	if (run->n == run->room) {
		want = run->room == 0 ? 64 : run->room * 2;
		if ((v = reallocarray(run->list, want, sizeof(*v))) == NULL)
			goto fail;
		run->list = v;
		run->room = want;
	}
	v = &run->list[run->n];
	memset(v, 0, sizeof(*v));
	v->flags = flags;
	if ((v->name = strdup(name)) == NULL)
		goto fail;
	run->n++;
	return (0);
fail:
	run->failed = 1;
	return (-1);
}

/* INBOX is told first. */
static int
entry_cmp(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int ia = strcmp(a->name, "INBOX") == 0;
	int ib = strcmp(b->name, "INBOX") == 0;

	return (ia != ib ? ib - ia : strcmp(a->name, b->name));
}

static int
selected(const struct run *run, const struct entry *e)
{
	if ((run->select & OPT_SUBSCRIBED) == 0 && (e->flags & LIST_NOEXIST))
		return (0);
	if ((run->select & OPT_SUBSCRIBED) &&
	    (e->flags & LIST_SUBSCRIBED) == 0)
		return (0);
	return ((run->select & OPT_SPECIAL) == 0 || (e->flags & LIST_USES));
}

static int
matched(const struct run *run, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < run->npatterns; i++)
		if (imap_pattern_match(run->pattern[i], name, len))
			return (1);
	return (0);
}

/* RFC 5258 4: the parents of what is selected; made if there are none. */
static int
mark_parents(struct run *run)
{
	struct entry key, *parent;
	char name[NAME_SIZE];
	size_t i, n = run->n;
	char *slash;
	int untold;

	for (i = 0; i < n; i++) {
		if (!selected(run, &run->list[i]))
			continue;
		untold = !matched(run, run->list[i].name);
		(void)strlcpy(name, run->list[i].name, sizeof(name));
		while ((slash = strrchr(name, '/')) != NULL) {
			*slash = '\0';
			key.name = name;
			parent = bsearch(&key, run->list, n,
			    sizeof(*run->list), entry_cmp);
			if (parent == NULL &&
			    collect(run, name, LIST_NOEXIST) == -1)
				return (-1);
			if (parent == NULL)
				parent = &run->list[run->n - 1];
			parent->below = 1;
			parent->untold |= untold;
		}
	}
	qsort(run->list, run->n, sizeof(*run->list), entry_cmp);
	return (0);
}

static void
attributes(const struct run *run, const struct entry *e, char *out,
    size_t size)
{
	unsigned int i;
	size_t len;
	int subscribed = ((run->select | run->returns) & OPT_SUBSCRIBED) &&
	    (e->flags & LIST_SUBSCRIBED);

	(void)snprintf(out, size, "%s%s%s%s",
	    e->flags & LIST_NOEXIST ? "\\NonExistent " : "",
	    e->flags & LIST_NOSELECT ? "\\Noselect " : "",
	    subscribed ? "\\Subscribed " : "",
	    e->flags & LIST_CHILDREN ? "\\HasChildren" : "\\HasNoChildren");
	for (i = 0; store_use(i) != NULL; i++) {
		len = strlen(out);
		if (e->flags & LIST_USE << i)
			(void)snprintf(out + len, size - len, " \\%s",
			    store_use(i));
	}
}

static int
find_one(void *arg, const char *name, unsigned int flags)
{
	struct entry *e = arg;

	if (strcmp(name, e->name) != 0)
		return (0);
	e->flags = flags;
	return (0);
}

void
list_tell_one(struct client *c, const char *name)
{
	static const struct run all = { .returns = OPT_SUBSCRIBED };
	char copy[NAME_SIZE], words[ATTRIBUTES_SIZE];
	struct entry e = { .name = copy };

	(void)strlcpy(copy, name, sizeof(copy));
	if (store_list(c->set->store, find_one, &e) != STORE_OK)
		return;
	attributes(&all, &e, words, sizeof(words));
	list_tell(c, "LIST", words, name);
}

static void
tell(struct client *c, struct run *run, const struct entry *e)
{
	char words[ATTRIBUTES_SIZE];
	int is_selected = selected(run, e);
	int below = (run->select & OPT_RECURSIVE) && e->below;

	/* RFC 5258 3.5: not for those alone that are told anyway. */
	if ((!is_selected && (!below || !e->untold)) ||
	    !matched(run, e->name))
		return;
	attributes(run, e, words, sizeof(words));
	if (!list_begin(c, "LIST", words, e->name))
		return;
	if (below)
		reply_check(c, buf_printf(sio_out(c->io),
		    " (\"CHILDINFO\" (%s))", run->select & OPT_SUBSCRIBED ?
		    "\"SUBSCRIBED\"" : "\"SPECIAL-USE\""));
	reply_bytes(c, "\r\n", 2);
	/* RFC 5819 2: what cannot be opened has no STATUS. */
	if ((run->returns & OPT_STATUS) &&
	    (e->flags & (LIST_NOSELECT | LIST_NOEXIST)) == 0)
		(void)status_tell(c, e->name, run->status);
}

/* A parent of several may be there as often: told with the last. */
static int
again(struct run *run)
{
	struct entry *e = &run->list[run->at];

	if (run->at + 1 == run->n || strcmp(e[0].name, e[1].name) != 0)
		return (0);
	e[1].below |= e[0].below;
	e[1].untold |= e[0].untold;
	return (1);
}

static enum cmd_result
step(struct client *c, void *arg)
{
	struct run *run = arg;
	int n;

	for (n = 0; n < NAMES_A_TURN && !sio_full(c->io); n++) {
		if (run->at == run->n)
			return (cmd_ok(c, "LIST completed"));
		if (!again(run))
			tell(c, run, &run->list[run->at]);
		run->at++;
	}
	return (CMD_MORE);
}

enum cmd_result
cmd_list(struct client *c)
{
	struct run *run;
	enum store_error e;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	(void)client_run(c, &list_ops, run, CMD_MORE);
	if (arguments(&c->args, run) == -1)
		return (cmd_bad_args(c));
	status_enables(c, run->status);
	if (run->npatterns == 0) {
		list_tell(c, "LIST", "\\Noselect", "");
		return (cmd_ok(c, "LIST completed"));
	}
	if ((e = store_list(c->set->store, collect, run)) != STORE_OK)
		return (cmd_store_error(c, e));
	if (run->n > 0)
		qsort(run->list, run->n, sizeof(*run->list), entry_cmp);
	if (run->failed || ((run->select & OPT_RECURSIVE) && run->n > 0 &&
	    mark_parents(run) == -1))
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	return (step(c, run));
}
