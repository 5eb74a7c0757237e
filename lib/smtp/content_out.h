/*
 * content_out: what DATA and BDAT do alike with a line; for lib/smtp only.
 */
#ifndef SMTP_CONTENT_OUT_H
#define SMTP_CONTENT_OUT_H

#include "smtp/content.h"

/* Text on its way to put(): neighbours are handed on together. */
struct content_out {
	smtp_content_put	 put;
	void			*arg;
	const char		*run;	/* not handed on yet */
	size_t			 len;
};

int	content_put(struct content_out *, const char *, size_t);
int	content_flush(struct content_out *);
/* Text without its line end; ends: it is the last piece of its line. */
int	content_piece(struct smtp_content *, struct content_out *,
	    const char *, size_t, int ends);
/* The header ends here: fields that a submission must have are added. */
int	content_end_header(struct smtp_content *, struct content_out *);
int	content_has_eightbit(const char *, size_t);

#endif
