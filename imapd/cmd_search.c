/*
 * cmd_search: SEARCH and UID SEARCH (RFC 9051 6.4.4).
 */
#include "cmd_search_run.h"
#include "cmd_table.h"

static const struct search_kind kind = {
	"SEARCH", imap_search, search_tell, NULL
};

enum cmd_result
cmd_search(struct client *c)
{
	return (search_begin(c, &kind));
}
