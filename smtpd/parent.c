/*
 * parent: what smtpd's parent does beyond lib/daemon: the spool's directory,
 * the relay's CA certificates, and deliverers.  Runs as root.
 *
 * A deliverer is started because queue asked lookup and lookup named an
 * account; neither can name root, one of our own accounts, or a path.  Only
 * lookup, which reads aliases, can name a command, and only where the
 * configuration lets aliases or forward files name them.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/mailplace.h"
#include "log/log.h"
#include "os/compat.h"
#include "rules/rules.h"
#include "smtpd/contract.h"
#include "smtpd/handover.h"
#include "smtpd/parent.h"

#define READER_SECONDS	60	/* of a forward file */

static const char *const ca_files[] = {
	"/etc/ssl/cert.pem",			/* BSD */
	"/etc/ssl/certs/ca-certificates.crt",	/* Debian */
	"/etc/pki/tls/certs/ca-bundle.crt",
};

static int
serves(const struct conf_listen *l)
{
	return (l->proto == PROTO_SMTP || l->proto == PROTO_SMTPS ||
	    l->proto == PROTO_SUBMISSION || l->proto == PROTO_LMTP ||
	    l->proto == PROTO_LOCAL);
}

/* The directories of included lists, each once. */
static size_t
list_paths(const struct conf *conf, struct sandbox_path *p, size_t max)
{
	const struct conf_domain	*d;
	size_t				 i, n = 0;

	TAILQ_FOREACH(d, &conf->domains, entry) {
		if (d->include == NULL)
			continue;
		for (i = 0; i < n; i++)
			if (strcmp(p[i].path, d->include) == 0)
				break;
		if (i < n)
			continue;
		if (n == max || access(d->include, X_OK) == -1) {
			log_warn("%s cannot be read from", d->include);
			continue;
		}
		p[n].path = d->include;
		p[n++].perm = "r";
	}
	return (n);
}

static size_t
paths(enum role role, const struct conf *conf, struct sandbox_path *p,
    size_t max)
{
	if (role == ROLE_LOOKUP)
		return (list_paths(conf, p, max));
	if (role == ROLE_QUEUE && max > 0) {
		p[0].path = conf->spool;
		p[0].perm = "rwc";
		return (1);
	}
	return (0);
}

/* A disk that is read-only now is no reason to fail if nothing is to do. */
static int
give_spool(const char *path, uid_t uid, gid_t gid)
{
	struct stat	st;

	if (stat(path, &st) == 0 && st.st_uid == uid && st.st_gid == gid &&
	    (st.st_mode & 07777) == 0700)
		return (0);
	if (chown(path, uid, gid) == -1 || chmod(path, 0700) == -1) {
		log_warn("%s", path);
		return (-1);
	}
	return (0);
}

/* The spool belongs to queue and nobody else looks into it. */
static int
prepare(const struct conf *conf)
{
	struct passwd	*pw;

	mailplace_prepare();
	if (mkdir(conf->spool, 0700) == -1 && errno != EEXIST) {
		log_warn("%s", conf->spool);
		return (-1);
	}
	if (handover_prepare(conf) == -1)
		return (-1);
	if (supervise_unprivileged())
		return (0);
	if ((pw = getpwnam("_mailq")) == NULL) {
		log_warnx("no account _mailq: run \"make users\"");
		return (-1);
	}
	return (give_spool(conf->spool, pw->pw_uid, pw->pw_gid));
}

static void
tell(struct peer *p, enum role role, const struct conf *conf)
{
	struct msg_CAFILE	m = { 0 };
	size_t			i;
	int			fd = -1;

	if (role != ROLE_RELAY)
		return;
	for (i = 0; fd == -1 && i < sizeof(ca_files) / sizeof(ca_files[0]);
	    i++)
		fd = open(ca_files[i], O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		log_warnx("no CA certificates: no server's certificate can be "
		    "verified (install ca-certificates)");
		if ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) == -1)
			return;
	}
	peer_send(p, M_CAFILE, &m, fd);
}

static void
no_deliverer(uint64_t ticket, int permanent, const char *why)
{
	struct msg_NO_DELIVERER	 m = { .ticket = ticket,
				    .permanent = permanent };
	struct peer		*queue = supervise_role(ROLE_QUEUE);

	if (queue == NULL)
		return;
	strlcpy(m.why, why, sizeof(m.why));
	peer_send(queue, M_NO_DELIVERER, &m, -1);
}

static const struct conf_domain *
domain_of(const struct conf *conf, uint64_t index)
{
	const struct conf_domain	*d;

	TAILQ_FOREACH(d, &conf->domains, entry)
		if (d->index == index)
			return (d);
	return (NULL);
}

static struct peer *
start(const struct msg_DELIVERY_OPEN *a, const struct mailplace *place)
{
	struct sandbox_path	 path = { .path = place->dir, .perm = "rwc" };
	struct msg_DELIVER_BOX	 box = { .mbox = place->mbox,
				    .quota = place->quota.bytes,
				    .quota_messages =
				    place->quota.messages };
	struct peer		*p;

	if ((p = supervise_peruser(ROLE_DELIVER, "smtpd-deliver", a->uid,
	    a->gid, a->user, &path, 1, NULL)) == NULL)
		return (NULL);
	strlcpy(box.user, a->user, sizeof(box.user));
	strlcpy(box.path, place->path, sizeof(box.path));
	strlcpy(box.expire, place->expire, sizeof(box.expire));
	peer_send(p, M_DELIVER_BOX, &box, -1);
	return (p);
}

/*
 * The command is the configuration's, or one that lookup has read; the process
 * splits it, as the user.
 */
static struct peer *
start_pipe(const struct msg_DELIVERY_OPEN *a, const struct conf_domain *d)
{
	struct msg_PIPE_BOX	 box = { .expand = a->kind == COMMAND_NONE };
	struct peer		*p;

	if ((p = supervise_peruser(ROLE_PIPE, "smtpd-pipe", a->uid, a->gid,
	    a->user, NULL, 0, NULL)) == NULL)
		return (NULL);
	strlcpy(box.user, a->user, sizeof(box.user));
	strlcpy(box.domain, d->names.v[0], sizeof(box.domain));
	strlcpy(box.home, a->home, sizeof(box.home));
	strlcpy(box.command, box.expand ? d->target : a->command,
	    sizeof(box.command));
	peer_send(p, M_PIPE_BOX, &box, -1);
	return (p);
}

/* One end of a channel to the deliverer, the other to queue. */
static int
join(struct peer *deliver, struct peer *queue, uint64_t ticket)
{
	struct msg_CHANNEL	ch = { .role = ROLE_QUEUE };
	struct msg_DELIVERER	up = { .ticket = ticket };
	int			sp[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sp) == -1)
		return (-1);
	ch.pid = peer_pid(queue);
	up.pid = peer_pid(deliver);
	up.pipe = peer_role(deliver) == ROLE_PIPE;
	peer_send(deliver, M_CHANNEL, &ch, sp[0]);
	supervise_go(deliver);
	peer_send(queue, M_DELIVERER, &up, sp[1]);
	return (0);
}

static void
hand_over(struct peer *deliverer, uint64_t ticket)
{
	struct peer	*queue = supervise_role(ROLE_QUEUE);

	if (deliverer == NULL)
		no_deliverer(ticket, 0, "451 4.3.0 no delivery process can be "
		    "started");
	else if (queue == NULL || join(deliverer, queue, ticket) == -1)
		supervise_kill(deliverer, "no channel");
}

/*
 * A command has all that its group may do, so the group is not lookup's to
 * choose: it is the account's own, or for users of a table that of "as".
 */
static int
own_group(struct msg_DELIVERY_OPEN *a, const struct conf_domain *d)
{
	struct passwd	*pw;

	if (supervise_unprivileged())
		return (0);
	pw = a->system ? getpwuid(a->uid) : d->as != NULL ?
	    getpwnam(d->as) : NULL;
	if (pw == NULL || (!a->system && pw->pw_uid != a->uid))
		return (-1);
	a->gid = pw->pw_gid;
	return (0);
}

/*
 * As whom: a forward file's command as the user, an alias's as the account of
 * the configuration, whatever lookup says.  -1: the domain does not permit it,
 * or the account is none for it.
 */
static int
command_owner(struct msg_DELIVERY_OPEN *a, const struct conf_domain *d)
{
	struct passwd	*pw;

	if (a->kind == COMMAND_NONE)
		return (0);
	if (a->kind == COMMAND_FORWARD)
		return (d->forward_commands ? own_group(a, d) : -1);
	if (d->alias_as == NULL)
		return (-1);
	if ((pw = getpwnam(d->alias_as)) == NULL ||
	    !mailplace_owner_ok(pw->pw_uid, pw->pw_gid)) {
		log_warnx("commands as %s: no such account, or one of the "
		    "system's", d->alias_as);
		return (-1);
	}
	a->uid = pw->pw_uid;
	a->gid = pw->pw_gid;
	return (strlcpy(a->user, pw->pw_name, sizeof(a->user)) <
	    sizeof(a->user) && strlcpy(a->home, pw->pw_dir,
	    sizeof(a->home)) < sizeof(a->home) ? 0 : -1);
}

static void
parent_delivery_open(struct peer *lookup, struct msg *m)
{
	struct msg_DELIVERY_OPEN	*a = m->body;
	const struct conf_domain	*d = domain_of(supervise_conf(),
					    a->domain);
	const struct conf_quota		 own = { a->quota, a->quota_messages };
	struct mailplace		 place;
	const char			*why;

	/* Its domains may be others; queue asks again after a while. */
	if (supervise_peer_generation(lookup) != supervise_generation())
		return;
	if (a->tempfail)
		no_deliverer(a->ticket, 0, a->kind == COMMAND_NONE ?
		    "451 4.3.0 the user table cannot be read now" :
		    "451 4.3.0 the command cannot be looked up now");
	else if (!a->found || d == NULL)
		no_deliverer(a->ticket, 1, a->kind == COMMAND_NONE ?
		    "550 5.1.1 no such user here" :
		    "550 5.1.1 the address starts this command no more");
	else if (command_owner(a, d) == -1)
		no_deliverer(a->ticket, 0, "451 4.3.5 commands are not "
		    "started for this domain now");
	else if (!mailplace_owner_ok(a->uid, a->gid)) {
		log_warnx("user=%s: no mail is delivered as uid %llu gid "
		    "%llu", a->user, (unsigned long long)a->uid,
		    (unsigned long long)a->gid);
		no_deliverer(a->ticket, 1, "550 5.2.0 no mail is delivered "
		    "as this account; give it an alias");
	} else if (a->kind != COMMAND_NONE || d->deliver == DELIVER_PIPE)
		hand_over(start_pipe(a, d), a->ticket);
	else if ((why = mailplace_find(d, a->user, a->home, &own,
	    &place)) != NULL) {
		log_warnx("user=%s: %s", a->user, why);
		no_deliverer(a->ticket, 0, "451 4.3.5 the mailbox cannot be "
		    "found");
	} else
		hand_over(start(a, &place), a->ticket);
}

static void
no_socket(struct peer *relay, uint64_t session, int error)
{
	struct msg_NO_SOCKET	m = { .session = session, .error = error };

	peer_send(relay, M_NO_SOCKET, &m, -1);
}

/* Only where a domain of the configuration that relay was told delivers. */
static void
parent_socket_ask(struct peer *relay, struct msg *m)
{
	const struct msg_SOCKET_ASK	*a = m->body;
	struct msg_SOCKET		 done = { .session = a->session };
	const struct conf_domain	*d = domain_of(supervise_conf(),
					    a->domain - 1);
	struct sockaddr_un		 sun = { .sun_family = AF_UNIX };
	int				 fd;

	if (supervise_peer_generation(relay) != supervise_generation() ||
	    d == NULL || d->deliver != DELIVER_LMTP ||
	    d->target[0] != '/' || strlcpy(sun.sun_path, d->target,
	    sizeof(sun.sun_path)) >= sizeof(sun.sun_path)) {
		no_socket(relay, a->session, ENOENT);
		return;
	}
	/* A local socket connects at once, or says EAGAIN. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == 0) {
		peer_send(relay, M_SOCKET, &done, fd);
		return;
	}
	no_socket(relay, a->session, errno);
	if (fd != -1)
		close(fd);
}

/*
 * The file of an access token, "FILE.LABEL" beside the table of the route's
 * secrets; -1 logged.  Both parts of its name are of the configuration.
 */
static int
open_token(const struct conf_route *r)
{
	struct stat	st;
	char		path[C_PATH];
	int		fd, n;

	n = snprintf(path, sizeof(path), "%s.%s", r->secrets->source,
	    r->url.label);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		log_warnx("%s: its name is too long", r->secrets->source);
		return (-1);
	}
	if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1 ||
	    fstat(fd, &st) == -1)
		log_warn("%s", path);
	else if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IWGRP | S_IRWXO)) ||
	    (st.st_uid != 0 && st.st_uid != geteuid()))
		log_warnx("%s: a token must be a file of root that others "
		    "cannot read or write", path);
	else
		return (fd);
	if (fd != -1)
		close(fd);
	return (-1);
}

static void
parent_token_ask(struct peer *lookup, struct msg *m)
{
	const struct msg_TOKEN_ASK	*a = m->body;
	struct msg_TOKEN		 got = { .ticket = a->ticket };
	struct msg_NO_TOKEN		 none = { .ticket = a->ticket };
	const struct conf_route		*r;
	int				 fd = -1;

	TAILQ_FOREACH(r, &supervise_conf()->routes, entry)
		if (r->index + 1 == a->route)
			break;
	if (supervise_peer_generation(lookup) == supervise_generation() &&
	    r != NULL && r->url.label != NULL && r->secrets != NULL &&
	    r->secrets->kind == TABLE_FILE)
		fd = open_token(r);
	if (fd != -1)
		peer_send(lookup, M_TOKEN, &got, fd);
	else
		peer_send(lookup, M_NO_TOKEN, &none, -1);
}

static void
no_forward(struct peer *lookup, uint64_t ticket, int tempfail)
{
	struct msg_NO_FORWARD	m = { .ticket = ticket, .tempfail = tempfail };

	peer_send(lookup, M_NO_FORWARD, &m, -1);
}

/*
 * Where the file of an account is, by the configuration that lookup has; -1 if
 * it can have none.
 */
static int
forward_path(struct peer *lookup, const struct msg_FORWARD_OPEN *a,
    char *path, char *dir, size_t size)
{
	const struct conf_domain	*d;
	struct stat			 st;
	char				*slash;

	d = domain_of(supervise_peer_conf(lookup), a->domain);
	if (d == NULL || d->forward == NULL ||
	    !mailplace_owner_ok(a->uid, a->gid) ||
	    conf_expand(d->forward, a->user, a->home, path, size) == -1 ||
	    path[0] != '/' || strstr(path, "/../") != NULL ||
	    strlcpy(dir, path, size) >= size ||
	    (slash = strrchr(dir, '/')) == dir)
		return (-1);
	*slash = '\0';
	/* No directory, no file, and nothing to confine a process to. */
	return (lstat(dir, &st) == -1 || !S_ISDIR(st.st_mode) ? -1 : 0);
}

/*
 * A process of the user reads the file and tells lookup; it sees no more than
 * the directory that the file is in.
 */
static void
parent_forward_open(struct peer *lookup, struct msg *m)
{
	const struct msg_FORWARD_OPEN	*a = m->body;
	struct msg_FORWARD_FILE		 file = { .uid = a->uid };
	struct msg_FORWARD_READER	 reader = { .ticket = a->ticket };
	struct msg_CHANNEL		 ch = { .role = ROLE_LOOKUP };
	struct sandbox_path		 path = { .perm = "r" };
	struct peer			*p;
	char				 dir[C_PATH];
	int				 sp[2];

	if (forward_path(lookup, a, file.path, dir, sizeof(dir)) == -1) {
		no_forward(lookup, a->ticket, 0);
		return;
	}
	path.path = dir;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sp) == -1) {
		no_forward(lookup, a->ticket, 1);
		return;
	}
	if ((p = supervise_peruser(ROLE_DELIVER, "smtpd-deliver", a->uid,
	    a->gid, a->user, &path, 1, NULL)) == NULL) {
		close(sp[0]);
		close(sp[1]);
		no_forward(lookup, a->ticket, 1);
		return;
	}
	supervise_lifetime(p, READER_SECONDS);
	strlcpy(file.user, a->user, sizeof(file.user));
	ch.pid = peer_pid(lookup);
	reader.pid = peer_pid(p);
	peer_send(p, M_FORWARD_FILE, &file, -1);
	peer_send(p, M_CHANNEL, &ch, sp[0]);
	supervise_go(p);
	peer_send(lookup, M_FORWARD_READER, &reader, sp[1]);
}

static void
peruser_gone(struct peer *p, void *arg)
{
	handover_gone(arg);
}

static const struct handler handlers[] = {
	{ M_FORWARD_OPEN,	parent_forward_open },
	{ M_SOCKET_ASK,		parent_socket_ask },
	{ M_TOKEN_ASK,		parent_token_ask },
	{ M_DELIVERY_OPEN,	parent_delivery_open },
	{ 0,			NULL }
};

const struct parent_ops parent_ops = {
	.handlers = handlers,
	.serves = serves,
	.paths = paths,
	.tell = tell,
	.peruser_gone = peruser_gone,
	.tick = handover_tick,
	.prepare = prepare,
	.check = rules_check,
};
