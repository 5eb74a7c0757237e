/*
 * mailbox: what the files of "mailctl mailbox" share.
 */
#ifndef MAILCTL_MAILBOX_H
#define MAILCTL_MAILBOX_H

#include <stdint.h>
#include <stdio.h>

#include "mailctl.h"
#include "store/store.h"

/* The work of the user's own process. */
struct job {
	const struct call	*call;	/* argv: behind USER */
	const char		*user;
	struct store		*store;
	int			 file;	/* of import and export; or -1 */
	int			 dir;	/* likewise */
	int			 failed; /* something did, and was told */
	int			 listed; /* a file says what is subscribed */
};

/* Which messages: all if it is empty. */
struct filter {
	const char	*from, *to, *subject, *text;
	int64_t		 before, since;		/* saved; 0 any */
	uint64_t	 larger, smaller;	/* 0 any */
	uint32_t	 first, last;		/* UIDs; 0 any */
	uint32_t	 set, unset;		/* MSG_* */
};

/* "from=x" and so on; -1 and told if one is none. */
int	 filter_parse(struct filter *, int n, char **words);
/* The sequence numbers of those that match, to be freed; NULL: told why. */
uint32_t *filter_run(struct mailbox *, const struct filter *, size_t *n);

/* Say what went wrong; STATUS_FAILED. */
int	 job_failed(const struct job *, const char *what, enum store_error);
/* How far it is, if standard error is a terminal. */
void	 progress(const char *what, uint64_t done, uint64_t all);

int	 job_list(struct job *);
int	 job_status(struct job *);
int	 job_create(struct job *);
int	 job_delete(struct job *);
int	 job_rename(struct job *);
int	 job_search(struct job *);
int	 job_fetch(struct job *);
int	 job_expunge(struct job *);
int	 job_copy(struct job *);
int	 job_verify(struct job *);
int	 job_rebuild(struct job *);
int	 job_import(struct job *);
int	 job_export(struct job *);
int	 job_quota(struct job *);
int	 job_index(struct job *);

#endif
