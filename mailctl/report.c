/*
 * report: what went through smtpd in a day, told from its log.
 */
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/conf.h"
#include "os/compat.h"
#include "mailctl.h"
#include "tally.h"
#include "../smtpd/logline.h"

#define SYSLOG_FILE	"/var/log/mail.log"
#define TOP		10

enum table { SENDERS, RECIPIENTS, CLIENTS, HOSTS, DEFERRED, FAILED, REFUSED,
	TABLES };

static const char *const titles[TABLES] = {
	"senders", "recipients", "clients", "hosts", "deferred because",
	"failed because", "refused because"
};
static const char *const keys[TABLES] = {
	"senders", "recipients", "clients", "hosts", "deferred_reasons",
	"failed_reasons", "refused_reasons"
};
static const char *const whats[LINE_KINDS] = {
	"other", "received", "reports", "delivered", "failed", "deferred",
	"refused"
};

struct report {
	const char		*day;		/* NULL: every day */
	int			 year;
	unsigned long long	 n[LINE_KINDS];
	unsigned long long	 bytes;		/* received */
	unsigned long long	 delivered;	/* bytes */
	unsigned long long	 delay;		/* of all that were delivered */
	unsigned long long	 hour[24][LINE_KINDS];
	struct tally		 tables[TABLES];
	int			 nomem;
};

static void
add(struct report *r, enum table t, const char *name, unsigned long long size)
{
	if (*name != '\0' && tally_add(&r->tables[t], name, size) == -1)
		r->nomem = 1;
}

static void
count(struct report *r, const struct logline *l)
{
	if (l->what == LINE_OTHER || (r->day != NULL &&
	    strcmp(r->day, l->day) != 0))
		return;
	r->n[l->what]++;
	r->hour[l->hour][l->what]++;
	switch (l->what) {
	case LINE_ACCEPTED:
		r->bytes += l->size;
		add(r, SENDERS, *l->from == '\0' ? "<>" : l->from, l->size);
		add(r, CLIENTS, l->addr, l->size);
		break;
	case LINE_DELIVERED:
		r->delivered += l->size;
		r->delay += l->delay;
		add(r, RECIPIENTS, l->to, l->size);
		add(r, HOSTS, strncmp(l->via, "local:", 6) == 0 ? "local" :
		    l->via, l->size);
		break;
	case LINE_FAILED:
		add(r, FAILED, l->reply, 0);
		break;
	case LINE_DEFERRED:
		add(r, DEFERRED, l->reply, 0);
		break;
	case LINE_REFUSED:
		add(r, REFUSED, l->reply, 0);
		break;
	case LINE_OTHER:
	case LINE_REPORT:
	case LINE_KINDS:
		break;
	}
}

static void
read_log(struct report *r, FILE *f)
{
	struct logline	 l;
	char		*line = NULL;
	size_t		 size = 0;

	while (getline(&line, &size, f) != -1) {
		logline_parse(line, r->year, &l);
		count(r, &l);
	}
	free(line);
}

static int
read_file(struct report *r, const char *path)
{
	FILE	*f;

	if ((f = fopen(path, "r")) == NULL)
		return (-1);
	read_log(r, f);
	return (fclose(f) == 0 ? 0 : -1);
}

/* The log as mail.conf has it, and the one that was rotated away last. */
static int
read_configured(struct report *r, const struct call *call)
{
	struct conf	*conf;
	char		 old[PATH_MAX];
	const char	*path;
	int		 ret = -1;

	if ((conf = call_load(call)) == NULL)
		return (-1);
	path = conf->log_path != NULL ? conf->log_path : SYSLOG_FILE;
	if ((size_t)snprintf(old, sizeof(old), "%s.1", path) < sizeof(old))
		(void)read_file(r, old);	/* most have none */
	if ((ret = read_file(r, path)) == -1)
		fprintf(stderr, "mailctl: %s: %s%s\n", path, strerror(errno),
		    conf->log_path == NULL ? "; name the file that syslog "
		    "writes, or where that is systemd's journal: journalctl "
		    "-t smtpd -S yesterday -U today | mailctl report -" : "");
	conf_free(conf);
	return (ret);
}

static void
print_table(struct report *r, enum table t)
{
	struct tally	*y = &r->tables[t];
	size_t		 i;

	if (y->n == 0)
		return;
	tally_sort(y);
	printf("\n%s\n", titles[t]);
	for (i = 0; i < y->n && i < TOP; i++) {
		printf("%8llu  ", y->v[i].n);
		if (t <= HOSTS)
			printf("%8lluk  ", y->v[i].bytes / 1024);
		put_text(stdout, y->v[i].name);
		putchar('\n');
	}
	if (y->n > TOP)
		printf("          ... and %zu more\n", y->n - TOP);
}

static int
is_quiet(const unsigned long long n[LINE_KINDS])
{
	int	w;

	for (w = LINE_ACCEPTED; w < LINE_KINDS; w++)
		if (n[w] > 0)
			return (0);
	return (1);
}

static void
print_text(struct report *r)
{
	int	i, w;

	printf("%s\n\n", r->day != NULL ? r->day : "all days");
	for (w = LINE_ACCEPTED; w < LINE_KINDS; w++)
		printf("%8llu  %s\n", r->n[w], whats[w]);
	printf("%8lluk bytes received\n%8lluk bytes delivered\n",
	    r->bytes / 1024, r->delivered / 1024);
	if (r->n[LINE_DELIVERED] > 0)
		printf("%8llus until delivery, on average\n",
		    r->delay / r->n[LINE_DELIVERED]);
	printf("\nhour");
	for (w = LINE_ACCEPTED; w < LINE_KINDS; w++)
		printf(" %9s", whats[w]);
	putchar('\n');
	for (i = 0; i < 24; i++) {
		if (is_quiet(r->hour[i]))
			continue;
		printf("  %02d", i);
		for (w = LINE_ACCEPTED; w < LINE_KINDS; w++)
			printf(" %9llu", r->hour[i][w]);
		putchar('\n');
	}
	for (i = 0; i < TABLES; i++)
		print_table(r, (enum table)i);
}

static void
print_json(struct report *r)
{
	size_t	i;
	int	t, w;

	printf("{\"day\": ");
	json_string(r->day != NULL ? r->day : "");
	for (w = LINE_ACCEPTED; w < LINE_KINDS; w++)
		printf(", \"%s\": %llu", whats[w], r->n[w]);
	printf(", \"bytes_received\": %llu, \"bytes_delivered\": %llu, "
	    "\"delay\": %llu", r->bytes, r->delivered, r->delay);
	printf(",\n \"hours\": [");
	for (i = 0; i < 24; i++) {
		printf("%s{", i == 0 ? "" : ", ");
		for (w = LINE_ACCEPTED; w < LINE_KINDS; w++)
			printf("%s\"%s\": %llu", w == LINE_ACCEPTED ? "" :
			    ", ", whats[w], r->hour[i][w]);
		putchar('}');
	}
	putchar(']');
	for (t = 0; t < TABLES; t++) {
		tally_sort(&r->tables[t]);
		printf(",\n \"%s\": [", keys[t]);
		for (i = 0; i < r->tables[t].n && i < TOP; i++) {
			printf("%s{\"name\": ", i == 0 ? "" : ", ");
			json_string(r->tables[t].v[i].name);
			printf(", \"count\": %llu, \"bytes\": %llu}",
			    r->tables[t].v[i].n, r->tables[t].v[i].bytes);
		}
		putchar(']');
	}
	printf("}\n");
}

/* "today", "yesterday" or "2026-11-29"; NULL if it is none. */
static const char *
day_of(const char *arg, char *to, size_t size)
{
	struct tm	tm;
	time_t		t = time(NULL);
	int		y, m, d, n = 0;

	if (sscanf(arg, "%4d-%2d-%2d%n", &y, &m, &d, &n) == 3 &&
	    arg[n] == '\0' && strlen(arg) == 10 && m >= 1 && m <= 12 &&
	    d >= 1 && d <= 31)
		return (arg);
	if (strcmp(arg, "yesterday") == 0)
		t -= 86400;
	else if (strcmp(arg, "today") != 0)
		return (NULL);
	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(to, size, "%Y-%m-%d", &tm) == 0)
		return (NULL);
	return (to);
}

int
report_command(const struct call *call)
{
	struct report	*r;
	const char	*arg = call->argc > 0 ? call->argv[0] : "yesterday";
	char		 day[16];
	time_t		 now = time(NULL);
	struct tm	 tm;
	int		 i, ret;

	if ((r = calloc(1, sizeof(*r))) == NULL) {
		fprintf(stderr, "mailctl: out of memory\n");
		return (STATUS_FAILED);
	}
	r->year = localtime_r(&now, &tm) != NULL ? tm.tm_year + 1900 : 1970;
	r->day = day_of(arg, day, sizeof(day));
	if (r->day != NULL)
		ret = read_configured(r, call);
	else if (strcmp(arg, "-") == 0) {
		read_log(r, stdin);
		ret = 0;
	} else if ((ret = read_file(r, arg)) == -1)
		fprintf(stderr, "mailctl: %s: %s\n", arg, strerror(errno));
	if (r->nomem) {
		fprintf(stderr, "mailctl: out of memory\n");
		ret = -1;
	}
	if (ret == 0 && call->json)
		print_json(r);
	else if (ret == 0)
		print_text(r);
	for (i = 0; i < TABLES; i++)
		tally_free(&r->tables[i]);
	free(r);
	return (ret == 0 ? STATUS_OK : STATUS_FAILED);
}
