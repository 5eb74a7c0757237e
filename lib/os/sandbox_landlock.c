/*
 * sandbox_landlock: paths and TCP ports, from the role's list.
 *
 * The constants are our own because headers lag behind kernels; the running
 * kernel is asked for its ABI and everything it does not know is masked out.
 * Every right is handled, so what no rule gives is refused.  A rule binds an
 * inode: a file that others replace by rename (/etc/shadow, a database with a
 * journal) must be listed by its directory.
 *
 * Landlock says nothing about stat(2), and nothing about descriptors that are
 * open already.
 */
#ifdef __linux__

#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/sandbox_impl.h"

/* One number on every architecture. */
#define NR_CREATE_RULESET	444
#define NR_ADD_RULE		445
#define NR_RESTRICT_SELF	446

#define CREATE_VERSION		0x1U	/* flag: ask for the ABI */
#define RESTRICT_TSYNC		0x8U	/* ABI 8: all threads */
#define RULE_PATH		1
#define RULE_PORT		2

#define FS_EXECUTE		0x0001U
#define FS_WRITE_FILE		0x0002U
#define FS_READ_FILE		0x0004U
#define FS_READ_DIR		0x0008U
#define FS_REMOVE_DIR		0x0010U
#define FS_REMOVE_FILE		0x0020U
#define FS_MAKE_CHAR		0x0040U
#define FS_MAKE_DIR		0x0080U
#define FS_MAKE_REG		0x0100U
#define FS_MAKE_SOCK		0x0200U
#define FS_MAKE_FIFO		0x0400U
#define FS_MAKE_BLOCK		0x0800U
#define FS_MAKE_SYM		0x1000U
#define FS_REFER		0x2000U	/* ABI 2 */
#define FS_TRUNCATE		0x4000U	/* ABI 3 */
#define FS_IOCTL_DEV		0x8000U	/* ABI 5 */
#define FS_ABI1			0x1fffU

/* What a rule on something other than a directory may give. */
#define FS_OF_FILE		(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | \
				    FS_TRUNCATE | FS_IOCTL_DEV)

#define NET_BIND		0x1U	/* ABI 4 */
#define NET_CONNECT		0x2U
#define SCOPE_ABSTRACT		0x1U	/* ABI 6 */
#define SCOPE_SIGNAL		0x2U

struct ll_ruleset {
	uint64_t	fs;
	uint64_t	net;
	uint64_t	scoped;
};

struct ll_path {
	uint64_t	access;
	int32_t		fd;
} __attribute__((__packed__));

struct ll_port {
	uint64_t	access;
	uint64_t	port;
};

static void	make_ruleset(const struct sandbox *, uint32_t, int,
		    struct ll_ruleset *);
static size_t	ruleset_size(int);
static int	add_rules(int, const struct sandbox *, uint32_t,
		    const struct ll_ruleset *);
static int	add_path(int, const char *, uint64_t);
static uint64_t	perm_access(const char *);

/*
 * What glibc's password sources read.  /etc as a whole: passwd(1) and
 * useradd(8) replace files there, and each file's own mode still holds.
 */
static const char *const getpw_paths[] = {
	"/etc", "/run/nscd", "/run/systemd/userdb", "/var/lib/sss",
	"/var/lib/extrausers"
};

int
sandbox_landlock(const struct sandbox *sb, uint32_t mask)
{
	struct ll_ruleset rs;
	unsigned int flags;
	int abi, bits, error, fd;

	if ((abi = sandbox_landlock_abi()) == 0)
		return (0);
	make_ruleset(sb, mask, abi, &rs);
	if (rs.fs == 0 && rs.net == 0 && rs.scoped == 0)
		return (0);
	if ((fd = (int)syscall(NR_CREATE_RULESET, &rs, ruleset_size(abi),
	    0U)) == -1)
		return (-1);
	flags = abi >= 8 ? RESTRICT_TSYNC : 0;
	if (add_rules(fd, sb, mask, &rs) == -1 ||
	    syscall(NR_RESTRICT_SELF, fd, flags) == -1) {
		error = errno;
		(void)close(fd);
		errno = error;
		return (-1);
	}
	(void)close(fd);
	bits = rs.fs != 0 ? SANDBOX_FILES : 0;
	if (rs.net != 0)
		bits |= SANDBOX_NETWORK;
	return (bits);
}

int
sandbox_landlock_abi(void)
{
	long n;

	/* ENOSYS: not built in; EOPNOTSUPP: not enabled at boot */
	n = syscall(NR_CREATE_RULESET, NULL, (size_t)0, CREATE_VERSION);
	return (n < 1 ? 0 : (int)n);
}

/* What is to be refused unless a rule gives it. */
static void
make_ruleset(const struct sandbox *sb, uint32_t mask, int abi,
    struct ll_ruleset *rs)
{
	memset(rs, 0, sizeof(*rs));
	rs->fs = FS_ABI1;
	if (abi >= 2)
		rs->fs |= FS_REFER;
	if (abi >= 3)
		rs->fs |= FS_TRUNCATE;
	if (abi >= 5)
		rs->fs |= FS_IOCTL_DEV;
	/*
	 * ABI 1 refuses every rename between directories and has no way to
	 * allow one.  A program started without a path list is not ours to
	 * bound.
	 */
	if ((abi == 1 && (mask & SB_CPATH) != 0) ||
	    ((mask & SB_EXEC) != 0 && sb->npaths == 0))
		rs->fs = 0;
	if (abi >= 4) {
		rs->net = NET_BIND | NET_CONNECT;
		if ((mask & (SB_INET | SB_DNS)) != 0 && sb->nports == 0)
			rs->net = NET_BIND;
	}
	if (abi >= 6)
		rs->scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
}

/* The struct grew: an older kernel refuses bytes that it does not know. */
static size_t
ruleset_size(int abi)
{
	if (abi >= 6)
		return (sizeof(struct ll_ruleset));
	if (abi >= 4)
		return (offsetof(struct ll_ruleset, scoped));
	return (offsetof(struct ll_ruleset, net));
}

static int
add_rules(int fd, const struct sandbox *sb, uint32_t mask,
    const struct ll_ruleset *rs)
{
	struct ll_port port;
	size_t i;

	if (rs->fs != 0) {
		for (i = 0; i < sb->npaths; i++)
			if (add_path(fd, sb->paths[i].path, rs->fs &
			    perm_access(sb->paths[i].perm)) == -1)
				return (-1);
		for (i = 0; (mask & SB_GETPW) != 0 &&
		    i < sizeof(getpw_paths) / sizeof(getpw_paths[0]); i++)
			if (add_path(fd, getpw_paths[i], rs->fs &
			    perm_access("r")) == -1 && errno != ENOENT &&
			    errno != EACCES)
				return (-1);
	}
	/* A source address is bound with any port, which is port 0. */
	port.access = NET_BIND;
	port.port = 0;
	if ((rs->net & NET_BIND) != 0 && (mask & SB_INET) != 0 &&
	    syscall(NR_ADD_RULE, fd, RULE_PORT, &port, 0U) == -1)
		return (-1);
	for (i = 0; (rs->net & NET_CONNECT) != 0 &&
	    (mask & (SB_INET | SB_DNS)) != 0 && i < sb->nports; i++) {
		port.access = NET_CONNECT;
		port.port = sb->ports[i];
		if (syscall(NR_ADD_RULE, fd, RULE_PORT, &port, 0U) == -1)
			return (-1);
	}
	return (0);
}

static int
add_path(int ruleset, const char *path, uint64_t access)
{
	struct ll_path rule;
	struct stat st;
	int error, rv = -1;

	if (access == 0)
		return (0);
	if ((rule.fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return (-1);
	if (fstat(rule.fd, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			access &= FS_OF_FILE;
		rule.access = access;
		rv = (int)syscall(NR_ADD_RULE, ruleset, RULE_PATH, &rule, 0U);
	}
	error = errno;
	(void)close(rule.fd);
	errno = error;
	return (rv == -1 ? -1 : 0);
}

/* unveil(2)'s letters.  Devices, sockets and symbolic links: never. */
static uint64_t
perm_access(const char *perm)
{
	uint64_t access = 0;

	for (; *perm != '\0'; perm++) {
		switch (*perm) {
		case 'r':
			access |= FS_READ_FILE | FS_READ_DIR;
			break;
		case 'w':
			access |= FS_WRITE_FILE | FS_TRUNCATE;
			break;
		case 'x':
			access |= FS_EXECUTE | FS_READ_FILE;
			break;
		case 'c':
			access |= FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE |
			    FS_REMOVE_DIR | FS_REFER;
			break;
		default:
			break;
		}
	}
	return (access);
}

#endif
