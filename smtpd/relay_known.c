/*
 * relay_known: what is known of each address that mail is sent to.
 *
 * Slow start as for each destination in queue: many domains at one host are,
 * for that host, one client.
 */
#include <sys/types.h>

#include <stdlib.h>
#include <string.h>

#include "smtpd/relay_known.h"

#define BUCKETS		1024

static struct {
	LIST_HEAD(, known)	 buckets[BUCKETS];
	TAILQ_HEAD(, known)	 all;
	size_t			 n;
} self = { .all = TAILQ_HEAD_INITIALIZER(self.all) };

static uint32_t
hash(uint32_t h, const char *s)
{
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return (h);
}

static void
drop(struct known *k)
{
	LIST_REMOVE(k, bucket);
	TAILQ_REMOVE(&self.all, k, use);
	self.n--;
	free(k);
}

/* Connections are far fewer than KNOWN_MAX: one is always out of use. */
static void
make_room(void)
{
	struct known	*k;

	TAILQ_FOREACH(k, &self.all, use)
		if (k->nopen == 0 && k->nwaiting == 0) {
			drop(k);
			return;
		}
}

static struct known *
add(const char *addr, unsigned int port, const char *source)
{
	static uint32_t	 line;
	struct known	*k;

	if (self.n >= KNOWN_MAX)
		make_room();
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return (NULL);
	(void)strlcpy(k->addr, addr, sizeof(k->addr));
	(void)strlcpy(k->source, source, sizeof(k->source));
	k->port = port;
	if (++line == 0)
		line++;
	k->line = line;
	k->window = KNOWN_FIRST;
	k->enough = KNOWN_MOST;
	LIST_INIT(&k->sessions);
	TAILQ_INIT(&k->waiting);
	TAILQ_INSERT_TAIL(&self.all, k, use);
	self.n++;
	return (k);
}

struct known *
known_get(const char *addr, unsigned int port, const char *source)
{
	uint32_t	 h = hash(hash(2166136261u ^ port, addr), source);
	struct known	*k;

	LIST_FOREACH(k, &self.buckets[h % BUCKETS], bucket)
		if (k->port == port && strcmp(k->addr, addr) == 0 &&
		    strcmp(k->source, source) == 0) {
			TAILQ_REMOVE(&self.all, k, use);
			TAILQ_INSERT_TAIL(&self.all, k, use);
			return (k);
		}
	if ((k = add(addr, port, source)) != NULL)
		LIST_INSERT_HEAD(&self.buckets[h % BUCKETS], k, bucket);
	return (k);
}

static int64_t
age(const struct known *k, int64_t now)
{
	return (now > k->failed ? now - k->failed : 0);
}

enum known_may
known_may(const struct known *k, uint64_t believe, int64_t since, int64_t now)
{
	if (k->down && (k->failed > since ||
	    (uint64_t)age(k, now) < believe * 1000))
		return (KNOWN_DOWN);
	return (k->nopen < k->window ? KNOWN_GO : KNOWN_FULL);
}

unsigned int
known_rest(const struct known *k, uint64_t believe, int64_t now)
{
	uint64_t	gone = (uint64_t)age(k, now) / 1000;

	return (gone < believe ? (unsigned int)(believe - gone) : 1);
}

/* While others are served it is only that there were too many. */
int
known_failed(struct known *k, const char *why, int64_t now)
{
	if (k->nready > 0) {
		k->window = k->enough = k->nready;
		k->took = 0;
		return (0);
	}
	k->down = 1;
	k->failed = now;
	k->window = 1;
	(void)strlcpy(k->why, why, sizeof(k->why));
	return (1);
}

void
known_reached(struct known *k)
{
	k->down = 0;
	k->nready++;
}

int
known_took(struct known *k)
{
	if (k->window >= KNOWN_MOST || (k->window >= k->enough &&
	    ++k->took < KNOWN_SLOWLY * k->window))
		return (0);
	k->took = 0;
	k->window++;
	return (1);
}

size_t
known_count(void)
{
	return (self.n);
}
