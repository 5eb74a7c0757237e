/*
 * special: the names by which delivery, expiry and clients know them.  Pure.
 */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "imap/special.h"

static const struct {
	const char	*mailbox;
	const char	*use;
} special[] = {
	{ "Archive", "\\Archive" },
	{ "Drafts", "\\Drafts" },
	{ "Junk", "\\Junk" },
	{ "Sent", "\\Sent" },
	{ "Trash", "\\Trash" }
};

#define NSPECIAL	(sizeof(special) / sizeof(special[0]))

const char *
imap_special_use(const char *mailbox)
{
	size_t i;

	for (i = 0; i < NSPECIAL; i++)
		if (strcmp(special[i].mailbox, mailbox) == 0)
			return (special[i].use);
	return (NULL);
}

const char *
imap_special_mailbox(const char *use)
{
	size_t i;

	for (i = 0; i < NSPECIAL; i++)
		if (strcasecmp(special[i].use, use) == 0)
			return (special[i].mailbox);
	return (NULL);
}
