/*
 * client_own: what client.c and client_cmd.c share; for nobody else.
 */
#ifndef POP3D_CLIENT_OWN_H
#define POP3D_CLIENT_OWN_H

#include <stdint.h>
#include <time.h>

#include "buf/buf.h"
#include "maildrop.h"
#include "os/compat.h"
#include "pop3/capa.h"

struct event;
struct mailsession;

enum job { JOB_NONE, JOB_LIST, JOB_UIDL, JOB_TEXT };

struct client {
	LIST_ENTRY(client) entry;
	const struct mailsession *set;
	struct event	*readable, *writable, *idle, *again;
	struct event	*prove;		/* or NULL */
	struct buf	 in, out;
	struct maildrop	*drop;
	struct text	 text;		/* of JOB_TEXT */
	unsigned int	 id;		/* net's, for the log */
	uint64_t	 number;	/* the parent's */
	uint64_t	 sent;
	time_t		 active;	/* monotonic seconds */
	uint32_t	 next;		/* message of a JOB_ */
	uint32_t	 retrieved, deleted;
	int		 fd;
	enum store_error opened;	/* the maildrop */
	const char	*refused;	/* why it was not even tried */
	enum job	 job;
	int		 prefaced;	/* net's own line was read */
	int		 utf8;
	char		 login[POP3_LOGIN_MAX];	/* for CAPA */
	int		 eof;		/* nothing more will come */
	int		 over;		/* close when all is written */
	char		 addr[64];
};

/* A line without its end. */
void	client_command(struct client *, const char *, size_t);
/* One more piece of the reply that is being made; 1. */
int	client_job(struct client *);
void	client_reply(struct client *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
/* What cannot be made whole must not look as if it were: end without it. */
void	client_cut(struct client *);

#endif
