/*
 * cmd_table: which commands there are, when they are legal, and what they do
 * with message numbers.  The only place that knows all of them.
 */
#include "cmd_table.h"

#define ANY	(CLIENT_AUTH | CLIENT_SELECTED)
#define SEL	CLIENT_SELECTED

/* clang-format off */
static const struct command commands[] = {
	{ "APPEND",	ANY, 0,			cmd_append,
	    &cmd_append_stream },
	{ "CAPABILITY",	ANY, 0,			cmd_capability,	NULL },
	{ "CHECK",	SEL, 0,			cmd_check,	NULL },
	{ "CLOSE",	SEL, CMD_NOSYNC,	cmd_close,	NULL },
	{ "COPY",	SEL, CMD_UID,		cmd_copy,	NULL },
	{ "CREATE",	ANY, 0,			cmd_create,	NULL },
	{ "DELETE",	ANY, 0,			cmd_delete,	NULL },
	{ "ENABLE",	ANY, 0,			cmd_enable,	NULL },
	{ "EXAMINE",	ANY, CMD_NOSYNC,	cmd_examine,	NULL },
	{ "EXPUNGE",	SEL, CMD_UID,		cmd_expunge,	NULL },
	{ "FETCH",	SEL, CMD_UID | CMD_SEQ,	cmd_fetch,	NULL },
	{ "ID",		ANY, 0,			cmd_id,		NULL },
	{ "IDLE",	ANY, 0,			cmd_idle,	NULL },
	{ "LIST",	ANY, 0,			cmd_list,	NULL },
	{ "LOGOUT",	ANY, CMD_NOSYNC,	cmd_logout,	NULL },
	{ "LSUB",	ANY, 0,			cmd_lsub,	NULL },
	{ "MOVE",	SEL, CMD_UID,		cmd_move,	NULL },
	{ "NAMESPACE",	ANY, 0,			cmd_namespace,	NULL },
	{ "NOOP",	ANY, 0,			cmd_noop,	NULL },
	{ "RENAME",	ANY, 0,			cmd_rename,	NULL },
	{ "SEARCH",	SEL, CMD_UID | CMD_SEQ,	cmd_search,	NULL },
	{ "SELECT",	ANY, CMD_NOSYNC,	cmd_select,	NULL },
	{ "STATUS",	ANY, 0,			cmd_status,	NULL },
	{ "STORE",	SEL, CMD_UID | CMD_SEQ,	cmd_store,	NULL },
	{ "SUBSCRIBE",	ANY, 0,			cmd_subscribe,	NULL },
	{ "UNSELECT",	SEL, CMD_NOSYNC,	cmd_unselect,	NULL },
	{ "UNSUBSCRIBE", ANY, 0,		cmd_unsubscribe, NULL }
};
/* clang-format on */

const struct command *
cmd_find(const struct imap_str *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (imap_str_is(name, commands[i].name))
			return (&commands[i]);
	return (NULL);
}
