/*
 * print: a configuration back in its own language.
 *
 * What the file left out is written too, so that a role that reads the text
 * needs neither the file nor the machine's name.  Networks are written out,
 * tables by their source.  Values of inline tables appear as they are: the
 * text is as secret as the file.
 */
#include <stdint.h>
#include <stdio.h>

#include "os/compat.h"
#include "log/log.h"
#include "conf/conf.h"
#include "conf/lex.h"
#include "conf/parse.h"
#include "conf/print.h"
#include "conf/value.h"

void
print_quoted(FILE *f, const char *s)
{
	(void)putc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			(void)putc('\\', f);
		(void)putc(*s, f);
	}
	(void)putc('"', f);
}

void
print_name(FILE *f, const char *s)
{
	if (value_is_name(s))
		(void)fputs(s, f);
	else
		print_quoted(f, s);
}

void
print_free_name(FILE *f, const char *s)
{
	if (lex_keyword(s) == STRING)
		print_name(f, s);
	else
		print_quoted(f, s);
}

void
print_size(FILE *f, uint64_t n)
{
	char text[32];

	value_size_print(n, text, sizeof(text));
	(void)fputs(text, f);
}

void
print_time(FILE *f, uint64_t n)
{
	char text[32];

	value_time_print(n, text, sizeof(text));
	(void)fputs(text, f);
}

/* A single word or a list. */
void
print_words(FILE *f, const struct conf_words *words)
{
	size_t i;

	if (words->n == 1) {
		print_quoted(f, words->v[0]);
		return;
	}
	(void)fputs("{ ", f);
	for (i = 0; i < words->n; i++) {
		if (i > 0)
			(void)fputs(", ", f);
		print_quoted(f, words->v[i]);
	}
	(void)fputs(" }", f);
}

static void
setting(FILE *f, const char *what, const char *value)
{
	(void)fprintf(f, "%s ", what);
	print_quoted(f, value);
	(void)putc('\n', f);
}

static void
print_settings(FILE *f, const struct conf *c)
{
	setting(f, "hostname", c->hostname);
	setting(f, "origin", c->origin);
	setting(f, "postmaster", c->postmaster);
	setting(f, "banner", c->banner);
	setting(f, "spool", c->spool);
	setting(f, "state", c->state);
}

static void
print_network(FILE *f, const struct conf_network *n)
{
	char text[ADDR_TEXT];
	size_t i;

	if (n->pos.line == 0)
		(void)fputs("# ", f);
	(void)fputs("network ", f);
	print_name(f, n->name);
	(void)fputs(" {", f);
	for (i = 0; i < n->nnets; i++) {
		addr_net_print(&n->nets[i], text, sizeof(text));
		(void)fprintf(f, "%s %s", i > 0 ? "," : "", text);
	}
	(void)fputs(" }\n", f);
}

static void
print_inline(FILE *f, const struct conf_table *t)
{
	size_t i;

	(void)fputs(" {\n", f);
	for (i = 0; i < t->keys.n; i++) {
		(void)putc('\t', f);
		print_quoted(f, t->keys.v[i]);
		if (t->values.v[i][0] != '\0') {
			(void)fputs(" = ", f);
			print_quoted(f, t->values.v[i]);
		}
		(void)putc('\n', f);
	}
	(void)fputs("}\n", f);
}

static void
print_table(FILE *f, const struct conf_table *t)
{
	static const char *const kinds[] = {
		[TABLE_INLINE] = "", [TABLE_FILE] = "file",
		[TABLE_SQLITE] = "sqlite", [TABLE_PGSQL] = "pgsql",
		[TABLE_LDAP] = "ldap",
	};

	(void)fputs("table ", f);
	print_name(f, t->name);
	if (t->kind == TABLE_INLINE) {
		print_inline(f, t);
		return;
	}
	(void)fprintf(f, " %s ", kinds[t->kind]);
	print_quoted(f, t->source);
	if (t->query != NULL) {
		(void)fputs(" query ", f);
		print_quoted(f, t->query);
	}
	(void)putc('\n', f);
}

static void
print_tls(FILE *f, const struct conf_tls *t)
{
	(void)fputs("tls ", f);
	print_quoted(f, t->name);
	(void)fputs(" cert ", f);
	print_quoted(f, t->cert);
	(void)fputs(" key ", f);
	print_quoted(f, t->key);
	(void)putc('\n', f);
}

static void
print_auth(FILE *f, const struct conf_auth *a)
{
	if (a->kind == USERS_SYSTEM)
		(void)fputs("auth system\n", f);
	else {
		(void)fputs("auth <", f);
		print_name(f, a->table->name);
		(void)fprintf(f, ">%s\n", a->scram ? " scram" : "");
	}
}

static void
option_name(FILE *f, const char *option, const char *name)
{
	if (name == NULL)
		return;
	(void)fprintf(f, " %s ", option);
	print_free_name(f, name);
}

static void
print_listen(FILE *f, const struct conf_listen *l)
{
	(void)fprintf(f, "listen %s on ", conf_proto_name(l->proto));
	print_free_name(f, l->where);
	if (l->port != 0)
		(void)fprintf(f, " port %u", l->port);
	if (l->tlsname != NULL) {
		(void)fputs(" tls ", f);
		print_quoted(f, l->tlsname);
	}
	if (l->require_tls)
		(void)fputs(" require tls", f);
	if (l->require_auth)
		(void)fputs(" require auth", f);
	if (l->no_auth)
		(void)fputs(" no auth", f);
	if (l->no_tls)
		(void)fputs(" no tls", f);
	if (l->plaintext_auth)
		(void)fputs(" plaintext auth", f);
	option_name(f, "tag", l->tag);
	option_name(f, "proxy from", l->proxy);
	option_name(f, "filter", l->filter);
	option_name(f, "group", l->group);
	if (l->lenient_lf)
		(void)fputs(" lenient lf", f);
	if (l->lenient_helo)
		(void)fputs(" lenient helo", f);
	if (l->hide_client)
		(void)fputs(" hide client", f);
	if (l->check_sender)
		(void)fputs(" check sender", f);
	if (l->pregreet > 0) {
		(void)fputs(" pregreet ", f);
		print_time(f, l->pregreet);
	}
	(void)putc('\n', f);
}

static void
print_names(FILE *f, const struct conf *c)
{
	const struct conf_network *n;
	const struct conf_table *t;
	const struct conf_tls *s;
	const struct conf_auth *a;
	const struct conf_filter *x;
	const struct conf_listen *l;

	TAILQ_FOREACH(n, &c->networks, entry)
		print_network(f, n);
	TAILQ_FOREACH(t, &c->tables, entry)
		print_table(f, t);
	TAILQ_FOREACH(s, &c->tlses, entry)
		print_tls(f, s);
	TAILQ_FOREACH(a, &c->auths, entry)
		print_auth(f, a);
	TAILQ_FOREACH(x, &c->filters, entry) {
		(void)fputs("filter ", f);
		print_name(f, x->name);
		(void)fprintf(f, " %s ", x->milter ? "milter" : "smtp");
		print_quoted(f, x->target);
		(void)fprintf(f, " on failure %s\n", x->on_failure);
	}
	TAILQ_FOREACH(l, &c->listens, entry)
		if (l->proto != PROTO_LOCAL)
			print_listen(f, l);
}

/* What a network has by default follows from the other two. */
static void
print_sessions(FILE *f, const struct conf *c)
{
	unsigned int net = CONF_SESSIONS_NET;

	if (net > c->max_sessions)
		net = c->max_sessions;
	if (net < c->max_sessions_addr)
		net = c->max_sessions_addr;
	(void)fprintf(f, "limit sessions %u per address %u", c->max_sessions,
	    c->max_sessions_addr);
	if (c->max_sessions_net != net)
		(void)fprintf(f, " per network %u", c->max_sessions_net);
	(void)putc('\n', f);
}

static void
print_limit_time(FILE *f, const char *per, uint64_t n, uint64_t usual)
{
	if (n == usual)
		return;
	(void)fputs("limit time ", f);
	print_time(f, n);
	(void)fprintf(f, " per %s\n", per);
}

static void
print_rate(FILE *f, const char *per, unsigned int count, unsigned int secs)
{
	if (count == 0)
		return;
	(void)fprintf(f, "limit rate %u/", count);
	print_time(f, secs);
	(void)fprintf(f, " per %s\n", per);
}

static void
print_limits(FILE *f, const struct conf *c)
{
	(void)fputs("limit message ", f);
	print_size(f, c->max_message);
	(void)fprintf(f, "\nlimit recipients %u\n", c->max_recipients);
	print_sessions(f, c);
	if (c->max_messages != CONF_MESSAGES)
		(void)fprintf(f, "limit messages %u per session\n",
		    c->max_messages);
	if (c->max_errors != CONF_ERRORS)
		(void)fprintf(f, "limit errors %u per session\n",
		    c->max_errors);
	print_limit_time(f, "command", c->time_command, CONF_TIME_COMMAND);
	print_limit_time(f, "message", c->time_message, CONF_TIME_MESSAGE);
	print_limit_time(f, "session", c->time_session, CONF_TIME_SESSION);
	print_rate(f, "address", c->rate_addr, c->rate_addr_secs);
	print_rate(f, "network", c->rate_net, c->rate_net_secs);
	print_rate(f, "user", c->rate_user, c->rate_user_secs);
	(void)fputs("limit memory ", f);
	print_size(f, c->max_memory);
	(void)fputs("\nqueue lifetime ", f);
	print_time(f, c->queue_lifetime);
	(void)fputs(" retry ", f);
	print_time(f, c->retry_min);
	(void)fputs(" to ", f);
	print_time(f, c->retry_max);
	(void)fputs(" warn after ", f);
	print_time(f, c->warn_after);
	(void)putc('\n', f);
}

static void
print_log(FILE *f, const struct conf *c)
{
	switch (c->log_dest) {
	case LOG_TO_STDERR:
		(void)fputs("log stderr", f);
		break;
	case LOG_TO_FILE:
		(void)fputs("log file ", f);
		print_quoted(f, c->log_path);
		break;
	default:
		(void)fputs("log syslog ", f);
		print_quoted(f, c->log_facility);
		break;
	}
	(void)fputs(c->log_json ? " json\n" : "\n", f);
	if (c->sandbox_full)
		(void)fputs("sandbox require full\n", f);
}

char *
conf_print(const struct conf *c)
{
	char *text = NULL;
	size_t len;
	int bad;
	FILE *f;

	if ((f = open_memstream(&text, &len)) == NULL)
		return (NULL);
	print_settings(f, c);
	print_names(f, c);
	print_mail(f, c);
	print_limits(f, c);
	print_log(f, c);
	bad = ferror(f);
	if (fclose(f) == EOF || bad) {
		free(text);
		return (NULL);
	}
	return (text);
}
