/*
 * build: from the parser's words to struct conf, statement by statement.
 *
 * These are the helpers; build_setting.c, _name.c, _listen.c, _domain.c,
 * _rule.c and _later.c have the statements.  A builder reports a bad word where
 * it stands and goes on, so that the checks after parsing find the rest.
 */
#ifndef CONF_BUILD_H
#define CONF_BUILD_H

#include "conf/conf.h"
#include "conf/lex.h"
#include "conf/report.h"

#define BUILD_SEEN	48		/* different things given once */

/* What was given already, and where. */
struct seen {
	const char	*what[BUILD_SEEN];
	struct conf_pos	 pos[BUILD_SEEN];
	size_t		 n;
};

/* A name that is resolved when all statements are known. */
struct ref {
	struct conf_pos	 pos;
	char		*name;
	struct conf_table **table;	/* where it goes, or NULL */
	struct conf_network **network;
	int		 secret;	/* the table holds passwords */
};

struct build {
	struct conf	*conf;
	struct report	*report;
	struct lex	*lex;
	int		 nomem;
	struct seen	 file_seen, domain_seen, line_seen;
	/* the statement at hand; NULL: dropped */
	struct conf_listen *listen;
	struct conf_domain *domain;
	int		 domain_broken;
	struct conf_rule *rule;
	struct conf_route *route;
	struct conf_test *test;
	struct conf_filter *filter;
	int		 route_any;	/* it says "any" */

	/* of each kind so far */
	unsigned int	 nnetworks, ntables, ntlses, nauths, nlistens, nfilters;
	unsigned int	 ndomains, nrules, nroutes;
	struct ref	*refs;
	size_t		 nrefs, refs_cap;
};

/* malloc'ed copies; NULL: nomem is set and the configuration is lost. */
void	*build_alloc(struct build *, size_t);
char	*build_keep(struct build *, const char *);
void	 build_word(struct build *, struct conf_words *, const char *);
/* The same in lower case, for domain names. */
char	*build_lower(struct build *, const char *);
/* 1, or 0 if it was given already: reported at pos. */
int	 build_once(struct build *, struct seen *, const char *,
	    const struct conf_pos *);
int	 build_says(const struct seen *, const char *);
/* Start a statement that may say each thing once. */
void	 build_line(struct build *);
void	 build_error(struct build *, const struct word *, const char *hint);
/* Report a feature that this version lacks; 1: it is lacking. */
int	 build_lacks(struct build *, const char *feature,
	    const struct conf_pos *);
void	 build_ref_table(struct build *, const struct word *,
	    struct conf_table **, int secret);
void	 build_ref_network(struct build *, const struct word *,
	    struct conf_network **);
/* Words of a list; an item with a value is reported. */
void	 build_words(struct build *, struct conf_words *,
	    const struct list *, int (*valid)(const char *), const char *hint);
int	 build_size(struct build *, const struct word *, uint64_t min,
	    uint64_t max, uint64_t *);
int	 build_time(struct build *, const struct word *, uint64_t *);
/* A size, a number of messages, or both; NULL: not given. */
void	 build_quota(struct build *, const struct word *size,
	    const struct word *messages, struct conf_quota *);
/* An absolute path, without control characters. */
char	*build_path(struct build *, const struct word *);
/* A domain name or bare word made lower case; reported if it is none. */
char	*build_domain_name(struct build *, const struct word *);
void	 build_free(struct build *);

#endif
