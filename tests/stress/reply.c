/*
 * reply: what the server says, against the view.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stress.h"

#define SET_MAX		65536

long
set_parse(const char *p, uint32_t *out, size_t max, const char **end)
{
	unsigned long a, b;
	size_t n = 0;
	char *q;

	for (;;) {
		a = b = strtoul(p, &q, 10);
		if (q == p)
			return (-1);
		if (*q == ':') {
			p = q + 1;
			b = strtoul(p, &q, 10);
			if (q == p)
				return (-1);
		}
		if (a > b) {
			unsigned long t = a;

			a = b;
			b = t;
		}
		if (a == 0 || b - a >= max - n)
			return (-1);
		while (a <= b)
			out[n++] = (uint32_t)a++;
		if (*q != ',')
			break;
		p = q + 1;
	}
	*end = q;
	return ((long)n);
}

static struct cmd *
in_flight(struct conn *c, enum kind kind)
{
	unsigned int i;

	for (i = 0; i < c->ncmd; i++)
		if (c->cmd[i].kind == kind)
			return (&c->cmd[i]);
	return (NULL);
}

/* RFC 3501 7.4.1, RFC 5256 3: not with numbers in use, nor out of the blue. */
static int
may_expunge(const struct conn *c)
{
	const struct cmd *cmd;
	unsigned int i;

	for (i = 0; i < c->ncmd; i++) {
		cmd = &c->cmd[i];
		if (cmd->uid || (cmd->kind != C_FETCH && cmd->kind != C_STORE &&
		    cmd->kind != C_SEARCH && cmd->kind != C_SORT &&
		    cmd->kind != C_THREAD))
			return (1);
	}
	return (0);
}

static void
forget(struct conn *c, size_t i)
{
	struct msg *m;

	if (c->view.m[i].uid != 0) {
		m = msg_get(c->box, c->view.m[i].uid);
		if (m->gone == 0)
			m->gone = ++when;
		if (!m->may_go)
			wrong(c, "UID %u expunged, and nobody asked for it",
			    m->uid);
	}
	view_remove(&c->view, i);
}

static void
expunge(struct conn *c, size_t n)
{
	if (c->qresync)
		wrong(c, "EXPUNGE after ENABLE QRESYNC");
	if (!may_expunge(c))
		wrong(c, "EXPUNGE %zu while numbers are in use", n);
	if (c->box == NULL || n < 1 || n > c->view.n)
		wrong(c, "EXPUNGE %zu of %zu", n, c->view.n);
	else
		forget(c, n - 1);
}

static void
exists(struct conn *c, size_t n)
{
	struct cmd *sel = in_flight(c, C_SELECT);

	if (c->box == NULL)
		wrong(c, "EXISTS and nothing is selected");
	else if (n < c->view.n)
		wrong(c, "EXISTS %zu, and there were %zu", n, c->view.n);
	else
		view_exists(&c->view, n);
	if (sel != NULL)
		sel->got_exists = 1;
}

/* They were expunged since the client was here; *p is behind "(EARLIER) ". */
static void
vanished_earlier(struct conn *c, const uint32_t *uid, long n)
{
	struct msg *m;
	size_t at;
	int found;
	long i;

	int asked = 0;

	for (i = 0; i < (long)c->ncmd; i++)
		asked |= c->cmd[i].qresync;
	if (!asked)
		wrong(c, "VANISHED (EARLIER), not asked for");
	for (i = 0; i < n; i++) {
		at = view_at(&c->expect, uid[i], &found);
		if (found)
			view_remove(&c->expect, at);
		if ((m = msg_find(c->box, uid[i])) != NULL && m->gone == 0)
			m->gone = ++when;
	}
}

static void
vanished(struct conn *c, const char *p)
{
	static uint32_t uid[SET_MAX];
	int earlier = strncasecmp(p, "(EARLIER) ", 10) == 0, found;
	const char *end;
	size_t at;
	long n, i;

	n = set_parse(p + (earlier ? 10 : 0), uid, SET_MAX, &end);
	if (n == -1 || c->box == NULL) {
		wrong(c, "VANISHED %s", p);
		return;
	}
	if (earlier) {
		vanished_earlier(c, uid, n);
		return;
	}
	if (!c->qresync)
		wrong(c, "VANISHED without ENABLE QRESYNC");
	if (!may_expunge(c))
		wrong(c, "VANISHED while numbers are in use");
	for (i = 0; i < n; i++) {
		at = view_at(&c->view, uid[i], &found);
		if (found)
			forget(c, at);
		else if (at > 0 && c->view.m[at - 1].uid == 0)
			view_remove(&c->view, at - 1);	/* not told yet */
		else
			wrong(c, "VANISHED %u, which was not there", uid[i]);
	}
}

static void
check_own(struct conn *c, const struct cmd *cmd, const unsigned char *got)
{
	const struct msg *m;
	unsigned int want;
	size_t i;

	for (i = 0; i < c->view.n; i++) {
		if (c->view.m[i].uid == 0)
			continue;
		m = msg_get(c->box, c->view.m[i].uid);
		want = m->owned[c->owner];
		if ((want != SET && want != CLEAR) || m->replacing > 0 ||
		    (!got[i] && m->may_go))
			continue;
		if (got[i] != ((want == SET) == (cmd->sign == '+')))
			wrong(c, "SEARCH %sKEYWORD %s: UID %u is %swithin",
			    cmd->sign == '+' ? "" : "UN",
			    flag_name(F_OWNED(c->owner)), m->uid,
			    got[i] ? "" : "not ");
	}
}

/* Others may have expunged it, and this one has not heard of it. */
static int
may_be_gone(const struct conn *c, const struct seen *s)
{
	return (s->uid == 0 || msg_get(c->box, s->uid)->may_go);
}

/* The numbers of SEARCH, SORT, or "ALL" of ESEARCH, in any order. */
static void
results(struct conn *c, struct cmd *cmd, const uint32_t *num, size_t n)
{
	static unsigned char got[SET_MAX];
	size_t i, at;
	int found;

	memset(got, 0, c->view.n < SET_MAX ? c->view.n : SET_MAX);
	for (i = 0; i < n; i++) {
		at = num[i] - 1;
		found = num[i] >= 1 && num[i] <= c->view.n;
		if (cmd->uid)
			at = view_at(&c->view, num[i], &found);
		if (!found && !(cmd->uid && (at == c->view.n ||
		    (at > 0 && c->view.m[at - 1].uid == 0)))) {
			wrong(c, "%s has %u", kind_names[cmd->kind], num[i]);
			continue;
		}
		if (found && got[at]++)
			wrong(c, "%s has %u twice", kind_names[cmd->kind],
			    num[i]);
	}
	for (i = 0; i < c->view.n && cmd->all; i++)
		if (!got[i] && !may_be_gone(c, &c->view.m[i]))
			wrong(c, "%s ALL, and UID %u is not within",
			    kind_names[cmd->kind], c->view.m[i].uid);
	if (cmd->flags != 0 && c->owner >= 0)
		check_own(c, cmd, got);
	cmd->results++;
}

static void
search(struct conn *c, enum kind kind, const char *p)
{
	static uint32_t num[SET_MAX];
	struct cmd *cmd = in_flight(c, kind);
	size_t n = 0;
	char *q;

	if (cmd == NULL || cmd->esearch) {
		wrong(c, "%s out of the blue", kind_names[kind]);
		return;
	}
	while (*p == ' ' && n < SET_MAX) {
		num[n++] = (uint32_t)strtoul(p + 1, &q, 10);
		if (q == p + 1) {
			n--;		/* (MODSEQ n) */
			break;
		}
		p = q;
	}
	results(c, cmd, num, n);
}

static void
esearch(struct conn *c, const char *p)
{
	static uint32_t num[SET_MAX];
	struct cmd *cmd = in_flight(c, C_SEARCH);
	const char *q, *end;
	long n = 0;

	if (cmd == NULL || !cmd->esearch) {
		wrong(c, "ESEARCH out of the blue");
		return;
	}
	if (strstr(p, cmd->tag) == NULL)
		wrong(c, "ESEARCH without our tag:%s", p);
	if ((strstr(p, " UID") != NULL) != (cmd->uid != 0))
		wrong(c, "ESEARCH and UID:%s", p);
	if ((q = strstr(p, " ALL ")) != NULL &&
	    (n = set_parse(q + 5, num, SET_MAX, &end)) == -1) {
		wrong(c, "ESEARCH%s", p);
		return;
	}
	if ((q = strstr(p, " COUNT ")) == NULL || atol(q + 7) != n)
		wrong(c, "ESEARCH has %ld:%s", n, p);
	results(c, cmd, num, (size_t)n);
}

static void
thread(struct conn *c, const char *p)
{
	static uint32_t num[SET_MAX];
	struct cmd *cmd = in_flight(c, C_THREAD);
	size_t n = 0;
	char *q;

	if (cmd == NULL) {
		wrong(c, "THREAD out of the blue");
		return;
	}
	while (*p != '\0' && n < SET_MAX) {
		if (*p >= '0' && *p <= '9') {
			num[n++] = (uint32_t)strtoul(p, &q, 10);
			p = q;
		} else
			p++;
	}
	results(c, cmd, num, n);
}

static void
status(struct conn *c, const char *p)
{
	struct cmd *cmd = in_flight(c, C_STATUS);
	char code[64];
	const char *q;

	if (cmd == NULL) {
		wrong(c, "STATUS out of the blue");
		return;
	}
	cmd->results++;
	if ((q = strstr(p, "UIDVALIDITY ")) != NULL) {
		snprintf(code, sizeof(code), "UIDVALIDITY %lu]",
		    strtoul(q + 12, NULL, 10));
		response_code(c, cmd, code);
	}
	if ((q = strstr(p, "UIDNEXT ")) != NULL) {
		snprintf(code, sizeof(code), "UIDNEXT %lu]",
		    strtoul(q + 8, NULL, 10));
		response_code(c, cmd, code);
	}
	if ((q = strstr(p, "HIGHESTMODSEQ ")) != NULL) {
		snprintf(code, sizeof(code), "HIGHESTMODSEQ %llu]",
		    strtoull(q + 14, NULL, 10));
		response_code(c, cmd, code);
	}
}

/*
 * RFC 7162 6: up to here all was told of the selected mailbox, and a client
 * that comes back goes on from there.
 */
static void
told(struct conn *c, uint64_t n)
{
	if (c->box == NULL)
		return;
	if (n < c->highest)
		wrong(c, "HIGHESTMODSEQ %llu after %llu",
		    (unsigned long long)n, (unsigned long long)c->highest);
	c->highest = n;
}

static void
condition(struct conn *c, const char *p)
{
	struct cmd *cmd = c->ncmd > 0 ? &c->cmd[0] : NULL;

	if (c->state == S_GREETING) {
		if (strncmp(p, "OK", 2) != 0)
			wrong(c, "greeting: %s", p);
		c->state = S_RUNNING;
	} else if (strncmp(p, "BYE", 3) == 0) {
		if (in_flight(c, C_LOGOUT) == NULL)
			wrong(c, "%s", p);
		c->state = S_LEAVING;
	} else if (strncmp(p, "OK [HIGHESTMODSEQ ", 18) == 0 &&
	    (cmd == NULL || cmd->kind != C_SELECT))
		told(c, strtoull(p + 18, NULL, 10));
	else if (strncmp(p, "OK [", 4) == 0)
		response_code(c, cmd, p + 4);
	else if (strncmp(p, "OK", 2) != 0)
		wrong(c, "* %s", p);
}

static void
numbered(struct conn *c, char *p, char *end)
{
	char *q;
	size_t n = strtoul(p, &q, 10);

	if (strncmp(q, " EXISTS", 7) == 0)
		exists(c, n);
	else if (strncmp(q, " EXPUNGE", 8) == 0)
		expunge(c, n);
	else if (strncmp(q, " FETCH (", 8) == 0)
		fetched(c, n, q + 7, end);
	else if (strncmp(q, " RECENT", 7) != 0)
		wrong(c, "* %.60s", p);
}

static void
untagged(struct conn *c, char *p, char *end)
{
	if (*p >= '0' && *p <= '9')
		numbered(c, p, end);
	else if (strncmp(p, "OK", 2) == 0 || strncmp(p, "NO", 2) == 0 ||
	    strncmp(p, "BAD", 3) == 0 || strncmp(p, "BYE", 3) == 0)
		condition(c, p);
	else if (strncmp(p, "SEARCH", 6) == 0)
		search(c, C_SEARCH, p + 6);
	else if (strncmp(p, "SORT", 4) == 0)
		search(c, C_SORT, p + 4);
	else if (strncmp(p, "THREAD", 6) == 0)
		thread(c, p + 6);
	else if (strncmp(p, "ESEARCH", 7) == 0)
		esearch(c, p + 7);
	else if (strncmp(p, "VANISHED ", 9) == 0)
		vanished(c, p + 9);
	else if (strncmp(p, "STATUS ", 7) == 0)
		status(c, p + 7);
	else if (strncmp(p, "CAPABILITY ", 11) == 0)
		response_code(c, NULL, p);
	else if (strncmp(p, "LIST ", 5) == 0) {
		if (in_flight(c, C_LIST) != NULL)
			in_flight(c, C_LIST)->results++;
	} else if (strncmp(p, "FLAGS ", 6) != 0 &&
	    strncmp(p, "ENABLED", 7) != 0)
		wrong(c, "* %.60s", p);
}

static void
tagged(struct conn *c, char *p)
{
	struct cmd cmd;
	unsigned int i;
	char *text;

	text = strchr(p, ' ');
	for (i = 0; text != NULL && i < c->ncmd; i++)
		if (strlen(c->cmd[i].tag) == (size_t)(text - p) &&
		    strncmp(c->cmd[i].tag, p, (size_t)(text - p)) == 0)
			break;
	if (text == NULL || i == c->ncmd) {
		wrong(c, "nobody asked: %.60s", p);
		return;
	}
	/* "no answer" of those behind begins now. */
	done(c, &c->cmd[i], text + 1, strchr(text + 1, ' ') != NULL ?
	    strchr(text + 1, ' ') + 1 : "");
	if (c->fd == -1)
		return;
	cmd = c->cmd[i];
	c->ncmd--;
	memmove(&c->cmd[i], &c->cmd[i + 1], (c->ncmd - i) * sizeof(cmd));
	command_free(&cmd);
	if (c->ncmd > 0)
		c->cmd[0].at = now();
}

void
reply(struct conn *c, char *p, size_t len)
{
	char *end = p + len;

	if (len < 2 || end[-2] != '\r') {
		wrong(c, "no line end");
		return;
	}
	end -= 2;
	*end = '\0';
	when++;
	if (opt.verbose)
		fprintf(stderr, "%d S: %.*s\n", c->index,
		    (int)strcspn(p, "\r\n"), p);
	if (p[0] == '*' && p[1] == ' ')
		untagged(c, p + 2, end);
	else if (p[0] != '+')
		tagged(c, p);
	else if (c->wait_plus) {
		c->wait_plus = 0;
		conn_put(c, c->later, c->laterlen);
		c->laterlen = 0;
	} else if (c->ncmd == 1 && c->cmd[0].kind == C_IDLE) {
		c->state = S_IDLE;
		c->until = now() + rnd(c, 150) / 1000.0;
	} else
		wrong(c, "%s", p);
}
