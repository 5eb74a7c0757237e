/*
 * queue_tx: a transaction from MAIL to "250".
 *
 * lookup opens it and adds recipients; net hands over the text.  net can name
 * neither recipients nor a transaction that lookup did not open for the same
 * connection.  The answer to a message goes out when it is on the disk.
 *
 * Cost of a message: one message in from lookup for MAIL and two a recipient,
 * as many out to net; one from net with the text; the journal's write.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "os/os.h"
#include "smtpd/queue.h"
#include "smtpd/queue_add.h"
#include "smtpd/queue_history.h"
#include "smtpd/queue_quota.h"

#define TX_BUCKETS	4096
#define TEXT_MAX	((off_t)4 << 30)

struct tx {
	LIST_ENTRY(tx)		 entry;
	uint32_t		 conn;
	uint32_t		 generation;	/* of net and lookup */
	uint32_t		 seq;		/* of MAIL */
	struct message		*m;
	struct adding		 adding;
	int			 storing;	/* the text is being written */
	int			 silent;	/* its net has gone */
	uint32_t		 data_seq;
	uint32_t		 missed;	/* RCPT that did not fit */
	uint32_t		 add_seq;	/* RCPT that was added last */
	uint64_t		 size;		/* as MAIL said; 0 not */
	int			 large_fd;	/* spooled text; -1 */
	char			 addr[C_ADDR];
};

static struct {
	LIST_HEAD(, tx)		 txs[TX_BUCKETS];
} self;

/* What is being stored is nobody's any more: it stays accepted. */
static struct tx *
tx_find(uint32_t conn, uint32_t generation)
{
	struct tx	*t;

	LIST_FOREACH(t, &self.txs[conn % TX_BUCKETS], entry)
		if (t->conn == conn && t->generation == generation &&
		    !t->storing)
			return (t);
	return (NULL);
}

static void
tx_free(struct tx *t)
{
	LIST_REMOVE(t, entry);
	if (t->large_fd != -1) {
		close(t->large_fd);
		large_remove(t->m->id, ".new");
	}
	if (t->m != NULL)
		message_forget(t->m);
	adding_free(&t->adding);
	free(t);
}

static void
reply(uint32_t conn, uint32_t generation, uint64_t seq, uint64_t id,
    int accepted, const char *text)
{
	struct msg_TX_REPLY	 r = { .conn = conn, .seq = seq, .id = id,
				    .accepted = accepted };
	struct peer		*net;

	if ((net = role_peer_of(ROLE_NET, generation)) == NULL)
		return;
	strlcpy(r.reply, text, sizeof(r.reply));
	peer_send(net, M_TX_REPLY, &r, -1);
}

static struct tx *
tx_new(uint32_t conn, uint32_t generation, const struct msg_TX_OPEN *o)
{
	struct tx	*t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return (NULL);
	t->conn = conn;
	t->generation = generation;
	t->seq = o->seq;
	t->size = o->size;
	t->large_fd = -1;
	strlcpy(t->addr, o->addr, sizeof(t->addr));
	LIST_INSERT_HEAD(&self.txs[conn % TX_BUCKETS], t, entry);
	if ((t->m = message_new(message_new_id())) == NULL ||
	    (t->m->env.sender = strdup(o->sender)) == NULL ||
	    (t->m->env.user = strdup(o->user)) == NULL ||
	    (t->m->env.addr = strdup(o->addr)) == NULL ||
	    (t->m->env.envid = strdup(o->envid)) == NULL) {
		tx_free(t);
		return (NULL);
	}
	t->m->env.ret = o->ret;
	return (t);
}

void
queue_tx_open(struct peer *p, struct msg *m)
{
	const struct msg_TX_OPEN	*o = m->body;
	struct tx			*t;
	uint32_t			 gen = peer_generation(p);

	if ((t = tx_find(o->conn, gen)) != NULL)
		tx_free(t);		/* net has begun anew */
	if (queue_paused(PAUSE_ACCEPT))
		reply(o->conn, gen, o->seq, 0, 0, "451 4.3.2 no mail is "
		    "accepted at the moment, try again later");
	else if (queue_no_room() != NULL)
		reply(o->conn, gen, o->seq, 0, 0, queue_no_room());
	else if ((t = tx_new(o->conn, gen, o)) == NULL)
		reply(o->conn, gen, o->seq, 0, 0,
		    "451 4.3.0 no memory, try again later");
	else
		reply(o->conn, gen, o->seq, t->m->id, 1,
		    "250 2.1.0 Sender ok");
}

/*
 * All that a RCPT became, or nothing.  The copies for archives come behind it;
 * lookup tells of each only once in a transaction, so they are for the other
 * recipients as well, and have the room that there is then.
 */
static void
add(struct tx *t, const struct msg_TX_ADD *a)
{
	if (t->missed == a->seq && !a->copy)
		return;
	if (adding_one(&t->adding, &t->m->env, a) != -1)
		return;
	t->missed = a->seq;
	adding_undo(&t->adding, &t->m->env);
	if (a->copy)
		(void)adding_one(&t->adding, &t->m->env, a);
}

void
queue_tx_add(struct peer *p, struct msg *m)
{
	const struct msg_TX_ADD	*a = m->body;
	struct tx		*t;

	if (a->internal) {
		ask_add(a);
		return;
	}
	if ((t = tx_find(a->conn, peer_generation(p))) == NULL ||
	    a->seq <= t->seq)
		return;
	if (a->seq != t->add_seq) {
		t->add_seq = a->seq;
		adding_begin(&t->adding, &t->m->env);
	}
	add(t, a);
}

/*
 * A single mailbox that is known to be full: what was added for it goes again.
 * Of an address with several members some may have room; copies for archives,
 * which come behind it, stay for the other recipients.
 */
static const char *
full(struct tx *t)
{
	struct envelope		*env = &t->m->env;
	struct erecipient	*e = &env->rcpts[t->adding.first];
	const char		*why;

	if (t->adding.n != 1 || t->adding.nnew != 1 || !e->place.local ||
	    (why = quota_refusal(&e->place, t->size)) == NULL)
		return (NULL);
	log_info("refused: rcpt addr=%s conn=%u%s%s to=<%s> from=<%s> "
	    "reply=\"%s\"", t->addr, (unsigned int)t->conn,
	    env->user[0] != '\0' ? " user=" : "", env->user, e->orig,
	    env->sender, why);
	adding_undo(&t->adding, env);
	return (why);
}

void
queue_tx_verdict(struct peer *p, struct msg *m)
{
	const struct msg_TX_VERDICT	*v = m->body;
	uint32_t			 gen = peer_generation(p);
	const char			*why;
	struct tx			*t;

	if (v->internal) {
		ask_verdict(v);
		return;
	}
	t = tx_find(v->conn, gen);
	if (t == NULL && v->accepted)
		reply(v->conn, gen, v->seq, 0, 0, "503 5.5.1 say MAIL first");
	else if (v->accepted && (t->missed == v->seq ||
	    t->m->env.nrcpts == 0))
		reply(v->conn, gen, v->seq, 0, 0,
		    "452 4.5.3 too many recipients");
	else if (v->accepted && t->add_seq == v->seq &&
	    (why = full(t)) != NULL) {
		queue_count(COUNT_REFUSED);
		reply(v->conn, gen, v->seq, t->m->id, 0, why);
	} else {
		if (v->accepted && t->add_seq == v->seq)
			adding_end(&t->adding, &t->m->env);
		reply(v->conn, gen, v->seq, t != NULL ? t->m->id : 0,
		    v->accepted, v->reply);
	}
	if (!v->accepted)
		queue_count(COUNT_REFUSED);	/* lookup has logged it */
}

void
queue_tx_close(struct peer *p, struct msg *m)
{
	const struct msg_TX_CLOSE	*c = m->body;
	struct tx			*t;

	if ((t = tx_find(c->conn, peer_generation(p))) != NULL)
		tx_free(t);
}

/* A file for a message above JOURNAL_INLINE. */
void
queue_spool_ask(struct peer *p, struct msg *m)
{
	const struct msg_SPOOL_ASK	*a = m->body;
	struct msg_SPOOL_FILE		 f = { .conn = a->conn, .id = a->id };
	struct tx			*t;
	char				 name[32];
	int				 fd = -1;

	if ((t = tx_find(a->conn, peer_generation(p))) != NULL &&
	    t->m->id == a->id && t->large_fd == -1) {
		large_name(t->m->id, ".new", name, sizeof(name));
		t->large_fd = openat(queue_large(), name, O_RDWR | O_CREAT |
		    O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (t->large_fd == -1)
			log_warn("large/%s", name);
		else
			fd = fcntl(t->large_fd, F_DUPFD_CLOEXEC, 3);
	}
	if (fd == -1) {
		f.failed = ENOSPC;
		if ((fd = os_anonfile("none")) == -1)
			return;
	}
	peer_send(p, M_SPOOL_FILE, &f, fd);
}

static void
tell_stored(struct tx *t, uint64_t id, const char *text)
{
	if (!t->silent)
		reply(t->conn, t->generation, t->data_seq, id, id != 0, text);
}

/* On the disk, or not: only now the client hears of it. */
static void
stored(void *arg, int error)
{
	struct tx	*t = arg;
	struct message	*m = t->m;
	char		 text[C_REPLY], id[QUEUEID_SIZE];

	queueid_text(m->id, id);
	t->large_fd = -1;		/* closed by the committer */
	if (error != 0) {
		log_warnx("%s: cannot be stored: %s", id, strerror(error));
		tell_stored(t, 0,
		    error == ENOSPC || error == EDQUOT ?
		    "452 4.3.1 the disk is full, try again later" :
		    "451 4.3.0 the message cannot be stored now");
		if (m->env.spooled) {
			large_remove(m->id, ".new");
			large_remove(m->id, "");
		}
		tx_free(t);
		return;
	}
	snprintf(text, sizeof(text), "250 2.0.0 %s Message accepted for "
	    "delivery", id);
	tell_stored(t, m->id, text);
	log_info("%s: accepted addr=%s conn=%u%s%s from=<%s> size=%llu "
	    "nrcpt=%zu msgid=%s", id, t->addr, t->conn,
	    m->env.user[0] != '\0' ? " user=" : "", m->env.user,
	    m->env.sender, (unsigned long long)m->env.size, m->active,
	    m->env.msgid);
	t->m = NULL;
	tx_free(t);
	queue_count(COUNT_ACCEPTED);
	message_begin(m);
	dest_run();
}

/* The text of a small message, in memory. */
static char *
slurp(int fd, size_t len)
{
	char	*p;
	size_t	 got = 0;
	ssize_t	 n;

	if ((p = malloc(len + 1)) == NULL)
		return (NULL);
	while (got < len) {
		if ((n = pread(fd, p + got, len - got, got)) <= 0) {
			free(p);
			return (NULL);
		}
		got += n;
	}
	return (p);
}

/* The sealed descriptor is kept: delivery needs no second copy. */
static int
store_small(struct tx *t, int *fd, size_t len)
{
	char	*text;
	int	 ret;

	if (os_anonfile_is_sealed(*fd) != 1 && OS_HAVE_SEALS) {
		errno = EPERM;
		return (-1);
	}
	if ((text = slurp(*fd, len)) == NULL)
		return (-1);
	ret = message_store(t->m, text, len, NULL, stored, t);
	free(text);
	if (ret == 0 && OS_HAVE_SEALS) {
		message_keep_text(t->m, *fd);
		*fd = -1;
	}
	return (ret);
}

/* The file is the one that was handed out; net's descriptor is not used. */
static int
store_large(struct tx *t)
{
	struct journal_file	f = { .fd = t->large_fd,
				    .dirfd = queue_large() };

	large_name(t->m->id, ".new", f.from, sizeof(f.from));
	large_name(t->m->id, "", f.to, sizeof(f.to));
	t->m->env.spooled = 1;
	return (message_store(t->m, NULL, 0, &f, stored, t));
}

static int
store(struct tx *t, const struct msg_TX_DATA *d, int *fd)
{
	struct stat	st;

	if (d->spooled && t->large_fd == -1) {
		errno = EPERM;
		return (-1);
	}
	if (fstat(d->spooled ? t->large_fd : *fd, &st) == -1)
		return (-1);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > TEXT_MAX || (!d->spooled &&
	    st.st_size > JOURNAL_INLINE * 2)) {
		errno = EFBIG;
		return (-1);
	}
	t->m->env.arrived = time(NULL);
	t->m->env.size = st.st_size;
	t->m->env.body = d->body;
	t->m->env.utf8 = d->utf8;
	t->m->old_routes = t->generation != queue_generation();
	if ((t->m->env.msgid = strdup(d->msgid)) == NULL ||
	    message_recipients(t->m) == -1)
		return (-1);
	t->storing = 1;
	t->data_seq = d->seq;
	if (d->spooled ? store_large(t) == -1 :
	    store_small(t, fd, st.st_size) == -1) {
		t->storing = 0;
		return (-1);
	}
	return (0);
}

void
queue_tx_data(struct peer *p, struct msg *m)
{
	const struct msg_TX_DATA	*d = m->body;
	uint32_t			 gen = peer_generation(p);
	struct tx			*t;
	int				 error;

	t = tx_find(d->conn, gen);
	if (t == NULL || t->m->id != d->id || t->m->env.nrcpts == 0) {
		reply(d->conn, gen, d->seq, 0, 0, "503 5.5.1 no transaction");
		return;
	}
	if (store(t, d, &m->fd) == -1) {
		error = errno;
		log_warn("message of connection %u", (unsigned int)d->conn);
		reply(d->conn, gen, d->seq, 0, 0, error == ENOSPC ?
		    "452 4.3.1 the disk is full, try again later" :
		    "451 4.3.0 the message cannot be stored now");
		tx_free(t);
	}
}

/* Without net or lookup nobody would ever end what they began. */
static void
txs_drop(uint32_t generation)
{
	struct tx	*t, *next;
	size_t		 i;

	for (i = 0; i < TX_BUCKETS; i++)
		LIST_FOREACH_SAFE(t, &self.txs[i], entry, next)
			if (t->generation == generation && !t->storing)
				tx_free(t);
}

/* A new net counts its connections from the start again. */
void
tx_net_gone(struct peer *p)
{
	struct tx	*t;
	size_t		 i;

	txs_drop(peer_generation(p));
	for (i = 0; i < TX_BUCKETS; i++)
		LIST_FOREACH(t, &self.txs[i], entry)
			if (t->generation == peer_generation(p))
				t->silent = 1;
}

void
tx_lookup_gone(struct peer *p)
{
	txs_drop(peer_generation(p));
}
