/*
 * mailbox_export: mail that goes out, to an mbox or a Maildir, with all that
 * an import needs to make the same mailbox of it: UIDs, dates, flags and
 * keywords; and in a Maildir what mailboxes are for and which are subscribed.
 *
 * Runs as the mailbox's owner, confined to the mailbox and the directory that
 * was named; an mbox is a descriptor that the caller opened.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailbox.h"
#include "os/compat.h"
#include "os/os.h"
#include "store/info.h"
#include "store/keywords.h"
#include "store/mboxfile.h"
#include "store/name.h"
#include "store/pop3ids.h"
#include "store/subscribe.h"
#include "store/uidlist.h"
#include "store/use.h"

#define KEYWORDS_MAX	(STORE_KEYWORDS * (KEYWORD_MAX + 1) + 16)

/* A mailbox on its way out. */
struct out {
	struct mailbox		*mb;
	struct pop3_ids		*ids;		/* in a Maildir's list */
	struct mailbox_status	 status;
	int			 dir;		/* of the Maildir; or -1 */
	int			 file;		/* the mbox */
	FILE			*uidlist;
	uint32_t		 first;		/* message that is written */
};

static int	list_one(struct out *, const struct store_message *,
		    const char *);

/* With blanks between; $Forwarded is a letter in a Maildir, a word here. */
static void
keywords_of(struct out *o, const struct store_message *m, char *list,
    size_t size)
{
	const char	*name;
	unsigned int	 i;

	list[0] = '\0';
	if (m->flags & MSG_PASSED)
		(void)strlcat(list, "$Forwarded ", size);
	for (i = 0; i < STORE_KEYWORDS; i++)
		if ((m->keywords & 1U << i) &&
		    (name = mailbox_keyword(o->mb, i)) != NULL) {
			(void)strlcat(list, name, size);
			(void)strlcat(list, " ", size);
		}
	if (list[0] != '\0')
		list[strlen(list) - 1] = '\0';
}

static int
export_mbox(struct out *o, const struct store_message *m,
    const struct message_text *text)
{
	char		 list[KEYWORDS_MAX];
	struct mbox_new	 new = { .fd = -1, .internal = m->internal,
			    .flags = m->flags, .uid = m->uid,
			    .keywords = list };
	size_t		 len;
	char		*out;
	int		 ret;

	keywords_of(o, m, list, sizeof(list));
	if (o->first) {
		new.uidvalidity = o->status.uidvalidity;
		new.uidnext = o->status.uidnext;
		o->first = 0;
	}
	if ((out = mboxtext_new(&new, text->data, text->len, &len)) == NULL)
		return (-1);
	ret = os_write_all(o->file, out, len);
	free(out);
	return (ret);
}

static int
export_maildir(struct out *o, const struct store_message *m,
    const struct message_text *text)
{
	struct timespec	 times[2] = { { .tv_sec = m->internal },
			    { .tv_sec = m->internal } };
	char		 base[INFO_BASE_MAX + 1], name[NAME_MAX + 1];
	char		 path[NAME_MAX + 8];
	int		 fd, ret;

	(void)snprintf(base, sizeof(base), "%lld.U%u.postern,W=%llu",
	    (long long)m->internal, m->uid, (unsigned long long)m->size);
	if (info_format(base, strlen(base), m->flags, m->keywords, "",
	    name) == -1)
		return (-1);
	(void)snprintf(path, sizeof(path), "cur/%s", name);
	fd = openat(o->dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return (-1);
	ret = os_write_all(fd, text->data, text->len);
	if (ret == 0)
		ret = futimens(fd, times);
	if (close(fd) == -1 || list_one(o, m, base) == -1)
		ret = -1;
	return (ret);
}

static int
list_one(struct out *o, const struct store_message *m, const char *base)
{
	const char	*id = NULL;

	if (o->ids != NULL)
		id = pop3_ids_find(o->ids, m->uid);
	return (fprintf(o->uidlist, "%u W%llu%s%s :%s\n", m->uid,
	    (unsigned long long)m->size, id != NULL ? " P" : "",
	    id != NULL ? id : "", base) < 0 ? -1 : 0);
}

static int
export_one(struct out *o, uint32_t seq)
{
	const struct store_message *known = mailbox_facts(o->mb, seq,
	    FACT_SIZE | FACT_DATES);
	struct store_message	 m;
	struct message_text	 text;
	int			 ret;

	if (known == NULL) {
		errno = ENOENT;
		return (-1);
	}
	m = *known;
	if (mailbox_message_text(o->mb, seq, &text) != STORE_OK)
		return (-1);
	ret = o->dir != -1 ? export_maildir(o, &m, &text) :
	    export_mbox(o, &m, &text);
	message_text_free(&text);
	return (ret);
}

/* A new file of the Maildir; NULL if there is one already. */
static FILE *
new_file(int dir, const char *name)
{
	FILE	*f = NULL;
	int	 fd;

	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd != -1 && (f = fdopen(fd, "w")) == NULL)
		close(fd);
	return (f);
}

static int
end_file(FILE *f)
{
	int	bad = ferror(f);

	return (fclose(f) == EOF || bad ? -1 : 0);
}

/* What Dovecot would have beside the messages (uidlist.h, keywords.h). */
static int
begin_maildir(struct out *o)
{
	static const char *const sub[] = { "tmp", "new", "cur" };
	const char	*name;
	FILE		*f;
	unsigned int	 i;

	for (i = 0; i < 3; i++)
		if (mkdirat(o->dir, sub[i], 0700) == -1 && errno != EEXIST)
			return (-1);
	if ((o->uidlist = new_file(o->dir, UIDLIST_FILE)) == NULL ||
	    fprintf(o->uidlist, "3 V%u N%u\n", o->status.uidvalidity,
	    o->status.uidnext) < 0 ||
	    (f = new_file(o->dir, KEYWORDS_FILE)) == NULL)
		return (-1);
	for (i = 0; i < STORE_KEYWORDS; i++)
		if ((name = mailbox_keyword(o->mb, i)) != NULL)
			fprintf(f, "%u %s\n", i, name);
	return (end_file(f));
}

/* What it was made for. */
static int
export_uses(unsigned int uses, int dir)
{
	const char	*name;
	FILE		*f;
	unsigned int	 i;

	if (uses == 0)
		return (0);
	if ((f = new_file(dir, USE_FILE)) == NULL)
		return (-1);
	for (i = 0; (name = store_use(i)) != NULL; i++)
		if (uses & LIST_USE << i)
			fprintf(f, "%s\n", name);
	return (end_file(f));
}

static void
export_failed(const char *name)
{
	int	save = errno;

	fputs("mailctl: export of ", stderr);
	put_text(stderr, name);
	fprintf(stderr, ": %s\n", strerror(save));
}

static int
export_mailbox(struct job *job, const char *name, int dir)
{
	struct out		 o = { .dir = dir, .file = job->file,
				    .first = 1 };
	enum store_error	 e;
	uint32_t		 seq, n;
	int			 ret = 0, save;

	e = mailbox_open(job->store, name, MAILBOX_READONLY, &o.mb);
	if (e != STORE_OK)
		return (job_failed(job, name, e));
	mailbox_status(o.mb, &o.status);
	if (dir != -1 && (ret = mailbox_pop3_ids(o.mb, &o.ids)) == 0 &&
	    (ret = begin_maildir(&o)) == 0)
		ret = export_uses(store_uses(job->store, name), dir);
	n = mailbox_count(o.mb);
	for (seq = 1; ret == 0 && seq <= n; seq++) {
		ret = export_one(&o, seq);
		if (seq % 64 == 0 || seq == n)
			progress(name, seq, n);
	}
	save = errno;
	pop3_ids_free(o.ids);
	mailbox_close(o.mb);
	errno = save;
	if (o.uidlist != NULL && fclose(o.uidlist) == EOF)
		ret = -1;
	if (ret == 0 && dir == -1 && job->file != STDOUT_FILENO)
		ret = fsync(job->file);
	if (ret == -1)
		export_failed(name);
	else {
		put_text(stderr, name);
		fprintf(stderr, ": %u messages\n", n);
	}
	return (ret == 0 ? STATUS_OK : STATUS_FAILED);
}

/* One mailbox of many, into a folder of the Maildir. */
static int
export_folder(void *arg, const char *name, unsigned int flags)
{
	struct job	*job = arg;
	char		 dirname[NAME_MAX + 1];
	int		 dir;

	if ((flags & (LIST_NOSELECT | LIST_NOEXIST)) != 0)
		return (0);
	if (name_to_dir(name, dirname, sizeof(dirname)) == -1 ||
	    (mkdirat(job->dir, dirname, 0700) == -1 && errno != EEXIST) ||
	    (dir = openat(job->dir, dirname, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1) {
		export_failed(name);
		job->failed = 1;
		return (0);
	}
	if (export_mailbox(job, name, dir) != STATUS_OK)
		job->failed = 1;
	close(dir);
	return (0);
}

static int
export_subscribed(void *arg, const char *name, unsigned int flags)
{
	char	 line[NAME_MAX * 2];

	if ((flags & LIST_SUBSCRIBED) && subscribe_line(name, 1, line,
	    sizeof(line)) == 0)
		fprintf(arg, "%s\n", line);
	return (0);
}

/* There may be none: then that is known, too. */
static int
export_subscriptions(struct job *job)
{
	enum store_error	 e = STORE_OK;
	FILE			*f;

	if ((f = new_file(job->dir, SUBSCRIPTIONS)) == NULL) {
		export_failed(SUBSCRIPTIONS);
		return (-1);
	}
	fputs(SUBSCRIBE_V2, f);
	if ((e = store_list(job->store, export_subscribed, f)) != STORE_OK)
		(void)job_failed(job, "list", e);
	if (end_file(f) == -1) {
		export_failed(SUBSCRIPTIONS);
		return (-1);
	}
	return (e == STORE_OK ? 0 : -1);
}

int
job_export(struct job *job)
{
	enum store_error	 e;

	if (job->call->argc > 1)
		return (export_mailbox(job, job->call->argv[0], job->dir));
	if (job->dir == -1) {
		fprintf(stderr, "mailctl: all mailboxes go into a directory "
		    "only\n");
		return (STATUS_FAILED);
	}
	if ((e = store_list(job->store, export_folder, job)) != STORE_OK)
		return (job_failed(job, "list", e));
	if (export_subscriptions(job) == -1)
		job->failed = 1;
	return (job->failed ? STATUS_FAILED : STATUS_OK);
}
