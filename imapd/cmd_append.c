/*
 * cmd_append: APPEND (RFC 3501 6.3.11, UIDPLUS RFC 4315, RFC 7889).
 *
 * The message goes to the store as it comes and is never held in memory.  What
 * the store says in the middle is told at the end, when the literal is over.
 */
#include <time.h>

#include "cmd_table.h"
#include "imap/date.h"
#include "imap/flags.h"
#include "session_reply.h"

struct run {
	struct append		*append;
	enum store_error	 error;
};

struct arguments {
	char		 name[STORE_NAME_MAX + 1];
	struct imap_flags flags;
	time_t		 internal;
	uint64_t	 size;
};

static enum cmd_literal	begin(struct client *);
static void		data(struct client *, const char *, size_t);
static void		run_free(void *);

const struct cmd_stream cmd_append_stream = { begin, data };
static const struct cmd_run append_ops = { NULL, NULL, run_free };

static void
run_free(void *arg)
{
	struct run *run = arg;

	if (run->append != NULL)
		append_abort(run->append);
	free(run);
}

/* The literal may be the name of the mailbox. */
static int
is_name_literal(const struct imap_parser *args)
{
	struct imap_parser p = *args;
	uint64_t n;
	int binary;

	return (imap_peek(&p) == '{' &&
	    imap_literal_announced(&p, &n, &binary) == 0);
}

static int
arguments(struct imap_parser *p, struct arguments *a)
{
	int binary;

	a->flags.system = 0;
	a->flags.n = 0;
	a->internal = time(NULL);
	if (imap_mailbox(p, a->name, sizeof(a->name)) == -1 ||
	    imap_sp(p) == -1)
		return (-1);
	if (imap_peek(p) == '(' &&
	    (imap_flag_list(p, &a->flags) == -1 || imap_sp(p) == -1))
		return (-1);
	if (imap_peek(p) == '"' &&
	    (imap_date_time(p, &a->internal) == -1 || imap_sp(p) == -1))
		return (-1);
	if (imap_literal_announced(p, &a->size, &binary) == -1)
		return (-1);
	if (binary)
		return (imap_error(p, "literal8 is not offered"));
	return (0);
}

static enum store_error
open_append(struct client *c, const struct arguments *a, struct append **out)
{
	char words[IMAP_KEYWORDS_MAX][IMAP_KEYWORD_LEN + 1];
	const char *keywords[IMAP_KEYWORDS_MAX + 1];
	size_t i;

	for (i = 0; i < a->flags.n; i++) {
		if (imap_str_copy(&a->flags.keyword[i], words[i],
		    sizeof(words[i])) == -1)
			return (STORE_LIMIT);
		keywords[i] = words[i];
	}
	keywords[i] = NULL;
	return (append_begin(c->set->store, a->name, a->internal,
	    a->flags.system, keywords, out));
}

static enum cmd_literal
refuse(struct client *c, enum cmd_result why)
{
	c->refusal = why;
	return (LITERAL_REFUSE);
}

static enum cmd_literal
begin(struct client *c)
{
	struct arguments a;
	struct run *run;
	enum store_error e;

	if (imap_sp(&c->args) == -1)
		return (refuse(c, cmd_bad_args(c)));
	if (is_name_literal(&c->args))
		return (LITERAL_DEFAULT);
	if (arguments(&c->args, &a) == -1)
		return (refuse(c, cmd_bad_args(c)));
	if (a.size > SESSION_APPEND_MAX)
		return (refuse(c, cmd_no(c, "[TOOBIG] Message too large")));
	if (a.size == 0)
		return (refuse(c, cmd_no(c, "[CANNOT] Message is empty")));
	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (refuse(c, cmd_no(c, "[SERVERBUG] Out of memory")));
	if ((e = open_append(c, &a, &run->append)) != STORE_OK) {
		free(run);
		return (refuse(c, cmd_target_error(c, e)));
	}
	(void)client_run(c, &append_ops, run, CMD_MORE);
	return (LITERAL_STREAM);
}

static void
data(struct client *c, const char *p, size_t len)
{
	struct run *run = c->run;

	if (run->error == STORE_OK)
		run->error = append_write(run->append, p, len);
}

enum cmd_result
cmd_append(struct client *c)
{
	struct run *run = c->run;
	enum store_error e;
	uint32_t uid = 0, uidvalidity = 0;

	if (run == NULL) {
		(void)imap_error(&c->args, "Expected a message as a literal");
		return (cmd_bad_args(c));
	}
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	if (run->error != STORE_OK)
		return (cmd_target_error(c, run->error));
	e = append_commit(&run->append, 1, &uid, &uidvalidity);
	run->append = NULL;		/* it is freed in any case */
	if (e != STORE_OK)
		return (cmd_target_error(c, e));
	if (uid == 0)
		return (cmd_ok(c, "APPEND completed"));
	return (cmd_ok(c, "[APPENDUID %u %u] APPEND completed", uidvalidity,
	    uid));
}
