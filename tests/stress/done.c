/*
 * done: the tagged answers and the codes in them, against the model.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stress.h"

static void
capabilities(struct conn *c, const char *text)
{
	static const char *const names[CAPS] = {
		"LITERAL+", "MULTIAPPEND", "MOVE", "UIDPLUS", "CONDSTORE",
		"QRESYNC", "SORT", "THREAD=REFERENCES", "ESEARCH", "UNSELECT",
		"IDLE", "ENABLE"
	};
	unsigned int i;
	size_t n;

	for (; *text != '\0' && *text != ']'; text += n + (text[n] == ' ')) {
		n = strcspn(text, " ]");
		for (i = 0; i < CAPS; i++)
			if (strlen(names[i]) == n &&
			    strncasecmp(names[i], text, n) == 0)
				c->caps |= 1u << i;
	}
}

static void
uidvalidity(struct conn *c, struct box *b, uint32_t n)
{
	if (b->uidvalidity != 0 && b->uidvalidity != n)
		wrong(c, "%s: UIDVALIDITY %u was %u", b->name, n,
		    b->uidvalidity);
	b->uidvalidity = n;
}

static void
uidnext(struct conn *c, const struct cmd *cmd, struct box *b, uint32_t n)
{
	if (n < cmd->uidnext)
		wrong(c, "%s: UIDNEXT %u should be %u or more", b->name, n,
		    cmd->uidnext);
	if (b->uidnext < n)
		b->uidnext = n;
}

static void
highest(struct conn *c, struct cmd *cmd, struct box *b, uint64_t n)
{
	/* A session that has yet to hear of others' changes says less. */
	if (n < cmd->modseq && (cmd->kind == C_SELECT ||
	    cmd->kind == C_STATUS))
		wrong(c, "%s: HIGHESTMODSEQ %llu should be %llu or more",
		    b->name, (unsigned long long)n,
		    (unsigned long long)cmd->modseq);
	cmd->highest = n;
	if (b->highest < n)
		b->highest = n;
}

/* A UID that a command has made. */
static struct msg *
made(struct conn *c, const struct cmd *cmd, struct box *b, uint32_t uid)
{
	struct msg *m = msg_find(b, uid);

	if (uid < cmd->uidnext)
		wrong(c, "%s: new UID %u, and UIDNEXT was %u", b->name, uid,
		    cmd->uidnext);
	if (m != NULL && m->made != 0) {
		wrong(c, "%s: UID %u is made a second time", b->name, uid);
		return (NULL);
	}
	/* If others were told of it first, they may have done anything. */
	if (m != NULL)
		return (m);
	m = msg_get(b, uid);
	m->may_go = 0;
	m->made = ++when;
	return (m);
}

static void
same_id(struct conn *c, struct msg *m, uint32_t id)
{
	if (id != 0 && m->id != 0 && m->id != id)
		wrong(c, "UID %u is %08x, should be %08x", m->uid, m->id, id);
	if (id != 0)
		m->id = id;
}

static void
appenduid(struct conn *c, struct cmd *cmd, const char *p)
{
	uint32_t uid[4];
	struct msg *m;
	unsigned int k;
	char *q;
	long n, i;

	uidvalidity(c, cmd->dest, (uint32_t)strtoul(p, &q, 10));
	n = set_parse(q + 1, uid, 4, &p);
	if (n != (long)cmd->nids) {
		wrong(c, "APPENDUID for %u messages: %s", cmd->nids, q);
		return;
	}
	for (i = 0; i < n; i++) {
		if ((m = made(c, cmd, cmd->dest, uid[i])) == NULL)
			continue;
		same_id(c, m, cmd->ids[i]);
		for (k = 0; k < OWNERS && m->made != 0; k++)
			if (m->owned[k] == UNKNOWN)
				m->owned[k] = cmd->flags & F_OWNED(k) ?
				    SET : CLEAR;
	}
	cmd->copied = (size_t)n;
}

static void
copyuid(struct conn *c, struct cmd *cmd, const char *p)
{
	static uint32_t from[TARGETS], to[TARGETS];
	struct msg *m, *src;
	long n, i;
	size_t j;
	char *q;

	uidvalidity(c, cmd->dest, (uint32_t)strtoul(p, &q, 10));
	n = set_parse(q + 1, from, TARGETS, &p);
	if (n == -1 || *p != ' ' || set_parse(p + 1, to, TARGETS, &p) != n) {
		wrong(c, "COPYUID %s", q);
		return;
	}
	for (i = 0; i < n; i++) {
		for (j = 0; j < cmd->ntarget &&
		    cmd->target[j] != from[i]; j++)
			continue;
		if (j == cmd->ntarget) {
			wrong(c, "COPYUID of %u, not asked for", from[i]);
			continue;
		}
		cmd->target[j] = 0;
		src = msg_get(cmd->box, from[i]);
		if ((m = made(c, cmd, cmd->dest, to[i])) == NULL)
			continue;
		same_id(c, m, src->id);
		m->may_go |= src->may_go && cmd->kind == C_COPY;
		if (cmd->kind == C_MOVE)
			m->may_go |= src->flags & F_DELETED ? 1 : 0;
		if (m->made != 0 && c->owner >= 0 && src->replacing == 0 &&
		    src->replaced < cmd->sent)
			m->owned[c->owner] = src->owned[c->owner];
	}
	cmd->copied += (size_t)n;
}

/* RFC 7162 3.1.3: these were left as they are. */
static void
modified(struct conn *c, struct cmd *cmd, const char *p)
{
	static uint32_t num[TARGETS];
	long n, i;
	size_t j;

	if ((n = set_parse(p, num, TARGETS, &p)) == -1) {
		wrong(c, "MODIFIED %s", p);
		return;
	}
	for (i = 0; i < n; i++) {
		if (!cmd->uid)
			num[i] = num[i] <= c->view.n ?
			    c->view.m[num[i] - 1].uid : 0;
		for (j = 0; j < cmd->ntarget && cmd->target[j] != num[i]; j++)
			continue;
		if (j == cmd->ntarget) {
			wrong(c, "MODIFIED has UID %u", num[i]);
			continue;
		}
		cmd->target[j] = 0;
		if (cmd->sign == 0)
			msg_get(cmd->box, num[i])->replacing--;
	}
}

void
response_code(struct conn *c, struct cmd *cmd, const char *p)
{
	struct box *b;

	if (strncasecmp(p, "CAPABILITY ", 11) == 0) {
		capabilities(c, p + 11);
		return;
	}
	if (cmd == NULL)
		return;
	b = cmd->dest != NULL ? cmd->dest : cmd->box;
	if (strncmp(p, "READ-ONLY]", 10) == 0)
		c->readonly = 1;
	else if (b == NULL)
		return;
	else if (strncmp(p, "UIDVALIDITY ", 12) == 0)
		uidvalidity(c, b, (uint32_t)strtoul(p + 12, NULL, 10));
	else if (strncmp(p, "UIDNEXT ", 8) == 0)
		uidnext(c, cmd, b, (uint32_t)strtoul(p + 8, NULL, 10));
	else if (strncmp(p, "HIGHESTMODSEQ ", 14) == 0)
		/* MOVE's is of the mailbox that it took from. */
		highest(c, cmd, cmd->kind == C_MOVE ? cmd->box : b,
		    strtoull(p + 14, NULL, 10));
	else if (strncmp(p, "MODIFIED ", 9) == 0 && cmd->kind == C_STORE)
		modified(c, cmd, p + 9);
	else if (strncmp(p, "APPENDUID ", 10) == 0 && cmd->kind == C_APPEND)
		appenduid(c, cmd, p + 10);
	else if (strncmp(p, "COPYUID ", 8) == 0 &&
	    (cmd->kind == C_COPY || cmd->kind == C_MOVE))
		copyuid(c, cmd, p + 8);
}

/* What a STORE has made of the flags of one message, if it was answered OK. */
static void
stored(struct conn *c, const struct cmd *cmd, struct msg *m, int ok)
{
	int overlaps = m->replaced > cmd->sent;
	unsigned int k;
	uint32_t bit;

	if (cmd->sign == 0)
		m->replacing--;
	overlaps |= m->replacing > 0;
	for (k = 0; k < OWNERS; k++) {
		bit = F_OWNED(k);
		if (m->owned[k] == TAINTED ||
		    (cmd->sign != 0 && !(cmd->flags & bit)))
			continue;
		if (!ok || overlaps || (int)k != c->owner)
			m->owned[k] = UNKNOWN;
		else
			m->owned[k] = cmd->sign != '-' && (cmd->flags & bit) ?
			    SET : CLEAR;
	}
	if (cmd->sign == 0)
		m->replaced = ++when;
}

static void
store_done(struct conn *c, const struct cmd *cmd, int ok)
{
	struct seen *s;
	size_t i, at;
	int found;

	for (i = 0; i < cmd->ntarget; i++) {
		if (cmd->target[i] == 0)
			continue;
		stored(c, cmd, msg_get(cmd->box, cmd->target[i]), ok);
		at = view_at(&c->view, cmd->target[i], &found);
		if (!found || !cmd->silent || !ok)
			continue;
		s = &c->view.m[at];
		s->flags = cmd->sign == '+' ? s->flags | cmd->flags :
		    cmd->sign == '-' ? s->flags & ~cmd->flags : cmd->flags;
	}
}

static void
select_done(struct conn *c, struct cmd *cmd)
{
	size_t i;

	if (!cmd->got_exists)
		wrong(c, "SELECT without EXISTS");
	c->highest = cmd->highest;
	c->fresh = 1;
	if (!cmd->qresync)
		return;
	if (c->expect.n != c->view.n) {
		wrong(c, "QRESYNC of %s: %zu messages, and it makes %zu",
		    c->box->name, c->view.n, c->expect.n);
		return;
	}
	for (i = 0; i < c->view.n; i++)
		if (c->view.m[i].uid != 0 &&
		    c->view.m[i].uid != c->expect.m[i].uid)
			wrong(c, "QRESYNC: message %zu is UID %u, it makes %u",
			    i + 1, c->view.m[i].uid, c->expect.m[i].uid);
	view_copy(&c->view, &c->expect);
	c->verify = 1;
}

/* All that was there when the mailbox was selected has been told. */
static void
learn_done(struct conn *c)
{
	struct box *b = c->box;
	struct msg *m;
	size_t i;
	int found;

	for (i = 0; i < c->view.n; i++)
		if (c->view.m[i].uid == 0)
			return;
	for (i = 0; i < b->n && c->fresh; i++) {
		m = b->msg[i];
		if (m->may_go || m->gone != 0 || m->made == 0 ||
		    m->made >= c->selected)
			continue;
		(void)view_at(&c->view, m->uid, &found);
		if (!found)
			wrong(c, "UID %u is lost", m->uid);
	}
	c->fresh = c->verify = 0;
}

/* What others were told before we asked, we have been told now. */
static void
noop_done(struct conn *c, const struct cmd *cmd)
{
	const struct seen *s;
	const struct msg *m;
	size_t i;

	for (i = 0; i < c->view.n; i++) {
		s = &c->view.m[i];
		if (s->uid == 0 || (m = msg_find(c->box, s->uid)) == NULL)
			continue;
		if (m->gone != 0 && m->gone < cmd->sent)
			wrong(c, "UID %u is gone, and NOOP does not tell",
			    m->uid);
		else if (c->condstore && s->modseq != 0 &&
		    s->modseq < m->modseq && m->changed < cmd->sent)
			wrong(c, "UID %u: modseq %llu, and NOOP does not tell, "
			    "%llu is known", m->uid,
			    (unsigned long long)m->modseq,
			    (unsigned long long)s->modseq);
	}
}

static void
copy_done(struct conn *c, const struct cmd *cmd)
{
	size_t i;

	if (!HAS(c, CAP_UIDPLUS))
		return;
	for (i = 0; i < cmd->ntarget; i++)
		if (cmd->target[i] != 0 &&
		    !msg_get(cmd->box, cmd->target[i])->may_go)
			wrong(c, "UID %u was not copied", cmd->target[i]);
}

static void
ok(struct conn *c, struct cmd *cmd)
{
	switch (cmd->kind) {
	case C_ENABLE:
		c->condstore = 1;
		break;
	case C_SELECT:
		select_done(c, cmd);
		break;
	case C_LEARN:
		learn_done(c);
		break;
	case C_NOOP:
		noop_done(c, cmd);
		break;
	case C_COPY:
	case C_MOVE:
		copy_done(c, cmd);
		break;
	case C_APPEND:
		if (HAS(c, CAP_UIDPLUS) && cmd->copied != cmd->nids)
			wrong(c, "no APPENDUID");
		break;
	case C_SEARCH:
	case C_SORT:
	case C_THREAD:
	case C_STATUS:
		if (cmd->results != 1)
			wrong(c, "%u results of %s", cmd->results,
			    kind_names[cmd->kind]);
		break;
	case C_LIST:
		if (cmd->results < BOXES)
			wrong(c, "LIST has %u", cmd->results);
		break;
	case C_CLOSE:
	case C_UNSELECT:
		view_leave(c);
		break;
	case C_FINAL:
		final_done(c);
		break;
	default:
		break;
	}
}

void
done(struct conn *c, struct cmd *cmd, const char *status, const char *text)
{
	int is_ok = strncmp(status, "OK ", 3) == 0;

	counts[cmd->kind].done++;
	if (*text == '[')
		response_code(c, cmd, text + 1);
	if (!is_ok) {
		counts[cmd->kind].no++;
		if (strncmp(status, "NO ", 3) != 0 || (!cmd->may_fail &&
		    cmd->kind != C_CREATE &&
		    strncmp(text, "[EXPUNGEISSUED]", 15) != 0 &&
		    (cmd->kind != C_STORE ||
		    strncmp(text, "[MODIFIED ", 10) != 0)))
			wrong(c, "answer to %s: %s", kind_names[cmd->kind],
			    status);
		c->wait_plus = 0;
		c->laterlen = 0;
		if (cmd->kind == C_SELECT)
			view_leave(c);
	}
	if (cmd->kind == C_STORE)
		store_done(c, cmd, is_ok);
	if (cmd->kind == C_IDLE)
		c->state = S_RUNNING;
	if (is_ok)
		ok(c, cmd);
}
