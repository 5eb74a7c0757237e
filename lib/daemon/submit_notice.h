/*
 * submit_notice: tells the sender that a message he handed over could not be
 * sent, where nobody reads what sendmail prints.
 */
#ifndef DAEMON_SUBMIT_NOTICE_H
#define DAEMON_SUBMIT_NOTICE_H

#include "buf/buf.h"
#include "daemon/submit.h"

/*
 * The notice as a message to the given address, from the null path.  text must
 * be freed by the caller, the notice by submit_mail_free().  -1 on ENOMEM.
 */
int	submit_notice(struct submit_mail *notice, struct buf *text,
	    const struct submit_mail *failed, const char *origin,
	    const char *to, const char *reply);

#endif
