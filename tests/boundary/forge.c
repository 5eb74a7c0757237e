/*
 * forge: messages that may not pass.
 *
 * Without arguments: hold every combination of sender, receiver and type of
 * each daemon against the contract, whole and damaged.  A line a case.
 *
 * Started in the place of a role ("-x ROLE", or a per-user program) with the
 * channel to the parent as descriptor 3: play that role until GO, then send
 * what the file forge.conf beside the program says, "ROLE CASE".  Any other
 * role becomes the real program, which lies beside it as NAME.real.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/counter.h"
#include "daemon/limit.h"
#include "imsg/contract.h"
#include "privsep/contract.h"

#define BODY_MAX	65536

extern const struct contract	smtpd_contract, imapd_contract, pop3d_contract;

static int	failed;
static char	body[BODY_MAX];

struct frame {
	uint32_t	type, len, nfds, zero;
};

static void
say(const char *daemon, const char *name, const char *what, int ok,
    const char *why)
{
	if (ok)
		printf("ok boundary/contract/%s %s %s\n", daemon, name, what);
	else
		printf("not ok boundary/contract/%s %s %s: %s\n", daemon, name,
		    what, why == NULL ? "was accepted" : why);
	failed |= !ok;
}

static const char *
try(const struct contract *c, enum role from, enum role to, unsigned int when,
    uint32_t type, size_t len, unsigned int fds)
{
	struct msg	 m;
	const char	*why;
	char		*copy;

	/* Memory of its own, so that a sanitizer sees a read beyond it. */
	if ((copy = malloc(len + (len == 0))) == NULL)
		abort();
	memcpy(copy, body, len);
	why = contract_check(c, from, to, when, type, copy, len, fds, &m);
	free(copy);
	return (why);
}

/* Who may say what to whom: the table's rows and nothing else. */
static void
matrix(const struct contract *c, uint32_t type)
{
	const struct msg_def	*d = &c->msgs[type];
	unsigned int		 from, to;
	int			 ok = 1;

	for (from = 0; from < ROLE_COUNT; from++)
		for (to = 0; to < ROLE_COUNT; to++) {
			int may = (d->from & (1u << from)) != 0 &&
			    (d->to & (1u << to)) != 0;

			ok &= (try(c, from, to, d->when & WHEN_RUN ?
			    WHEN_RUN : WHEN_START, type, d->size, d->fds) ==
			    NULL) == may;
		}
	say(c->daemon, d->name, "senders and receivers", ok, "not as listed");
}

static void
damaged(const struct contract *c, uint32_t type)
{
	const struct msg_def	*d = &c->msgs[type];
	unsigned int		 when = d->when & WHEN_RUN ? WHEN_RUN :
				    WHEN_START;
	enum role		 from = 0, to = 0;
	size_t			 i, at = 0;
	uint64_t		 big;
	int			 ok = 1;

	while (!(d->from & (1u << from)))
		from++;
	while (!(d->to & (1u << to)))
		to++;
	ok &= try(c, from, to, when, type, d->size - 1, d->fds) != NULL;
	ok &= try(c, from, to, when, type, 0, d->fds) != NULL;
	ok &= try(c, from, to, when, type, d->size + d->tail + 1, d->fds) !=
	    NULL;
	ok &= try(c, from, to, when, type, d->size + d->tail, d->fds) == NULL;
	ok &= try(c, from, to, when, type, d->size, !d->fds) != NULL;
	ok &= try(c, from, to, when, type, d->size, 2) != NULL;
	if (d->when != WHEN_ANY)
		ok &= try(c, from, to, WHEN_ANY & ~d->when, type, d->size,
		    d->fds) != NULL;
	for (i = 0; i < d->nfields; i++) {
		const struct field_def *f = &d->fields[i];

		if (f->kind == FIELD_NUM && f->max != UINT64_MAX) {
			big = f->max + 1;
			memcpy(body + at, &big, sizeof(big));
			ok &= try(c, from, to, when, type, d->size, d->fds) !=
			    NULL;
		} else if (f->kind != FIELD_NUM) {
			memset(body + at, 'x', f->size);
			ok &= try(c, from, to, when, type, d->size, d->fds) !=
			    NULL;
		}
		memset(body + at, 0, f->size);
		at += f->size;
	}
	say(c->daemon, d->name, "damaged", ok, NULL);
}

/* What the design forbids by name, whatever the table has come to say. */
static void
never(const struct contract *c)
{
	static const struct {
		const char	*name;
		enum role	 from, to;
	} rows[] = {
		{ "SESSION_OPEN", ROLE_NET, ROLE_PARENT },
		{ "SESSION", ROLE_NET, ROLE_PARENT },
		{ "SESSION_CONN", ROLE_NET, ROLE_SESSION },
		{ "AUTH_DONE", ROLE_NET, ROLE_PARENT },
		{ "CLIENT_AUTH", ROLE_NET, ROLE_LOOKUP },
		{ "TX_OPEN", ROLE_NET, ROLE_QUEUE },
		{ "TX_ADD", ROLE_NET, ROLE_QUEUE },
		{ "TX_VERDICT", ROLE_NET, ROLE_QUEUE },
		{ "DELIVERY_OPEN", ROLE_NET, ROLE_PARENT },
		{ "DELIVERY_OPEN", ROLE_QUEUE, ROLE_PARENT },
		{ "KEY", ROLE_PARENT, ROLE_NET },
		{ "KEY", ROLE_SIGNER, ROLE_NET },
		{ "TABLE", ROLE_PARENT, ROLE_NET },
		{ "CONF", ROLE_NET, ROLE_PARENT },
		{ "SECRET", ROLE_LOOKUP, ROLE_NET },
		{ "SECRET_ASK", ROLE_NET, ROLE_LOOKUP },
		{ "CTL_ASK", ROLE_NET, ROLE_PARENT },
		{ "SIGN", ROLE_RELAY, ROLE_SIGNER },
		{ "SIGN", ROLE_SESSION, ROLE_SIGNER },
		{ "CONN_ENDED", ROLE_NET, ROLE_PARENT },
		{ "CONN_IDLE", ROLE_SESSION, ROLE_PARENT },
		{ "KICK", ROLE_NET, ROLE_SESSION },
		{ "PARK", ROLE_NET, ROLE_PARENT },
		{ "WATCH", ROLE_NET, ROLE_PARENT },
		{ "RESUME", ROLE_NET, ROLE_SESSION },
		{ "DIR_WATCH", ROLE_SESSION, ROLE_WATCH },
	};
	size_t		i;
	uint32_t	t;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (t = 0; t < c->nmsgs; t++)
			if (strcmp(c->msgs[t].name, rows[i].name) == 0)
				say(c->daemon, rows[i].name,
				    role_name(rows[i].from), try(c,
				    rows[i].from, rows[i].to, WHEN_RUN, t,
				    c->msgs[t].size, c->msgs[t].fds) != NULL,
				    NULL);
}

static int
unit(void)
{
	static const struct contract *const all[] = {
		&smtpd_contract, &imapd_contract, &pop3d_contract
	};
	size_t		i;
	uint32_t	t;

	for (i = 0; i < 3; i++) {
		for (t = 0; t < all[i]->nmsgs; t++) {
			matrix(all[i], t);
			damaged(all[i], t);
		}
		say(all[i]->daemon, "type", "beyond the last", try(all[i],
		    ROLE_PARENT, ROLE_NET, WHEN_RUN, all[i]->nmsgs, 8, 0) !=
		    NULL && try(all[i], ROLE_PARENT, ROLE_NET, WHEN_RUN,
		    UINT32_MAX, 8, 0) != NULL, NULL);
		never(all[i]);
	}
	return (failed);
}

/* The live part. */

static int	channels[ROLE_COUNT];

static void
die(const char *what)
{
	fprintf(stderr, "forge: %s\n", what);
	_exit(3);
}

static void
put(int to, uint32_t type, size_t len, unsigned int claimed, int fd)
{
	struct frame	 h = { type, len, claimed, 0 };
	struct iovec	 iov[2] = { { &h, sizeof(h) }, { body, len } };
	struct msghdr	 mh = { .msg_iov = iov, .msg_iovlen = 2 };
	union {
		struct cmsghdr	h;
		char		b[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct cmsghdr	*cm;

	if (fd != -1) {
		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = ctl.b;
		mh.msg_controllen = sizeof(ctl.b);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	}
	if (sendmsg(to, &mh, MSG_NOSIGNAL) == -1)
		die("sendmsg");
}

/* One frame; the descriptor that came with it, or -1. */
static int
take(struct frame *h)
{
	struct iovec	 iov = { h, sizeof(*h) };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union {
		struct cmsghdr	h;
		char		b[CMSG_SPACE(sizeof(int) * 16)];
	} ctl;
	struct cmsghdr	*cm;
	ssize_t		 n;
	size_t		 got = 0;
	int		 fd = -1;

	mh.msg_control = ctl.b;
	mh.msg_controllen = sizeof(ctl.b);
	if (recvmsg(3, &mh, MSG_WAITALL) != sizeof(*h) || h->len > BODY_MAX)
		die("the channel ended");
	for (cm = CMSG_FIRSTHDR(&mh); cm != NULL; cm = CMSG_NXTHDR(&mh, cm))
		memcpy(&fd, CMSG_DATA(cm), sizeof(fd));
	while (got < h->len) {
		if ((n = read(3, body + got, h->len - got)) <= 0)
			die("the channel ended");
		got += n;
	}
	return (fd);
}

/* Wait for one of this type; what it carries is in body. */
static int
await(uint32_t type)
{
	struct frame	h;
	int		fd;

	do {
		fd = take(&h);
	} while (h.type != type);
	return (fd);
}

/* A session that has one connection, and what it makes of that. */
static void
play_session(const char *what)
{
	uint64_t	id;
	int		fd = await(M_SESSION_CONN), i;

	memcpy(&id, body, sizeof(id));
	memset(body, 0, sizeof(body));
	if (strcmp(what, "park-other") == 0 || strcmp(what, "ended-other") == 0)
		id++;
	memcpy(body, &id, sizeof(id));
	if (strcmp(what, "park-other") == 0)
		put(3, M_PARK, sizeof(struct msg_PARK), 1, fd);
	else if (strcmp(what, "park-socket") == 0)
		put(3, M_PARK, sizeof(struct msg_PARK), 1, 3);
	else if (strcmp(what, "park-file") == 0)
		put(3, M_PARK, sizeof(struct msg_PARK), 1,
		    open("/", O_RDONLY | O_DIRECTORY));
	else if (strcmp(what, "ended-other") == 0)
		put(3, M_CONN_ENDED, sizeof(struct msg_CONN_ENDED), 0, -1);
	else if (strcmp(what, "ended-twice") == 0) {
		put(3, M_CONN_ENDED, sizeof(struct msg_CONN_ENDED), 0, -1);
		put(3, M_CONN_ENDED, sizeof(struct msg_CONN_ENDED), 0, -1);
	} else if (strcmp(what, "watch-fill") == 0) {
		for (i = 0; i < 500; i++)
			put(3, M_WATCH, sizeof(struct msg_WATCH), 1,
			    open("/", O_RDONLY | O_DIRECTORY));
	} else
		die("no such case");
}

/* A watch that refuses each. */
static void
play_watch(void)
{
	for (;;) {
		close(await(M_DIR_WATCH));
		put(3, M_DIR_UNWATCHED, sizeof(struct msg_DIR_UNWATCHED), 0,
		    -1);
	}
}

static void
play(const char *what)
{
	struct msg_PEER_BAD	*bad = (struct msg_PEER_BAD *)body;
	struct msg_AUTH_TRY	*auth = (struct msg_AUTH_TRY *)body;
	struct msg_COUNTED	*count = (struct msg_COUNTED *)body;
	struct msg_LIMIT_USE	*use = (struct msg_LIMIT_USE *)body;

	memset(body, 0, sizeof(body));
	if (strcmp(what, "parent-sender") == 0)
		put(3, M_SESSION_OPEN, sizeof(struct msg_SESSION_OPEN), 0, -1);
	else if (strcmp(what, "parent-receiver") == 0)
		put(3, M_AUTH_TRY, sizeof(struct msg_AUTH_TRY), 0, -1);
	else if (strcmp(what, "parent-unknown") == 0)
		put(3, 9999, 8, 0, -1);
	else if (strcmp(what, "parent-length") == 0)
		put(3, M_READY, sizeof(struct msg_READY) - 1, 0, -1);
	else if (strcmp(what, "parent-huge") == 0)
		put(3, M_READY, BODY_MAX, 0, -1);
	else if (strcmp(what, "parent-descriptor") == 0)
		put(3, M_READY, sizeof(struct msg_READY), 1, 0);
	else if (strcmp(what, "parent-string") == 0) {
		memset(bad->why, 'x', sizeof(bad->why));
		put(3, M_PEER_BAD, sizeof(*bad), 0, -1);
	} else if (strcmp(what, "parent-range") == 0) {
		bad->pid = UINT64_MAX;
		put(3, M_PEER_BAD, sizeof(*bad), 0, -1);
	} else if (strcmp(what, "parent-rate") == 0) {
		int i;

		for (i = 0; i < 100; i++)
			put(3, M_PEER_BAD, sizeof(*bad), 0, -1);
	} else if (strcmp(what, "parent-counter") == 0) {
		count->id = COUNTER_PROCESSES;	/* the parent's to count */
		count->add = 1;
		put(3, M_COUNTED, sizeof(*count), 0, -1);
	} else if (strcmp(what, "parent-limit") == 0) {
		use->id = LIMIT_DELIVERERS;	/* the queue's to report */
		use->reached = 1;
		put(3, M_LIMIT_USE, sizeof(*use), 0, -1);
	} else if (strcmp(what, "blame") == 0) {
		bad->pid = getppid();
		put(3, M_PEER_BAD, sizeof(*bad), 0, -1);
	} else if (strcmp(what, "auth-type") == 0)
		put(channels[ROLE_AUTH], M_SIGN, sizeof(struct msg_SIGN), 0,
		    -1);
	else if (strcmp(what, "auth-range") == 0) {
		auth->tls = 7;
		put(channels[ROLE_AUTH], M_AUTH_TRY, sizeof(*auth), 0, -1);
	} else if (strcmp(what, "signer-type") == 0)
		put(channels[ROLE_SIGNER], M_KEY, sizeof(struct msg_KEY), 1,
		    0);
	else if (strcmp(what, "unwatched") == 0)
		play_watch();
	else if (strcmp(what, "none") != 0)
		play_session(what);
}

static void
role(const char *what)
{
	struct frame	h;
	uint64_t	number;
	int		fd;

	for (;;) {
		fd = take(&h);
		if (h.type == M_CHANNEL) {
			memcpy(&number, body, sizeof(number));
			if (number < ROLE_COUNT)
				channels[number] = fd;
		}
		if (h.type == M_GO)
			break;
	}
	play(what);
	for (;;)
		pause();
}

static void
live(char **argv, const char *name)
{
	char	self[1024], path[1100], line[128], who[32], what[32];
	char	*slash;
	ssize_t	n;
	FILE	*f;

	if ((n = readlink("/proc/self/exe", self, sizeof(self) - 1)) <= 0)
		die("no /proc");
	self[n] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		die("no path");
	snprintf(path, sizeof(path), "%.*s/forge.conf", (int)(slash - self),
	    self);
	if ((f = fopen(path, "r")) != NULL &&
	    fgets(line, sizeof(line), f) != NULL &&
	    sscanf(line, "%31s %31s", who, what) == 2 &&
	    strcmp(who, name) == 0)
		role(what);
	snprintf(path, sizeof(path), "%s.real", self);
	execv(path, argv);
	die("cannot become the real program");
}

int
main(int argc, char **argv)
{
	char	name[64] = "session";

	if (argc == 3 && strcmp(argv[1], "-x") == 0) {
		snprintf(name, sizeof(name), "%s", argv[2]);
		live(argv, name);
	}
	/* A per-user program has a channel, and a uid and gid from root. */
	if ((argc == 1 || (argc == 4 && strcmp(argv[1], "-u") == 0)) &&
	    fcntl(3, F_GETFD) != -1 &&
	    (strcmp(argv[0], "pop3d") == 0 || strcmp(argv[0], "imapd") == 0))
		live(argv, name);
	return (unit());
}
