/*
 * who: who is logged in.
 *
 * Runs as root; asked by root or the user that runs the suite.  What it tells
 * is the register's (visits.h).  For how long a client has said nothing only
 * its net knows, which is asked, waited for no longer than WAIT_SECONDS, and
 * believed about nothing else.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf/shown.h"
#include "daemon/child.h"
#include "daemon/visits.h"
#include "daemon/who.h"
#include "log/log.h"

#define WAIT_SECONDS	2
#define NETS_MAX	16		/* of all generations, that are asked */
#define QUESTIONS_MAX	32
#define TEXT_SIZE	(6 * C_USER)	/* escaped */

/* Somebody who waits for what the nets say. */
struct question {
	struct peer	*asker;		/* NULL: none */
	int		 json;
	char		 text[sizeof(((struct msg_CTL_ASK *)0)->arg)];
	struct who_filter filter;	/* points into text */
};

static struct {
	struct question	 questions[QUESTIONS_MAX];
	struct event	*timer;
	pid_t		 nets[NETS_MAX];	/* that have not told all */
	size_t		 nnets;
	uint32_t	 round;
	time_t		 asked;
} self;

/* Everybody, to be sorted. */
struct list {
	struct visit	**all;
	size_t		 n;
};

static void	remember(struct peer *, const struct msg_CTL_ASK *);
static void	ask_nets(void);
static void	ask_net(struct child *);
static void	on_late(evutil_socket_t, short, void *);
static void	answer_all(void);
static char	*print(const struct question *);
static void	print_list(FILE *, const struct question *,
		    const struct list *);
static void	print_one(FILE *, int json, const struct visit *,
		    const char *id, size_t of_user);
static void	collect(struct visit *, void *);
static int	by_user(const void *, const void *);

int
who_asked(struct peer *asker, const struct msg_CTL_ASK *ask)
{
	char text[sizeof(ask->arg)];
	struct who_filter filter;
	const char *wrong;

	if (ask->what != CTL_WHO && ask->what != CTL_KICK)
		return (-1);
	strlcpy(text, ask->arg, sizeof(text));
	if ((wrong = who_filter_parse(&filter, text)) != NULL)
		control_answer(asker, wrong, 2);
	else if (ask->what == CTL_KICK)
		kick(asker, &filter, ask->json != 0);
	else
		remember(asker, ask);
	return (0);
}

static void
remember(struct peer *asker, const struct msg_CTL_ASK *ask)
{
	struct question *q;
	size_t i;

	for (i = 0; i < QUESTIONS_MAX; i++)
		if (self.questions[i].asker == NULL)
			break;
	if (i == QUESTIONS_MAX) {
		control_answer(asker, "too many questions", 1);
		return;
	}
	q = &self.questions[i];
	q->asker = asker;
	q->json = ask->json != 0;
	strlcpy(q->text, ask->arg, sizeof(q->text));
	(void)who_filter_parse(&q->filter, q->text);	/* it was right */
	ask_nets();
}

void
who_asker_gone(struct peer *asker)
{
	size_t i;

	for (i = 0; i < QUESTIONS_MAX; i++)
		if (self.questions[i].asker == asker)
			self.questions[i].asker = NULL;
}

/* Once a second at most; who asks meanwhile gets the same answer. */
static void
ask_nets(void)
{
	struct timeval tv = { .tv_sec = WAIT_SECONDS };
	struct child *c;

	if (self.nnets > 0)
		return;
	if (self.timer == NULL)
		self.timer = evtimer_new(sv.base, on_late, NULL);
	if (self.timer != NULL && sv_now() != self.asked) {
		self.asked = sv_now();
		if (++self.round == 0)
			self.round = 1;
		TAILQ_FOREACH(c, &sv.children, entry)
			ask_net(c);
	}
	if (self.nnets == 0 || event_add(self.timer, &tv) == -1)
		answer_all();
}

static void
ask_net(struct child *c)
{
	struct msg_CONNS_ASK ask = { .round = self.round };

	/* One that is stuck must not have all of it to say several times. */
	if (c->def->role != ROLE_NET || c->peer == NULL || !c->ready ||
	    c->asked || self.nnets == NETS_MAX)
		return;
	c->asked = 1;
	self.nets[self.nnets++] = c->pid;
	peer_send(c->peer, M_CONNS_ASK, &ask, -1);
}

void
parent_conn_idle(struct peer *net, struct msg *m)
{
	const struct msg_CONN_IDLE *idle = m->body;
	struct visit *v;

	if (idle->round != self.round || (v = visits_find_conn(
	    supervise_peer_generation(net), (unsigned int)idle->conn)) == NULL)
		return;
	v->idle = (uint32_t)idle->seconds;
	v->round = self.round;
}

void
parent_conns_told(struct peer *net, struct msg *m)
{
	const struct msg_CONNS_TOLD *told = m->body;
	size_t i;

	child_of(net)->asked = 0;
	for (i = 0; told->round == self.round && i < self.nnets; i++) {
		if (self.nets[i] != peer_pid(net))
			continue;
		self.nets[i] = self.nets[--self.nnets];
		if (self.nnets == 0)
			answer_all();
		return;
	}
}

/* One that has died or is stuck: what it knows stays unknown. */
static void
on_late(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	answer_all();
}

static void
answer_all(void)
{
	struct question *q;
	char *text;
	size_t i;

	self.nnets = 0;
	if (self.timer != NULL && event_del(self.timer) == -1)
		log_warnx("event_del");
	for (i = 0; i < QUESTIONS_MAX; i++) {
		q = &self.questions[i];
		if (q->asker == NULL)
			continue;
		text = print(q);
		control_answer(q->asker, text != NULL ? text :
		    "out of memory", text == NULL);
		q->asker = NULL;
		free(text);
	}
}

/* A line each, or objects with commas between.  NULL on ENOMEM. */
static char *
print(const struct question *q)
{
	struct list list = { 0 };
	char *text = NULL;
	size_t size;
	FILE *f;

	if ((list.all = calloc(visits_count() + 1, sizeof(*list.all))) == NULL)
		return (NULL);
	visits_each(collect, &list);
	if (list.n > 0)
		qsort(list.all, list.n, sizeof(*list.all), by_user);
	if ((f = open_memstream(&text, &size)) != NULL) {
		print_list(f, q, &list);
		if (fclose(f) == EOF) {
			free(text);
			text = NULL;
		}
	}
	free(list.all);
	return (text);
}

static void
collect(struct visit *v, void *arg)
{
	struct list *list = arg;

	list->all[list->n++] = v;
}

static int
by_user(const void *a, const void *b)
{
	const struct visit *v = *(struct visit *const *)a;
	const struct visit *w = *(struct visit *const *)b;
	int r = strcmp(v->owner->user, w->owner->user);

	return (r != 0 ? r : (v->serial > w->serial) -
	    (v->serial < w->serial));
}

static void
print_list(FILE *f, const struct question *q, const struct list *list)
{
	const char *sep = "", *user = NULL;
	char id[WHO_ID_SIZE];
	size_t i, first = 0, end = 0;

	for (i = 0; i < list->n; i++) {
		if (i == end) {
			user = list->all[i]->owner->user;
			first = i;
			while (end < list->n && strcmp(user,
			    list->all[end]->owner->user) == 0)
				end++;
		}
		if (!who_matches(&q->filter, list->all[i], id))
			continue;
		fputs(q->json ? sep : "", f);
		sep = ",\n ";
		print_one(f, q->json, list->all[i], id, end - first);
	}
}

static void
print_one(FILE *f, int json, const struct visit *v, const char *id,
    size_t of_user)
{
	char user[TEXT_SIZE], addr[TEXT_SIZE], service[16], since[32];
	char idle[24];
	time_t when = v->since;
	const char *state = v->session == NULL ? "parked" : "session";
	enum shown how = json ? SHOWN_JSON : SHOWN_TERMINAL;

	who_service(service, sizeof(service));
	shown_text(user, sizeof(user), v->owner->user, how);
	/* net's word */
	shown_text(addr, sizeof(addr), v->addr, how);
	snprintf(idle, sizeof(idle), "%u", v->idle);
	/* Who has just come was not asked about, and is not idle. */
	if (v->round != self.round && time(NULL) - v->since > WAIT_SECONDS)
		strlcpy(idle, json ? "null" : "-", sizeof(idle));
	if (json)
		fprintf(f, "{\"user\": \"%s\", \"service\": \"%s\", "
		    "\"address\": \"%s\", \"tls\": %s, \"since\": %lld, "
		    "\"idle\": %s, \"state\": \"%s\", \"connections\": %zu, "
		    "\"id\": \"%s\"}", user, service, addr,
		    v->tls ? "true" : "false", (long long)v->since, idle,
		    state, of_user, id);
	else {
		strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%S",
		    localtime(&when));
		fprintf(f, "%-28s %-7s %-24s %-3s %-19s %6s %-7s %5zu %s\n",
		    user, service, addr, v->tls ? "yes" : "no", since, idle,
		    state, of_user, id);
	}
}

int
who_matches(const struct who_filter *filter, const struct visit *v,
    char id[WHO_ID_SIZE])
{
	char service[16];
	struct who_facts facts = { .user = v->owner->user, .addr = v->addr,
	    .service = service, .id = id };

	who_service(service, sizeof(service));
	snprintf(id, WHO_ID_SIZE, "%s-%u", service, v->serial);
	return (who_filter_match(filter, &facts));
}

/* "imapd" serves "imap". */
void
who_service(char *to, size_t size)
{
	strlcpy(to, sv.daemon->name, size);
	to[strlen(to) - 1] = '\0';
}
