/*
 * address: lists of addresses as name|route|mailbox|host, groups as {name
 * and }.
 */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "mime/address.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *in, *want;
} lists[] = {
	{ "a@b", "-|-|a|b" },
	{ "a@b, c@d", "-|-|a|b -|-|c|d" },
	{ "<a@b>", "-|-|a|b" },
	{ "Al Bo <a@b>", "Al Bo|-|a|b" },
	{ "\"Al, Bo\" <a@b>", "Al, Bo|-|a|b" },
	{ "\"Al \\\"Q\\\" Bo\" <a@b>", "Al \"Q\" Bo|-|a|b" },
	{ "John Q. Public <jqp@b>", "John Q. Public|-|jqp|b" },
	{ "a@b (Al Bo)", "Al Bo|-|a|b" },
	{ "a@b (Al (the) Bo)", "Al (the) Bo|-|a|b" },
	{ "\"a b\"@c", "-|-|a b|c" },
	{ "a . b @ c . d", "-|-|a.b|c.d" },
	{ "a@[192.0.2.1]", "-|-|a|[192.0.2.1]" },
	{ "x <@r1,@r2:a@b>", "x|@r1,@r2|a|b" },
	{ "root", "-|-|root|" },
	{ "<>", "-|-||" },
	{ "a@b <a@b>", "a@b|-|a|b" },
	{ "Group: a@b, c@d;", "{Group -|-|a|b -|-|c|d }" },
	{ "undisclosed-recipients:;", "{undisclosed-recipients }" },
	{ "G: a@b", "{G -|-|a|b }" },
	{ "G: a@b; , x@y", "{G -|-|a|b } -|-|x|y" },
	{ "G: H: a@b;", "{G -|-|H a|b }" },
	{ ",, a@b ,,", "-|-|a|b" },
	{ "", "" },
	{ "   ", "" },
	{ "(only a comment)", "" },
	{ "a@b (unterminated", "unterminated|-|a|b" },
	{ "a@b (ends in \\", "ends in |-|a|b" },
	{ "(\\", "" },
	{ "\"unterminated", "-|-|unterminated|" },
	{ "\"ends in \\", "-|-|ends in \\|" },
	{ "<a@b", "-|-|a|b" },
	{ "x <a@b, c@d", "x|-|a|b -|-|c|d" },
	{ "a@b> c@d", "-|-|a|bc@d" },
	{ "a@b@c", "-|-|a|b@c" },
	{ "@", "-|-||" },
	{ "\\", "" },
	{ "a\r\n @\r\n b", "-|-|a|b" },
	{ "=?utf-8?q?caf=C3=A9?= <a@b>", "=?utf-8?q?caf=C3=A9?=|-|a|b" },
	{ "caf\303\251 <a@b>", "caf\303\251|-|a|b" }
};

/* A case is named by its input, on one line. */
static const char *
name_of(const char *in)
{
	static char name[64];
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && in[i] != '\0'; i++)
		name[i] = in[i] >= 0x20 && in[i] < 0x7f ? in[i] : '?';
	name[i] = '\0';
	return (i > 0 ? name : "empty");
}

static void
show(const struct mime_addresses *l, char *out, size_t size)
{
	const struct mime_address *a;
	const char *sp = "";
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < l->n && n < size; i++, sp = " ") {
		a = &l->v[i];
		if (a->kind == ADDRESS_GROUP)
			n += (size_t)snprintf(out + n, size - n, "%s{%s", sp,
			    a->name);
		else if (a->kind == ADDRESS_GROUP_END)
			n += (size_t)snprintf(out + n, size - n, "%s}", sp);
		else
			n += (size_t)snprintf(out + n, size - n,
			    "%s%s|%s|%s|%s", sp, a->name ? a->name : "-",
			    a->route ? a->route : "-", a->mailbox, a->host);
	}
}

int
main(void)
{
	struct mime_addresses l;
	char got[512];
	size_t i, j;

	for (i = 0; i < COUNT(lists); i++) {
		if (mime_addresses_parse(&l, lists[i].in,
		    strlen(lists[i].in)) == -1)
			snprintf(got, sizeof(got), "error");
		else {
			show(&l, got, sizeof(got));
			mime_addresses_free(&l);
		}
		TEST_STR(name_of(lists[i].in), got, lists[i].want);
	}
	/* Cut at each byte: nothing is read beyond the end. */
	for (i = 0; i < COUNT(lists); i++)
		for (j = 0; j < strlen(lists[i].in); j++) {
			char *copy = malloc(j + 1);

			memcpy(copy, lists[i].in, j);
			copy = realloc(copy, j > 0 ? j : 1);
			if (mime_addresses_parse(&l, copy, j) == 0)
				mime_addresses_free(&l);
			free(copy);
		}
	TEST("cut at each byte", 1);
	if (mime_addresses_parse(&l, "a\0b@c", 5) == 0) {
		show(&l, got, sizeof(got));
		mime_addresses_free(&l);
		TEST_STR("NUL", got, "-|-|ab|c");
	}
	TEST_DONE();
}
