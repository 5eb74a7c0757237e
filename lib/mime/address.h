/*
 * address: address lists of header fields (RFC 5322 3.4, 4.4), in linear time.
 */
#ifndef MIME_ADDRESS_H
#define MIME_ADDRESS_H

#include <stddef.h>

#define MIME_ADDRESSES_MAX	10000	/* of one field; more are not seen */
#define MIME_ADDRESS_BYTES	(1024 * 1024)	/* looked at of one field */
#define MIME_ADDRESS_PART	1024	/* bytes kept of a name or domain */

enum mime_address_kind {
	ADDRESS_MAILBOX,
	ADDRESS_GROUP,			/* name is the group's */
	ADDRESS_GROUP_END
};

struct mime_address {
	enum mime_address_kind	 kind;
	const char		*name;	/* display name, or NULL */
	const char		*route;	/* "@a,@b", or NULL */
	const char		*mailbox;	/* unquoted; "" if missing */
	const char		*host;		/* "" if missing */
};

struct mime_addresses {
	struct mime_address	*v;
	size_t			 n;
	char			*text;	/* what they point into */
};

/* What cannot be read is left out; -1 only with ENOMEM. Free it. */
int	mime_addresses_parse(struct mime_addresses *, const char *, size_t);
void	mime_addresses_free(struct mime_addresses *);

#endif
