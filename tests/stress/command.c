/*
 * command: what a connection says next.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

#define MANY	120		/* messages from which on some go */
#define SET_SIZE	8192

void
command_free(struct cmd *cmd)
{
	free(cmd->target);
	cmd->target = NULL;
}

struct cmd *
command_new(struct conn *c, enum kind kind, int uid, struct box *b)
{
	struct cmd *cmd = &c->cmd[c->ncmd++];

	memset(cmd, 0, sizeof(*cmd));
	cmd->kind = kind;
	cmd->uid = uid;
	cmd->sent = ++when;
	cmd->at = now();
	cmd->box = b;
	snprintf(cmd->tag, sizeof(cmd->tag), "t%u", ++c->tag);
	if (b != NULL) {
		cmd->uidnext = b->uidnext;
		if (b->n > 0 && b->msg[b->n - 1]->uid >= cmd->uidnext)
			cmd->uidnext = b->msg[b->n - 1]->uid + 1;
		cmd->modseq = b->highest > b->modseq ? b->highest : b->modseq;
	}
	conn_printf(c, "%s ", cmd->tag);
	return (cmd);
}

/* For one that makes messages in another mailbox. */
static void
into(struct cmd *cmd, struct box *b)
{
	cmd->dest = b;
	cmd->uidnext = b->uidnext;
	if (b->n > 0 && b->msg[b->n - 1]->uid >= cmd->uidnext)
		cmd->uidnext = b->msg[b->n - 1]->uid + 1;
}

static struct box *
any_box(struct conn *c)
{
	/* Most of them where all are. */
	return (box_of(c->user, rnd(c, 3) ? 0 : rnd(c, BOXES)));
}

/*
 * Some messages of which we know, as text; their UIDs into the command.  0 if
 * there is none.
 */
static int
targets(struct conn *c, struct cmd *cmd, char *set, size_t most)
{
	const struct seen *s = c->view.m;
	size_t from, to, i, len = 0;
	unsigned int runs = rnd(c, 3) == 0 ? 1 + rnd(c, 3) : 1;

	if ((cmd->target = calloc(TARGETS, sizeof(uint32_t))) == NULL)
		err(1, NULL);
	for (from = 0; runs > 0 && from < c->view.n; runs--) {
		from += rnd(c, (uint32_t)(c->view.n - from));
		to = from + rnd(c, (uint32_t)most);
		if (to >= c->view.n)
			to = c->view.n - 1;
		while (to > from && s[to].uid == 0)
			to--;
		if (s[from].uid == 0 || cmd->ntarget + to - from >= TARGETS)
			break;
		for (i = from; i <= to; i++)
			cmd->target[cmd->ntarget++] = s[i].uid;
		len += (size_t)snprintf(set + len, SET_SIZE - len, "%s%zu",
		    len > 0 ? "," : "", cmd->uid ? s[from].uid : from + 1);
		if (to > from)
			len += (size_t)snprintf(set + len, SET_SIZE - len,
			    ":%zu", cmd->uid ? s[to].uid : to + 1);
		from = to + 2;
	}
	return (cmd->ntarget > 0);
}

/* The tag is out: something that always can be said. */
static void
instead(struct conn *c, struct cmd *cmd)
{
	cmd->kind = C_NOOP;
	cmd->uid = 0;
	conn_printf(c, "NOOP\r\n");
}

static void
fetch(struct conn *c, int uid)
{
	static const char *const items[] = {
		"FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE",
		"BODYSTRUCTURE", "BODY", "BODY.PEEK[]", "BODY.PEEK[HEADER]",
		"BODY.PEEK[TEXT]", "BODY.PEEK[1]", "BODY.PEEK[]<70.100>",
		"BODY.PEEK[HEADER.FIELDS (SUBJECT MESSAGE-ID)]",
		"RFC822.HEADER", "BODY[]", "BODY[TEXT]"
	};
	struct cmd *cmd = command_new(c, C_FETCH, uid, c->box);
	char set[SET_SIZE];
	unsigned int n, i;
	int seen = rnd(c, 4) == 0 && !c->readonly;

	if (!targets(c, cmd, set, rnd(c, 4) == 0 ? c->view.n : 10)) {
		instead(c, cmd);
		return;
	}
	conn_printf(c, "%sFETCH %s ", uid ? "UID " : "", set);
	if (rnd(c, 8) == 0) {
		conn_printf(c, "%s\r\n", rnd(c, 3) == 0 ? "FULL" :
		    rnd(c, 2) ? "ALL" : "FAST");
		return;
	}
	conn_printf(c, "(");
	for (n = 1 + rnd(c, 4), i = rnd(c, 14); n > 0; n--, i += 1 + rnd(c, 3))
		conn_printf(c, "%s ", items[i % (seen ? 16 : 14)]);
	conn_printf(c, "%s)", c->condstore && rnd(c, 2) ? "FLAGS MODSEQ" :
	    "FLAGS");
	if (uid && c->qresync && c->highest != 0 && rnd(c, 6) == 0) {
		cmd->qresync = 1;
		conn_printf(c, " (CHANGEDSINCE %llu VANISHED)",
		    (unsigned long long)c->highest);
	}
	conn_printf(c, "\r\n");
}

/* All that there is to know of those that we were told of by number only. */
static void
learn(struct conn *c)
{
	uint32_t from = 1;
	size_t i;

	for (i = 0; i < c->view.n && !c->verify; i++) {
		if (c->view.m[i].uid == 0 || !c->view.m[i].have_flags)
			break;
		from = c->view.m[i].uid;
	}
	(void)command_new(c, C_LEARN, 1, c->box);
	conn_printf(c, "UID FETCH %u:* (UID FLAGS%s)\r\n", from,
	    c->condstore ? " MODSEQ" : "");
}

static void
store_flags(struct conn *c, struct cmd *cmd)
{
	if (c->owner >= 0 && rnd(c, 3))
		cmd->flags |= F_OWNED(c->owner);
	if (rnd(c, 4) == 0)
		cmd->flags |= F_SEEN;
	if (cmd->flags == 0 || rnd(c, 6) == 0)
		cmd->flags |= F_DELETED;
}

static void
put_flags(struct conn *c, uint32_t flags)
{
	const char *blank = "";
	uint32_t bit;

	conn_printf(c, "(");
	for (bit = 1; bit != 0 && bit <= F_OWNED(OWNERS - 1); bit <<= 1) {
		if (!(flags & bit))
			continue;
		conn_printf(c, "%s%s", blank, flag_name(bit));
		blank = " ";
	}
	conn_printf(c, ")");
}

static void
store(struct conn *c, int uid)
{
	struct cmd *cmd = command_new(c, C_STORE, uid, c->box);
	int many = c->view.n > MANY && rnd(c, 3) == 0;
	char set[SET_SIZE];
	struct msg *m;
	size_t i;

	uint64_t since = 0;

	cmd->sign = rnd(c, 12) == 0 ? 0 : rnd(c, 5) < 3 ? '+' : '-';
	cmd->silent = rnd(c, 2) == 0;
	if (many) {
		cmd->sign = '+';
		cmd->flags = F_DELETED;
	} else
		store_flags(c, cmd);
	if (!targets(c, cmd, set, many ? c->view.n : 1 + rnd(c, 12))) {
		instead(c, cmd);
		return;
	}
	for (i = 0; i < cmd->ntarget; i++) {
		m = msg_get(c->box, cmd->target[i]);
		if (cmd->sign != '-' && (cmd->flags & F_DELETED))
			m->may_go = 1;
		if (cmd->sign == 0)
			m->replacing++;
	}
	conn_printf(c, "%sSTORE %s ", uid ? "UID " : "", set);
	if (c->condstore && rnd(c, 5) == 0)
		since = c->view.m[rnd(c, (uint32_t)c->view.n)].modseq;
	if (since != 0)
		conn_printf(c, "(UNCHANGEDSINCE %llu) ",
		    (unsigned long long)since);
	if (cmd->sign != 0)
		conn_printf(c, "%c", cmd->sign);
	conn_printf(c, "FLAGS%s ", cmd->silent ? ".SILENT" : "");
	put_flags(c, cmd->flags);
	conn_printf(c, "\r\n");
}

static void
copy(struct conn *c, int uid, int move)
{
	struct cmd *cmd = command_new(c, move ? C_MOVE : C_COPY, uid, c->box);
	char set[SET_SIZE];
	size_t i;

	into(cmd, box_of(c->user, rnd(c, BOXES)));
	if (!targets(c, cmd, set, 1 + rnd(c, 6))) {
		instead(c, cmd);
		return;
	}
	for (i = 0; i < cmd->ntarget && move; i++)
		msg_get(c->box, cmd->target[i])->may_go = 1;
	conn_printf(c, "%s%s %s %s\r\n", uid ? "UID " : "",
	    move ? "MOVE" : "COPY", set, cmd->dest->name);
}

static void
append(struct conn *c, int alone)
{
	struct cmd *cmd = command_new(c, C_APPEND, 0, c->box);
	int plus = HAS(c, CAP_LITERAL_PLUS) && (!alone || rnd(c, 2));
	size_t len, header;
	const char *text;
	unsigned int i;

	cmd->nids = 1;
	if (plus && HAS(c, CAP_MULTIAPPEND) && rnd(c, 4) == 0)
		cmd->nids += rnd(c, 4);
	into(cmd, any_box(c));
	if (c->owner >= 0 && rnd(c, 2))
		cmd->flags |= F_OWNED(c->owner);
	if (rnd(c, 3) == 0)
		cmd->flags |= F_SEEN;
	conn_printf(c, "APPEND %s", cmd->dest->name);
	for (i = 0; i < cmd->nids; i++) {
		cmd->ids[i] = rnd(c, 0x7fffffff) + 1;
		text = text_of(cmd->ids[i], &len, &header);
		conn_printf(c, " ");
		put_flags(c, cmd->flags);
		if (rnd(c, 3) == 0)
			conn_printf(c, " \"%2u-Feb-2024 10:00:%02u +0000\"",
			    1 + rnd(c, 28), rnd(c, 60));
		conn_printf(c, " {%zu%s}\r\n", len, plus ? "+" : "");
		c->wait_plus = !plus;
		conn_put(c, text, len);
	}
	conn_put(c, "\r\n", 2);
}

static void
search(struct conn *c, int uid)
{
	static const char *const keys[] = {
		"SEEN", "UNDELETED", "SUBJECT \"stress 3\"", "LARGER 1000",
		"SINCE 1-Jan-2024", "OR SEEN FROM s1", "BODY zz",
		"HEADER Message-ID 0a", "NOT RECENT"
	};
	struct cmd *cmd = command_new(c, C_SEARCH, uid, c->box);

	cmd->esearch = HAS(c, CAP_ESEARCH) && rnd(c, 3) == 0;
	conn_printf(c, "%sSEARCH %s", uid ? "UID " : "",
	    cmd->esearch ? "RETURN (MIN MAX ALL COUNT) " : "");
	if (c->owner >= 3 && rnd(c, 3) == 0) {
		cmd->flags = F_OWNED(c->owner);
		cmd->sign = rnd(c, 2) ? '+' : '-';
		conn_printf(c, "%sKEYWORD %s\r\n", cmd->sign == '+' ? "" :
		    "UN", flag_name(cmd->flags));
	} else if (rnd(c, 3) == 0) {
		cmd->all = 1;
		conn_printf(c, "ALL\r\n");
	} else
		conn_printf(c, "%s\r\n", keys[rnd(c, 9)]);
}

static void
sort(struct conn *c, int uid)
{
	static const char *const by[] = {
		"DATE", "SUBJECT", "REVERSE ARRIVAL", "SIZE", "FROM DATE"
	};
	struct cmd *cmd;

	if (HAS(c, CAP_THREAD) && rnd(c, 3) == 0) {
		cmd = command_new(c, C_THREAD, uid, c->box);
		cmd->all = 1;
		conn_printf(c, "%sTHREAD REFERENCES UTF-8 ALL\r\n",
		    uid ? "UID " : "");
	} else if (HAS(c, CAP_SORT)) {
		cmd = command_new(c, C_SORT, uid, c->box);
		cmd->all = rnd(c, 2);
		conn_printf(c, "%sSORT (%s) UTF-8 %s\r\n", uid ? "UID " : "",
		    by[rnd(c, 5)], cmd->all ? "ALL" : "SEEN");
	} else
		search(c, uid);
}

static void
expunge(struct conn *c, int uid)
{
	struct cmd *cmd;
	char set[SET_SIZE];

	cmd = command_new(c, C_EXPUNGE, uid && HAS(c, CAP_UIDPLUS), c->box);
	if (!cmd->uid)
		conn_printf(c, "EXPUNGE\r\n");
	else if (targets(c, cmd, set, 20))
		conn_printf(c, "UID EXPUNGE %s\r\n", set);
	else
		instead(c, cmd);
}

static void
status(struct conn *c)
{
	struct box *b = box_of(c->user, rnd(c, BOXES));

	(void)command_new(c, C_STATUS, 0, b);
	conn_printf(c, "STATUS %s (MESSAGES UIDNEXT UIDVALIDITY UNSEEN%s)\r\n",
	    b->name, c->condstore ? " HIGHESTMODSEQ" : "");
}

/*
 * RFC 7162 3.2.5.2: numbers that the client knows, and their UIDs.  All UIDs
 * are known, so that the answer is the same.
 */
static void
match_data(struct conn *c, const struct view *v)
{
	size_t i, step = v->n / 4 + 1;

	if (v->n == 0 || rnd(c, 2))
		return;
	conn_printf(c, " 1:4294967295 (");
	for (i = 0; i < v->n; i += step)
		conn_printf(c, "%s%zu", i > 0 ? "," : "", i + 1);
	for (i = 0; i < v->n; i += step)
		conn_printf(c, "%c%u", i > 0 ? ',' : ' ', v->m[i].uid);
	conn_printf(c, ")");
}

static void
select_box(struct conn *c)
{
	struct box *b = any_box(c);
	const struct saved *s = &c->saved[box_index(b)];
	struct cmd *cmd;

	view_leave(c);
	cmd = command_new(c, C_SELECT, 0, b);
	cmd->examine = rnd(c, 8) == 0;
	conn_printf(c, "%s %s", cmd->examine ? "EXAMINE" : "SELECT", b->name);
	if (c->qresync && s->valid && rnd(c, 4)) {
		cmd->qresync = 1;
		conn_printf(c, " (QRESYNC (%u %llu", s->uidvalidity,
		    (unsigned long long)s->modseq);
		match_data(c, &s->v);
		conn_printf(c, "))");
		view_copy(&c->expect, &s->v);
	}
	conn_printf(c, "\r\n");
	c->box = b;
	c->readonly = 0;
	c->highest = 0;
	c->selected = cmd->sent;
}

/* A mailbox that nobody else knows is made, renamed and deleted. */
static void
tree_step(struct conn *c)
{
	struct cmd *cmd = command_new(c, C_TREE, 0, NULL);
	int i = c->index;

	switch (c->tree) {
	case TREE_UNKNOWN:
	case TREE_HALF:
		cmd->may_fail = 1;
		conn_printf(c, "DELETE tree%d%s\r\n", i,
		    c->tree == TREE_HALF ? "-/new" : "");
		c->tree++;
		break;
	case TREE_NONE:
		conn_printf(c, "CREATE tree%d\r\n", i);
		c->tree = TREE_MADE;
		break;
	case TREE_MADE:
		if (rnd(c, 3) == 0) {
			conn_printf(c, "DELETE tree%d\r\n", i);
			c->tree = TREE_NONE;
		} else {
			/* Not below itself, but below what is no mailbox. */
			conn_printf(c, "RENAME tree%d tree%d-/new\r\n", i, i);
			c->tree = TREE_RENAMED;
		}
		break;
	case TREE_RENAMED:
		if (rnd(c, 2)) {
			conn_printf(c, "DELETE tree%d-/new\r\n", i);
			c->tree = TREE_NONE;
		} else {
			conn_printf(c, "RENAME tree%d-/new tree%d\r\n", i, i);
			c->tree = TREE_MADE;
		}
		break;
	}
}

static void
tree(struct conn *c)
{
	unsigned int n;

	for (n = 1 + rnd(c, INFLIGHT); n > 0; n--)
		tree_step(c);
}

static void
simple(struct conn *c, enum kind kind, const char *text)
{
	(void)command_new(c, kind, 0, c->box);
	conn_printf(c, "%s\r\n", text);
}

/* Logged in, and what the server can. */
static void
ready(struct conn *c)
{
	unsigned int i;

	switch (c->step++) {
	case 0:
		simple(c, C_LOGIN, "");
		c->outlen -= 2;
		conn_printf(c, "LOGIN \"%s\" \"%s\"\r\n", user_name(c->user),
		    opt.password);
		break;
	case 1:
		simple(c, C_CAPABILITY, "CAPABILITY");
		break;
	case 2:
		if (c->final == -2) {
			for (i = 1; i < BOXES; i++) {
				(void)command_new(c, C_CREATE, 0, NULL);
				conn_printf(c, "CREATE %s\r\n",
				    box_of(c->user, i)->name);
			}
			break;
		}
		if (!HAS(c, CAP_ENABLE) || c->final > 0)
			break;
		if (HAS(c, CAP_QRESYNC) && c->index % 3 == 0) {
			c->qresync = 1;
			simple(c, C_ENABLE, "ENABLE QRESYNC");
		} else if (HAS(c, CAP_CONDSTORE) && c->index % 3 == 1)
			simple(c, C_ENABLE, "ENABLE CONDSTORE");
		break;
	}
}

static int
searching(const struct conn *c)
{
	unsigned int i;

	for (i = 0; i < c->ncmd; i++)
		if (c->cmd[i].kind == C_SEARCH || c->cmd[i].kind == C_SORT ||
		    c->cmd[i].kind == C_THREAD)
			return (1);
	return (0);
}

/*
 * One that others may follow before it is answered.  Of two searches nobody
 * could tell whose the numbers are (RFC 3501 5.5).
 */
static void
common(struct conn *c, int uid)
{
	uint32_t r = rnd(c, searching(c) ? 48 : 60);

	if (r < 30 || c->view.n == 0 || (r < 48 && c->readonly))
		fetch(c, uid);
	else if (r < 48)
		store(c, uid);
	else if (r < 56)
		search(c, uid);
	else
		sort(c, uid);
}

static void
other(struct conn *c)
{
	int uid = rnd(c, 2) == 0;
	uint32_t r = rnd(c, 100);

	if (r < 22 || (c->view.n < 10 && r < 50))
		append(c, 1);
	else if (r < 36)
		copy(c, uid, 0);
	else if (r < 46 && !c->readonly && HAS(c, CAP_MOVE))
		copy(c, uid, 1);
	else if (r < 60 && !c->readonly)
		expunge(c, uid);
	else if (r < 68)
		status(c);
	else if (r < 71)
		simple(c, C_LIST, "LIST \"\" *");
	else if (r < 76 && HAS(c, CAP_IDLE))
		simple(c, C_IDLE, "IDLE");
	else if (r < 80)
		simple(c, C_CHECK, "CHECK");
	else if (r < 83 && !c->readonly)
		simple(c, C_CLOSE, "CLOSE");
	else if (r < 85 && HAS(c, CAP_UNSELECT))
		simple(c, C_UNSELECT, "UNSELECT");
	else if (r < 90)
		select_box(c);
	else if (r < 92)
		simple(c, C_LOGOUT, "LOGOUT");
	else if (r < 95)
		tree(c);
	else
		simple(c, C_NOOP, "NOOP");
}

/* Numbers are only used behind commands that keep them. */
static void
several(struct conn *c)
{
	int uid = rnd(c, 2) == 0;
	unsigned int n = rnd(c, 3) == 0 ? 1 + rnd(c, INFLIGHT) : 1;

	for (; n > 0; n--) {
		if (uid && n == 1 && rnd(c, 4) == 0)
			append(c, 0);
		else
			common(c, uid);
	}
}

void
command_next(struct conn *c)
{
	if (c->ncmd > 0) {
		/* Broken off in the middle of something, now and then. */
		if (opt.rude && c->final == 0 && rnd(c, 20000) == 0)
			conn_break(c);
		return;
	}
	if (c->step < 3) {
		ready(c);
		return;
	}
	if (c->final > 0) {
		final_next(c);
		return;
	}
	if (ending || c->final == -2)
		simple(c, C_LOGOUT, "LOGOUT");
	else if (c->box == NULL)
		select_box(c);
	else if (c->fresh || c->verify || !view_complete(&c->view))
		learn(c);
	else if (rnd(c, 3))
		several(c);
	else
		other(c);
}
