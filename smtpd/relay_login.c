/*
 * relay_login: AUTH at a server (RFC 4954).
 *
 * A password leaves only over TLS with a verified certificate, or to this
 * very machine, and so does a proof of it.  It comes from lookup for one login
 * and is wiped after it.
 *
 * A server that offers SCRAM and refuses it may have nothing to do it with,
 * a hash of another kind for our account; then the password is sent.  That
 * gives nobody more than a server without SCRAM gets, which is who may see
 * the password.  One that has failed to prove itself gets nothing more.
 * Where a login fails the session ends: no other address of the same
 * destination would be better, and failures are counted elsewhere.
 */
#include "os/compat.h"
#include <sys/types.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log/log.h"
#include "net/addr.h"
#include "net/conn.h"
#include "privsep/role.h"
#include "sasl/client.h"
#include "smtpd/relay_login.h"
#include "smtpd/relay_session.h"
#include "smtpd/relay_state.h"

#define REPLY_SECONDS	300
#define SECRET_SECONDS	30
#define COMMAND_MAX	510	/* RFC 5321 4.5.3.1.4, without CRLF */
#define NONCE_BYTES	18
#define PROOF_MECH	"SCRAM-SHA-256"
#define REFUSERS	32		/* servers that are remembered */
#define REFUSER_SECONDS	3600

/*
 * Logins that were refused by SCRAM and granted otherwise: asked each time, a
 * server would count a failure for each session.
 */
static struct refuser {
	char	host[C_DOMAIN];
	char	label[C_USER];
	time_t	until;			/* monotonic; 0: free */
} refusers[REFUSERS];

static void	ask_secret(struct session *);
static struct refuser *refuser_find(const struct session *);
static void	login_failed(struct session *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));

void
login_begin(struct session *s)
{
	if (!(s->ehlo.offers & EHLO_AUTH)) {
		login_failed(s, "454 4.7.0 %s [%s] offers no AUTH",
		    session_host(s), session_addr(s));
		return;
	}
	if (!s->verified && !addr_is_loopback(session_addr(s))) {
		login_failed(s, "454 4.7.0 no password is sent to %s "
		    "[%s] without verified TLS", session_host(s),
		    session_addr(s));
		return;
	}
	s->no_proof = refuser_find(s) != NULL;
	ask_secret(s);
}

static void
ask_secret(struct session *s)
{
	s->phase = PHASE_SECRET;
	session_await(s, SECRET_SECONDS);
	login_ask_again(s);
}

static time_t
now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec);
}

static struct refuser *
refuser_find(const struct session *s)
{
	struct refuser	*r;

	for (r = refusers; r < refusers + REFUSERS; r++)
		if (r->until > now() && strcmp(r->host, session_host(s)) ==
		    0 && strcmp(r->label, s->dest.label) == 0)
			return (r);
	return (NULL);
}

static void
refuser_add(const struct session *s)
{
	static size_t	 next;
	struct refuser	*r = &refusers[next++ % REFUSERS];

	(void)strlcpy(r->host, session_host(s), sizeof(r->host));
	(void)strlcpy(r->label, s->dest.label, sizeof(r->label));
	r->until = now() + REFUSER_SECONDS;
}

/* Without lookup the question waits for the next one. */
void
login_ask_again(struct session *s)
{
	struct msg_SECRET_ASK	 ask = { .session = s->dest.session,
				    .route = s->dest.route };
	struct peer		*lookup = role_peer(ROLE_LOOKUP);

	if (s->phase != PHASE_SECRET || lookup == NULL)
		return;
	(void)strlcpy(ask.label, s->dest.label, sizeof(ask.label));
	peer_send(lookup, M_SECRET_ASK, &ask, -1);
}

/* The best mechanism of both; NULL: there is none, or no memory. */
static const char *
choose(struct session *s, const struct msg_SECRET *secret)
{
	const char *const	*m;
	unsigned char		 random[NONCE_BYTES];
	char			 nonce[2 * NONCE_BYTES + 1];
	size_t			 i;

	arc4random_buf(random, sizeof(random));
	for (i = 0; i < sizeof(random); i++)
		(void)snprintf(nonce + 2 * i, 3, "%02x", random[i]);
	m = secret->token ? sasl_client_token_mechanisms :
	    sasl_client_mechanisms;
	for (; *m != NULL; m++)
		if (ehlo_has_auth(&s->ehlo, *m) && !(s->no_proof &&
		    strcmp(*m, PROOF_MECH) == 0))
			break;
	if (*m == NULL || (s->sasl = sasl_client_new(*m, secret->user,
	    secret->pass, nonce)) == NULL)
		return (NULL);
	return (*m);
}

void
login_secret(struct session *s, const struct msg_SECRET *secret)
{
	const char	*mech, *first;
	size_t		 len;

	if (s->phase != PHASE_SECRET)
		return;
	if (!secret->found) {
		login_failed(s, "454 4.7.0 no password for \"%.100s\" "
		    "is known", s->dest.label);
		return;
	}
	if ((mech = choose(s, secret)) == NULL) {
		login_failed(s, "454 4.7.0 no way to log in at %s [%s]",
		    session_host(s), session_addr(s));
		return;
	}
	s->phase = PHASE_AUTH;
	s->proof = strcmp(mech, PROOF_MECH) == 0;
	first = sasl_client_initial(s->sasl);
	len = first != NULL ? strlen(first) : 0;
	/* RFC 4954 section 4: one that is too long waits to be asked for. */
	s->sasl_first = strlen("AUTH ") + strlen(mech) + 1 + len > COMMAND_MAX;
	if (first == NULL || s->sasl_first)
		conn_printf(s->conn, "AUTH %s\r\n", mech);
	else
		conn_printf(s->conn, "AUTH %s %s\r\n", mech, first);
	session_await(s, REPLY_SECONDS);
}

/*
 * login_begin() has made sure of who is at the other end, whatever the list of
 * mechanisms says, which somebody on the way could have changed.
 */
static int
may_send_password(const struct session *s, const struct reply *r)
{
	return (s->proof && r->code / 100 == 5 && !sasl_client_done(s->sasl) &&
	    (ehlo_has_auth(&s->ehlo, "PLAIN") ||
	    ehlo_has_auth(&s->ehlo, "LOGIN")));
}

void
login_reply(struct session *s, const struct reply *r)
{
	const char	*answer;
	char		 text[C_REPLY];

	if (r->code == 334) {
		if (s->sasl_first) {
			s->sasl_first = 0;
			answer = sasl_client_initial(s->sasl);
		} else
			answer = sasl_client_step(s->sasl, r->text,
			    r->textlen);
		if (answer == NULL) {
			login_failed(s, "454 4.7.0 %s [%s] makes no sense in "
			    "our login", session_host(s), session_addr(s));
			return;
		}
		conn_printf(s->conn, "%s\r\n", answer);
		session_await(s, REPLY_SECONDS);
		return;
	}
	if (r->code != 235) {
		reply_print(r, text, sizeof(text));
		if (may_send_password(s, r)) {
			log_info("%s [%s] offers and refuses " PROOF_MECH
			    ": %.200s; the password is sent%s",
			    session_host(s), session_addr(s), text,
			    s->verified ? " over verified TLS" : "");
			sasl_client_free(s->sasl);
			s->sasl = NULL;
			s->no_proof = 1;
			ask_secret(s);
			return;
		}
		login_failed(s, "454 4.7.8 %s [%s] refuses our login: %.200s",
		    session_host(s), session_addr(s), text);
		return;
	}
	if (!sasl_client_done(s->sasl)) {
		login_failed(s, "454 4.7.0 %s [%s] does not know the "
		    "password itself", session_host(s), session_addr(s));
		return;
	}
	if (s->no_proof && refuser_find(s) == NULL &&
	    ehlo_has_auth(&s->ehlo, PROOF_MECH))
		refuser_add(s);
	sasl_client_free(s->sasl);
	s->sasl = NULL;
	s->loggedin = 1;
	session_ready(s);
}

static void
login_failed(struct session *s, const char *fmt, ...)
{
	char	reply[C_REPLY];
	va_list	ap;

	va_start(ap, fmt);
	if (vsnprintf(reply, sizeof(reply), fmt, ap) < 0)
		reply[0] = '\0';
	va_end(ap);
	session_closed(s, END_FAILED, reply);
}
