/*
 * cmd_table: which commands there are, when they are legal, what they do with
 * message numbers, and which rights they need in the selected mailbox.  The
 * only place that knows all of them.
 */
#include "cmd_table.h"

#define AUTH	CLIENT_AUTH
#define SEL	CLIENT_SELECTED
#define ANY	(CLIENT_AUTH | CLIENT_SELECTED)
#define SEQ	(CMD_UID | CMD_NUMBERS | CMD_SEQ)
#define NUM	(CMD_UID | CMD_NUMBERS)
#define QUIET	CMD_NOSYNC

/* clang-format off */
static const struct command commands[] = {
	{ "APPEND",	ANY, 0,		0,	cmd_append,
	    &cmd_append_stream },
	{ "CAPABILITY",	ANY, 0,		0,	cmd_capability,	NULL },
	{ "CHECK",	SEL, 0,		0,	cmd_check,	NULL },
	{ "CLOSE",	SEL, QUIET,	0,	cmd_close,	NULL },
	/* Its answer ends the plain text. */
	{ "COMPRESS",	ANY, QUIET,	0,	cmd_compress,	NULL },
	{ "COPY",	SEL, NUM,	RIGHT_R, cmd_copy,	NULL },
	{ "CREATE",	ANY, 0,		0,	cmd_create,	NULL },
	{ "DELETE",	ANY, 0,		0,	cmd_delete,	NULL },
	{ "ENABLE",	AUTH, 0,	0,	cmd_enable,	NULL },
	{ "EXAMINE",	ANY, QUIET,	0,	cmd_examine,	NULL },
	{ "EXPUNGE",	SEL, CMD_UID,	RIGHT_E, cmd_expunge,	NULL },
	{ "FETCH",	SEL, SEQ,	RIGHT_R, cmd_fetch,	NULL },
	{ "GETQUOTA",	ANY, 0,		0,	cmd_getquota,	NULL },
	{ "GETQUOTAROOT", ANY, 0,	0,	cmd_getquotaroot, NULL },
	{ "ID",		ANY, 0,		0,	cmd_id,		NULL },
	{ "IDLE",	ANY, 0,		0,	cmd_idle,	NULL },
	{ "LIST",	ANY, 0,		0,	cmd_list,	NULL },
	{ "LOGOUT",	ANY, QUIET,	0,	cmd_logout,	NULL },
	{ "LSUB",	ANY, 0,		0,	cmd_lsub,	NULL },
	{ "MOVE",	SEL, NUM,	RIGHT_R | RIGHT_T | RIGHT_E,
	    cmd_move, NULL },
	{ "NAMESPACE",	ANY, 0,		0,	cmd_namespace,	NULL },
	{ "NOOP",	ANY, 0,		0,	cmd_noop,	NULL },
	{ "RENAME",	ANY, 0,		0,	cmd_rename,	NULL },
	{ "REPLACE",	SEL, NUM,	RIGHT_R | RIGHT_T | RIGHT_E,
	    cmd_replace, &cmd_replace_stream },
	{ "SEARCH",	SEL, SEQ,	RIGHT_R, cmd_search,	NULL },
	{ "SELECT",	ANY, QUIET,	0,	cmd_select,	NULL },
	{ "SETQUOTA",	ANY, 0,		0,	cmd_setquota,	NULL },
	{ "SORT",	SEL, SEQ,	RIGHT_R, cmd_sort,	NULL },
	{ "STATUS",	ANY, 0,		0,	cmd_status,	NULL },
	{ "STORE",	SEL, SEQ,	RIGHT_S | RIGHT_W | RIGHT_T,
	    cmd_store, NULL },
	{ "SUBSCRIBE",	ANY, 0,		0,	cmd_subscribe,	NULL },
	{ "THREAD",	SEL, SEQ,	RIGHT_R, cmd_thread,	NULL },
	{ "UNSELECT",	SEL, QUIET,	0,	cmd_unselect,	NULL },
	{ "UNSUBSCRIBE", ANY, 0,	0,	cmd_unsubscribe, NULL }
};
/* clang-format on */

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

const struct command *
cmd_at(size_t i)
{
	return (i < NCOMMANDS ? &commands[i] : NULL);
}

const struct command *
cmd_find(const struct imap_str *name)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		if (imap_str_is(name, commands[i].name))
			return (&commands[i]);
	return (NULL);
}
