/*
 * net: IMAP up to the login (RFC 3501 6.1 and 6.2, 2971, 4959, 7888).
 *
 * Reads what strangers write, as _imapd in an empty chroot.  Knows no user and
 * opens no mailbox; lib/daemon/login.c asks those who do.  A client holds at
 * most imap_limits_before.command bytes here.
 */
#include "os/compat.h"
#include <stdlib.h>
#include <string.h>

#include "daemon/login.h"
#include "imap/parse.h"
#include "imap/reader.h"
#include "log/log.h"
#include "net.h"
#include "net/conn.h"
#include "privsep/contract.h"
#include "sasl/sasl.h"

#define STRAY_MAX	3		/* unknown commands of one client */
#define ID_PAIRS	30		/* RFC 2971 3.3 */

struct client {
	struct imap_reader reader;
	struct sasl_server *sasl;	/* in AUTHENTICATE */
	unsigned int	 strays;
	int		 over;		/* nothing more is read */
	char		 tag[IMAP_TAG_MAX + 1];
};

/* 1 if the next command may be read, 0 if it has to wait or there is none. */
typedef int (*command_fn)(struct login *, struct client *,
	    struct imap_parser *);

static void	*imap_begin(struct login *);
static size_t	imap_input(struct login *, void *, const char *, size_t);
static void	imap_secured(struct login *, void *);
static void	imap_challenge(struct login *, void *, const char *);
static void	imap_refused(struct login *, void *, unsigned int);
static size_t	imap_preface(struct login *, void *, char *, size_t);
static void	imap_bye(struct login *, void *, enum login_bye);
static void	imap_end_state(void *);
static void	reader_init(struct client *);
static int	event(struct login *, struct client *, enum imap_event);
static int	literal(struct login *, struct client *);
static int	command(struct login *, struct client *);
static int	run(struct login *, struct client *, struct imap_parser *);
static int	stray(struct login *, struct client *, const char *);
static int	other_protocol(const char *);
static int	sasl_line(struct login *, struct client *, const char *, size_t,
		    size_t *);
static int	sasl_next(struct login *, struct client *, enum sasl_status);
static void	capabilities(struct login *);
static void	hang_up(struct login *, struct client *, const char *);
static int	reply(struct login *, struct client *, const char *);
static int	do_authenticate(struct login *, struct client *,
		    struct imap_parser *);
static int	do_capability(struct login *, struct client *,
		    struct imap_parser *);
static int	do_id(struct login *, struct client *, struct imap_parser *);
static int	do_login(struct login *, struct client *,
		    struct imap_parser *);
static int	do_logout(struct login *, struct client *,
		    struct imap_parser *);
static int	do_noop(struct login *, struct client *, struct imap_parser *);
static int	do_starttls(struct login *, struct client *,
		    struct imap_parser *);

static const struct {
	const char	*name;
	command_fn	 fn;
} commands[] = {
	{ "AUTHENTICATE",	do_authenticate },
	{ "CAPABILITY",		do_capability },
	{ "ID",			do_id },
	{ "LOGIN",		do_login },
	{ "LOGOUT",		do_logout },
	{ "NOOP",		do_noop },
	{ "STARTTLS",		do_starttls },
};
#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static const struct login_proto imap_login = {
	.name = "imap",
	.clear = PROTO_IMAP,
	.secure = PROTO_IMAPS,
	.in_max = IMAP_LINE_BEFORE,
	.too_many = "* BYE [UNAVAILABLE] too many connections\r\n",
	.begin = imap_begin,
	.input = imap_input,
	.secured = imap_secured,
	.challenge = imap_challenge,
	.refused = imap_refused,
	.preface = imap_preface,
	.bye = imap_bye,
	.end = imap_end_state,
};

static void
net_go(void)
{
	login_go(&imap_login);
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
imap_begin(struct login *l)
{
	struct client *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	reader_init(c);
	conn_printf(login_conn(l), "* OK [");
	capabilities(l);
	conn_printf(login_conn(l), "] %s IMAP ready\r\n",
	    role_settings()->hostname);
	return (c);
}

/* A command may be LOGIN, so its text is wiped. */
static void
reader_init(struct client *c)
{
	imap_reader_init(&c->reader, &imap_limits_before);
	c->reader.text.secret = 1;
}

static size_t
imap_input(struct login *l, void *arg, const char *data, size_t len)
{
	struct client *c = arg;
	size_t done = 0, used;
	enum imap_event ev;
	int more = 1;

	while (more && !c->over) {
		if (c->sasl != NULL)
			more = sasl_line(l, c, data + done, len - done, &used);
		else {
			ev = imap_reader_feed(&c->reader, data + done,
			    len - done, &used);
			more = event(l, c, ev);
		}
		done += used;
	}
	return (c->over ? len : done);
}

/* RFC 3501 6.2.1: whatever was said in the clear is forgotten. */
static void
imap_secured(struct login *l, void *arg)
{
	struct client *c = arg;

	(void)l;
	imap_reader_free(&c->reader);
	sasl_server_free(c->sasl);
	explicit_bzero(c, sizeof(*c));
	reader_init(c);
}

static void
imap_challenge(struct login *l, void *arg, const char *text)
{
	struct client *c = arg;

	if (c->sasl != NULL)
		(void)sasl_next(l, c, sasl_server_answer(c->sasl, text));
}

/* RFC 5530 3. The same words whatever was wrong. */
static void
imap_refused(struct login *l, void *arg, unsigned int result)
{
	struct client *c = arg;

	sasl_server_free(c->sasl);
	c->sasl = NULL;
	if (result == AUTH_DENIED)
		(void)reply(l, c, "NO [AUTHENTICATIONFAILED] wrong user or "
		    "password");
	else if (result == AUTH_SLOWDOWN)
		(void)reply(l, c, "NO [AUTHENTICATIONFAILED] too many "
		    "failures, try later");
	else
		(void)reply(l, c, "NO [UNAVAILABLE] no answer now, try later");
}

/* The session completes the command, so it must know the tag. */
static size_t
imap_preface(struct login *l, void *arg, char *buf, size_t size)
{
	struct client *c = arg;

	(void)l;
	if (strlcpy(buf, c->tag, size) >= size ||
	    strlcat(buf, "\r\n", size) >= size)
		return (0);
	return (strlen(buf));
}

static void
imap_bye(struct login *l, void *arg, enum login_bye why)
{
	struct client *c = arg;

	hang_up(l, c, why == LOGIN_BYE_TIMEOUT ? "too slow" :
	    "[UNAVAILABLE] restarting, try again");
}

static void
imap_end_state(void *arg)
{
	struct client *c = arg;

	imap_reader_free(&c->reader);
	sasl_server_free(c->sasl);
	freezero(c, sizeof(*c));
}

static int
event(struct login *l, struct client *c, enum imap_event ev)
{
	int more;

	switch (ev) {
	case IMAP_COMMAND:
		more = command(l, c);
		imap_reader_next(&c->reader);
		return (more);
	case IMAP_LITERAL:
		return (literal(l, c));
	case IMAP_REFUSED:
		imap_reader_next(&c->reader);
		return (1);
	case IMAP_MORE:
		return (0);
	default:
		hang_up(l, c, "line too long");
		return (0);
	}
}

/* RFC 7888 5: before the login 4096 bytes, and only if they are welcome. */
static int
literal(struct login *l, struct client *c)
{
	if (imap_reader_fits(&c->reader)) {
		if (c->reader.literal_sync)
			conn_printf(login_conn(l), "+ OK\r\n");
		imap_reader_take(&c->reader);
		return (1);
	}
	hang_up(l, c, "literal too large");
	return (0);
}

static int
command(struct login *l, struct client *c)
{
	struct imap_parser p;
	struct imap_str tag;
	char *text;
	size_t len;

	if (!login_command(l)) {
		hang_up(l, c, "too many commands before the login");
		return (0);
	}
	text = imap_reader_text(&c->reader, &len);
	imap_parser_init(&p, text, len);
	c->tag[0] = '\0';
	if (imap_tag(&p, &tag) == -1 ||
	    imap_str_copy(&tag, c->tag, sizeof(c->tag)) == -1) {
		strlcpy(c->tag, "*", sizeof(c->tag));
		return (stray(l, c, "invalid tag"));
	}
	return (run(l, c, &p));
}

static int
run(struct login *l, struct client *c, struct imap_parser *p)
{
	struct imap_str name;
	size_t i;

	if (imap_sp(p) == 0 && imap_atom(p, &name) == 0) {
		for (i = 0; i < NCOMMANDS; i++) {
			if (imap_str_is(&name, commands[i].name))
				return (commands[i].fn(l, c, p));
		}
	}
	return (stray(l, c, "unknown command, or not before the login"));
}

/* Whoever speaks another protocol was lured here by somebody else. */
static int
stray(struct login *l, struct client *c, const char *why)
{
	if (!other_protocol(c->tag)) {
		conn_printf(login_conn(l), "%s BAD %s\r\n", c->tag, why);
		if (++c->strays < STRAY_MAX)
			return (1);
	}
	log_info("no IMAP: conn=%u addr=%s", login_id(l), login_addr(l));
	hang_up(l, c, "this is IMAP");
	return (0);
}

static int
other_protocol(const char *tag)
{
	static const char *const words[] = {
		"CONNECT", "DELETE", "EHLO", "GET", "HEAD", "HELO", "OPTIONS",
		"PATCH", "POST", "PUT", "TRACE"
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(tag, words[i]) == 0)
			return (1);
	}
	return (0);
}

/* One line of an AUTHENTICATE exchange. */
static int
sasl_line(struct login *l, struct client *c, const char *data, size_t len,
    size_t *used)
{
	const char *nl = len > 0 ? memchr(data, '\n', len) : NULL;
	size_t n;

	*used = 0;
	if (nl == NULL) {
		if (len > SASL_LINE_MAX)
			hang_up(l, c, "line too long");
		return (0);
	}
	n = (size_t)(nl - data);
	*used = n + 1;
	if (n > 0 && data[n - 1] == '\r')
		n--;
	return (sasl_next(l, c, sasl_server_step(c->sasl, data, n)));
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
		(void)reply(l, c, "BAD cancelled");
		break;
	default:
		login_cancel(l);
		(void)reply(l, c, "BAD invalid response");
		break;
	}
	sasl_server_free(c->sasl);
	c->sasl = NULL;
	return (more);
}

static void
capabilities(struct login *l)
{
	struct conn *conn = login_conn(l);
	const char *mech;
	size_t i;

	conn_printf(conn, "CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR "
	    "ID ENABLE");
	if (login_may_starttls(l))
		conn_printf(conn, " STARTTLS");
	if (!login_may_auth(l)) {
		conn_printf(conn, " LOGINDISABLED");
		return;
	}
	for (i = 0; (mech = sasl_mechanism(i, login_has_keys())) != NULL; i++)
		conn_printf(conn, " AUTH=%s", mech);
}

static void
hang_up(struct login *l, struct client *c, const char *why)
{
	c->over = 1;
	conn_printf(login_conn(l), "* BYE %s\r\n", why);
	login_close(l);
}

static int
reply(struct login *l, struct client *c, const char *text)
{
	conn_printf(login_conn(l), "%s %s\r\n", c->tag, text);
	return (1);
}

/* The commands, in the order of their names. */

static int
do_authenticate(struct login *l, struct client *c, struct imap_parser *p)
{
	struct imap_str mech, initial = { NULL, 0 };
	char name[64];

	if (imap_sp(p) == -1 || imap_atom(p, &mech) == -1 ||
	    imap_str_copy(&mech, name, sizeof(name)) == -1)
		return (reply(l, c, "BAD expected a mechanism"));
	if (imap_accept(p, ' ')) {		/* RFC 4959 3 */
		initial.s = p->p;
		initial.len = (size_t)(p->end - p->p);
	} else if (imap_end(p) == -1)
		return (reply(l, c, "BAD expected a mechanism"));
	if (!login_may_auth(l))
		return (reply(l, c, "NO [PRIVACYREQUIRED] not without TLS"));
	if ((c->sasl = sasl_server_new(name, login_has_keys())) == NULL)
		return (reply(l, c, "NO unknown mechanism"));
	return (sasl_next(l, c, sasl_server_start(c->sasl, initial.s,
	    initial.len)));
}

static int
do_capability(struct login *l, struct client *c, struct imap_parser *p)
{
	if (imap_end(p) == -1)
		return (reply(l, c, "BAD no argument expected"));
	conn_printf(login_conn(l), "* ");
	capabilities(l);
	conn_printf(login_conn(l), "\r\n%s OK done\r\n", c->tag);
	return (1);
}

/* RFC 2971: what the client says of itself is of no interest before login. */
static int
do_id(struct login *l, struct client *c, struct imap_parser *p)
{
	struct imap_str s;
	unsigned int n;

	if (imap_sp(p) == -1)
		goto bad;
	if (!imap_accept(p, '(')) {
		if (imap_nstring(p, &s) == -1 || s.s != NULL)
			goto bad;
	} else for (n = 0; !imap_accept(p, ')'); n++) {
		if (n == ID_PAIRS || (n > 0 && imap_sp(p) == -1) ||
		    imap_string(p, &s) == -1 || imap_sp(p) == -1 ||
		    imap_nstring(p, &s) == -1)
			goto bad;
	}
	if (imap_end(p) == -1)
		goto bad;
	conn_printf(login_conn(l), "* ID (\"name\" \"Postern\")\r\n"
	    "%s OK done\r\n", c->tag);
	return (1);
bad:
	return (reply(l, c, "BAD expected NIL or a list of strings"));
}

static int
do_login(struct login *l, struct client *c, struct imap_parser *p)
{
	struct imap_str user, pass;
	char name[C_USER], word[256];
	int more = 0;

	if (imap_sp(p) == -1 || imap_astring(p, &user) == -1 ||
	    imap_sp(p) == -1 || imap_astring(p, &pass) == -1 ||
	    imap_end(p) == -1)
		return (reply(l, c, "BAD expected a name and a password"));
	if (!login_may_auth(l))
		return (reply(l, c, "NO [PRIVACYREQUIRED] not without TLS"));
	if (imap_str_copy(&user, name, sizeof(name)) == -1 ||
	    imap_str_copy(&pass, word, sizeof(word)) == -1)
		more = reply(l, c, "BAD name or password too long");
	else
		login_try(l, NULL, name, word);
	explicit_bzero(word, sizeof(word));
	return (more);
}

static int
do_logout(struct login *l, struct client *c, struct imap_parser *p)
{
	if (imap_end(p) == -1)
		return (reply(l, c, "BAD no argument expected"));
	conn_printf(login_conn(l), "* BYE good-bye\r\n");
	(void)reply(l, c, "OK done");
	c->over = 1;
	login_close(l);
	return (0);
}

static int
do_noop(struct login *l, struct client *c, struct imap_parser *p)
{
	if (imap_end(p) == -1)
		return (reply(l, c, "BAD no argument expected"));
	return (reply(l, c, "OK done"));
}

static int
do_starttls(struct login *l, struct client *c, struct imap_parser *p)
{
	if (imap_end(p) == -1)
		return (reply(l, c, "BAD no argument expected"));
	if (!login_may_starttls(l))
		return (reply(l, c, "BAD no TLS here, or on already"));
	(void)reply(l, c, "OK begin TLS");
	login_starttls(l);
	return (0);
}
