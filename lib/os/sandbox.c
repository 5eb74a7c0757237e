/*
 * sandbox: the part that all systems share, the words and their checks.
 *
 * Trusts the caller (a role's table line); a mistake in it is an error here
 * and not a weaker sandbox.
 */
#include <errno.h>
#include <string.h>

#include "os/sandbox_impl.h"

static int	word_bit(const char *, size_t, uint32_t *);
static int	paths_ok(const struct sandbox *);

/* In the order of the SB_ bits. */
static const char *const words[] = {
	"stdio", "sendfd", "recvfd", "rpath", "wpath", "cpath", "fattr",
	"flock", "inet", "accept", "dns", "unix", "getpw", "inotify",
	"thread", "proc", "exec", "id", "sqlite"
};

int
sandbox_enter(const struct sandbox *sb)
{
	uint32_t mask;

	if (sandbox_parse(sb->promises, &mask) == -1 || !paths_ok(sb))
		return (-1);
	return (sandbox_sys_enter(sb, mask));
}

int
sandbox_parse(const char *s, uint32_t *mask)
{
	uint32_t bit;
	size_t n;

	*mask = 0;
	if (s == NULL) {
		errno = EINVAL;
		return (-1);
	}
	for (s += strspn(s, " "); *s != '\0'; s += n + strspn(s + n, " ")) {
		n = strcspn(s, " ");
		if (word_bit(s, n, &bit) == -1)
			return (-1);
		*mask |= bit;
	}
	/* No process runs without it, so its absence is a typing mistake. */
	if ((*mask & SB_STDIO) == 0) {
		errno = EINVAL;
		return (-1);
	}
	return (0);
}

static int
word_bit(const char *s, size_t n, uint32_t *bit)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == n && strncmp(words[i], s, n) == 0) {
			*bit = 1U << i;
			return (0);
		}
	}
	errno = EINVAL;
	return (-1);
}

static int
paths_ok(const struct sandbox *sb)
{
	const struct sandbox_path *p;
	size_t i;

	if (sb->npaths > SANDBOX_PATHS ||
	    sb->nports > sizeof(sb->ports) / sizeof(sb->ports[0])) {
		errno = EINVAL;
		return (0);
	}
	for (i = 0; i < sb->npaths; i++) {
		p = &sb->paths[i];
		if (p->path == NULL || p->perm == NULL ||
		    p->perm[strspn(p->perm, "rwxc")] != '\0') {
			errno = EINVAL;
			return (0);
		}
	}
	return (1);
}
