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
};

struct supervise sv;
static struct conf	conf;
static char		alice_name[] = "alice", bob_name[] = "bob";
static char		home[] = "/h";
static struct peer	alice = {
	.owner = { 1000, 100, 0, 0, alice_name, home }
};
static struct peer	bob = {
	.owner = { 1001, 100, 0, 0, bob_name, home }
};
static struct peer	watcher;
static uint64_t		last;
static int		full;		/* no session can be started */
static unsigned int	parked_total, parked_now;

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
changed(uint64_t key)
{
	struct msg_DIR_CHANGED body = { .key = key };
	struct msg m = { .type = M_DIR_CHANGED, .body = &body, .fd = -1 };

	parent_dir_changed(&watcher, &m);
}

/* Both ends: net's, and the one that is parked. */
static int
channel(int *mine)
{
	int sp[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp) == -1)
		exit(1);
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
test_comes_back(void)
{
	char c = 0;
	int net, fd;

	reset();
	net = channel(&fd);
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
	close(net);
}

/* Bob's session knows the number of a connection of Alice's. */
static void
test_numbers_of_others(void)
{
	int net[2], fd;
	char c;

	reset();
	net[0] = channel(&fd);
	park(&alice, 7, "state of alice", fd);
	watch(&bob, 7);
	unwatch(&bob, 7);
	net[1] = channel(&fd);
	park(&bob, 7, "state of bob", fd);
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
	int net, fd;

	reset();
	net = channel(&fd);
	watch(&alice, 9);
	park(&alice, 9, "idle", fd);
	watch(&alice, 10);
	parked_session_gone(&bob);
	parked_session_gone(&alice);
	reset();
	TEST("write", write(net, "x", 1) == 1);
	turn();
	TEST("what is parked stays", alice.sent == 1);
	close(net);
}

static void
test_changes(void)
{
	uint64_t key, other;
	int net, fd;

	reset();
	net = channel(&fd);
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
}

static void
test_not_a_connection(void)
{
	int net, fd, p[2];

	reset();
	park(&bob, 1, "file", open("/dev/null", O_RDONLY));
	if (pipe(p) == 0)
		park(&bob, 2, "pipe", p[0]);
	close(p[1]);
	park(&bob, 3, "datagrams", socket(AF_UNIX, SOCK_DGRAM, 0));
	turn();
	TEST("no connection, no session", bob.sent == 0);
	net = channel(&fd);
	park(&bob, 4, "x", fd);
	close(net);
	turn();
	TEST("a client that has gone costs none", bob.sent == 0);
}

static void
test_limit(void)
{
	static int net[600];
	int i, fd;

	reset();
	for (i = 0; i < 600; i++) {
		net[i] = channel(&fd);
		park(&bob, (uint64_t)i, "x", fd);
	}
	i = channel(&fd);
	park(&alice, 1, "hers", fd);
	turn();
	for (fd = 0; fd < 600; fd++)
		(void)send(net[fd], "x", 1, MSG_NOSIGNAL);
	TEST("write", write(i, "x", 1) == 1);
	for (fd = 0; fd < 100; fd++)
		turn();
	TEST("bounded for one", bob.sent == 256);
	TEST("there is room for others", alice.sent == 1);
	for (fd = 0; fd < 600; fd++)
		close(net[fd]);
	close(i);
}

static void
test_no_session(void)
{
	int net, fd;

	reset();
	net = channel(&fd);
	park(&alice, 5, "waits", fd);
	full = 1;
	TEST("write", write(net, "x", 1) == 1);
	turn();
	turn();
	TEST("no session to be had", alice.sent == 0);
	full = 0;
	close(net);
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
	test_not_a_connection();
	test_limit();
	test_no_session();
	TEST_DONE();
}
