/*
 * conf: read mail.conf, fill in what it leaves out, check it.
 *
 * conf_load() runs in the parent as root and in mailctl; it opens the file,
 * what it includes and the files of networks, and looks at the modes of the
 * others.  conf_parse() runs in confined roles on text of the parent and
 * opens nothing.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

#include "os/compat.h"
#include "log/log.h"
#include "conf/build.h"
#include "conf/build_listen.h"
#include "conf/build_name.h"
#include "conf/build_rule.h"
#include "conf/check.h"
#include "conf/parsing.h"
#include "conf/value.h"
#include "conf/words.h"

static struct conf *
conf_new(void)
{
	struct conf *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	TAILQ_INIT(&c->networks);
	TAILQ_INIT(&c->tables);
	TAILQ_INIT(&c->tlses);
	TAILQ_INIT(&c->auths);
	TAILQ_INIT(&c->listens);
	TAILQ_INIT(&c->domains);
	TAILQ_INIT(&c->rules);
	TAILQ_INIT(&c->routes);
	TAILQ_INIT(&c->masqs);
	TAILQ_INIT(&c->expires);
	TAILQ_INIT(&c->filters);
	TAILQ_INIT(&c->signs);
	TAILQ_INIT(&c->tests);
	c->max_message = (uint64_t)50 << 20;
	c->max_recipients = 1000;
	c->max_sessions = 2000;
	c->max_sessions_addr = 50;
	c->max_sessions_net = CONF_SESSIONS_NET;
	c->max_messages = CONF_MESSAGES;
	c->max_errors = CONF_ERRORS;
	c->time_command = CONF_TIME_COMMAND;
	c->time_message = CONF_TIME_MESSAGE;
	c->time_session = CONF_TIME_SESSION;
	c->max_memory = (uint64_t)512 << 20;
	c->queue_lifetime = 5 * 24 * 3600;
	c->retry_min = 5 * 60;
	c->retry_max = 4 * 3600;
	c->warn_after = 4 * 3600;
	c->log_dest = LOG_TO_SYSLOG;
	return (c);
}

static void
default_text(struct build *b, char **slot, const char *value)
{
	if (*slot == NULL)
		*slot = build_keep(b, value);
}

static void
default_hostname(struct build *b)
{
	struct conf_pos pos = { .line = 1, .col = 1 };
	char name[HOST_NAME_MAX + 1] = "";

	if (b->conf->hostname != NULL)
		return;
	if (gethostname(name, sizeof(name)) == -1)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	if (!value_is_domain(name)) {
		if (b->conf->files.n > 0)
			pos.file = b->conf->files.v[0];
		report_error(b->report, &pos, "this machine's name \"%s\" is "
		    "no domain name; add a hostname", name);
		(void)strlcpy(name, "localhost", sizeof(name));
	}
	b->conf->hostname = build_lower(b, name);
}

static void
defaults(struct build *b)
{
	struct conf *c = b->conf;
	char banner[HOST_NAME_MAX + 256];

	default_hostname(b);
	if (b->nomem)
		return;
	default_text(b, &c->origin, c->hostname);
	default_text(b, &c->postmaster, "root");
	default_text(b, &c->spool, "/var/spool/postern");
	default_text(b, &c->state, "/var/run/postern");
	default_text(b, &c->log_facility, "mail");
	/* RFC 5321 4.2: a greeting begins with the host's name. */
	(void)snprintf(banner, sizeof(banner), "%s ESMTP", c->hostname);
	default_text(b, &c->banner, banner);
	build_network_predefined(b);
}

static void
check(struct build *b, enum lex_mode mode)
{
	defaults(b);
	if (b->nomem)
		return;
	if (mode == LEX_FILES)
		check_network_files(b);
	check_names(b);
	build_rule_implied(b);
	if (b->nomem)
		return;
	check_listens(b);
	check_domains(b);
	check_rules(b);
	check_routes(b);
	if (mode == LEX_FILES)
		check_files(b);
	check_unused(b);
	build_listen_local(b);
}

/* The first source is open; take over the rest. */
static int
read_all(struct conf *c, struct lex *lx, struct report *report,
    enum lex_mode mode)
{
	struct build b = { .conf = c, .report = report, .lex = lx };
	int rc = 0;

	if (parse_file(&b, lx) == -1)
		rc = -1;
	if (!b.nomem)
		check(&b, mode);
	if (b.nomem)
		rc = -1;
	build_free(&b);
	return (rc);
}

struct conf *
conf_load(const char *path, const struct conf_macro *macros, size_t nmacros,
    conf_report report, void *arg)
{
	struct conf *c = NULL;
	struct lex *lx = NULL;
	struct report *r;
	size_t i;
	int ok = 0;

	if ((r = report_new()) == NULL || (c = conf_new()) == NULL ||
	    (lx = lex_new(LEX_FILES, r, &c->files)) == NULL)
		goto done;
	for (i = 0; i < nmacros; i++)
		lex_preset(lx, macros[i].name, macros[i].value);
	if (lex_open(lx, path) == 0)
		ok = read_all(c, lx, r, LEX_FILES) == 0;
	if (report_flush(r, &c->files, report, arg) > 0)
		ok = 0;
	else if (!ok && report != NULL)
		report(arg, 1, "mail.conf: out of memory; free some");
done:
	lex_free(lx);
	report_free(r);
	if (!ok) {
		conf_free(c);
		c = NULL;
	}
	return (c);
}

struct conf *
conf_parse(const char *text, size_t len, conf_report report, void *arg)
{
	struct conf *c = NULL;
	struct lex *lx = NULL;
	struct report *r;
	int ok = 0;

	if ((r = report_new()) == NULL || (c = conf_new()) == NULL ||
	    (lx = lex_new(LEX_TEXT, r, &c->files)) == NULL)
		goto done;
	if (lex_text(lx, text, len) == 0)
		ok = read_all(c, lx, r, LEX_TEXT) == 0;
	if (report_flush(r, &c->files, report, arg) > 0)
		ok = 0;
	else if (!ok && report != NULL)
		report(arg, 1, "mail.conf: too large or out of memory; "
		    "make it smaller");
done:
	lex_free(lx);
	report_free(r);
	if (!ok) {
		conf_free(c);
		c = NULL;
	}
	return (c);
}
