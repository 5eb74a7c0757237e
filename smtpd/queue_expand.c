/*
 * queue_expand: a recipient that has become several.
 *
 * The address was one of the outside when its message came, and is a list of
 * ours since.  Its members get a message of their own, as the recipients that
 * are on the disk are not added to.  When that is stored the old recipient is
 * over; a crash in between makes two of them, never none.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "smtpd/queue.h"
#include "smtpd/queue_add.h"

struct expanding {
	uint64_t	 id;		/* of the old message */
	uint32_t	 index;
	struct message	*m;		/* the new one */
};

static void
expanding_free(struct expanding *x)
{
	if (x->m != NULL && x->m->env.spooled) {
		large_remove(x->m->id, ".new");
		large_remove(x->m->id, "");
	}
	if (x->m != NULL)
		message_forget(x->m);
	free(x);
}

static char *
copy(const char *s)
{
	return (strdup(s != NULL ? s : ""));
}

/* RFC 3461 5.2.7.1 (b): RET and ENVID are for the sender, not for an owner. */
static int
copy_envelope(struct envelope *to, const struct recipient *r)
{
	const struct envelope	*from = &r->m->env;
	int			 own = !recipient_has_owner(r);

	to->arrived = from->arrived;
	to->size = from->size;
	to->body = from->body;
	to->utf8 = from->utf8;
	to->ret = own ? from->ret : 0;
	to->spooled = from->spooled;
	to->warned = from->warned;
	to->kind = from->kind;
	to->sender = copy(recipient_sender(r));
	to->user = copy(from->user);
	to->addr = copy(from->addr);
	to->msgid = copy(from->msgid);
	to->envid = copy(own ? from->envid : "");
	return (to->sender == NULL || to->user == NULL || to->addr == NULL ||
	    to->msgid == NULL || to->envid == NULL ? -1 : 0);
}

/* Asked for as the address was; -1 with errno. */
static int
copy_members(struct envelope *to, const struct recipient *r,
    struct msg_TX_ADD *adds, size_t n)
{
	const struct erecipient	*e = recipient_env(r);
	struct adding		 a = { 0 };
	size_t			 i;
	int			 ret = 0;

	adding_begin(&a, to);
	for (i = 0; i < n && ret == 0; i++) {
		adds[i].notify = e->notify;
		(void)strlcpy(adds[i].orig, e->orig, sizeof(adds[i].orig));
		(void)strlcpy(adds[i].orcpt, e->orcpt, sizeof(adds[i].orcpt));
		if (adding_has(&r->m->env, r->index, &adds[i]))
			continue;
		errno = ENOMEM;		/* if there are too many as well */
		if (adding_one(&a, to, &adds[i]) == -1)
			ret = -1;
	}
	if (ret == 0)
		adding_end(&a, to);
	adding_free(&a);
	return (ret);
}

static void
stored(void *arg, int error)
{
	struct expanding	*x = arg;
	struct message		*old = message_find(x->id), *m = x->m;
	struct recipient	*r = old != NULL ? &old->recips[x->index] :
				    NULL;
	char			 id[QUEUEID_SIZE];

	queueid_text(m->id, id);
	if (error != 0) {
		log_warnx("%s: cannot be stored: %s", id, strerror(error));
		expanding_free(x);
		if (r != NULL)
			recipient_deferred(r, "452 4.3.1 no room for a list",
			    NULL);
		return;
	}
	x->m = NULL;
	expanding_free(x);
	if (r != NULL)
		recipient_expanded(r, id);
	message_begin(m);
	dest_run();
}

/* The same file under the new message's name. */
static int
store_large(struct expanding *x, const struct message *from)
{
	struct journal_file	f = { .dirfd = queue_large() };
	char			old[QUEUEID_SIZE];
	int			error;

	queueid_text(from->id, old);
	large_name(x->m->id, ".new", f.from, sizeof(f.from));
	large_name(x->m->id, "", f.to, sizeof(f.to));
	if (linkat(f.dirfd, old, f.dirfd, f.from, 0) == -1 ||
	    (f.fd = openat(f.dirfd, f.from, O_RDWR | O_CLOEXEC |
	    O_NOFOLLOW)) == -1)
		return (-1);
	if (message_store(x->m, NULL, 0, &f, stored, x) == 0)
		return (0);
	error = errno;
	close(f.fd);
	errno = error;
	return (-1);
}

static int
store_small(struct expanding *x, struct message *from)
{
	size_t	 len = from->env.size;
	ssize_t	 n;
	char	*text;
	int	 fd, ret = -1;

	if ((fd = message_text_fd(from)) == -1)
		return (-1);
	if ((text = malloc(len + 1)) != NULL) {
		n = pread(fd, text, len, 0);
		if (n == (ssize_t)len)
			ret = message_store(x->m, text, len, NULL, stored, x);
		else if (n != -1)
			errno = EBADMSG;
	}
	free(text);
	close(fd);
	return (ret);
}

void
recipient_expand(struct recipient *r, struct msg_TX_ADD *adds, size_t n)
{
	struct expanding	*x;
	int			 error;

	if ((x = calloc(1, sizeof(*x))) == NULL)
		goto fail;
	x->id = r->m->id;
	x->index = r->index;
	if ((x->m = message_new(message_new_id())) == NULL ||
	    copy_envelope(&x->m->env, r) == -1 ||
	    copy_members(&x->m->env, r, adds, n) == -1)
		goto fail;
	if (x->m->env.nrcpts == 0) {
		expanding_free(x);
		recipient_expanded(r, "its other recipients");
		return;
	}
	if (message_recipients(x->m) == 0 && (x->m->env.spooled ?
	    store_large(x, r->m) : store_small(x, r->m)) == 0)
		return;
fail:
	error = errno;
	if (x != NULL)
		expanding_free(x);
	errno = error;
	recipient_unreadable(r);
}
