/*
 * check_file: the files that a configuration names, before a process that
 * could not report them depends on them.
 *
 * Runs where the configuration is read from its file, never in a role.
 */
#include <net/if.h>
#include <stdint.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/build_name.h"
#include "conf/check.h"
#include "conf/source.h"
#include "conf/value.h"
#include "conf/words.h"

#define NET_LINE	128

/* One network on a line; blanks around it and comments do not count. */
static void
network_line(struct build *b, struct conf_network *n, const char *line,
    size_t len, struct conf_pos *pos)
{
	char text[NET_LINE];
	size_t start = 0, end;

	for (end = 0; end < len && line[end] != '#'; end++)
		continue;
	while (start < end && strchr(" \t", line[start]) != NULL)
		start++;
	while (end > start && strchr(" \t\r", line[end - 1]) != NULL)
		end--;
	if (start == end)
		return;
	pos->col = (unsigned int)start + 1;
	len = end - start;
	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, line + start, len);
	text[len] = '\0';
	if (strlen(text) != len || build_network_add(b, n, text) == -1)
		report_error(b->report, pos, "\"%s\" is no network; write "
		    "one address or prefix on a line, as in 10.0.0.0/8", text);
}

static void
network_file(struct build *b, struct conf_network *n)
{
	struct conf_pos pos = { .line = 1 };
	char *text;
	const char *line, *end, *nl;
	size_t len;

	text = source_read(n->file, SOURCE_PLAIN, &len, b->report, &n->pos);
	if (text == NULL)
		return;
	if ((pos.file = words_add(&b->conf->files, n->file)) == NULL) {
		b->nomem = 1;
		free(text);
		return;
	}
	end = text + len;
	for (line = text; line < end; line = nl + 1, pos.line++) {
		if ((nl = memchr(line, '\n', (size_t)(end - line))) == NULL)
			nl = end;
		network_line(b, n, line, (size_t)(nl - line), &pos);
	}
	free(text);
}

void
check_network_files(struct build *b)
{
	struct conf_network *n;

	TAILQ_FOREACH(n, &b->conf->networks, entry)
		if (n->file != NULL)
			network_file(b, n);
}

static void
check_table(struct build *b, const struct conf_table *t)
{
	enum source_trust trust = t->secret ? SOURCE_SECRET : SOURCE_PLAIN;

	switch (t->kind) {
	case TABLE_FILE:
	case TABLE_SQLITE:
		if (t->source != NULL)
			(void)source_check(t->source, trust, b->report,
			    &t->pos);
		break;
	case TABLE_INLINE:
		/* Then the configuration itself holds the secrets. */
		if (t->secret)
			(void)source_check(t->pos.file, trust, b->report,
			    &t->pos);
		break;
	case TABLE_PGSQL:
	case TABLE_LDAP:
		break;
	}
}

static void
check_where(struct build *b, const struct conf_listen *l)
{
	struct addr_net net;

	if (l->proto == PROTO_LMTP || strcmp(l->where, "all") == 0 ||
	    strcmp(l->where, "loopback") == 0 ||
	    addr_net_parse(&net, l->where) == 0 || !value_is_name(l->where))
		return;
	if (if_nametoindex(l->where) == 0)
		report_error(b->report, &l->pos, "\"%s\" is no interface of "
		    "this machine; write all, loopback, an interface or an "
		    "address", l->where);
}

void
check_files(struct build *b)
{
	const struct conf *c = b->conf;
	const struct conf_table *t;
	const struct conf_tls *s;
	const struct conf_sign *g;
	const struct conf_listen *l;

	TAILQ_FOREACH(t, &c->tables, entry)
		check_table(b, t);
	TAILQ_FOREACH(s, &c->tlses, entry) {
		if (s->cert != NULL)
			(void)source_check(s->cert, SOURCE_PLAIN, b->report,
			    &s->pos);
		if (s->key != NULL)
			(void)source_check(s->key, SOURCE_KEY, b->report,
			    &s->pos);
	}
	TAILQ_FOREACH(g, &c->signs, entry)
		if (g->key != NULL)
			(void)source_check(g->key, SOURCE_KEY, b->report,
			    &g->pos);
	TAILQ_FOREACH(l, &c->listens, entry)
		check_where(b, l);
}
