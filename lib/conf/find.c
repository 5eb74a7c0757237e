/*
 * find: look up what a configuration holds, match addresses, expand paths.
 *
 * These run for each recipient: a walk over the tables or domains, no memory.
 */
#include <errno.h>
#include <stdint.h>
#include <strings.h>

#include "os/compat.h"
#include "conf/conf.h"

static const struct proto {
	const char	*name;
	unsigned int	 port;
	int		 tls;		/* from the first byte */
} protos[] = {
	[PROTO_SMTP] = { "smtp", 25, 0 },
	[PROTO_SMTPS] = { "smtps", 465, 1 },
	[PROTO_SUBMISSION] = { "submission", 587, 0 },
	[PROTO_LMTP] = { "lmtp", 24, 0 },
	[PROTO_IMAP] = { "imap", 143, 0 },
	[PROTO_IMAPS] = { "imaps", 993, 1 },
	[PROTO_POP3] = { "pop3", 110, 0 },
	[PROTO_POP3S] = { "pop3s", 995, 1 },
	[PROTO_SIEVE] = { "sieve", 4190, 0 },
	[PROTO_LOCAL] = { "local", 0, 0 },
};

const char *
conf_proto_name(enum conf_proto proto)
{
	return (protos[proto].name);
}

unsigned int
conf_proto_port(enum conf_proto proto)
{
	return (protos[proto].port);
}

int
conf_proto_is_tls(enum conf_proto proto)
{
	return (protos[proto].tls);
}

uint64_t
conf_expire_after(const struct conf *c, const char *mailbox)
{
	const struct conf_expire *e;

	TAILQ_FOREACH(e, &c->expires, entry)
		if (strcasecmp(e->mailbox, mailbox) == 0)
			return (e->after);
	return (0);
}

struct conf_table *
conf_table_find(const struct conf *c, const char *name)
{
	struct conf_table *t;

	TAILQ_FOREACH(t, &c->tables, entry)
		if (strcmp(t->name, name) == 0)
			return (t);
	return (NULL);
}

struct conf_table *
conf_table_index(const struct conf *c, unsigned int index)
{
	struct conf_table *t;

	TAILQ_FOREACH(t, &c->tables, entry)
		if (t->index == index)
			return (t);
	return (NULL);
}

int
conf_table_is_file(const struct conf_table *t)
{
	return (t->kind == TABLE_FILE || t->kind == TABLE_SQLITE);
}

struct conf_network *
conf_network_find(const struct conf *c, const char *name)
{
	struct conf_network *n;

	TAILQ_FOREACH(n, &c->networks, entry)
		if (strcmp(n->name, name) == 0)
			return (n);
	return (NULL);
}

static int
has_name(const struct conf_words *names, const char *name)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (strcasecmp(names->v[i], name) == 0)
			return (1);
	return (0);
}

int
conf_domain_is(const struct conf_domain *d, const char *name)
{
	return (has_name(&d->names, name) || has_name(&d->aliases, name));
}

struct conf_domain *
conf_domain_find(const struct conf *c, const char *name)
{
	struct conf_domain *d;

	TAILQ_FOREACH(d, &c->domains, entry)
		if (conf_domain_is(d, name))
			return (d);
	return (NULL);
}

int
conf_is_own_mail(const char *addr, const char *user)
{
	return (user != NULL || addr == NULL || strcmp(addr, "local") == 0 ||
	    addr_is_loopback(addr));
}

/* "*.dom" matches what lies below dom, not dom itself. */
static int
below(const char *dom, const char *pattern)
{
	size_t len = strlen(dom), tail = strlen(pattern + 1);

	return (len > tail && strcasecmp(dom + (len - tail),
	    pattern + 1) == 0);
}

const char *
conf_masquerade(const struct conf *c, const char *dom, size_t len)
{
	const struct conf_masq *m;
	char name[256];
	const char *word;
	size_t i;

	if (len >= sizeof(name))
		return (NULL);
	memcpy(name, dom, len);
	name[len] = '\0';
	TAILQ_FOREACH(m, &c->masqs, entry)
		for (i = 0; i < m->names.n; i++) {
			word = m->names.v[i];
			if (word[0] == '*' ? below(name, word) :
			    strcasecmp(word, name) == 0)
				return (m->as);
		}
	return (NULL);
}

static int
word_match(const char *word, const char *addr, const char *dom)
{
	if (strcmp(word, "<>") == 0)
		return (addr[0] == '\0' || strcmp(addr, "<>") == 0);
	if (word[0] == '@')
		return (dom != addr && strcasecmp(word + 1, dom) == 0);
	if (word[0] == '*' && word[1] == '.')
		return (below(dom, word));
	if (strchr(word, '@') != NULL)
		return (strcasecmp(word, addr) == 0);
	return (strcasecmp(word, dom) == 0);
}

int
conf_words_match(const struct conf_words *words, const char *addr)
{
	const char *at = strrchr(addr, '@');
	const char *dom = at != NULL ? at + 1 : addr;
	size_t i;

	for (i = 0; i < words->n; i++)
		if (word_match(words->v[i], addr, dom))
			return (1);
	return (0);
}

/* One part of a path: never a way out of the folder that it is put in. */
static int
part_ok(const char *s, size_t len)
{
	if (len == 0 || memchr(s, '/', len) != NULL)
		return (0);
	if (len == 1 && s[0] == '.')
		return (0);
	return (len != 2 || s[0] != '.' || s[1] != '.');
}

static int
append(char *out, size_t size, size_t *len, const char *s, size_t n)
{
	if (n >= size - *len) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(out + *len, s, n);
	*len += n;
	out[*len] = '\0';
	return (0);
}

static int
append_part(char *out, size_t size, size_t *len, const char *s, size_t n)
{
	if (!part_ok(s, n)) {
		errno = EINVAL;
		return (-1);
	}
	return (append(out, size, len, s, n));
}

static int
append_home(char *out, size_t size, size_t *len, const char *home)
{
	if (home == NULL || home[0] != '/') {
		errno = EINVAL;
		return (-1);
	}
	return (append(out, size, len, home, strlen(home)));
}

static int
append_letter(char letter, const char *user, const char *home, char *out,
    size_t size, size_t *len)
{
	const char *at = strrchr(user, '@');
	size_t all = strlen(user);
	size_t local = at != NULL ? (size_t)(at - user) : all;

	switch (letter) {
	case 'u':
		return (append_part(out, size, len, user, all));
	case 'n':
		return (append_part(out, size, len, user, local));
	case 'd':
		return (append_part(out, size, len, at != NULL ? at + 1 : "",
		    at != NULL ? all - local - 1 : 0));
	case 'h':
		return (append_home(out, size, len, home));
	case '%':
		return (append(out, size, len, "%", 1));
	default:
		errno = EINVAL;
		return (-1);
	}
}

int
conf_expand(const char *tmpl, const char *user, const char *home, char *out,
    size_t size)
{
	size_t len = 0;

	if (size == 0) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	out[0] = '\0';
	if (tmpl[0] == '~') {
		if (tmpl[1] != '/' && tmpl[1] != '\0') {
			errno = EINVAL;
			return (-1);
		}
		if (append_home(out, size, &len, home) == -1)
			return (-1);
		tmpl++;
	}
	for (; *tmpl != '\0'; tmpl++) {
		if (*tmpl != '%') {
			if (append(out, size, &len, tmpl, 1) == -1)
				return (-1);
			continue;
		}
		if (append_letter(*++tmpl, user, home, out, size, &len) == -1)
			return (-1);
	}
	return (0);
}

int
conf_has_keys(const struct conf *conf)
{
	const struct conf_auth	*a;

	TAILQ_FOREACH(a, &conf->auths, entry)
		if (a->scram)
			return (1);
	return (0);
}

const char *
conf_submit_socket(const struct conf *conf)
{
	const struct conf_listen	*l;

	TAILQ_FOREACH(l, &conf->listens, entry)
		if (l->proto == PROTO_LOCAL)
			return (l->where);
	return ("");
}
