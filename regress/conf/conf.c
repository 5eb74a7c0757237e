/*
 * conf: load a file as the daemons do; print what is wrong with it, then the
 * configuration as it is understood.  With -r prove instead that what is
 * printed reads back as the same.
 */
#include <stdio.h>

#include "os/compat.h"
#include "conf/conf.h"

#define MACROS	8

static void
report(void *arg, int is_error, const char *line)
{
	(void)arg;
	printf("%c %s\n", is_error ? 'E' : 'W', line);
}

/* What a role reads must be what the parent read, warnings aside. */
static int
round_trip(const char *first)
{
	struct conf *c;
	char *second;
	int same;

	if ((c = conf_parse(first, strlen(first), report, NULL)) == NULL)
		return (1);
	second = conf_print(c);
	same = second != NULL && strcmp(first, second) == 0;
	if (!same)
		printf("%s\n--- reads back as:\n%s", first,
		    second != NULL ? second : "(nothing)\n");
	free(second);
	conf_free(c);
	return (same ? 0 : 1);
}

int
main(int argc, char **argv)
{
	struct conf_macro macros[MACROS];
	struct conf *c;
	size_t n = 0;
	char *text, *eq;
	int ch, again = 0, failed = 0;

	while ((ch = getopt(argc, argv, "D:r")) != -1) {
		if (ch == 'r')
			again = 1;
		else if (ch == 'D' && n < MACROS &&
		    (eq = strchr(optarg, '=')) != NULL) {
			*eq = '\0';
			macros[n].name = optarg;
			macros[n++].value = eq + 1;
		} else
			return (2);
	}
	if (optind + 1 != argc)
		return (2);
	if ((c = conf_load(argv[optind], macros, n, again ? NULL : report,
	    NULL)) == NULL)
		return (1);
	if ((text = conf_print(c)) == NULL)
		failed = 1;
	else if (again)
		failed = round_trip(text);
	else
		fputs(text, stdout);
	free(text);
	conf_free(c);
	return (failed);
}
