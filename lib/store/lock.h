/*
 * lock: waiting for other processes, never for ever.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

/* An exclusive flock(2); -1 with EWOULDBLOCK when ms have passed. */
int	lock_take(int fd, unsigned int ms);
void	lock_drop(int fd);

/*
 * A file that is nothing but a lock, made if need be and taken: its
 * descriptor, to be closed, and while it is open the name means this file.
 * -1 with EWOULDBLOCK when ms have passed.
 */
int	lock_file(int dirfd, const char *name, unsigned int ms);

/*
 * As other mbox programs lock: name.lock beside the file, if the directory
 * lets us, then an fcntl lock on the file.  -1 with EWOULDBLOCK.  dot becomes
 * the dot-lock's descriptor, or -1 if there is none.
 */
int	lock_mbox(int dirfd, const char *name, int fd, unsigned int ms,
	    int *dot);
void	lock_mbox_drop(int dirfd, const char *name, int fd, int dot);

#endif
