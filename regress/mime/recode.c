/*
 * recode: 8-bit parts for a 7-bit server, binary parts for one without
 * BINARYMIME, and what cannot be changed.
 */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "mime/codec.h"
#include "mime/header.h"
#include "mime/recode.h"
#include "mime/tree.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define CTE		"Content-Transfer-Encoding: "
#define T8		"Content-Type: text/plain; charset=utf-8\r\n"	\
			CTE "8bit\r\n"
#define TQP		"Content-Type: text/plain; charset=utf-8\r\n"	\
			CTE "quoted-printable\r\n"
#define MP(t)		"MIME-Version: 1.0\r\n"				\
			"Content-Type: multipart/" t "; boundary=x\r\n"

static const struct {
	const char		*name;
	enum mime_recode_to	 to;
	const char		*text, *want;
	enum mime_recode_error	 error;
} tests[] = {
	{ "nothing to do", RECODE_7BIT, "A: b\r\n\r\nplain\r\n",
	    "A: b\r\n\r\nplain\r\n", 0 },
	{ "no body", RECODE_7BIT, "A: b\r\n", "A: b\r\n", 0 },
	{ "empty", RECODE_7BIT, "", "", 0 },
	{ "text", RECODE_7BIT, T8 "A: b\r\n\r\n\303\244=\r\n",
	    TQP "A: b\r\n\r\n=C3=A4=3D\r\n", 0 },
	{ "text that needs nothing", RECODE_7BIT, T8 "\r\nplain=\r\n",
	    T8 "\r\nplain=\r\n", 0 },
	{ "not MIME", RECODE_7BIT, "Subject: x\r\n\r\n\344\r\n",
	    "Subject: x\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n"
	    CTE "quoted-printable\r\n\r\n=E4\r\n", 0 },
	{ "type without encoding", RECODE_7BIT,
	    "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n\344\r\n",
	    "MIME-Version: 1.0\r\nContent-Type: text/html\r\n"
	    CTE "quoted-printable\r\n\r\n=E4\r\n", 0 },
	{ "blanks at the end", RECODE_7BIT, T8 "\r\n\344 \r\na\t\nb ",
	    TQP "\r\n=E4=20\r\na=09\r\nb=20", 0 },
	{ "dots and From", RECODE_7BIT, T8 "\r\n.\344\r\nFrom x\r\n.\r\n",
	    TQP "\r\n=2E=E4\r\n=46rom x\r\n=2E\r\n", 0 },
	{ "bare CR and NUL's like", RECODE_7BIT, T8 "\r\n\344\rx\001\r\n",
	    TQP "\r\n=E4=0Dx=01\r\n", 0 },
	{ "long line", RECODE_7BIT, T8 "\r\n"
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "456789012\344x\r\n", TQP "\r\n"
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "456789012=\r\n=E4x\r\n", 0 },
	{ "parts", RECODE_7BIT, MP("mixed") CTE "8bit\r\n\r\npre\r\n--x\r\n"
	    T8 "\r\n\344\r\n--x\r\n" CTE "base64\r\n\r\nAAAA\r\n--x\r\n\r\n"
	    "plain\r\n--x--\r\nepi\r\n",
	    MP("mixed") CTE "7bit\r\n\r\npre\r\n--x\r\n" TQP
	    "\r\n=E4\r\n--x\r\n" CTE "base64\r\n\r\nAAAA\r\n--x\r\n\r\nplain"
	    "\r\n--x--\r\nepi\r\n", 0 },
	{ "message in it", RECODE_7BIT, "Content-Type: message/rfc822\r\n" CTE
	    "8bit\r\n\r\n" T8 "\r\n\344\r\n", "Content-Type: message/rfc822"
	    "\r\n" CTE "7bit\r\n\r\n" TQP "\r\n=E4\r\n", 0 },
	{ "binary", RECODE_7BIT, "Content-Type: application/x\r\n" CTE
	    "binary\r\n\r\n\377\376\n", "Content-Type: application/x\r\n" CTE
	    "base64\r\n\r\n//4K", 0 },
	{ "binary, bare LF", RECODE_7BIT, CTE "binary\r\n\r\na\nb\r\n",
	    CTE "base64\r\n\r\nYQpiDQo=", 0 },
	{ "binary that is text", RECODE_7BIT, CTE "binary\r\n\r\na\r\n",
	    CTE "binary\r\n\r\na\r\n", 0 },
	{ "binary for 8BITMIME", RECODE_8BIT, MP("mixed") CTE
	    "binary\r\n\r\n--x\r\n" T8 "\r\n\344\r\n--x\r\n" CTE
	    "binary\r\n\r\n\001\r\n--x--\r\n", MP("mixed") CTE
	    "8bit\r\n\r\n--x\r\n" T8 "\r\n\344\r\n--x\r\n" CTE
	    "base64\r\n\r\nAQ==\r\n--x--\r\n", 0 },
	{ "lf", RECODE_7BIT, "A: b\n" CTE "8bit\n\n\344\n",
	    "A: b\n" CTE "quoted-printable\r\n\n=E4\r\n", 0 },

	{ "header", RECODE_7BIT, "Subject: \344\r\n\r\nx\r\n", NULL,
	    RECODE_HEADER },
	{ "header of a part", RECODE_7BIT, MP("mixed")
	    "\r\n--x\r\nX: \344\r\n\r\n\r\n--x--", NULL, RECODE_HEADER },
	{ "preamble", RECODE_7BIT, MP("mixed")
	    "\r\n\344\r\n--x\r\n\r\na\r\n--x--", NULL, RECODE_HEADER },
	{ "in what is encoded", RECODE_7BIT, CTE "base64\r\n\r\n\344\r\n",
	    NULL, RECODE_HEADER },
	{ "signed", RECODE_7BIT, MP("signed") "\r\n--x\r\n" T8
	    "\r\n\344\r\n--x\r\n\r\nsig\r\n--x--\r\n", NULL, RECODE_SIGNED },
	{ "deep under a signature", RECODE_7BIT, MP("signed")
	    "\r\n--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
	    "--y\r\n\r\n\344\r\n--y--\r\n--x\r\n\r\nsig\r\n--x--\r\n", NULL,
	    RECODE_SIGNED },
	{ "signed and plain", RECODE_7BIT, MP("signed") CTE "8bit\r\n\r\n"
	    "--x\r\n" T8 "\r\na\r\n--x\r\n\r\nsig\r\n--x--\r\n",
	    MP("signed") CTE "7bit\r\n\r\n--x\r\n" T8
	    "\r\na\r\n--x\r\n\r\nsig\r\n--x--\r\n", 0 },
	{ "multipart without boundary", RECODE_7BIT,
	    "Content-Type: multipart/mixed\r\n\r\n\344\r\n", NULL,
	    RECODE_STRUCTURE },
	{ "message/partial", RECODE_7BIT,
	    "Content-Type: message/partial\r\n\r\n\344\r\n", NULL,
	    RECODE_STRUCTURE },
};

/* In steps of so much room it is the same. */
static char *
recode(const char *text, size_t len, enum mime_recode_to to, size_t room,
    enum mime_recode_error *error, size_t *outlen)
{
	struct mime_recode	*r;
	char			*out;
	uint64_t		 size;
	size_t			 n;

	if ((r = mime_recode_new(text, len, to, error)) == NULL)
		return (NULL);
	size = mime_recode_size(r);
	if ((out = malloc((size_t)size + RECODE_OUT_MIN + 1)) == NULL)
		exit(2);
	*outlen = 0;
	while ((n = mime_recode_next(r, out + *outlen, room)) > 0)
		*outlen += n;
	out[*outlen] = '\0';
	if (*outlen != size)
		TEST("the size was told", *outlen == size);
	mime_recode_free(r);
	return (out);
}

static void
cases(void)
{
	enum mime_recode_error	 error;
	size_t			 i, room, len;
	char			*out;

	for (i = 0; i < COUNT(tests); i++)
		for (room = 80; room < 400; room += 160) {
			out = recode(tests[i].text, strlen(tests[i].text),
			    tests[i].to, room, &error, &len);
			if (tests[i].want == NULL)
				TEST(tests[i].name, out == NULL &&
				    error == tests[i].error);
			else
				TEST_STR(tests[i].name, out, tests[i].want);
			free(out);
		}
}

/* Every byte comes back, at every length, from both encodings. */
static void
bytes(void)
{
	static char		 text[1200], back[4000];
	struct mime_codec	 codec;
	enum mime_recode_error	 error;
	size_t			 i, len, head, at, n = 0;
	int			 bin, bad = 0;
	char			*out;

	for (bin = 0; bin < 2; bin++)
		for (len = 1; len < 400; len += 3) {
			head = (size_t)snprintf(text, sizeof(text),
			    CTE "%s\r\n\r\n", bin ? "binary" : "8bit");
			for (i = 0; i < len; i++)
				text[head + i] = (char)(bin || (i % 256 != 10
				    && i % 256 != 13) ? i : 'n');
			out = recode(text, head + len, RECODE_7BIT, 100,
			    &error, &at);
			if (out == NULL || (bin && len < 10)) {
				free(out);
				continue;	/* nothing to be encoded */
			}
			i = mime_header_length(out, at);
			mime_codec_init(&codec, bin ? MIME_BASE64 : MIME_QP);
			n = mime_codec_feed(&codec, out + i, at - i, back);
			n += mime_codec_end(&codec, back + n);
			if (n != len || memcmp(back, text + head, len) != 0)
				bad = 1;
			free(out);
		}
	TEST("every byte comes back", n > 0 && !bad);
}

/* Beyond the tree's limits it is refused, not broken; and quickly. */
static void
deep(void)
{
	enum mime_recode_error	 error;
	size_t			 i, len = 0, size = 1 << 20;
	char			*text, *out;

	if ((text = malloc(size)) == NULL)
		exit(2);
	for (i = 0; i < 150; i++)
		len += (size_t)snprintf(text + len, size - len, "Content-Type: "
		    "multipart/mixed; boundary=b%zu\r\n\r\n--b%zu\r\n", i, i);
	len += (size_t)snprintf(text + len, size - len, "\r\n\344\r\n");
	out = recode(text, len, RECODE_7BIT, 4096, &error, &i);
	TEST("too deep", out == NULL && error == RECODE_STRUCTURE);
	free(out);
	free(text);
}

int
main(void)
{
	cases();
	bytes();
	deep();
	TEST_DONE();
}
