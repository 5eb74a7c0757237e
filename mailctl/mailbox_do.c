/*
 * mailbox_do: what "mailctl mailbox" does within a user's mailboxes.  Runs as
 * their owner, confined.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailbox.h"
#include "os/compat.h"
#include "store/cached.h"

/* A mailbox a call; the names are arguments, or all that there are. */
struct each {
	struct job	*job;
	int		(*run)(struct job *, const char *);
	int		 status;
	const char	*sep;
};

static int
name_one(void *arg, const char *name, unsigned int flags)
{
	struct each	*e = arg;

	if ((flags & (LIST_NOSELECT | LIST_NOEXIST)) == 0 &&
	    e->run(e->job, name) != STATUS_OK)
		e->status = STATUS_FAILED;
	return (0);
}

static int
for_each(struct job *job, int (*run)(struct job *, const char *))
{
	struct each		 e = { .job = job, .run = run };
	enum store_error	 error;
	int			 i;

	for (i = 0; i < job->call->argc; i++)
		(void)name_one(&e, job->call->argv[i], 0);
	if (job->call->argc == 0 &&
	    (error = store_list(job->store, name_one, &e)) != STORE_OK)
		return (job_failed(job, "list", error));
	return (e.status);
}

static struct mailbox *
open_one(struct job *job, const char *name, unsigned int flags)
{
	struct mailbox		*mb;
	enum store_error	 e;

	if ((e = mailbox_open(job->store, name, flags, &mb)) == STORE_OK)
		return (mb);
	(void)job_failed(job, name, e);
	return (NULL);
}

static int
list_one(void *arg, const char *name, unsigned int flags)
{
	struct each	*e = arg;

	if (flags & LIST_NOEXIST)
		return (0);
	if (e->job->call->json) {
		fputs(e->sep, stdout);
		json_string(name);
		e->sep = ", ";
		return (0);
	}
	put_text(stdout, name);
	putchar('\n');
	return (0);
}

int
job_list(struct job *job)
{
	struct each		 e = { .job = job, .sep = "" };
	enum store_error	 error;

	if (job->call->json)
		putchar('[');
	error = store_list(job->store, list_one, &e);
	if (job->call->json)
		fputs("]\n", stdout);
	return (error == STORE_OK ? STATUS_OK : job_failed(job, "list",
	    error));
}

static int
status_one(struct job *job, const char *name)
{
	struct mailbox_status	 s;
	enum store_error	 e;
	uint64_t		 size;

	if ((e = store_status(job->store, name, &s, &size)) != STORE_OK)
		return (job_failed(job, name, e));
	if (job->call->json) {
		fputs("{\"mailbox\": ", stdout);
		json_string(name);
		printf(", \"messages\": %u, \"unseen\": %u, \"deleted\": %u, "
		    "\"size\": %llu, \"uidvalidity\": %u, \"uidnext\": %u, "
		    "\"highestmodseq\": %llu}\n", s.messages, s.unseen,
		    s.deleted, (unsigned long long)size, s.uidvalidity,
		    s.uidnext, (unsigned long long)s.highestmodseq);
		return (STATUS_OK);
	}
	put_text(stdout, name);
	printf(": messages=%u unseen=%u deleted=%u size=%llu uidvalidity=%u "
	    "uidnext=%u highestmodseq=%llu\n", s.messages, s.unseen,
	    s.deleted, (unsigned long long)size, s.uidvalidity, s.uidnext,
	    (unsigned long long)s.highestmodseq);
	return (STATUS_OK);
}

int
job_status(struct job *job)
{
	return (for_each(job, status_one));
}

static int
create_one(struct job *job, const char *name)
{
	enum store_error	 e = store_create(job->store, name);

	if (e == STORE_OK)
		e = store_subscribe(job->store, name, 1);
	return (e == STORE_OK ? STATUS_OK : job_failed(job, name, e));
}

int
job_create(struct job *job)
{
	return (for_each(job, create_one));
}

static int
delete_one(struct job *job, const char *name)
{
	enum store_error	 e = store_delete(job->store, name);

	return (e == STORE_OK ? STATUS_OK : job_failed(job, name, e));
}

int
job_delete(struct job *job)
{
	return (for_each(job, delete_one));
}

int
job_rename(struct job *job)
{
	enum store_error	 e;

	e = store_rename(job->store, job->call->argv[0], job->call->argv[1]);
	return (e == STORE_OK ? STATUS_OK : job_failed(job,
	    job->call->argv[0], e));
}

int
job_search(struct job *job)
{
	struct filter	 f;
	struct mailbox	*mb;
	uint32_t	*seqs;
	size_t		 n, i;

	if (filter_parse(&f, job->call->argc - 1, job->call->argv + 1) == -1)
		return (STATUS_USAGE);
	mb = open_one(job, job->call->argv[0], MAILBOX_READONLY);
	if (mb == NULL)
		return (STATUS_FAILED);
	if ((seqs = filter_run(mb, &f, &n)) != NULL) {
		if (job->call->json)
			putchar('[');
		for (i = 0; i < n; i++)
			printf("%s%u%s", job->call->json && i > 0 ? ", " : "",
			    mailbox_message(mb, seqs[i])->uid,
			    job->call->json ? "" : "\n");
		if (job->call->json)
			fputs("]\n", stdout);
	}
	mailbox_close(mb);
	free(seqs);
	return (seqs != NULL ? STATUS_OK : STATUS_FAILED);
}

int
job_fetch(struct job *job)
{
	struct message_text	 text;
	struct mailbox		*mb;
	const char		*bad;
	enum store_error	 e = STORE_NOENT;
	uint32_t		 uid, seq;

	uid = (uint32_t)strtonum(job->call->argv[1], 1, UINT32_MAX, &bad);
	if (bad != NULL) {
		fprintf(stderr, "mailctl: %s is no UID\n",
		    job->call->argv[1]);
		return (STATUS_USAGE);
	}
	mb = open_one(job, job->call->argv[0], MAILBOX_READONLY);
	if (mb == NULL)
		return (STATUS_FAILED);
	if ((seq = mailbox_seq_of_uid(mb, uid)) != 0 &&
	    (e = mailbox_message_text(mb, seq, &text)) == STORE_OK) {
		(void)fwrite(text.data, 1, text.len, stdout);
		message_text_free(&text);
	}
	mailbox_close(mb);
	return (e == STORE_OK ? STATUS_OK : job_failed(job,
	    job->call->argv[1], e));
}

/* Those of argv[0] that the filter from argv[first] matches. */
static int
with_matches(struct job *job, int first, enum store_error (*run)(struct job *,
    struct mailbox *, const uint32_t *, size_t))
{
	struct filter		 f;
	struct mailbox		*mb;
	enum store_error	 e = STORE_OK;
	uint32_t		*seqs;
	size_t			 n;

	if (filter_parse(&f, job->call->argc - first, job->call->argv +
	    first) == -1)
		return (STATUS_USAGE);
	if ((mb = open_one(job, job->call->argv[0], 0)) == NULL)
		return (STATUS_FAILED);
	if ((seqs = filter_run(mb, &f, &n)) != NULL && n > 0)
		e = run(job, mb, seqs, n);
	mailbox_close(mb);
	free(seqs);
	if (seqs == NULL)
		return (STATUS_FAILED);
	if (e != STORE_OK)
		return (job_failed(job, job->call->argv[0], e));
	printf(job->call->json ? "{\"messages\": %zu}\n" : "%zu messages\n",
	    n);
	return (STATUS_OK);
}

static enum store_error
expunge(struct job *job, struct mailbox *mb, const uint32_t *seqs, size_t n)
{
	(void)job;
	return (mailbox_expunge(mb, seqs, n, NULL, NULL));
}

int
job_expunge(struct job *job)
{
	return (with_matches(job, 1, expunge));
}

static enum store_error
copy(struct job *job, struct mailbox *mb, const uint32_t *seqs, size_t n)
{
	enum store_error	 e;
	uint32_t		*uids, validity;

	if ((uids = calloc(n, sizeof(*uids))) == NULL)
		return (STORE_SYS);
	e = mailbox_copy(mb, seqs, n, job->call->argv[1], uids, &validity);
	free(uids);
	return (e);
}

int
job_copy(struct job *job)
{
	return (with_matches(job, 2, copy));
}

/* Can each message be read, and is it as large as it is said to be? */
static void
tell_bad(const struct job *job, const char *name, uint32_t uid,
    const char *why)
{
	if (job->call->json) {
		fputs("{\"mailbox\": ", stdout);
		json_string(name);
		printf(", \"uid\": %u, \"why\": ", uid);
		json_string(why);
		fputs("}\n", stdout);
		return;
	}
	put_text(stdout, name);
	printf(": UID %u: %s\n", uid, why);
}

static void
tell_count(const struct job *job, const char *name, uint32_t n, uint32_t bad)
{
	if (job->call->json) {
		fputs("{\"mailbox\": ", stdout);
		json_string(name);
		printf(", \"messages\": %u, \"bad\": %u}\n", n, bad);
		return;
	}
	put_text(stdout, name);
	printf(": %u messages, %u bad\n", n, bad);
}

static int
verify_one(struct job *job, const char *name)
{
	const struct store_message	*m;
	struct message_text		 text;
	struct mailbox			*mb;
	enum store_error		 e;
	uint32_t			 seq, n, bad = 0;
	uint64_t			 size;

	if ((mb = open_one(job, name, MAILBOX_READONLY)) == NULL)
		return (STATUS_FAILED);
	n = mailbox_count(mb);
	for (seq = 1; seq <= n; seq++) {
		m = mailbox_facts(mb, seq, FACT_SIZE);
		size = m->size;
		e = mailbox_message_text(mb, seq, &text);
		if (e != STORE_OK || text.len != size) {
			bad++;
			tell_bad(job, name, mailbox_message(mb, seq)->uid,
			    e != STORE_OK ? store_strerror(e) :
			    "its size was wrong");
		}
		if (e == STORE_OK)
			message_text_free(&text);
		if (seq % 256 == 0 || seq == n)
			progress(name, seq, n);
	}
	mailbox_close(mb);
	tell_count(job, name, n, bad);
	return (bad == 0 ? STATUS_OK : STATUS_FAILED);
}

int
job_verify(struct job *job)
{
	return (for_each(job, verify_one));
}

static int
rebuild_one(struct job *job, const char *name)
{
	enum store_error	 e = store_rebuild(job->store, name);

	return (e == STORE_OK ? status_one(job, name) : job_failed(job, name,
	    e));
}

int
job_rebuild(struct job *job)
{
	return (for_each(job, rebuild_one));
}

static int
index_one(struct job *job, const char *name)
{
	struct store_cached	 c;
	struct mailbox		*mb;
	enum store_error	 e;
	uint32_t		 seq, n, bad = 0;

	if ((mb = open_one(job, name, MAILBOX_READONLY)) == NULL)
		return (STATUS_FAILED);
	n = mailbox_count(mb);
	for (seq = 1; seq <= n; seq++) {
		(void)mailbox_facts(mb, seq, FACT_SIZE | FACT_DATES);
		e = mailbox_cached(mb, seq, CACHED_ALL, &c);
		bad += e != STORE_OK && e != STORE_LIMIT;
		if (seq % 256 == 0 || seq == n)
			progress(name, seq, n);
	}
	mailbox_close(mb);
	tell_count(job, name, n, bad);
	return (bad == 0 ? STATUS_OK : STATUS_FAILED);
}

int
job_index(struct job *job)
{
	return (for_each(job, index_one));
}

int
job_quota(struct job *job)
{
	uint64_t		 bytes, n, maxbytes, max;
	enum store_error	 e;

	if ((e = store_quota(job->store, &bytes, &n)) != STORE_OK)
		return (job_failed(job, "quota", e));
	store_quota_limits(job->store, &maxbytes, &max);
	printf(job->call->json ? "{\"storage\": %llu, \"limit\": %llu, "
	    "\"messages\": %llu, \"limit_messages\": %llu}\n" :
	    "storage=%llu limit=%llu messages=%llu limit_messages=%llu\n",
	    (unsigned long long)bytes, (unsigned long long)maxbytes,
	    (unsigned long long)n, (unsigned long long)max);
	return (STATUS_OK);
}
