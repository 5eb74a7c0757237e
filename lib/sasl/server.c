/*
 * server: PLAIN and LOGIN as state machines; SCRAM-SHA-256 as far as a
 * process can carry it that holds no keys: lines in, messages out.
 *
 * Runs in processes that talk to strangers, before any login.  An exchange
 * holds one name and one password, of bounded length, and wipes both.  A line
 * is decoded once into a buffer on the stack; longer ones are not looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "sasl/base64.h"
#include "sasl/sasl.h"

#define MESSAGE_MAX	BASE64_DECODED(SASL_LINE_MAX)

struct mechanism {
	const char	*name;
	int		 stored;	/* needs stored keys */
	const char	*challenge;	/* without an initial response */
	enum sasl_status (*step)(struct sasl_server *, const char *, size_t);
};

struct sasl_server {
	const struct mechanism	*mech;
	const char		*challenge;
	char			 user[SASL_USER_MAX + 1];
	char			 pass[SASL_PASS_MAX + 1];
	unsigned int		 messages;	/* that auth has seen */
	char			 text[BASE64_ENCODED(SASL_MESSAGE) + 1];
};

static enum sasl_status	step_plain(struct sasl_server *, const char *, size_t);
static enum sasl_status	step_login(struct sasl_server *, const char *, size_t);
static enum sasl_status	step_scram(struct sasl_server *, const char *, size_t);

/* "Username:" and "Password:", which some clients insist on. */
static const struct mechanism mechanisms[] = {
	{ "SCRAM-SHA-256", 1, "", step_scram },
	{ "PLAIN", 0, "", step_plain },
	{ "LOGIN", 0, "VXNlcm5hbWU6", step_login },
};

#define NMECHANISMS	(sizeof(mechanisms) / sizeof(mechanisms[0]))
#define ASK_PASSWORD	"UGFzc3dvcmQ6"

const char *
sasl_mechanism(size_t i, int scram)
{
	size_t	n;

	for (n = 0; n < NMECHANISMS; n++)
		if ((scram || !mechanisms[n].stored) && i-- == 0)
			return (mechanisms[n].name);
	return (NULL);
}

struct sasl_server *
sasl_server_new(const char *name, int scram)
{
	struct sasl_server	*s;
	size_t			 i;

	for (i = 0; i < NMECHANISMS; i++)
		if ((scram || !mechanisms[i].stored) &&
		    strcasecmp(name, mechanisms[i].name) == 0)
			break;
	if (i == NMECHANISMS) {
		errno = ENOTSUP;
		return (NULL);
	}
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->mech = &mechanisms[i];
	s->challenge = s->mech->challenge;
	return (s);
}

void
sasl_server_free(struct sasl_server *s)
{
	freezero(s, sizeof(*s));
}

enum sasl_status
sasl_server_start(struct sasl_server *s, const char *initial, size_t len)
{
	if (initial == NULL)
		return (SASL_CHALLENGE);
	if (len == 1 && initial[0] == '=')
		len = 0;
	else if (len == 0)
		return (SASL_BAD_BASE64);
	return (sasl_server_step(s, initial, len));
}

enum sasl_status
sasl_server_step(struct sasl_server *s, const char *line, size_t len)
{
	char			 message[MESSAGE_MAX];
	size_t			 n;
	enum sasl_status	 status;

	if (len > SASL_LINE_MAX)
		return (SASL_TOO_LONG);
	if (len == 1 && line[0] == '*')
		return (SASL_CANCELLED);
	if (base64_decode(line, len, message, sizeof(message), &n) == -1)
		status = SASL_BAD_BASE64;
	else
		status = s->mech->step(s, message, n);
	explicit_bzero(message, sizeof(message));
	return (status);
}

const char *
sasl_server_challenge(const struct sasl_server *s)
{
	return (s->challenge);
}

const char *
sasl_server_user(const struct sasl_server *s)
{
	return (s->user);
}

const char *
sasl_server_pass(const struct sasl_server *s)
{
	return (s->pass);
}

const char *
sasl_server_mech(const struct sasl_server *s)
{
	return (s->mech->name);
}

const char *
sasl_server_message(const struct sasl_server *s)
{
	return (s->text);
}

int
sasl_server_begins(const struct sasl_server *s)
{
	return (s->messages == 1);
}

enum sasl_status
sasl_server_answer(struct sasl_server *s, const char *text)
{
	size_t	len = strlen(text);

	if (base64_encode(text, len, s->text, sizeof(s->text)) == -1)
		return (SASL_TOO_LONG);
	s->challenge = s->text;
	return (SASL_CHALLENGE);
}

static enum sasl_status
take_user(struct sasl_server *s, const char *p, size_t len)
{
	if (len > SASL_USER_MAX)
		return (SASL_TOO_LONG);
	if (sasl_prep_user(p, len) == -1)
		return (SASL_BAD_SYNTAX);
	memcpy(s->user, p, len);
	s->user[len] = '\0';
	return (SASL_DONE);
}

static enum sasl_status
take_pass(struct sasl_server *s, const char *p, size_t len)
{
	if (len > SASL_PASS_MAX)
		return (SASL_TOO_LONG);
	if (sasl_prep_pass(p, len) == -1)
		return (SASL_BAD_SYNTAX);
	memcpy(s->pass, p, len);
	s->pass[len] = '\0';
	return (SASL_DONE);
}

/*
 * RFC 4616: [authzid] NUL authcid NUL passwd.  Nobody may act for another
 * here, so that an authzid must be the authcid itself.  A third NUL would be
 * part of the password and is refused with it.
 */
static enum sasl_status
step_plain(struct sasl_server *s, const char *m, size_t len)
{
	const char		*user, *pass;
	size_t			 zlen, ulen;
	enum sasl_status	 status;

	if (len == 0 || (user = memchr(m, '\0', len)) == NULL)
		return (SASL_BAD_SYNTAX);
	zlen = (size_t)(user - m);
	user++;
	len -= zlen + 1;
	if ((pass = memchr(user, '\0', len)) == NULL)
		return (SASL_BAD_SYNTAX);
	ulen = (size_t)(pass - user);
	pass++;
	len -= ulen + 1;
	if (zlen != 0 && (zlen != ulen || memcmp(m, user, ulen) != 0))
		return (SASL_BAD_SYNTAX);
	if ((status = take_user(s, user, ulen)) != SASL_DONE)
		return (status);
	return (take_pass(s, pass, len));
}

/* draft-murchison-sasl-login-00 2.2: the name, then the password. */
static enum sasl_status
step_login(struct sasl_server *s, const char *m, size_t len)
{
	enum sasl_status	status;

	if (s->user[0] != '\0')
		return (take_pass(s, m, len));
	if ((status = take_user(s, m, len)) != SASL_DONE)
		return (status);
	s->challenge = ASK_PASSWORD;
	return (SASL_CHALLENGE);
}

/*
 * RFC 5802 5: text without NUL.  Three messages come: the first, the proof,
 * and an empty one that acknowledges the server's signature.
 */
static enum sasl_status
step_scram(struct sasl_server *s, const char *m, size_t len)
{
	if (len >= SASL_MESSAGE)
		return (SASL_TOO_LONG);
	if (memchr(m, '\0', len) != NULL || (len == 0) != (s->messages == 2))
		return (SASL_BAD_SYNTAX);
	memcpy(s->text, m, len);
	s->text[len] = '\0';
	s->messages++;
	return (SASL_ASK);
}
