/*
 * cmd_thread: THREAD and UID THREAD (RFC 5256), some messages a turn.
 */
#include "cmd_search_run.h"
#include "cmd_table.h"
#include "imap/write.h"
#include "mime/casemap.h"
#include "mime/subject.h"
#include "mime/thread.h"
#include "session_reply.h"

#define MESSAGES_A_TURN	1000
#define NODES_A_TURN	8192

struct threading {
	struct mime_threads	*threads;
	size_t			 n;
	int			 told;
	struct mime_thread_walk	 walk;
};

enum { F_ID, F_REFERENCES, F_REPLY, F_SUBJECT, NFIELDS };

static enum cmd_result	thread(struct client *, struct search *);
static void		threading_free(void *);

static const struct search_kind kind = {
	"THREAD", imap_thread, thread, threading_free
};

static void
threading_free(void *arg)
{
	struct threading *t = arg;

	mime_threads_free(t->threads);
	free(t);
}

/*
 * Could the subject be that of a reply or a forward?  If not, the cache has
 * its base.
 */
static int
may_be_reply(const struct mime_field *f)
{
	const char *p = f->value, *end = p + f->valuelen;

	while (p < end && strchr(" \t\r\n", *p) != NULL)
		p++;
	while (p < end && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	return (p < end && (strchr("rRfF[=", *p) != NULL ||
	    strchr(")]=", end[-1]) != NULL));
}

static int
add_fields(struct threading *t, struct search_text *text,
    struct mime_thread_message *msg, const char *header, size_t len)
{
	static const char *const names[NFIELDS] = {
		"Message-ID", "References", "In-Reply-To", "Subject"
	};
	struct mime_field f[NFIELDS];
	struct buf subject;
	int ret = 0;

	mime_fields_collect(header, len, names, NFIELDS, f);
	msg->id = f[F_ID].raw != NULL ? f[F_ID].value : NULL;
	msg->idlen = f[F_ID].valuelen;
	msg->references = f[F_REFERENCES].raw != NULL ?
	    f[F_REFERENCES].value : NULL;
	msg->referenceslen = f[F_REFERENCES].valuelen;
	msg->in_reply_to = f[F_REPLY].raw != NULL ? f[F_REPLY].value : NULL;
	msg->in_reply_tolen = f[F_REPLY].valuelen;
	buf_init(&subject, MIME_CASEMAP_GROWS * MIME_VALUE_MAX);
	if (f[F_SUBJECT].raw != NULL && (may_be_reply(&f[F_SUBJECT]) ||
	    !search_subject(text, &msg->subject, &msg->subjectlen))) {
		ret = mime_base_subject(f[F_SUBJECT].value,
		    f[F_SUBJECT].valuelen, &subject);
		msg->reply = ret == 1;
		msg->subject = buf_data(&subject);
		msg->subjectlen = buf_len(&subject);
	}
	if (ret != -1)
		ret = mime_threads_add(t->threads, msg);
	buf_free(&subject);
	return (ret);
}

static int
add_message(struct client *c, struct search *run, struct threading *t,
    uint32_t seq)
{
	static const struct imap_str name = { (char *)(uintptr_t)"References",
	    10 };
	struct mime_thread_message msg = { 0 };
	const struct store_message *m = mailbox_facts(c->mb, seq, FACT_DATES);
	const char *header;
	int64_t sent;
	size_t len;
	int zone;

	if (m == NULL)
		return (0);
	msg.num = c->uid ? m->uid : seq;
	msg.date = m->internal;
	search_text_next(&run->text, seq);
	search_want(&run->text, CACHED_BIT(CACHED_FIELDS) |
	    CACHED_BIT(CACHED_SUBJECT));
	if (search_sent(&run->text, &sent, &zone))
		msg.date = sent;
	if (!search_header(&run->text, &name, &header, &len))
		return (mime_threads_add(t->threads, &msg));
	return (add_fields(t, &run->text, &msg, header, len));
}

static enum cmd_result
tell(struct client *c, const struct search *run, struct threading *t)
{
	struct buf *out = sio_out(c->io);
	unsigned int i;
	int n;

	/* RFC 5256 4: no space where there is no thread. */
	if (!t->told)
		reply_check(c, buf_puts(out, run->nfound > 0 ? "* THREAD " :
		    "* THREAD"));
	t->told = 1;
	for (n = 0; n < NODES_A_TURN && !sio_full(c->io); n++) {
		if (!mime_threads_walk(t->threads, &t->walk)) {
			reply_line(c, "%s", "");
			return (cmd_ok(c, "THREAD completed"));
		}
		reply_check(c, buf_puts(out, t->walk.before));
		if (t->walk.num != 0)
			reply_check(c, buf_number(out, t->walk.num));
		for (i = 0; i < t->walk.close; i++)
			reply_check(c, buf_puts(out, ")"));
	}
	return (CMD_MORE);
}

static enum cmd_result
thread(struct client *c, struct search *run)
{
	struct threading *t = run->more;
	uint64_t seed;
	int n, ret;

	if (t == NULL) {
		if ((run->more = t = calloc(1, sizeof(*t))) == NULL)
			return (cmd_no(c, "[LIMIT] Out of memory"));
		arc4random_buf(&seed, sizeof(seed));
		if ((t->threads = mime_threads_new(seed)) == NULL)
			return (cmd_no(c, "[LIMIT] Out of memory"));
	}
	if (t->told)
		return (tell(c, run, t));
	for (n = 0; n < MESSAGES_A_TURN && t->n < run->nfound; n++)
		if (add_message(c, run, t, run->found[t->n++]) == -1)
			return (cmd_no(c, "[LIMIT] Too much to thread"));
	if (t->n < run->nfound)
		return (CMD_MORE);
	ret = run->keys.thread == THREAD_REFERENCES ?
	    mime_threads_references(t->threads) :
	    mime_threads_subjects(t->threads);
	if (ret == -1)
		return (cmd_no(c, "[LIMIT] Out of memory"));
	return (tell(c, run, t));
}

enum cmd_result
cmd_thread(struct client *c)
{
	return (search_begin(c, &kind));
}
