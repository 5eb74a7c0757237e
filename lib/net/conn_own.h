/*
 * conn_own: what the files of a connection share; for them only.
 */
#ifndef NET_CONN_OWN_H
#define NET_CONN_OWN_H

#include <event2/event.h>
#include <time.h>

#include "buf/buf.h"
#include "net/conn.h"

struct pump;

struct conn {
	struct event_base	*base;
	int			 fd;
	const struct conn_ops	*ops;
	void			*arg;
	size_t			 in_max;
	struct buf		 in;
	struct buf		 out;
	struct event		*rd;
	struct event		*wr;
	struct event		*kick;	/* end of this turn */
	struct event		*timer;
	struct tls		*tls;
	struct pump		*pump;
	time_t			 progress;	/* monotonic seconds */
	time_t			 heard;		/* the same, of input */
	unsigned int		 timeout;
	char			 error[256];
	char			 cipher[96];
	unsigned int		 rd_on:1, wr_on:1, kicked:1, paused:1;
	unsigned int		 handshake:1, eof:1, finishing:1, over:1;
	unsigned int		 freed:1, resumed:1, want_tls:1;
	unsigned int		 choked:1;	/* output found no room */
	unsigned int		 busy;
};

/* At the end of this turn of the loop output goes out, and what hangs on it. */
void	conn_kick(struct conn *);

#endif
