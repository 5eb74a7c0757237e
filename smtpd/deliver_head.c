/*
 * deliver_head: the lines that a delivery puts before a message.
 *
 * Believes queue about the envelope.  Of the message only the Delivered-To
 * fields of its header are read.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "smtpd/deliver_head.h"

#define HEADER_LOOK	65536	/* of the header, for Delivered-To */

int
deliver_head(const struct msg_DELIVER_MSG *a, char out[DELIVER_HEAD])
{
	const char	*sender = strcmp(a->sender, "<>") == 0 ? "" : a->sender;
	int		 other, n;

	other = a->orig[0] != '\0' && strcasecmp(a->orig, a->rcpt) != 0;
	n = snprintf(out, DELIVER_HEAD, "Return-Path: <%s>\r\n"
	    "%s%s%sDelivered-To: %s\r\n", sender,
	    other ? "X-Original-To: " : "", other ? a->orig : "",
	    other ? "\r\n" : "", a->rcpt);
	return (n < 0 || n >= DELIVER_HEAD ? -1 : n);
}

/* A Delivered-To with this recipient: the message was here before. */
static int
loops(int fd, const char *rcpt)
{
	static const char	 field[] = "Delivered-To:";
	static char		 head[HEADER_LOOK + 1];
	char			*p, *nl, *v;
	ssize_t			 n;

	if ((n = pread(fd, head, HEADER_LOOK, 0)) <= 0)
		return (0);
	head[n] = '\0';
	for (p = head; (nl = strchr(p, '\n')) != NULL; p = nl + 1) {
		*nl = '\0';
		if (nl > p && nl[-1] == '\r')
			nl[-1] = '\0';
		if (*p == '\0')
			break;
		if (strncasecmp(p, field, sizeof(field) - 1) != 0)
			continue;
		for (v = p + sizeof(field) - 1; *v == ' ' || *v == '\t'; v++)
			;
		if (strcasecmp(v, rcpt) == 0)
			return (1);
	}
	return (0);
}

const char *
deliver_objection(const struct msg_DELIVER_MSG *a, int fd)
{
	struct stat	st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != a->size)
		return ("451 4.3.0 the message cannot be read");
	if (loops(fd, a->rcpt))
		return ("554 5.4.6 mail loop: it was delivered here before");
	return (NULL);
}
