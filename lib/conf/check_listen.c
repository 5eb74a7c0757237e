/*
 * check_listen: sockets: which certificate, which options together, and that
 * nobody is asked for a password in the clear or without a way to log in.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/check.h"

static int
is_smtp(enum conf_proto proto)
{
	return (proto == PROTO_SMTP || proto == PROTO_SMTPS ||
	    proto == PROTO_SUBMISSION);
}

static int
is_login(enum conf_proto proto)
{
	return (!is_smtp(proto) && proto != PROTO_LMTP);
}

static int
is_loopback(const struct conf_listen *l)
{
	return (l->where[0] == '/' || strcmp(l->where, "loopback") == 0 ||
	    strcmp(l->where, "lo") == 0 || strcmp(l->where, "lo0") == 0 ||
	    addr_is_loopback(l->where));
}

static struct conf_tls *
tls_find(const struct conf *c, const char *name)
{
	struct conf_tls *t;

	TAILQ_FOREACH(t, &c->tlses, entry)
		if (strcmp(t->name, name) == 0)
			return (t);
	return (NULL);
}

static void
choose_named(struct build *b, struct conf_listen *l)
{
	if (l->no_tls)
		report_error(b->report, &l->pos, "both \"tls\" and \"no "
		    "tls\"; remove one of them");
	l->tls = tls_find(b->conf, l->tlsname);
	if (l->tls == NULL && !lex_is_broken(b->lex, l->tlsname))
		report_error(b->report, &l->pos, "tls \"%s\" is not defined; "
		    "define it: tls %s cert \"PATH\" key \"PATH\"",
		    l->tlsname, l->tlsname);
}

/* The one named like the host, else the only one. */
static void
choose_tls(struct build *b, struct conf_listen *l)
{
	const struct conf *c = b->conf;
	struct conf_tls *first = TAILQ_FIRST(&c->tlses);

	if (l->proto == PROTO_LMTP)
		return;
	if (l->tlsname != NULL) {
		choose_named(b, l);
		return;
	}
	if (l->no_tls || first == NULL)
		return;
	l->tls = tls_find(c, c->hostname);
	if (l->tls == NULL && TAILQ_NEXT(first, entry) == NULL)
		l->tls = first;
	if (l->tls == NULL) {
		report_error(b->report, &l->pos, "several certificates and "
		    "none is named %s like the host; write tls NAME here",
		    c->hostname);
		l->tls = first;
	}
	l->tlsname = build_keep(b, l->tls->name);
}

static void
check_tls(struct build *b, const struct conf_listen *l)
{
	const char *proto = conf_proto_name(l->proto);

	if (l->no_tls && (conf_proto_is_tls(l->proto) || l->require_tls))
		report_error(b->report, &l->pos, "%s with \"no tls\"; remove "
		    "one of them", conf_proto_is_tls(l->proto) ? proto :
		    "\"require tls\"");
	else if (l->tls == NULL && l->tlsname == NULL &&
	    (conf_proto_is_tls(l->proto) || l->require_tls))
		report_error(b->report, &l->pos, "%s%s needs a certificate; "
		    "add tls NAME cert \"PATH\" key \"PATH\"", proto,
		    l->require_tls ? " with \"require tls\"" : "");
}

static void
check_auth_options(struct build *b, const struct conf_listen *l)
{
	const char *proto = conf_proto_name(l->proto);

	if (!is_smtp(l->proto) && (l->require_auth || l->no_auth))
		report_error(b->report, &l->pos, "\"%s auth\" is for smtp; "
		    "remove it from %s", l->no_auth ? "no" : "require",
		    proto);
	else if (l->no_auth && l->proto != PROTO_SMTP)
		report_error(b->report, &l->pos, "%s always requires auth; "
		    "remove \"no auth\" or listen for smtp", proto);
	else if (l->no_auth && l->require_auth)
		report_error(b->report, &l->pos, "both \"require auth\" and "
		    "\"no auth\"; remove one of them");
	if (l->plaintext_auth && (l->no_auth || l->require_tls ||
	    conf_proto_is_tls(l->proto)))
		report_error(b->report, &l->pos, "\"plaintext auth\" where no "
		    "password can come in the clear; remove it");
}

/* What an option is about must be there. */
static void
check_smtp_options(struct build *b, const struct conf_listen *l)
{
	const char *proto = conf_proto_name(l->proto);

	if (l->group != NULL && l->where[0] != '/')
		report_error(b->report, &l->pos, "\"group\" is for a socket "
		    "that is a path; remove it");
	if (l->port != 0 && l->where[0] == '/')
		report_error(b->report, &l->pos, "a socket that is a path "
		    "has no port; remove it");
	if (l->proto == PROTO_LMTP && l->port == 25)
		report_error(b->report, &l->pos, "LMTP is never spoken on "
		    "port 25 (RFC 2033 5); choose another");
	if ((l->lenient_lf || l->lenient_helo) && !is_smtp(l->proto))
		report_error(b->report, &l->pos, "\"lenient\" is for smtp; "
		    "remove it from %s", proto);
	if (l->pregreet > 0 && l->proto != PROTO_SMTP)
		report_error(b->report, &l->pos, "\"pregreet\" is for smtp; "
		    "remove it from %s", proto);
	if ((l->hide_client || l->check_sender) && (!is_smtp(l->proto) ||
	    l->no_auth))
		report_error(b->report, &l->pos, "\"%s\" is for who logs "
		    "in; remove it", l->hide_client ? "hide client" :
		    "check sender");
}

/* Somebody must be able to log in, and not in the clear by accident. */
static void
check_login(struct build *b, const struct conf_listen *l)
{
	const char *proto = conf_proto_name(l->proto);

	if (!is_login(l->proto) && !l->require_auth)
		return;
	if (TAILQ_EMPTY(&b->conf->auths))
		report_error(b->report, &l->pos, "nobody can log in to this "
		    "%s; add auth system or auth <table>", proto);
	if (l->tls == NULL && l->tlsname == NULL && !l->plaintext_auth &&
	    !is_loopback(l) && !conf_proto_is_tls(l->proto) &&
	    !l->require_tls)
		report_error(b->report, &l->pos, "passwords of %s would pass "
		    "in the clear; configure tls or write plaintext auth",
		    proto);
}

static void
check_twice(struct build *b, const struct conf_listen *l)
{
	const struct conf_listen *before;

	TAILQ_FOREACH(before, &b->conf->listens, entry) {
		if (before == l)
			return;
		if (before->port != l->port ||
		    strcmp(before->where, l->where) != 0 ||
		    (l->port == 0 && l->where[0] != '/'))
			continue;
		if (l->port == 0)
			report_error(b->report, &l->pos, "%s is taken by "
			    "line %u of %s; choose another path", l->where,
			    before->pos.line, before->pos.file);
		else
			report_error(b->report, &l->pos, "port %u of %s is "
			    "taken by line %u of %s; choose another port",
			    l->port, l->where, before->pos.line,
			    before->pos.file);
		return;
	}
}

void
check_listens(struct build *b)
{
	struct conf_listen *l;
	struct conf_tls *t;

	TAILQ_FOREACH(l, &b->conf->listens, entry) {
		choose_tls(b, l);
		check_tls(b, l);
		check_auth_options(b, l);
		check_smtp_options(b, l);
		if (l->proto == PROTO_SUBMISSION || l->proto == PROTO_SMTPS)
			l->require_auth = 1;
		check_login(b, l);
		check_twice(b, l);
		/* Any of them may be asked for by name (RFC 6066 3). */
		if (l->tls != NULL)
			TAILQ_FOREACH(t, &b->conf->tlses, entry)
				t->used = 1;
	}
}
