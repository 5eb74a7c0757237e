/*
 * preview: base subjects (RFC 5256 2.1) and previews (RFC 8970).
 */
#include <string.h>

#include "../test.h"
#include "mime/preview.h"
#include "mime/subject.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static int
same(struct buf *b, const char *want)
{
	return (buf_len(b) == strlen(want) && (buf_len(b) == 0 ||
	    memcmp(buf_data(b), want, buf_len(b)) == 0));
}

static void
subjects(void)
{
	static const struct {
		const char	*in, *want;
		int		 reply;
	} t[] = {
		{ "Hello", "HELLO", 0 },
		{ "", "", 0 },
		{ "Re: Hello", "HELLO", 1 },
		{ "RE : hello", "HELLO", 1 },
		{ "re[2]: fwd: Fw: hello", "HELLO", 1 },
		{ "[list] Re: hello", "HELLO", 1 },
		{ "[list] hello", "HELLO", 0 },
		{ "[list]", "[LIST]", 0 },
		{ "Re: [list]", "[LIST]", 1 },
		{ "[a] [b] hello", "HELLO", 0 },
		{ "hello (fwd) (FWD) ", "HELLO", 1 },
		{ "[Fwd: hello]", "HELLO", 1 },
		{ "[Fwd: [Fwd: Re: hello]]", "HELLO", 1 },
		{ "[fwd: hello", "[FWD: HELLO", 0 },
		{ "re", "RE", 0 },
		{ "Re:", "", 1 },
		{ "reply: x", "REPLY: X", 0 },
		{ "a\r\n  b\tc", "A B C", 0 },
		{ "=?utf-8?q?Re=3A_=C3=84pfel?=", "A\314\210PFEL", 1 },
		{ "[", "[", 0 },
		{ "[[]]", "[[]]", 0 },
		{ "]", "]", 0 },
		{ "[fwd:]", "", 1 }
	};
	struct buf b;
	size_t i;
	int ret;

	for (i = 0; i < COUNT(t); i++) {
		buf_init(&b, 1024);
		ret = mime_base_subject(t[i].in, strlen(t[i].in), &b);
		TEST(t[i].in, ret == t[i].reply && same(&b, t[i].want));
		buf_free(&b);
	}
}

#define HTML	"Content-Type: text/html\r\n\r\n"

static void
previews(void)
{
	static const struct {
		const char	*name, *in, *want;
	} t[] = {
		{ "plain", "A: b\r\n\r\nHello,\r\n\r\n  world\t!\r\n",
		    "Hello, world !" },
		{ "empty", "A: b\r\n\r\n", "" },
		{ "qp", "Content-Type: text/plain; charset=iso-8859-1\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		    "caf=E9=\r\n s\r\n", "caf\303\251 s" },
		{ "not utf-8", "A: b\r\n\r\nx\377y\r\n", "x\357\277\275y" },
		{ "html", HTML "<html><head><title>no</title><style>p {}"
		    "</style></head><body><p>Hi&nbsp;&amp;&#33;<br>you</p>",
		    "Hi &! you" },
		{ "html broken", HTML "a<b", "a" },
		{ "html comment", HTML "a<!-- <b> -->c&d;e&#xx;f&",
		    "a c&d;e f&" },
		{ "html script", HTML "<SCRIPT>a</Script>b<script>c", "b" },
		{ "plain wins", "Content-Type: multipart/alternative; "
		    "boundary=x\r\n\r\n--x\r\n" HTML "html\r\n--x\r\n"
		    "Content-Type: text/plain\r\n\r\nplain\r\n--x--\r\n",
		    "plain" },
		{ "attachment", "Content-Type: multipart/mixed; boundary=x"
		    "\r\n\r\n--x\r\nContent-Disposition: attachment\r\n\r\n"
		    "no\r\n--x\r\n\r\nyes\r\n--x--\r\n", "yes" },
		{ "no text", "Content-Type: image/png\r\n\r\nabc", "" }
	};
	struct mime_tree tree;
	struct buf b;
	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		buf_init(&b, 1024);
		TEST(t[i].name, mime_tree_parse(&tree, t[i].in,
		    strlen(t[i].in)) == 0 && mime_preview(&tree, &b) == 0 &&
		    same(&b, t[i].want));
		mime_tree_free(&tree);
		buf_free(&b);
	}
}

static void
bounded(void)
{
	static char big[1 << 20];
	struct mime_tree tree;
	struct buf b;

	memset(big, 'a', sizeof(big));
	memcpy(big, "A: b\r\n\r\n", 8);
	buf_init(&b, 1024);
	TEST("200 characters", mime_tree_parse(&tree, big, sizeof(big)) == 0 &&
	    mime_preview(&tree, &b) == 0 &&
	    buf_len(&b) == MIME_PREVIEW_CHARS);
	mime_tree_free(&tree);
	buf_free(&b);
}

int
main(void)
{
	subjects();
	previews();
	bounded();
	TEST_DONE();
}
