/*
 * lookup_rate: "limit rate ... per user".
 *
 * It is kept here and not in net, because here it is known who logged in, and
 * all of a user's connections meet.  Costs nothing where there is no such
 * limit.
 */
#include "conf/conf.h"
#include "daemon/limit.h"
#include "daemon/rate.h"
#include "log/log.h"
#include "smtpd/lookup_rate.h"

#define RCPTS_A_UNIT	10	/* recipients that count as one message */

static struct rate	*rate;	/* NULL: no limit */

void
lookup_rate_begin(const struct conf *conf)
{
	if (conf->rate_user > 0 && (rate = rate_new(conf->rate_user,
	    conf->rate_user_secs)) == NULL)
		fatal("rate");
}

static int
is_too_much(const char *user)
{
	if (rate == NULL || user == NULL || rate_take(rate, user, 1) == 0)
		return (0);
	limit_reached(LIMIT_RATE_USER);
	return (1);
}

const char *
lookup_rate_mail(const char *user)
{
	static struct log_limit	told;

	if (!is_too_much(user))
		return (NULL);
	if (log_allowed(&told))
		log_info("user=%s sends too many messages", user);
	return ("421 4.7.0 you have sent too many messages, try again later");
}

const char *
lookup_rate_rcpt(const char *user, unsigned int nrcpt)
{
	if (nrcpt <= 1 || nrcpt % RCPTS_A_UNIT != 1 || !is_too_much(user))
		return (NULL);
	return ("452 4.5.3 too many recipients for now");
}
