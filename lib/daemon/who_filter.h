/*
 * who_filter: which connections a question of mailctl is about.  Pure.
 */
#ifndef DAEMON_WHO_FILTER_H
#define DAEMON_WHO_FILTER_H

#include "net/addr.h"

#define WHO_WORDS	16

/* What is known of one. */
struct who_facts {
	const char	*user;
	const char	*service;	/* "imap" */
	const char	*addr;		/* text, no port */
	const char	*id;		/* "imap-17" */
};

enum who_kind { WHO_NAME, WHO_USER, WHO_ADDRESS, WHO_NETWORK, WHO_SERVICE,
	WHO_ID };

struct who_filter {
	size_t		 n;
	struct {
		enum who_kind	 kind;
		const char	*text;
		struct addr_net	 net;
	} words[WHO_WORDS];
};

/*
 * Words with blanks between; text is cut up and has to stay.  NULL, or what is
 * wrong with it.
 */
const char *who_filter_parse(struct who_filter *, char *text);
/* Do all words match? */
int	 who_filter_match(const struct who_filter *, const struct who_facts *);
/* Whoever it matches, it matches with all connections to one service. */
int	 who_filter_whole(const struct who_filter *);

#endif
