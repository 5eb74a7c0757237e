/*
 * stress: many connections that do random things to a few mailboxes, and a
 * model of what a server may answer.
 *
 * One process, one thread.  What is known of a mailbox is kept by UID and
 * shared by all connections (struct box); what one connection was told is its
 * view.  "when" counts events, so that "was told before it asked" can be said.
 */
#ifndef STRESS_H
#define STRESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OWNERS		16	/* flags that only one connection changes */
#define INFLIGHT	4	/* commands sent and not answered */
#define TARGETS		4096	/* messages of one command */
#define BOXES		4	/* of a user */
#define USERS		64
#define CONNS		512

/* Flags; from F_OWNED one for each owner. */
#define F_SEEN		0x01u
#define F_DELETED	0x02u
#define F_OWNED(k)	(0x10u << (k))

enum known { UNKNOWN, CLEAR, SET, TAINTED };

struct msg {
	uint32_t	 uid;
	uint32_t	 id;		/* of its text; 0: not known */
	uint32_t	 size;
	char		 date[32];	/* INTERNALDATE */
	uint64_t	 modseq;	/* the last seen, with these flags */
	uint64_t	 changed;	/* when that was */
	uint32_t	 flags;
	uint64_t	 made;		/* when it was told by who made it */
	uint64_t	 gone;		/* when it was told, 0 never */
	int		 may_go;	/* it was \Deleted, or moved */
	unsigned char	 owned[OWNERS];	/* enum known */
	unsigned int	 replacing;	/* STORE FLAGS in flight */
	uint64_t	 replaced;	/* when one was answered */
	uint32_t	 last;		/* flags when all is quiet */
	int		 have_last;
};

struct box {
	const char	*user, *name;
	uint32_t	 uidvalidity;
	uint32_t	 uidnext;	/* the highest told */
	uint64_t	 highest;	/* modseq told for the mailbox */
	uint64_t	 modseq;	/* the highest of a message */
	struct msg	**msg;		/* by UID */
	size_t		 n, room;
};

/* What a connection knows of a message by its number. */
struct seen {
	uint32_t	 uid;		/* 0: not told */
	uint32_t	 flags;
	uint64_t	 modseq;
	int		 have_flags;
};

struct view {
	struct seen	*m;
	size_t		 n, room;
};

/* What a client keeps for QRESYNC. */
struct saved {
	int		 valid;
	uint32_t	 uidvalidity;
	uint64_t	 modseq;
	struct view	 v;
};

enum kind {
	C_LOGIN, C_CAPABILITY, C_ENABLE, C_CREATE, C_SELECT, C_LEARN,
	C_FETCH, C_STORE, C_SEARCH, C_SORT, C_THREAD, C_COPY, C_MOVE,
	C_APPEND, C_EXPUNGE, C_STATUS, C_LIST, C_IDLE, C_NOOP, C_CHECK,
	C_CLOSE, C_UNSELECT, C_TREE, C_LOGOUT, C_FINAL, KINDS
};

struct cmd {
	enum kind	 kind;
	char		 tag[12];
	int		 uid;		/* UID before it */
	uint64_t	 sent;		/* when */
	double		 at;		/* the clock */
	struct box	*box;		/* selected, or named */
	uint32_t	*target;	/* UIDs it is for */
	size_t		 ntarget;
	/* SELECT */
	int		 examine, got_exists;
	int		 qresync;	/* VANISHED (EARLIER) may come */
	uint64_t	 highest;
	/* STORE, APPEND: */
	int		 sign;		/* '+', '-', or 0: replace */
	int		 silent;
	uint32_t	 flags;
	/* APPEND */
	uint32_t	 ids[4];
	unsigned int	 nids;
	uint32_t	 uidnext;	/* told when it was sent */
	uint64_t	 modseq;	/* known then */
	/* CREATE, RENAME, DELETE */
	int		 may_fail;
	/* SEARCH */
	int		 all, esearch;
	unsigned int	 results;
	/* COPY and MOVE: told by COPYUID */
	struct box	*dest;
	size_t		 copied;
};

enum state {
	S_CLOSED, S_GREETING, S_RUNNING, S_IDLE, S_LEAVING
};

struct conn {
	int		 index, fd;
	int		 owner;		/* -1: none */
	unsigned int	 user;
	uint64_t	 random;
	enum state	 state;
	int		 step;		/* of getting ready */
	char		*in;
	size_t		 inlen, inroom;
	char		*out;
	size_t		 outlen, outroom;
	char		*later;		/* behind a "+" */
	size_t		 laterlen;
	int		 wait_plus;
	unsigned int	 tag;
	struct cmd	 cmd[INFLIGHT];
	unsigned int	 ncmd;
	unsigned int	 caps;
	int		 condstore, qresync;
	struct box	*box;
	int		 readonly;
	uint64_t	 selected;	/* when */
	uint64_t	 highest;	/* told by SELECT */
	struct view	 view;
	struct saved	 saved[BOXES];
	int		 fresh;		/* nothing is learnt since SELECT */
	int		 verify;	/* the view is from QRESYNC */
	struct view	 expect;
	enum tree {
		TREE_UNKNOWN, TREE_HALF, TREE_NONE, TREE_MADE, TREE_RENAMED
	}		 tree;		/* a mailbox of its own */
	double		 until;		/* IDLE, or before the next try */
	int		 final;		/* box that is looked at, from 1 */
};

/* Of capabilities; the order of the names in done.c. */
enum cap {
	CAP_LITERAL_PLUS, CAP_MULTIAPPEND, CAP_MOVE, CAP_UIDPLUS,
	CAP_CONDSTORE, CAP_QRESYNC, CAP_SORT, CAP_THREAD, CAP_ESEARCH,
	CAP_UNSELECT, CAP_IDLE, CAP_ENABLE, CAPS
};
#define HAS(c, cap)	(((c)->caps & (1u << (cap))) != 0)

struct options {
	const char	*host, *port, *user, *password;
	unsigned int	 conns, users;
	unsigned int	 first;		/* number of the first user */
	double		 seconds;
	unsigned long	 seed;
	unsigned int	 wait;		/* seconds for an answer */
	int		 verbose;
	int		 rude;		/* connections break off */
};

struct count {
	unsigned long	 done, no;
};

extern struct options	 opt;
extern uint64_t		 when;
extern unsigned long	 faults;
extern struct count	 counts[KINDS];
extern const char *const kind_names[KINDS];
extern int		 ending;

/* stress.c */
double	 now(void);
void	 wrong(const struct conn *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
uint32_t rnd(struct conn *, uint32_t below);
void	*grown(void *, size_t want, size_t size, size_t *room);

/* model.c */
struct box	*box_of(unsigned int user, unsigned int i);
int		 box_index(const struct box *);
const char	*user_name(unsigned int);
struct msg	*msg_find(struct box *, uint32_t uid);
/* Makes it if it is new. */
struct msg	*msg_get(struct box *, uint32_t uid);
/* The text of an id, until the next call; *header is its header's length. */
const char	*text_of(uint32_t id, size_t *len, size_t *header);
int		 text_multipart(uint32_t id);
const char	*flag_name(uint32_t bit);
uint32_t	 flag_bit(const char *, size_t);

/* view.c */
void	 view_clear(struct view *);
void	 view_copy(struct view *, const struct view *);
void	 view_exists(struct view *, size_t);
void	 view_remove(struct view *, size_t i);
/* The index of a UID, or where it would be; *found says which. */
size_t	 view_at(const struct view *, uint32_t uid, int *found);
int	 view_complete(const struct view *);
void	 view_save(struct conn *);
void	 view_leave(struct conn *);

/* conn.c */
void	 conn_open(struct conn *);
/* what was asked may still happen */
void	 conn_break(struct conn *);
void	 conn_close(struct conn *);
void	 conn_put(struct conn *, const char *, size_t);
void	 conn_printf(struct conn *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
void	 conn_read(struct conn *);
void	 conn_write(struct conn *);

/* reply.c: one whole response, a NUL behind it. */
void	 reply(struct conn *, char *, size_t);
/* "1:3,5" into up to max numbers; how many, or -1; *end is behind it. */
long	 set_parse(const char *, uint32_t *, size_t max, const char **end);

/* fetch.c: "n FETCH (...)"; p is at the parenthesis. */
void	 fetched(struct conn *, size_t n, char *p, char *end);

/* done.c: the tagged answer. */
void	 done(struct conn *, struct cmd *, const char *status,
	    const char *text);
void	 response_code(struct conn *, struct cmd *, const char *text);

/* command.c */
struct cmd *command_new(struct conn *, enum kind, int uid, struct box *);
void	 command_next(struct conn *);
void	 command_free(struct cmd *);

/* final.c: when all is quiet. */
void	 final_next(struct conn *);
void	 final_done(struct conn *);

#endif
