/*
 * stress: see stress.h.
 *
 * usage: stress [-Rv] [-c conns] [-f first] [-n users] [-p password]
 *	      [-s seed] [-t seconds] [-w wait] host port user
 *
 * The user may have a %d in it, as "u%04d", for numbers from first.  Ends with
 * 0 if all was as the model has it; the last lines tell commands a second.
 */
#include <err.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

#define FAULTS_SHOWN	25

struct options		 opt = {
	.password = "pw", .conns = 10, .users = 2, .first = 1, .seconds = 5,
	.wait = 30, .rude = 1
};
uint64_t		 when = 1;
unsigned long		 faults;
struct count		 counts[KINDS];
int			 ending;

const char *const	 kind_names[KINDS] = {
	"LOGIN", "CAPABILITY", "ENABLE", "CREATE", "SELECT", "learn", "FETCH",
	"STORE", "SEARCH", "SORT", "THREAD", "COPY", "MOVE", "APPEND",
	"EXPUNGE", "STATUS", "LIST", "IDLE", "NOOP", "CHECK", "CLOSE",
	"UNSELECT", "tree", "LOGOUT", "final"
};

static struct conn	 conns[CONNS];

double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

uint32_t
rnd(struct conn *c, uint32_t below)
{
	c->random = c->random * 6364136223846793005u + 1442695040888963407u;
	return ((uint32_t)(c->random >> 33) % below);
}

void *
grown(void *p, size_t want, size_t size, size_t *room)
{
	if (want <= *room)
		return (p);
	*room = want * 2 > 64 ? want * 2 : 64;
	if ((p = realloc(p, *room * size)) == NULL)
		err(1, NULL);
	return (p);
}

void
wrong(const struct conn *c, const char *fmt, ...)
{
	unsigned int i;
	va_list ap;

	if (++faults > FAULTS_SHOWN)
		return;
	printf("# conn %d, %s %s:", c->index, user_name(c->user),
	    c->box != NULL ? c->box->name : "-");
	for (i = 0; i < c->ncmd; i++)
		printf(" %s%s", c->cmd[i].uid ? "UID " : "",
		    kind_names[c->cmd[i].kind]);
	printf(": ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

static void
setup(unsigned int first, unsigned int n, int final)
{
	struct conn *c;
	unsigned int i;

	for (i = first; i < first + n; i++) {
		c = &conns[i];
		memset(c, 0, sizeof(*c));
		c->index = (int)i;
		c->fd = -1;
		c->user = (i - first) % opt.users;
		c->random = opt.seed * 1000003 + i;
		c->owner = (i - first) / opt.users < OWNERS && !final ?
		    (int)((i - first) / opt.users) : -1;
		c->final = final;
	}
}

static void
turn(struct conn *c)
{
	double t = now();

	if (c->state == S_CLOSED) {
		if (t >= c->until && c->final >= 0 && (!ending || c->final))
			conn_open(c);
		return;
	}
	if (c->ncmd > 0 && c->state != S_IDLE &&
	    t - c->cmd[0].at > opt.wait) {
		wrong(c, "no answer for %u s", opt.wait);
		conn_break(c);
		return;
	}
	if (c->state == S_GREETING && t > c->until) {
		wrong(c, "no greeting");
		conn_break(c);
		return;
	}
	if (c->state == S_IDLE && (t >= c->until || ending)) {
		conn_printf(c, "DONE\r\n");
		c->cmd[0].at = t;
		c->state = S_RUNNING;
	}
	if (c->state == S_RUNNING && !c->wait_plus)
		command_next(c);
	if (c->fd != -1)
		conn_write(c);
}

/* Until nobody is connected any more, or the time is over. */
static void
loop(unsigned int first, unsigned int n, double end)
{
	static struct pollfd p[CONNS];
	static struct conn *of[CONNS];
	struct conn *c;
	unsigned int i, np;
	int open;

	do {
		if (now() >= end)
			ending = 1;
		for (np = 0, open = 0, i = first; i < first + n; i++) {
			c = &conns[i];
			turn(c);
			open |= c->fd != -1 || (!ending && c->final >= 0) ||
			    c->final > 0;
			if (c->fd == -1)
				continue;
			of[np] = c;
			p[np].fd = c->fd;
			p[np++].events = POLLIN |
			    (c->outlen > 0 ? POLLOUT : 0);
		}
		if (poll(p, np, 5) == -1)
			continue;
		for (i = 0; i < np; i++)
			if (p[i].revents & (POLLIN | POLLHUP | POLLERR))
				conn_read(of[i]);
	} while (open);
}

static unsigned long
report(double seconds)
{
	unsigned long all = 0;
	unsigned int i;

	for (i = 0; i < KINDS; i++) {
		all += counts[i].done;
		if (counts[i].done > 0)
			printf("# %-10s %8lu %8.0f/s, %lu refused\n",
			    kind_names[i], counts[i].done,
			    (double)counts[i].done / seconds, counts[i].no);
	}
	printf("# seed %lu: %lu commands of %u connections, %.0f a second\n",
	    opt.seed, all, opt.conns, (double)all / seconds);
	return (all);
}

static void
usage(void)
{
	fprintf(stderr, "usage: stress [-Rv] [-c conns] [-f first] [-n users] "
	    "[-p password]\n\t[-s seed] [-t seconds] [-w wait] "
	    "host port user\n");
	exit(2);
}

static void
options(int argc, char *argv[])
{
	int ch;

	opt.seed = (unsigned long)time(NULL);
	while ((ch = getopt(argc, argv, "c:f:n:p:Rs:t:vw:")) != -1) {
		switch (ch) {
		case 'c': opt.conns = (unsigned int)atoi(optarg); break;
		case 'f': opt.first = (unsigned int)atoi(optarg); break;
		case 'n': opt.users = (unsigned int)atoi(optarg); break;
		case 'p': opt.password = optarg; break;
		case 'R': opt.rude = 0; break;
		case 's': opt.seed = strtoul(optarg, NULL, 10); break;
		case 't': opt.seconds = atof(optarg); break;
		case 'v': opt.verbose = 1; break;
		case 'w': opt.wait = (unsigned int)atoi(optarg); break;
		default: usage();
		}
	}
	argc -= optind;
	argv += optind;
	if (argc != 3 || opt.users < 1 || opt.users > USERS ||
	    opt.conns < 1 || opt.conns + 2 * opt.users > CONNS)
		usage();
	opt.host = argv[0];
	opt.port = argv[1];
	opt.user = argv[2];
}

int
main(int argc, char *argv[])
{
	unsigned int i;
	double start;

	options(argc, argv);
	printf("# seed %lu\n", opt.seed);
	fflush(stdout);
	/* The mailboxes, by one connection of each user. */
	setup(0, opt.users, -2);
	for (i = 0; i < opt.users; i++)
		conn_open(&conns[i]);
	loop(0, opt.users, now() + opt.wait);
	memset(counts, 0, sizeof(counts));
	ending = 0;
	setup(0, opt.conns, 0);
	start = now();
	loop(0, opt.conns, start + opt.seconds);
	report(now() - start);
	/* All is quiet: two look at everything, one behind the other. */
	for (i = 0; i < 2; i++) {
		setup(opt.conns + i * opt.users, opt.users, 1);
		loop(opt.conns + i * opt.users, opt.users, now());
	}
	if (faults > 0) {
		printf("not ok stress: %lu faults with seed %lu\n", faults,
		    opt.seed);
		return (1);
	}
	printf("ok stress\n");
	return (0);
}
