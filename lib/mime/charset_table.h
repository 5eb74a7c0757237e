/*
 * charset_table: what charset.c looks up.
 */
#ifndef MIME_CHARSET_TABLE_H
#define MIME_CHARSET_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct charset_table {
	const char	*names;		/* in lower case, a space between */
	uint16_t	 upper[128];	/* of bytes from 0x80; 0: none */
};

extern const struct charset_table charset_tables[];
extern const size_t charset_ntables;

#endif
