/*
 * batch: many users and many files, and those who always have something.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "smtpd/handover_batch.h"
#include "test.h"

#define USERS		1000
#define FIRST_UID	5000
#define FILES		200
#define ROUNDS		200

static struct batches	all;

/* Every process that was started ends at once. */
static size_t
finish(unsigned int *served)
{
	size_t	i, n = 0;

	for (i = 0; i < BATCH_USERS; i++) {
		if (all.v[i].n == 0)
			continue;
		served[all.v[i].uid - FIRST_UID]++;
		all.v[i].n = 0;
		n++;
	}
	return (n);
}

/* Nobody's file ever goes: the directory is the same each time. */
static void
test_users(void)
{
	static unsigned int	served[USERS];
	unsigned int		least, most;
	size_t			i, turns = 0, next = 0;
	char			name[KEEP_NAME];

	while (next < 3 * USERS && turns++ < USERS) {
		for (; next < 3 * USERS; next++) {
			snprintf(name, sizeof(name), "%zu",
			    FIRST_UID + next % USERS);
			if (!batch_add(&all, FIRST_UID + next % USERS, 100,
			    name))
				break;
		}
		if (finish(served) > BATCH_USERS)
			break;
	}
	least = most = served[0];
	for (i = 0; i < USERS; i++) {
		least = served[i] < least ? served[i] : least;
		most = served[i] > most ? served[i] : most;
	}
	TEST("everybody-as-often", least == 3 && most == 3);
	TEST("no-more-turns-than-needed",
	    turns == (3 * USERS + BATCH_USERS - 1) / BATCH_USERS);
}

/* A process that does not end keeps its own batch only. */
static void
test_running(void)
{
	size_t	i;

	memset(&all, 0, sizeof(all));
	TEST("first", batch_add(&all, 1, 10, "1.a") == 1 &&
	    batch_add(&all, 1, 10, "1.b") == 1);
	for (i = 0; i < BATCH_USERS; i++)
		if (all.v[i].n > 0)
			break;
	TEST("two-files", i < BATCH_USERS && all.v[i].n == 2 &&
	    all.v[i].uid == 1 && all.v[i].gid == 10 &&
	    strcmp(all.v[i].names[1], "1.b") == 0);
	all.v[i].n = 0;
	all.v[i].running = 1;
	TEST("running-not-again", batch_add(&all, 1, 10, "1.c") == 1 &&
	    all.v[i].n == 0);
	for (i = 2; i <= BATCH_USERS; i++)
		if (!batch_add(&all, i, 10, "x"))
			break;
	TEST("all-others", i == BATCH_USERS + 1);
	TEST("no-room", batch_add(&all, i, 10, "x") == 0);
	TEST("no-room-but-his", batch_add(&all, 2, 10, "y") == 1);
}

/* Of the same files each time, every one has its turn. */
static void
test_files(void)
{
	static unsigned int	turns[FILES];
	char			name[KEEP_NAME];
	size_t			i, j, never = 0, wrong = 0;
	int			round;

	for (round = 0; round < ROUNDS; round++) {
		memset(&all, 0, sizeof(all));
		for (i = 0; i < FILES; i++) {
			snprintf(name, sizeof(name), "%zu", i);
			wrong += batch_add(&all, 7, 10, name) != 1;
		}
		for (i = 0; i < BATCH_USERS; i++)
			for (j = 0; j < all.v[i].n; j++)
				turns[strtoul(all.v[i].names[j], NULL, 10)]++;
	}
	for (i = 0; i < FILES; i++)
		never += turns[i] == 0;
	TEST("all-taken-or-drawn", wrong == 0);
	TEST("every-file-has-its-turn", never == 0);
}

int
main(void)
{
	test_users();
	test_running();
	test_files();
	TEST_DONE();
}
