/*
 * cmd_fetch: FETCH and UID FETCH (RFC 3501 6.4.5).
 *
 * A message's text is in memory while its answer is written, one message at a
 * time.  Large sections leave in chunks, a turn each, so that output is bounded
 * by its mark and others get their turns.
 */
#include "cmd_fetch_part.h"
#include "cmd_set.h"
#include "cmd_table.h"
#include "imap/date.h"
#include "mime/header.h"
#include "mime/structure.h"
#include "session_reply.h"

#define CHUNK		(16 * 1024)
#define ITEM_MAX	(4 * 1024 * 1024)	/* a structure, an envelope */
#define MESSAGES_A_TURN	500
#define BYTES_A_TURN	(4 * 1024 * 1024)	/* of text that was read */

#define NEED_TREE	(IMAP_FETCH_BODY | IMAP_FETCH_STRUCTURE)
#define NEED_TEXT	(NEED_TREE | IMAP_FETCH_ENVELOPE)

struct run {
	struct imap_seqset	 set;
	struct imap_fetch	 fetch;
	int			 need_tree;
	int			 sets_seen;
	uint32_t		 next;
	enum store_error	 failed;	/* of a message left out */
	/* The message that is being written; 0 none. */
	uint32_t		 seq;
	struct message_text	 text;
	int			 have_text;
	struct mime_tree	 tree;
	size_t			 section;	/* next of fetch.sections */
	struct buf		 fields;
	const char		*p;		/* rest of a section */
	size_t			 left;
	size_t			 read;		/* in this turn */
};

static enum cmd_result	step(struct client *, void *);
static void		run_free(void *);

static const struct cmd_run fetch_ops = { step, NULL, run_free };

static void
forget_message(struct run *run)
{
	buf_free(&run->fields);
	mime_tree_free(&run->tree);
	if (run->have_text)
		message_text_free(&run->text);
	run->have_text = 0;
	run->seq = 0;
}

static void
run_free(void *arg)
{
	struct run *run = arg;

	forget_message(run);
	imap_fetch_free(&run->fetch);
	imap_seqset_free(&run->set);
	free(run);
}

/* What its writer could not finish within ITEM_MAX is told in short. */
static void
reply_item(struct client *c, struct buf *item, int ret, const char *instead)
{
	if (ret == 0)
		reply_bytes(c, buf_data(item), buf_len(item));
	else
		reply_check(c, buf_puts(sio_out(c->io), instead));
	buf_free(item);
}

static void
reply_envelope(struct client *c, struct run *run)
{
	struct buf item;
	size_t len;

	len = mime_header_length(run->text.data, run->text.len);
	buf_init(&item, ITEM_MAX);
	reply_item(c, &item, mime_write_envelope(&item, run->text.data, len),
	    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
}

static void
reply_structure(struct client *c, struct run *run, int extended)
{
	struct buf item;
	char instead[128];

	(void)snprintf(instead, sizeof(instead), "(\"application\" "
	    "\"octet-stream\" NIL NIL NIL \"binary\" %zu)", run->text.len);
	buf_init(&item, ITEM_MAX);
	reply_item(c, &item, mime_write_structure(&item, &run->tree,
	    extended), instead);
}

static void
reply_items(struct client *c, struct run *run, const struct store_message *m,
    uint32_t items)
{
	struct buf *out = sio_out(c->io);
	char date[IMAP_DATE_TIME];
	const char *sp = "";
	uint32_t bit;

	for (bit = IMAP_FETCH_UID; bit <= IMAP_FETCH_STRUCTURE; bit <<= 1) {
		if ((items & bit) == 0)
			continue;
		reply_check(c, buf_puts(out, sp));
		sp = " ";
		switch (bit) {
		case IMAP_FETCH_UID:
			reply_check(c, buf_printf(out, "UID %u", m->uid));
			break;
		case IMAP_FETCH_FLAGS:
			reply_check(c, write_message_flags(c, m));
			break;
		case IMAP_FETCH_INTERNALDATE:
			imap_date_time_format(m->internal, date);
			reply_check(c, buf_printf(out, "INTERNALDATE \"%s\"",
			    date));
			break;
		case IMAP_FETCH_SIZE:
			reply_check(c, buf_printf(out, "RFC822.SIZE %llu",
			    (unsigned long long)m->size));
			break;
		case IMAP_FETCH_ENVELOPE:
			reply_check(c, buf_puts(out, "ENVELOPE "));
			reply_envelope(c, run);
			break;
		default:
			reply_check(c, buf_puts(out, bit == IMAP_FETCH_BODY ?
			    "BODY " : "BODYSTRUCTURE "));
			reply_structure(c, run, bit != IMAP_FETCH_BODY);
			break;
		}
	}
	if (run->fetch.nsections > 0 && items != 0)
		reply_check(c, buf_puts(out, " "));
}

/* STORE_NOENT: it is gone; others hear of that at the end. */
static enum store_error
load(struct client *c, struct run *run, uint32_t seq)
{
	enum store_error e;

	if ((run->fetch.items & NEED_TEXT) == 0 && run->fetch.nsections == 0)
		return (STORE_OK);
	e = mailbox_message_text(c->mb, seq, &run->text);
	if (e != STORE_OK)
		return (e);
	run->have_text = 1;
	run->read += run->text.len;
	run->tree.text = run->text.data;
	run->tree.len = run->text.len;
	if (run->need_tree && mime_tree_parse(&run->tree, run->text.data,
	    run->text.len) == -1)
		return (STORE_SYS);
	return (STORE_OK);
}

static enum store_error
begin_message(struct client *c, struct run *run, uint32_t seq)
{
	const struct store_message *p;
	struct store_message m;
	uint32_t items = run->fetch.items;
	enum store_error e;

	if ((p = mailbox_message(c->mb, seq)) == NULL)
		return (STORE_NOENT);
	m = *p;
	if ((e = load(c, run, seq)) != STORE_OK) {
		forget_message(run);
		return (e);
	}
	if (run->sets_seen && !c->readonly && (m.flags & MSG_SEEN) == 0 &&
	    mailbox_store(c->mb, seq, FLAGS_ADD, MSG_SEEN, 0) == STORE_OK) {
		m.flags |= MSG_SEEN;
		items |= IMAP_FETCH_FLAGS;
	}
	run->seq = seq;
	run->section = 0;
	reply_check(c, buf_printf(sio_out(c->io), "* %u FETCH (", seq));
	reply_items(c, run, &m, items);
	return (STORE_OK);
}

static enum store_error
begin_section(struct client *c, struct run *run)
{
	const struct imap_section *s = &run->fetch.sections[run->section];
	struct buf *out = sio_out(c->io);

	if (run->section++ > 0)
		reply_check(c, buf_puts(out, " "));
	reply_check(c, imap_write_section(out, s));
	buf_free(&run->fields);
	switch (fetch_part(&run->tree, s, &run->fields, &run->p,
	    &run->left)) {
	case 1:
		if (run->left == 0)
			reply_check(c, buf_puts(out, " \"\""));
		else
			reply_check(c, buf_printf(out, " {%zu}\r\n",
			    run->left));
		return (STORE_OK);
	case 0:
		reply_check(c, buf_puts(out, " NIL"));
		run->left = 0;
		return (STORE_OK);
	default:
		return (STORE_SYS);
	}
}

/* RFC 3501 9: no NUL in a literal; 0x80 stands for it, of the same length. */
static void
reply_chunk(struct client *c, struct run *run)
{
	size_t i, n = run->left < CHUNK ? run->left : CHUNK;
	char *room;

	if ((room = buf_reserve(sio_out(c->io), n)) == NULL) {
		sio_fail(c->io);
		run->left = 0;
		return;
	}
	memcpy(room, run->p, n);
	if (memchr(room, '\0', n) != NULL)
		for (i = 0; i < n; i++)
			if (room[i] == '\0')
				room[i] = (char)0x80;
	buf_commit(sio_out(c->io), n);
	run->p += n;
	run->left -= n;
}

static enum cmd_result
all_done(struct client *c, const struct run *run)
{
	if (run->failed == STORE_OK)
		return (cmd_ok(c, "FETCH completed"));
	if (run->failed == STORE_NOENT)
		return (cmd_no(c, "[EXPUNGEISSUED] Some messages are gone"));
	return (cmd_store_error(c, run->failed));
}

static enum cmd_result
step(struct client *c, void *arg)
{
	struct run *run = arg;
	enum store_error e = STORE_OK;
	uint32_t seq;
	int n = 0;

	run->read = 0;
	while (!sio_full(c->io) && n < MESSAGES_A_TURN &&
	    run->read < BYTES_A_TURN) {
		if (run->left > 0)
			reply_chunk(c, run);
		else if (run->seq != 0 &&
		    run->section < run->fetch.nsections)
			e = begin_section(c, run);
		else if (run->seq != 0) {
			reply_line(c, ")");
			forget_message(run);
		} else if ((seq = set_next(c, &run->set, run->next)) != 0) {
			n++;
			run->next = seq + 1;
			e = begin_message(c, run, seq);
			if (e != STORE_OK && run->seq == 0) {
				/* The next ones do not suffer for it. */
				run->failed = e;
				e = STORE_OK;
			}
		} else
			return (all_done(c, run));
		if (e != STORE_OK) {
			/* A line that was begun cannot be taken back. */
			sio_fail(c->io);
			return (cmd_store_error(c, e));
		}
	}
	return (CMD_MORE);
}

static int
arguments(struct client *c, struct run *run)
{
	if (imap_sp(&c->args) == -1 ||
	    imap_seqset(&c->args, &run->set) == -1 ||
	    imap_sp(&c->args) == -1 ||
	    imap_fetch(&c->args, &run->fetch) == -1)
		return (-1);
	return (imap_end(&c->args));
}

enum cmd_result
cmd_fetch(struct client *c)
{
	const struct imap_section *s;
	struct run *run;
	size_t i;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	(void)client_run(c, &fetch_ops, run, CMD_MORE);
	if (arguments(c, run) == -1)
		return (cmd_bad_args(c));
	if (set_resolve(c, &run->set) == -1)
		return (cmd_bad(c, "No such message"));
	if (c->uid)
		run->fetch.items |= IMAP_FETCH_UID;
	run->need_tree = (run->fetch.items & NEED_TREE) != 0;
	for (i = 0; i < run->fetch.nsections; i++) {
		s = &run->fetch.sections[i];
		run->need_tree |= s->nparts > 0;
		run->sets_seen |= !s->peek;
	}
	run->next = 1;
	return (step(c, run));
}
