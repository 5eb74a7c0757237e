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

/* A literal that goes to the command piece by piece. */
enum cmd_literal { LITERAL_DEFAULT, LITERAL_STREAM, LITERAL_REFUSE };
struct cmd_stream {
	/* REFUSE: c->refusal and c->text say why. */
	enum cmd_literal (*begin)(struct client *);
	void		 (*data)(struct client *, const char *, size_t);
};

struct command {
	const char	*name;
	unsigned int	 states;	/* CLIENT_* in which it is legal */
	unsigned int	 flags;
	enum cmd_result	(*run)(struct client *);
	const struct cmd_stream *stream;	/* NULL: literals are small */
};

/* NULL if there is none of that name. */
const struct command *cmd_find(const struct imap_str *);

/* cmd_any.c */
enum cmd_result	cmd_capability(struct client *);
enum cmd_result	cmd_noop(struct client *);
enum cmd_result	cmd_logout(struct client *);
enum cmd_result	cmd_id(struct client *);
enum cmd_result	cmd_enable(struct client *);
enum cmd_result	cmd_namespace(struct client *);
/* cmd_mailbox.c */
enum cmd_result	cmd_create(struct client *);
enum cmd_result	cmd_delete(struct client *);
enum cmd_result	cmd_rename(struct client *);
enum cmd_result	cmd_subscribe(struct client *);
enum cmd_result	cmd_unsubscribe(struct client *);
enum cmd_result	cmd_status(struct client *);
/* cmd_list.c */
enum cmd_result	cmd_list(struct client *);
enum cmd_result	cmd_lsub(struct client *);
/* cmd_select.c */
enum cmd_result	cmd_select(struct client *);
enum cmd_result	cmd_examine(struct client *);
enum cmd_result	cmd_close(struct client *);
enum cmd_result	cmd_unselect(struct client *);
enum cmd_result	cmd_check(struct client *);
enum cmd_result	cmd_expunge(struct client *);
/* cmd_append.c */
enum cmd_result	cmd_append(struct client *);
extern const struct cmd_stream cmd_append_stream;
/* cmd_fetch.c */
enum cmd_result	cmd_fetch(struct client *);
/* cmd_store.c */
enum cmd_result	cmd_store(struct client *);
/* cmd_copy.c */
enum cmd_result	cmd_copy(struct client *);
enum cmd_result	cmd_move(struct client *);
/* cmd_search.c */
enum cmd_result	cmd_search(struct client *);
/* cmd_idle.c */
enum cmd_result	cmd_idle(struct client *);

#endif
