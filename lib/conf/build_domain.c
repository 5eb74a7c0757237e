/*
 * build_domain: what is delivered here.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/build_domain.h"
#include "conf/command.h"
#include "conf/url.h"
#include "conf/value.h"


static void
add_names(struct build *b, struct conf_words *words, const struct list *list)
{
	const struct item *item;
	char *name;

	if (list == NULL)
		return;
	for (item = list->first; item != NULL; item = item->next) {
		if (item->value != NULL) {
			build_error(b, item->key, "given a value, which only "
			    "a table has; remove the value");
			continue;
		}
		if ((name = build_domain_name(b, item->key)) != NULL)
			build_word(b, words, name);
		free(name);
	}
}

void
build_domain(struct build *b, const struct list *names)
{
	struct conf_domain *d;
	struct conf_pos pos = lex_pos(b->lex);

	b->domain = NULL;
	b->domain_seen.n = 0;
	b->domain_broken = 0;
	if (names == NULL || (d = build_alloc(b, sizeof(*d))) == NULL)
		return;
	d->pos = pos;
	d->index = b->ndomains++;
	add_names(b, &d->names, names);
	if (names->n == 0)
		report_error(b->report, &pos, "a domain without a name; "
		    "write its name");
	TAILQ_INSERT_TAIL(&b->conf->domains, d, entry);
	b->domain = d;
}

void
build_domain_broken(struct build *b)
{
	b->domain_broken = 1;
}

static int
once(struct build *b, const char *what)
{
	struct conf_pos pos = lex_pos(b->lex);

	return (b->domain != NULL &&
	    build_once(b, &b->domain_seen, what, &pos));
}

void
build_domain_alias(struct build *b, const struct list *names)
{
	if (b->domain != NULL)
		add_names(b, &b->domain->aliases, names);
}

void
build_domain_users(struct build *b, const struct word *table)
{
	if (!once(b, "users"))
		return;
	b->domain->has_users = 1;
	b->domain->users = table == NULL ? USERS_SYSTEM : USERS_TABLE;
	if (table != NULL)
		build_ref_table(b, table, &b->domain->users_table, 0);
}

void
build_domain_aliases(struct build *b, const struct word *table,
    const struct word *include, const struct word *as)
{
	if (!once(b, "aliases"))
		return;
	build_ref_table(b, table, &b->domain->alias_table, 0);
	if (include != NULL)
		b->domain->include = build_path(b, include);
	if (as == NULL)
		return;
	if (!value_is_user(as->s) || strcmp(as->s, "root") == 0)
		build_error(b, as, "no user whom commands may run as; write "
		    "the name of an account that has no other use");
	else
		b->domain->alias_as = build_keep(b, as->s);
}

static void
set_address(struct build *b, const char *what, char **slot,
    const struct word *w)
{
	if (!once(b, what))
		return;
	if (!value_is_address(w->s))
		build_error(b, w, "no address; write user@domain");
	else
		*slot = build_keep(b, w->s);
}

void
build_domain_catchall(struct build *b, const struct word *w)
{
	if (b->domain != NULL)
		set_address(b, "catchall", &b->domain->catchall, w);
}

void
build_domain_archive(struct build *b, const struct word *w)
{
	if (b->domain != NULL)
		set_address(b, "archive", &b->domain->archive, w);
}

void
build_domain_forward(struct build *b, const struct word *w, int commands)
{
	if (!once(b, "forward"))
		return;
	if (!value_is_template(w->s))
		build_error(b, w, "no file of a user's own; begin it with ~/ "
		    "or write %u or %n in it");
	else
		b->domain->forward = build_keep(b, w->s);
	b->domain->forward_commands = commands;
}

void
build_domain_quota(struct build *b, const struct word *size,
    const struct word *messages)
{
	if (once(b, "quota"))
		build_quota(b, size, messages, &b->domain->quota);
}

void
build_domain_sieve(struct build *b, const struct word *w)
{
	struct conf_pos pos = lex_pos(b->lex);

	(void)build_lacks(b, "domain sieve", &pos);
	if (!once(b, "sieve"))
		return;
	if (!value_is_template(w->s))
		build_error(b, w, "no path of a user's own; begin it with "
		    "~/ or write %u or %n in it");
	else
		b->domain->sieve = build_keep(b, w->s);
}

/* A socket's path, or host:port as in a URL. */
static void
lmtp_target(struct build *b, const struct word *w)
{
	struct sockaddr_un sun;
	char url[sizeof("lmtp://") + 512];

	if (w->s[0] == '/') {
		if (strlen(w->s) >= sizeof(sun.sun_path))
			build_error(b, w, "too long for a socket's path");
		return;
	}
	if ((size_t)snprintf(url, sizeof(url), "lmtp://%s", w->s) >=
	    sizeof(url) || strchr(w->s, '@') != NULL ||
	    url_parse(url, &b->domain->lmtp) == -1)
		build_error(b, w, "no LMTP server; write the path of its "
		    "socket, or host:port");
}

static void
pipe_target(struct build *b, const struct word *w)
{
	const struct conf_words *argv = &b->domain->argv;
	size_t i;

	if (command_split(w->s, &b->domain->argv) == -1) {
		build_error(b, w, "no command; write the path of a program "
		    "and its arguments, up to 31");
		return;
	}
	for (i = 1; i < argv->n; i++)
		if (!value_is_argument(argv->v[i]))
			build_error(b, w, "a % that stands for nothing; "
			    "write %u, %n, %d, %h or %%");
}

void
build_deliver(struct build *b, enum conf_deliver kind, const struct word *w)
{
	if (!once(b, "deliver"))
		return;
	if (kind == DELIVER_LMTP)
		lmtp_target(b, w);
	else if (kind == DELIVER_PIPE)
		pipe_target(b, w);
	else if (!value_is_template(w->s))
		build_error(b, w, "no path of a user's own; begin it with / "
		    "or ~/ and write %u, %n or %h in it, else all users share "
		    "one mailbox");
	b->domain->deliver = kind;
	b->domain->target = build_keep(b, w->s);
}

void
build_deliver_as(struct build *b, const struct word *w)
{
	if (b->domain == NULL)
		return;
	if (!value_is_user(w->s))
		build_error(b, w, "no user; write the name of an account");
	else if (b->domain->as == NULL)
		b->domain->as = build_keep(b, w->s);
}

static int
says(const struct build *b, const char *what)
{
	return (build_says(&b->domain_seen, what));
}

/* Mail for a domain of ours must have somewhere to go. */
void
build_domain_end(struct build *b)
{
	const struct conf_domain *d = b->domain;
	const char *name;

	if (d == NULL || b->domain_broken || d->names.n == 0)
		return;
	name = d->names.v[0];
	if (!says(b, "users") && says(b, "deliver"))
		report_error(b->report, &d->pos, "domain \"%s\" delivers to "
		    "nobody; add users system or users <table>", name);
	else if (!says(b, "users") && !says(b, "aliases") &&
	    !says(b, "catchall"))
		report_error(b->report, &d->pos, "domain \"%s\" has no "
		    "recipients; add users system or users <table>", name);
	if (says(b, "users") && !says(b, "deliver"))
		report_error(b->report, &d->pos, "domain \"%s\" has users "
		    "and no mailboxes; add deliver maildir \"~/Maildir\"",
		    name);
	if (!says(b, "users") && says(b, "forward"))
		report_error(b->report, &d->pos, "domain \"%s\" has no users "
		    "with files of their own; remove forward", name);
	if (d->as != NULL && says(b, "users") && d->users == USERS_SYSTEM)
		report_error(b->report, &d->pos, "domain \"%s\" has users "
		    "with accounts of their own; remove \"as %s\"", name,
		    d->as);
}
