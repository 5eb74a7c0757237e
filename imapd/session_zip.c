/*
 * session_zip: zlib behind two calls.  Bytes that come in are a client's; a
 * bomb gets no further than the room that its reader has.
 */
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "session_zip.h"

#define OUT_WINDOW	13		/* bits */
#define OUT_MEMORY	6
#define OUT_LEVEL	6
#define PIECE		4096

struct zip {
	z_stream	in, out;
	int		in_ok, out_ok;
	int		ended;		/* the client's stream is over */
};

struct zip *
zip_new(void)
{
	struct zip *z;

	if ((z = calloc(1, sizeof(*z))) == NULL)
		return (NULL);
	z->in_ok = inflateInit2(&z->in, -MAX_WBITS) == Z_OK;
	z->out_ok = deflateInit2(&z->out, OUT_LEVEL, Z_DEFLATED, -OUT_WINDOW,
	    OUT_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
	if (!z->in_ok || !z->out_ok) {
		zip_free(z);
		return (NULL);
	}
	return (z);
}

void
zip_free(struct zip *z)
{
	if (z == NULL)
		return;
	if (z->in_ok)
		(void)inflateEnd(&z->in);
	if (z->out_ok)
		(void)deflateEnd(&z->out);
	free(z);
}

int
zip_in(struct zip *z, struct buf *raw, struct buf *out, size_t room)
{
	size_t had = buf_len(raw);
	void *p;
	int ret;

	if (room == 0 || had == 0)
		return (0);
	if (z->ended || (p = buf_reserve(out, room)) == NULL)
		return (-1);
	z->in.next_in = buf_data(raw);
	z->in.avail_in = (uInt)had;
	z->in.next_out = p;
	z->in.avail_out = (uInt)room;
	ret = inflate(&z->in, Z_SYNC_FLUSH);
	if (ret == Z_STREAM_END)
		z->ended = 1;
	else if (ret != Z_OK && ret != Z_BUF_ERROR)
		return (-1);
	buf_commit(out, room - z->in.avail_out);
	buf_drain(raw, had - z->in.avail_in);
	return (0);
}

int
zip_out(struct zip *z, const void *plain, size_t len, struct buf *out,
    int flush)
{
	Bytef *in = (Bytef *)(uintptr_t)plain;	/* zlib's has no const */
	void *p;
	int ret;

	z->out.next_in = in;
	z->out.avail_in = (uInt)len;
	do {
		if ((p = buf_reserve(out, PIECE)) == NULL)
			return (-1);
		z->out.next_out = p;
		z->out.avail_out = PIECE;
		ret = deflate(&z->out, flush ? Z_SYNC_FLUSH : Z_NO_FLUSH);
		if (ret != Z_OK && ret != Z_BUF_ERROR)
			return (-1);
		buf_commit(out, PIECE - z->out.avail_out);
	} while (z->out.avail_out == 0);
	return (0);
}
