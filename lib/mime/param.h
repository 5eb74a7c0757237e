/*
 * param: Content-Type, Content-Disposition and their parameters (RFC 2045 5,
 * RFC 2183), those in pieces put together (RFC 2231).
 */
#ifndef MIME_PARAM_H
#define MIME_PARAM_H

#include <stddef.h>

#include "buf/buf.h"

#define MIME_PARAMS_MAX	128		/* of one field; more are not seen */

struct mime_param {
	const char	*name;		/* ends in '*' if value is encoded */
	const char	*value;
};

struct mime_value {
	const char	*word;		/* "text", "attachment" */
	const char	*subword;	/* "plain"; NULL if none is wanted */
	struct mime_param param[MIME_PARAMS_MAX];
	size_t		 nparams;
	char		*text;		/* what all of these point into */
};

/*
 * Only MIME_VALUE_MAX bytes are looked at.  -1 with EINVAL if there is no type
 * (of type/subtype for the first), or ENOMEM; else free it.
 */
int	mime_type_parse(struct mime_value *, const char *, size_t);
int	mime_disposition_parse(struct mime_value *, const char *, size_t);
void	mime_value_free(struct mime_value *);
/* NULL if there is none of that name. */
const char *mime_value_param(const struct mime_value *, const char *name);
/*
 * Append a parameter as UTF-8, whichever way it was written.  1, 0 if there
 * is none, -1 as buf_add().
 */
int	mime_value_utf8(const struct mime_value *, const char *name,
	    struct buf *);

#endif
