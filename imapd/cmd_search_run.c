/*
 * cmd_search_run: the keys against one message after the other (RFC 9051
 * 6.4.4, 5032, 5182, 7162, 8474, 8514).
 *
 * Keys that the index answers are asked first, then those that the cache can,
 * then those that need the message's text, which is read once a turn; a key is
 * evaluated at most once a message.  Some messages a turn, and of a large one
 * some keys, so that the user's other connections get theirs.  Memory: four
 * bytes a message found, and within a turn a buffer for one message.
 */
#include <time.h>

#include "cmd_search_run.h"
#include "cmd_set.h"
#include "imap/date.h"
#include "session_reply.h"
#include "session_sync.h"

#define MESSAGES_A_TURN	2000
#define BYTES_A_TURN	(2 * 1024 * 1024)	/* read, or compared by a key */
#define SECONDS_A_DAY	86400
#define LATER		(-1)			/* in another turn */
#define PROGRESS_EVERY	10			/* seconds (RFC 9585) */

static enum cmd_result	step(struct client *, void *);
static enum cmd_result	look(struct client *, struct search *);
static void		run_free(void *);

static const struct cmd_run search_ops = { step, NULL, run_free };

static void
run_free(void *arg)
{
	struct search *run = arg;
	size_t i;

	search_text_free(&run->text);
	for (i = 0; run->needle != NULL && i < run->keys.n; i++)
		mime_needle_free(&run->needle[i]);
	free(run->needle);
	free(run->keyword);
	free(run->known);
	free(run->found);
	if (run->more != NULL)
		run->kind->free_more(run->more);
	imap_search_free(&run->keys);
	free(run);
}

uint32_t
search_name(struct client *c, uint32_t seq)
{
	const struct store_message *m;

	if (!c->uid)
		return (seq);
	m = mailbox_message(c->mb, seq);
	return (m != NULL ? m->uid : 0);
}

void
search_order(struct search *run, uint32_t *seqs)
{
	free(run->found);
	run->found = seqs;
}

static int64_t
day_of(int64_t t)
{
	return ((t >= 0 ? t : t - (SECONDS_A_DAY - 1)) / SECONDS_A_DAY);
}

/* The three of a kind follow each other: before, on, since. */
static int
compare_days(int64_t day, const struct imap_search_key *k,
    enum imap_search_op before)
{
	if (k->op == before)
		return (day < k->days);
	if (k->op == before + 1)
		return (day == k->days);
	return (day >= k->days);
}

/* RFC 3501 6.4.4: the date as it is written, whatever its time zone. */
static int
sent(struct search *run, const struct imap_search_key *k)
{
	int64_t t;
	int zone;

	if (!search_sent(&run->text, &t, &zone))
		return (0);
	return (compare_days(day_of(t + (int64_t)zone * 60), k,
	    SEARCH_SENTBEFORE));
}

static int
saved(const struct search *run, const struct imap_search_key *k)
{
	/* RFC 8514 4.3: without a save date the internal date counts. */
	return (compare_days(day_of(run->m.saved != 0 ? run->m.saved :
	    run->m.internal), k, SEARCH_SAVEDBEFORE));
}

static int
email_id(const struct search *run, const struct imap_search_key *k)
{
	char id[32];

	(void)snprintf(id, sizeof(id), "M%016llx",
	    (unsigned long long)run->m.emailid);
	return (k->text.len == strlen(id) &&
	    memcmp(k->text.s, id, k->text.len) == 0);
}

static int
text_key(struct search *run, size_t i)
{
	const struct imap_search_key *k = &run->keys.key[i];
	const char *header;
	size_t len;

	if (k->op != SEARCH_HEADER) {
		if (!search_tree(&run->text))
			return (0);
		run->text.read += run->text.tree.len;
		return (mime_match_text(&run->needle[i], &run->text.tree,
		    k->op == SEARCH_TEXT) == 1);
	}
	if (!search_header(&run->text, &k->name, &header, &len))
		return (0);
	run->text.read += len;
	return (mime_match_header(&run->needle[i], header, len, k->name.s,
	    k->name.len) == 1);
}

/* Once a message, and for so many a turn. */
static int
text_key_once(struct search *run, size_t i)
{
	if (run->known[i] == LATER) {
		if (run->text.read >= BYTES_A_TURN)
			return (LATER);
		run->known[i] = (signed char)text_key(run, i);
		run->asked = 1;
	}
	return (run->known[i]);
}

static int
index_key(const struct search *run, size_t i)
{
	const struct imap_search_key *k = &run->keys.key[i];
	const struct store_message *m = &run->m;

	switch (k->op) {
	case SEARCH_FLAG:
		return ((m->flags & k->flag) != 0);
	case SEARCH_KEYWORD:
		return ((m->keywords & run->keyword[i]) != 0 ||
		    (m->flags & k->flag) != 0);
	case SEARCH_BEFORE:
	case SEARCH_ON:
	case SEARCH_SINCE:
		return (compare_days(day_of(m->internal), k, SEARCH_BEFORE));
	case SEARCH_YOUNGER:
		return (m->internal >= run->began - (int64_t)k->number);
	case SEARCH_OLDER:
		return (m->internal <= run->began - (int64_t)k->number);
	case SEARCH_LARGER:
		return (m->size > k->number);
	case SEARCH_SMALLER:
		return (m->size < k->number);
	case SEARCH_UID:
		return (imap_seqset_has(&k->set, m->uid));
	case SEARCH_SEQ:
		return (imap_seqset_has(&k->set, k->set.saved ? m->uid :
		    run->text.seq));
	case SEARCH_SAVED:
		return (imap_seqset_has(&run->text.c->saved, m->uid));
	case SEARCH_MODSEQ:
		return (m->modseq >= k->number);
	case SEARCH_EMAILID:
		return (email_id(run, k));
	case SEARCH_THREADID:
		return (0);
	case SEARCH_SAVEDBEFORE:
	case SEARCH_SAVEDON:
	case SEARCH_SAVEDSINCE:
		return (saved(run, k));
	default:
		return (1);		/* ALL, SAVEDATESUPPORTED */
	}
}

/* 1, 0, or LATER.  Recursion is bounded by IMAP_SEARCH_DEPTH. */
static int
matches(struct search *run, size_t i)
{
	const struct imap_search_key *k = &run->keys.key[i];
	size_t child;
	int ret;

	switch (k->op) {
	case SEARCH_AND:
		for (child = k->child; child != 0;
		    child = run->keys.key[child].next)
			if ((ret = matches(run, child)) != 1)
				return (ret);
		return (1);
	case SEARCH_OR:
		if ((ret = matches(run, k->child)) != 0)
			return (ret);
		return (matches(run, run->keys.key[k->child].next));
	case SEARCH_NOT:
		ret = matches(run, k->child);
		return (ret == LATER ? LATER : !ret);
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		return (sent(run, k));
	case SEARCH_HEADER:
	case SEARCH_BODY:
	case SEARCH_TEXT:
		return (text_key_once(run, i));
	default:
		return (index_key(run, i));
	}
}

static int
add_found(struct search *run)
{
	uint32_t *v;
	size_t want;

	if (run->nfound == run->room) {
		want = run->room == 0 ? 256 : run->room * 2;
		if ((v = reallocarray(run->found, want, sizeof(*v))) == NULL)
			return (-1);
		run->found = v;
		run->room = want;
	}
	run->found[run->nfound++] = run->text.seq;
	if (run->m.modseq > run->modseq)
		run->modseq = run->m.modseq;
	return (0);
}

/* RFC 9585 */
static void
tell_progress(struct client *c, struct search *run, uint32_t count)
{
	time_t t = time(NULL);

	if (t - run->progress < PROGRESS_EVERY)
		return;
	run->progress = t;
	reply_line(c, "* OK [INPROGRESS (\"%s\" %u %u)] Still searching",
	    c->tag, run->next - 1, count);
}

/* A message that could not be looked at is not one that does not match. */
static enum cmd_result
step(struct client *c, void *arg)
{
	struct search *run = arg;
	enum cmd_result result = look(c, run);

	if (run->text.nomem)
		return (search_no_memory(c, run));
	if (result == CMD_MORE)		/* others need the memory meanwhile */
		search_text_next(&run->text, 0);
	return (result);
}

static void
next_message(struct search *run)
{
	if (run->asked)
		memset(run->known, LATER, run->keys.n);
	run->asked = 0;
	run->next++;
}

static enum cmd_result
look(struct client *c, struct search *run)
{
	const struct store_message *m;
	uint32_t count = mailbox_count(c->mb);
	int n, ret;

	if (run->next > count)
		return (run->kind->finish(c, run));
	run->text.read = 0;
	for (n = 0; n < MESSAGES_A_TURN && run->text.read < BYTES_A_TURN &&
	    run->next <= count; n++) {
		m = mailbox_facts(c->mb, run->next, run->facts);
		if (m == NULL || m->gone) {
			next_message(run);
			continue;
		}
		run->m = *m;
		search_text_next(&run->text, run->next);
		ret = matches(run, 0);
		if (run->text.nomem)
			return (CMD_NO);
		if (ret == LATER)
			break;
		if (ret && add_found(run) == -1)
			return (search_no_memory(c, run));
		next_message(run);
	}
	if (run->next > count)
		return (run->kind->finish(c, run));
	tell_progress(c, run, count);
	return (CMD_MORE);
}

/*
 * A message number that there is not is an error; a UID is not.  RFC 9586:
 * some clients use no numbers.
 */
static enum cmd_result
resolve_sets(struct client *c, struct imap_search *s)
{
	int uid = c->uid, ret = 0;
	size_t i;

	for (i = 0; i < s->n && ret == 0; i++) {
		if (s->key[i].op != SEARCH_UID && s->key[i].op != SEARCH_SEQ)
			continue;
		if (s->key[i].op == SEARCH_SEQ &&
		    (c->enabled & ENABLED_UIDONLY))
			return (cmd_bad(c, "[UIDREQUIRED] Message numbers "
			    "are not used"));
		/* RFC 7162 3.2.10.2: then nothing may be expunged meanwhile. */
		c->numbers |= s->key[i].op == SEARCH_SEQ;
		c->uid = s->key[i].op == SEARCH_UID;
		ret = set_resolve(c, &s->key[i].set);
	}
	c->uid = uid;
	return (ret == 0 ? CMD_OK : cmd_bad(c, "No such message"));
}

/* The keyword as a bit, or a system flag that is written like one. */
static void
prepare_keyword(struct client *c, struct search *run, size_t i)
{
	struct imap_search_key *k = &run->keys.key[i];
	char word[128];
	int n;

	if (imap_str_copy(&k->text, word, sizeof(word)) == -1)
		return;			/* no message has it */
	if (strcasecmp(word, "$Forwarded") == 0)
		k->flag = MSG_PASSED;
	else if ((n = mailbox_keyword_find(c->mb, word, 0)) >= 0 &&
	    n < STORE_KEYWORDS)
		run->keyword[i] = 1u << n;
}

/* What has to be known of each message for a key. */
static unsigned int
facts_for(enum imap_search_op op)
{
	switch (op) {
	case SEARCH_BEFORE:
	case SEARCH_ON:
	case SEARCH_SINCE:
	case SEARCH_YOUNGER:
	case SEARCH_OLDER:
	case SEARCH_SAVEDBEFORE:
	case SEARCH_SAVEDON:
	case SEARCH_SAVEDSINCE:
		return (FACT_DATES);
	case SEARCH_LARGER:
	case SEARCH_SMALLER:
		return (FACT_SIZE);
	default:
		return (0);
	}
}

/* What a key costs: 0 the index, 1 the cache, 2 the message. */
static int
cost(const struct imap_search *s, size_t i)
{
	const struct imap_search_key *k = &s->key[i];
	size_t child;
	int n = 0, ret;

	switch (k->op) {
	case SEARCH_AND:
	case SEARCH_OR:
	case SEARCH_NOT:
		for (child = k->child; child != 0; child = s->key[child].next) {
			if ((ret = cost(s, child)) > n)
				n = ret;
			if (k->op == SEARCH_NOT)
				break;
		}
		return (n);
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		return (1);
	case SEARCH_HEADER:
		return (cached_field(k->name.s, k->name.len) ? 1 : 2);
	case SEARCH_BODY:
	case SEARCH_TEXT:
		return (2);
	default:
		return (0);
	}
}

/* Put the cheap ones of key[i]'s children first. */
static void
order_children(struct imap_search *s, size_t i)
{
	size_t head[3] = { 0 }, tail[3] = { 0 }, child, next, *last;
	int n;

	for (child = s->key[i].child; child != 0; child = next) {
		next = s->key[child].next;
		n = cost(s, child);
		if (head[n] == 0)
			head[n] = child;
		else
			s->key[tail[n]].next = child;
		tail[n] = child;
		s->key[child].next = 0;
	}
	last = &s->key[i].child;
	for (n = 0; n < 3; n++) {
		if (head[n] == 0)
			continue;
		*last = head[n];
		last = &s->key[tail[n]].next;
	}
}

static int
prepare(struct client *c, struct search *run, enum mime_charset set)
{
	struct imap_search_key *k;
	size_t i;

	run->needle = calloc(run->keys.n, sizeof(*run->needle));
	run->keyword = calloc(run->keys.n, sizeof(*run->keyword));
	run->known = malloc(run->keys.n);
	if (run->needle == NULL || run->keyword == NULL ||
	    run->known == NULL)
		return (-1);
	memset(run->known, LATER, run->keys.n);
	for (i = 0; i < run->keys.n; i++) {
		k = &run->keys.key[i];
		run->facts |= facts_for(k->op);
		if (k->op == SEARCH_AND || k->op == SEARCH_OR)
			order_children(&run->keys, i);
		else if (k->op == SEARCH_KEYWORD)
			prepare_keyword(c, run, i);
		else if (k->op == SEARCH_MODSEQ)
			run->uses_modseq = 1;
		else if ((k->op == SEARCH_HEADER || k->op == SEARCH_BODY ||
		    k->op == SEARCH_TEXT) && mime_needle_init(&run->needle[i],
		    k->text.s, k->text.len, set) == -1)
			return (-1);
	}
	return (0);
}

/* RFC 3501 7.1: with all that there are. */
static enum cmd_result
bad_charset(struct client *c)
{
	char list[sizeof(c->text) - 64], name[MIME_CHARSET_NAME_SIZE];
	size_t i;

	list[0] = '\0';
	for (i = 0; mime_charset_name(i, name); i++) {
		if (i > 0)
			(void)strlcat(list, " ", sizeof(list));
		if (strlcat(list, name, sizeof(list)) >= sizeof(list))
			return (cmd_no(c, "[BADCHARSET] Unknown charset"));
	}
	return (cmd_no(c, "[BADCHARSET (%s)] Unknown charset", list));
}

static enum cmd_result
start(struct client *c, struct search *run)
{
	enum mime_charset set = CHARSET_UTF8;
	enum cmd_result result;

	if (run->keys.charset.s != NULL) {
		/* RFC 6855 3: SORT and THREAD cannot do without. */
		if ((c->enabled & ENABLED_UTF8) &&
		    run->kind->parse == imap_search)
			return (cmd_bad(c, "CHARSET after UTF8=ACCEPT"));
		set = mime_charset(run->keys.charset.s,
		    run->keys.charset.len);
	}
	if (set == CHARSET_UNKNOWN)
		return (bad_charset(c));
	if ((result = resolve_sets(c, &run->keys)) != CMD_OK)
		return (result);
	if (prepare(c, run, set) == -1)
		return (cmd_no(c, "[LIMIT] Search text too long"));
	if (run->uses_modseq && c->nomodseq)	/* RFC 7162 3.1.2.2 */
		return (cmd_bad(c, "No mod-sequences here"));
	if (run->uses_modseq)
		session_condstore(c);
	run->began = run->progress = time(NULL);
	run->text.c = c;
	run->next = 1;
	return (step(c, run));
}

enum cmd_result
search_begin(struct client *c, const struct search_kind *kind)
{
	enum cmd_result result;
	struct search *run;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	run->kind = kind;
	(void)client_run(c, &search_ops, run, CMD_MORE);
	if (kind->parse(&c->args, &run->keys) == -1)
		return (cmd_bad_args(c));
	result = start(c, run);
	/* RFC 5182 2.1: a search that failed leaves nothing saved. */
	if (result == CMD_NO && (run->keys.returns & RETURN_SAVE))
		imap_seqset_free(&c->saved);
	return (result);
}
