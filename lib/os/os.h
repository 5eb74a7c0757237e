/*
 * os: what differs between systems, under one name each.
 *
 * Everything here returns -1 with errno; what a system cannot do is ENOSYS,
 * never a success without the deed.
 */
#ifndef OS_OS_H
#define OS_OS_H

#include <sys/types.h>
#include <sys/uio.h>

#include <fcntl.h>

struct os_watch;

/* All of it, also over signals; -1 with errno, some of it may be written. */
int		 os_write_all(int fd, const void *, size_t);

/*
 * Anonymous files: a message travels between roles in one.
 *
 * The sender seals it.  The receiver believes only os_anonfile_is_sealed(),
 * then takes the size from fstat() and reads with pread(): the offset stays
 * shared with the sender.  Where seals are unknown os_anonfile_seal() fails
 * with ENOSYS and is_sealed() is always 0: the receiver must copy the file
 * (pread into memory or a file of its own) before it believes two reads of it
 * to agree.
 */
/* Read-write, close-on-exec; the name is for people who look at /proc. */
#ifdef __linux__
#define OS_HAVE_SEALS	1
#else
#define OS_HAVE_SEALS	0
#endif
int	os_anonfile(const char *name);
int	os_anonfile_seal(int fd);
int	os_anonfile_is_sealed(int fd);	/* 1: size and bytes stay */

/*
 * Lock the whole file for as long as it is open, here and over fork; -1 with
 * EWOULDBLOCK if another has it.
 */
int	os_lock(int fd);

/*
 * Memory that was freed: keep up to so much of it for the next malloc(), and
 * give all of it back.  Where the system's malloc() sees to that itself they
 * do nothing.
 */
void	os_heap_keep(size_t most);
void	os_heap_trim(void);

/*
 * Empty the capability bounding set, as root before the uid is dropped: no
 * program that is started later can gain one.
 */
int	os_cap_drop_bounding(void);

/* Who is at the other end of a local socket; pid is -1 if unknown. */
int	os_peer_cred(int fd, uid_t *uid, gid_t *gid, pid_t *pid);

/*
 * Write all of it at offset and return when it is on the disk (0).  The
 * vector is used up on the way.  One system call on Linux.
 */
int	os_sync_write(int fd, struct iovec *iov, int n, off_t offset);

/*
 * Flush the file system that fd lives on.  ENOSYS where that cannot be waited
 * for: fsync each file and each directory instead.
 */
int	os_syncfs(int fd);
int	os_syncfs_works(void);

/*
 * Have a file's bytes on the disk no later than a name that it is given
 * afterwards; whether they are durable then only fsync() says.
 */
int	os_write_out(int fd);
/*
 * Have room on the disk for all of a file, holes too, if the system can; -1
 * only if there is none.
 */
int	os_fill(int fd, off_t len);
/* Begin to write a file's bytes; fsync() then has less to wait for. */
void	os_start_write(int fd);

/*
 * When the system was started, by the clock as it stands now: two answers
 * differ by a second, or by as much as the clock was set meanwhile.
 */
time_t	os_boot_time(void);

/*
 * For open(2): a directory that one may enter but not read.  0 where there is
 * no such thing; then it has to be readable.
 */
#if defined(__linux__)
#define OS_O_SEARCH	O_PATH
#elif defined(O_SEARCH)
#define OS_O_SEARCH	O_SEARCH
#else
#define OS_O_SEARCH	O_RDONLY
#endif

/*
 * Notice of changes in directories: names that appear, go or are renamed.
 *
 * inotify checks permission by path when a watch is added.  A watch process
 * with a uid of its own in an empty chroot is therefore refused every 0700
 * directory (EACCES, also through fchdir and ".", also with a descriptor that
 * the owner opened).  One inotify descriptor lent to the owners' processes
 * would show each of them the others' file names; one instance a process runs
 * into fs.inotify.max_user_instances (128 a uid) with virtual users; the
 * parent adding watches would have root look up what users mounted.
 *
 * So: the owner's process opens the directory (O_RDONLY) and passes that
 * descriptor.  On Linux the watch process asks for notice on the descriptor
 * itself (fcntl F_NOTIFY, no lookup, no permission asked twice, works below
 * any chroot, Landlock included); elsewhere kqueue does the same.  What it
 * learns is which directory changed, no name; what it holds can neither be
 * listed nor entered under its promises ("stdio inotify recvfd").  The owner
 * must be confined too: through the shared open file it could otherwise say
 * which signal is sent (its filter refuses F_SETSIG and F_SETOWN).
 *
 * Costs one descriptor a directory and one queued signal at most.
 */
/* Blocks two signals for good; one watch a process. */
struct os_watch	*os_watch_new(void);
void		 os_watch_free(struct os_watch *);	/* directories stay */
int		 os_watch_fd(struct os_watch *);	/* readable: see read */
/* dirfd stays the caller's; closing it ends its watch. */
int		 os_watch_add(struct os_watch *, int dirfd);
/*
 * 1 and the directory that changed (*dirfd -1: notice was lost, any may
 * have), 0 for nothing more now, -1 error.  The watch goes on.  A number that
 * the caller has closed in the meantime may still be reported once.
 */
int		 os_watch_read(struct os_watch *, int *dirfd);

#endif
