/*
 * session_zip: the two streams of COMPRESS=DEFLATE (RFC 4978).
 *
 * Some 105 KB a connection: a window of 32 KB for what the client sends, which
 * may be any, and one of 8 KB for what we send.
 */
#ifndef IMAPD_SESSION_ZIP_H
#define IMAPD_SESSION_ZIP_H

#include "buf/buf.h"

struct zip;

struct zip	*zip_new(void);			/* NULL: no memory */
void		 zip_free(struct zip *);
/*
 * Inflate from raw into out, at most room bytes; what is not taken stays in
 * raw.  -1 if it is no stream, or for memory.
 */
int		 zip_in(struct zip *, struct buf *raw, struct buf *out,
		    size_t room);
/*
 * Deflate all of plain into out.  flush: the client is to see all of it.  -1
 * for memory.
 */
int		 zip_out(struct zip *, const void *, size_t, struct buf *out,
		    int flush);

#endif
