/*
 * options: the command line of a daemon.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/child.h"
#include "daemon/ctlclient.h"
#include "daemon/options.h"
#include "log/log.h"

#ifndef CONF_PATH
#define CONF_PATH	"/etc/mail/mail.conf"
#endif
#ifndef LIBEXEC_PATH
#define LIBEXEC_PATH	"/usr/local/libexec/postern"
#endif

static void __attribute__((__noreturn__))
usage(void)
{
	fprintf(stderr, "usage: %s [-Cdjnv] [-D name=value] [-f mail.conf]\n",
	    sv.daemon->name);
	exit(2);
}

static void
add_macro(struct options *o, char *arg)
{
	char	*eq = strchr(arg, '=');

	if (eq == NULL || eq == arg || o->nmacros == OPTION_MACROS)
		usage();
	*eq = '\0';
	o->macros[o->nmacros].name = arg;
	o->macros[o->nmacros].value = eq + 1;
	o->nmacros++;
}

/* Where this program is: roles are started by exec of the same file. */
static void
find_program(struct options *o, const char *argv0)
{
	char		 self[PATH_MAX], *slash;
	struct stat	 st;
	char		 probe[PATH_MAX + 16];
	ssize_t		 n;

	if ((n = readlink("/proc/self/exe", self, sizeof(self) - 1)) > 0) {
		self[n] = '\0';
		strlcpy(o->program, self, sizeof(o->program));
	} else if (realpath(argv0, o->program) == NULL) {
		fprintf(stderr, "%s: cannot find myself: start me with a "
		    "path\n", argv0);
		exit(1);
	}
	/* In the built tree the per-user programs lie beside the daemon. */
	strlcpy(o->libexec, LIBEXEC_PATH, sizeof(o->libexec));
	strlcpy(self, o->program, sizeof(self));
	if ((slash = strrchr(self, '/')) != NULL)
		*slash = '\0';
	snprintf(probe, sizeof(probe), "%s/contract.h", self);
	if (stat(probe, &st) == 0)
		strlcpy(o->libexec, self, sizeof(o->libexec));
}

void
options_parse(struct options *o, int argc, char **argv)
{
	const char	*path = CONF_PATH;
	int		 ch;

	while ((ch = getopt(argc, argv, "CD:df:jnv")) != -1)
		switch (ch) {
		case 'C': o->audit = 1; break;
		case 'D': add_macro(o, optarg); break;
		case 'd': o->foreground = 1; break;
		case 'f': path = optarg; break;
		case 'j': o->json = 1; break;
		case 'n': o->check = 1; break;
		case 'v': o->verbose += o->verbose < 2; break;
		default: usage();
		}
	if (argc != optind)
		usage();
	if (realpath(path, o->conf_path) == NULL) {
		if (!o->audit) {
			fprintf(stderr, "%s: %s: write one (see mail.conf(5)) "
			    "or name it with -f\n", path, strerror(errno));
			exit(1);
		}
		o->conf_path[0] = '\0';
	}
	find_program(o, argv[0]);
}

static void
report_stderr(void *arg, int is_error, const char *line)
{
	fprintf(stderr, "%s\n", line);
}

struct conf *
options_load(const struct options *o, const struct parent_ops *ops)
{
	struct conf	*conf;

	if ((conf = conf_load(o->conf_path, o->macros, o->nmacros,
	    report_stderr, NULL)) == NULL)
		return (NULL);
	if (ops->check != NULL && ops->check(conf, report_stderr,
	    NULL) == -1) {
		conf_free(conf);
		return (NULL);
	}
	return (conf);
}

int
options_check(const struct options *o, const struct conf *conf)
{
	char	*text;

	if (o->verbose == 0) {
		fprintf(stderr, "configuration OK\n");
		return (0);
	}
	if ((text = conf_print(conf)) == NULL) {
		fprintf(stderr, "out of memory\n");
		return (1);
	}
	fputs(text, stdout);
	free(text);
	return (fflush(stdout) == 0 ? 0 : 1);
}

static void
quiet(void *arg, int is_error, const char *line)
{
	/* -C is about processes; -n tells of the configuration. */
}

int
options_audit(const struct options *o)
{
	struct conf	*conf = NULL;
	char		*text;
	int		 status;

	if (o->conf_path[0] != '\0')
		conf = conf_load(o->conf_path, o->macros, o->nmacros, quiet,
		    NULL);
	if (conf != NULL && ctl_ask(sv.daemon->contract, conf->state,
	    sv.daemon->name, CTL_PROCESSES, o->json, "", stdout,
	    &status) == 0)
		return (status);
	if ((text = audit_print(o->json, 0)) == NULL)
		return (1);
	fputs(text, stdout);
	free(text);
	return (fflush(stdout) == 0 ? 0 : 1);
}
