/*
 * kill: a process that accepts messages is killed at any moment; whatever it
 * had acknowledged is there afterwards, as it was.
 */
#include "os/compat.h"
#include <sys/wait.h>
#include <event2/event.h>
#include <signal.h>

#include "spool.h"
#include "../test.h"

#define ROUNDS	25
#define ENOUGH	100		/* acknowledged, to be worth it */
#define WINDOW	40		/* messages that wait at a time */
#define IDS	200000

static unsigned char	 there[IDS], acked[IDS];
static unsigned int	 wrong, damaged;

static void
on_found(void *arg, enum record_type type, uint64_t id, const void *data,
    size_t len, const struct journal_place *place)
{
	if (id >= IDS || !spool_is_message(id, data, len))
		wrong++;
	else
		there[id] = 1;
}

static void
on_damaged(void *arg, const char *what)
{
	damaged++;
}

/* The victim. */

static uint64_t	next_id;
static int	ack = -1;

static void	give_one(void);

static void
on_done(void *arg, int error)
{
	uint64_t	id = (uint64_t)(uintptr_t)arg;

	if (error != 0 || write(ack, &id, sizeof(id)) != sizeof(id))
		_exit(1);
	give_one();
}

static void
give_one(void)
{
	struct journal_place	pl;
	uint64_t		id = next_id++;
	size_t			textlen = arc4random_uniform(20000);

	if (journal_append(RECORD_MESSAGE, id, spool_message(id, 40,
	    textlen), 48 + textlen, 48, NULL, on_done,
	    (void *)(uintptr_t)id, &pl) == -1)
		_exit(1);
	while (journal_oldest() + 3 < journal_newest())
		_exit(0);		/* the disk of a test is small */
}

static void
victim(int dirfd, int fd)
{
	struct event_base	*base;
	int			 i;

	ack = fd;
	if ((base = event_base_new()) == NULL || journal_open(base, dirfd,
	    on_found, on_damaged, NULL) == -1 || wrong > 0)
		_exit(1);
	for (i = 0; i < WINDOW; i++)
		give_one();
	event_base_dispatch(base);
	_exit(1);
}

/* Returns how many were acknowledged. */
static unsigned int
one_round(int dirfd)
{
	unsigned int	n = 0;
	uint64_t	id;
	pid_t		pid;
	int		p[2];

	if (pipe(p) == -1 || (pid = fork()) == -1)
		exit(2);
	if (pid == 0) {
		close(p[0]);
		victim(dirfd, p[1]);
	}
	close(p[1]);
	usleep(5000 + arc4random_uniform(120000));
	kill(pid, SIGKILL);
	while (read(p[0], &id, sizeof(id)) == sizeof(id))
		if (id < IDS) {
			acked[id] = 1;
			n++;
			if (id >= next_id)
				next_id = id + 1;
		}
	next_id += WINDOW;
	close(p[0]);
	if (waitpid(pid, NULL, 0) != pid)
		exit(2);
	return (n);
}

static void
drop_all(int dirfd)
{
	struct segments	list;
	char		name[SEGMENT_NAME];
	size_t		i;

	if (segments_list(dirfd, &list, 1) == -1)
		exit(2);
	for (i = 0; i < list.n; i++) {
		segment_name(list.v[i], name);
		(void)unlinkat(dirfd, name, 0);
	}
	free(list.v);
}

static unsigned int
missing(int dirfd)
{
	struct segments	list;
	unsigned int	n = 0;
	size_t		i;

	memset(there, 0, sizeof(there));
	if (segments_list(dirfd, &list, 1) == -1)
		exit(2);
	for (i = 0; i < list.n; i++)
		if (segment_scan(dirfd, list.v[i], on_found, on_damaged,
		    NULL) == -1)
			exit(2);
	free(list.v);
	for (i = 0; i < IDS; i++)
		n += acked[i] && !there[i];
	return (n);
}

int
main(void)
{
	unsigned int	round, total = 0, lost = 0;
	int		dirfd = spool_new();

	signal(SIGPIPE, SIG_IGN);
	/* On a crowded host a round may acknowledge next to nothing. */
	for (round = 0; round < ROUNDS || (total <= ENOUGH &&
	    round < 10 * ROUNDS); round++) {
		total += one_round(dirfd);
		lost += missing(dirfd);
		if (round % 4 == 3) {
			drop_all(dirfd);
			memset(acked, 0, sizeof(acked));
		}
	}
	TEST("some were acknowledged", total > ENOUGH);
	TEST("all of them are there", lost == 0);
	TEST("nothing else came out", wrong == 0);
	TEST("nothing was taken for damage", damaged == 0);
	spool_remove(dirfd);
	TEST_DONE();
}
