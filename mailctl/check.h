/*
 * check: is what the configuration names fit for use?
 */
#ifndef MAILCTL_CHECK_H
#define MAILCTL_CHECK_H

struct conf;

/* What was found so far; a mistake makes the exit status 1, advice does not. */
struct check {
	int		json;
	unsigned int	mistakes;
	unsigned int	advice;
};

/* "file or name: what is wrong; what to do", one line each. */
void	check_mistake(struct check *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
void	check_advice(struct check *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));

/* Each certificate: readable, in its dates, for its name, with its own key. */
void	check_certificates(struct check *, const struct conf *);
/*
 * check_owners.c: owners and modes of spool, state and what is in them, and of
 * the folders of every file that is named.
 */
void	check_owners(struct check *, const struct conf *);
/* check_tables.c: what is in them, as the daemons will read it. */
void	check_tables(struct check *, const struct conf *);
/*
 * check_dns.c: MX of our domains, our name forward and back, within three
 * seconds; advice only.  names_open() comes first.
 */
void	check_dns(struct check *, const struct conf *);

#endif
