/*
 * Parked connections and a session that lies: whatever it says, nothing of
 * another user's comes to it, and nothing of its own goes to another user.
 *
 * The parent around parked.c is played here; what it sends is kept.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "conf/conf.h"
#include "daemon/child.h"
#include "daemon/counter.h"
#include "daemon/parked.h"
#include "daemon/sessions.h"
#include "daemon/visits.h"
#include "log/log.h"

struct peer {
	struct session_owner owner;
	int		 killed;
	/* What it was sent last. */
	unsigned int	 sent;
	uint32_t	 type;
	uint64_t	 id;
	char		 state[64];
	int		 fd;
	uint64_t	 why;		/* of RESUME */
};

struct supervise sv;
static struct conf	conf;
static char		alice_name[] = "alice", bob_name[] = "bob";
static char		home[] = "/h";
static struct peer	alice = {
	.owner = { 1, 1000, 100, 0, { 0 }, alice_name, home }
};
static struct peer	bob = {
	.owner = { 1, 1001, 100, 0, { 0 }, bob_name, home }
};
static struct peer	watcher;
static uint64_t		last;
static int		full;		/* no session can be started */
static unsigned int	parked_total, parked_now;
static size_t		nperuser;

/* The parent's part. */

time_t
sv_now(void)
{
	static time_t now;

	return (now += 10);
}

const struct conf *
supervise_conf(void)
{
	return (&conf);
}

size_t
supervise_peruser_count(void)
{
	return (nperuser);
}

struct peer *
supervise_role(enum role role)
{
	return (role == ROLE_WATCH ? &watcher : NULL);
}

pid_t
peer_pid(const struct peer *p)
{
	return (p == &watcher ? 42 : 43);
}

void
counter_add(enum counter_id id, unsigned int n)
{
	parked_total += id == COUNTER_PARKED ? n : 0;
}

void
counter_now(enum counter_id id, unsigned int n)
{
	if (id == COUNTER_PARKED)
		parked_now = n;
}

void
supervise_kill(struct peer *p, const char *why)
{
	(void)why;
	p->killed++;
}

const struct session_owner *
sessions_owner(struct peer *p)
{
	return (&p->owner);
}

uint32_t
sessions_hash(const char *user)
{
	(void)user;
	return (1);			/* everybody in one bucket */
}

struct peer *
sessions_reach(const struct session_owner *o, unsigned int conn,
    uint64_t *number)
{
	if (full)
		return (NULL);
	*number = (uint64_t)++last << 32 | conn;
	if (o->uid == alice.owner.uid && strcmp(o->user, "alice") == 0)
		return (&alice);
	return (o->uid == bob.owner.uid && strcmp(o->user, "bob") == 0 ?
	    &bob : NULL);
}

void
peer_send_tail(struct peer *p, uint32_t type, const void *body,
    const void *tail, size_t len, int fd)
{
	p->sent++;
	p->type = type;
	memcpy(&p->id, body, sizeof(p->id));
	if (type == M_RESUME)
		p->why = ((const struct msg_RESUME *)body)->why;
	if (len < sizeof(p->state)) {
		memcpy(p->state, tail, len);
		p->state[len] = '\0';
	}
	if (p->fd > 0)
		close(p->fd);
	p->fd = fd;
}

void
peer_send(struct peer *p, uint32_t type, const void *body, int fd)
{
	peer_send_tail(p, type, body, "", 0, fd);
}

/* The session's part. */

static void
park(struct peer *from, uint64_t id, const char *state, int fd)
{
	struct msg_PARK body = { .id = id, .seconds = 1000000 };
	char tail[64];
	struct msg m = { .type = M_PARK, .body = &body, .tail = tail,
	    .taillen = strlen(state), .fd = fd };

	memcpy(tail, state, strlen(state));
	parent_park(from, &m);
	if (m.fd != -1)
		close(m.fd);
}

static void
watch(struct peer *from, uint64_t id)
{
	struct msg_WATCH body = { .id = id };
	struct msg m = { .type = M_WATCH, .body = &body,
	    .fd = open("/", O_RDONLY | O_DIRECTORY) };

	parent_watch(from, &m);
	if (m.fd != -1)
		close(m.fd);
}

static void
unwatch(struct peer *from, uint64_t id)
{
	struct msg_UNWATCH body = { .id = id };
	struct msg m = { .type = M_UNWATCH, .body = &body, .fd = -1 };

	parent_unwatch(from, &m);
}

static void
unwatched(uint64_t key)
{
	struct msg_DIR_UNWATCHED body = { .key = key };
	struct msg m = { .type = M_DIR_UNWATCHED, .body = &body, .fd = -1 };

	parent_dir_unwatched(&watcher, &m);
}

static void
kick_parked(struct visit *v, void *arg)
{
	(void)arg;
	parked_kick(v);
}

static void
changed(uint64_t key)
{
	struct msg_DIR_CHANGED body = { .key = key };
	struct msg m = { .type = M_DIR_CHANGED, .body = &body, .fd = -1 };

	parent_dir_changed(&watcher, &m);
}

/*
 * A login over connection conn of net's: net's end; *mine is the session's,
 * which knows it by conn alone.  -1 if there may be no more.
 */
static int
visit(struct peer *session, unsigned int conn, int *mine)
{
	struct msg_SESSION_OPEN ask = { .conn = conn, .addr = "192.0.2.1" };
	struct visit *v;
	int sp[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp) == -1)
		exit(1);
	if ((v = visits_new(&session->owner, &ask, 1, sp[1])) == NULL) {
		close(sp[0]);
		close(sp[1]);
		return (-1);
	}
	v->session = session;
	v->id = conn;
	*mine = sp[1];
	return (sp[0]);
}

static void
turn(void)
{
	(void)event_base_loop(sv.base, EVLOOP_NONBLOCK);
}

static void
reset(void)
{
	alice.sent = bob.sent = watcher.sent = 0;
	alice.killed = bob.killed = 0;
}

static void
clear(void)
{
	visits_session_gone(&alice);
	visits_session_gone(&bob);
	reset();
}

static void
test_comes_back(void)
{
	char c = 0;
	int net, fd;

	clear();
	net = visit(&alice, 7, &fd);
	park(&alice, 7, "state of alice", fd);
	turn();
	TEST("nothing yet", alice.sent == 0);
	TEST("counted", parked_total == 1 && parked_now == 1);
	TEST("the client speaks", write(net, "x", 1) == 1);
	turn();
	TEST("it comes back", alice.sent == 1 && alice.type == M_RESUME);
	TEST_STR("with its state", alice.state, "state of alice");
	TEST("with a number of its own", alice.id >> 32 == last &&
	    (uint32_t)alice.id == 7);
	TEST("nothing was read", read(alice.fd, &c, 1) == 1 && c == 'x');
	TEST("nobody else hears", bob.sent == 0);
	TEST("counted out", parked_total == 1 && parked_now == 0);
	turn();
	TEST("once", alice.sent == 1);
	TEST("by its new number", visits_find(&alice, alice.id) != NULL &&
	    visits_find(&alice, 7) == NULL);
	close(net);
}

/* Bob's session knows the number of a connection of Alice's. */
static void
test_numbers_of_others(void)
{
	int net[2], fd[2];
	char c;

	clear();
	net[0] = visit(&alice, 7, &fd[0]);
	park(&alice, 7, "state of alice", fd[0]);
	watch(&bob, 7);
	unwatch(&bob, 7);
	net[1] = visit(&bob, 8, &fd[1]);
	park(&bob, 7, "state of bob", dup(fd[1]));
	TEST("a number of hers", bob.killed == 1);
	park(&bob, 8, "state of bob", fd[1]);
	TEST("nothing was said to either", alice.sent == 0 && bob.sent == 0);
	TEST("write", write(net[0], "a", 1) == 1);
	turn();
	TEST("hers comes to her", alice.sent == 1 && bob.sent == 0);
	TEST_STR("her state", alice.state, "state of alice");
	TEST("her bytes", read(alice.fd, &c, 1) == 1 && c == 'a');
	TEST("write", write(net[1], "b", 1) == 1);
	turn();
	TEST("his to him", alice.sent == 1 && bob.sent == 1);
	TEST_STR("his state", bob.state, "state of bob");
	TEST("his bytes", read(bob.fd, &c, 1) == 1 && c == 'b');
	close(net[0]);
	close(net[1]);
}

/* A process of Bob's that ends takes nothing of Alice's with it. */
static void
test_session_gone(void)
{
	int net, other, fd;

	clear();
	other = visit(&alice, 10, &fd);
	close(fd);
	net = visit(&alice, 9, &fd);
	watch(&alice, 9);
	park(&alice, 9, "idle", fd);
	watch(&alice, 10);
	visits_session_gone(&bob);
	TEST("hers are there", visits_find(&alice, 10) != NULL);
	visits_session_gone(&alice);
	TEST("until she goes", visits_find(&alice, 10) == NULL);
	reset();
	TEST("write", write(net, "x", 1) == 1);
	turn();
	TEST("what is parked stays", alice.sent == 1);
	close(net);
	close(other);
}

static void
test_changes(void)
{
	uint64_t key, other;
	int net, his, fd;

	clear();
	his = visit(&bob, 11, &fd);
	close(fd);
	net = visit(&alice, 11, &fd);
	watch(&alice, 11);
	key = watcher.id;
	TEST("watch is told", watcher.sent == 1 && watcher.type == M_DIR_WATCH);
	watch(&bob, 11);
	other = watcher.id;
	TEST("each its key", key != other);
	changed(key);
	TEST("its session is told", alice.sent == 1 && bob.sent == 0 &&
	    alice.type == M_CHANGED && alice.id == 11);
	park(&alice, 11, "idle", fd);
	changed(12345678);
	TEST("no such key", alice.sent == 1 && bob.sent == 0);
	changed(key);
	TEST("a change wakes", alice.sent == 2 && alice.type == M_RESUME);
	TEST("and is watched no more", watcher.type == M_DIR_UNWATCH &&
	    watcher.id == key);
	changed(key);
	TEST("the key is gone", alice.sent == 2);
	changed(other);
	TEST("his", bob.sent == 1 && bob.type == M_CHANGED && bob.id == 11);
	unwatch(&bob, 11);
	changed(other);
	TEST("he wants no more", bob.sent == 1);
	close(net);
	close(his);
}

/* Two directories a connection; whoever is refused is told. */
static void
test_watch_limit(void)
{
	int net, fd, i;

	clear();
	net = visit(&bob, 20, &fd);
	for (i = 0; i < 2; i++)
		watch(&bob, 20);
	TEST("two", watcher.sent == 2 && bob.sent == 0);
	watch(&bob, 20);
	TEST("no third", watcher.type == M_DIR_UNWATCH && watcher.sent == 3);
	TEST("he is told", bob.sent == 1 && bob.type == M_UNWATCHED &&
	    bob.id == 20);
	watch(&bob, 21);
	TEST("nothing for what he has not", watcher.sent == 3);
	watch(&bob, 20);
	unwatched(watcher.id);
	TEST("watch refuses", bob.sent == 2 && bob.type == M_UNWATCHED);
	watch(&bob, 20);
	park(&bob, 20, "x", fd);
	TEST("parked", bob.sent == 2 && bob.killed == 0);
	unwatched(watcher.id);
	TEST("it comes back", bob.sent == 3 && bob.type == M_RESUME);
	close(net);
}

static void
test_not_its_own(void)
{
	int net, fd, p[2];

	clear();
	net = visit(&bob, 1, &fd);
	park(&bob, 1, "file", open("/dev/null", O_RDONLY));
	TEST("a file", bob.killed == 1);
	if (pipe(p) == 0)
		park(&bob, 1, "pipe", p[0]);
	close(p[1]);
	TEST("a pipe", bob.killed == 2);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0)
		park(&bob, 1, "another", p[0]);
	close(p[1]);
	TEST("another socket", bob.killed == 3);
	park(&bob, 2, "x", dup(fd));
	TEST("another number", bob.killed == 4);
	turn();
	TEST("no connection, no session", bob.sent == 0);
	park(&bob, 1, "x", fd);
	TEST("his own", bob.killed == 4);
	park(&bob, 1, "x", dup(net));
	TEST("once", bob.killed == 5);
	close(net);
	turn();
	TEST("a client that has gone costs none", bob.sent == 0 &&
	    visits_count() == 0);
}

static void
test_limit(void)
{
	static int net[300];
	int i, n, hers, fd;

	clear();
	for (n = 0; n < 300; n++) {
		if ((net[n] = visit(&bob, (unsigned int)n, &fd)) == -1)
			break;
		park(&bob, (uint64_t)n, "x", fd);
	}
	TEST("bounded for one", n == SESSION_CONNS);
	hers = visit(&alice, 1, &fd);
	park(&alice, 1, "hers", fd);
	for (i = 0; i < n; i++)
		(void)send(net[i], "x", 1, MSG_NOSIGNAL);
	TEST("write", write(hers, "x", 1) == 1);
	for (i = 0; i < 100; i++)
		turn();
	TEST("all come back", bob.sent == SESSION_CONNS);
	TEST("there is room for others", alice.sent == 1);
	for (i = 0; i < n; i++)
		close(net[i]);
	close(hers);
}

/* Nobody is cut off because there is no room: he stays with his session. */
static void
test_no_room(void)
{
	int net, fd;

	clear();
	nperuser = 1U << 30;
	net = visit(&alice, 5, &fd);
	park(&alice, 5, "hers", fd);
	nperuser = 0;
	TEST("given back", alice.sent == 1 && alice.type == M_RESUME &&
	    alice.why == PARK_FULL);
	TEST_STR("with its state", alice.state, "hers");
	TEST("it is hers", visits_find(&alice, alice.id) != NULL &&
	    parked_now == 0);
	close(net);
}

static void
test_kick(void)
{
	char line[100] = "";
	int net, fd;

	clear();
	net = visit(&alice, 5, &fd);
	park(&alice, 5, "x", fd);
	visits_each(kick_parked, NULL);
	TEST("is told", read(net, line, sizeof(line) - 1) > 0 &&
	    strncmp(line, "* BYE the administrator", 23) == 0);
	TEST("and closed", read(net, line, sizeof(line)) == 0 &&
	    visits_count() == 0 && alice.sent == 0 && parked_now == 0);
	close(net);
	net = visit(&alice, 6, &fd);
	visits_find(&alice, 6)->kicked = 1;
	park(&alice, 6, "x", fd);
	TEST("on its way to be parked", read(net, line, sizeof(line) - 1) > 0 &&
	    strncmp(line, "* BYE the administrator", 23) == 0);
	TEST("closed", read(net, line, sizeof(line)) == 0);
	TEST("forgotten", visits_count() == 0 && alice.killed == 0);
	close(net);
}

static void
test_no_session(void)
{
	int net, fd;

	clear();
	net = visit(&alice, 5, &fd);
	park(&alice, 5, "waits", fd);
	full = 1;
	TEST("write", write(net, "x", 1) == 1);
	turn();
	turn();
	TEST("no session to be had", alice.sent == 0);
	full = 0;
	close(net);
}

/* Who has moved or was made anew is another one. */
static void
test_owner(void)
{
	struct msg_SESSION_OPEN ask = { .uid = 5, .gid = 6, .quota = 7,
	    .user = "u", .home = "/h" }, other = ask;
	struct session_owner *o = owner_new(&ask);

	TEST("owner", o != NULL && owner_is(o, &ask));
	other.quota = 8;
	TEST("quota", o != NULL && owner_is(o, &other));
	other.uid = 4;
	TEST("uid", o != NULL && !owner_is(o, &other));
	other = ask;
	other.system = 1;
	TEST("source", o != NULL && !owner_is(o, &other));
	other = ask;
	strlcpy(other.home, "/g", sizeof(other.home));
	TEST("home", o != NULL && !owner_is(o, &other));
	owner_drop(o);
}

int
main(void)
{
	log_init("imapd", "");
	conf.max_sessions = 2000;
	if (freopen("/dev/null", "w", stderr) == NULL ||
	    (sv.base = event_base_new()) == NULL)
		return (1);
	test_comes_back();
	test_numbers_of_others();
	test_session_gone();
	test_changes();
	test_watch_limit();
	test_not_its_own();
	test_limit();
	test_no_room();
	test_kick();
	test_no_session();
	test_owner();
	TEST_DONE();
}
