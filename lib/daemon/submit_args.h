/*
 * submit_args: the command line of sendmail, as other programs write it.
 *
 * Pure.  What only made sense to another mail system is taken and ignored;
 * what would have been a promise that we do not keep is refused.
 */
#ifndef DAEMON_SUBMIT_ARGS_H
#define DAEMON_SUBMIT_ARGS_H

enum submit_mode {
	SUBMIT_MESSAGE,		/* -bm */
	SUBMIT_SMTP,		/* -bs */
	SUBMIT_VERIFY,		/* -bv */
	SUBMIT_LIST,		/* -bp, mailq */
	SUBMIT_ALIASES,		/* -bi, newaliases */
	SUBMIT_FLUSH		/* -q */
};

struct submit_args {
	enum submit_mode mode;
	const char	*conf;		/* -C; NULL */
	const char	*sender;	/* -f, -r; NULL not given */
	const char	*fullname;	/* -F; NULL */
	const char	*notify;	/* -N; NULL */
	const char	*ret;		/* -R */
	const char	*envid;		/* -V */
	int		 take;		/* -t */
	int		 ignore_dots;	/* -i */
	int		 verbose;	/* -v */
	int		 mail_errors;	/* -oem: nobody reads our output */
	int		 first;		/* index of the first recipient */
};

/*
 * argv[0] may be sendmail, mailq or newaliases.  NULL, or what is wrong, in
 * static memory.
 */
const char	*submit_args(struct submit_args *, int argc, char **argv);

#endif
