/*
 * subject: the base subject, by which messages are sorted and threaded (RFC
 * 5256 2.1).
 */
#ifndef MIME_SUBJECT_H
#define MIME_SUBJECT_H

#include <stddef.h>

#include "buf/buf.h"

/*
 * Append that of a Subject field's value, as mime_casemap() has it.  1 if it
 * was that of a reply or a forwarded message, else 0; -1 as buf_add().
 */
int	mime_base_subject(const char *, size_t, struct buf *);

#endif
