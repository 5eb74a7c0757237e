/*
 * throttle: see throttle.h.  Names and addresses come from strangers; they
 * are only ever held as digests under a key of this process.
 */
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/lru.h"
#include "auth/throttle.h"
#include "os/compat.h"

#define USER_MAX	256
#define PRINT_SIZE	8	/* of a wrong password's digest */

struct counter {
	int64_t		since;		/* start of the window */
	int64_t		known;		/* pairs: the last login */
	unsigned int	failures;	/* in the window */
	unsigned int	streak;		/* addresses: since a login */
	unsigned char	last[PRINT_SIZE];	/* users: the last password */
};

struct throttle {
	unsigned char	 key[MAC_SIZE];
	struct lru	*addrs;
	struct lru	*users;
	struct lru	*pairs;
};

/* A login as it is counted. */
struct subject {
	char		addr[THROTTLE_ADDR];
	char		user[USER_MAX];
	int		loopback;
	unsigned char	addr_mac[MAC_SIZE];
	unsigned char	user_mac[MAC_SIZE];
	unsigned char	pair_mac[MAC_SIZE];
};

struct throttle *
throttle_new(void)
{
	struct throttle	*t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return (NULL);
	arc4random_buf(t->key, sizeof(t->key));
	t->addrs = lru_new(THROTTLE_ADDRS, sizeof(struct counter));
	t->users = lru_new(THROTTLE_USERS, sizeof(struct counter));
	t->pairs = lru_new(THROTTLE_PAIRS, sizeof(struct counter));
	if (t->addrs == NULL || t->users == NULL || t->pairs == NULL) {
		throttle_free(t);
		return (NULL);
	}
	return (t);
}

void
throttle_free(struct throttle *t)
{
	if (t == NULL)
		return;
	lru_free(t->addrs);
	lru_free(t->users);
	lru_free(t->pairs);
	freezero(t, sizeof(*t));
}

void
throttle_addr(const char *addr, char out[THROTTLE_ADDR])
{
	struct in6_addr	six;
	struct in_addr	four;

	if (inet_pton(AF_INET6, addr, &six) == 1) {
		if (IN6_IS_ADDR_V4MAPPED(&six)) {
			memcpy(&four, &six.s6_addr[12], sizeof(four));
			if (inet_ntop(AF_INET, &four, out, THROTTLE_ADDR) !=
			    NULL)
				return;
		}
		if (!IN6_IS_ADDR_LOOPBACK(&six))
			memset(&six.s6_addr[8], 0, 8);
		if (inet_ntop(AF_INET6, &six, out, THROTTLE_ADDR) != NULL)
			return;
	}
	/* no address: a name of at most that many bytes is as good */
	(void)strlcpy(out, addr, THROTTLE_ADDR);
}

/* User names are compared like those of tables. */
static void
lower(const char *in, char *out, size_t size)
{
	size_t	i;

	for (i = 0; i + 1 < size && in[i] != '\0'; i++)
		out[i] = in[i] >= 'A' && in[i] <= 'Z' ?
		    (char)(in[i] - 'A' + 'a') : in[i];
	out[i] = '\0';
}

static int
subject_init(const struct throttle *t, struct subject *s, const char *addr,
    const char *user)
{
	const char	*strings[2];

	throttle_addr(addr, s->addr);
	lower(user, s->user, sizeof(s->user));
	s->loopback = strncmp(s->addr, "127.", 4) == 0 ||
	    strcmp(s->addr, "::1") == 0;
	strings[0] = s->addr;
	strings[1] = s->user;
	if (mac_strings(t->key, strings, 1, s->addr_mac) == -1 ||
	    mac_strings(t->key, strings + 1, 1, s->user_mac) == -1 ||
	    mac_strings(t->key, strings, 2, s->pair_mac) == -1)
		return (-1);
	return (0);
}

/* Failures that still count. */
static unsigned int
failures(struct counter *c, int64_t now)
{
	if (c == NULL)
		return (0);
	if (now - c->since >= THROTTLE_WINDOW) {
		c->failures = c->streak = 0;
		c->since = now;
	}
	return (c->failures);
}

int
throttle_refuses(struct throttle *t, const char *addr, const char *user,
    int64_t now)
{
	struct subject	 s;
	struct counter	*pair;

	if (subject_init(t, &s, addr, user) == -1)
		return (1);
	pair = lru_get(t->pairs, s.pair_mac);
	if (pair != NULL && now - pair->known < THROTTLE_KNOWN)
		return (failures(pair, now) >= THROTTLE_LIMIT);
	if (!s.loopback &&
	    failures(lru_get(t->addrs, s.addr_mac), now) >= THROTTLE_LIMIT)
		return (1);
	return (failures(lru_get(t->users, s.user_mac), now) >=
	    THROTTLE_LIMIT);
}

/* 1 s, then 2, 4, 8, 15. */
static unsigned int
delay_of(const struct counter *c)
{
	unsigned int	seconds;

	if (c == NULL || c->streak <= 1)
		return (1);
	if (c->streak > 4)
		return (THROTTLE_DELAY_MAX);
	seconds = 1u << (c->streak - 1);
	return (seconds);
}

unsigned int
throttle_delay(struct throttle *t, const char *addr, int64_t now)
{
	struct subject	 s;
	struct counter	*c;

	if (subject_init(t, &s, addr, "") == -1)
		return (THROTTLE_DELAY_MAX);
	if ((c = lru_get(t->addrs, s.addr_mac)) != NULL)
		(void)failures(c, now);
	return (delay_of(c));
}

/* A counter, made if need be; a new one begins its window now. */
static struct counter *
counter(struct lru *l, const unsigned char mac[MAC_SIZE], int64_t now)
{
	struct counter	*c;

	if ((c = lru_put(l, mac)) == NULL)
		return (NULL);
	if (c->since == 0)
		c->since = now;
	(void)failures(c, now);
	return (c);
}

/* 1 if this is another password than the one that failed last. */
static int
another_password(const struct throttle *t, struct counter *c,
    const struct subject *s, const char *pass)
{
	const char	*strings[3] = { "password", s->user, pass };
	unsigned char	 mac[MAC_SIZE];

	if (mac_strings(t->key, strings, 3, mac) == -1 ||
	    memcmp(c->last, mac, sizeof(c->last)) == 0)
		return (0);
	memcpy(c->last, mac, sizeof(c->last));
	return (1);
}

unsigned int
throttle_failed(struct throttle *t, const char *addr, const char *user,
    const char *pass, int64_t now)
{
	struct subject	 s;
	struct counter	*ca, *cu, *cp;

	if (subject_init(t, &s, addr, user) == -1 ||
	    (ca = counter(t->addrs, s.addr_mac, now)) == NULL ||
	    (cu = counter(t->users, s.user_mac, now)) == NULL)
		return (THROTTLE_DELAY_MAX);
	if (!s.loopback)
		ca->streak++;
	if (another_password(t, cu, &s, pass)) {
		ca->failures++;
		/* made at a login only, so a flood cannot push them out */
		if ((cp = lru_get(t->pairs, s.pair_mac)) != NULL) {
			(void)failures(cp, now);
			cp->failures++;
		}
		cu->failures++;
	}
	return (delay_of(ca));
}

void
throttle_succeeded(struct throttle *t, const char *addr, const char *user,
    int64_t now)
{
	struct subject	 s;
	struct counter	*c;

	if (subject_init(t, &s, addr, user) == -1)
		return;
	if ((c = lru_get(t->addrs, s.addr_mac)) != NULL)
		c->streak = 0;
	if ((c = counter(t->pairs, s.pair_mac, now)) != NULL) {
		c->known = now;
		c->failures = 0;
	}
}
