/*
 * header: the fields of a message's header (RFC 5322 2.2), read in place.
 *
 * Lines may end in CRLF or LF.  A line that is no field is passed over.
 */
#ifndef MIME_HEADER_H
#define MIME_HEADER_H

#include <stddef.h>

/* What is looked at of one field's value where its words are parsed. */
#define MIME_VALUE_MAX	(64 * 1024)

struct mime_field {
	const char	*name;
	size_t		 namelen;
	const char	*value;		/* folded, without the last line end */
	size_t		 valuelen;
	const char	*raw;		/* the whole, line ends included */
	size_t		 rawlen;
};

struct mime_fields {
	const char	*p;
	const char	*end;
};

/* Offset of the body: behind the first empty line, or the length. */
size_t	mime_header_length(const char *, size_t);
void	mime_fields_init(struct mime_fields *, const char *, size_t);
/* 1 and the next field, or 0 at the end of the header. */
int	mime_fields_next(struct mime_fields *, struct mime_field *);
int	mime_field_is(const struct mime_field *, const char *name);
/* The first field of that name; 0 if there is none. */
int	mime_field_find(const char *, size_t, const char *name,
	    struct mime_field *);
/*
 * The first field of each of n names, in one pass; raw is NULL where there is
 * none.
 */
void	mime_fields_collect(const char *, size_t, const char *const *names,
	    size_t n, struct mime_field *);
/*
 * Take line ends and NULs out, and white space at both ends; at most size
 * bytes are kept.  Returns the length; the result is not terminated.
 */
size_t	mime_unfold(const char *, size_t, char *out, size_t size);

#endif
