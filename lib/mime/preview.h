/*
 * preview: the beginning of what a message says (RFC 8970).
 */
#ifndef MIME_PREVIEW_H
#define MIME_PREVIEW_H

#include "buf/buf.h"
#include "mime/tree.h"

#define MIME_PREVIEW_CHARS	200	/* RFC 8970 3.1: at most 256 */

/*
 * Append it as UTF-8 in one line; nothing if the message has no text.  0, or
 * -1 as buf_add().
 */
int	mime_preview(const struct mime_tree *, struct buf *);

#endif
