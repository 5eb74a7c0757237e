/*
 * cmd_search_tell: what SEARCH and SORT answer (RFC 3501 7.2.5, 4731, 5182,
 * 5267, 9394, 7162).
 */
#include <stdio.h>

#include "cmd_search_run.h"
#include "cmd_set.h"
#include "imap/write.h"
#include "session_reply.h"

#define NUMBERS_A_TURN	8192

/* What is told of all that was found: from *first to before *last. */
static void
told_range(const struct search *run, size_t *first, size_t *last)
{
	int64_t from = 0, to = (int64_t)run->nfound;

	if (run->keys.returns & RETURN_PARTIAL)
		set_range(run->keys.partial, (int64_t)run->nfound, &from, &to);
	*first = (size_t)from;
	*last = (size_t)to;
}

static int
number_cmp(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return (*a < *b ? -1 : *a > *b);
}

/* UIDs, in any order, as a set. -1: no memory. */
static int
set_of(struct imap_seqset *set, uint32_t *uids, size_t n)
{
	size_t i;

	memset(set, 0, sizeof(*set));
	if (n == 0)
		return (0);
	qsort(uids, n, sizeof(*uids), number_cmp);
	if ((set->v = reallocarray(NULL, n, sizeof(*set->v))) == NULL)
		return (-1);
	for (i = 0; i < n; i++) {
		if (set->n > 0 && uids[i] == set->v[set->n - 1].last + 1)
			set->v[set->n - 1].last = uids[i];
		else {
			set->v[set->n].first = uids[i];
			set->v[set->n++].last = uids[i];
		}
	}
	return (0);
}

/*
 * RFC 5182 2.1: what "$" is from now on.  With MIN or MAX and nothing that
 * asks for all, only these.
 */
static int
save(struct client *c, const struct search *run)
{
	const unsigned int all = RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL;
	unsigned int r = run->keys.returns;
	const struct store_message *m;
	size_t first, last, i, n = 0;
	uint32_t *uids;
	int ret;

	told_range(run, &first, &last);
	if ((uids = reallocarray(NULL, last - first + 1,
	    sizeof(*uids))) == NULL)
		return (-1);
	for (i = first; i < last; i++) {
		if ((r & (RETURN_MIN | RETURN_MAX)) && (r & all) == 0 &&
		    !((r & RETURN_MIN) && i == first) &&
		    !((r & RETURN_MAX) && i == last - 1))
			continue;
		if ((m = mailbox_message(c->mb, run->found[i])) != NULL)
			uids[n++] = m->uid;
	}
	imap_seqset_free(&c->saved);
	ret = set_of(&c->saved, uids, n);
	free(uids);
	return (ret);
}

/* RFC 7162 3.1.6: of those that are told. */
static uint64_t
told_modseq(struct client *c, const struct search *run)
{
	const unsigned int all = RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL;
	unsigned int r = run->keys.returns;
	const struct store_message *m;
	uint64_t highest = 0;

	if ((r & (RETURN_MIN | RETURN_MAX)) == 0 || (r & all))
		return (run->modseq);
	if ((r & RETURN_MIN) &&
	    (m = mailbox_message(c->mb, run->found[0])) != NULL)
		highest = m->modseq;
	if ((r & RETURN_MAX) && (m = mailbox_message(c->mb,
	    run->found[run->nfound - 1])) != NULL && m->modseq > highest)
		highest = m->modseq;
	return (highest);
}

static void
tell_set(struct client *c, const struct search *run, size_t first, size_t last)
{
	struct imap_set_writer w = { 0 };
	struct buf *out = sio_out(c->io);
	size_t i;

	for (i = first; i < last; i++)
		reply_check(c, imap_write_set(out, &w,
		    search_name(c, run->found[i])));
	reply_check(c, imap_write_set_end(out, &w));
}

static void
tell_partial(struct client *c, const struct search *run)
{
	struct buf *out = sio_out(c->io);
	size_t first, last;

	told_range(run, &first, &last);
	reply_check(c, buf_printf(out, " PARTIAL (%lld:%lld ",
	    (long long)run->keys.partial[0], (long long)run->keys.partial[1]));
	if (first == last)
		reply_check(c, buf_puts(out, "NIL"));
	else
		tell_set(c, run, first, last);
	reply_check(c, buf_puts(out, ")"));
}

static void
tell_extended(struct client *c, const struct search *run)
{
	struct buf *out = sio_out(c->io);
	unsigned int r = run->keys.returns;
	size_t n = run->nfound;

	reply_check(c, buf_printf(out, "* ESEARCH (TAG \"%s\")%s", c->tag,
	    c->uid ? " UID" : ""));
	if ((r & RETURN_MIN) && n > 0)
		reply_check(c, buf_printf(out, " MIN %u",
		    search_name(c, run->found[0])));
	if ((r & RETURN_MAX) && n > 0)
		reply_check(c, buf_printf(out, " MAX %u",
		    search_name(c, run->found[n - 1])));
	if (r & RETURN_COUNT)
		reply_check(c, buf_printf(out, " COUNT %zu", n));
	if (r & RETURN_PARTIAL)
		tell_partial(c, run);
	if (run->uses_modseq && n > 0)
		reply_check(c, buf_printf(out, " MODSEQ %llu",
		    (unsigned long long)told_modseq(c, run)));
	if ((r & RETURN_ALL) && n > 0) {
		reply_check(c, buf_puts(out, " ALL "));
		tell_set(c, run, 0, n);
	}
	reply_line(c, "%s", "");
}

/* "* SEARCH 1 2 3", some numbers a turn. */
static enum cmd_result
tell_numbers(struct client *c, struct search *run)
{
	struct buf *out = sio_out(c->io);
	int n;

	if (run->at == 0)
		reply_check(c, buf_printf(out, "* %s", run->kind->name));
	for (n = 0; n < NUMBERS_A_TURN && run->at < run->nfound &&
	    !sio_full(c->io); n++) {
		reply_check(c, buf_add(out, " ", 1));
		reply_check(c, buf_number(out,
		    search_name(c, run->found[run->at++])));
	}
	if (run->at < run->nfound)
		return (CMD_MORE);
	if (run->uses_modseq && run->nfound > 0)
		reply_check(c, buf_printf(out, " (MODSEQ %llu)",
		    (unsigned long long)run->modseq));
	reply_line(c, "%s", "");
	return (cmd_ok(c, "%s completed", run->kind->name));
}

enum cmd_result
search_no_memory(struct client *c, const struct search *run)
{
	if ((run->keys.returns & RETURN_SAVE) == 0)
		return (cmd_no(c, "[LIMIT] Out of memory"));
	imap_seqset_free(&c->saved);
	return (cmd_no(c, "[NOTSAVED] Out of memory"));
}

enum cmd_result
search_tell(struct client *c, struct search *run)
{
	/* RFC 9051 6.4.4: there is no other answer any more. */
	if ((c->enabled & ENABLED_REV2) && run->keys.returns == 0 &&
	    run->keys.nsort == 0)
		run->keys.returns = RETURN_GIVEN | RETURN_ALL;
	if (run->keys.returns == 0)
		return (tell_numbers(c, run));
	if ((run->keys.returns & RETURN_SAVE) && save(c, run) == -1)
		return (search_no_memory(c, run));
	/* RFC 5182 2.3: SAVE alone is answered with the tag only. */
	if (run->keys.returns != (RETURN_GIVEN | RETURN_SAVE))
		tell_extended(c, run);
	return (cmd_ok(c, "%s completed", run->kind->name));
}
