/*
 * mailbox_import: mail that comes in: an mbox, a Maildir, a Dovecot home.
 *
 * Runs as the mailbox's owner, confined to the mailbox and the directory that
 * was named; an mbox is a descriptor that the caller opened.  Names and bytes
 * of what is imported are a stranger's.  Messages go in in batches, each of
 * them all or nothing, and into a mailbox without messages with the UIDs that
 * they had.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailbox.h"
#include "os/compat.h"
#include "store/file.h"
#include "store/info.h"
#include "store/keywords.h"
#include "store/mboxfile.h"
#include "store/name.h"
#include "store/recover.h"
#include "store/subscribe.h"
#include "store/uidlist.h"
#include "store/use.h"

#define BATCH		100
#define READ_SIZE	65536
#define MBOX_MAX	(1UL << 30)
#define FILES_MAX	(16U << 20)
#define KEYWORDS_MAX	4096		/* bytes of a message's */

struct batch {
	struct job	*job;
	const char	*mailbox;
	struct append	*list[BATCH];
	size_t		 n;
	uint64_t	 done;
	uint32_t	 validity;	/* UIDs are kept under this; 0: not */
	uint32_t	 next;		/* the UID behind the last; 0: none */
};

/* A file of a Maildir. */
struct file {
	char		*name;
	const char	*sub;
	uint32_t	 uid;		/* 0: none */
};

/* What is in the batch becomes mail. */
static enum store_error
commit(struct batch *b)
{
	uint32_t		 uids[BATCH], validity;
	enum store_error	 e = STORE_OK;

	if (b->n > 0)
		e = append_commit(b->list, b->n, uids, &validity);
	if (e == STORE_OK && b->n > 0) {
		b->done += b->n;
		/* Somebody else's mail came in between. */
		if (b->validity != 0 && (validity != b->validity ||
		    uids[b->n - 1] != b->next - 1))
			b->validity = 0;
	}
	b->n = 0;
	return (e);
}

static void
drop(struct batch *b)
{
	while (b->n > 0)
		append_abort(b->list[--b->n]);
}

/* Are UIDs to be kept?  Only where there is no message yet. */
static void
keep_uids(struct batch *b, uint32_t validity)
{
	struct mailbox_status	status;

	if (validity != 0 && store_status(b->job->store, b->mailbox, &status,
	    NULL) == STORE_OK && status.messages == 0)
		b->validity = validity;
}

/* The next message gets this UID, or UIDs are kept no more. */
static void
go_on_at(struct batch *b, uint32_t uid)
{
	if (b->validity != 0 && store_set_uids(b->job->store, b->mailbox,
	    b->validity, uid) != STORE_OK)
		b->validity = 0;
	b->next = uid;
}

static void
tell(const struct batch *b)
{
	put_text(stdout, b->mailbox);
	printf(": %llu messages%s\n", (unsigned long long)b->done,
	    b->validity != 0 ? ", UIDs kept" : "");
}

static enum store_error
begin(struct batch *b, uint32_t uid, time_t internal, uint32_t flags,
    const char *const *keywords, struct append **a)
{
	enum store_error	e;

	if ((b->n == BATCH || (b->validity != 0 && uid != b->next)) &&
	    (e = commit(b)) != STORE_OK)
		return (e);
	if (b->validity != 0 && uid != b->next)
		go_on_at(b, uid);
	b->next++;
	e = append_begin(b->job->store, b->mailbox, internal, flags, keywords,
	    a);
	if (e == STORE_OK)
		b->list[b->n++] = *a;
	return (e);
}

/* For its uses, unless others are; subscribed, unless that is in a file. */
static enum store_error
make_mailbox(struct job *job, const char *name, unsigned int uses)
{
	enum store_error	e = store_create_for(job->store, name, uses);

	if (e == STORE_TAKEN) {
		(void)job_failed(job, name, e);
		e = store_create(job->store, name);
	}
	if (e == STORE_OK && !job->listed)
		e = store_subscribe(job->store, name, 1);
	return (e == STORE_EXISTS ? STORE_OK : e);
}

static char *
read_mbox(int fd, size_t *len)
{
	char	*data = NULL, *p;
	size_t	 cap = 0;
	ssize_t	 n;

	*len = 0;
	for (;;) {
		if (cap - *len < READ_SIZE) {
			cap = cap == 0 ? 4 * READ_SIZE : cap * 2;
			if (cap > 2 * MBOX_MAX ||
			    (p = realloc(data, cap + 1)) == NULL)
				break;
			data = p;
		}
		n = read(fd, data + *len, READ_SIZE);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0) {
			data[*len] = '\0';
			return (data);
		}
		if (n == -1)
			break;
		*len += (size_t)n;
	}
	free(data);
	return (NULL);
}

static enum store_error
import_one(struct batch *b, const struct mbox_text *t,
    const struct mbox_message *m)
{
	const char		*words[STORE_KEYWORDS + 1];
	char			 list[KEYWORDS_MAX], *left = list, *word, *text;
	struct append		*a;
	enum store_error	 e;
	uint32_t		 flags = m->flags;
	size_t			 n = 0;

	mboxtext_keywords(t, m, list, sizeof(list));
	while ((word = strsep(&left, " ")) != NULL && n < STORE_KEYWORDS) {
		if (strcasecmp(word, "$Forwarded") == 0)
			flags |= MSG_PASSED;
		else if (*word != '\0' && word[strcspn(word, "(){%*\"\\]")] ==
		    '\0')
			words[n++] = word;
	}
	words[n] = NULL;
	if ((text = malloc(m->size + 1)) == NULL)
		return (STORE_SYS);
	mboxtext_export(t, m, text);
	e = begin(b, m->uid, m->internal, flags, words, &a);
	if (e == STORE_OK)
		e = append_write(a, text, m->size);
	free(text);
	return (e);
}

static int
import_mbox(struct job *job, const char *mailbox)
{
	struct batch		 b = { .job = job, .mailbox = mailbox };
	struct mbox_text	 t = { 0 };
	enum store_error	 e = STORE_OK;
	size_t			 i;

	if ((t.data = read_mbox(job->file, &t.len)) == NULL ||
	    mboxtext_parse(&t) == -1) {
		fprintf(stderr, "mailctl: not an mbox, or too large\n");
		mboxtext_free(&t);
		return (STATUS_FAILED);
	}
	keep_uids(&b, t.uidvalidity);
	/* Those that have none get the next ones. */
	if (b.validity != 0)
		(void)mboxtext_number(&t, b.validity);
	for (i = 0; i < t.n && e == STORE_OK; i++) {
		if (!t.list[i].hidden)
			e = import_one(&b, &t, &t.list[i]);
		if (i % 64 == 0 || i + 1 == t.n)
			progress(mailbox, i + 1, t.n);
	}
	if (e == STORE_OK)
		e = commit(&b);
	if (e == STORE_OK && b.validity != 0)
		go_on_at(&b, t.uidnext);
	drop(&b);
	mboxtext_free(&t);
	tell(&b);
	return (e == STORE_OK ? STATUS_OK : job_failed(job, mailbox, e));
}

static enum store_error
import_file(struct batch *b, int folder, const struct file *file,
    const struct keywords *kw)
{
	char			 path[NAME_MAX + 8];
	const char		*words[STORE_KEYWORDS + 1];
	struct append		*a;
	struct info		 info;
	struct stat		 st;
	enum store_error	 e;
	char			 buf[READ_SIZE];
	ssize_t			 n;
	size_t			 i, nwords = 0;
	int			 fd;

	if (info_parse(file->name, &info) == -1)
		return (STORE_OK);
	(void)snprintf(path, sizeof(path), "%s/%s", file->sub, file->name);
	if ((fd = file_open(folder, path)) == -1 || fstat(fd, &st) == -1) {
		if (fd != -1)
			close(fd);
		/* Gone, or no regular file, which is no message. */
		return (errno == ENOENT || errno == ELOOP ? STORE_OK :
		    STORE_SYS);
	}
	for (i = 0; i < STORE_KEYWORDS; i++)
		if ((info.keywords & 1U << i) && kw->name[i] != NULL)
			words[nwords++] = kw->name[i];
	words[nwords] = NULL;
	e = begin(b, file->uid, st.st_mtime, info.flags, words, &a);
	while (e == STORE_OK && (n = read(fd, buf, sizeof(buf))) != 0)
		e = n == -1 ? STORE_SYS : append_write(a, buf, (size_t)n);
	close(fd);
	return (e);
}

static int
by_name(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

static void
names_free(char **list, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static int
names_add(char ***list, size_t *n, size_t *cap, const char *name)
{
	char	**more;

	if (*n == *cap) {
		*cap = *cap == 0 ? 256 : *cap * 2;
		more = reallocarray(*list, *cap, sizeof(**list));
		if (more == NULL)
			return (-1);
		*list = more;
	}
	if (*n >= FILES_MAX) {
		errno = EFBIG;
		return (-1);
	}
	if (((*list)[*n] = strdup(name)) == NULL)
		return (-1);
	(*n)++;
	return (0);
}

/*
 * The names of a directory in the order of their arrival, none if there is no
 * such directory; -1 if they are not all.
 */
static int
names_of(int dir, const char *sub, char ***list, size_t *n)
{
	struct dirent	*e;
	DIR		*d;
	size_t		 cap = 0;
	int		 fd, ret = 0;

	*list = NULL;
	*n = 0;
	fd = openat(dir, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1)
		return (errno == ENOENT ? 0 : -1);
	if ((d = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	while (ret == 0 && (e = file_next(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0)
			ret = names_add(list, n, &cap, e->d_name);
	if (ret == 0 && errno != 0)
		ret = -1;
	closedir(d);
	if (ret == -1) {
		names_free(*list, *n);
		*list = NULL;
		*n = 0;
	} else if (*n > 0)
		qsort(*list, *n, sizeof(**list), by_name);
	return (ret);
}

/* By UID, then those that have none in the order of their names. */
static int
by_uid(const void *a, const void *b)
{
	const struct file	*f = a, *g = b;

	if (f->uid == g->uid)
		return (strcmp(f->name, g->name));
	return (f->uid - 1 < g->uid - 1 ? -1 : 1);
}

/* The files of cur/ and new/; *files is freed by the caller, its names too. */
static int
list_files(int folder, struct file **files, size_t *n)
{
	static const char *const subs[] = { "cur", "new" };
	char	**list;
	size_t	 more, i, k;

	*files = NULL;
	*n = 0;
	for (k = 0; k < 2; k++) {
		struct file	*grown;

		if (names_of(folder, subs[k], &list, &more) == -1)
			return (-1);
		grown = reallocarray(*files, *n + more + 1, sizeof(*grown));
		if (grown == NULL) {
			names_free(list, more);
			return (-1);
		}
		*files = grown;
		for (i = 0; i < more; i++)
			(*files)[(*n)++] = (struct file){ .name = list[i],
			    .sub = subs[k] };
		free(list);
	}
	return (0);
}

/*
 * The UIDs that they have by Dovecot's list, or by their names if they are
 * ours, which do not tell of those that have gone since; the UIDVALIDITY, or 0.
 */
static uint32_t
find_uids(int folder, struct file *files, size_t n, uint32_t *uidnext)
{
	struct seeds		 seeds = { 0 };
	const struct seed	*seed;
	struct info		 info;
	uint32_t		 validity = 0, v;
	size_t			 i;
	int			 listed;

	*uidnext = 1;
	listed = uidlist_read(folder, &seeds, &validity, uidnext) == 0;
	for (i = 0; i < n; i++) {
		if (info_parse(files[i].name, &info) == -1)
			continue;
		if (listed && (seed = seeds_find(&seeds, files[i].name,
		    info.baselen)) != NULL)
			files[i].uid = seed->uid;
		else if (!listed && info_uid(files[i].name, info.baselen, &v,
		    &files[i].uid) == 0) {
			validity = validity == 0 ? v : validity;
			if (v != validity)
				files[i].uid = 0;
		}
		if (files[i].uid >= *uidnext && files[i].uid < UINT32_MAX)
			*uidnext = files[i].uid + 1;
	}
	seeds_free(&seeds);
	if (listed || validity == 0)
		return (validity);
	if (*uidnext > UINT32_MAX - 2 * UIDS_LOST)
		return (0);
	*uidnext += UIDS_LOST;
	return (validity);
}

static enum store_error
import_listed(struct batch *b, int folder, const struct keywords *kw,
    struct file *files, size_t n)
{
	enum store_error	 e = STORE_OK;
	uint32_t		 uidnext;
	size_t			 i;

	keep_uids(b, find_uids(folder, files, n, &uidnext));
	if (n > 0)
		qsort(files, n, sizeof(*files), by_uid);
	for (i = 0; i < n && e == STORE_OK; i++) {
		/* Two names with one UID are two messages. */
		if (files[i].uid == 0 || (i > 0 && files[i].uid <=
		    files[i - 1].uid))
			files[i].uid = uidnext++;
		e = import_file(b, folder, &files[i], kw);
		if (i % 64 == 0 || i + 1 == n)
			progress(b->mailbox, i + 1, n);
	}
	if (e == STORE_OK && (e = commit(b)) == STORE_OK && b->validity != 0)
		go_on_at(b, uidnext);
	return (e);
}

static enum store_error
import_files(struct batch *b, int folder, const struct keywords *kw)
{
	enum store_error	 e = STORE_SYS;
	struct file		*files;
	size_t			 n, i;

	if (list_files(folder, &files, &n) == 0)
		e = import_listed(b, folder, kw, files, n);
	for (i = 0; i < n; i++)
		free(files[i].name);
	free(files);
	return (e);
}

static int
import_folder(struct job *job, int folder, const char *mailbox)
{
	struct batch		 b = { .job = job, .mailbox = mailbox };
	struct keywords		 kw = { 0 };
	enum store_error	 e;

	(void)keywords_load(&kw, folder);
	if ((e = make_mailbox(job, mailbox, use_read(folder,
	    "."))) == STORE_OK)
		e = import_files(&b, folder, &kw);
	drop(&b);
	keywords_free(&kw);
	tell(&b);
	return (e == STORE_OK ? STATUS_OK : job_failed(job, mailbox, e));
}

static int
import_subscription(void *arg, const char *name)
{
	struct job		*job = arg;
	enum store_error	 e = store_subscribe(job->store, name, 1);

	if (e != STORE_OK) {
		(void)job_failed(job, name, e);
		job->failed = 1;
	}
	return (0);
}

/* Is there one, and not behind a link? */
static int
is_kind(int dir, const char *name, mode_t kind)
{
	struct stat	sb;

	return (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (sb.st_mode & S_IFMT) == kind);
}

/* A home has its Maildir in it; else the directory is one. */
static int
import_tree(struct job *job, const char *only)
{
	char	 name[STORE_NAME_MAX + 2], **list;
	size_t	 n, i;
	int	 dir, folder, status = STATUS_OK;

	if ((dir = openat(job->dir, "Maildir", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1) {
		if (errno == EACCES) {
			fprintf(stderr, "mailctl: Maildir: Permission denied: "
			    "the mailbox's owner must be able to read it\n");
			return (STATUS_FAILED);
		}
		dir = dup(job->dir);
	}
	if (dir == -1 || !is_kind(dir, "cur", S_IFDIR)) {
		fprintf(stderr, "mailctl: no Maildir in this directory\n");
		if (dir != -1)
			close(dir);
		return (STATUS_FAILED);
	}
	if (only != NULL) {
		status = import_folder(job, dir, only);
		close(dir);
		return (status);
	}
	if (names_of(dir, ".", &list, &n) == -1) {
		fprintf(stderr, "mailctl: this directory: %s\n",
		    strerror(errno));
		close(dir);
		return (STATUS_FAILED);
	}
	job->listed = is_kind(dir, SUBSCRIPTIONS, S_IFREG);
	for (i = 0; i <= n; i++) {
		strlcpy(name, "INBOX", sizeof(name));
		if (i < n && (list[i][0] != '.' || name_from_dir(list[i],
		    name, sizeof(name)) == -1))
			continue;
		folder = openat(dir, i < n ? list[i] : ".", O_RDONLY |
		    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder == -1)
			continue;
		if (is_kind(folder, "cur", S_IFDIR) &&
		    import_folder(job, folder, name) != STATUS_OK)
			status = STATUS_FAILED;
		close(folder);
	}
	names_free(list, n);
	if (subscribe_each(dir, import_subscription, job) != STORE_OK) {
		fprintf(stderr, "mailctl: %s: %s\n", SUBSCRIPTIONS,
		    strerror(errno));
		status = STATUS_FAILED;
	}
	close(dir);
	return (job->failed ? STATUS_FAILED : status);
}

int
job_import(struct job *job)
{
	const char	*mailbox = job->call->argc > 1 ? job->call->argv[1] :
			    NULL;
	enum store_error e;

	if (job->dir != -1)
		return (import_tree(job, mailbox));
	if (mailbox == NULL)
		mailbox = "INBOX";
	if ((e = make_mailbox(job, mailbox, 0)) != STORE_OK)
		return (job_failed(job, mailbox, e));
	return (import_mbox(job, mailbox));
}
