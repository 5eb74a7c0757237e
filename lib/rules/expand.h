/*
 * expand: what the files of an expansion share; for lib/rules only.
 */
#ifndef RULES_EXPAND_H
#define RULES_EXPAND_H

#include "rules/rules.h"
#include "rules/seen.h"

struct item {
	unsigned int	from;		/* number of its alias; 0 none */
	unsigned int	depth;
	unsigned int	owner;		/* index + 1 in owners; 0 none */
};

struct expansion {
	const struct rules_env	*env;
	const char		*sender;
	struct seen_set		 seen;		/* all, and still to do */
	struct item		*items;		/* of the same index */
	size_t			 cap, next;
	struct seen_set		 owners;	/* addresses of lists' owners */
	struct seen_set		 accounts;	/* "user@domain's first name" */
	struct seen_set		 commands;	/* "|mark name@domain" */
	struct rules_dests	*dests;
	size_t			 destcap;
	size_t			 dead;		/* of dests */
	char			 first_dead[C_REPLY];	/* why one of them is */
	size_t			 included;	/* files */
	char			*reply;
	struct rules_env	 ahead;		/* env without resume() */
	unsigned int		 pending;	/* files asked for */
	const struct conf_domain *last_domain;	/* of the last one */
	struct rules_account	 last;
};

/* Whose alias, file or catch-all is being read. */
struct context {
	const struct conf_domain *d;
	const char		*self;		/* local part */
	unsigned int		 number;	/* of the item */
	unsigned int		 depth;
	int			 users;		/* a user wrote it */
	int			 faulty;	/* and it cannot be used */
	unsigned int		 included;	/* files, one in the other */
	size_t			 words;		/* so far */
};

/* The reply "CODE <addr>: text"; returns r. */
enum rules_result expand_say(struct expansion *, enum rules_result,
	    const char *code, const char *addr, const char *text);
/* r, with the reply for a table or memory if it is RULES_TEMPFAIL. */
enum rules_result expand_tempfail(struct expansion *, enum rules_result);
void	expand_trace(const struct expansion *, unsigned int number,
	    unsigned int from, const char *addr, const char *how);
/* One more address to be looked at, if it was not seen before. */
enum rules_result expand_push(struct expansion *, const char *addr,
	    unsigned int from, unsigned int depth, const char *how);
/* A new one of the item in hand, zero but rcpt and owner; NULL no memory. */
struct rules_dest *expand_dest(struct expansion *, const char *rcpt);
/* One copy an account, by whatever names it is reached. */
enum rules_result expand_account(struct expansion *,
	    const struct conf_domain *, const struct rules_account *,
	    const char *rcpt, unsigned int number);

/* expand_value.c: all words of an alias or a file. */
enum rules_result expand_value(struct expansion *, struct context *,
	    const char *text);
/* Does the alias say no more than its own name? */
int	expand_only_self(const struct context *, const char *text);

#endif
