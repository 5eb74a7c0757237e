/*
 * watch: notice of changes in directories, for everybody.
 *
 * As _mailwatch in an empty chroot.  Believes the parent and hears from nobody
 * else.  Holds descriptors of directories that their owners opened; under its
 * promises they can neither be listed nor entered (os/os.h).  What it tells is
 * a number.
 *
 * Cost: a descriptor a directory; a change takes a signal, a read and a
 * message.
 */
#include "os/compat.h"
#include <event2/event.h>
#include <unistd.h>

#include "log/log.h"
#include "os/os.h"
#include "privsep/contract.h"
#include "watch.h"

#define DIRS		WATCH_DIRS
#define NOTICES		256		/* a turn of the loop */

static struct {
	struct os_watch	*os;
	struct event	*ready;
	uint64_t	 keys[DIRS];	/* by descriptor; 0 none */
	int		 top;		/* one more than the highest used */
} self;

static void	watch_dir_watch(struct peer *, struct msg *);
static void	watch_dir_unwatch(struct peer *, struct msg *);
static void	watch_init(void);
static void	watch_go(void);
static void	on_notice(evutil_socket_t, short, void *);
static void	tell(uint64_t);

static const struct handler handlers[] = {
	{ M_DIR_WATCH,		watch_dir_watch },
	{ M_DIR_UNWATCH,	watch_dir_unwatch },
	{ 0, NULL }
};

const struct role_code watch_code = {
	.handlers = handlers,
	.init = watch_init,
	.go = watch_go,
};

static void
watch_init(void)
{
	if ((self.os = os_watch_new()) == NULL)
		fatal("watch");
}

static void
watch_go(void)
{
	self.ready = event_new(role_base(), os_watch_fd(self.os),
	    EV_READ | EV_PERSIST, on_notice, NULL);
	if (self.ready == NULL || event_add(self.ready, NULL) == -1)
		fatal("event");
}

static void
watch_dir_watch(struct peer *parent, struct msg *m)
{
	const struct msg_DIR_WATCH *watch = m->body;
	struct msg_DIR_UNWATCHED un = { 0 };

	if (m->fd >= DIRS || os_watch_add(self.os, m->fd) == -1) {
		/* Its owner has to look himself. */
		log_debug("a directory cannot be watched");
		un.key = watch->key;
		peer_send(parent, M_DIR_UNWATCHED, &un, -1);
		return;
	}
	self.keys[m->fd] = watch->key;
	if (m->fd >= self.top)
		self.top = m->fd + 1;
	m->fd = -1;
}

static void
watch_dir_unwatch(struct peer *parent, struct msg *m)
{
	const struct msg_DIR_UNWATCH *unwatch = m->body;
	int fd;

	(void)parent;
	for (fd = 0; fd < self.top; fd++) {
		if (self.keys[fd] != unwatch->key || unwatch->key == 0)
			continue;
		self.keys[fd] = 0;
		close(fd);
	}
	while (self.top > 0 && self.keys[self.top - 1] == 0)
		self.top--;
}

static void
on_notice(evutil_socket_t fd, short ev, void *arg)
{
	uint64_t told = 0;
	int dir, i, n, got = 0;

	(void)fd;
	(void)ev;
	(void)arg;
	for (n = 0; n < NOTICES; n++) {
		if ((got = os_watch_read(self.os, &dir)) != 1)
			break;
		if (dir == -1) {
			for (i = 0; i < self.top; i++)
				tell(self.keys[i]);
		} else if (dir >= 0 && dir < self.top &&
		    self.keys[dir] != told) {
			/* A delivery is two or three of them. */
			told = self.keys[dir];
			tell(told);
		}
	}
	if (got == -1)
		fatal("notices");
}

static void
tell(uint64_t key)
{
	struct msg_DIR_CHANGED changed = { .key = key };

	if (key != 0)
		peer_send(role_parent(), M_DIR_CHANGED, &changed, -1);
}
