/*
 * store: a user's mailboxes.
 *
 * Everything that reads or changes mail goes through here: imapd and pop3d
 * sessions, delivery, mailctl.  A store is opened on a directory descriptor
 * and never leaves it (openat, O_NOFOLLOW).  Mailbox names are UTF-8 with '/'
 * between levels; INBOX is any case.  Where a call takes a sequence number it
 * counts from 1 within the view of this struct mailbox, which changes only in
 * mailbox_sync() and mailbox_expunge().
 * "Durable" below means: synced to disk when the call returns.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <sys/types.h>
#include <stdint.h>
#include <time.h>

struct store;
struct mailbox;

enum store_error {
	STORE_OK = 0,
	STORE_NOENT,		/* no such mailbox or message */
	STORE_EXISTS,
	STORE_NAME,		/* not a legal mailbox name */
	STORE_QUOTA,
	STORE_FULL,		/* disk full */
	STORE_READONLY,
	STORE_BUSY,		/* locked by another session */
	STORE_CORRUPT,
	STORE_SYS,		/* store_strerror() has errno's text */
	STORE_NOTEMPTY,
	STORE_LIMIT,
	STORE_MODIFIED,		/* since the mod-sequence that was given */
	STORE_GONE,		/* a message of several was removed by others */
	STORE_TAKEN,		/* another mailbox is for that */
	STORE_SINGLE		/* INBOX is an mbox, and all there is */
};

/* Flags of a message; the order is that of the bits on disk. */
#define MSG_SEEN	0x01
#define MSG_ANSWERED	0x02
#define MSG_FLAGGED	0x04
#define MSG_DELETED	0x08
#define MSG_DRAFT	0x10
#define MSG_PASSED	0x20	/* Maildir P, IMAP $Forwarded */
#define MSG_RECENT	0x80	/* this session is told first */

/* What a message's text is like; known with its size. */
#define TEXT_UNENDED	0x01	/* its last line has no end */
#define TEXT_8BIT	0x02	/* its header is not ASCII */

#define STORE_KEYWORDS	26	/* a mailbox; Maildir letters a..z */
#define STORE_NAME_MAX	1000	/* bytes of a mailbox name */

struct store_message {
	uint32_t	 uid;
	uint32_t	 flags;		/* MSG_* */
	uint32_t	 keywords;	/* bit i: mailbox_keyword(mb, i) */
	unsigned int	 text;		/* TEXT_* */
	uint64_t	 modseq;	/* 0: there are none */
	uint64_t	 size;		/* octets with CRLF line ends */
	time_t		 internal;	/* INTERNALDATE */
	time_t		 saved;		/* SAVEDATE, 0 unknown */
	uint64_t	 emailid;	/* EMAILID; a copy has the same */
	int		 gone;		/* only its UID is known any more */
	int		 told;		/* the size is its name's word */
};

struct mailbox_status {
	uint32_t	 messages, recent, unseen, deleted;
	uint32_t	 uidnext, uidvalidity;
	uint32_t	 first_unseen;	/* sequence number, 0 none */
	uint64_t	 highestmodseq;	/* 0: there are none */
	char		 id[64];	/* MAILBOXID */
};

struct store_settings {
	const char	*user;		/* for logs and Delivered-To */
	const char	*hostname;	/* in file names */
	int		 mbox;		/* INBOX is an mbox file */
	uint64_t	 quota;		/* bytes, 0 none */
	uint64_t	 quota_messages;
};

#define STORE_CREATE	0x01		/* make the Maildir if it is missing */

/*
 * dirfd is the directory that the Maildir (or mbox) called name is in; name
 * "." is dirfd itself.  The store keeps a duplicate.
 */
enum store_error store_open(struct store **, int dirfd, const char *name,
		    const struct store_settings *, unsigned int flags);
/* The same by a path; STORE_SYS with errno if its directory does not open. */
enum store_error store_open_path(struct store **, const char *path,
		    const struct store_settings *, unsigned int flags);
/* Another directory is at that path now, or none: it was restored, say. */
int		 store_moved(struct store *, const char *path);
void		 store_close(struct store *);
/* Give back what is kept of mailboxes that nobody has open. */
void		 store_rest(struct store *);
const char	*store_strerror(enum store_error);

/*
 * Which parts of the name space there are; each name belongs to that with the
 * longest prefix of it.  A name's rights are those of RFC 4314 as a string of
 * letters; "" if it does not exist for this user.
 */
enum store_kind { STORE_PERSONAL, STORE_OTHERS, STORE_SHARED };
struct store_namespace {
	const char	*prefix;	/* "" or ends in '/' */
	enum store_kind	 kind;
};
size_t		 store_namespaces(struct store *,
		    const struct store_namespace **);
const char	*store_rights(struct store *, const char *name);

/*
 * Make durable what the calls below have changed since the last one: flags,
 * expunges, copies, appended messages.  To be called before any of them is
 * confirmed; once for many.  Costs nothing if there is nothing to do.
 */
enum store_error store_flush(struct store *);

/* What mailbox_list() tells of one mailbox. */
#define LIST_NOSELECT	0x01
#define LIST_CHILDREN	0x02
#define LIST_SUBSCRIBED	0x04
#define LIST_NOEXIST	0x08		/* subscribed, but there is none */
#define LIST_USE	0x100		/* << i: it is for store_use(i) */
#define LIST_USES	0xff00		/* all of these */

typedef int (*store_list_cb)(void *arg, const char *name, unsigned int flags);
enum store_error store_list(struct store *, store_list_cb, void *);
enum store_error store_create(struct store *, const char *name);
/*
 * The same for uses (LIST_USE << i), which it keeps whatever its name becomes.
 * STORE_TAKEN: there is another one for them.  store_use() is "Sent" and the
 * like, also the names of mailboxes that are for it without being told; NULL
 * behind the last.
 */
enum store_error store_create_for(struct store *, const char *name,
		    unsigned int uses);
const char	*store_use(unsigned int i);
/* Those that it was made for. */
unsigned int	 store_uses(struct store *, const char *name);
enum store_error store_delete(struct store *, const char *name);
enum store_error store_rename(struct store *, const char *, const char *);
enum store_error store_subscribe(struct store *, const char *, int on);
/* size may be NULL; see mailbox_size(). */
enum store_error store_status(struct store *, const char *,
		    struct mailbox_status *, uint64_t *size);
/* messages may be NULL: an mbox has to be read to count them. */
enum store_error store_quota(struct store *, uint64_t *bytes,
		    uint64_t *messages);
/* 0: no limit. */
void		 store_quota_limits(struct store *, uint64_t *bytes,
		    uint64_t *messages);

/*
 * What the configuration wants of a user's mailboxes.  names, a line each, are
 * made and subscribed to if they are missing.  Mail that was saved in a mailbox
 * for more than so many seconds is removed; daily does nothing if it was
 * called within a day, and what has lines "SECONDS NAME".  *gone: how many.
 */
enum store_error store_special(struct store *, const char *names);
enum store_error store_expire_daily(struct store *, const char *what,
		    uint64_t *gone);
enum store_error store_expire(struct store *, const char *name,
		    uint64_t seconds, uint64_t *gone);

/* Make a mailbox's index and cache anew; UIDs stay. */
enum store_error store_rebuild(struct store *, const char *name);

#define MAILBOX_READONLY	0x01
#define MAILBOX_EXCLUSIVE	0x02	/* POP3: STORE_BUSY if one is open so */

enum store_error mailbox_open(struct store *, const char *name,
		    unsigned int flags, struct mailbox **);
void		 mailbox_close(struct mailbox *);
void		 mailbox_status(struct mailbox *, struct mailbox_status *);
/* The sum of its messages' sizes, which may have to be found out. */
uint64_t	 mailbox_size(struct mailbox *);
/*
 * Keyword i, or NULL; keyword_find makes one if create is set (-1: full).
 * mailbox_keywords() has a bit for each that was known when the mailbox was
 * last synced, and asks nobody.
 */
const char	*mailbox_keyword(struct mailbox *, unsigned int i);
uint32_t	 mailbox_keywords(struct mailbox *);
/* The flags that it keeps; *more: keywords that are not there yet, too. */
uint32_t	 mailbox_permanent(struct mailbox *, int *more);
int		 mailbox_keyword_find(struct mailbox *, const char *,
		    int create);

/*
 * What a session has been told of a mailbox, to be put aside and taken up
 * again later, perhaps by another process.
 */
struct mailbox_frozen {
	uint32_t	 uidvalidity, uidnext, count;
	unsigned char	 index[16];	/* whose modseq that is */
	uint64_t	 modseq;
	uint64_t	 hash;		/* of the UIDs */
};
/* STORE_LIMIT if this cannot be done for it now. */
enum store_error mailbox_freeze(struct mailbox *, struct mailbox_frozen *);
/*
 * Open it with the view as it was; the next mailbox_sync() tells what has
 * happened since.  STORE_CORRUPT if that view cannot be had any more.
 */
enum store_error mailbox_thaw(struct store *, const char *name,
		    unsigned int flags, const struct mailbox_frozen *,
		    struct mailbox **);

/*
 * New descriptors of the two directories in which its messages come and go,
 * closed by the caller; STORE_LIMIT if there is no such thing.
 */
enum store_error mailbox_watch_fds(struct mailbox *, int fds[2]);

uint32_t	 mailbox_count(struct mailbox *);
/*
 * The message with sequence number seq, or NULL.  Valid until the next call.
 * Its size and dates only mean something if they were asked for: of mail that
 * others brought they are found out then, and kept.
 */
#define FACT_SIZE	0x01		/* size and text */
#define FACT_DATES	0x02		/* internal and saved */
const struct store_message *mailbox_facts(struct mailbox *, uint32_t seq,
		    unsigned int);
const struct store_message *mailbox_message(struct mailbox *, uint32_t seq);
/*
 * Look at the files of up to PROVE_MAX messages whose sizes are told, and keep
 * what is found.  Returns how many sizes were wrong.
 */
#define PROVE_MAX	256
size_t		 mailbox_prove(struct mailbox *, const uint32_t *seqs,
		    size_t n);
/* The sequence number of the first message with at least this UID, or 0. */
uint32_t	 mailbox_seq_from_uid(struct mailbox *, uint32_t uid);
uint32_t	 mailbox_seq_of_uid(struct mailbox *, uint32_t uid);

/*
 * Look at the disk and bring the view up to date.  Each change is told:
 * expunged (highest sequence number first), then flags, then how many there
 * are now.  no_expunge keeps removed messages in the view.
 *
 * Who cannot take all at once says so with full(), which may be NULL.  What is
 * left is told by the next mailbox_sync(), which looks at nothing new; until
 * mailbox_untold() is 0 the view is ahead of what was told, and nothing can be
 * expunged.
 */
struct mailbox_changes {
	void	(*expunged)(void *arg, uint32_t seq, uint32_t uid);
	void	(*flags)(void *arg, uint32_t seq);
	void	(*exists)(void *arg, uint32_t count, uint32_t recent);
	int	(*full)(void *arg);
};
int		 mailbox_untold(const struct mailbox *);
enum store_error mailbox_sync(struct mailbox *, int no_expunge,
		    const struct mailbox_changes *, void *arg);

/*
 * 1 if all that has happened up to *modseq was told; 0 if expunges are held
 * back, all of them above *modseq.
 */
int		 mailbox_told(struct mailbox *, uint64_t *modseq);

/*
 * UIDs that were expunged after the mod-sequence since (RFC 7162 3.2.10), as
 * ranges in ascending order.  What is told may have been expunged before, if
 * that is not known any more.
 */
typedef void (*vanished_cb)(void *arg, uint32_t first, uint32_t last);
enum store_error mailbox_vanished(struct mailbox *, uint64_t since,
		    vanished_cb, void *arg);

/*
 * A message's text: a descriptor on the file; lines end as they are there.
 * Read it with pread(), which fails on what is no file.
 */
enum store_error mailbox_message_fd(struct mailbox *, uint32_t seq, int *fd);
/*
 * The whole message with CRLF line ends, in memory; the caller munmaps or
 * frees it with message_text_free().
 */
struct message_text {
	char	*data;
	size_t	 len;
	void	*impl;
};
enum store_error mailbox_message_text(struct mailbox *, uint32_t seq,
		    struct message_text *);
void		 message_text_free(struct message_text *);

/* What to do to the flags. */
enum flag_op { FLAGS_SET, FLAGS_ADD, FLAGS_REMOVE };
enum store_error mailbox_store(struct mailbox *, uint32_t seq, enum flag_op,
		    uint32_t flags, uint32_t keywords);
/*
 * The same for n messages under one lock; result[i] tells about seqs[i].
 * STORE_MODIFIED: its mod-sequence is above unchangedsince.
 */
struct store_change {
	enum flag_op	 op;
	uint32_t	 flags, keywords;
	uint64_t	 unchangedsince;	/* UINT64_MAX: any */
};
struct store_changed {
	enum store_error error;
	uint64_t	 modseq;	/* its mod-sequence now */
};
enum store_error mailbox_change(struct mailbox *, const uint32_t *seqs,
		    size_t n, const struct store_change *,
		    struct store_changed *result);
/* Remove these for good (n sequence numbers, ascending); told as by sync. */
enum store_error mailbox_expunge(struct mailbox *, const uint32_t *, size_t n,
		    const struct mailbox_changes *, void *arg);
/*
 * The same for a mailbox that was opened MAILBOX_EXCLUSIVE, durable when it
 * returns, and all or none of them even if we are killed: the next one who
 * opens it so finishes what was begun.  Only if the disk is full and we are
 * killed it may be some of them.
 */
enum store_error mailbox_expunge_together(struct mailbox *, const uint32_t *,
		    size_t n);

/*
 * Add a message: begin, write its bytes (any line ends), then commit (durable)
 * or abort.  Several to one mailbox may be begun and be committed together, all
 * or none: MULTIAPPEND.  commit frees them, also when it fails.
 */
struct append;
enum store_error append_begin(struct store *, const char *name, time_t internal,
		    uint32_t flags, const char *const *keywords,
		    struct append **);
/*
 * So many bytes will be written: STORE_QUOTA if they cannot fit, with all that
 * is being written elsewhere in this store.
 */
enum store_error append_expect(struct append *, uint64_t bytes);
enum store_error append_write(struct append *, const void *, size_t);
enum store_error append_commit(struct append **, size_t n, uint32_t *uids,
		    uint32_t *uidvalidity);
void		 append_abort(struct append *);

/*
 * For mail that had UIDs elsewhere: the next message gets this UID, under this
 * UIDVALIDITY, which only a mailbox without a message can be given anew.
 * STORE_MODIFIED if it cannot be: other messages, a Dovecot's list, or larger
 * UIDs are there; STORE_LIMIT for an mbox.
 */
enum store_error store_set_uids(struct store *, const char *name,
		    uint32_t uidvalidity, uint32_t uidnext);

/*
 * Copy or move; uids[i] is the new UID of seqs[i].  Durable, all or nothing:
 * STORE_GONE if others have removed one.  Of a move, changes can be told even
 * if it fails.
 */
enum store_error mailbox_copy(struct mailbox *, const uint32_t *seqs, size_t n,
		    const char *to, uint32_t *uids, uint32_t *uidvalidity);
enum store_error mailbox_move(struct mailbox *, const uint32_t *seqs, size_t n,
		    const char *to, uint32_t *uids, uint32_t *uidvalidity,
		    const struct mailbox_changes *, void *arg);

/*
 * Delivery.  id is unique and stays the same if the queue delivers again
 * after a crash; again says that this may have happened, and a message that
 * is already there is then not added twice.  Visible to readers when this
 * returns, durable after store_deliver_sync().
 */
struct store_delivery {
	const char	*id;
	int		 again;
	const void	*head;		/* lines put before the message */
	size_t		 headlen;
	int		 fd;		/* the message, read with pread */
	off_t		 off;
	size_t		 len;
	time_t		 arrived;
};
enum store_error store_deliver(struct store *, const char *mailbox,
		    const struct store_delivery *);
/* Sync all that was delivered since the last one. */
enum store_error store_deliver_sync(struct store *);

#endif
