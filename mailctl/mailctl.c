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

#include "buf/shown.h"
#include "conf/conf.h"
#include "daemon/ctlclient.h"
#include "log/log.h"
#include "os/compat.h"
#include "rules/rules.h"
#include "check.h"
#include "hash.h"
#include "mailctl.h"
#include "names.h"
#include "sendmail.h"
#include "../smtpd/contract.h"

#ifndef CONF_PATH
#define CONF_PATH	"/etc/mail/mail.conf"
#endif

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
static int	cmd_reload(const struct call *);
static int	cmd_processes(const struct call *);
static int	cmd_hash(const struct call *);
static int	cmd_stats(const struct call *);
static int	cmd_sendmail(const struct call *);

static const struct command commands[] = {
	{ "check", NULL, 0, 1, cmd_check, 0, "check [dns]" },
	{ "show", "config", 0, 0, cmd_show_config, 0, "show config" },
	{ "reload", NULL, 0, 0, cmd_reload, CTL_RELOAD, "reload" },
	{ "stats", NULL, 0, 0, cmd_stats, CTL_STATS, "stats" },
	{ "limits", NULL, 0, 0, cmd_processes, CTL_LIMITS, "limits" },
	{ "processes", NULL, 0, 0, cmd_processes, CTL_PROCESSES,
	    "processes" },
	{ "who", NULL, 0, -1, who_command, CTL_WHO, "who [FILTER ...]" },
	{ "kick", NULL, 1, -1, kick_command, CTL_KICK, "kick FILTER ..." },
	{ "hash", NULL, 0, -1, cmd_hash, 0, "hash [-s SCHEME]" },
	{ "queue", "list", 0, -1, queue_command, CTL_QUEUE_LIST,
	    "queue list [FILTER ...]" },
	{ "queue", "show", 1, 1, queue_command, CTL_QUEUE_SHOW,
	    "queue show ID" },
	{ "queue", "cat", 1, 1, queue_command, CTL_QUEUE_CAT,
	    "queue cat ID" },
	{ "queue", "retry", 0, -1, queue_command, CTL_QUEUE_RETRY,
	    "queue retry [ID ... | FILTER ... | all]" },
	{ "queue", "hold", 1, -1, queue_command, CTL_QUEUE_HOLD,
	    "queue hold ID ... | FILTER ... | all" },
	{ "queue", "release", 1, -1, queue_command, CTL_QUEUE_RELEASE,
	    "queue release ID ... | FILTER ... | all" },
	{ "queue", "delete", 1, -1, queue_command, CTL_QUEUE_DELETE,
	    "queue delete ID ... | FILTER ... | all" },
	{ "queue", "check", 0, 0, queue_check_command, 0, "queue check" },
	{ "trace", NULL, 1, 1, queue_command, CTL_QUEUE_TRACE,
	    "trace ID | ADDRESS" },
	{ "pause", NULL, 1, 1, queue_command, CTL_QUEUE_PAUSE,
	    "pause accept | relay | deliver" },
	{ "resume", NULL, 1, 1, queue_command, CTL_QUEUE_RESUME,
	    "resume accept | relay | deliver" },
	{ "explain", NULL, 4, -1, explain_command, 0,
	    "explain from ADDRESS | local [tls] [auth USER] [helo NAME] "
	    "[tag TAG] [sender ADDRESS] to ADDRESS" },
	{ "prove", NULL, 0, 0, prove_command, 0, "prove" },
	{ "user", "add", 1, 4, user_command, USER_ADD,
	    "user add [-s SCHEME] NAME [HOME]" },
	{ "user", "delete", 1, 1, user_command, USER_DELETE,
	    "user delete NAME" },
	{ "user", "password", 1, 3, user_command, USER_PASSWORD,
	    "user password [-s SCHEME] NAME" },
	{ "user", "list", 0, 1, user_command, USER_LIST,
	    "user list [@DOMAIN]" },
	{ "user", "quota", 2, 4, user_command, USER_QUOTA,
	    "user quota NAME none | [SIZE] [N messages]" },
	{ "mailbox", "list", 1, 1, mailbox_command, MAILBOX_LIST,
	    "mailbox list USER" },
	{ "mailbox", "status", 1, -1, mailbox_command, MAILBOX_STATUS,
	    "mailbox status USER [MAILBOX ...]" },
	{ "mailbox", "create", 2, -1, mailbox_command, MAILBOX_CREATE,
	    "mailbox create USER MAILBOX ..." },
	{ "mailbox", "delete", 2, -1, mailbox_command, MAILBOX_DELETE,
	    "mailbox delete USER MAILBOX ..." },
	{ "mailbox", "rename", 3, 3, mailbox_command, MAILBOX_RENAME,
	    "mailbox rename USER FROM TO" },
	{ "mailbox", "search", 2, -1, mailbox_command, MAILBOX_SEARCH,
	    "mailbox search USER MAILBOX [FILTER ...]" },
	{ "mailbox", "fetch", 3, 3, mailbox_command, MAILBOX_FETCH,
	    "mailbox fetch USER MAILBOX UID" },
	{ "mailbox", "expunge", 3, -1, mailbox_command, MAILBOX_EXPUNGE,
	    "mailbox expunge USER MAILBOX FILTER ..." },
	{ "mailbox", "copy", 3, -1, mailbox_command, MAILBOX_COPY,
	    "mailbox copy USER FROM TO [FILTER ...]" },
	{ "mailbox", "verify", 1, -1, mailbox_command, MAILBOX_VERIFY,
	    "mailbox verify USER [MAILBOX ...]" },
	{ "mailbox", "rebuild", 1, -1, mailbox_command, MAILBOX_REBUILD,
	    "mailbox rebuild USER [MAILBOX ...]" },
	{ "mailbox", "import", 2, 3, mailbox_command, MAILBOX_IMPORT,
	    "mailbox import USER FILE|DIRECTORY [MAILBOX]" },
	{ "mailbox", "export", 2, 3, mailbox_command, MAILBOX_EXPORT,
	    "mailbox export USER [MAILBOX] FILE|DIRECTORY" },
	{ "quota", NULL, 1, 1, mailbox_command, MAILBOX_QUOTA,
	    "quota USER" },
	{ "index", NULL, 1, -1, mailbox_command, MAILBOX_INDEX,
	    "index USER [MAILBOX ...]" },
	{ "report", NULL, 0, 1, report_command, 0, "report [DAY | FILE]" },
	{ "sendmail", NULL, 0, -1, cmd_sendmail, 0,
	    "sendmail [OPTION ...] [RECIPIENT ...]" },
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
	if (argc > 0 && sendmail_is_name(argv[0])) {
		call.argc = argc - 1;
		call.argv = argv + 1;
		return (cmd_sendmail(&call));
	}
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

/* Warnings are the business of check; other commands tell mistakes only. */
struct conf *
call_load(const struct call *call)
{
	return (load(call, report_mistake));
}

void
json_string(const char *s)
{
	size_t	len = strlen(s);
	char	c[SHOWN_MAX];

	putchar('"');
	while (len > 0) {
		unsigned int	n = shown_next(s, len, SHOWN_JSON, c);

		fputs(c, stdout);
		s += n;
		len -= n;
	}
	putchar('"');
}

void
put_text(FILE *f, const char *s)
{
	size_t	len = strlen(s);
	char	c[SHOWN_MAX];

	while (len > 0) {
		unsigned int	n = shown_next(s, len, SHOWN_TERMINAL, c);

		fputs(c, f);
		s += n;
		len -= n;
	}
}

static void
rule_checked(void *arg, int is_error, const char *line)
{
	static const char	word[] = "warning: ";

	if (is_error)
		check_mistake(arg, "%s", line);
	else if (strncmp(line, word, sizeof(word) - 1) == 0)
		check_advice(arg, "%s", line + sizeof(word) - 1);
	else
		check_advice(arg, "%s", line);
}

static int
cmd_check(const struct call *call)
{
	struct check	 c = { .json = call->json };
	struct conf	*conf;
	int		 dns = call->argc == 1;

	if (dns && strcmp(call->argv[0], "dns") != 0)
		return (usage());
	if (dns)
		names_open();
	if ((conf = load(call, report_stderr)) == NULL) {
		if (call->json)
			printf("{\"ok\": false}\n");
		return (STATUS_FAILED);
	}
	if (call->json)
		printf("{\"findings\": [");
	(void)rules_check(conf, rule_checked, &c);
	check_certificates(&c, conf);
	check_owners(&c, conf);
	check_tables(&c, conf);
	if (dns)
		check_dns(&c, conf);
	conf_free(conf);
	if (call->json)
		printf("],\n \"ok\": %s}\n", c.mistakes == 0 ? "true" :
		    "false");
	else if (c.mistakes == 0)
		printf("configuration, certificates, files and tables OK\n");
	return (c.mistakes == 0 ? STATUS_OK : STATUS_FAILED);
}

static int
cmd_show_config(const struct call *call)
{
	struct conf	*conf;
	char		*text;

	if ((conf = call_load(call)) == NULL)
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

int
call_ask(const struct conf *conf, const char *name, const struct call *call,
    const char *arg, FILE *f)
{
	int	status = STATUS_FAILED;

	/* An argument that does not fit is no id that there is: cut it. */
	if (ctl_ask(&smtpd_contract, conf->state, name, call->what,
	    call->json, arg, f, &status) == -1)
		return (-1);
	return (status);
}

int
call_ask_text(const struct conf *conf, const char *name,
    const struct call *call, const char *arg, char **text)
{
	FILE	*f;
	size_t	 size;
	int	 status, error = 0;

	*text = NULL;
	if ((f = open_memstream(text, &size)) == NULL)
		return (-1);
	if ((status = call_ask(conf, name, call, arg, f)) == -1)
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

int
call_join(char *const *words, int n, char *to, size_t size)
{
	int	i;

	to[0] = '\0';
	for (i = 0; i < n; i++)
		if (words[i][strspn(words[i], " ")] == '\0' ||
		    (i > 0 && strlcat(to, " ", size) >= size) ||
		    strlcat(to, words[i], size) >= size)
			return (-1);
	return (0);
}

const char *
call_why_not(int error)
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
 * Every daemon that runs reads its configuration again.  Done if one did it and
 * none failed; which daemons should run is the administrator's choice.
 */
static int
cmd_reload(const struct call *call)
{
	struct conf	*conf;
	char		*text;
	size_t		 i, done = 0, failed = 0;
	int		 status;

	if ((conf = call_load(call)) == NULL)
		return (STATUS_FAILED);
	if (rules_check(conf, report_stderr, NULL) == -1) {
		conf_free(conf);
		return (STATUS_FAILED);
	}
	for (i = 0; i < NDAEMONS; i++) {
		if (call->json)
			fputs(i == 0 ? "[" : ",\n ", stdout);
		status = call_ask_text(conf, daemons[i], call, "", &text);
		if (status != -1)
			print_answer(call, daemons[i], status, text);
		else if (call->json)
			print_answer(call, daemons[i], -1, call_why_not(errno));
		else
			fprintf(stderr, "%s: %s\n", daemons[i],
			    call_why_not(errno));
		free(text);
		done += status == 0;
		failed += status > 0;
	}
	if (call->json)
		fputs("]\n", stdout);
	conf_free(conf);
	return (done > 0 && failed == 0 ? STATUS_OK : STATUS_FAILED);
}

/* Of one that gives no answer. */
static void
print_none(const struct call *call, const char *name, const char *why)
{
	if (!call->json) {
		fprintf(stderr, "%s: %s\n", name, why);
		return;
	}
	printf("{\"daemon\": \"%s\", \"running\": false, \"answer\": ", name);
	json_string(why);
	printf("}\n");
}

/* Tables that each daemon prints; with -j each daemon answers an object. */
static int
cmd_processes(const struct call *call)
{
	struct conf	*conf;
	char		*text;
	size_t		 i, done = 0;

	if ((conf = call_load(call)) == NULL)
		return (STATUS_FAILED);
	if (call->json)
		putchar('[');
	for (i = 0; i < NDAEMONS; i++) {
		if (call->json && i > 0)
			putchar(',');
		if (call_ask_text(conf, daemons[i], call, "", &text) !=
		    STATUS_OK)
			print_none(call, daemons[i], text != NULL ? text :
			    call_why_not(errno));
		else
			printf("%s%s", done++ > 0 && !call->json ? "\n" : "",
			    text);
		free(text);
	}
	if (call->json)
		fputs("]\n", stdout);
	conf_free(conf);
	return (done > 0 ? STATUS_OK : STATUS_FAILED);
}

/* The same, and what the queue knows of itself. */
static int
cmd_stats(const struct call *call)
{
	struct call	 queue = *call;
	struct conf	*conf;
	char		*text;
	int		 status;

	queue.what = CTL_QUEUE_STATS;
	if ((conf = call_load(call)) == NULL)
		return (STATUS_FAILED);
	if (call->json)
		fputs("{\"daemons\": ", stdout);
	status = cmd_processes(call);
	if (call->json)
		fputs(", \"queue\": ", stdout);
	if (call_ask_text(conf, "queue", &queue, "", &text) == STATUS_OK)
		printf("%s%s", call->json ? "" : "\n", text);
	else if (call->json)
		fputs("null", stdout);
	if (call->json)
		fputs("}\n", stdout);
	free(text);
	conf_free(conf);
	return (status);
}

static int
cmd_hash(const struct call *call)
{
	/* It reads its own options: give it argv from the command's word. */
	optind = 1;
	return (hash_main(call->argc + 1, call->argv - 1));
}

/* What sendmail asks of the queue, with its own choice of configuration. */
static int
queue_ask(const char *path, unsigned int what)
{
	struct call	call = { .conf_path = path, .what = what };

	return (queue_command(&call));
}

static int
queue_list(const char *path)
{
	return (queue_ask(path, CTL_QUEUE_LIST));
}

static int
queue_retry(const char *path)
{
	return (queue_ask(path, CTL_QUEUE_RETRY));
}

/* Its own words begin one before: argv[0] tells which program it is. */
static int
cmd_sendmail(const struct call *call)
{
	struct sendmail_calls	calls = { .conf_path = call->conf_path,
				    .list = queue_list,
				    .flush = queue_retry };

	return (sendmail_main(call->argc + 1, call->argv - 1, &calls));
}
