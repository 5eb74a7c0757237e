/*
 * net: POP3 up to the login (RFC 1939 4, 2449, 2595, 5034, 6856).
 *
 * Reads what strangers write, as _pop3d in an empty chroot.  Knows no user and
 * opens no mailbox; lib/daemon/login.c asks those who do.
 */
#include "os/compat.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/login.h"
#include "log/log.h"
#include "net/conn.h"
#include "net.h"
#include "pop3/capa.h"
#include "pop3/command.h"
#include "privsep/contract.h"
#include "sasl/sasl.h"

#define STRAY_MAX	3		/* unknown commands of one client */

struct client {
	struct sasl_server *sasl;	/* in an AUTH exchange */
	unsigned int	 strays;
	int		 over;		/* nothing more is read */
	int		 utf8;
	char		 user[C_USER];	/* of USER; "" none */
};

static void	*pop3_begin(struct login *);
static size_t	pop3_input(struct login *, void *, const char *, size_t);
static void	pop3_secured(struct login *, void *);
static void	pop3_challenge(struct login *, void *, const char *);
static void	pop3_refused(struct login *, void *, unsigned int);
static size_t	pop3_preface(struct login *, void *, char *, size_t);
static void	pop3_bye(struct login *, void *, enum login_bye);
static void	pop3_end(void *);
static size_t	line_max(const struct client *);
static int	too_long(struct login *, struct client *);
static int	take_line(struct login *, struct client *, const char *,
		    size_t);
static int	command(struct login *, struct client *, struct pop3_command *);
static int	stray(struct login *, struct client *);
static int	do_auth(struct login *, struct client *,
		    const struct pop3_command *);
static void	login_lines(struct login *, char[POP3_LOGIN_MAX]);
static int	do_capa(struct login *);
static int	do_lang(struct login *, const char *);
static int	do_utf8(struct login *, struct client *);
static int	do_pass(struct login *, struct client *, const char *);
static int	do_user(struct login *, struct client *, const char *);
static int	sasl_next(struct login *, struct client *, enum sasl_status);
static int	reply(struct login *, const char *);

static const struct login_proto pop3_login = {
	.name = "pop3",
	.clear = PROTO_POP3,
	.secure = PROTO_POP3S,
	.in_max = POP3_SASL_MAX,
	.too_many = "-ERR [SYS/TEMP] too many connections\r\n",
	.begin = pop3_begin,
	.input = pop3_input,
	.secured = pop3_secured,
	.challenge = pop3_challenge,
	.refused = pop3_refused,
	.preface = pop3_preface,
	.bye = pop3_bye,
	.end = pop3_end,
};

static void
net_go(void)
{
	login_go(&pop3_login);
}

const struct role_code net_code = {
	.handlers = login_handlers,
	.warm = login_warm,
	.go = net_go,
	.drain = login_drain,
	.channel_gone = login_channel_gone,
	.stats = login_stats,
};

static void *
pop3_begin(struct login *l)
{
	struct client *c;

	/* No APOP: it would need passwords in the clear on our side. */
	if ((c = calloc(1, sizeof(*c))) != NULL)
		conn_printf(login_conn(l), "+OK %s POP3 ready\r\n",
		    role_settings()->hostname);
	return (c);
}

static size_t
pop3_input(struct login *l, void *arg, const char *data, size_t len)
{
	struct client *c = arg;
	size_t done = 0, used;
	ptrdiff_t n;
	int more = 1;

	while (more && !c->over) {
		n = pop3_line(data + done, len - done, &used);
		if ((n == -1 ? len - done + 1 : used) > line_max(c))
			more = too_long(l, c);
		else if (n == -1)
			break;
		else {
			more = take_line(l, c, data + done, (size_t)n);
			done += used;
		}
	}
	return (c->over ? len : done);
}

static size_t
line_max(const struct client *c)
{
	return (c->sasl != NULL ? POP3_SASL_MAX : POP3_LINE_MAX);
}

static int
too_long(struct login *l, struct client *c)
{
	c->over = 1;
	(void)reply(l, "-ERR line too long");
	login_close(l);
	return (0);
}

/* RFC 2595 4: after the handshake it is a new session, without a greeting. */
static void
pop3_secured(struct login *l, void *arg)
{
	struct client *c = arg;

	(void)l;
	sasl_server_free(c->sasl);
	explicit_bzero(c, sizeof(*c));
}

static void
pop3_challenge(struct login *l, void *arg, const char *text)
{
	struct client *c = arg;

	if (c->sasl != NULL)
		(void)sasl_next(l, c, sasl_server_answer(c->sasl, text));
}

/* The same words whatever was wrong (RFC 3206 4: AUTH is about the login). */
static void
pop3_refused(struct login *l, void *arg, unsigned int result)
{
	struct client *c = arg;

	c->user[0] = '\0';
	sasl_server_free(c->sasl);
	c->sasl = NULL;
	if (result == AUTH_DENIED)
		(void)reply(l, "-ERR [AUTH] wrong user or password");
	else if (result == AUTH_SLOWDOWN)
		(void)reply(l, "-ERR [AUTH] too many failures, try later");
	else
		(void)reply(l, "-ERR [SYS/TEMP] no answer now, try later");
}

/* One line; the session shows what it holds to its own client only. */
static size_t
pop3_preface(struct login *l, void *arg, char *buf, size_t size)
{
	const struct client *c = arg;
	char login[POP3_LOGIN_MAX], *from, *to;
	int n;

	login_lines(l, login);
	for (from = to = login; *from != '\0'; from++) {
		if (*from != '\r')
			*to++ = *from == '\n' ? '\t' : *from;
	}
	*to = '\0';
	n = snprintf(buf, size, "%s %s\r\n", c->utf8 ? "UTF8" : "", login);
	return (n < 0 || (size_t)n >= size ? 0 : (size_t)n);
}

static void
pop3_bye(struct login *l, void *arg, enum login_bye why)
{
	struct client *c = arg;

	c->over = 1;
	/* RFC 1939 3: a timer ends it without a word. */
	if (why != LOGIN_BYE_TIMEOUT)
		(void)reply(l, "-ERR [SYS/TEMP] restarting, try again");
}

static void
pop3_end(void *arg)
{
	struct client *c = arg;

	sasl_server_free(c->sasl);
	freezero(c, sizeof(*c));
}

/* 1 if the next line may be read, 0 if it has to wait or there is none. */
static int
take_line(struct login *l, struct client *c, const char *line, size_t len)
{
	struct pop3_command cmd;
	enum sasl_status st;
	int more;

	if (c->sasl != NULL) {
		st = sasl_server_step(c->sasl, line, len);
		return (sasl_next(l, c, st));
	}
	if (!login_command(l)) {
		c->over = 1;
		(void)reply(l, "-ERR too many commands before the login");
		login_close(l);
		return (0);
	}
	switch (pop3_parse(&cmd, line, len)) {
	case POP3_OK:
		/* RFC 1939 7: PASS follows USER at once. */
		if (cmd.verb != POP3_PASS)
			c->user[0] = '\0';
		more = command(l, c, &cmd);
		break;
	case POP3_NO_COMMAND:
		more = stray(l, c);
		break;
	default:
		more = reply(l, "-ERR bad argument");
		break;
	}
	explicit_bzero(&cmd, sizeof(cmd));
	return (more);
}

static int
command(struct login *l, struct client *c, struct pop3_command *cmd)
{
	switch (cmd->verb) {
	case POP3_USER:
		return (do_user(l, c, cmd->arg));
	case POP3_PASS:
		return (do_pass(l, c, cmd->arg));
	case POP3_AUTH:
		return (do_auth(l, c, cmd));
	case POP3_CAPA:
		return (do_capa(l));
	case POP3_LANG:
		return (do_lang(l, cmd->arg));
	case POP3_UTF8:
		return (do_utf8(l, c));
	case POP3_STLS:
		if (c->utf8)
			return (reply(l, "-ERR not after UTF8"));
		if (!login_may_starttls(l))
			return (reply(l, "-ERR no TLS here, or on already"));
		(void)reply(l, "+OK begin TLS");
		login_starttls(l);
		return (0);
	case POP3_QUIT:
		c->over = 1;
		(void)reply(l, "+OK bye");
		login_close(l);
		return (0);
	case POP3_HTTP:
		c->over = 1;
		log_info("another protocol: conn=%u addr=%s", login_id(l),
		    login_addr(l));
		login_close(l);
		return (0);
	case POP3_APOP:
		return (reply(l, "-ERR use USER or AUTH"));
	default:
		return (reply(l, "-ERR log in first"));
	}
}

static int
stray(struct login *l, struct client *c)
{
	(void)reply(l, "-ERR unknown command");
	if (++c->strays < STRAY_MAX)
		return (1);
	c->over = 1;
	log_info("no POP3: conn=%u addr=%s", login_id(l), login_addr(l));
	login_close(l);
	return (0);
}

static int
do_user(struct login *l, struct client *c, const char *name)
{
	if (!login_may_auth(l))
		return (reply(l, "-ERR [AUTH] not without TLS, use STLS"));
	/* RFC 6856 2.2 */
	if (sasl_prep_user(name, strlen(name)) == -1)
		return (reply(l, "-ERR no name of a user"));
	/* RFC 1939 7: no hint here whether there is such a user. */
	if (strlcpy(c->user, name, sizeof(c->user)) >= sizeof(c->user)) {
		c->user[0] = '\0';
		return (reply(l, "-ERR name too long"));
	}
	return (reply(l, "+OK send PASS"));
}

static int
do_pass(struct login *l, struct client *c, const char *pass)
{
	if (!login_may_auth(l))
		return (reply(l, "-ERR [AUTH] not without TLS, use STLS"));
	if (c->user[0] == '\0')
		return (reply(l, "-ERR USER first"));
	login_try(l, NULL, c->user, pass);
	return (0);
}

/*
 * What CAPA says of STLS, USER and AUTH, here and in the session: what there is
 * before the login is announced afterwards too (RFC 2449 3, RFC 2595 4).
 */
static void
login_lines(struct login *l, char lines[POP3_LOGIN_MAX])
{
	const char *mech;
	size_t i;

	lines[0] = '\0';
	if (login_may_starttls(l))
		(void)strlcat(lines, "STLS\r\n", POP3_LOGIN_MAX);
	if (!login_may_auth(l))
		return;
	(void)strlcat(lines, "USER\r\nSASL", POP3_LOGIN_MAX);
	for (i = 0; (mech = sasl_mechanism(i, login_has_keys())) != NULL; i++) {
		(void)strlcat(lines, " ", POP3_LOGIN_MAX);
		(void)strlcat(lines, mech, POP3_LOGIN_MAX);
	}
	(void)strlcat(lines, "\r\n", POP3_LOGIN_MAX);
}

static int
do_capa(struct login *l)
{
	char login[POP3_LOGIN_MAX], text[POP3_CAPA_MAX];
	struct pop3_capa capa = {
		.login = login,
		.delay = login_conf()->pop3_delay,
		.expire = conf_expire_after(login_conf(), "INBOX")
	};

	login_lines(l, login);
	(void)pop3_capa(&capa, text);
	conn_printf(login_conn(l), "%s", text);
	return (1);
}

/* RFC 6856 2.1: for good, and STLS must not follow. */
static int
do_utf8(struct login *l, struct client *c)
{
	c->utf8 = 1;
	return (reply(l, "+OK headers stay as they are"));
}

static int
do_lang(struct login *l, const char *range)
{
	conn_printf(login_conn(l), "%s", pop3_lang(range));
	return (1);
}

/* RFC 5034 4 */
static int
do_auth(struct login *l, struct client *c, const struct pop3_command *cmd)
{
	enum sasl_status st;

	if (!login_may_auth(l))
		return (reply(l, "-ERR [AUTH] not without TLS, use STLS"));
	if (cmd->arg[0] == '\0')
		return (reply(l, "-ERR which mechanism? See CAPA"));
	if ((c->sasl = sasl_server_new(cmd->arg, login_has_keys())) == NULL)
		return (reply(l, "-ERR unknown mechanism"));
	st = sasl_server_start(c->sasl, cmd->has_initial ? cmd->initial : NULL,
	    strlen(cmd->initial));
	return (sasl_next(l, c, st));
}

static int
sasl_next(struct login *l, struct client *c, enum sasl_status st)
{
	int more = 1;

	switch (st) {
	case SASL_CHALLENGE:
		conn_printf(login_conn(l), "+ %s\r\n",
		    sasl_server_challenge(c->sasl));
		return (1);
	case SASL_DONE:
		login_try(l, sasl_server_mech(c->sasl),
		    sasl_server_user(c->sasl), sasl_server_pass(c->sasl));
		more = 0;
		break;
	case SASL_ASK:
		login_exchange(l, c->sasl);
		return (0);
	case SASL_CANCELLED:
		login_cancel(l);
		(void)reply(l, "-ERR cancelled");
		break;
	default:
		login_cancel(l);
		(void)reply(l, "-ERR bad response");
		break;
	}
	sasl_server_free(c->sasl);
	c->sasl = NULL;
	return (more);
}

static int
reply(struct login *l, const char *text)
{
	conn_printf(login_conn(l), "%s\r\n", text);
	return (1);
}
