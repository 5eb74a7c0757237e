/*
 * SMTP commands and addresses: what parses stays within its bounds, prints as
 * itself, and reads back as the same.
 *
 * fuzz: lib/smtp/command.c lib/smtp/address.c lib/smtp/param.c
 * fuzz: lib/smtp/punycode.c lib/smtp/queueid.c lib/buf/utf8.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtp/command.h"
#include "smtp/param.h"
#include "smtp/queueid.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

/* An address that was accepted has one spelling and no surprises. */
static void
address(const char *s)
{
	char		 to[SMTP_ADDR_SIZE], again[SMTP_ADDR_SIZE];
	const char	*at, *p;

	if (smtp_address(s, to) != NULL)
		return;
	check(strlen(to) < SMTP_ADDR_SIZE);
	for (p = to; *p != '\0'; p++)
		check((unsigned char)*p >= 0x20 && *p != 0x7f);
	check(smtp_address(to, again) == NULL && strcmp(to, again) == 0);
	if ((at = smtp_address_at(to)) != NULL) {
		check(at - to <= SMTP_LOCAL_MAX && at > to);
		check(smtp_is_domain(at + 1, strlen(at + 1)));
		check(smtp_is_ascii(at));
		check(strpbrk(at + 1, "@\"\\/ ") == NULL);
	}
}

/* What goes into reports: printable, and within its bounds. */
static void
params(const struct smtp_command *c)
{
	struct smtp_mail_params	 m;
	struct smtp_rcpt_params	 r;
	const char		*p;
	uint64_t		 size;
	int			 last;

	if (smtp_mail_params(c, &m) == NULL)
		for (p = m.envid; *p != '\0'; p++)
			check(*p > ' ' && *p < 0x7f);
	if (smtp_rcpt_params(c, &r) == NULL) {
		check(r.notify <= 15 && (!(r.notify & SMTP_NOTIFY_NEVER) ||
		    r.notify == SMTP_NOTIFY_NEVER));
		for (p = r.orcpt; *p != '\0'; p++)
			check((unsigned char)*p > ' ' && *p != 0x7f);
		check(r.orcpt[0] == '\0' || strchr(r.orcpt, ';') != NULL);
	}
	if (c->verb == SMTP_BDAT && smtp_bdat(c->arg, &size, &last) == 0)
		check(last == 0 || last == 1);
}

static void
command(char *line)
{
	struct smtp_command	 c;
	const char		*wrong, *end = line + strlen(line);
	size_t			 i;

	wrong = smtp_command(line, &c);
	check(c.arg != NULL && c.nparams <= SMTP_PARAMS);
	check(wrong == NULL || strncmp(wrong, "501 ", 4) == 0);
	if (wrong != NULL)
		return;
	for (i = 0; i < c.nparams; i++) {
		check(c.params[i].key > line && c.params[i].key < end);
		check(c.params[i].value == NULL ||
		    (c.params[i].value > c.params[i].key &&
		    c.params[i].value < end && *c.params[i].value != '\0'));
	}
	if (c.addr[0] != '\0')
		address(c.addr);
	params(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char		*copy, id[QUEUEID_SIZE];
	uint64_t	 n;

	if ((copy = malloc(len + 1)) == NULL)
		abort();
	memcpy(copy, data, len);
	copy[len] = '\0';
	address(copy);
	(void)smtp_is_domain(copy, strlen(copy));
	if (queueid_parse(copy, &n) == 0) {
		queueid_text(n, id);
		check(strcmp(id, copy) == 0);
	}
	command(copy);
	free(copy);
	return (0);
}
