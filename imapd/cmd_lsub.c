/*
 * cmd_lsub: LSUB (RFC 3501 6.3.9).
 */
#include "cmd_list.h"
#include "cmd_table.h"
#include "imap/pattern.h"
#include "session_reply.h"

#define NAME_SIZE	(STORE_NAME_MAX + 1)

struct listing {
	struct client	*c;
	char		 pattern[NAME_SIZE];
	char		 parent[NAME_SIZE];	/* told last */
};

/*
 * RFC 3501 6.3.9: with "%" the parent of a subscribed name is told as
 * \Noselect.
 */
static void
lsub_parent(struct listing *l, const char *name)
{
	size_t i;

	for (i = strlen(name); i > 0; i--) {
		if (name[i] != '/' || !imap_pattern_match(l->pattern, name, i))
			continue;
		if (strncmp(l->parent, name, i) == 0 && l->parent[i] == '\0')
			return;
		memcpy(l->parent, name, i);
		l->parent[i] = '\0';
		list_tell(l->c, "LSUB", "\\Noselect", l->parent);
		return;
	}
}

static int
tell(void *arg, const char *name, unsigned int flags)
{
	struct listing *l = arg;
	size_t len = strlen(name);

	if (len >= NAME_SIZE || (flags & LIST_SUBSCRIBED) == 0)
		return (0);
	if (imap_pattern_match(l->pattern, name, len))
		list_tell(l->c, "LSUB", flags & LIST_NOEXIST ?
		    "\\Noselect" : "", name);
	else if (strchr(l->pattern, '%') != NULL)
		lsub_parent(l, name);
	return (0);
}

enum cmd_result
cmd_lsub(struct client *c)
{
	struct listing l = { .c = c };
	enum store_error e;
	char pattern[NAME_SIZE];

	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, l.pattern, sizeof(l.pattern)) == -1 ||
	    imap_sp(&c->args) == -1 ||
	    imap_list_mailbox(&c->args, pattern, sizeof(pattern)) == -1 ||
	    imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	if (pattern[0] == '\0') {
		list_tell(c, "LSUB", "\\Noselect", "");
		return (cmd_ok(c, "LSUB completed"));
	}
	list_pattern(l.pattern, pattern);
	if ((e = store_list(c->set->store, tell, &l)) != STORE_OK)
		return (cmd_store_error(c, e));
	return (cmd_ok(c, "LSUB completed"));
}
