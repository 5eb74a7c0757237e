/*
 * refresh: a table that notices when its file was changed.
 *
 * The role that uses the table cannot look at the file itself.  A lookup that
 * comes more than REFRESH_MS after the last answer asks the parent for a fresh
 * descriptor (TABLE_AGAIN) and waits for it (TABLE); until then the others
 * wait with it.  So a change counts for every lookup that begins REFRESH_MS
 * after it, and an unused table is never asked for.
 *
 *	state	event		does				next
 *	FRESH	lookup, young	answers				FRESH
 *	FRESH	lookup, old	asks, waits			ASKED
 *	ASKED	lookup		waits				ASKED
 *	any	TABLE		loads, answers all who wait	FRESH
 *
 * Tables that need no descriptor answer at once.
 */
#ifndef TABLE_REFRESH_H
#define TABLE_REFRESH_H

#include "table/table.h"

struct table_refresh;

#define REFRESH_MS	2000
#define REFRESH_WAITING	4096	/* lookups; more are told TABLE_FAILED */

/* Send TABLE_AGAIN to the parent. */
typedef void (*table_ask)(unsigned int index, void *arg);

/* Takes the table over. NULL on ENOMEM. */
struct table_refresh *table_refresh_new(struct table *, unsigned int index,
		    table_ask, void *arg);
/* Those who wait are told TABLE_FAILED. */
void		 table_refresh_free(struct table_refresh *);
unsigned int	 table_refresh_index(const struct table_refresh *);
void		 table_refresh_lookup(struct table_refresh *, const char *key,
		    table_cb, void *arg);
/*
 * A TABLE message: failed is the parent's errno, or 0 and fd (which stays the
 * caller's).  As table_load_fd(); without a usable file all lookups fail until
 * there is one, except that a file which was just being written to is asked
 * for again and counts as it was.
 */
int		 table_refresh_answer(struct table_refresh *, int failed,
		    int fd,
		    struct table_report *);
/* For tests: a clock of one's own, in milliseconds. */
void		 table_refresh_clock(struct table_refresh *,
		    int64_t (*now)(void));

#endif
