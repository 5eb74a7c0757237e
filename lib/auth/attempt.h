/*
 * attempt: a login under way; what judge (passwords) and exchange (SCRAM) have
 * in common, and nobody else includes.
 */
#ifndef AUTH_ATTEMPT_H
#define AUTH_ATTEMPT_H

#include "auth/sources.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "sasl/scram.h"

struct attempt {
	TAILQ_ENTRY(attempt)	 entry;
	struct peer		*net;		/* NULL: it has gone */
	struct msg_AUTH_TRY	 ask;
	char			 name[C_USER];	/* as failures are counted */
	int64_t			 arrived;	/* ms */
	size_t			 source;	/* the next one to ask */
	int			 failed;	/* one could not answer */
	struct account		*found[SOURCES_MAX];
	size_t			 nfound;
	size_t			 hashed[SOURCES_MAX];	/* index in found */
	size_t			 nhashed;
	struct scram		*scram;		/* the hello of an exchange */
	void			(*decide)(struct attempt *);
};

/*
 * decide is called when every source was asked.  NULL: there is no room, which
 * net was told.
 */
struct attempt	*attempt_new(struct peer *net, const struct msg_AUTH_TRY *,
		    void (*decide)(struct attempt *));
void		 attempt_free(struct attempt *);
void		 attempt_find(struct attempt *);
/* 1 if there were too many failures; then it has ended. */
int		 attempt_slowed(struct attempt *);
/* Each of these ends it: net, or who acts on it, is told. */
void		 attempt_grant(struct attempt *, const struct account *);
void		 attempt_deny(struct attempt *);
void		 attempt_tempfail(struct attempt *);

#endif
