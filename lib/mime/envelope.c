/*
 * envelope: the header fields that a list of messages shows.  Pure; one pass
 * over the header, then one over each field that is used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imap/write.h"
#include "mime/address.h"
#include "mime/header.h"
#include "mime/structure.h"

enum {
	F_DATE, F_SUBJECT, F_FROM, F_SENDER, F_REPLY_TO, F_TO, F_CC, F_BCC,
	F_IN_REPLY_TO, F_MESSAGE_ID, NFIELDS
};

static const char *const names[NFIELDS] = {
	"Date", "Subject", "From", "Sender", "Reply-To", "To", "Cc", "Bcc",
	"In-Reply-To", "Message-ID"
};

/* A field's value, unfolded, encoded words as they stand. */
static int
write_text(struct buf *b, const struct mime_field *f)
{
	size_t len = f->valuelen;
	char *text;
	int ret;

	if (f->raw == NULL)
		return (buf_puts(b, "NIL"));
	if (len > MIME_VALUE_MAX)
		len = MIME_VALUE_MAX;
	if ((text = malloc(len + 1)) == NULL)
		return (-1);
	ret = imap_write_string(b, text,
	    mime_unfold(f->value, len, text, len));
	free(text);
	return (ret);
}

static int
write_nstring(struct buf *b, const char *s)
{
	return (imap_write_nstring(b, s, s != NULL ? strlen(s) : 0));
}

/* RFC 3501 7.4.2: a group begins with its name and no host. */
static int
write_address(struct buf *b, const struct mime_address *a)
{
	if (a->kind == ADDRESS_GROUP_END)
		return (buf_puts(b, "(NIL NIL NIL NIL)"));
	if (a->kind == ADDRESS_GROUP) {
		if (buf_puts(b, "(NIL NIL ") == -1 ||
		    write_nstring(b, a->name) == -1)
			return (-1);
		return (buf_puts(b, " NIL)"));
	}
	if (buf_puts(b, "(") == -1 || write_nstring(b, a->name) == -1 ||
	    buf_puts(b, " ") == -1 || write_nstring(b, a->route) == -1 ||
	    buf_puts(b, " ") == -1 || write_nstring(b, a->mailbox) == -1 ||
	    buf_puts(b, " ") == -1 || write_nstring(b, a->host) == -1)
		return (-1);
	return (buf_puts(b, ")"));
}

static int
write_addresses(struct buf *b, const struct mime_field *f)
{
	struct mime_addresses list;
	int ret = 0;
	size_t i;

	if (f->raw == NULL)
		return (buf_puts(b, "NIL"));
	if (mime_addresses_parse(&list, f->value, f->valuelen) == -1)
		return (-1);
	if (list.n == 0)
		ret = buf_puts(b, "NIL");
	else if (buf_puts(b, "(") == -1)
		ret = -1;
	for (i = 0; i < list.n && ret == 0; i++)
		ret = write_address(b, &list.v[i]);
	if (list.n > 0 && ret == 0)
		ret = buf_puts(b, ")");
	mime_addresses_free(&list);
	return (ret);
}

/* What was written there already. */
static int
write_again(struct buf *b, size_t start, size_t end)
{
	char *room;

	if ((room = buf_reserve(b, end - start)) == NULL)
		return (-1);
	memcpy(room, (const char *)buf_data(b) + start, end - start);
	buf_commit(b, end - start);
	return (0);
}

static int
write_field(struct buf *b, const struct mime_field *f, int i)
{
	switch (i) {
	case F_DATE:
	case F_SUBJECT:
	case F_IN_REPLY_TO:
	case F_MESSAGE_ID:
		return (write_text(b, &f[i]));
	default:
		return (write_addresses(b, &f[i]));
	}
}

int
mime_write_envelope(struct buf *b, const char *text, size_t len)
{
	struct mime_field f[NFIELDS];
	size_t start = 0, end = 0;
	int i, ret;

	mime_fields_collect(text, len, names, NFIELDS, f);
	for (i = 0; i < NFIELDS; i++) {
		if (buf_puts(b, i == 0 ? "(" : " ") == -1)
			return (-1);
		if (i == F_FROM)
			start = buf_len(b);
		/* RFC 3501 7.4.2: From stands in for both. */
		if ((i == F_SENDER || i == F_REPLY_TO) &&
		    (f[i].raw == NULL || f[i].valuelen == 0))
			ret = write_again(b, start, end);
		else
			ret = write_field(b, f, i);
		if (ret == -1)
			return (-1);
		if (i == F_FROM)
			end = buf_len(b);
	}
	return (buf_puts(b, ")"));
}
