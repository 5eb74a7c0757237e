/*
 * folder: one Maildir folder, open: its directories, its lock, its index.
 * A process has one of these a folder; views (struct mailbox) share it.
 */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include <sys/types.h>
#include <limits.h>
#include <stdint.h>

#include "os/compat.h"
#include "store/cachefile.h"
#include "store/hash.h"
#include "store/index.h"
#include "store/info.h"
#include "store/keywords.h"
#include "store/store.h"

#define FOLDER_NAME_MAX	(STORE_NAME_MAX + 1)
#define LOCK_FILE	"postern.lock"
#define LOCK_LONG	20000		/* ms; then STORE_BUSY */
#define LOCK_SHORT	50		/* ms that a delivery waits */
#define LOCK_NOW	0		/* ms; only if nobody has it */
#define FLUSH_FILES	8	/* synced one by one; more: the file system */
#define FLUSH_NEW	0x01		/* a directory */
#define FLUSH_CUR	0x02
#define FLUSH_ALL	0x04		/* whatever it is */

struct mbox;

/* A file whose name has letters that the index does not keep. */
struct odd {
	uint32_t	 slot;
	char		 extra[INFO_EXTRA_MAX + 1];
};

struct folder {
	TAILQ_ENTRY(folder) entry;
	struct store	*store;
	char		 name[FOLDER_NAME_MAX];
	char		 dirname[NAME_MAX + 1];
	int		 refs;
	LIST_HEAD(, mailbox) views;	/* what sessions have open */
	int		 locked;	/* how deep */
	time_t		 tidied;	/* when leftovers were looked for */
	struct unsynced {
		int	 fd[FLUSH_FILES];
		int	 n;
		int	 what;		/* FLUSH_* */
	}		 unsynced;
	int		 dir, new, cur, tmp, lock;
	struct index	 ix;
	unsigned int	 epoch;		/* counts indexes that ix was */
	struct cachefile	 cache;
	struct cachefile_queue queue;
	struct keywords	 kw;
	struct nametab	 names;		/* base names of live slots */
	uint32_t	 named;		/* slots below this are in names */
	struct odd	*odd;		/* by slot */
	size_t		 nodd, oddcap;
};

struct store {
	int		 root;		/* the Maildir or an mbox's directory */
	char		*user;
	char		*hostname;
	uint64_t	 quota, quota_messages;
	uint64_t	 coming;	/* bytes of appends that were begun */
	struct mbox	*mbox;		/* INBOX, if it is one */
	TAILQ_HEAD(folderlist, folder) folders;
	int		 idle;		/* folders without references */
	enum store_error failed;	/* of a flush that nobody asked for */
	unsigned int	 serial;	/* of our file names */
};

enum store_error store_errno(void);

/*
 * The folder, with a reference to be given back.  An index is not looked for
 * before folder_lock() or folder_sync().
 */
enum store_error folder_get(struct store *, const char *, struct folder **);
struct folder	*folder_ref(struct folder *);
void		 folder_release(struct folder *);
void		 folder_close_idle(struct store *);
/* Make a folder's directories; -1 with errno. */
int		 folder_make(struct store *, const char *dirname);

/*
 * Lock, and bring the index into a state that can be trusted: made, rebuilt
 * or repaired as is needed.  With LOCK_SHORT or less only what is quick is
 * done, else STORE_BUSY.
 */
enum store_error folder_lock(struct folder *, unsigned int ms);
/* Is it still the one of its name, not renamed or deleted? */
int		 folder_same(const struct folder *);
void		 folder_unlock(struct folder *);
/* Use another index, opened already. */
void		 folder_use(struct folder *, const struct index *);
/* 1 if the mapped index is still the one in the directory, and all of it. */
int		 folder_current(const struct folder *);

/* The changing half of a record, repaired if it has to be. */
enum store_error folder_message(struct folder *, uint32_t slot,
		    struct index_mut *);
int64_t		 folder_now(void);		/* ms */

#endif
