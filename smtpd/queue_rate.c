/*
 * queue_rate: a bucket of tokens an address, in a table that does not grow.
 *
 * An address that is not in the table takes the place of one of its bucket
 * that was not used for longest: so many others have to come in between that
 * the limit for all holds them.
 */
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "smtpd/contract.h"
#include "smtpd/queue_rate.h"

#define SETS		512
#define WAYS		4
#define HOUR		3600

/* Tokens are counted in seconds times their number an hour. */
struct bucket {
	char		addr[C_MAILADDR];
	int64_t		used;
	int64_t		filled;		/* when tokens was right */
	int64_t		tokens;
};

static struct bucket	sets[SETS][WAYS];
static struct bucket	all;

static unsigned int
hash(const char *s)
{
	unsigned int	h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ ((unsigned char)*s | 0x20)) * 16777619u;
	return (h % SETS);
}

static void
fill(struct bucket *b, int64_t now, int64_t most)
{
	int64_t	passed = now - b->filled;

	if (b->filled == 0 || passed >= HOUR)
		b->tokens = most * HOUR;
	else if (passed > 0)
		b->tokens += passed * most;
	if (b->tokens > most * HOUR)
		b->tokens = most * HOUR;
	b->filled = now;
}

static struct bucket *
find(const char *addr)
{
	struct bucket	*set = sets[hash(addr)], *b = &set[0];
	size_t		 i;

	for (i = 0; i < WAYS; i++) {
		if (strcasecmp(set[i].addr, addr) == 0)
			return (&set[i]);
		if (set[i].used < b->used)
			b = &set[i];
	}
	memset(b, 0, sizeof(*b));
	strlcpy(b->addr, addr, sizeof(b->addr));
	return (b);
}

int
rate_allows(const char *addr, unsigned int each, unsigned int most,
    int64_t now)
{
	struct bucket	*b = find(addr);

	fill(b, now, each);
	fill(&all, now, most);
	b->used = now;
	if (b->tokens < HOUR || all.tokens < HOUR)
		return (b->tokens < HOUR ? 0 : -1);
	b->tokens -= HOUR;
	all.tokens -= HOUR;
	return (1);
}
