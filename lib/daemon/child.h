/*
 * child: what the parent knows of its processes; shared by the files of
 * lib/daemon only.
 */
#ifndef DAEMON_CHILD_H
#define DAEMON_CHILD_H

#include <sys/types.h>
#include <stdint.h>
#include <time.h>

#include "daemon/supervise.h"
#include "os/compat.h"

struct event;
struct event_base;

struct child {
	TAILQ_ENTRY(child)	 entry;
	pid_t			 pid;
	const struct role_def	*def;
	uint32_t		 gen;
	struct peer		*peer;		/* NULL: will be reaped */
	time_t			 started;	/* monotonic seconds */
	int			 ready;
	time_t			 kill_at;	/* told to finish; 0: not */
	int			 level;		/* SANDBOX_* it reached */
	uid_t			 uid;
	unsigned int		 connections;	/* as it says */
	int			 asked;		/* and has not told all */
	time_t			 joined;	/* again, in this second... */
	unsigned int		 njoined;	/* ...so often */
	char			 user[C_USER];	/* of a per-user process */
	void			*arg;
};
TAILQ_HEAD(children, child);

enum gen_state { GEN_STARTING, GEN_RUNNING, GEN_DRAINING };

/* A configuration and the processes that were started for it. */
struct gen {
	TAILQ_ENTRY(gen)	 entry;
	uint32_t		 id;
	struct conf		*conf;
	int			 conffd;	/* its text, sealed */
	size_t			 conflen;
	enum gen_state		 state;
	time_t			 until;		/* start or drain limit */
	unsigned int		 fails[ROLE_COUNT];
};
TAILQ_HEAD(gens, gen);

/* The parent's one state; defined in supervise.c. */
struct supervise {
	const struct daemon_def	*daemon;
	const struct parent_ops	*ops;
	struct event_base	*base;
	struct peer_ops		 peer_ops;
	struct children		 children;
	struct gens		 gens;
	struct gen		*current;	/* newest that is running */
	const char		*program;	/* to exec roles */
	const char		*libexec;	/* of per-user programs */
	const char		*conf_path;
	int			 verbose;
	int			 foreground;
	int			 unprivileged;
	int			 stopping;
	int			 reload_again;	/* asked for during a reload */
	int			 log_missing;	/* could not be opened */
	size_t			 nperuser;
	time_t			 since;		/* it was started */
};
extern struct supervise sv;

time_t		 sv_now(void);
/* A new descriptor of the log for the parent and every process. */
void		 logs_again(const struct conf *);

/* spawn.c */
struct child	*spawn_role(const struct role_def *, uint32_t gen);
void		 spawn_settings(struct child *, const struct conf *,
		    const struct sandbox_path *, size_t);
void		 send_log(struct peer *, const struct conf *);
struct child	*child_of(struct peer *);
struct child	*child_by_pid(pid_t);
void		 child_free(struct child *);
/* DRAIN: finish within so many seconds or be killed. */
void		 child_drain(struct child *, unsigned int seconds);
void		 child_overdue(void);		/* once a second */

/* generation.c */
int		 gen_start(struct conf *);	/* takes conf over */
void		 gen_reload(void);
void		 gen_child_exited(struct child *);
/*
 * A new channel between two that work together, in place of theirs.  The first
 * one complains; more often than one may it gets none.
 */
void		 gen_join_again(struct child *, struct child *);
void		 gen_ready(struct child *);
void		 gen_drain(struct gen *, unsigned int seconds);
void		 gen_tick(void);		/* once a second */
struct gen	*gen_find(uint32_t id);
struct child	*gen_role(uint32_t id, enum role);

/* give.c: what a role is told */
int		 give_role(struct child *, struct gen *);
void		 give_table(struct peer *, const struct conf *,
		    unsigned int index);
int		 give_bind(const struct conf *, char *err, size_t);
/* Close what this configuration has no use for. */
void		 give_unbind(const struct conf *);
void		 give_unlink(void);

/* control.c */
int		 control_open(const struct conf *);
void		 control_close(void);
/* A socket in the directory "state", mode 0600, listening; -1 logged. */
int		 control_socket(const struct conf *, const char *name);
void		 control_ask(struct peer *, struct msg *);
void		 control_answer(struct peer *, const char *, uint64_t status);

/* decoy.c: to auth, if there are stored keys; -1 logged */
int		 give_decoy_key(struct peer *, const struct conf *);

/* audit.c */
char		*audit_print(int json, int running);

#endif
