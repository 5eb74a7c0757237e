/*
 * decoy: the secret behind the salts that auth makes up for users who have
 * none (lib/auth/exchange.c).  Runs as root.
 *
 * A made-up salt must not change when a daemon is restarted, and be the same
 * in all three, or it would tell itself from a real one: so the secret is a
 * file in the directory "state", made by whichever daemon comes first.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/child.h"
#include "log/log.h"

#define KEY_BYTES	32
#define KEY_TEXT	(2 * KEY_BYTES)

/* A name of its own first, so that nobody ever reads half a key. */
static int
make(int dir, const char *name)
{
	unsigned char	key[KEY_BYTES];
	char		text[KEY_TEXT + 1], temp[64];
	size_t		i;
	int		fd, rv = -1;

	arc4random_buf(key, sizeof(key));
	for (i = 0; i < sizeof(key); i++)
		snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", key[i]);
	snprintf(temp, sizeof(temp), "%s.%d", name, (int)getpid());
	if (unlinkat(dir, temp, 0) == -1 && errno != ENOENT)
		return (-1);
	if ((fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600)) == -1)
		return (-1);
	if (write(fd, text, KEY_TEXT) == KEY_TEXT &&
	    (linkat(dir, temp, dir, name, 0) == 0 || errno == EEXIST))
		rv = 0;
	close(fd);
	if (unlinkat(dir, temp, 0) == -1)
		log_warn("%s", temp);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(text, sizeof(text));
	return (rv);
}

static int
get(int dir, const char *name, char text[KEY_TEXT + 1])
{
	struct stat	st;
	int		fd, rv = -1;

	if ((fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK)) == -1)
		return (-1);
	if (fstat(fd, &st) == 0) {
		if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		    (st.st_mode & 077) != 0)
			errno = EPERM;
		else if (read(fd, text, KEY_TEXT) != KEY_TEXT)
			errno = EINVAL;
		else
			rv = 0;
	}
	close(fd);
	text[KEY_TEXT] = '\0';
	return (rv);
}

int
give_decoy_key(struct peer *p, const struct conf *conf)
{
	static const char	name[] = "decoy.key";
	struct msg_DECOY_KEY	m = { 0 };
	int			dir, rv;

	if ((dir = open(conf->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
	    -1) {
		log_warn("%s", conf->state);
		return (-1);
	}
	rv = get(dir, name, m.key);
	if (rv == -1 && errno == ENOENT && (rv = make(dir, name)) == 0)
		rv = get(dir, name, m.key);
	if (rv == -1)
		log_warn("%s/%s", conf->state, name);
	else
		peer_send(p, M_DECOY_KEY, &m, -1);
	close(dir);
	explicit_bzero(&m, sizeof(m));
	return (rv);
}
