/*
 * sendmail: the program that other programs hand messages to.
 */
#ifndef MAILCTL_SENDMAIL_H
#define MAILCTL_SENDMAIL_H

struct sendmail_calls {
	const char	*conf_path;
	int		(*list)(const char *conf);	/* mailq, as root */
	int		(*flush)(const char *conf);	/* -q, as root */
};

/* Is this the name under which the program is sendmail? */
int	sendmail_is_name(const char *argv0);
/* A status of sysexits(3). */
int	sendmail_main(int argc, char **argv, const struct sendmail_calls *);

#endif
