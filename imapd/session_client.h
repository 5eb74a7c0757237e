/*
 * session_client: a connection after the login; what commands work on.
 */
#ifndef IMAPD_SESSION_CLIENT_H
#define IMAPD_SESSION_CLIENT_H

#include "os/compat.h"
#include <stdint.h>

#include "daemon/mailsession.h"
#include "imap/parse.h"
#include "imap/reader.h"
#include "imap/seqset.h"
#include "session_conn.h"
#include "session_io.h"
#include "store/store.h"

struct command;
struct client;
struct event;

/* What became of a command, or of one step of it. */
enum cmd_result {
	CMD_OK,
	CMD_NO,
	CMD_BAD,
	CMD_MORE,		/* call step again, in another turn */
	CMD_WAIT		/* the next line is for line() (IDLE) */
};

/* What a command that goes on has to do; run is its own state. */
struct cmd_run {
	enum cmd_result	(*step)(struct client *, void *run);
	enum cmd_result	(*line)(struct client *, void *run, const char *,
			    size_t);
	void		(*free)(void *run);
};

enum client_state { CLIENT_AUTH = 0x01, CLIENT_SELECTED = 0x02 };

/* What a client said it understands (RFC 5161); until then it is RFC 3501. */
#define ENABLED_CONDSTORE	0x01
#define ENABLED_QRESYNC		0x02
#define ENABLED_REV2		0x04
#define ENABLED_UTF8		0x08
#define ENABLED_UIDONLY		0x10

struct client {
	TAILQ_ENTRY(client) entry;
	const struct mailsession *set;
	struct sio	*io;
	uint64_t	 id;		/* net's, for the log */
	uint64_t	 number;	/* the parent's */
	char		 addr[64];
	int		 prefaced;	/* net's line was read */
	int		 leaving;	/* 1: BYE was said, -1: it will be */
	const char	*why;		/* ...and this */
	int		 kicked;
	unsigned int	 bad;		/* BAD in a row */
	unsigned int	 commands;
	unsigned int	 enabled;	/* ENABLED_* */

	struct imap_reader reader;
	char		 tag[IMAP_TAG_MAX + 1];
	struct imap_parser args;
	const struct command *cmd;	/* that runs; NULL: none */
	int		 uid;		/* it came after UID */
	int		 numbers;	/* ...and has message numbers in it */
	const struct cmd_run *ops;
	void		*run;
	int		 streaming;	/* a literal goes to the command */
	enum cmd_result	 refusal;	/* of a literal that was refused */
	enum cmd_result	 result;	/* of one that has ended */
	int		 answering;	/* it waits for changes to be told */
	char		 text[1024];	/* of the tagged answer */
	struct buf	 code;		/* its response code, if any */

	enum client_state state;
	struct mailbox	*mb;
	char		*mbname;
	int		 readonly;
	int		 nomodseq;	/* it has no mod-sequences */
	uint32_t	 keywords;	/* those told in FLAGS */
	int		 withheld;	/* expunges were, at the last command */
	int		 parted;	/* changes are told in several turns */
	struct imap_seqset saved;	/* UIDs of "$" (RFC 5182) */
	uint32_t	*vanished;	/* to be told, highest first */
	size_t		 nvanished, roomvanished;
};

/* The command goes on: from now on ops and run are used. */
enum cmd_result	client_run(struct client *, const struct cmd_run *, void *run,
		    enum cmd_result);
/*
 * What the command changed will be on the disk before anything more is sent:
 * one flush for all connections that had a turn.  If that fails they are ended
 * without an answer.
 */
void		client_settle(struct client *);
/* Leave the selected mailbox; nothing is expunged. */
void		client_unselect(struct client *);
/* Mailbox names are UTF-8, both ways (RFC 6855 3, RFC 9051 5.1). */
int		client_utf8(const struct client *);
/* BYE, then close. */
void		client_bye(struct client *, const char *);

#endif
