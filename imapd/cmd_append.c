/*
 * cmd_append: APPEND (RFC 9051 6.3.12), several messages at once (RFC 3502),
 * and REPLACE (RFC 8508).
 *
 * Messages go to the store as they come and are never held in memory.  What
 * the store says in the middle is told at the end, when the literal is over.
 * All of one command are committed together, all or none.
 *
 * Those that come as a literal8 (RFC 3516) are held, one at a time: parts that
 * are binary are encoded, for files of lines and literals without NUL cannot
 * have them.
 */
#include <time.h>

#include "cmd_set.h"
#include "cmd_table.h"
#include "imap/date.h"
#include "imap/flags.h"
#include "mime/recode.h"
#include "session_reply.h"
#include "session_sync.h"

#define MESSAGES_MAX	1000		/* of one command */

struct run {
	char			 name[STORE_NAME_MAX + 1];
	uint32_t		 replaced;	/* number; 0: APPEND */
	struct append		*append[MESSAGES_MAX];
	size_t			 n;
	int			 utf8;		/* ")" has to follow */
	enum store_error	 error;
	int			 binary;	/* the last one: in raw */
	struct buf		 raw;
	const char		*why;		/* it cannot be kept so */
};

struct arguments {
	struct imap_flags flags;
	time_t		 internal;
	uint64_t	 size;
	int		 binary;
	int		 utf8;
};

static enum cmd_literal	append_begins(struct client *);
static enum cmd_literal	replace_begins(struct client *);
static enum cmd_literal	next_message(struct client *);
static void		data(struct client *, const char *, size_t);
static void		run_free(void *);

const struct cmd_stream cmd_append_stream = { append_begins, next_message,
	data };
const struct cmd_stream cmd_replace_stream = { replace_begins, NULL, data };
static const struct cmd_run append_ops = { NULL, NULL, run_free };

static void
run_free(void *arg)
{
	struct run *run = arg;

	while (run->n > 0)
		append_abort(run->append[--run->n]);
	buf_free(&run->raw);
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

/* RFC 6855 4: "UTF8 (~{n}", and ")" behind it. */
static int
utf8_data(struct imap_parser *p, struct arguments *a)
{
	struct imap_str s;

	if (imap_peek(p) != 'U' && imap_peek(p) != 'u')
		return (0);
	if (imap_atom(p, &s) == -1 || !imap_str_is(&s, "UTF8") ||
	    imap_sp(p) == -1 || imap_expect(p, '(') == -1 ||
	    imap_peek(p) != '~')
		return (imap_error(p, "Expected a message as a literal"));
	a->utf8 = 1;
	return (0);
}

/* What stands before each message. */
static int
arguments(struct imap_parser *p, struct arguments *a)
{
	memset(a, 0, sizeof(*a));
	a->internal = time(NULL);
	if (imap_sp(p) == -1)
		return (-1);
	if (imap_peek(p) == '(' &&
	    (imap_flag_list(p, &a->flags) == -1 || imap_sp(p) == -1))
		return (-1);
	if (imap_peek(p) == '"' &&
	    (imap_date_time(p, &a->internal) == -1 || imap_sp(p) == -1))
		return (-1);
	if (utf8_data(p, a) == -1)
		return (-1);
	return (imap_literal_announced(p, &a->size, &a->binary));
}

static enum store_error
open_append(struct client *c, const char *name, const struct arguments *a,
    struct append **out)
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
	return (append_begin(c->set->store, name, a->internal,
	    a->flags.system, keywords, out));
}

static enum cmd_literal
refuse(struct client *c, enum cmd_result why)
{
	c->refusal = why;
	return (LITERAL_REFUSE);
}

/* One more message of run. */
static enum cmd_literal
one_message(struct client *c, struct run *run)
{
	struct arguments a;
	enum store_error e;

	if (arguments(&c->args, &a) == -1)
		return (refuse(c, cmd_bad_args(c)));
	if (a.utf8 && (c->enabled & ENABLED_UTF8) == 0)
		return (refuse(c, cmd_bad(c, "UTF8=ACCEPT is not enabled")));
	if (a.size > SESSION_APPEND_MAX)
		return (refuse(c, cmd_no(c, "[TOOBIG] Message too large")));
	if (a.size == 0)
		return (refuse(c, cmd_no(c, "[CANNOT] Message is empty")));
	if (run->n == MESSAGES_MAX)
		return (refuse(c, cmd_no(c, "[LIMIT] Too many messages")));
	if ((e = open_append(c, run->name, &a,
	    &run->append[run->n])) != STORE_OK)
		return (refuse(c, cmd_target_error(c, e)));
	if ((e = append_expect(run->append[run->n++], a.size)) != STORE_OK)
		return (refuse(c, cmd_target_error(c, e)));
	run->utf8 = a.utf8;
	run->binary = a.binary;
	if (a.binary && buf_reserve(&run->raw, (size_t)a.size) == NULL)
		return (refuse(c, cmd_no(c, "[LIMIT] Out of memory")));
	return (LITERAL_STREAM);
}

static enum cmd_literal
begin(struct client *c, uint32_t replaced)
{
	struct run *run;

	if (is_name_literal(&c->args))
		return (LITERAL_DEFAULT);
	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (refuse(c, cmd_no(c, "[SERVERBUG] Out of memory")));
	(void)client_run(c, &append_ops, run, CMD_MORE);
	run->replaced = replaced;
	buf_init(&run->raw, SESSION_APPEND_MAX);
	if (imap_mailbox(&c->args, run->name, sizeof(run->name)) == -1)
		return (refuse(c, cmd_bad_args(c)));
	return (one_message(c, run));
}

static enum cmd_literal
append_begins(struct client *c)
{
	if (imap_sp(&c->args) == -1)
		return (refuse(c, cmd_bad_args(c)));
	return (begin(c, 0));
}

/* The message that is to be replaced is known before the new one comes. */
static enum cmd_literal
replace_begins(struct client *c)
{
	uint32_t n, seq;

	if (imap_sp(&c->args) == -1 || imap_nznumber(&c->args, &n) == -1 ||
	    imap_sp(&c->args) == -1)
		return (refuse(c, cmd_bad_args(c)));
	seq = c->uid ? mailbox_seq_of_uid(c->mb, n) : n;
	if (seq == 0)
		return (refuse(c, cmd_no(c, "[NONEXISTENT] No such message")));
	if (seq > mailbox_count(c->mb))
		return (refuse(c, cmd_bad(c, "No such message")));
	return (begin(c, seq));
}

/* RFC 3516 4.4: nothing that it has may be lost. */
static void
encode(struct run *run)
{
	enum mime_recode_error e;
	struct mime_recode *r;
	char out[RECODE_OUT_MIN];
	uint64_t size = 0;
	size_t n;

	r = mime_recode_new(buf_data(&run->raw), buf_len(&run->raw),
	    RECODE_8BIT, &e);
	if (r == NULL)
		run->why = e == RECODE_NOMEM ? "[LIMIT] Out of memory" :
		    "[UNKNOWN-CTE] Binary where it cannot be encoded";
	while (run->why == NULL && run->error == STORE_OK &&
	    (n = mime_recode_next(r, out, sizeof(out))) > 0) {
		if (memchr(out, '\0', n) != NULL)
			run->why = "[UNKNOWN-CTE] NUL in what is not binary";
		else if ((size += n) > SESSION_APPEND_MAX)
			run->why = "[TOOBIG] Message too large when encoded";
		else
			run->error = append_write(run->append[run->n - 1],
			    out, n);
	}
	mime_recode_free(r);
}

/* A message is complete. */
static void
message_ends(struct run *run)
{
	if (run->binary && run->error == STORE_OK && run->why == NULL)
		encode(run);
	run->binary = 0;
	buf_free(&run->raw);
}

/* Behind one message another is announced. */
static enum cmd_literal
next_message(struct client *c)
{
	struct run *run = c->run;

	message_ends(run);
	if (run->utf8 && imap_expect(&c->args, ')') == -1)
		return (refuse(c, cmd_bad_args(c)));
	return (one_message(c, run));
}

static void
data(struct client *c, const char *p, size_t len)
{
	struct run *run = c->run;

	if (run->error != STORE_OK)
		return;
	if (!run->binary)
		run->error = append_write(run->append[run->n - 1], p, len);
	else if (buf_add(&run->raw, p, len) == -1)
		run->error = STORE_LIMIT;
}

/* On disk, with the code that says where. */
static enum store_error
commit(struct client *c, struct run *run)
{
	uint32_t *uids, uidvalidity = 0;
	size_t n = run->n;
	enum store_error e;

	if ((uids = calloc(n, sizeof(*uids))) == NULL)
		return (STORE_SYS);
	e = append_commit(run->append, n, uids, &uidvalidity);
	run->n = 0;			/* they are freed in any case */
	if (e == STORE_OK)
		client_settle(c);
	if (e == STORE_OK && uids[0] != 0) {
		code_printf(c, "APPENDUID %u ", uidvalidity);
		code_set(c, uids, n);
	}
	free(uids);
	return (e);
}

/* RFC 8508 3.3: APPENDUID comes before the EXPUNGE. */
static enum store_error
replace(struct client *c, uint32_t seq)
{
	enum store_error e;

	if ((e = store_flush(c->set->store)) != STORE_OK) {
		buf_free(&c->code);
		return (e);
	}
	reply_line(c, "* OK [%.*s] Replacement is there",
	    (int)buf_len(&c->code), (char *)buf_data(&c->code));
	buf_free(&c->code);
	e = mailbox_expunge(c->mb, &seq, 1, &session_changes, c);
	session_tell_vanished(c);
	client_settle(c);
	return (e);
}

enum cmd_result
cmd_append(struct client *c)
{
	struct run *run = c->run;
	enum store_error e;

	if (run == NULL) {
		(void)imap_error(&c->args, "Expected a message as a literal");
		return (cmd_bad_args(c));
	}
	if ((run->utf8 && imap_expect(&c->args, ')') == -1) ||
	    imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	message_ends(run);
	if (run->error != STORE_OK)
		return (cmd_target_error(c, run->error));
	if (run->why != NULL)
		return (cmd_no(c, "%s", run->why));
	if ((e = commit(c, run)) != STORE_OK)
		return (cmd_target_error(c, e));
	if (run->replaced == 0)
		return (cmd_ok(c, "APPEND completed"));
	if ((e = replace(c, run->replaced)) != STORE_OK)
		return (cmd_store_error(c, e));
	return (session_expunged(c, "REPLACE"));
}

enum cmd_result
cmd_replace(struct client *c)
{
	return (cmd_append(c));
}
