/*
 * build_test: tests of rules and routes.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/build_test.h"
#include "conf/value.h"

void
build_test(struct build *b)
{
	struct conf_test *t;

	build_line(b);
	b->test = NULL;
	if ((t = build_alloc(b, sizeof(*t))) == NULL)
		return;
	t->pos = lex_pos(b->lex);
	TAILQ_INSERT_TAIL(&b->conf->tests, t, entry);
	b->test = t;
}

static int
says(struct build *b, const char *what)
{
	struct conf_pos pos = lex_pos(b->lex);

	return (b->test != NULL &&
	    build_once(b, &b->line_seen, what, &pos));
}

void
build_test_from(struct build *b, const struct word *w)
{
	struct addr_net net;

	if (!says(b, "from") || w == NULL)
		return;
	if (addr_net_parse(&net, w->s) == -1 || strchr(w->s, '/') != NULL ||
	    net.negated)
		build_error(b, w, "no address of a client; write one or "
		    "local");
	else
		b->test->from = build_keep(b, w->s);
}

void
build_test_tls(struct build *b)
{
	if (says(b, "tls"))
		b->test->tls = 1;
}

void
build_test_auth(struct build *b, const struct word *w)
{
	if (!says(b, "auth"))
		return;
	if (!value_is_address(w->s) && !value_is_user(w->s))
		build_error(b, w, "no user; write user or user@domain");
	else
		b->test->auth = build_keep(b, w->s);
}

void
build_test_helo(struct build *b, const struct word *w)
{
	if (!says(b, "helo"))
		return;
	if (!value_is_text(w->s))
		build_error(b, w, "no name that a client gives; write "
		    "host.domain or [address]");
	else
		b->test->helo = build_keep(b, w->s);
}

/* "" is the null sender of a bounce, RFC 5321 4.5.5. */
void
build_test_sender(struct build *b, const struct word *w)
{
	if (!says(b, "sender"))
		return;
	if (strcmp(w->s, "<>") == 0 || w->s[0] == '\0')
		b->test->sender = build_keep(b, "");
	else if (!value_is_address(w->s))
		build_error(b, w, "no sender; write user@domain or <>");
	else
		b->test->sender = build_keep(b, w->s);
}

void
build_test_to(struct build *b, const struct word *w)
{
	if (!says(b, "to"))
		return;
	if (!value_is_address(w->s) && !value_is_user(w->s))
		build_error(b, w, "no recipient; write user@domain");
	else
		b->test->to = build_keep(b, w->s);
}

void
build_test_expect(struct build *b, const char *what)
{
	if (says(b, "expect"))
		b->test->expect = build_keep(b, what);
}

void
build_test_end(struct build *b)
{
	struct conf_test *t = b->test;

	if (t == NULL)
		return;
	if (!build_says(&b->line_seen, "to"))
		report_error(b->report, &t->pos, "a test without a "
		    "recipient; write to user@domain");
	if (!build_says(&b->line_seen, "expect"))
		report_error(b->report, &t->pos, "a test that expects "
		    "nothing; write expect relay, deliver or reject");
}
