/*
 * mailctl: one program that drives the suite.
 *
 * Runs as whoever called it, with nobody's privilege but his.  It reads
 * mail.conf for itself and asks the daemons over their control sockets; they
 * learn from the kernel who asks.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/ctlclient.h"
#include "log/log.h"
#include "os/compat.h"
#include "check.h"
#include "hash.h"
#include "../smtpd/contract.h"

#ifndef CONF_PATH
#define CONF_PATH	"/etc/mail/mail.conf"
#endif

#define STATUS_OK	0
#define STATUS_FAILED	1
#define STATUS_USAGE	2

struct call {
	const char	 *conf_path;
	int		  json;
	unsigned int	  what;		/* CTL_* if it is a question */
	int		  argc;		/* what follows the command's words */
	char		**argv;
};

struct command {
	const char	*word;
	const char	*sub;		/* second word, or NULL */
	int		 min, max;	/* arguments; max -1: any */
	int		 (*run)(const struct call *);
	unsigned int	 what;
	const char	*usage;
};

static int	cmd_check(const struct call *);
static int	cmd_show_config(const struct call *);
static int	cmd_daemons(const struct call *);
static int	cmd_processes(const struct call *);
static int	cmd_hash(const struct call *);
static int	cmd_queue(const struct call *);

static const struct command commands[] = {
	{ "check", NULL, 0, 0, cmd_check, 0, "check" },
	{ "show", "config", 0, 0, cmd_show_config, 0, "show config" },
	{ "reload", NULL, 0, 0, cmd_daemons, CTL_RELOAD, "reload" },
	{ "stats", NULL, 0, 0, cmd_daemons, CTL_STATS, "stats" },
	{ "processes", NULL, 0, 0, cmd_processes, CTL_PROCESSES,
	    "processes" },
	{ "hash", NULL, 0, -1, cmd_hash, 0, "hash [-s SCHEME]" },
	{ "queue", "list", 0, -1, cmd_queue, CTL_QUEUE_LIST,
	    "queue list [FILTER ...]" },
	{ "queue", "show", 1, 1, cmd_queue, CTL_QUEUE_SHOW, "queue show ID" },
	{ "queue", "retry", 0, -1, cmd_queue, CTL_QUEUE_RETRY,
	    "queue retry [ID | FILTER ... | all]" },
	{ "queue", "delete", 1, -1, cmd_queue, CTL_QUEUE_DELETE,
	    "queue delete ID | FILTER ... | all" },
};
#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static const char *const daemons[] = { "smtpd", "imapd", "pop3d" };
#define NDAEMONS	(sizeof(daemons) / sizeof(daemons[0]))

static int
usage(void)
{
	size_t	i;

	fprintf(stderr, "usage: mailctl [-f mail.conf] [-j] command ...\n");
	for (i = 0; i < NCOMMANDS; i++)
		fprintf(stderr, "       mailctl %s\n", commands[i].usage);
	return (STATUS_USAGE);
}

static const struct command *
command_find(int argc, char **argv)
{
	size_t	i;

	for (i = 0; i < NCOMMANDS; i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->word, argv[0]) == 0 && (c->sub == NULL ||
		    (argc > 1 && strcmp(c->sub, argv[1]) == 0)))
			return (c);
	}
	return (NULL);
}

static int
command_run(const struct command *c, struct call *call, int argc, char **argv)
{
	int	words = c->sub == NULL ? 1 : 2;

	call->what = c->what;
	call->argc = argc - words;
	call->argv = argv + words;
	if (call->argc < c->min || (c->max != -1 && call->argc > c->max)) {
		fprintf(stderr, "usage: mailctl %s\n", c->usage);
		return (STATUS_USAGE);
	}
	return (c->run(call));
}

int
main(int argc, char **argv)
{
	struct call		 call = { .conf_path = CONF_PATH };
	const struct command	*c;
	int			 ch, status;

	log_init("mailctl", "");
	/* "+": what follows the command is its own. */
	while ((ch = getopt(argc, argv, "+f:j")) != -1)
		switch (ch) {
		case 'f': call.conf_path = optarg; break;
		case 'j': call.json = 1; break;
		default: return (usage());
		}
	argc -= optind;
	argv += optind;
	if (argc == 0 || (c = command_find(argc, argv)) == NULL)
		return (usage());
	status = command_run(c, &call, argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "mailctl: output: %s\n", strerror(errno));
		return (STATUS_FAILED);
	}
	return (status);
}

static void
report_stderr(void *arg, int is_error, const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static void
report_mistake(void *arg, int is_error, const char *line)
{
	if (is_error)
		fprintf(stderr, "%s\n", line);
}

/* Warnings are the business of check; other commands tell mistakes only. */
static struct conf *
load(const struct call *call, conf_report report)
{
	char	path[PATH_MAX];

	if (realpath(call->conf_path, path) == NULL) {
		fprintf(stderr, "%s: %s: write one (see mail.conf(5)) or name "
		    "it with -f\n", call->conf_path, strerror(errno));
		return (NULL);
	}
	return (conf_load(path, NULL, 0, report, NULL));
}

/* A string of JSON; bytes above 126 are taken as UTF-8. */
static void
json_string(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c == '\n')
			fputs("\\n", stdout);
		else if (c < ' ' || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static int
cmd_check(const struct call *call)
{
	struct conf	*conf;
	unsigned int	 bad;

	if ((conf = load(call, report_stderr)) == NULL) {
		if (call->json)
			printf("{\"ok\": false}\n");
		return (STATUS_FAILED);
	}
	bad = check_certificates(conf, stderr);
	conf_free(conf);
	if (call->json)
		printf("{\"ok\": %s}\n", bad == 0 ? "true" : "false");
	else if (bad == 0)
		printf("configuration and certificates OK\n");
	return (bad == 0 ? STATUS_OK : STATUS_FAILED);
}

static int
cmd_show_config(const struct call *call)
{
	struct conf	*conf;
	char		*text;

	if ((conf = load(call, report_mistake)) == NULL)
		return (STATUS_FAILED);
	text = conf_print(conf);
	conf_free(conf);
	if (text == NULL) {
		fprintf(stderr, "mailctl: out of memory\n");
		return (STATUS_FAILED);
	}
	if (call->json) {
		fputs("{\"config\": ", stdout);
		json_string(text);
		fputs("}\n", stdout);
	} else
		fputs(text, stdout);
	free(text);
	return (STATUS_OK);
}

/*
 * Ask one daemon; its answer is *text, which the caller frees.  Returns its
 * status, or -1 with errno if it does not run.
 */
static int
ask(const struct conf *conf, const char *name, const struct call *call,
    const char *arg, char **text)
{
	FILE	*f;
	size_t	 size;
	int	 status = STATUS_FAILED, error = 0;

	*text = NULL;
	if ((f = open_memstream(text, &size)) == NULL)
		return (-1);
	/* An argument that does not fit is no id that there is: cut it. */
	if (ctl_ask(&smtpd_contract, conf->state, name, call->what,
	    call->json, arg, f, &status) == -1)
		error = errno;
	if (fclose(f) != 0 && error == 0)
		error = errno;
	if (error != 0) {
		free(*text);
		*text = NULL;
		errno = error;
		return (-1);
	}
	return (status);
}

static const char *
why_not(int error)
{
	if (error == ENOENT || error == ECONNREFUSED)
		return ("not running");
	return (strerror(error));
}

static void
print_answer(const struct call *call, const char *name, int status,
    const char *text)
{
	if (!call->json) {
		printf("%s: %s%s", name, text, *text == '\0' ? "\n" : "");
		return;
	}
	printf("{\"daemon\": \"%s\", \"running\": %s, \"status\": %d, "
	    "\"answer\": ", name, status == -1 ? "false" : "true",
	    status == -1 ? STATUS_FAILED : status);
	json_string(text);
	printf("}");
}

/*
 * The same question to every daemon that runs.  Done if one did it and none
 * failed; which daemons should run is the administrator's choice.
 */
static int
cmd_daemons(const struct call *call)
{
	struct conf	*conf;
	char		*text;
	size_t		 i, done = 0, failed = 0;
	int		 status;

	if ((conf = load(call, report_mistake)) == NULL)
		return (STATUS_FAILED);
	for (i = 0; i < NDAEMONS; i++) {
		if (call->json)
			fputs(i == 0 ? "[" : ",\n ", stdout);
		if ((status = ask(conf, daemons[i], call, "", &text)) != -1)
			print_answer(call, daemons[i], status, text);
		else if (call->json)
			print_answer(call, daemons[i], -1, why_not(errno));
		else
			fprintf(stderr, "%s: %s\n", daemons[i],
			    why_not(errno));
		free(text);
		done += status == 0;
		failed += status > 0;
	}
	if (call->json)
		fputs("]\n", stdout);
	conf_free(conf);
	return (done > 0 && failed == 0 ? STATUS_OK : STATUS_FAILED);
}

/* The audit tables as they run; with -j each daemon answers an object. */
static int
cmd_processes(const struct call *call)
{
	struct conf	*conf;
	char		*text;
	const char	*sep = "";
	size_t		 i;

	if ((conf = load(call, report_mistake)) == NULL)
		return (STATUS_FAILED);
	if (call->json)
		putchar('[');
	for (i = 0; i < NDAEMONS; i++) {
		if (ask(conf, daemons[i], call, "", &text) != STATUS_OK) {
			fprintf(stderr, "%s: %s\n", daemons[i],
			    text != NULL ? text : why_not(errno));
			free(text);
			continue;
		}
		printf("%s%s", sep, text);
		sep = call->json ? "," : "\n";
		free(text);
	}
	if (call->json)
		fputs("]\n", stdout);
	conf_free(conf);
	return (*sep != '\0' ? STATUS_OK : STATUS_FAILED);
}

static int
cmd_hash(const struct call *call)
{
	/* It reads its own options: give it argv from the command's word. */
	optind = 1;
	return (hash_main(call->argc + 1, call->argv - 1));
}

/*
 * The words of a filter, with a space between; -1 if they do not fit, or if
 * one is blank: a variable that a script forgot must not mean everything.
 */
static int
join(const struct call *call, char *to, size_t size)
{
	int	i;

	to[0] = '\0';
	for (i = 0; i < call->argc; i++)
		if (call->argv[i][strspn(call->argv[i], " ")] == '\0' ||
		    (i > 0 && strlcat(to, " ", size) >= size) ||
		    strlcat(to, call->argv[i], size) >= size)
			return (-1);
	return (0);
}

static int
cmd_queue(const struct call *call)
{
	struct conf	*conf;
	char		*text, arg[sizeof(((struct msg_CTL_ASK *)0)->arg)];
	int		 status;

	if (join(call, arg, sizeof(arg)) == -1) {
		fprintf(stderr, "mailctl: the filter is too long or has an "
		    "empty word\n");
		return (STATUS_USAGE);
	}
	if ((conf = load(call, report_mistake)) == NULL)
		return (STATUS_FAILED);
	if ((status = ask(conf, "queue", call, arg, &text)) == -1)
		fprintf(stderr, "mailctl: smtpd's queue: %s\n",
		    why_not(errno));
	else
		fputs(text, status == STATUS_OK ? stdout : stderr);
	free(text);
	conf_free(conf);
	return (status == -1 ? STATUS_FAILED : status);
}
