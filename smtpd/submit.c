/*
 * submit: sends what one user's sendmail has kept while smtpd was down.
 *
 * Runs as that user, for a moment, confined to the directory of kept messages
 * and to connecting to smtpd's local socket, which learns from the kernel who
 * it is.  The parent says which files; they are his own words, so nothing here
 * is believed that he could not have done himself: a file that is not his, or
 * no plain file of one name, is left alone, and so is one that his sendmail
 * still writes.
 *
 * Sent, then removed: a crash in between sends it twice, never not at all.  If
 * only some of its recipients were taken it is kept anew for the others.
 * What cannot be sent is told its sender, else the postmaster.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/submit_keep.h"
#include "daemon/submit_notice.h"
#include "log/log.h"
#include "os/compat.h"
#include "os/os.h"
#include "smtpd/contract.h"
#include "smtpd/handover_batch.h"
#include "smtpd/roles.h"

#define ENVELOPE_MAX	(16UL * 1024 * 1024)
#define SHORT_AGE	86400		/* then a short file goes */
#define KEEP_AGE	(5 * 86400)	/* then nothing more is tried */
#define SEND_SECONDS	60		/* then no other file is begun */

static struct {
	struct msg_SUBMIT_PLACE	 place;
	int			 dir;
	char			 names[BATCH_FILES][KEEP_NAME];
	size_t			 n;
} self = { .dir = -1 };

static void
submit_submit_place(struct peer *p, struct msg *m)
{
	(void)p;
	self.place = *(const struct msg_SUBMIT_PLACE *)m->body;
}

static void
submit_submit_file(struct peer *p, struct msg *m)
{
	const struct msg_SUBMIT_FILE	*f = m->body;

	(void)p;
	if (self.n < BATCH_FILES)
		strlcpy(self.names[self.n++], f->name, KEEP_NAME);
}

static void
drop(const char *name)
{
	if (unlinkat(self.dir, name, 0) == -1)
		log_warn("%s", name);
}

/* To the sender, or to the postmaster if he cannot be told. */
static int
tell(const struct keep *k, const char *reply)
{
	const char		*to[2] = { k->mail.sender, "postmaster" };
	struct submit_mail	 notice;
	struct buf		 text;
	enum submit_result	 r;
	char			 answer[SUBMIT_REPLY];
	size_t			 i;
	int			 fd;

	for (i = 0; i < 2; i++) {
		if (*to[i] == '\0')
			continue;
		if ((fd = submit_connect(self.place.socket)) == -1)
			return (-1);
		if (submit_notice(&notice, &text, &k->mail, k->origin, to[i],
		    reply) == -1) {
			close(fd);
			return (-1);
		}
		r = submit_send(fd, &notice, 0, NULL, answer);
		submit_mail_free(&notice);
		buf_free(&text);
		if (r == SUBMIT_DONE)
			return (0);
		if (r == SUBMIT_LATER)
			return (-1);
	}
	log_warnx("nobody could be told of a message that was not sent");
	return (0);
}

static size_t
count_refused(const struct submit_mail *m)
{
	size_t	i, n = 0;

	for (i = 0; i < m->nrcpts; i++)
		n += m->rcpts[i].reply[0] != '\0';
	return (n);
}

/* Some have got it, who would with each try get it again. */
static void
keep_rest(const char *name, const struct keep *k)
{
	if (keep_write(self.dir, getuid(), getgid(), &k->mail, k->origin) ==
	    -1)
		log_warn("%s", name);
	else
		drop(name);
}

static void
send_kept(const char *name, struct keep *k, time_t age)
{
	enum submit_result	 r = SUBMIT_LATER;
	char			 reply[SUBMIT_REPLY] = "smtpd is down";
	size_t			 all = k->mail.nrcpts;
	int			 fd;

	if ((fd = submit_connect(self.place.socket)) != -1)
		r = submit_send(fd, &k->mail, 1, NULL, reply);
	if (r == SUBMIT_LATER && age < KEEP_AGE) {
		log_info("%s: later: %s", name, reply);
		if (k->mail.nrcpts < all)
			keep_rest(name, k);
		return;
	}
	if (r == SUBMIT_DONE)
		log_info("%s: handed over from=<%s> recipients=%zu "
		    "refused=%zu", name, k->mail.sender, k->mail.nrcpts,
		    count_refused(&k->mail));
	else
		log_info("%s: not sent: %s", name, reply);
	if ((r != SUBMIT_DONE || count_refused(&k->mail) > 0) &&
	    tell(k, reply) == -1 && r != SUBMIT_DONE)
		return;
	drop(name);
}

/* As long as it is locked no other process of ours sends it too. */
static void
send_file(const char *name)
{
	struct stat	 st;
	struct keep	 k;
	char		*bytes;
	size_t		 len, max = self.place.max + ENVELOPE_MAX;
	time_t		 age;
	int		 fd;

	if ((fd = keep_take(self.dir, name, max, &st)) == -1) {
		if (errno != EWOULDBLOCK)
			log_warn("%s", name);
		return;
	}
	if ((bytes = role_slurp(fd, max, &len)) == NULL)
		log_warn("%s", name);
	else {
		age = time(NULL) - st.st_mtime;
		if (age < -SHORT_AGE)	/* set by its owner, no clock */
			age = KEEP_AGE;
		if (keep_parse(&k, bytes, len) == 0)
			send_kept(name, &k, age);
		else if (age > SHORT_AGE) {
			log_info("%s: removed: it is not whole", name);
			drop(name);
		}
		keep_free(&k);
	}
	close(fd);
}

static time_t
now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec);
}

/* What is left is looked at again; others wait for their turn. */
static void
submit_go(void)
{
	time_t	end = now() + SEND_SECONDS;
	size_t	i;

	if ((self.dir = open(self.place.dir, OS_O_SEARCH | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1)
		fatal("%s", self.place.dir);
	for (i = 0; i < self.n && now() < end; i++)
		send_file(self.names[i]);
	role_exit(0);
}

static const struct handler handlers[] = {
	{ M_SUBMIT_PLACE,	submit_submit_place },
	{ M_SUBMIT_FILE,	submit_submit_file },
	{ 0,			NULL }
};

static const struct role_code submit_code = {
	.handlers = handlers,
	.go = submit_go,
};

static const struct role_def roles[] = {
	SUBMIT_ROLE(&submit_code),
	{ ROLE_PARENT, NULL, NULL, NULL, 0, 0, 0, NULL }
};

static const struct daemon_def smtpd = { "smtpd", &smtpd_contract, roles,
	NULL };

int
main(int argc, char **argv)
{
	role_run(&smtpd, &roles[0], argc, argv);
}
