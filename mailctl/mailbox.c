/*
 * mailbox: "mailctl mailbox ...", quota and index: whose mailbox, and a
 * process to work on it.
 *
 * The caller's process reads mail.conf and finds the user; what is done to the
 * mailbox is done by a child that has become the mailbox's owner and sees
 * nothing but the mailbox, whatever names and links lie in there.
 */
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/mailplace.h"
#include "mailbox.h"
#include "os/compat.h"
#include "os/sandbox.h"
#include "privsep/account.h"
#include "rules/rules.h"

#define PROMISES	"stdio rpath wpath cpath fattr flock"

static const struct {
	int		(*run)(struct job *);
	int		 min, max;	/* arguments behind USER; -1 any */
	const char	*usage;
} jobs[] = {
	[MAILBOX_LIST] = { job_list, 0, 0, "" },
	[MAILBOX_STATUS] = { job_status, 0, -1, "[MAILBOX ...]" },
	[MAILBOX_CREATE] = { job_create, 1, -1, "MAILBOX ..." },
	[MAILBOX_DELETE] = { job_delete, 1, -1, "MAILBOX ..." },
	[MAILBOX_RENAME] = { job_rename, 2, 2, "FROM TO" },
	[MAILBOX_SEARCH] = { job_search, 1, -1, "MAILBOX [FILTER ...]" },
	[MAILBOX_FETCH] = { job_fetch, 2, 2, "MAILBOX UID" },
	[MAILBOX_EXPUNGE] = { job_expunge, 2, -1, "MAILBOX FILTER ..." },
	[MAILBOX_COPY] = { job_copy, 2, -1, "FROM TO [FILTER ...]" },
	[MAILBOX_VERIFY] = { job_verify, 0, -1, "[MAILBOX ...]" },
	[MAILBOX_REBUILD] = { job_rebuild, 0, -1, "[MAILBOX ...]" },
	[MAILBOX_IMPORT] = { job_import, 1, 2, "FILE|DIRECTORY [MAILBOX]" },
	[MAILBOX_EXPORT] = { job_export, 1, 2,
	    "[MAILBOX] FILE|DIRECTORY" },
	[MAILBOX_QUOTA] = { job_quota, 0, 0, "" },
	[MAILBOX_INDEX] = { job_index, 0, -1, "[MAILBOX ...]" }
};

/* Whose mailbox it is, and where. */
struct owner {
	uid_t			 uid;
	gid_t			 gid;
	struct mailplace	 place;
};

static int
find(const struct conf *conf, const char *user, struct owner *o)
{
	const struct conf_domain *d = NULL, *each;
	struct rules_account	 account;
	struct rules_env	 env;
	const char		*at = strrchr(user, '@'), *why = NULL;

	if (at != NULL)
		d = conf_domain_find(conf, at + 1);
	TAILQ_FOREACH(each, &conf->domains, entry)
		if (at == NULL && d == NULL && each->has_users)
			d = each;
	rules_now(&env, conf);
	switch (d == NULL ? RULES_NO : rules_account(&env, d, user,
	    &account)) {
	case RULES_OK:
		break;
	case RULES_NO:
		why = "no such user";
		break;
	default:
		why = "cannot be looked up now";
	}
	if (why == NULL) {
		o->uid = account.uid;
		o->gid = account.gid;
		why = mailplace_of(conf, d, account.user, account.home,
		    &account.quota, &o->place);
	}
	if (why == NULL && geteuid() == 0) {
		mailplace_prepare();
		if (!mailplace_owner_ok(o->uid, o->gid))
			why = "no mailbox is opened as this account";
	} else if (why == NULL && o->uid != geteuid())
		why = "only root and the owner may work on this mailbox";
	if (why != NULL)
		fprintf(stderr, "mailctl: %s: %s\n", user, why);
	return (why == NULL ? 0 : -1);
}

/* With the owner's rights; what cannot be made does not open. */
static void
make_dirs(const char *path)
{
	char	 dir[C_PATH], *p;

	strlcpy(dir, path, sizeof(dir));
	for (p = dir + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		(void)mkdir(dir, 0700);
		*p = '/';
	}
	(void)mkdir(dir, 0700);
}

/* From here on we are the owner, and see the mailbox alone. */
static void
become(const struct owner *o, const char *other, int make)
{
	struct sandbox	 box = { .promises = PROMISES };

	umask(077);
	if (geteuid() == 0 && (setgroups(1, &o->gid) == -1 ||
	    setresgid(o->gid, o->gid, o->gid) == -1 ||
	    setresuid(o->uid, o->uid, o->uid) == -1)) {
		fprintf(stderr, "mailctl: %s\n", strerror(errno));
		_exit(STATUS_FAILED);
	}
	account_verify(o->uid, o->gid);
	if (make)
		make_dirs(o->place.dir);
	box.paths[0].path = o->place.dir;
	box.paths[0].perm = "rwc";
	box.npaths = 1;
	if (other != NULL) {
		box.paths[1].path = other;
		box.paths[1].perm = "rwc";
		box.npaths = 2;
	}
	if (sandbox_enter(&box) == -1) {
		if (errno == ENOENT)
			fprintf(stderr, "mailctl: %s: there is no mailbox "
			    "yet\n", o->place.dir);
		else
			fprintf(stderr, "mailctl: sandbox: %s: %s\n",
			    o->place.dir, strerror(errno));
		_exit(STATUS_FAILED);
	}
}

/* Whether a user who has no mail yet gets his mailbox. */
static int
makes(const struct job *job)
{
	return (job->call->what == MAILBOX_IMPORT ||
	    job->call->what == MAILBOX_CREATE);
}

/* In the child: open the mailbox, work, and make it durable. */
static int
work(struct job *job, const struct owner *o)
{
	const struct store_settings set = { .user = job->user,
	    .mbox = o->place.mbox, .quota = o->place.quota.bytes,
	    .quota_messages = o->place.quota.messages };
	enum store_error	 e;
	int			 status;

	e = store_open_path(&job->store, o->place.path, &set, makes(job) ?
	    STORE_CREATE : 0);
	if (e != STORE_OK)
		return (job_failed(job, o->place.path, e));
	status = jobs[job->call->what].run(job);
	if ((e = store_flush(job->store)) != STORE_OK)
		status = job_failed(job, "disk", e);
	store_close(job->store);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = STATUS_FAILED;
	return (status);
}

/*
 * What is imported or exported is opened with the caller's rights, as a shell
 * would for "<" and ">"; what lies in a directory, with the owner's.
 */
static int
open_other(struct job *job, const char *path, int export)
{
	struct stat	st;
	int		fd;

	if (strcmp(path, "-") == 0) {
		job->file = export ? STDOUT_FILENO : STDIN_FILENO;
		return (0);
	}
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		job->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fd = job->dir;
	} else if (export && job->call->argc == 1) {
		fprintf(stderr, "mailctl: %s: is no directory; all mailboxes "
		    "go into one that the mailbox's owner may write to\n",
		    path);
		return (-1);
	} else {
		job->file = open(path, export ? O_WRONLY | O_CREAT | O_EXCL |
		    O_CLOEXEC : O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0600);
		fd = job->file;
	}
	if (fd == -1)
		fprintf(stderr, "mailctl: %s: %s\n", path, strerror(errno));
	return (fd == -1 ? -1 : 0);
}

static int
run(struct job *job, const struct owner *o, const char *other)
{
	pid_t	pid;
	int	status;

	fflush(stdout);
	switch (pid = fork()) {
	case -1:
		fprintf(stderr, "mailctl: fork: %s\n", strerror(errno));
		return (STATUS_FAILED);
	case 0:
		become(o, other, makes(job));
		_exit(work(job, o));
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return (STATUS_FAILED);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_FAILED);
}

int
mailbox_command(const struct call *given)
{
	struct call	 call = *given;
	struct job	 job = { .call = &call, .file = -1, .dir = -1 };
	struct owner	 o = { 0 };
	struct conf	*conf;
	const char	*other = NULL;
	int		 n = call.argc - 1, status = STATUS_FAILED;

	if (n < jobs[call.what].min ||
	    (jobs[call.what].max != -1 && n > jobs[call.what].max)) {
		fprintf(stderr, "mailctl: expected USER %s\n",
		    jobs[call.what].usage);
		return (STATUS_USAGE);
	}
	job.user = call.argv[0];
	call.argc--;
	call.argv++;
	if ((conf = call_load(&call)) == NULL)
		return (STATUS_FAILED);
	if (call.what == MAILBOX_IMPORT || call.what == MAILBOX_EXPORT)
		other = call.argv[call.what == MAILBOX_EXPORT && n > 1];
	if (find(conf, job.user, &o) == 0 && (other == NULL || open_other(&job,
	    other, call.what == MAILBOX_EXPORT) == 0))
		status = run(&job, &o, job.dir != -1 ? other : NULL);
	conf_free(conf);
	return (status);
}

int
job_failed(const struct job *job, const char *what, enum store_error e)
{
	fprintf(stderr, "mailctl: %s: ", job->user);
	put_text(stderr, what);
	fprintf(stderr, ": %s\n", store_strerror(e));
	return (STATUS_FAILED);
}

void
progress(const char *what, uint64_t done, uint64_t all)
{
	int	width, i;

	if (!isatty(STDERR_FILENO) || all == 0)
		return;
	width = (int)(done * 40 / all);
	fprintf(stderr, "\r%s [", what);
	for (i = 0; i < 40; i++)
		fputc(i < width ? '#' : ' ', stderr);
	fprintf(stderr, "] %llu of %llu%s", (unsigned long long)done,
	    (unsigned long long)all, done == all ? "\n" : "");
}
