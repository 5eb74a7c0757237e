/*
 * expand_value: the words of an alias, an included list or a forward file, and
 * what each of them adds to an expansion.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/command.h"
#include "conf/words.h"
#include "os/compat.h"
#include "rules/command.h"
#include "rules/expand.h"
#include "rules/include.h"
#include "rules/value.h"

/* What was written holds up the mail until it is mended. */
static enum rules_result
fault(struct expansion *x, struct context *c, const char *word,
    const char *text)
{
	c->faulty = 1;
	return (expand_say(x, RULES_TEMPFAIL, "451 4.3.5", word, text));
}

/* An address of this user: the name itself, in any domain of the same. */
static int
is_self(const struct context *c, const char *addr)
{
	const char	*at = smtp_address_at(addr);
	size_t		 n = strlen(c->self);

	if (at == NULL || (size_t)(at - addr) != n ||
	    strncasecmp(addr, c->self, n) != 0)
		return (0);
	return (conf_domain_is(c->d, at + 1));
}

/* "alice: alice, bob" and "\alice": her own copy, if she has an account. */
static enum rules_result
own_copy(struct expansion *x, const struct context *c, const char *rcpt)
{
	struct rules_account	acc;
	enum rules_result	r;

	r = rules_account(x->env, c->d, c->self, &acc);
	if (r == RULES_OK)
		r = expand_account(x, c->d, &acc, rcpt, c->number);
	return (r == RULES_NO ? RULES_OK : expand_tempfail(x, r));
}

/* Bare names are of the alias's own domain. */
static enum rules_result
one_address(struct expansion *x, struct context *c, const char *word,
    enum value_kind kind)
{
	char	addr[SMTP_ADDR_SIZE];

	if (smtp_address(word, addr) != NULL ||
	    (smtp_address_at(addr) == NULL &&
	    (strlcat(addr, "@", sizeof(addr)) >= sizeof(addr) ||
	    strlcat(addr, c->d->names.v[0], sizeof(addr)) >= sizeof(addr))))
		return (fault(x, c, word, c->users ?
		    "a forward file holds what is no address" :
		    "an alias holds what is no address"));
	if (is_self(c, addr))
		return (own_copy(x, c, addr));
	if (kind == VALUE_OWN && !c->users)
		return (fault(x, c, word,
		    "an alias can keep mail for its own name only"));
	return (expand_push(x, addr, c->number, c->depth + 1,
	    c->users ? "forward" : "alias"));
}

/* Lookup can see no other directory; mailctl and -n shall not either. */
static int
may_include(const struct conf_domain *d, const char *path)
{
	size_t	n;

	if (d->include == NULL || strstr(path, "/../") != NULL)
		return (0);
	n = strlen(d->include);
	return (strncmp(path, d->include, n) == 0 && path[n] == '/');
}

static enum rules_result
include(struct expansion *x, struct context *c, const char *path)
{
	enum rules_result	 r;
	const char		*why;
	char			*text;

	if (++x->included > RULES_INCLUDE_MAX)
		return (expand_say(x, RULES_NO, "550 5.4.6", path,
		    "files include each other without end"));
	if (!may_include(c->d, path))
		return (fault(x, c, path,
		    "is not in the directory of included lists"));
	if ((text = include_read(path, (uid_t)-1, INCLUDE_MAX, &why)) == NULL)
		return (fault(x, c, path, why));
	c->included++;
	r = expand_value(x, c, text);
	c->included--;
	free(text);
	return (r);
}

/* Why one may not be named here, or NULL. */
static const char *
no_command(const struct context *c)
{
	if (c->included > 0)
		return ("an included list starts no commands");
	if (c->users)
		return (c->d->forward_commands ? NULL :
		    "a forward file starts no commands here");
	return (c->d->alias_as != NULL ? NULL :
	    "an alias starts no commands here");
}

static void
trace_command(const struct expansion *x, const struct context *c,
    const char *word, const char *user)
{
	char	shown[VALUE_WORD + 1], how[C_USER + 40];

	if (x->env->trace == NULL)
		return;
	snprintf(shown, sizeof(shown), "|%s", word);
	snprintf(how, sizeof(how), "%s, a command that runs as %s", c->users ?
	    "forward" : "alias", user);
	expand_trace(x, 0, c->number, shown, how);
}

/* A reply never shows the command itself: it may hold a password. */
static enum rules_result
command(struct expansion *x, struct context *c, const char *word)
{
	const char		*addr = x->seen.v[c->number - 1], *why;
	struct conf_words	 words;
	struct rules_dest	*dest;
	char			 mark[COMMAND_MARK];
	char			 key[COMMAND_MARK + SMTP_ADDR_SIZE + 2];

	if ((why = no_command(c)) != NULL)
		return (fault(x, c, addr, why));
	if (command_split(word, &words) == -1)
		return (errno == ENOMEM ? expand_tempfail(x, RULES_TEMPFAIL) :
		    fault(x, c, addr, "what it should start is no command"));
	words_free(&words);
	command_mark(word, c->users, mark);
	snprintf(key, sizeof(key), "|%s %s@%s", mark, c->self,
	    c->d->names.v[0]);
	switch (seen_add(&x->commands, key)) {
	case -1:
		return (expand_tempfail(x, RULES_TEMPFAIL));
	case 0:
		return (RULES_OK);
	}
	if (x->commands.n > RULES_COMMANDS)
		return (expand_say(x, RULES_NO, "550 5.4.6", addr,
		    "starts too many commands"));
	if ((dest = expand_dest(x, addr)) == NULL)
		return (expand_tempfail(x, RULES_TEMPFAIL));
	dest->local = 1;
	strlcpy(dest->user, c->self, sizeof(dest->user));
	strlcpy(dest->host, c->d->names.v[0], sizeof(dest->host));
	strlcpy(dest->label, mark, sizeof(dest->label));
	trace_command(x, c, word, c->users ? c->self : c->d->alias_as);
	return (RULES_OK);
}

/* All words of an alias or a file. */
enum rules_result
expand_value(struct expansion *x, struct context *c, const char *text)
{
	enum rules_result	r = RULES_OK;
	enum value_kind		kind;
	char			word[VALUE_WORD];

	while (r == RULES_OK &&
	    (kind = value_next(&text, word)) != VALUE_END) {
		c->words++;
		switch (kind) {
		case VALUE_INCLUDE:
			r = c->users ? fault(x, c, word,
			    "a forward file includes no other") :
			    include(x, c, word);
			break;
		case VALUE_COMMAND:
			r = command(x, c, word);
			break;
		case VALUE_FILE:
			r = fault(x, c, word, "aliases write no files");
			break;
		default:
			r = one_address(x, c, word, kind);
		}
	}
	return (r);
}

/* Does the alias say no more than its own name? */
int
expand_only_self(const struct context *c, const char *text)
{
	enum value_kind	kind;
	char		word[VALUE_WORD], addr[SMTP_ADDR_SIZE];

	if ((kind = value_next(&text, word)) != VALUE_ADDRESS &&
	    kind != VALUE_OWN)
		return (0);
	if (smtp_address(word, addr) != NULL)
		return (0);
	if (smtp_address_at(addr) == NULL ? strcasecmp(addr, c->self) != 0 :
	    !is_self(c, addr))
		return (0);
	return (value_next(&text, word) == VALUE_END);
}

