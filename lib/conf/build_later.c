/*
 * build_later: mailbox, pop3, filter, sign, verify, fetch and masquerade.
 *
 * Which of them this version refuses stands in notyet.c.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/build_later.h"
#include "conf/uidl.h"
#include "conf/value.h"

#define FILTERS_MAX	100
#define POP3_DELAY_MAX	3600
#define EXPIRES_MAX	16
#define SPECIAL_MAX	9
#define MAILBOX_NAME_MAX 100
#define MAILBOX_HINT	"no name of a mailbox; write up to 100 bytes"

static void
lacks(struct build *b, const char *feature)
{
	struct conf_pos pos = lex_pos(b->lex);

	(void)build_lacks(b, feature, &pos);
}

static int
once(struct build *b, const char *what)
{
	struct conf_pos pos = lex_pos(b->lex);

	return (build_once(b, &b->file_seen, what, &pos));
}

void
build_mailbox_quota(struct build *b, const struct word *size,
    const struct word *messages)
{
	if (once(b, "mailbox quota"))
		build_quota(b, size, messages, &b->conf->mailbox_quota);
}

/* All of them fit into a message to the user's process. */
static int
mailbox_name(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return (0);
	return (i > 0 && i <= MAILBOX_NAME_MAX);
}

void
build_mailbox_expire(struct build *b, const struct word *mailbox,
    const struct word *after)
{
	struct conf_expire *e;
	int n = 0;

	if (!mailbox_name(mailbox->s))
		build_error(b, mailbox, MAILBOX_HINT);
	TAILQ_FOREACH(e, &b->conf->expires, entry)
		if (++n == EXPIRES_MAX)
			build_error(b, mailbox, "one of more than 16 "
			    "mailboxes that expire; remove some");
	if ((e = build_alloc(b, sizeof(*e))) == NULL)
		return;
	e->pos = lex_pos(b->lex);
	e->mailbox = build_keep(b, mailbox->s);
	(void)build_time(b, after, &e->after);
	TAILQ_INSERT_TAIL(&b->conf->expires, e, entry);
}

void
build_mailbox_special(struct build *b, const struct list *names)
{
	if (!once(b, "mailbox special"))
		return;
	build_words(b, &b->conf->special, names, mailbox_name, MAILBOX_HINT);
	if (b->conf->special.n > SPECIAL_MAX && names->first != NULL)
		build_error(b, names->first->key, "one of more than 9 "
		    "mailboxes; remove some");
}

/* The user's process stays for so long, so it is no day. */
void
build_pop3_delay(struct build *b, const struct word *w)
{
	uint64_t n;

	if (!once(b, "pop3 login delay"))
		return;
	if (value_time(w->s, &n) == -1 || n > POP3_DELAY_MAX)
		build_error(b, w, "no delay; write a number with s or m, up "
		    "to 1h");
	else
		b->conf->pop3_delay = n;
}

void
build_pop3_uidl(struct build *b, const struct word *w)
{
	char uid[UIDL_MAX + 1];

	if (!once(b, "pop3 uidl"))
		return;
	if (strlen(w->s) > UIDL_FORMAT_MAX ||
	    uidl_expand(w->s, UINT32_MAX, UINT32_MAX, uid) == -1) {
		build_error(b, w, "no format of unique ids; write %u and "
		    "perhaps %v, each with a width as in %08Xu, and no blanks");
		return;
	}
	b->conf->pop3_uidl = build_keep(b, w->s);
}

void
build_filter(struct build *b, int milter, const struct word *name,
    const struct word *target)
{
	struct conf_filter *f;

	lacks(b, "filter");
	b->filter = NULL;
	if (!value_is_name(name->s))
		build_error(b, name, "no name; use up to 63 letters, digits, "
		    "_, . and -");
	if (b->nfilters >= FILTERS_MAX) {
		build_error(b, name, "one filter too many; remove it");
		return;
	}
	TAILQ_FOREACH(f, &b->conf->filters, entry)
		if (strcmp(f->name, name->s) == 0)
			report_error(b->report, &name->pos, "filter \"%s\" is "
			    "defined already on line %u of %s; rename one of "
			    "them", f->name, f->pos.line, f->pos.file);
	if ((f = build_alloc(b, sizeof(*f))) == NULL)
		return;
	b->nfilters++;
	f->pos = name->pos;
	f->milter = milter;
	f->name = build_keep(b, name->s);
	f->target = build_keep(b, target->s);
	f->on_failure = build_keep(b, "tempfail");
	TAILQ_INSERT_TAIL(&b->conf->filters, f, entry);
	b->filter = f;
}

void
build_filter_failure(struct build *b, const char *what)
{
	if (b->filter == NULL)
		return;
	free(b->filter->on_failure);
	b->filter->on_failure = build_keep(b, what);
}

void
build_sign(struct build *b, const struct word *domain,
    const struct word *selector, const struct word *key)
{
	struct conf_sign *s;

	lacks(b, "sign");
	if ((s = build_alloc(b, sizeof(*s))) == NULL)
		return;
	s->pos = lex_pos(b->lex);
	s->domain = build_domain_name(b, domain);
	s->selector = build_domain_name(b, selector);
	s->key = build_path(b, key);
	TAILQ_INSERT_TAIL(&b->conf->signs, s, entry);
}

void
build_verify(struct build *b)
{
	lacks(b, "verify");
	if (!once(b, "verify"))
		return;
	free(b->conf->verify_failure);
	b->conf->verify_failure = build_keep(b, "mark");
}

void
build_verify_spf(struct build *b)
{
	b->conf->verify_spf = 1;
}

void
build_verify_dkim(struct build *b)
{
	b->conf->verify_dkim = 1;
}

void
build_verify_dmarc(struct build *b)
{
	b->conf->verify_dmarc = 1;
}

void
build_verify_failure(struct build *b, const char *what)
{
	free(b->conf->verify_failure);
	b->conf->verify_failure = build_keep(b, what);
}

void
build_fetch(struct build *b, const struct word *table,
    const struct word *every)
{
	lacks(b, "fetch");
	build_ref_table(b, table, NULL, 1);
	if (!once(b, "fetch"))
		return;
	free(b->conf->fetch_table);
	b->conf->fetch_table = build_keep(b, table->s);
	(void)build_time(b, every, &b->conf->fetch_every);
}

void
build_masquerade(struct build *b, const struct list *names,
    const struct word *as)
{
	struct conf_masq *m;

	if ((m = build_alloc(b, sizeof(*m))) == NULL)
		return;
	m->pos = lex_pos(b->lex);
	build_words(b, &m->names, names, value_is_helo, "no domain; write "
	    "a name or *.name");
	m->as = build_domain_name(b, as);
	TAILQ_INSERT_TAIL(&b->conf->masqs, m, entry);
}
