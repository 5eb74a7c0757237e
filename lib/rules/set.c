/*
 * set: is an address, or a HELO name, one that a set has?
 *
 * A table holds the words that could stand in the configuration; each that
 * would match is looked for, in lower case: the backend of a table need not
 * know that upper and lower case are the same.
 *
 * Cost: a lookup for the address, two for its domain, one for each domain that
 * it is below.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/rules.h"

/* 1 it has, 0 it has not, or *r says why that is not known. */
static int
has_key(const struct rules_env *env, const struct conf_table *t,
    const char *key, enum rules_result *r)
{
	*r = rules_table(env, t, key, NULL);
	if (*r == RULES_OK)
		return (1);
	if (*r == RULES_NO)
		*r = RULES_OK;
	return (0);
}

/* "*.dom" for all domains that dom is below; narrow: none is a whole TLD. */
static int
has_above(const struct rules_env *env, const struct conf_table *t,
    const char *dom, int narrow, enum rules_result *r)
{
	const char	*dot, *next;
	char		 key[SMTP_ADDR_SIZE + 1];

	for (dot = strchr(dom, '.'); dot != NULL; dot = next) {
		next = strchr(dot + 1, '.');
		if (narrow && next == NULL)
			return (0);
		snprintf(key, sizeof(key), "*%s", dot);
		if (has_key(env, t, key, r))
			return (1);
		if (*r != RULES_OK)
			return (0);
	}
	return (0);
}

static int
in_table(const struct rules_env *env, const struct conf_table *t,
    const char *addr, int narrow, enum rules_result *r)
{
	char		 key[SMTP_ADDR_SIZE], *p;
	const char	*at, *dom = key;

	if (strlcpy(key, *addr != '\0' ? addr : "<>", sizeof(key)) >=
	    sizeof(key))
		return (0);
	for (p = key; *p != '\0'; p++)
		*p = tolower((unsigned char)*p);
	if (has_key(env, t, key, r))
		return (1);
	if ((at = smtp_address_at(key)) != NULL) {
		dom = at + 1;
		if (*r == RULES_OK && has_key(env, t, at, r))
			return (1);
		if (*r == RULES_OK && has_key(env, t, dom, r))
			return (1);
	}
	return (*r == RULES_OK && has_above(env, t, dom, narrow, r));
}

static int
in_set(const struct rules_env *env, const struct conf_set *set,
    const char *addr, int narrow, enum rules_result *r)
{
	*r = RULES_OK;
	if (set->words.n == 0 && set->table == NULL)
		return (1);
	if (conf_words_match(&set->words, addr))
		return (1);
	return (set->table != NULL && in_table(env, set->table, addr, narrow,
	    r));
}

int
rules_in_set(const struct rules_env *env, const struct conf_set *set,
    const char *addr, enum rules_result *r)
{
	return (in_set(env, set, addr, 0, r));
}

/* The same mailbox without the detail, or under its domain's first name. */
static int
same_mailbox(const struct conf_domain *d, const char *rcpt, int bare,
    int first, char to[SMTP_ADDR_SIZE])
{
	const char	*at = smtp_address_at(rcpt);
	const char	*end = at;

	if (bare && ((end = memchr(rcpt, '+', at - rcpt)) == NULL ||
	    end == rcpt))
		return (0);
	if (first && strcasecmp(at + 1, d->names.v[0]) == 0)
		return (0);
	return (snprintf(to, SMTP_ADDR_SIZE, "%.*s@%s", (int)(end - rcpt),
	    rcpt, first ? d->names.v[0] : at + 1) < SMTP_ADDR_SIZE);
}

int
rules_rcpt_in_set(const struct rules_env *env, const struct conf_set *set,
    const char *rcpt, int permit, enum rules_result *r)
{
	const struct conf_domain	*d = rules_domain(env->conf, rcpt);
	char				 addr[SMTP_ADDR_SIZE];
	int				 i;

	if (in_set(env, set, rcpt, permit, r))
		return (1);
	for (i = 1; d != NULL && i < 4 && *r == RULES_OK; i++)
		if (same_mailbox(d, rcpt, i & 1, i & 2, addr) &&
		    in_set(env, set, addr, permit, r))
			return (1);
	return (0);
}
