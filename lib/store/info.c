/*
 * info: Maildir file names, "base:2,flags".
 *
 * Names on disk are anybody's; all here is bounded by their length.
 */
#include <errno.h>
#include <stdio.h>
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
	const char *p, *colon = NULL;
	uint32_t flag;
	size_t n = 0;

	memset(info, 0, sizeof(*info));
	for (p = name; *p != '\0'; p++) {
		if (*p == '/' || (unsigned char)*p < 0x20)
			return (-1);
		if (*p == ':' && colon == NULL)
			colon = p;
	}
	info->baselen = (size_t)((colon != NULL ? colon : p) - name);
	if (name[0] == '.' || info->baselen == 0 ||
	    info->baselen > INFO_BASE_MAX || p - name > NAME_MAX)
		return (-1);
	p = name + info->baselen;
	if (strncmp(p, ":2,", 3) != 0)
		return (0);
	info->plain = 1;
	for (p += 3; *p != '\0'; p++) {
		/* Letters ascend; after ',' all are others'. */
		if (p[-1] != ',' && *p <= p[-1])
			info->plain = 0;
		if (info->extra[0] != ',' && *p >= 'a' && *p <= 'z')
			info->keywords |= 1U << (*p - 'a');
		else if (info->extra[0] != ',' && (flag = info_flag(*p)) != 0)
			info->flags |= flag;
		else if (n < INFO_EXTRA_MAX) {
			info->extra[n++] = *p;
			info->plain = 0;
		} else
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

/* Where ",X=" begins from p on, X any character or this one; or NULL. */
static const char *
info_field(const char *p, const char *end, char which)
{
	while ((p = memchr(p, ',', (size_t)(end - p))) != NULL) {
		if (end - p >= 3 && p[2] == '=' &&
		    (which == '\0' || p[1] == which))
			return (p);
		p++;
	}
	return (NULL);
}

int
info_size(const char *base, size_t baselen, char which, uint64_t *size)
{
	const char *p, *end = base + baselen;
	uint64_t n = 0;

	if ((p = info_field(base, end, which)) == NULL || end - p < 4)
		return (-1);
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

size_t
info_unique(const char *base, size_t baselen)
{
	const char *p = info_field(base, base + baselen, '\0');

	return (p == NULL ? baselen : (size_t)(p - base));
}

static const char *
info_number(const char *p, const char *end, uint32_t *out)
{
	uint64_t n = 0;
	const char *start = p;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if ((n = n * 10 + (uint64_t)(*p - '0')) > UINT32_MAX)
			return (NULL);
	*out = (uint32_t)n;
	return (p == start ? NULL : p);
}

int
info_uid(const char *base, size_t baselen, uint32_t *uidvalidity,
    uint32_t *uid)
{
	const char *p, *end = base + baselen;

	if ((p = info_field(base, end, 'P')) == NULL)
		return (-1);
	p = info_number(p + 3, end, uidvalidity);
	if (p == NULL || p == end || *p != '.')
		return (-1);
	p = info_number(p + 1, end, uid);
	return (p == NULL || (p < end && *p != ',') ||
	    *uidvalidity == 0 || *uid == 0 ? -1 : 0);
}

int
info_uid_add(char *base, uint32_t uidvalidity, uint32_t uid)
{
	size_t len = strlen(base);
	int n;

	n = snprintf(base + len, INFO_BASE_MAX + 1 - len, ",P=%u.%u",
	    uidvalidity, uid);
	if (n < 0 || (size_t)n > INFO_BASE_MAX - len) {
		base[len] = '\0';
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}

int
info_appended(const char *base, size_t baselen)
{
	static const char marks[] = ".MPQ";
	const char *p = base, *end = base + baselen;
	uint32_t n;
	int i;

	/* "seconds.Mmicroseconds" and so on. */
	for (i = 0; i < 4; i++) {
		if (i == 1 && *p++ != '.')
			return (0);
		if (i > 0 && (p == end || *p++ != marks[i]))
			return (0);
		if ((p = info_number(p, end, &n)) == NULL || p == end)
			return (0);
	}
	return (*p == '.');
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
