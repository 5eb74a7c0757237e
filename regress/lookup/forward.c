/*
 * Forward files as lookup asks for them: how many readers at a time, and what
 * becomes of one that stays, says nothing, or goes.
 *
 * Parent, the readers and the clock are played here.
 */
#include "os/compat.h"
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/limit.h"
#include "privsep/role.h"
#include "smtpd/contract.h"
#include "smtpd/lookup_forward.h"
#include "test.h"

#define READERS		32
#define SLOW		40
#define MANY		100
#define TOO_MANY	20000

struct peer {
	void	*arg;
	int	 open;
};

static struct event_base	*base;
static struct peer		 parent, readers[MANY];
static struct msg_FORWARD_OPEN	 asked[TOO_MANY];
static size_t			 nasked, nreaders;
static time_t			 seconds = 1000;
static int			 resumed, reached;
static uint64_t			 used;
static const struct conf_domain	 domain;

/* What lookup_forward.c calls. */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	(void)id;
	ts->tv_sec = seconds;
	ts->tv_nsec = 0;
	return (0);
}

struct event_base *
role_base(void)
{
	return (base);
}

struct peer *
role_parent(void)
{
	return (&parent);
}

struct peer *
role_peer_new(enum role role, int fd, pid_t pid)
{
	struct peer	*p = &readers[nreaders++ % MANY];

	(void)role;
	(void)pid;
	close(fd);
	p->open = 1;
	p->arg = NULL;
	return (p);
}

void
peer_send(struct peer *p, uint32_t type, const void *body, int fd)
{
	if (p == &parent && type == M_FORWARD_OPEN && fd == -1 &&
	    nasked < TOO_MANY)
		asked[nasked++] = *(const struct msg_FORWARD_OPEN *)body;
}

void
peer_free(struct peer *p)
{
	if (!p->open)
		test_failed = 1;	/* twice */
	p->open = 0;
}

void *
peer_arg(struct peer *p)
{
	return (p->arg);
}

void
peer_set_arg(struct peer *p, void *arg)
{
	p->arg = arg;
}

uint64_t
limit_of(const struct conf *conf, enum limit_id id)
{
	(void)conf;
	return (id == LIMIT_READERS ? READERS + SLOW : 0);
}

void
limit_use(enum limit_id id, uint64_t now)
{
	if (id == LIMIT_READERS)
		used = now;
}

void
limit_reached(enum limit_id id)
{
	reached += id == LIMIT_READERS;
}

static void
resume(void *arg)
{
	(void)arg;
	resumed++;
}

static enum rules_result
look(const char *user, int wait, time_t since)
{
	struct rules_env	 env = { .resume = wait ? resume : NULL,
				    .since = since };
	struct rules_account	 acc = { .uid = 1, .gid = 1, .home = "/h" };
	enum rules_result	 r;
	char			*text;

	strlcpy(acc.user, user, sizeof(acc.user));
	r = lookup_forward(&env, &domain, &acc, &text);
	if (r == RULES_OK && strcmp(text, user) != 0)
		r = RULES_NO;
	free(text);
	return (r);
}

static struct peer *
reader_comes(size_t i)
{
	struct msg_FORWARD_READER	r = { .ticket = asked[i].ticket,
					    .pid = 5 };
	struct msg			m = { .body = &r, .fd = dup(1) };
	size_t				n = nreaders;

	lookup_forward_reader(&parent, &m);
	if (m.fd != -1)
		close(m.fd);
	return (nreaders == n ? NULL : &readers[n % MANY]);
}

static void
reader_says(struct peer *p, const char *text, int tempfail)
{
	struct msg_FORWARD_TEXT	t = { .found = text != NULL,
				    .tempfail = tempfail };
	char			copy[64] = "";
	struct msg		m = { .body = &t, .tail = copy, .fd = -1 };

	if (text != NULL)
		strlcpy(copy, text, sizeof(copy));
	m.taillen = strlen(copy);
	lookup_forward_text(p, &m);
}

static size_t
open_readers(void)
{
	size_t	i, n = 0;

	for (i = 0; i < MANY; i++)
		n += readers[i].open;
	return (n);
}

static void
test_text(void)
{
	struct peer	*p;

	TEST("asked", look("ann", 1, 0) == RULES_PENDING && nasked == 1);
	TEST("asked-once", look("ann", 1, 0) == RULES_PENDING && nasked == 1);
	p = reader_comes(0);
	TEST("reader", p != NULL && p->open);
	TEST("no-second-reader", reader_comes(0) == NULL);
	reader_says(p, "ann", 0);
	TEST("both-resumed", resumed == 2);
	TEST("a-reader-that-stays-is-let-go", !p->open);
	TEST("known", look("ann", 1, 0) == RULES_OK && nasked == 1);
	TEST("comes-too-late", reader_comes(0) == NULL);
	seconds += 11;
	TEST("since", look("ann", 1, seconds - 11) == RULES_OK);
	TEST("not-since", look("ann", 1, seconds - 10) == RULES_PENDING &&
	    nasked == 2);
	p = reader_comes(1);
	reader_says(p, NULL, 0);
	TEST("none", look("ann", 1, 0) == RULES_NO);
}

static void
test_trouble(void)
{
	struct msg_NO_FORWARD	 no = { .tempfail = 1 };
	struct msg		 m = { .body = &no, .fd = -1 };
	struct peer		*p;

	nasked = 0;
	resumed = 0;
	(void)look("cut", 1, 0);
	p = reader_comes(0);
	reader_says(p, NULL, 1);
	TEST("not-readable", resumed == 1 && !p->open &&
	    look("cut", 1, 0) == RULES_FAULTY);
	(void)look("gone", 1, 0);
	p = reader_comes(1);
	lookup_forward_gone(p);
	TEST("gone", resumed == 2 && look("gone", 1, 0) == RULES_FAULTY);
	peer_free(p);			/* as role.c does then */
	(void)look("still", 1, 0);
	p = reader_comes(2);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	TEST("waits", resumed == 2 && p->open);
	seconds += 2;
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	TEST("slow", resumed == 2 && p->open && used == 1);
	seconds += 31;
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	TEST("not-in-time", resumed == 3 && !p->open && used == 0 &&
	    look("still", 1, 0) == RULES_FAULTY);
	seconds += 58;
	TEST("no-other-while-it-lives", look("still", 1, 0) ==
	    RULES_FAULTY && nasked == 3);
	(void)look("full", 1, 0);
	no.ticket = asked[3].ticket;
	lookup_no_forward(&parent, &m);
	TEST("no-process", resumed == 4 &&
	    look("full", 1, 0) == RULES_TEMPFAIL);
}

/* More than may run at a time: the next one comes for each that is known. */
static void
test_many(void)
{
	static struct peer	*of[MANY];
	char			 user[32];
	size_t			 i, most = 0, bad = 0;

	nasked = 0;
	resumed = 0;
	for (i = 0; i < MANY; i++) {
		snprintf(user, sizeof(user), "u%zu", i);
		bad += look(user, i % 2 == 0, 0) != RULES_PENDING;
	}
	TEST("all-wait", bad == 0 && nasked == READERS);
	for (i = 0; i < READERS; i++)
		of[i] = reader_comes(i);
	for (i = 0; i < MANY && i < nasked; i++) {
		most = open_readers() > most ? open_readers() : most;
		reader_says(of[i], asked[i].user, 0);
		if (nasked > READERS + i)
			of[READERS + i] = reader_comes(READERS + i);
	}
	TEST("all-asked", nasked == MANY && most <= READERS);
	TEST("none-left", open_readers() == 0);
	TEST("resumed-who-waited", resumed == MANY / 2);
	bad = 0;
	for (i = 0; i < MANY; i++) {
		snprintf(user, sizeof(user), "u%zu", i);
		bad += look(user, 1, 0) != RULES_OK;
	}
	TEST("all-known", bad == 0);
}

/* Users who stop theirs: after a second the others have their turn. */
static void
test_stopped(void)
{
	static struct peer	*of[MANY];
	char			 user[32];
	size_t			 i;

	nasked = nreaders = 0;
	for (i = 0; i < 2 * READERS; i++) {
		snprintf(user, sizeof(user), "s%zu", i);
		(void)look(user, 1, 0);
	}
	(void)look("waits", 1, 0);
	for (i = 0; i < READERS; i++)
		of[i] = reader_comes(i);
	TEST("waits-for-them", nasked == READERS && used == READERS);
	seconds += 2;
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	TEST("others-are-asked", nasked == 2 * READERS && reached == 0 &&
	    open_readers() == READERS);
	reader_says(of[5], "s5", 0);
	TEST("slow-but-there", look("s5", 1, 0) == RULES_OK);
	for (; i < nasked; i++)
		of[i] = reader_comes(i);
	seconds += 2;
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	TEST("the-oldest-are-given-up", reached == 2 * READERS - 1 - SLOW &&
	    !of[0]->open && of[READERS]->open &&
	    look("s0", 1, 0) == RULES_FAULTY);
	TEST("and-he-has-his-turn", nasked == 2 * READERS + 1 && strcmp(
	    asked[nasked - 1].user, "waits") == 0 && used == SLOW + 1);
}

static void
test_no_room(void)
{
	char	user[32];
	size_t	i;

	for (i = 0; i < TOO_MANY; i++) {
		snprintf(user, sizeof(user), "w%zu", i);
		if (look(user, 1, 0) != RULES_PENDING)
			break;
	}
	TEST("bounded", i < TOO_MANY);
	TEST("ahead-is-no-failure", look("v", 0, 0) == RULES_PENDING);
	TEST("waiting-is", look("v", 1, 0) == RULES_TEMPFAIL);
}

int
main(void)
{
	if ((base = event_base_new()) == NULL)
		return (1);
	test_text();
	test_trouble();
	test_many();
	test_stopped();
	test_no_room();
	TEST_DONE();
}
