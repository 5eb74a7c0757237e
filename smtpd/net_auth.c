/*
 * net_auth: AUTH (RFC 4954).  PLAIN and LOGIN are spoken here and judged in the
 * auth role; of SCRAM auth answers every message itself.  If it is good, lookup
 * says so, and a later transaction is judged by what lookup was told and not
 * by what this process says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/authask.h"
#include "sasl/sasl.h"
#include "smtp/command.h"
#include "smtpd/net.h"

void
auth_end(struct session *s, int forget)
{
	if (s->exchange && forget)
		authask_cancel(role_peer(ROLE_AUTH), s->id);
	s->exchange = 0;
	sasl_server_free(s->sasl);
	s->sasl = NULL;
	s->state = S_COMMAND;
}

const char *
auth_offer(void)
{
	static char	 line[64];
	const char	*mech;
	size_t		 i;

	if (line[0] != '\0')
		return (line);
	strlcpy(line, "AUTH", sizeof(line));
	for (i = 0; (mech = sasl_mechanism(i, conf_has_keys(net_config()))) !=
	    NULL; i++) {
		strlcat(line, " ", sizeof(line));
		strlcat(line, mech, sizeof(line));
	}
	return (line);
}

/* The verdict, or the next challenge, comes before the next line is read. */
static void
wait_for_auth(struct session *s)
{
	s->auth_pending = 1;
	s->known = 1;
	s->state = S_BUSY;
	conn_pause(s->conn);
}

/* NULL: the client was told. */
static struct peer *
find_auth(struct session *s, struct authask *who)
{
	struct peer	*auth = role_peer(ROLE_AUTH);

	who->conn = s->id;
	who->tls = conn_is_tls(s->conn);
	who->proto = "smtp";
	who->addr = s->addr;
	s->method = counter_method(sasl_server_mech(s->sasl));
	if (auth == NULL) {
		counter_login(s->method, AUTH_TEMPFAIL);
		auth_end(s, 1);
		net_reply(s, "454 4.7.0 no authentication now, try again "
		    "later");
	}
	return (auth);
}

static void
ask_auth(struct session *s)
{
	struct authask	 who;
	struct peer	*auth;
	int		 asked;

	if ((auth = find_auth(s, &who)) == NULL)
		return;
	asked = authask_try(auth, &who, sasl_server_user(s->sasl),
	    sasl_server_pass(s->sasl));
	auth_end(s, 1);
	if (asked == -1) {
		counter_login(s->method, AUTH_DENIED);
		net_reply(s, "535 5.7.8 authentication failed");
	} else
		wait_for_auth(s);
}

/* A message of an exchange that auth answers. */
static void
ask_exchange(struct session *s)
{
	struct authask	 who;
	struct peer	*auth;

	if ((auth = find_auth(s, &who)) == NULL)
		return;
	authask_exchange(auth, &who, s->sasl);
	s->exchange = 1;
	wait_for_auth(s);
}

static void
advance(struct session *s, enum sasl_status st)
{
	switch (st) {
	case SASL_CHALLENGE:
		s->state = S_AUTH;
		net_reply(s, "334 %s", sasl_server_challenge(s->sasl));
		return;
	case SASL_DONE:
		ask_auth(s);
		return;
	case SASL_ASK:
		ask_exchange(s);
		return;
	case SASL_CANCELLED:
		net_reply(s, "501 5.7.0 authentication cancelled");
		break;
	case SASL_BAD_BASE64:
		net_reply(s, "501 5.5.2 that is not base64");
		break;
	case SASL_BAD_SYNTAX:
		net_reply(s, "501 5.5.2 malformed credentials");
		break;
	case SASL_TOO_LONG:
		net_reply(s, "500 5.5.6 line is too long");
		break;
	}
	auth_end(s, 1);
}

void
auth_command(struct session *s, const char *arg)
{
	char	 mech[32];
	size_t	 n = strcspn(arg, " ");

	if (s->user != NULL) {
		net_reply(s, "503 5.5.1 you have logged in already");
		return;
	}
	if (s->mail_seq != 0) {
		net_reply(s, "503 5.5.1 not inside a transaction");
		return;
	}
	if (s->listener->no_auth || s->listener->proto == PROTO_LMTP) {
		net_reply(s, "502 5.5.1 no authentication here");
		return;
	}
	if (!net_may_login(s)) {
		net_reply(s, "538 5.7.11 encryption is required first: "
		    "use STARTTLS");
		return;
	}
	if (n == 0 || n >= sizeof(mech)) {
		net_reply(s, n == 0 ? "501 5.5.4 say AUTH mechanism" :
		    "504 5.5.4 unknown mechanism");
		return;
	}
	memcpy(mech, arg, n);
	mech[n] = '\0';
	if ((s->sasl = sasl_server_new(mech,
	    conf_has_keys(net_config()))) == NULL) {
		net_reply(s, errno == ENOTSUP ?
		    "504 5.5.4 unknown mechanism" : "454 4.7.0 no memory");
		return;
	}
	for (arg += n; *arg == ' '; arg++)
		;
	advance(s, sasl_server_start(s->sasl, *arg != '\0' ? arg : NULL,
	    strlen(arg)));
}

void
auth_line(struct session *s, const char *line, size_t len)
{
	advance(s, sasl_server_step(s->sasl, line, len));
}

void
auth_challenge(struct session *s, const char *text)
{
	if (!s->auth_pending || !s->exchange || s->sasl == NULL)
		return;
	s->auth_pending = 0;
	advance(s, sasl_server_answer(s->sasl, text));
	net_go_on(s);
}
