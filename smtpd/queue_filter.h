/*
 * queue_filter: which messages a question of mailctl is about.
 */
#ifndef SMTPD_QUEUE_FILTER_H
#define SMTPD_QUEUE_FILTER_H

#include <stddef.h>
#include <stdint.h>

#define FILTER_WORDS	16
#define FILTER_IDS	100

enum filter_kind { FILTER_SENDER, FILTER_TO, FILTER_DOMAIN, FILTER_OLDER,
	FILTER_STATE };

/* All words must match, and one of the ids; none: everything does. */
struct queue_filter {
	uint64_t	 ids[FILTER_IDS];
	size_t		 nids;
	struct filter_word {
		enum filter_kind kind;
		const char	*pattern;
		int64_t		 seconds;
	}		 words[FILTER_WORDS];
	size_t		 n;
};

/* What there is to know of one recipient of a message. */
struct filter_facts {
	uint64_t	 id;
	int64_t		 age;		/* seconds */
	const char	*sender;
	const char	*rcpt;
	const char	*orig;		/* as the client named it, or "" */
	const char	*state;
};

/*
 * Parse "all", ids, or words like "sender=*@example.org older=2h"; text is
 * cut up and must stay.  NULL, or what is wrong.
 */
const char	*queue_filter_parse(struct queue_filter *, char *text);
int		 queue_filter_match(const struct queue_filter *,
		    const struct filter_facts *);

#endif
