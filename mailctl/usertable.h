/*
 * usertable: a file of users, changed as a whole.
 */
#ifndef MAILCTL_USERTABLE_H
#define MAILCTL_USERTABLE_H

#include <sys/stat.h>
#include <stddef.h>

struct usertable {
	const char	*path;
	int		 fd;
	struct stat	 st;
	char		*text;		/* lines end in '\n', then a NUL */
	size_t		 len;
};

/* Locked until it is closed; -1: it has been told why. */
int	usertable_open(struct usertable *, const char *path);
void	usertable_close(struct usertable *);
/* The line of a user, comments are none; NULL if there is none. */
char	*usertable_find(const struct usertable *, const char *name,
	    size_t *len);
/*
 * Put line, without its end, in place of the len bytes at at (of text; its end
 * to add one); line NULL takes them out.  Everything else stays as it is.
 */
int	usertable_replace(struct usertable *, const char *at, size_t len,
	    const char *line);

#endif
