/*
 * net_hello: HELO, EHLO, LHLO, and STARTTLS, which makes everything that was
 * said before it void.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/limit.h"
#include "log/log.h"
#include "smtpd/net.h"

static void
extensions(struct session *s)
{
	const struct conf	*conf = net_config();
	int			 tls = conn_is_tls(s->conn);
	int			 login = net_may_login(s);

	net_reply(s, "250-%s Hello %s [%s]\r\n250-PIPELINING\r\n"
	    "250-SIZE %" PRIu64 "\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
	    "250-CHUNKING\r\n250-BINARYMIME\r\n250-DSN\r\n%s%s%s%s"
	    "250-LIMITS MAILMAX=%" PRIu64 " RCPTMAX=%" PRIu64 "\r\n"
	    "250 ENHANCEDSTATUSCODES", conf->hostname, s->helo, s->addr,
	    limit_of(conf, LIMIT_MESSAGE),
	    !tls && s->listener->tls != NULL ? "250-STARTTLS\r\n" : "",
	    login ? "250-" : "", login ? auth_offer() : "",
	    login ? "\r\n" : "",
	    limit_of(conf, LIMIT_MESSAGES), limit_of(conf, LIMIT_RECIPIENTS));
}

/* What lenient listeners take for a name can stand in a Received field. */
static int
is_harmless(const char *name, size_t len)
{
	size_t	i;

	if (len == 0 || len >= C_DOMAIN)
		return (0);
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    strchr("-_.:[]", name[i]) == NULL)
			return (0);
	return (1);
}

void
hello_command(struct session *s, const struct smtp_command *c)
{
	const char	*name = c->arg;

	if ((s->listener->proto == PROTO_LMTP) != (c->verb == SMTP_LHLO)) {
		net_reply(s, c->verb == SMTP_LHLO ?
		    "500 5.5.1 unknown command" :
		    "502 5.5.1 this is LMTP: say LHLO");
		return;
	}
	if (!smtp_is_domain(name, strlen(name)) &&
	    !(s->listener->lenient_helo && is_harmless(name, strlen(name)))) {
		net_reply(s, "501 5.5.4 say %s followed by your name",
		    c->verb == SMTP_LHLO ? "LHLO" :
		    c->verb == SMTP_EHLO ? "EHLO" : "HELO");
		return;
	}
	net_reset(s, 1);
	free(s->helo);
	if ((s->helo = strdup(name)) == NULL) {
		net_hang_up(s, "421 4.3.0 no memory");
		return;
	}
	s->esmtp = c->verb != SMTP_HELO;
	if (s->esmtp)
		extensions(s);
	else
		net_reply(s, "250 %s Hello %s [%s]",
		    net_config()->hostname, s->helo, s->addr);
}

void
starttls_command(struct session *s)
{
	struct tls	*ctx;

	if (s->nslots > 0)
		net_wait(s, SMTP_STARTTLS);
	else if (conn_is_tls(s->conn))
		net_reply(s, "503 5.5.1 TLS is on already");
	else if (s->listener->tls == NULL)
		net_reply(s, "502 5.5.1 no TLS here");
	else if ((ctx = net_tls(s->listener)) == NULL)
		net_reply(s, "454 4.7.0 no TLS now, try again later");
	else {
		net_reply(s, "220 2.0.0 ready to start TLS");
		/* RFC 3207 4.2: everything that was said is forgotten */
		net_reset(s, 1);
		net_forget(s);
		s->state = S_BUSY;
		if (conn_accept_tls(s->conn, ctx) == -1)
			conn_finish(s->conn);
	}
}

void
net_secured(struct conn *c, void *arg)
{
	struct session	*s = arg;

	s->state = S_COMMAND;
	time_wait(s);
	counter_add(COUNTER_TLS, 1);
	log_debug("conn %u: %s", s->id, conn_cipher(c));
	if (conf_proto_is_tls(s->listener->proto))
		net_begin(s);
}
