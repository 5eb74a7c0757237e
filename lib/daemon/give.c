/*
 * give: what a role needs besides the configuration: bound sockets,
 * certificates, keys and tables, each as a descriptor that the parent opened.
 * A role never names a path; it names the index of a table at most.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/child.h"
#include "log/log.h"
#include "net/listen.h"

#define BOUND_MAX	256

/* Sockets stay bound over a reload, so that no connection is refused. */
static struct bound {
	char		where[C_PATH];
	unsigned int	port;
	int		fds[LISTEN_FDS];
	size_t		nfds;
} bound[BOUND_MAX];
static size_t nbound;

static struct bound *
bound_find(const struct conf_listen *l)
{
	size_t	i;

	for (i = 0; i < nbound; i++)
		if (bound[i].port == l->port &&
		    strcmp(bound[i].where, l->where) == 0)
			return (&bound[i]);
	return (NULL);
}

static int
still_wanted(const struct bound *b, const struct conf *conf)
{
	const struct conf_listen	*l;

	TAILQ_FOREACH(l, &conf->listens, entry)
		if (l->port == b->port && strcmp(l->where, b->where) == 0)
			return (1);
	return (0);
}

void
give_unbind(const struct conf *conf)
{
	size_t	i, j;

	for (i = 0; i < nbound; ) {
		if (still_wanted(&bound[i], conf)) {
			i++;
			continue;
		}
		for (j = 0; j < bound[i].nfds; j++)
			close(bound[i].fds[j]);
		if (bound[i].where[0] == '/')
			listen_unlink(bound[i].where);
		bound[i] = bound[--nbound];
	}
}

/* Sockets that are paths do not outlive the daemon. */
void
give_unlink(void)
{
	size_t	i;

	for (i = 0; i < nbound; i++)
		if (bound[i].where[0] == '/')
			listen_unlink(bound[i].where);
}

static int
bind_path(const struct conf_listen *l, struct bound *b)
{
	struct group	*gr;
	gid_t		 gid = (gid_t)-1;
	mode_t		 mode = 0600;

	if (l->group != NULL) {
		if ((gr = getgrnam(l->group)) == NULL) {
			errno = ENOENT;
			return (-1);
		}
		gid = gr->gr_gid;
		mode = 0660;
	}
	/* every user of this machine may hand over mail */
	if (l->proto == PROTO_LOCAL)
		mode = 0666;
	if ((b->fds[0] = listen_bind_path(l->where, gid, mode)) == -1)
		return (-1);
	b->nfds = 1;
	return (0);
}

static int
bind_listener(const struct conf_listen *l, struct bound *b, char *err,
    size_t size)
{
	if (l->where[0] == '/' ? bind_path(l, b) == 0 :
	    listen_bind(l->where, l->port, b->fds, &b->nfds) == 0)
		return (0);
	if (l->where[0] == '/')
		snprintf(err, size, "%s:%u: cannot listen on %s%s%s: %s",
		    l->pos.file, l->pos.line, l->where, l->group != NULL ?
		    " for group " : "", l->group != NULL ? l->group : "",
		    strerror(errno));
	else
		snprintf(err, size, "%s:%u: cannot listen on %s port %u: %s",
		    l->pos.file, l->pos.line, l->where, l->port,
		    strerror(errno));
	return (-1);
}

int
give_bind(const struct conf *conf, char *err, size_t size)
{
	const struct conf_listen	*l;
	struct bound			*b;

	TAILQ_FOREACH(l, &conf->listens, entry) {
		if (!sv.ops->serves(l) || bound_find(l) != NULL)
			continue;
		if (nbound == BOUND_MAX) {
			snprintf(err, size, "more than %d listeners",
			    BOUND_MAX);
			return (-1);
		}
		b = &bound[nbound];
		if (bind_listener(l, b, err, size) == -1)
			return (-1);
		strlcpy(b->where, l->where, sizeof(b->where));
		b->port = l->port;
		nbound++;
	}
	return (0);
}

static int
give_listeners(struct peer *p, const struct conf *conf)
{
	const struct conf_listen	*l;
	const struct bound		*b;
	struct msg_LISTENER		 m = { 0 };
	size_t				 i;
	int				 fd;

	TAILQ_FOREACH(l, &conf->listens, entry) {
		if (!sv.ops->serves(l) || (b = bound_find(l)) == NULL)
			continue;
		m.index = l->index;
		for (i = 0; i < b->nfds; i++) {
			if ((fd = dup(b->fds[i])) == -1)
				return (-1);
			peer_send(p, M_LISTENER, &m, fd);
		}
	}
	return (0);
}

static int
open_for(const char *path)
{
	int	fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		log_warn("%s", path);
	return (fd);
}

static int
give_certs(struct peer *p, const struct conf *conf)
{
	const struct conf_tls	*t;
	struct msg_CERT		 m;
	int			 fd;

	TAILQ_FOREACH(t, &conf->tlses, entry) {
		memset(&m, 0, sizeof(m));
		m.index = t->index;
		strlcpy(m.name, t->name, sizeof(m.name));
		if ((fd = open_for(t->cert)) == -1)
			return (-1);
		peer_send(p, M_CERT, &m, fd);
	}
	return (0);
}

static int
give_keys(struct peer *p, const struct conf *conf)
{
	const struct conf_tls	*t;
	struct msg_KEY		 m;
	int			 fd;

	TAILQ_FOREACH(t, &conf->tlses, entry) {
		memset(&m, 0, sizeof(m));
		m.index = t->index;
		strlcpy(m.name, t->name, sizeof(m.name));
		if ((fd = open_for(t->key)) == -1)
			return (-1);
		peer_send(p, M_KEY, &m, fd);
	}
	return (0);
}

void
give_table(struct peer *p, const struct conf *conf, unsigned int index)
{
	const struct conf_table	*t = conf_table_index(conf, index);
	struct msg_TABLE	 m = { .index = index };
	int			 fd;

	if (t == NULL || !conf_table_is_file(t)) {
		supervise_kill(p, "asked for a table that there is not");
		return;
	}
	if ((fd = open(t->source, O_RDONLY | O_CLOEXEC)) == -1) {
		m.failed = errno;
		log_warn("table %s: %s", t->name, t->source);
		if ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) == -1) {
			log_warn("/dev/null");
			return;
		}
	}
	peer_send(p, M_TABLE, &m, fd);
}

static void
give_tables(struct peer *p, enum role role, const struct conf *conf)
{
	const struct conf_table	*t;
	const struct conf_auth	*a;

	if (role == ROLE_LOOKUP) {
		TAILQ_FOREACH(t, &conf->tables, entry)
			if (conf_table_is_file(t))
				give_table(p, conf, t->index);
		return;
	}
	/* auth sees the tables of the auth statements and nothing else. */
	TAILQ_FOREACH(a, &conf->auths, entry)
		if (a->table != NULL && conf_table_is_file(a->table))
			give_table(p, conf, a->table->index);
}

static int
give_control(struct peer *p, const struct conf *conf)
{
	struct msg_LISTENER	m = { .control = 1 };
	int			fd;

	if ((fd = control_socket(conf, role_name(peer_role(p)))) == -1)
		return (-1);
	peer_send(p, M_LISTENER, &m, fd);
	return (0);
}

int
give_role(struct child *c, struct gen *g)
{
	switch (c->def->role) {
	case ROLE_NET:
		if (give_certs(c->peer, g->conf) == -1)
			return (-1);
		return (give_listeners(c->peer, g->conf));
	case ROLE_SIGNER:
		return (give_keys(c->peer, g->conf));
	case ROLE_AUTH:
	case ROLE_LOOKUP:
		if (c->def->role == ROLE_AUTH && conf_has_keys(g->conf) &&
		    give_decoy_key(c->peer, g->conf) == -1)
			return (-1);
		give_tables(c->peer, c->def->role, g->conf);
		return (0);
	case ROLE_QUEUE:
		return (give_control(c->peer, g->conf));
	default:
		return (0);
	}
}
