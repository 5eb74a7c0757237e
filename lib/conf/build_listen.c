/*
 * build_listen: sockets and their options.
 *
 * What an option means together with the others is checked after parsing, in
 * check_listen.c.
 */
#include <stdint.h>
#include <stdio.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/build_listen.h"
#include "conf/value.h"

#define LISTENS_MAX	256
#define PREGREET_MAX	30	/* seconds */

/* "all", "loopback", an address, or what may be an interface. */
static int
where_ok(const char *s)
{
	struct addr_net net;

	if (addr_net_parse(&net, s) == 0)
		return (strchr(s, '/') == NULL && s[0] != '!');
	return (strlen(s) < 16 && value_is_name(s));
}

void
build_listen(struct build *b, enum conf_proto proto, const struct word *where)
{
	struct conf_listen *l;
	struct conf_pos pos = lex_pos(b->lex);

	build_line(b);
	b->listen = NULL;
	if (proto == PROTO_SIEVE)
		(void)build_lacks(b, "listen sieve", &pos);
	if (b->nlistens >= LISTENS_MAX) {
		report_error(b->report, &pos, "more than %d sockets; remove "
		    "this one", LISTENS_MAX);
		return;
	}
	if (!where_ok(where->s) && (proto != PROTO_LMTP ||
	    where->s[0] != '/'))
		build_error(b, where, proto == PROTO_LMTP ? "no place to "
		    "listen; write a path, loopback or an address" :
		    "no place to listen; write all, loopback, an interface "
		    "or an address");
	if ((l = build_alloc(b, sizeof(*l))) == NULL)
		return;
	l->pos = pos;
	l->proto = proto;
	l->where = build_keep(b, where->s);
	l->port = where->s[0] == '/' ? 0 : conf_proto_port(proto);
	l->index = b->nlistens++;
	TAILQ_INSERT_TAIL(&b->conf->listens, l, entry);
	b->listen = l;
}

/* Is there a socket to set this option of, for the first time? */
static int
option(struct build *b, const char *what)
{
	struct conf_pos pos = lex_pos(b->lex);

	return (b->listen != NULL &&
	    build_once(b, &b->line_seen, what, &pos));
}

static void
option_name(struct build *b, const char *what, char **slot,
    const struct word *w)
{
	if (!option(b, what))
		return;
	if (!value_is_name(w->s))
		build_error(b, w, "no name; use up to 63 letters, digits, _, "
		    ". and -");
	*slot = build_keep(b, w->s);
}

void
build_listen_port(struct build *b, const struct word *w)
{
	unsigned int port;

	if (!option(b, "port"))
		return;
	if (value_number(w->s, 65535, &port) == -1 || port == 0) {
		build_error(b, w, "no port; write a number from 1 to 65535");
		port = 0;
	}
	b->listen->port = port;
}

void
build_listen_tls(struct build *b, const struct word *w)
{
	if (option(b, "tls"))
		b->listen->tlsname = build_lower(b, w->s);
}

void
build_listen_require_tls(struct build *b)
{
	if (option(b, "require tls"))
		b->listen->require_tls = 1;
}

void
build_listen_require_auth(struct build *b)
{
	if (option(b, "require auth"))
		b->listen->require_auth = 1;
}

void
build_listen_no_auth(struct build *b)
{
	if (option(b, "no auth"))
		b->listen->no_auth = 1;
}

void
build_listen_no_tls(struct build *b)
{
	if (option(b, "no tls"))
		b->listen->no_tls = 1;
}

void
build_listen_plaintext(struct build *b)
{
	if (option(b, "plaintext auth"))
		b->listen->plaintext_auth = 1;
}

void
build_listen_tag(struct build *b, const struct word *w)
{
	if (b->listen != NULL)
		option_name(b, "tag", &b->listen->tag, w);
}

void
build_listen_proxy(struct build *b, const struct word *w)
{
	(void)build_lacks(b, "listen proxy from", &w->pos);
	if (b->listen != NULL)
		option_name(b, "proxy from", &b->listen->proxy, w);
}

void
build_listen_filter(struct build *b, const struct word *w)
{
	(void)build_lacks(b, "listen filter", &w->pos);
	if (b->listen != NULL)
		option_name(b, "filter", &b->listen->filter, w);
}

void
build_listen_group(struct build *b, const struct word *w)
{
	if (b->listen != NULL)
		option_name(b, "group", &b->listen->group, w);
}

/* NULL: helo, which is a keyword. */
void
build_listen_lenient(struct build *b, const struct word *w)
{
	if (w == NULL) {
		if (option(b, "lenient helo"))
			b->listen->lenient_helo = 1;
	} else if (strcmp(w->s, "lf") != 0)
		build_error(b, w, "nothing to be lenient about; write lf or "
		    "helo");
	else if (option(b, "lenient lf"))
		b->listen->lenient_lf = 1;
}

void
build_listen_hide(struct build *b)
{
	if (option(b, "hide client"))
		b->listen->hide_client = 1;
}

void
build_listen_check_sender(struct build *b)
{
	if (option(b, "check sender"))
		b->listen->check_sender = 1;
}

/* A sending server gives up after five minutes (RFC 5321 4.5.3.2.1). */
void
build_listen_pregreet(struct build *b, const struct word *w)
{
	uint64_t secs = 0;

	if (!option(b, "pregreet") || build_time(b, w, &secs) == -1)
		return;
	if (secs == 0 || secs > PREGREET_MAX)
		build_error(b, w, "no time to wait; write 1s to 30s");
	b->listen->pregreet = secs;
}

/* The socket of local submission, which no statement is about. */
void
build_listen_local(struct build *b)
{
	struct conf_listen *l;
	char path[1024];

	if ((l = build_alloc(b, sizeof(*l))) == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/submit.sock", b->conf->state);
	l->proto = PROTO_LOCAL;
	l->where = build_keep(b, path);
	l->no_auth = l->no_tls = l->lenient_lf = 1;
	l->index = b->nlistens++;
	if (b->conf->files.n > 0)
		l->pos.file = b->conf->files.v[0];
	TAILQ_INSERT_TAIL(&b->conf->listens, l, entry);
}
