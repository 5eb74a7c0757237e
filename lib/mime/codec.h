/*
 * codec: base64 and quoted-printable, decoded piece by piece (RFC 2045 6).
 */
#ifndef MIME_CODEC_H
#define MIME_CODEC_H

#include <stddef.h>
#include <stdint.h>

#define MIME_CODEC_ROOM	8	/* output may exceed input by so much */

enum mime_encoding {
	MIME_7BIT,		/* and 8bit, binary: nothing to do */
	MIME_BASE64,
	MIME_QP,
	MIME_ENCODING_UNKNOWN
};

struct mime_codec {
	enum mime_encoding	enc;
	uint32_t		bits;
	unsigned int		nbits;
	char			held[4];	/* an escape that goes on */
	unsigned int		nheld;
};

/* By the value of a Content-Transfer-Encoding field. */
enum mime_encoding mime_encoding(const char *, size_t);
void	mime_codec_init(struct mime_codec *, enum mime_encoding);
/*
 * Decode; out has room for len + MIME_CODEC_ROOM.  Returns how many bytes
 * came out.  What is not of the encoding is passed over (base64) or kept as
 * it stands (quoted-printable).
 */
size_t	mime_codec_feed(struct mime_codec *, const char *, size_t, char *out);
/* What was held back at the end of the part. */
size_t	mime_codec_end(struct mime_codec *, char *out);

#endif
