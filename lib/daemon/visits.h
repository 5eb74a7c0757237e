/*
 * visits: the parent's register of connections that it has handed to a
 * session.
 *
 * A visit begins when the parent gives a session the socket to net and ends
 * when that session says so or has gone.  What a session says of a connection
 * is looked up here, among those that it was given itself; mailctl is told and
 * ends what is here.  A session that lies can hide connections of its own user
 * only, and ends with him all the same.
 */
#ifndef DAEMON_VISITS_H
#define DAEMON_VISITS_H

#include <sys/types.h>
#include <stdint.h>
#include <time.h>

#include "conf/conf.h"
#include "os/compat.h"
#include "privsep/contract.h"

struct parked;
struct peer;

#define VISITS_MAX	32768		/* of everybody */

/* Whose mailbox it is, as auth said at the login; shared, so counted. */
struct session_owner {
	unsigned int	 refs;
	uid_t		 uid;
	gid_t		 gid;
	int		 system;
	struct conf_quota quota;
	char		*user;
	char		*home;
};

struct visit {
	LIST_ENTRY(visit) byuser;
	LIST_ENTRY(visit) byconn;
	uint64_t	 id;		/* as its session calls it */
	uint32_t	 serial;	/* as mailctl does; it stays */
	uint32_t	 generation;	/* of its net */
	struct peer	*session;	/* that has it; NULL: parked */
	struct session_owner *owner;
	struct parked	*parked;	/* what parked.c has of it, or NULL */
	time_t		 since;		/* Unix time of the login */
	uint32_t	 idle;		/* seconds, as net said... */
	uint32_t	 round;		/* ...when it was asked this; 0 never */
	int		 tls;
	int		 kicked;	/* it is to end */
	dev_t		 dev;		/* the socket that was given */
	ino_t		 ino;
	char		 addr[C_ADDR];
};

/* One reference, the caller's.  NULL on ENOMEM. */
struct session_owner *owner_new(const struct msg_SESSION_OPEN *);
void		 owner_drop(struct session_owner *);
int		 owner_is(const struct session_owner *,
		    const struct msg_SESSION_OPEN *);

/*
 * Of this owner (a reference is taken), over this end of a socket pair; the
 * caller fills in id and session.  NULL, if there are SESSION_CONNS of the
 * user or VISITS_MAX, or there is no memory.
 */
struct visit	*visits_new(struct session_owner *,
		    const struct msg_SESSION_OPEN *, uint32_t generation,
		    int fd);
/* With all that parked.c has of it. */
void		 visits_free(struct visit *);
/* The one that this session knows by this number, or NULL. */
struct visit	*visits_find(struct peer *session, uint64_t id);
/* The one that this net knows by this number, or NULL. */
struct visit	*visits_find_conn(uint32_t generation, unsigned int conn);
/* Is this the socket that was given? */
int		 visits_same_socket(const struct visit *, int fd);
/* Each once; fn may free the one that it is given. */
void		 visits_each(void (*fn)(struct visit *, void *), void *);
unsigned int	 visits_count(void);
/* A session has gone, and what it had with it. */
void		 visits_session_gone(struct peer *);

#endif
