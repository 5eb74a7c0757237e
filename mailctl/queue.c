/*
 * queue: mailctl's commands about smtpd's queue.
 *
 * All but the check ask the running queue.  The check reads the spool itself,
 * so that it can also be told of one that does not start.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "os/compat.h"
#include "smtp/queueid.h"
#include "mailctl.h"
#include "../smtpd/contract.h"
#include "../smtpd/spoolcheck.h"

#define IDS_AT_ONCE	80

/* As many as are asked about at once: ids can be any number. */
static int
piece(char *const *words, int n)
{
	uint64_t	id;
	int		i;

	if (n <= IDS_AT_ONCE)
		return (n);
	for (i = 0; i < n; i++)
		if (queueid_parse(words[i], &id) == -1)
			return (n);
	return (IDS_AT_ONCE);
}

/* One question; the worst status so far. */
static int
ask(const struct conf *conf, const struct call *call, const char *arg)
{
	FILE	*f = stdout;
	char	*text = NULL;
	size_t	 size;
	int	 status;

	/* The text of a message may be large; the rest may be an error. */
	if (call->what != CTL_QUEUE_CAT &&
	    (f = open_memstream(&text, &size)) == NULL)
		return (STATUS_FAILED);
	if ((status = call_ask(conf, "queue", call, arg, f)) == -1) {
		fprintf(stderr, "mailctl: smtpd's queue: %s\n",
		    call_why_not(errno));
		status = STATUS_FAILED;
	}
	if (f != stdout) {
		if (fclose(f) != 0)
			status = STATUS_FAILED;
		else
			fputs(text, status == STATUS_OK ? stdout : stderr);
		free(text);
	}
	return (status);
}

int
queue_command(const struct call *call)
{
	struct conf	*conf;
	char		 arg[sizeof(((struct msg_CTL_ASK *)0)->arg)];
	int		 at = 0, n, status, worst = STATUS_OK;

	if ((conf = call_load(call)) == NULL)
		return (STATUS_FAILED);
	do {
		n = piece(call->argv + at, call->argc - at);
		if (call_join(call->argv + at, n, arg, sizeof(arg)) == -1) {
			fprintf(stderr, "mailctl: the filter is too long or "
			    "has an empty word\n");
			worst = STATUS_USAGE;
			break;
		}
		if ((status = ask(conf, call, arg)) > worst)
			worst = status;
		at += n;
	} while (at < call->argc);
	conf_free(conf);
	return (worst);
}

struct told {
	int	json;
	int	n;
};

static void
tell(void *arg, int bad, const char *line)
{
	struct told	*t = arg;

	if (!t->json) {
		/* It names what lies in the spool, whose owner is not root. */
		fputs(bad ? "DAMAGED: " : "", stdout);
		put_text(stdout, line);
		putchar('\n');
		return;
	}
	printf("%s{\"damaged\": %s, \"text\": ", t->n++ == 0 ? "" : ",\n ",
	    bad ? "true" : "false");
	json_string(line);
	putchar('}');
}

static void
print_counts(const struct spool_counts *n, int json)
{
	if (json)
		printf("], \"sound\": %s, \"running\": %s, \"messages\": %zu, "
		    "\"recipients\": %zu, \"held\": %zu, \"segments\": %zu, "
		    "\"large\": %zu, \"aside\": %zu}\n",
		    n->mistakes == 0 ? "true" : "false",
		    n->running ? "true" : "false", n->messages,
		    n->recipients, n->held, n->segments, n->large, n->aside);
	else
		printf("%zu messages for %zu recipients, %zu held, in %zu "
		    "segments and %zu files; %zu set aside: the spool %s\n",
		    n->messages, n->recipients, n->held, n->segments,
		    n->large, n->aside, n->mistakes == 0 ? "is sound" :
		    "is DAMAGED");
}

int
queue_check_command(const struct call *call)
{
	struct told		 t = { .json = call->json };
	struct spool_counts	 n;
	struct conf		*conf;
	int			 ret;

	if ((conf = call_load(call)) == NULL)
		return (STATUS_FAILED);
	if (call->json)
		fputs("{\"notes\": [", stdout);
	ret = spool_check(conf->spool, &n, tell, &t);
	if (ret == -1)
		fprintf(stderr, "mailctl: %s: %s\n", conf->spool,
		    strerror(errno));
	else
		print_counts(&n, call->json);
	conf_free(conf);
	return (ret == 0 && n.mistakes == 0 ? STATUS_OK : STATUS_FAILED);
}
