/*
 * param: Content-Type and Content-Disposition, RFC 2231.
 */
#include <string.h>

#include "../test.h"
#include "mime/param.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *in, *want;
} types[] = {
	{ "text/plain", "text/plain" },
	{ " Text / Plain ; charset = us-ascii", "Text/Plain charset=us-ascii" },
	{ "text/plain; charset=\"utf-8\"; format=flowed",
	    "text/plain charset=utf-8 format=flowed" },
	{ "text/plain (a (nested) comment); a=b (c) ; d=e",
	    "text/plain a=b d=e" },
	{ "text/plain; name=\"a \\\"b\\\" ;c\"", "text/plain name=a \"b\" ;c" },
	{ "text/plain;;;a=b;", "text/plain a=b" },
	{ "text/plain; name=\"unterminated", "text/plain name=unterminated" },
	{ "text/plain; name=\"x\\", "text/plain name=x\\" },
	{ "text/plain; (comment\\", "text/plain" },
	{ "text/plain; =x; y", "text/plain" },
	/* RFC 2231 3, 4, 4.1 */
	{ "message/external-body; access-type=URL; URL*0=\"ftp://\"; "
	    "URL*1=\"cs.utk.edu/x\"",
	    "message/external-body access-type=URL URL=ftp://cs.utk.edu/x" },
	{ "a/b; t*1=\"two\"; t*0=\"one\"", "a/b t=onetwo" },
	{ "a/b; t*0=\"one\"; t*2=\"three\"", "a/b t=one" },
	{ "a/b; title*=us-ascii'en-us'This%20is",
	    "a/b title*=us-ascii'en-us'This%20is" },
	{ "a/b; t*0*=us-ascii'en'This%20is%20; t*1=\"it's fun\"",
	    "a/b t*=us-ascii'en'This%20is%20it%27s%20fun" },
	{ "a/b; t*0=x; t*1*=%20", "a/b t*=''x%20" },
	{ "text", "-" },
	{ "", "-" },
	{ "/plain", "-" },
	{ "text/", "-" }
};

static void
show(const struct mime_value *v, char *out, size_t size)
{
	size_t i, n;

	n = (size_t)snprintf(out, size, "%s/%s", v->word, v->subword);
	for (i = 0; i < v->nparams && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, " %s=%s",
		    v->param[i].name, v->param[i].value);
}

static void
utf8(const char *in, const char *name, const char *want)
{
	struct mime_value v;
	struct buf b;
	char got[128] = "-";

	buf_init(&b, 1024);
	if (mime_disposition_parse(&v, in, strlen(in)) == 0) {
		if (mime_value_utf8(&v, name, &b) == 1)
			snprintf(got, sizeof(got), "%.*s", (int)buf_len(&b),
			    (const char *)buf_data(&b));
		mime_value_free(&v);
	}
	buf_free(&b);
	TEST_STR(in, got, want);
}

int
main(void)
{
	struct mime_value v;
	char got[512];
	size_t i;

	for (i = 0; i < COUNT(types); i++) {
		snprintf(got, sizeof(got), "-");
		if (mime_type_parse(&v, types[i].in,
		    strlen(types[i].in)) == 0) {
			show(&v, got, sizeof(got));
			mime_value_free(&v);
		}
		TEST_STR(types[i].in, got, types[i].want);
	}
	utf8("attachment; filename*=UTF-8''caf%C3%A9.txt", "filename",
	    "caf\303\251.txt");
	utf8("attachment; filename*=iso-8859-1''caf%E9.txt", "filename",
	    "caf\303\251.txt");
	utf8("attachment; filename=\"=?utf-8?q?caf=C3=A9?=\"", "filename",
	    "caf\303\251");
	utf8("attachment; filename=x", "name", "-");
	utf8("attachment", "filename", "-");
	TEST_DONE();
}
