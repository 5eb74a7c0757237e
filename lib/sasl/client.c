/*
 * client: PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 (RFC 5802, RFC 7677), and
 * with a token OAUTHBEARER (RFC 7628) and XOAUTH2, as one logs in elsewhere.
 *
 * Reads challenges of a server that is not trusted.  Holds the password for
 * one exchange and wipes it.  A SCRAM server may ask for iterations up to
 * SCRAM_ITERATIONS_MAX, which is what an exchange can cost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "sasl/base64.h"
#include "sasl/client.h"
#include "sasl/scram.h"

#define PLAIN_MAX	(SASL_USER_MAX + SASL_PASS_MAX + 2)
/* What is around a token, with each comma of a name written as three. */
#define BEARER_MAX	(3 * SASL_USER_MAX + SASL_TOKEN_MAX + 40)
#define RESPONSE_MAX	(BASE64_ENCODED(BEARER_MAX) + 1)

struct mechanism {
	const char	*name;
	int		(*first)(struct sasl_client *);
	const char	*(*step)(struct sasl_client *, const char *);
	int		 token;		/* in the place of the password */
};

struct sasl_client {
	const struct mechanism	*mech;
	int			 steps;		/* challenges answered */
	int			 proved;
	int			 initial;	/* response holds the first */
	char			 user[SASL_USER_MAX + 1];
	char			 pass[SASL_TOKEN_MAX + 1];
	char			 nonce[64];
	struct scram		 scram;
	char			 response[RESPONSE_MAX];
};

static int	 first_scram(struct sasl_client *);
static int	 first_plain(struct sasl_client *);
static int	 first_login(struct sasl_client *);
static int	 first_bearer(struct sasl_client *);
static int	 first_xoauth2(struct sasl_client *);
static const char *step_scram(struct sasl_client *, const char *);
static const char *step_plain(struct sasl_client *, const char *);
static const char *step_login(struct sasl_client *, const char *);
static const char *step_bearer(struct sasl_client *, const char *);
static const char *step_xoauth2(struct sasl_client *, const char *);

static const struct mechanism mechanisms[] = {
	{ "SCRAM-SHA-256", first_scram, step_scram, 0 },
	{ "PLAIN", first_plain, step_plain, 0 },
	{ "LOGIN", first_login, step_login, 0 },
	{ "OAUTHBEARER", first_bearer, step_bearer, 1 },
	{ "XOAUTH2", first_xoauth2, step_xoauth2, 1 },
};

#define NMECHANISMS	(sizeof(mechanisms) / sizeof(mechanisms[0]))

const char *const sasl_client_mechanisms[] = {
	"SCRAM-SHA-256", "PLAIN", "LOGIN", NULL
};
const char *const sasl_client_token_mechanisms[] = {
	"OAUTHBEARER", "XOAUTH2", NULL
};

/* RFC 6750 2.1: a token has no blanks and nothing beyond ASCII. */
static int
token_ok(const char *s)
{
	size_t	n;

	for (n = 0; s[n] != '\0'; n++)
		if (s[n] <= ' ' || s[n] > '~')
			return (0);
	return (n > 0 && n <= SASL_TOKEN_MAX);
}

struct sasl_client *
sasl_client_new(const char *name, const char *user, const char *pass,
    const char *nonce)
{
	struct sasl_client	*c;
	size_t			 i;

	for (i = 0; i < NMECHANISMS; i++)
		if (strcasecmp(name, mechanisms[i].name) == 0)
			break;
	if (i == NMECHANISMS) {
		errno = ENOTSUP;
		return (NULL);
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	c->mech = &mechanisms[i];
	if (sasl_prep_user(user, strlen(user)) == -1 ||
	    (c->mech->token ? !token_ok(pass) :
	    sasl_prep_pass(pass, strlen(pass)) == -1) ||
	    strlcpy(c->user, user, sizeof(c->user)) >= sizeof(c->user) ||
	    strlcpy(c->pass, pass, sizeof(c->pass)) >= sizeof(c->pass) ||
	    strlcpy(c->nonce, nonce, sizeof(c->nonce)) >= sizeof(c->nonce) ||
	    c->mech->first(c) == -1) {
		sasl_client_free(c);
		errno = EINVAL;
		return (NULL);
	}
	return (c);
}

void
sasl_client_free(struct sasl_client *c)
{
	freezero(c, sizeof(*c));
}

const char *
sasl_client_initial(const struct sasl_client *c)
{
	return (c->initial ? c->response : NULL);
}

const char *
sasl_client_step(struct sasl_client *c, const char *line, size_t len)
{
	char		 challenge[SCRAM_MESSAGE];
	const char	*answer;
	size_t		 n;

	if (base64_decode(line, len, challenge, sizeof(challenge) - 1, &n) ==
	    -1 || memchr(challenge, '\0', n) != NULL)
		return (NULL);
	challenge[n] = '\0';
	answer = c->mech->step(c, challenge);
	c->steps++;
	return (answer);
}

int
sasl_client_done(const struct sasl_client *c)
{
	return (c->proved);
}

static const char *
respond(struct sasl_client *c, const void *data, size_t len)
{
	if (base64_encode(data, len, c->response, sizeof(c->response)) == -1)
		return (NULL);
	return (c->response);
}

static int
first_scram(struct sasl_client *c)
{
	char	text[SCRAM_MESSAGE];

	if (scram_client_first(&c->scram, c->user, c->nonce, text,
	    sizeof(text)) == -1 || respond(c, text, strlen(text)) == NULL)
		return (-1);
	c->initial = 1;
	return (0);
}

/*
 * The server's last message, with which it proves that it knows the password's
 * verifier, comes as a challenge of its own and is answered by nothing
 * (RFC 4954 section 4, RFC 4422 5).
 */
static const char *
step_scram(struct sasl_client *c, const char *challenge)
{
	char		 text[SCRAM_MESSAGE];
	const char	*answer = NULL;

	if (c->steps == 0 && scram_client_final(&c->scram, c->pass, challenge,
	    text, sizeof(text)) == 0)
		answer = respond(c, text, strlen(text));
	if (c->steps == 1 && scram_client_check(&c->scram, challenge) == 1) {
		c->proved = 1;
		answer = "";
	}
	explicit_bzero(text, sizeof(text));
	return (answer);
}

/* [authzid] NUL authcid NUL passwd; nobody acts for another. */
static int
first_plain(struct sasl_client *c)
{
	char	text[PLAIN_MAX];
	size_t	ulen = strlen(c->user), plen = strlen(c->pass);
	int	rv;

	text[0] = '\0';
	memcpy(text + 1, c->user, ulen + 1);
	memcpy(text + 1 + ulen + 1, c->pass, plen);
	rv = respond(c, text, ulen + plen + 2) == NULL ? -1 : 0;
	explicit_bzero(text, sizeof(text));
	c->initial = 1;
	c->proved = 1;		/* nothing is asked of the server */
	return (rv);
}

static const char *
step_plain(struct sasl_client *c, const char *challenge)
{
	/* Only a server that took no initial response asks, with nothing. */
	if (c->steps > 0 || challenge[0] != '\0')
		return (NULL);
	return (c->response);
}

static int
first_login(struct sasl_client *c)
{
	c->proved = 1;
	return (0);
}

/* Whatever the two prompts say: first the name, then the password. */
static const char *
step_login(struct sasl_client *c, const char *challenge)
{
	(void)challenge;
	if (c->steps == 0)
		return (respond(c, c->user, strlen(c->user)));
	if (c->steps == 1)
		return (respond(c, c->pass, strlen(c->pass)));
	return (NULL);
}

/* RFC 7628 3.1, RFC 5801 4: in a name ',' and '=' are written as three. */
static int
first_bearer(struct sasl_client *c)
{
	char		 text[BEARER_MAX + 1], name[3 * SASL_USER_MAX + 1];
	char		*out = name;
	const char	*p;
	int		 n, rv;

	for (p = c->user; *p != '\0'; p++) {
		if (*p == ',' || *p == '=') {
			memcpy(out, *p == ',' ? "=2C" : "=3D", 3);
			out += 3;
		} else
			*out++ = *p;
	}
	*out = '\0';
	n = snprintf(text, sizeof(text), "n,a=%s,\001auth=Bearer %s\001\001",
	    name, c->pass);
	rv = n < 0 || (size_t)n >= sizeof(text) ||
	    respond(c, text, (size_t)n) == NULL ? -1 : 0;
	explicit_bzero(text, sizeof(text));
	c->initial = c->proved = 1;
	return (rv);
}

static int
first_xoauth2(struct sasl_client *c)
{
	char	text[BEARER_MAX + 1];
	int	n, rv;

	n = snprintf(text, sizeof(text), "user=%s\001auth=Bearer %s\001\001",
	    c->user, c->pass);
	rv = n < 0 || (size_t)n >= sizeof(text) ||
	    respond(c, text, (size_t)n) == NULL ? -1 : 0;
	explicit_bzero(text, sizeof(text));
	c->initial = c->proved = 1;
	return (rv);
}

/*
 * A challenge with something in it is why the token was refused, to be
 * answered before the server says so (RFC 7628 3.2.3).
 */
static const char *
step_bearer(struct sasl_client *c, const char *challenge)
{
	if (challenge[0] != '\0')
		return (c->steps <= 1 ? respond(c, "\001", 1) : NULL);
	return (c->steps == 0 ? c->response : NULL);
}

static const char *
step_xoauth2(struct sasl_client *c, const char *challenge)
{
	if (challenge[0] != '\0')
		return (c->steps <= 1 ? "" : NULL);
	return (c->steps == 0 ? c->response : NULL);
}
