/*
 * parent: what imapd's parent does beyond lib/daemon: which listeners are
 * ours, and logins.  Runs as root.
 */
#include "conf/conf.h"
#include "contract.h"
#include "daemon/parked.h"
#include "daemon/sessions.h"
#include "daemon/who.h"
#include "parent.h"
#include "rules/rules.h"

static int
serves(const struct conf_listen *l)
{
	return (l->proto == PROTO_IMAP || l->proto == PROTO_IMAPS);
}

static int
prepare(const struct conf *conf)
{
	sessions_program("imapd-session");
	return (sessions_prepare(conf));
}

static const struct handler handlers[] = {
	{ M_SESSION_OPEN,	parent_session_open },
	{ M_SESSION_IDLE,	parent_session_idle },
	{ M_CONN_ENDED,		parent_conn_ended },
	{ M_CONN_IDLE,		parent_conn_idle },
	{ M_CONNS_TOLD,		parent_conns_told },
	{ M_PARK,		parent_park },
	{ M_WATCH,		parent_watch },
	{ M_UNWATCH,		parent_unwatch },
	{ M_DIR_CHANGED,	parent_dir_changed },
	{ M_DIR_UNWATCHED,	parent_dir_unwatched },
	{ 0, NULL }
};

const struct parent_ops parent_ops = {
	.handlers = handlers,
	.serves = serves,
	.prepare = prepare,
	.check = rules_check,
	.peruser_gone = sessions_gone,
	.asked = who_asked,
	.asker_gone = who_asker_gone,
};
