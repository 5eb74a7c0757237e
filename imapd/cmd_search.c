/*
 * cmd_search: SEARCH and UID SEARCH (RFC 3501 6.4.4).
 *
 * A message's text is read when the first key that needs it is reached, and
 * once.  Some messages
 * a turn; a key is evaluated at most once a message.
 */
#include "cmd_set.h"
#include "cmd_table.h"
#include "imap/date.h"
#include "imap/search.h"
#include "mime/date.h"
#include "mime/header.h"
#include "mime/match.h"
#include "session_reply.h"

#define MESSAGES_A_TURN	1000
#define BYTES_A_TURN	(2 * 1024 * 1024)	/* of text that was read */
#define SECONDS_A_DAY	86400

struct run {
	struct client		*c;
	struct imap_search	 search;
	struct mime_needle	*needle;	/* of key i */
	uint32_t		*keyword;	/* bit of key i; 0 unknown */
	uint32_t		 next;
	/* The message that is looked at. */
	uint32_t		 seq;
	struct store_message	 m;
	struct message_text	 text;
	int			 have_text;
	struct mime_tree	 tree;
	int			 have_tree;
	size_t			 read;		/* bytes in this turn */
};

static enum cmd_result	step(struct client *, void *);
static void		run_free(void *);

static const struct cmd_run search_ops = { step, NULL, run_free };

static void
forget_text(struct run *run)
{
	if (run->have_tree)
		mime_tree_free(&run->tree);
	if (run->have_text)
		message_text_free(&run->text);
	run->have_tree = run->have_text = 0;
}

static void
run_free(void *arg)
{
	struct run *run = arg;
	size_t i;

	forget_text(run);
	for (i = 0; run->needle != NULL && i < run->search.n; i++)
		mime_needle_free(&run->needle[i]);
	free(run->needle);
	free(run->keyword);
	imap_search_free(&run->search);
	free(run);
}

/* 0 if the message is gone or cannot be read: it then matches nothing. */
static int
need_text(struct run *run)
{
	if (run->have_text)
		return (1);
	if (mailbox_message_text(run->c->mb, run->seq,
	    &run->text) != STORE_OK)
		return (0);
	run->have_text = 1;
	run->read += run->text.len;
	return (1);
}

static int
need_tree(struct run *run)
{
	if (run->have_tree)
		return (1);
	if (!need_text(run) ||
	    mime_tree_parse(&run->tree, run->text.data, run->text.len) == -1)
		return (0);
	run->have_tree = 1;
	return (1);
}

/* RFC 3501 6.4.4: the date as it is written, whatever its time zone. */
static int
sent_days(struct run *run, int64_t *days)
{
	struct mime_field f;
	struct mime_date d;

	if (!need_text(run) || !mime_field_find(run->text.data,
	    run->text.len, "Date", &f) ||
	    mime_date_parse(&d, f.value, f.valuelen) == -1)
		return (0);
	*days = imap_days(d.year, d.month, d.day);
	return (1);
}

static int
sent(struct run *run, const struct imap_search_key *k)
{
	int64_t days;

	if (!sent_days(run, &days))
		return (0);
	if (k->op == SEARCH_SENTBEFORE)
		return (days < k->days);
	if (k->op == SEARCH_SENTON)
		return (days == k->days);
	return (days >= k->days);
}

static int
arrived(const struct run *run, const struct imap_search_key *k)
{
	int64_t t = run->m.internal;
	int64_t days = (t >= 0 ? t : t - (SECONDS_A_DAY - 1)) / SECONDS_A_DAY;

	if (k->op == SEARCH_BEFORE)
		return (days < k->days);
	if (k->op == SEARCH_ON)
		return (days == k->days);
	return (days >= k->days);
}

static int
text_key(struct run *run, size_t i)
{
	const struct imap_search_key *k = &run->search.key[i];
	size_t header;

	if (k->op != SEARCH_HEADER)
		return (need_tree(run) && mime_match_text(&run->needle[i],
		    &run->tree, k->op == SEARCH_TEXT) == 1);
	if (!need_text(run))
		return (0);
	header = mime_header_length(run->text.data, run->text.len);
	return (mime_match_header(&run->needle[i], run->text.data, header,
	    k->name.s, k->name.len) == 1);
}

/* Recursion is bounded by IMAP_SEARCH_DEPTH. */
static int
matches(struct run *run, size_t i)
{
	const struct imap_search_key *k = &run->search.key[i];
	size_t child;

	switch (k->op) {
	case SEARCH_ALL:
		return (1);
	case SEARCH_AND:
		for (child = k->child; child != 0;
		    child = run->search.key[child].next)
			if (!matches(run, child))
				return (0);
		return (1);
	case SEARCH_OR:
		return (matches(run, k->child) ||
		    matches(run, run->search.key[k->child].next));
	case SEARCH_NOT:
		return (!matches(run, k->child));
	case SEARCH_FLAG:
		return ((run->m.flags & k->flag) != 0);
	case SEARCH_KEYWORD:
		return ((run->m.keywords & run->keyword[i]) != 0 ||
		    (run->m.flags & k->flag) != 0);
	case SEARCH_BEFORE:
	case SEARCH_ON:
	case SEARCH_SINCE:
		return (arrived(run, k));
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		return (sent(run, k));
	case SEARCH_LARGER:
		return (run->m.size > k->number);
	case SEARCH_SMALLER:
		return (run->m.size < k->number);
	case SEARCH_UID:
		return (imap_seqset_has(&k->set, run->m.uid));
	case SEARCH_SEQ:
		return (imap_seqset_has(&k->set, run->seq));
	default:
		return (text_key(run, i));
	}
}

static enum cmd_result
step(struct client *c, void *arg)
{
	struct run *run = arg;
	const struct store_message *m;
	uint32_t count = mailbox_count(c->mb);
	int n;

	run->read = 0;
	for (n = 0; n < MESSAGES_A_TURN && run->read < BYTES_A_TURN &&
	    !sio_full(c->io); n++) {
		if (run->next > count ||
		    (m = mailbox_message(c->mb, run->next)) == NULL) {
			reply_bytes(c, "\r\n", 2);
			return (cmd_ok(c, "SEARCH completed"));
		}
		run->seq = run->next++;
		run->m = *m;
		if (matches(run, 0))
			reply_check(c, buf_printf(sio_out(c->io), " %u",
			    c->uid ? run->m.uid : run->seq));
		forget_text(run);
	}
	return (CMD_MORE);
}

/* A message number that there is not is an error; a UID is not. */
static int
resolve_sets(struct client *c, struct imap_search *s)
{
	int uid = c->uid, ret = 0;
	size_t i;

	for (i = 0; i < s->n && ret == 0; i++) {
		if (s->key[i].op != SEARCH_UID && s->key[i].op != SEARCH_SEQ)
			continue;
		c->uid = s->key[i].op == SEARCH_UID;
		ret = set_resolve(c, &s->key[i].set);
	}
	c->uid = uid;
	return (ret);
}

/* The keyword as a bit, or a system flag that is written like one. */
static void
prepare_keyword(struct run *run, size_t i)
{
	struct imap_search_key *k = &run->search.key[i];
	char word[128];
	int n;

	if (imap_str_copy(&k->text, word, sizeof(word)) == -1)
		return;			/* no message has it */
	if (strcasecmp(word, "$Forwarded") == 0)
		k->flag = MSG_PASSED;
	else if ((n = mailbox_keyword_find(run->c->mb, word, 0)) >= 0 &&
	    n < STORE_KEYWORDS)
		run->keyword[i] = 1u << n;
}

static int
prepare(struct run *run, enum mime_charset set)
{
	struct imap_search_key *k;
	size_t i;

	run->needle = calloc(run->search.n, sizeof(*run->needle));
	run->keyword = calloc(run->search.n, sizeof(*run->keyword));
	if (run->needle == NULL || run->keyword == NULL)
		return (-1);
	for (i = 0; i < run->search.n; i++) {
		k = &run->search.key[i];
		if (k->op == SEARCH_KEYWORD)
			prepare_keyword(run, i);
		else if ((k->op == SEARCH_HEADER || k->op == SEARCH_BODY ||
		    k->op == SEARCH_TEXT) && mime_needle_init(&run->needle[i],
		    k->text.s, k->text.len, set) == -1)
			return (-1);
	}
	return (0);
}

enum cmd_result
cmd_search(struct client *c)
{
	enum mime_charset set = CHARSET_UTF8;
	struct run *run;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	run->c = c;
	(void)client_run(c, &search_ops, run, CMD_MORE);
	if (imap_search(&c->args, &run->search) == -1)
		return (cmd_bad_args(c));
	if (run->search.charset.s != NULL)
		set = mime_charset(run->search.charset.s,
		    run->search.charset.len);
	if (set == CHARSET_UNKNOWN)
		return (cmd_no(c, "[BADCHARSET (US-ASCII UTF-8 ISO-8859-1 "
		    "ISO-8859-15 WINDOWS-1252)] Unknown charset"));
	if (resolve_sets(c, &run->search) == -1)
		return (cmd_bad(c, "No such message"));
	if (prepare(run, set) == -1)
		return (cmd_no(c, "[LIMIT] Search text too long"));
	run->next = 1;
	reply_check(c, buf_puts(sio_out(c->io), "* SEARCH"));
	return (step(c, run));
}
