/*
 * role: what roles read from descriptors, and how they are found in a table.
 */
#include "os/compat.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"
#include "privsep/role.h"
#include "../test.h"

static const struct role_def roles[] = {
	{ .role = ROLE_NET, .user = "n" },
	{ .role = ROLE_QUEUE, .user = "q" },
	{ .role = ROLE_PARENT }
};
static const struct daemon_def daemon_def = { .name = "test",
    .roles = roles };

static void
test_slurp(void)
{
	char	*p, big[3000];
	size_t	 len = 9;
	int	 fd, pipefd[2];

	if ((fd = os_anonfile("test")) == -1)
		exit(2);
	TEST("empty", (p = role_slurp(fd, 100, &len)) != NULL && len == 0 &&
	    *p == '\0');
	free(p);
	memset(big, 'x', sizeof(big));
	big[7] = '\0';
	if (write(fd, big, sizeof(big)) != sizeof(big))
		exit(2);
	/* The offset is at the end; another process may share it. */
	TEST("whole", (p = role_slurp(fd, sizeof(big), &len)) != NULL &&
	    len == sizeof(big) && memcmp(p, big, len) == 0 &&
	    p[len] == '\0');
	free(p);
	TEST("again", (p = role_slurp(fd, sizeof(big), &len)) != NULL &&
	    len == sizeof(big) && lseek(fd, 0, SEEK_CUR) == sizeof(big));
	free(p);
	errno = 0;
	TEST("too big", role_slurp(fd, sizeof(big) - 1, &len) == NULL &&
	    errno == EFBIG);
	if (ftruncate(fd, 1ll << 40) == -1)
		exit(2);
	errno = 0;
	TEST("far too big", role_slurp(fd, 1 << 20, &len) == NULL &&
	    errno == EFBIG);
	close(fd);
	TEST("closed", role_slurp(fd, 100, &len) == NULL && errno == EBADF);
	if (pipe(pipefd) == -1 || write(pipefd[1], "x", 1) != 1)
		exit(2);
	p = role_slurp(pipefd[0], 100, &len);
	TEST("a pipe does not block", p == NULL || len == 0);
	free(p);
	if ((fd = open("/", O_RDONLY | O_DIRECTORY)) == -1)
		exit(2);
	p = role_slurp(fd, 1 << 20, &len);
	TEST("a directory", p == NULL || len == 0);
	free(p);
	close(fd);
}

static void
test_table(void)
{
	const struct role_def	*r;

	TEST("first", (r = role_find(&daemon_def, ROLE_NET)) != NULL &&
	    strcmp(r->user, "n") == 0);
	TEST("last", (r = role_find(&daemon_def, ROLE_QUEUE)) != NULL &&
	    strcmp(r->user, "q") == 0);
	TEST("none", role_find(&daemon_def, ROLE_DNS) == NULL &&
	    role_find(&daemon_def, ROLE_PARENT) == NULL);
	TEST("no channel yet", role_peer(ROLE_NET) == NULL &&
	    role_peer_of(ROLE_NET, 1) == NULL && role_parent() == NULL);
}

int
main(void)
{
	test_slurp();
	test_table();
	TEST_DONE();
}
