/*
 * spool: a place for segments, and messages whose content follows from their
 * number, for the programs of this folder.
 */
#ifndef REGRESS_SPOOL_H
#define REGRESS_SPOOL_H

#include <sys/stat.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "smtpd/journal_file.h"

static char	spool_dir[64];

/* The folder journal/ of a new spool. */
static inline int
spool_new(void)
{
	char	path[100];
	int	fd;

	snprintf(spool_dir, sizeof(spool_dir), "/tmp/postern-queue.XXXXXX");
	if (mkdtemp(spool_dir) == NULL)
		exit(2);
	snprintf(path, sizeof(path), "%s/damaged", spool_dir);
	if (mkdir(path, 0700) == -1)
		exit(2);
	snprintf(path, sizeof(path), "%s/journal", spool_dir);
	if (mkdir(path, 0700) == -1 ||
	    (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		exit(2);
	return (fd);
}

static void
spool_remove(int dirfd)
{
	char	cmd[100];

	close(dirfd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", spool_dir);
	if (system(cmd) != 0)
		fprintf(stderr, "%s: not removed\n", spool_dir);
}

/* u32 envelope length, u32 CRC of the text, envelope, text; malloc'ed. */
static inline unsigned char *
spool_message(uint64_t id, size_t envlen, size_t textlen)
{
	unsigned char	*p;
	uint32_t	 n = (uint32_t)envlen, crc;
	size_t		 i;

	if ((p = malloc(8 + envlen + textlen)) == NULL)
		exit(2);
	for (i = 0; i < envlen + textlen; i++)
		p[8 + i] = (unsigned char)(id * 31 + i * 7 + 1);
	crc = (uint32_t)crc32(crc32(0, NULL, 0), p + 8 + envlen,
	    (uInt)textlen);
	memcpy(p, &n, 4);
	memcpy(p + 4, &crc, 4);
	return (p);
}

static inline int
spool_is_message(uint64_t id, const unsigned char *p, size_t len)
{
	size_t	i;

	if (len < 8)
		return (0);
	for (i = 8; i < len; i++)
		if (p[i] != (unsigned char)(id * 31 + (i - 8) * 7 + 1))
			return (0);
	return (1);
}

#endif
