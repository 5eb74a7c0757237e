/*
 * pump: bytes both ways between a connection and a socket to another process.
 * Used by conn_pump() only.
 */
#ifndef NET_PUMP_H
#define NET_PUMP_H

#include "net/conn.h"

struct pump;

/* Takes fd over (closed on failure too). The owner hears ended() only. */
struct pump	*pump_new(struct event_base *, struct conn *, int fd,
		    const struct conn_ops *owner, void *arg);
void		 pump_free(struct pump *);
/* Bytes to go to fd before anything else; at most 64 KB. */
void		 pump_first(struct pump *, const void *, size_t);
/* The client sends no more. */
void		 pump_eof(struct pump *);
const struct conn_ops *pump_conn_ops(void);

#endif
