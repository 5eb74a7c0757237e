/*
 * mailctl: what its commands share; the table of them is in mailctl.c.
 */
#ifndef MAILCTL_H
#define MAILCTL_H

#include <stdio.h>

struct conf;

#define STATUS_OK	0
#define STATUS_FAILED	1
#define STATUS_USAGE	2

struct call {
	const char	 *conf_path;
	int		  json;
	unsigned int	  what;		/* CTL_* if it is a question */
	int		  argc;		/* what follows the command's words */
	char		**argv;
};

/* mail.conf, with mistakes told; NULL if there are any. conf_free() it. */
struct conf	*call_load(const struct call *);
/*
 * Ask a daemon, or "queue"; its answer goes to f.  Its status, or -1 with
 * errno if it does not run.
 */
int		 call_ask(const struct conf *, const char *name,
		    const struct call *, const char *arg, FILE *f);
/* The same; the answer is *text, which the caller frees; NULL with -1. */
int		 call_ask_text(const struct conf *, const char *name,
		    const struct call *, const char *arg, char **text);
const char	*call_why_not(int error);
/* What others may have written, as a string of JSON and for a terminal. */
void		 json_string(const char *);
void		 put_text(FILE *, const char *);

/*
 * Words with a blank between; -1 if they do not fit, or if one is blank: a
 * variable that a script forgot must not mean everything.
 */
int		 call_join(char *const *words, int n, char *to, size_t);
/* who.c */
int		 who_command(const struct call *);
int		 kick_command(const struct call *);
/* user.c; in call.what: */
enum { USER_ADD, USER_DELETE, USER_PASSWORD, USER_LIST, USER_QUOTA };
int		 user_command(const struct call *);
/* mailbox.c; in call.what: */
enum { MAILBOX_LIST, MAILBOX_STATUS, MAILBOX_CREATE, MAILBOX_DELETE,
	MAILBOX_RENAME, MAILBOX_SEARCH, MAILBOX_FETCH, MAILBOX_EXPUNGE,
	MAILBOX_COPY, MAILBOX_VERIFY, MAILBOX_REBUILD, MAILBOX_IMPORT,
	MAILBOX_EXPORT, MAILBOX_QUOTA, MAILBOX_INDEX };
int		 mailbox_command(const struct call *);
/* queue.c */
int		 queue_command(const struct call *);
int		 queue_check_command(const struct call *);
/* explain.c */
int		 explain_command(const struct call *);
int		 prove_command(const struct call *);
/* report.c */
int		 report_command(const struct call *);

#endif
