/*
 * cmd_list: LIST and LSUB (RFC 3501 6.3.8, 6.3.9; CHILDREN, RFC 3348).
 *
 * The pattern is a client's: matching takes the product of the two lengths at
 * most, whatever wildcards it has.
 */
#include "cmd_table.h"
#include "imap/mutf7.h"
#include "imap/write.h"
#include "session_reply.h"

#define NAME_SIZE	(STORE_NAME_MAX + 1)
#define PATTERN_MAX	STORE_NAME_MAX

struct listing {
	struct client	*c;
	int		 lsub;
	char		 pattern[NAME_SIZE];
	char		 parent[NAME_SIZE];	/* told last (LSUB) */
};

/* States that may be in after a wildcard without a further byte. */
static void
close_states(unsigned char *on, const char *pattern, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (on[i] && (pattern[i] == '*' || pattern[i] == '%'))
			on[i + 1] = 1;
}

/* on[i]: pattern[0..i) matches what was read of the name. */
static int
match(const char *pattern, const char *name, size_t namelen)
{
	unsigned char on[PATTERN_MAX + 2], next[PATTERN_MAX + 2];
	size_t i, j, len = strlen(pattern);

	memset(on, 0, len + 1);
	on[0] = 1;
	close_states(on, pattern, len);
	for (j = 0; j < namelen; j++) {
		memset(next, 0, len + 1);
		for (i = 0; i < len; i++) {
			if (!on[i])
				continue;
			if (pattern[i] == '*' ||
			    (pattern[i] == '%' && name[j] != '/'))
				next[i] = 1;
			else if (pattern[i] == name[j])
				next[i + 1] = 1;
		}
		close_states(next, pattern, len);
		memcpy(on, next, len + 1);
	}
	return (on[len]);
}

/* INBOX in the pattern is in any case, too. */
static void
fold_inbox(char *pattern)
{
	if (strncasecmp(pattern, "INBOX", 5) == 0 &&
	    (pattern[5] == '\0' || pattern[5] == '/'))
		memcpy(pattern, "INBOX", 5);
}

static void
reply_list(struct listing *l, const char *name, const char *attributes)
{
	struct buf *out = sio_out(l->c->io);
	struct buf enc;

	/* A directory that others made may have any name. */
	buf_init(&enc, 8 * NAME_SIZE);
	if (imap_mutf7_encode(name, &enc) == 0) {
		reply_check(l->c, buf_printf(out, "* %s (%s) \"/\" ",
		    l->lsub ? "LSUB" : "LIST", attributes));
		reply_check(l->c, imap_write_mailbox(out, name));
		reply_bytes(l->c, "\r\n", 2);
	}
	buf_free(&enc);
}

/*
 * RFC 3501 6.3.9: with "%" the parent of a subscribed name is told as
 * \Noselect.
 */
static void
lsub_parent(struct listing *l, const char *name)
{
	size_t i;

	for (i = strlen(name); i > 0; i--) {
		if (name[i] != '/' || !match(l->pattern, name, i))
			continue;
		if (strncmp(l->parent, name, i) == 0 && l->parent[i] == '\0')
			return;
		memcpy(l->parent, name, i);
		l->parent[i] = '\0';
		reply_list(l, l->parent, "\\Noselect");
		return;
	}
}

static int
tell(void *arg, const char *name, unsigned int flags)
{
	struct listing *l = arg;
	char attributes[64];
	size_t len = strlen(name);

	if (len >= NAME_SIZE)
		return (0);
	if (l->lsub) {
		if ((flags & LIST_SUBSCRIBED) == 0)
			return (0);
		if (match(l->pattern, name, len))
			reply_list(l, name,
			    flags & LIST_NOEXIST ? "\\Noselect" : "");
		else if (strchr(l->pattern, '%') != NULL)
			lsub_parent(l, name);
		return (0);
	}
	if ((flags & LIST_NOEXIST) || !match(l->pattern, name, len))
		return (0);
	(void)strlcpy(attributes,
	    flags & LIST_NOSELECT ? "\\Noselect " : "", sizeof(attributes));
	(void)strlcat(attributes, flags & LIST_CHILDREN ? "\\HasChildren" :
	    "\\HasNoChildren", sizeof(attributes));
	reply_list(l, name, attributes);
	return (0);
}

static enum cmd_result
list(struct client *c, int lsub)
{
	struct listing l = { .c = c, .lsub = lsub };
	enum store_error e;
	char pattern[NAME_SIZE];

	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, l.pattern, sizeof(l.pattern)) == -1 ||
	    imap_sp(&c->args) == -1 ||
	    imap_list_mailbox(&c->args, pattern, sizeof(pattern)) == -1 ||
	    imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	if (pattern[0] == '\0') {
		/* RFC 3501 6.3.8: only the separator is asked for. */
		reply_line(c, "* %s (\\Noselect) \"/\" \"\"",
		    lsub ? "LSUB" : "LIST");
		return (cmd_ok(c, "%s completed", lsub ? "LSUB" : "LIST"));
	}
	if (pattern[0] == '/')
		l.pattern[0] = '\0';
	if (strlcat(l.pattern, pattern, sizeof(l.pattern)) >=
	    sizeof(l.pattern))
		return (cmd_no(c, "[LIMIT] Pattern too long"));
	fold_inbox(l.pattern);
	if ((e = store_list(c->set->store, tell, &l)) != STORE_OK)
		return (cmd_store_error(c, e));
	return (cmd_ok(c, "%s completed", lsub ? "LSUB" : "LIST"));
}

enum cmd_result
cmd_list(struct client *c)
{
	return (list(c, 0));
}

enum cmd_result
cmd_lsub(struct client *c)
{
	return (list(c, 1));
}
