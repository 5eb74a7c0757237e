/*
 * mailbox_copy: mail in and out: an mbox, a Maildir, a Dovecot home.
 *
 * Runs as the mailbox's owner, confined to the mailbox and the directory that
 * was named; an mbox is a descriptor that the caller opened.  Names and bytes
 * of what is imported are a stranger's.  Messages go in in batches, each of
 * them all or nothing.
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
#include "os/os.h"
#include "store/file.h"
#include "store/info.h"
#include "store/keywords.h"
#include "store/mboxfile.h"
#include "store/name.h"

#define BATCH		100
#define READ_SIZE	65536
#define MBOX_MAX	(1UL << 30)
#define FILES_MAX	(16U << 20)

struct batch {
	struct job	*job;
	const char	*mailbox;
	struct append	*list[BATCH];
	size_t		 n;
	uint64_t	 done;
};

/* What is in the batch becomes mail. */
static enum store_error
commit(struct batch *b)
{
	uint32_t		 uids[BATCH], validity;
	enum store_error	 e = STORE_OK;

	if (b->n > 0)
		e = append_commit(b->list, b->n, uids, &validity);
	if (e == STORE_OK)
		b->done += b->n;
	b->n = 0;
	return (e);
}

static void
drop(struct batch *b)
{
	while (b->n > 0)
		append_abort(b->list[--b->n]);
}

static enum store_error
begin(struct batch *b, time_t internal, uint32_t flags,
    const char *const *keywords, struct append **a)
{
	enum store_error	e;

	if (b->n == BATCH && (e = commit(b)) != STORE_OK)
		return (e);
	e = append_begin(b->job->store, b->mailbox, internal, flags, keywords,
	    a);
	if (e == STORE_OK)
		b->list[b->n++] = *a;
	return (e);
}

static enum store_error
make_mailbox(struct job *job, const char *name)
{
	enum store_error	e = store_create(job->store, name);

	if (e == STORE_OK)
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

static int
import_mbox(struct job *job, const char *mailbox)
{
	struct batch		 b = { .job = job, .mailbox = mailbox };
	struct mbox_text	 t = { 0 };
	struct append		*a;
	enum store_error	 e = STORE_OK;
	char			*text;
	size_t			 i;

	if ((t.data = read_mbox(job->file, &t.len)) == NULL ||
	    mboxtext_parse(&t) == -1) {
		fprintf(stderr, "mailctl: not an mbox, or too large\n");
		mboxtext_free(&t);
		return (STATUS_FAILED);
	}
	for (i = 0; i < t.n && e == STORE_OK; i++) {
		if (t.list[i].hidden)
			continue;
		if ((text = malloc(t.list[i].size + 1)) == NULL) {
			e = STORE_SYS;
			break;
		}
		mboxtext_export(&t, &t.list[i], text);
		e = begin(&b, t.list[i].internal, t.list[i].flags, NULL, &a);
		if (e == STORE_OK)
			e = append_write(a, text, t.list[i].size);
		free(text);
		if (i % 64 == 0 || i + 1 == t.n)
			progress(mailbox, i + 1, t.n);
	}
	if (e == STORE_OK)
		e = commit(&b);
	drop(&b);
	mboxtext_free(&t);
	printf("%s: %llu messages\n", mailbox, (unsigned long long)b.done);
	return (e == STORE_OK ? STATUS_OK : job_failed(job, mailbox, e));
}

static enum store_error
import_file(struct batch *b, int dir, const char *name,
    const struct keywords *kw)
{
	const char		*words[STORE_KEYWORDS + 1];
	struct append		*a;
	struct info		 info;
	struct stat		 st;
	enum store_error	 e;
	char			 buf[READ_SIZE];
	ssize_t			 n;
	size_t			 i, nwords = 0;
	int			 fd;

	if (info_parse(name, &info) == -1)
		return (STORE_OK);
	if ((fd = file_open(dir, name)) == -1 || fstat(fd, &st) == -1) {
		if (fd != -1)
			close(fd);
		return (errno == ENOENT ? STORE_OK : STORE_SYS);
	}
	for (i = 0; i < STORE_KEYWORDS; i++)
		if ((info.keywords & 1U << i) && kw->name[i] != NULL)
			words[nwords++] = kw->name[i];
	words[nwords] = NULL;
	e = begin(b, st.st_mtime, info.flags, words, &a);
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

/* The names of a directory in the order of their arrival. */
static char **
names_of(int dir, const char *sub, size_t *n)
{
	char		**list = NULL, **more;
	struct dirent	*e;
	DIR		*d;
	size_t		 cap = 0;
	int		 fd;

	*n = 0;
	fd = openat(dir, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1 || (d = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return (NULL);
	}
	while ((e = readdir(d)) != NULL && *n < FILES_MAX) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		if (*n == cap) {
			cap = cap == 0 ? 256 : cap * 2;
			more = reallocarray(list, cap, sizeof(*list));
			if (more == NULL)
				break;
			list = more;
		}
		if ((list[*n] = strdup(e->d_name)) == NULL)
			break;
		(*n)++;
	}
	closedir(d);
	if (*n > 0)
		qsort(list, *n, sizeof(*list), by_name);
	return (list);
}

static void
names_free(char **list, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static enum store_error
import_dir(struct batch *b, int folder, const char *sub,
    const struct keywords *kw)
{
	enum store_error	 e = STORE_OK;
	char			**list;
	size_t			 n, i;
	int			 dir;

	dir = openat(folder, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (dir == -1)
		return (errno == ENOENT ? STORE_OK : STORE_SYS);
	list = names_of(folder, sub, &n);
	for (i = 0; i < n && e == STORE_OK; i++) {
		e = import_file(b, dir, list[i], kw);
		if (i % 64 == 0 || i + 1 == n)
			progress(b->mailbox, i + 1, n);
	}
	names_free(list, n);
	close(dir);
	return (e);
}

static int
import_folder(struct job *job, int folder, const char *mailbox)
{
	struct batch		 b = { .job = job, .mailbox = mailbox };
	struct keywords		 kw = { 0 };
	enum store_error	 e;

	(void)keywords_load(&kw, folder);
	if ((e = make_mailbox(job, mailbox)) == STORE_OK &&
	    (e = import_dir(&b, folder, "cur", &kw)) == STORE_OK &&
	    (e = import_dir(&b, folder, "new", &kw)) == STORE_OK)
		e = commit(&b);
	drop(&b);
	keywords_free(&kw);
	put_name(mailbox);
	printf(": %llu messages\n", (unsigned long long)b.done);
	return (e == STORE_OK ? STATUS_OK : job_failed(job, mailbox, e));
}

/* A home has its Maildir in it; else the directory is one. */
static int
import_tree(struct job *job, const char *only)
{
	char	 name[STORE_NAME_MAX + 2], **list;
	size_t	 n, i;
	int	 dir, folder, status = STATUS_OK;

	if ((dir = openat(job->dir, "Maildir", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1)
		dir = dup(job->dir);
	if (dir == -1 || faccessat(dir, "cur", F_OK, AT_SYMLINK_NOFOLLOW) ==
	    -1) {
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
	list = names_of(dir, ".", &n);
	for (i = 0; i <= n; i++) {
		strlcpy(name, "INBOX", sizeof(name));
		if (i < n && (list[i][0] != '.' || name_from_dir(list[i],
		    name, sizeof(name)) == -1))
			continue;
		folder = openat(dir, i < n ? list[i] : ".", O_RDONLY |
		    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder == -1)
			continue;
		if (faccessat(folder, "cur", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
		    import_folder(job, folder, name) != STATUS_OK)
			status = STATUS_FAILED;
		close(folder);
	}
	names_free(list, n);
	close(dir);
	return (status);
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
	if ((e = make_mailbox(job, mailbox)) != STORE_OK)
		return (job_failed(job, mailbox, e));
	return (import_mbox(job, mailbox));
}

static int
export_mbox(struct job *job, const struct store_message *m,
    const struct message_text *text)
{
	struct mbox_new	 new = { .fd = -1, .internal = m->internal,
			    .flags = m->flags };
	size_t		 len;
	char		*out;
	int		 ret;

	if ((out = mboxtext_new(&new, text->data, text->len, &len)) == NULL)
		return (-1);
	ret = os_write_all(job->file, out, len);
	free(out);
	return (ret);
}

static int
export_maildir(struct job *job, const struct store_message *m,
    const struct message_text *text)
{
	struct timespec	 times[2] = { { .tv_sec = m->internal },
			    { .tv_sec = m->internal } };
	char		 base[INFO_BASE_MAX + 1], name[NAME_MAX + 1];
	char		 path[NAME_MAX + 8];
	int		 fd, ret;

	(void)snprintf(base, sizeof(base), "%lld.U%u.postern,W=%llu",
	    (long long)m->internal, m->uid, (unsigned long long)m->size);
	if (info_format(base, strlen(base), m->flags, 0, "", name) == -1)
		return (-1);
	(void)snprintf(path, sizeof(path), "cur/%s", name);
	fd = openat(job->dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return (-1);
	ret = os_write_all(fd, text->data, text->len);
	if (ret == 0)
		ret = futimens(fd, times);
	close(fd);
	return (ret);
}

static int
export_one(struct job *job, struct mailbox *mb, uint32_t seq)
{
	struct store_message	 m = *mailbox_facts(mb, seq,
				     FACT_SIZE | FACT_DATES);
	struct message_text	 text;
	int			 ret;

	if (mailbox_message_text(mb, seq, &text) != STORE_OK)
		return (-1);
	ret = job->dir != -1 ? export_maildir(job, &m, &text) :
	    export_mbox(job, &m, &text);
	message_text_free(&text);
	return (ret);
}

int
job_export(struct job *job)
{
	static const char *const sub[] = { "tmp", "new", "cur" };
	const char		*name = job->call->argv[0];
	struct mailbox		*mb;
	enum store_error	 e;
	uint32_t		 seq, n;
	size_t			 i;
	int			 ret = 0;

	e = mailbox_open(job->store, name, MAILBOX_READONLY, &mb);
	if (e != STORE_OK)
		return (job_failed(job, name, e));
	for (i = 0; job->dir != -1 && i < 3; i++)
		if (mkdirat(job->dir, sub[i], 0700) == -1 && errno != EEXIST)
			ret = -1;
	n = mailbox_count(mb);
	for (seq = 1; ret == 0 && seq <= n; seq++) {
		ret = export_one(job, mb, seq);
		if (seq % 64 == 0 || seq == n)
			progress(name, seq, n);
	}
	mailbox_close(mb);
	if (ret == 0 && job->dir == -1 && job->file != STDOUT_FILENO)
		ret = fsync(job->file);
	if (ret == -1)
		fprintf(stderr, "mailctl: export of %s: %s\n", name,
		    strerror(errno));
	else
		fprintf(stderr, "%u messages\n", n);
	return (ret == 0 ? STATUS_OK : STATUS_FAILED);
}
