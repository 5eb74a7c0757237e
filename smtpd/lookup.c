/*
 * lookup: decides who may hand us mail and where a recipient goes.
 *
 * Believes auth about who logged in, and of net only what a client may say of
 * itself.  Tells its verdicts to queue and parent, which act on them; net
 * hears of them from there.  Sees tables and the password database; talks to
 * no network: what rules want to know of names it asks the dns role.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "daemon/counter.h"
#include "log/log.h"
#include "os/compat.h"
#include "rules/command.h"
#include "rules/rules.h"
#include "smtpd/contract.h"
#include "smtpd/lookup.h"
#include "smtpd/lookup_dns.h"
#include "smtpd/lookup_forward.h"
#include "smtpd/lookup_rate.h"
#include "smtpd/lookup_rcpt.h"
#include "smtpd/secrets.h"
#include "smtpd/tables.h"

#define CONF_TEXT_MAX	(16 << 20)
#define CLIENT_BUCKETS	4096
#define JOBS_MAX	100000		/* waiting for a table */
/*
 * Times that one is gone through: all the forward files of the longest list,
 * and tables and names beside them.
 */
#define JOB_TRIES	(RULES_EXPAND_MAX / RULES_AHEAD + 100)

/* What is known of a connection of net. */
struct client {
	LIST_ENTRY(client)	 entry;
	uint32_t		 conn;
	int			 tls;
	int			 lmtp;
	int			 own_sender;	/* belongs to user */
	unsigned int		 nrcpts;	/* of the transaction */
	unsigned int		 listener;
	char			 addr[C_ADDR];
	char			*helo;
	char			*sender;
	char			*user;		/* logged in as */
	uint64_t		 mail_seq;	/* of the transaction */
	struct archived		 archived;	/* in it */
	char			*local;		/* of this machine, or NULL */
};

enum job_kind { JOB_RCPT, JOB_RESOLVE, JOB_DELIVERY };

/* A question, kept until the tables that it needs are there. */
struct job {
	enum job_kind		 kind;
	int			 tries;
	int			 running;
	time_t			 since;
	union {
		struct msg_TX_RCPT	rcpt;
		struct msg_RESOLVE	resolve;
		struct msg_DELIVERY_ASK	delivery;
	} ask;
};

static struct {
	struct conf		*conf;
	LIST_HEAD(, client)	 clients[CLIENT_BUCKETS];
	size_t			 nclients;
	size_t			 njobs;
	int			 asks_dns;	/* some rule does */
} self;

static void	job_run(struct job *);

static struct client *
client_find(uint32_t conn)
{
	struct client	*c;

	LIST_FOREACH(c, &self.clients[conn % CLIENT_BUCKETS], entry)
		if (c->conn == conn)
			return (c);
	return (NULL);
}

static struct client *
client_get(uint32_t conn)
{
	struct client	*c;

	if ((c = client_find(conn)) != NULL)
		return (c);
	/* net keeps its own limit; this one holds against a net gone bad */
	if (self.nclients > 2 * (size_t)self.conf->max_sessions + 64 ||
	    (c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	c->conn = conn;
	LIST_INSERT_HEAD(&self.clients[conn % CLIENT_BUCKETS], c, entry);
	self.nclients++;
	return (c);
}

static void
client_free(struct client *c)
{
	LIST_REMOVE(c, entry);
	self.nclients--;
	free(c->helo);
	free(c->sender);
	free(c->user);
	free(c->local);
	free(c);
}

static const struct conf_listen *
listener(unsigned int index)
{
	const struct conf_listen	*l;

	TAILQ_FOREACH(l, &self.conf->listens, entry)
		if (l->index == index)
			return (l);
	return (NULL);
}

/* RFC 6409 4.2: what is submitted names whole domains. */
static int
is_vague(unsigned int index, const char *addr)
{
	const struct conf_listen	*l = listener(index);

	return (l != NULL && (l->proto == PROTO_SUBMISSION ||
	    l->proto == PROTO_SMTPS) && !rules_is_qualified(self.conf, addr));
}

static void
set_string(char **to, const char *s)
{
	free(*to);
	*to = strdup(s);
}

/* What the rules will ask about this client, before RCPT needs it. */
static void
prefetch(const struct client *c)
{
	struct rules_env	env = { .conf = self.conf,
				    .lookup = tables_lookup,
				    .dns = lookup_dns };

	rules_prefetch(&env, c->addr, c->helo);
}

/*
 * Whoever came through the local socket, by name.  Which uid it was is net's
 * word; he has not logged in by that, and it counts where a rule says local.
 */
static void
set_local(struct client *c, const struct msg_TX_MAIL *ask)
{
	const struct conf_listen	*l = listener(ask->listener);
	struct passwd			 pw, *found = NULL;
	char				 buffer[16384], number[32];

	free(c->local);
	c->local = NULL;
	if (l == NULL || l->proto != PROTO_LOCAL)
		return;
	snprintf(number, sizeof(number), "uid%u", (unsigned int)ask->uid);
	(void)getpwuid_r((uid_t)ask->uid, &pw, buffer, sizeof(buffer),
	    &found);
	c->local = strdup(found != NULL ? found->pw_name : number);
}

static void
refuse_mail(const struct msg_TX_MAIL *ask, const char *why)
{
	log_info("refused: mail addr=%s conn=%u helo=%s from=<%s> "
	    "reply=\"%s\"", ask->addr, (unsigned int)ask->conn, ask->helo,
	    ask->sender, why);
	lookup_verdict(0, ask->conn, ask->seq, 0, why);
}

/*
 * Who asked what, so that the administrator can tell him why; what we know
 * stands before what he chose.
 */
void
lookup_refuse(const struct msg_TX_RCPT *ask, const char *why)
{
	const struct client	*c = client_find(ask->conn);
	const char		*user = c == NULL ? NULL : c->user != NULL ?
				    c->user : c->local;

	log_info("refused: rcpt addr=%s conn=%u%s%s helo=%s to=<%s> from=<%s> "
	    "reply=\"%s\"", c != NULL ? c->addr : "?",
	    (unsigned int)ask->conn, user != NULL ? " user=" : "",
	    user != NULL ? user : "", c != NULL && c->helo != NULL ?
	    c->helo : "", ask->rcpt, c != NULL && c->sender != NULL ?
	    c->sender : "", why);
	lookup_verdict(0, ask->conn, ask->seq, 0, why);
}

static void
lookup_tx_mail(struct peer *p, struct msg *m)
{
	const struct msg_TX_MAIL	*ask = m->body;
	struct msg_TX_OPEN		 open = { 0 };
	struct client			*c = client_get(ask->conn);
	struct peer			*queue = role_peer(ROLE_QUEUE);
	const char			*over;
	char				 sender[SMTP_ADDR_SIZE];

	sender[0] = '\0';
	if ((*ask->sender != '\0' &&
	    smtp_address(ask->sender, sender) != NULL) ||
	    rules_complete(self.conf, sender) == -1 ||
	    (!ask->lmtp &&
	    conf_is_own_mail(ask->addr, c != NULL ? c->user : NULL) &&
	    rules_masquerade(self.conf, sender) == -1)) {
		refuse_mail(ask, "501 5.1.7 malformed address");
		return;
	}
	if (is_vague((unsigned int)ask->listener, sender)) {
		refuse_mail(ask, "554 5.1.8 the sender's domain is not fully "
		    "qualified");
		return;
	}
	if (c != NULL) {
		set_string(&c->helo, ask->helo);
		set_string(&c->sender, sender);
	}
	if (c != NULL)
		set_local(c, ask);
	if (c == NULL || c->helo == NULL || c->sender == NULL) {
		refuse_mail(ask, "421 4.3.2 too many connections");
		return;
	}
	c->mail_seq = ask->seq;
	c->archived.n = 0;
	if ((over = lookup_rate_mail(c->user != NULL ? c->user :
	    c->local)) != NULL) {
		refuse_mail(ask, over);
		return;
	}
	c->tls = ask->tls;
	c->lmtp = ask->lmtp;
	c->own_sender = 0;
	c->nrcpts = 0;
	c->listener = ask->listener;
	strlcpy(c->addr, ask->addr, sizeof(c->addr));
	if (self.asks_dns && c->local == NULL)
		prefetch(c);
	if (queue == NULL)
		return;
	open.conn = ask->conn;
	open.seq = ask->seq;
	open.size = ask->size;
	open.body = ask->body;
	open.utf8 = ask->utf8;
	open.ret = ask->ret;
	strlcpy(open.envid, ask->envid, sizeof(open.envid));
	strlcpy(open.sender, sender, sizeof(open.sender));
	strlcpy(open.addr, ask->addr, sizeof(open.addr));
	strlcpy(open.helo, ask->helo, sizeof(open.helo));
	if (c->user != NULL)
		strlcpy(open.user, c->user, sizeof(open.user));
	else if (c->local != NULL)
		strlcpy(open.user, c->local, sizeof(open.user));
	peer_send(queue, M_TX_OPEN, &open, -1);
}

static void
lookup_tx_end(struct peer *p, struct msg *m)
{
	const struct msg_TX_END	*end = m->body;
	struct msg_TX_CLOSE	 close = { .conn = end->conn,
				    .gone = end->gone };
	struct client		*c = client_find(end->conn);
	struct peer		*queue = role_peer(ROLE_QUEUE);

	if (c != NULL && end->gone)
		client_free(c);
	if (queue != NULL)
		peer_send(queue, M_TX_CLOSE, &close, -1);
}

/* From auth, which found the password right. */
static void
lookup_client_auth(struct peer *p, struct msg *m)
{
	const struct msg_CLIENT_AUTH	*a = m->body;
	struct msg_AUTH_DONE		 done = { .conn = a->conn };
	struct client			*c = client_get(a->conn);
	struct peer			*net = role_peer(ROLE_NET);

	done.result = AUTH_TEMPFAIL;
	if (c != NULL) {
		set_string(&c->user, a->user);
		if (c->user != NULL)
			done.result = AUTH_GRANTED;
	}
	strlcpy(done.user, a->user, sizeof(done.user));
	if (net != NULL)
		peer_send(net, M_AUTH_DONE, &done, -1);
}

/* Questions that may have to wait for a table. */

static struct job *
job_new(enum job_kind kind)
{
	struct job	*j;

	if (self.njobs >= JOBS_MAX || (j = calloc(1, sizeof(*j))) == NULL)
		return (NULL);
	self.njobs++;
	j->kind = kind;
	j->since = lookup_forward_now();
	return (j);
}

static void
job_free(struct job *j)
{
	self.njobs--;
	free(j);
}

static void
job_resume(void *arg)
{
	struct job	*j = arg;

	if (!j->running)
		job_run(j);
}

/*
 * Where "check sender" stands the sender must be one of who logged in.
 * RULES_NO: queue was told of the refusal.
 */
static enum rules_result
check_sender(const struct rules_env *env, const struct conf_listen *l,
    struct client *c, const struct msg_TX_RCPT *ask)
{
	enum rules_result	r;

	if (l == NULL || !l->check_sender || c->user == NULL || c->own_sender)
		return (RULES_OK);
	r = rules_sender(env, c->user, c->sender);
	if (r == RULES_OK || r == RULES_PENDING) {
		c->own_sender = r == RULES_OK;
		return (r);
	}
	lookup_refuse(ask, r == RULES_NO ?
	    "553 5.7.1 the sender's address is not yours" :
	    "451 4.3.0 a table cannot be read now");
	return (RULES_NO);
}

static enum rules_result
run_rcpt(const struct rules_env *env, struct job *j)
{
	const struct msg_TX_RCPT	*ask = &j->ask.rcpt;
	const struct conf_listen	*l;
	struct client			*c = client_find(ask->conn);
	struct rules_request		 q = { 0 };
	struct rules_answer		 a;
	enum rules_result		 r;
	char				 rcpt[SMTP_ADDR_SIZE];

	if (c == NULL || c->sender == NULL) {
		lookup_refuse(ask, "503 5.5.1 need MAIL before RCPT");
		return (RULES_OK);
	}
	if (smtp_address(ask->rcpt, rcpt) != NULL ||
	    rules_complete(self.conf, rcpt) == -1) {
		lookup_refuse(ask, "501 5.1.3 malformed address");
		return (RULES_OK);
	}
	if (is_vague(c->listener, rcpt)) {
		lookup_refuse(ask, "554 5.1.2 the domain is not fully "
		    "qualified");
		return (RULES_OK);
	}
	l = listener(c->listener);
	if ((r = check_sender(env, l, c, ask)) != RULES_OK)
		return (r);
	q.addr = c->local != NULL ? NULL : c->addr;
	q.user = c->user;
	q.helo = c->helo;
	q.tls = c->tls;
	q.tag = l != NULL ? l->tag : NULL;
	q.sender = c->sender;
	q.rcpt = rcpt;
	rules_decide(env, &q, &a);
	if (a.result == RULES_PENDING)
		return (RULES_PENDING);
	/* RFC 2033: for delivery, not for passing on */
	if (a.result == RULES_OK && c->lmtp && !a.ours) {
		a.result = RULES_NO;
		strlcpy(a.reply, "550 5.7.1 LMTP is for users of this server",
		    sizeof(a.reply));
	}
	if (a.result != RULES_OK) {
		if (a.result == RULES_NO)
			counter_add(COUNTER_RULES, 1);
		log_debug("rule %d: %s", a.rule != NULL ?
		    (int)a.rule->pos.line : 0, a.reply);
		lookup_refuse(ask, a.reply);
		return (RULES_OK);
	}
	return (lookup_places(env, &(struct resolving){ .ask = ask,
	    .conn = ask->conn, .seq = ask->seq, .sender = c->sender,
	    .rcpt = rcpt, .expand = 1, .notify = ask->notify,
	    .orcpt = ask->orcpt,
	    .archived = ask->seq > c->mail_seq ? &c->archived : NULL }));
}

static enum rules_result
run_delivery(const struct rules_env *env, struct job *j)
{
	const struct msg_DELIVERY_ASK	*ask = &j->ask.delivery;
	struct conf_domain		*d;
	struct msg_DELIVERY_OPEN	 open = { .ticket = ask->ticket };
	struct rules_account		 acc;
	enum rules_result		 r = RULES_NO;

	if ((d = conf_domain_find(self.conf, ask->domain)) != NULL)
		r = *ask->mark == '\0' ? rules_account(env, d, ask->user,
		    &acc) : rules_command(env, d, ask->user, ask->mark, &acc,
		    open.command);
	if (r == RULES_PENDING)
		return (r);
	open.found = r == RULES_OK;
	open.tempfail = r == RULES_TEMPFAIL;
	if (*ask->mark != '\0')
		open.kind = command_of_user(ask->mark) ? COMMAND_FORWARD :
		    COMMAND_ALIAS;
	strlcpy(open.user, ask->user, sizeof(open.user));
	if (r == RULES_OK) {
		open.system = acc.system;
		open.uid = acc.uid;
		open.gid = acc.gid;
		open.quota = acc.quota.bytes;
		open.quota_messages = acc.quota.messages;
		open.domain = d->index;
		if (open.kind == COMMAND_FORWARD)
			strlcpy(open.user, acc.user, sizeof(open.user));
		strlcpy(open.home, acc.home, sizeof(open.home));
	}
	peer_send(role_parent(), M_DELIVERY_OPEN, &open, -1);
	return (RULES_OK);
}

static void
give_up(struct job *j)
{
	log_warnx("a table does not come up to date");
	switch (j->kind) {
	case JOB_RCPT:
		lookup_refuse(&j->ask.rcpt,
		    "451 4.3.0 a table cannot be read now");
		break;
	case JOB_RESOLVE:
		lookup_verdict(1, j->ask.resolve.ticket, 0, 0,
		    "451 4.3.0 a table cannot be read now");
		break;
	case JOB_DELIVERY:
		break;			/* it is asked again */
	}
}

static void
job_run(struct job *j)
{
	struct rules_env	env = { .conf = self.conf,
				    .lookup = tables_lookup,
				    .dns = lookup_dns,
				    .forward = lookup_forward,
				    .resume = job_resume, .arg = j,
				    .since = j->since };
	enum rules_result	r = RULES_NO;

	j->running = 1;
	if (++j->tries > JOB_TRIES) {
		give_up(j);
		job_free(j);
		return;
	}
	switch (j->kind) {
	case JOB_RCPT:
		r = run_rcpt(&env, j);
		break;
	case JOB_RESOLVE:
		r = lookup_places(&env, &(struct resolving){ .internal = 1,
		    .conn = j->ask.resolve.ticket,
		    .sender = j->ask.resolve.sender,
		    .rcpt = j->ask.resolve.rcpt,
		    .expand = (int)j->ask.resolve.expand, .orcpt = "" });
		break;
	case JOB_DELIVERY:
		r = run_delivery(&env, j);
		break;
	}
	j->running = 0;
	if (r != RULES_PENDING)
		job_free(j);
}

static void
lookup_tx_rcpt(struct peer *p, struct msg *m)
{
	const struct msg_TX_RCPT	*ask = m->body;
	struct client			*c = client_find(ask->conn);
	const char			*over;
	struct job			*j;

	if (c != NULL && (over = lookup_rate_rcpt(c->user, ++c->nrcpts)) !=
	    NULL) {
		lookup_refuse(ask, over);
		return;
	}
	if ((j = job_new(JOB_RCPT)) == NULL) {
		lookup_refuse(ask, "451 4.3.2 overloaded");
		return;
	}
	j->ask.rcpt = *ask;
	job_run(j);
}

static void
lookup_resolve(struct peer *p, struct msg *m)
{
	const struct msg_RESOLVE	*ask = m->body;
	struct job			*j;

	if ((j = job_new(JOB_RESOLVE)) == NULL) {
		lookup_verdict(1, ask->ticket, 0, 0, "451 4.3.2 overloaded");
		return;
	}
	j->ask.resolve = *ask;
	job_run(j);
}

static void
lookup_delivery_ask(struct peer *p, struct msg *m)
{
	struct job	*j;

	if ((j = job_new(JOB_DELIVERY)) == NULL)
		return;
	j->ask.delivery = *(const struct msg_DELIVERY_ASK *)m->body;
	job_run(j);
}

static void
lookup_conf(struct peer *p, struct msg *m)
{
	char	*text;
	size_t	 len;

	if ((text = role_slurp(m->fd, CONF_TEXT_MAX, &len)) == NULL ||
	    (self.conf = conf_parse(text, len, NULL, NULL)) == NULL)
		fatalx("configuration");
	free(text);
	self.asks_dns = rules_ask_dns(self.conf);
	lookup_rate_begin(self.conf);
	tables_open(self.conf);
	secrets_init(self.conf);
}

/* A new net counts its connections from the start again. */
static void
lookup_channel_gone(struct peer *p)
{
	struct client	*c, *next;
	size_t		 i;

	if (peer_role(p) == ROLE_DNS)
		lookup_dns_gone();
	if (peer_role(p) == ROLE_DELIVER)
		lookup_forward_gone(p);
	if (peer_role(p) != ROLE_NET)
		return;
	for (i = 0; i < CLIENT_BUCKETS; i++)
		LIST_FOREACH_SAFE(c, &self.clients[i], entry, next)
			client_free(c);
}

static void
lookup_stats(void)
{
	log_info("clients=%zu waiting=%zu names=%zu", self.nclients,
	    self.njobs, lookup_dns_known());
}

static const struct handler handlers[] = {
	{ M_CONF,		lookup_conf },
	{ M_TABLE,		tables_answer },
	{ M_DNS_RECORD,		lookup_dns_record },
	{ M_DNS_DONE,		lookup_dns_done },
	{ M_FORWARD_READER,	lookup_forward_reader },
	{ M_NO_FORWARD,		lookup_no_forward },
	{ M_FORWARD_TEXT,	lookup_forward_text },
	{ M_TX_MAIL,		lookup_tx_mail },
	{ M_TX_RCPT,		lookup_tx_rcpt },
	{ M_TX_END,		lookup_tx_end },
	{ M_CLIENT_AUTH,	lookup_client_auth },
	{ M_RESOLVE,		lookup_resolve },
	{ M_DELIVERY_ASK,	lookup_delivery_ask },
	{ M_SECRET_ASK,		lookup_secret_ask },
	{ M_TOKEN,		lookup_token },
	{ M_NO_TOKEN,		lookup_no_token },
	{ 0,			NULL }
};

const struct role_code lookup_code = {
	.handlers = handlers,
	.channel_gone = lookup_channel_gone,
	.stats = lookup_stats,
};
