/*
 * A segment of the journal with any bytes in it.  The first byte chooses how
 * many of its records get a true checksum, so that what lies behind the check
 * is reached too.
 *
 * fuzz: smtpd/journal_file.c smtpd/envelope.c lib/buf/buf.c
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smtpd/envelope.h"
#include "smtpd/journal_file.h"

#define SEG	7

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t	total;

/* What the queue does with a record: it must lie within the segment. */
static void
found(void *arg, enum record_type type, uint64_t id, const void *data,
    size_t len, const struct journal_place *place)
{
	struct envelope		e;
	struct rcpt_change	ch;
	const unsigned char	*p = data;
	unsigned int		sum = 0;
	size_t			i;

	if (place->seg != SEG || place->off > total ||
	    place->len > total - place->off ||
	    len > place->len - sizeof(struct record_head))
		abort();
	for (i = 0; i < len; i++)
		sum += p[i];
	if (sum == 1 && id == UINT64_MAX)
		abort();		/* so that the sum is made */
	if (type == RECORD_MESSAGE && len >= 8 &&
	    envelope_decode(&e, p + 8, len - 8) == 0)
		envelope_free(&e);
	if (type == RECORD_CHANGE)
		(void)rcpt_change_decode(&ch, p, len);
}

static void
damaged(void *arg, const char *what)
{
	if (*what == '\0')
		abort();
}

static void
seal(unsigned char *p, size_t len, unsigned int records)
{
	struct record_head	h;
	size_t			off = 0;

	for (; records > 0 && len - off >= sizeof(h); records--) {
		memcpy(&h, p + off, sizeof(h));
		h.len %= len - off - sizeof(h) + 1;
		h.covered %= h.len + 1;
		record_seal(&h, h.type % 5, SEG, h.id, p + off + sizeof(h),
		    h.len, h.covered);
		memcpy(p + off, &h, sizeof(h));
		if (len - off - sizeof(h) - h.len < record_pad(h.len))
			break;
		off += sizeof(h) + h.len + record_pad(h.len);
	}
}

static char	dir[] = "/tmp/postern-fuzz.XXXXXX";

static void
leave(void)
{
	static const char *const names[] = { "journal/0000000000000007",
	    "damaged/0000000000000007", "journal", "damaged", "" };
	char	path[96];
	size_t	i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)remove(path);
	}
}

static int
place(void)
{
	char	path[64];

	if (mkdtemp(dir) == NULL || atexit(leave) != 0)
		abort();
	snprintf(path, sizeof(path), "%s/damaged", dir);
	if (mkdir(path, 0700) == -1)
		abort();
	snprintf(path, sizeof(path), "%s/journal", dir);
	if (mkdir(path, 0700) == -1)
		abort();
	return (open(path, O_RDONLY | O_DIRECTORY));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int	 dirfd = -1;
	unsigned char	*copy;
	char		 name[SEGMENT_NAME];
	int		 fd;

	if (len < 1 || (dirfd == -1 && (dirfd = place()) == -1))
		return (0);
	total = len - 1;
	if ((copy = malloc(len)) == NULL)
		abort();
	memcpy(copy, data + 1, total);
	seal(copy, total, data[0] & 7);
	segment_name(SEG, name);
	if ((fd = openat(dirfd, name, O_RDWR | O_CREAT | O_TRUNC, 0600)) ==
	    -1 || write(fd, copy, total) != (ssize_t)total)
		abort();
	close(fd);
	free(copy);
	if (segment_scan(dirfd, SEG, found, damaged, NULL) == -1)
		abort();
	return (0);
}
