/*
 * info: Maildir file names, "base:2,flags".
 *
 * Names on disk are anybody's; all here is bounded by their length.
 */
#include <errno.h>
#include <string.h>

#include "os/compat.h"
#include "store/info.h"
#include "store/store.h"

static const struct {
	char		letter;
	uint32_t	flag;
} letters[] = {			/* in the order of ASCII */
	{ 'D', MSG_DRAFT },
	{ 'F', MSG_FLAGGED },
	{ 'P', MSG_PASSED },
	{ 'R', MSG_ANSWERED },
	{ 'S', MSG_SEEN },
	{ 'T', MSG_DELETED }
};
#define NLETTERS	(sizeof(letters) / sizeof(letters[0]))

static uint32_t
info_flag(char c)
{
	size_t i;

	for (i = 0; i < NLETTERS; i++)
		if (letters[i].letter == c)
			return (letters[i].flag);
	return (0);
}

int
info_parse(const char *name, struct info *info)
{
	const char *p;
	uint32_t flag;
	size_t n = 0;

	memset(info, 0, sizeof(*info));
	info->baselen = strcspn(name, ":");
	if (name[0] == '.' || info->baselen == 0 ||
	    info->baselen > INFO_BASE_MAX || strlen(name) > NAME_MAX)
		return (-1);
	for (p = name; *p != '\0'; p++)
		if (*p == '/' || (unsigned char)*p < 0x20)
			return (-1);
	p = name + info->baselen;
	if (strncmp(p, ":2,", 3) != 0)
		return (0);
	for (p += 3; *p != '\0'; p++) {
		if (info->extra[0] != ',' && *p >= 'a' && *p <= 'z')
			info->keywords |= 1U << (*p - 'a');
		else if (info->extra[0] != ',' && (flag = info_flag(*p)) != 0)
			info->flags |= flag;
		else if (n < INFO_EXTRA_MAX)
			info->extra[n++] = *p;
		else
			return (-1);	/* more than anybody's extension */
	}
	return (0);
}

int
info_format(const char *base, size_t baselen, uint32_t flags,
    uint32_t keywords, const char *extra, char *buf)
{
	char *p = buf;
	size_t i;

	if (baselen == 0 || baselen > INFO_BASE_MAX ||
	    strlen(extra) > INFO_EXTRA_MAX) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(p, base, baselen);
	p += baselen;
	memcpy(p, ":2,", 3);
	p += 3;
	for (i = 0; i < NLETTERS; i++)
		if (flags & letters[i].flag)
			*p++ = letters[i].letter;
	for (i = 0; i < STORE_KEYWORDS; i++)
		if (keywords & 1U << i)
			*p++ = (char)('a' + i);
	memcpy(p, extra, strlen(extra) + 1);
	return (0);
}

int
info_size(const char *base, size_t baselen, char which, uint64_t *size)
{
	const char *p, *end = base + baselen;
	uint64_t n;

	for (p = base; end - p >= 4; p++) {
		if (p[0] != ',' || p[1] != which || p[2] != '=')
			continue;
		n = 0;
		for (p += 3; p < end && *p >= '0' && *p <= '9'; p++) {
			if (n > UINT64_MAX / 100)
				return (-1);
			n = n * 10 + (uint64_t)(*p - '0');
		}
		if (p[-1] == '=' || (p < end && *p != ','))
			return (-1);
		*size = n;
		return (0);
	}
	return (-1);
}

uint64_t
info_seconds(const char *base, size_t baselen)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < baselen && i < 12; i++) {
		if (base[i] < '0' || base[i] > '9')
			break;
		n = n * 10 + (uint64_t)(base[i] - '0');
	}
	return (n);
}
