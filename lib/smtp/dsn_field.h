/*
 * dsn_field: single fields of delivery status notifications (RFC 3464), and
 * the encodings of the parameters that they come from (RFC 3461 4, RFC 6533
 * 3).
 *
 * Nothing that a value holds can end its line: control characters become '?',
 * and so does what is not UTF-8, or not ASCII where only that may stand.
 */
#ifndef SMTP_DSN_FIELD_H
#define SMTP_DSN_FIELD_H

#include <stddef.h>

struct buf;

/* "name: type; value", folded; type may be NULL. 0, or -1 as buf_add(). */
int	dsn_field(struct buf *, const char *name, const char *type,
	    const char *value, int utf8);
/* An address: as rfc822, or utf-8 if it has to be (RFC 6533 3). */
int	dsn_field_address(struct buf *, const char *name, const char *addr,
	    int utf8);
/* The value of ORCPT as Original-Recipient; nothing if it is malformed. */
int	dsn_field_orcpt(struct buf *, const char *orcpt, int utf8);
/* A value in running text, its lines folded. */
int	dsn_text(struct buf *, const char *value, int utf8);

/* 1 if a byte is beyond ASCII. */
int	dsn_is_eightbit(const char *, size_t);
/*
 * xtext decoded, terminated; -1 if it is malformed, does not fit, or decodes
 * to what is not printable ASCII.
 */
int	dsn_xtext_decode(const char *in, char *out, size_t size);
/* "\x{e4}" to UTF-8; other characters stay. -1 as dsn_xtext_decode(). */
int	dsn_utf8_decode(const char *in, char *out, size_t size);

#endif
