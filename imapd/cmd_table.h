/*
 * cmd_table: the commands, one line each.
 */
#ifndef IMAPD_CMD_TABLE_H
#define IMAPD_CMD_TABLE_H

#include "session_client.h"

/* Flags. */
#define CMD_SEQ		0x01	/* message numbers stay while it runs */
#define CMD_UID		0x02	/* may come after UID */
#define CMD_NOSYNC	0x04	/* nothing is told at its end */
#define CMD_NUMBERS	0x08	/* takes message numbers, unless after UID */

/* Rights that it needs in the selected mailbox, by RFC 4314's letters. */
#define RIGHT_R		0x01	/* read */
#define RIGHT_S		0x02	/* keep \Seen */
#define RIGHT_W		0x04	/* other flags */
#define RIGHT_T		0x08	/* delete messages */
#define RIGHT_E		0x10	/* expunge */
#define RIGHTS_CHANGE	(RIGHT_S | RIGHT_W | RIGHT_T | RIGHT_E)

/* A literal that goes to the command piece by piece. */
enum cmd_literal { LITERAL_DEFAULT, LITERAL_STREAM, LITERAL_REFUSE };
struct cmd_stream {
	/* REFUSE: c->refusal and c->text say why. */
	enum cmd_literal (*begin)(struct client *);
	/* Another literal behind one that was streamed; may be NULL. */
	enum cmd_literal (*more)(struct client *);
	void		 (*data)(struct client *, const char *, size_t);
};

struct command {
	const char	*name;
	unsigned int	 states;	/* CLIENT_* in which it is legal */
	unsigned int	 flags;
	unsigned int	 rights;
	enum cmd_result	(*run)(struct client *);
	const struct cmd_stream *stream;	/* NULL: literals are small */
};

/* NULL if there is none of that name. */
const struct command *cmd_find(const struct imap_str *);
/* Command i of the table; NULL behind the last one. */
const struct command *cmd_at(size_t i);

/* Each in a file of its name, unless one is said. */
enum cmd_result	cmd_append(struct client *);
enum cmd_result	cmd_capability(struct client *);	/* cmd_any.c */
enum cmd_result	cmd_check(struct client *);		/* cmd_close.c */
enum cmd_result	cmd_close(struct client *);
enum cmd_result	cmd_compress(struct client *);
enum cmd_result	cmd_copy(struct client *);
enum cmd_result	cmd_create(struct client *);
enum cmd_result	cmd_delete(struct client *);		/* cmd_mailbox.c */
enum cmd_result	cmd_enable(struct client *);
enum cmd_result	cmd_examine(struct client *);		/* cmd_select.c */
enum cmd_result	cmd_expunge(struct client *);
enum cmd_result	cmd_fetch(struct client *);
enum cmd_result	cmd_getquota(struct client *);		/* cmd_quota.c */
enum cmd_result	cmd_getquotaroot(struct client *);	/* cmd_quota.c */
enum cmd_result	cmd_id(struct client *);
enum cmd_result	cmd_idle(struct client *);
enum cmd_result	cmd_list(struct client *);
enum cmd_result	cmd_logout(struct client *);		/* cmd_any.c */
enum cmd_result	cmd_lsub(struct client *);
enum cmd_result	cmd_move(struct client *);		/* cmd_copy.c */
enum cmd_result	cmd_namespace(struct client *);		/* cmd_any.c */
enum cmd_result	cmd_noop(struct client *);		/* cmd_any.c */
enum cmd_result	cmd_rename(struct client *);		/* cmd_mailbox.c */
enum cmd_result	cmd_replace(struct client *);		/* cmd_append.c */
enum cmd_result	cmd_search(struct client *);
enum cmd_result	cmd_select(struct client *);
enum cmd_result	cmd_setquota(struct client *);		/* cmd_quota.c */
enum cmd_result	cmd_sort(struct client *);
enum cmd_result	cmd_status(struct client *);
enum cmd_result	cmd_store(struct client *);
enum cmd_result	cmd_subscribe(struct client *);		/* cmd_mailbox.c */
enum cmd_result	cmd_thread(struct client *);
enum cmd_result	cmd_unselect(struct client *);		/* cmd_close.c */
enum cmd_result	cmd_unsubscribe(struct client *);	/* cmd_mailbox.c */
extern const struct cmd_stream cmd_append_stream, cmd_replace_stream;

#endif
