/*
 * who: who is logged in to imapd and pop3d, and the end of it.
 *
 * The daemons answer in lines, or in objects of JSON; what is around them is
 * made here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "privsep/contract.h"
#include "mailctl.h"

static const char *const daemons[] = { "imapd", "pop3d" };
#define NDAEMONS	(sizeof(daemons) / sizeof(daemons[0]))

typedef void (*show_fn)(const struct call *, const char *daemon,
	    const char *text);

/*
 * Ask both; those that do not run are no mistake as long as one does.  All of
 * them have to be content: 1 if need_all, else one is enough.
 */
static int
ask_both(const struct call *call, show_fn show, int need_all)
{
	char		 arg[sizeof(((struct msg_CTL_ASK *)0)->arg)];
	struct conf	*conf;
	char		*text;
	size_t		 i, done = 0, failed = 0;
	int		 status;

	if (call_join(call->argv, call->argc, arg, sizeof(arg)) == -1) {
		fprintf(stderr, "mailctl: the filter is too long or has an "
		    "empty word\n");
		return (STATUS_USAGE);
	}
	if ((conf = call_load(call)) == NULL)
		return (STATUS_FAILED);
	for (i = 0; i < NDAEMONS; i++) {
		status = call_ask_text(conf, daemons[i], call, arg, &text);
		if (status == -1 || status == STATUS_USAGE ||
		    (status == STATUS_FAILED && need_all))
			fprintf(stderr, "%s: %s\n", daemons[i], status == -1 ?
			    call_why_not(errno) : text);
		else
			show(call, daemons[i], text);
		free(text);
		if (status == STATUS_USAGE)
			break;
		done += status == STATUS_OK;
		failed += status == STATUS_FAILED;
	}
	conf_free(conf);
	if (i < NDAEMONS)
		return (STATUS_USAGE);
	return (done > 0 && (failed == 0 || !need_all) ? STATUS_OK :
	    STATUS_FAILED);
}

static void
show_who(const struct call *call, const char *daemon, const char *text)
{
	static const char	*sep = "";

	if (!call->json)
		fputs(text, stdout);
	else if (*text != '\0') {
		printf("%s%s", sep, text);
		sep = ",\n ";
	}
}

int
who_command(const struct call *call)
{
	int	status;

	if (call->json)
		putchar('[');
	else
		printf("%-28s %-7s %-24s %-3s %-19s %6s %-7s %5s %s\n",
		    "user", "service", "address", "tls", "since", "idle",
		    "state", "conns", "id");
	status = ask_both(call, show_who, 1);
	if (call->json)
		fputs("]\n", stdout);
	return (status);
}

static void
show_kick(const struct call *call, const char *daemon, const char *text)
{
	static const char	*sep = "";

	if (!call->json) {
		printf("%s: %s", daemon, text);
		return;
	}
	printf("%s\"%s\": %s", sep, daemon, text);
	sep = ", ";
}

/* A user is mostly in one of them only. */
int
kick_command(const struct call *call)
{
	int	status;

	if (call->json)
		putchar('{');
	status = ask_both(call, show_kick, 0);
	if (call->json)
		fputs("}\n", stdout);
	return (status);
}
