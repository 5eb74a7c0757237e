/*
 * tree: parts and their offsets, boundaries, ENVELOPE and BODYSTRUCTURE,
 * search in decoded text.
 */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "mime/match.h"
#include "mime/structure.h"
#include "mime/tree.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define MP(b)							\
	"Content-Type: multipart/mixed; boundary=\"" b "\"\r\n\r\n"

/* Bodies of the parts in the order of the tree, with | between. */
static const struct {
	const char *name, *text, *want;
} bodies[] = {
	{ "plain", "A: b\r\n\r\nbody\r\n", "body\r\n" },
	{ "no body", "A: b\r\n", "" },
	{ "no header", "\r\nbody", "body" },
	{ "two parts", MP("x") "pre\r\n--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n"
	    "--x--\r\nepi", "*|one|two" },
	{ "lf", "Content-Type: multipart/mixed; boundary=x\n\n--x\n\none\n"
	    "--x\n\ntwo\n\n--x--\n", "*|one|two\n" },
	{ "not closed", MP("x") "--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n",
	    "*|one|two\r\n" },
	{ "blanks behind", MP("x") "--x  \t\r\n\r\none\r\n--x-- \r\n",
	    "*|one" },
	{ "only begins with it", MP("x")
	    "--x\r\n\r\none\r\n--xy\r\n\r\nmore\r\n"
	    "--x--\r\n",
	    "*|one\r\n--xy\r\n\r\nmore" },
	{ "empty part", MP("x") "--x\r\n\r\n--x\r\n\r\n\r\n--x--", "*||" },
	{ "boundary in header", MP("x")
	    "--x\r\nA: b\r\n--x\r\n\r\ntwo\r\n--x--",
	    "*||two" },
	{ "inner begins like outer", MP("x") "--x\r\n" MP("xy")
	    "--xy\r\n\r\nin\r\n--xy--\r\n--x\r\n\r\nout\r\n--x--\r\n",
	    "*|*|in|out" },
	{ "outer begins like inner", MP("xy") "--xy\r\n" MP("x")
	    "--x\r\n\r\nin\r\n--xy\r\n\r\nout\r\n--xy--\r\n", "*|*|in|out" },
	{ "outer ends inner", MP("o") "--o\r\n" MP("i") "--i\r\n\r\nin\r\n"
	    "--o--\r\nepi\r\n--i\r\n\r\nlate\r\n", "*|*|in" },
	{ "same boundary", MP("x") "--x\r\n" MP("x")
	    "--x\r\n\r\none\r\n--x--\r\n"
	    "\r\n--x\r\n\r\ntwo\r\n--x--\r\n", "*|*|one|two" },
	{ "boundary ends in --", MP("x--") "--x--\r\n\r\none\r\n--x----\r\n",
	    "*|one" },
	{ "no boundary", "Content-Type: multipart/mixed\r\n\r\nbody",
	    "body" },
	{ "message", "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nin",
	    "*|in" },
	{ "digest", "Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n"
	    "\r\nA: b\r\n\r\nin\r\n--x--\r\n", "*|*|in" },
	{ "dashes", MP("x") "--\r\n---\r\n--x\r\n\r\n--\r\n--x--", "*|--" }
};

static void
show_bodies(const struct mime_tree *t, char *out, size_t size)
{
	const struct mime_part *p;
	size_t n = 0;
	uint32_t i;

	out[0] = '\0';
	for (i = 0; i < t->n && n < size; i++) {
		p = &t->part[i];
		n += (size_t)snprintf(out + n, size - n, "%s%.*s",
		    i > 0 ? "|" : "",
		    p->kind == MIME_LEAF ? (int)(p->end - p->body) : 1,
		    p->kind == MIME_LEAF ? t->text + p->body : "*");
	}
}

static const char nested[] =
    "From: Al <al@example.org>\r\n"
    "To: \"Bo, B\" <bo@example.org>, group: c@d;\r\n"
    "Subject: =?utf-8?q?caf=C3=A9?=\r\n"
    "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
    "Message-ID: <1@example.org>\r\n"
    "Content-Type: multipart/mixed; boundary=a\r\n"
    "\r\n"
    "--a\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "caf=C3=A9 and=\r\n"
    " more\r\n"
    "--a\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: inner\r\n"
    "Content-Type: multipart/alternative; boundary=b\r\n"
    "\r\n"
    "--b\r\n"
    "\r\n"
    "alt one\r\n"
    "--b\r\n"
    "Content-Type: text/html\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "PGI+SGVsbG88L2I+\r\n"
    "--b--\r\n"
    "--a\r\n"
    "Content-Type: image/png; name=x.png\r\n"
    "Content-Disposition: attachment; filename=\"x.png\"\r\n"
    "Content-ID: <id1>\r\n"
    "Content-Language: en, de\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "AAAA\r\n"
    "--a--\r\n";

static const char nested_body[] =
    "((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL "
    "\"quoted-printable\" 21 1)"
    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 173 "
    "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
    "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 7 0)"
    "(\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"base64\" 16 0)"
    " \"alternative\") 11)"
    "(\"image\" \"png\" (\"name\" \"x.png\") \"<id1>\" NIL \"base64\" 4)"
    " \"mixed\")";

static const char nested_envelope[] =
    "(\"Fri, 21 Nov 1997 09:55:06 -0600\" \"=?utf-8?q?caf=C3=A9?=\" "
    "((\"Al\" NIL \"al\" \"example.org\")) "
    "((\"Al\" NIL \"al\" \"example.org\")) "
    "((\"Al\" NIL \"al\" \"example.org\")) "
    "((\"Bo, B\" NIL \"bo\" \"example.org\")(NIL NIL \"group\" NIL)"
    "(NIL NIL \"c\" \"d\")(NIL NIL NIL NIL)) NIL NIL NIL "
    "\"<1@example.org>\")";

static const char leaf_structure[] =
    "(\"image\" \"png\" (\"name\" \"x.png\") \"<id1>\" NIL \"base64\" 4 NIL "
    "(\"attachment\" (\"filename\" \"x.png\")) (\"en\" \"de\") NIL)";

static void
written(struct buf *b, const char *name, const char *want)
{
	if (buf_add(b, "", 1) == -1)
		return;
	TEST_STR(name, buf_data(b), want);
	buf_free(b);
}

static void
structures(void)
{
	struct mime_tree t;
	struct buf b;
	char *at;

	if (mime_tree_parse(&t, nested, sizeof(nested) - 1) == -1)
		return;
	buf_init(&b, 65536);
	TEST("writes body", mime_write_structure(&b, &t, 0) == 0);
	written(&b, "body", nested_body);
	TEST("writes envelope", mime_write_envelope(&b, nested,
	    t.part[0].body) == 0);
	written(&b, "envelope", nested_envelope);
	TEST("writes structure", mime_write_structure(&b, &t, 1) == 0 &&
	    buf_add(&b, "", 1) == 0);
	at = strstr(buf_data(&b), "(\"image\"");
	TEST("structure", at != NULL && strncmp(at, leaf_structure,
	    sizeof(leaf_structure) - 1) == 0);
	buf_free(&b);
	buf_init(&b, 100);
	TEST("bounded", mime_write_structure(&b, &t, 1) == -1);
	buf_free(&b);
	mime_tree_free(&t);
}

static void
numbers(void)
{
	static const struct {
		const char *name;
		uint32_t v[4];
		size_t n;
		const char *begins;	/* of the body; NULL: no such part */
	} t[] = {
		{ "1", { 1 }, 1, "caf=C3" },
		{ "2", { 2 }, 1, "Subject: inner" },
		{ "2.1", { 2, 1 }, 2, "alt one" },
		{ "2.2", { 2, 2 }, 2, "PGI+" },
		{ "3", { 3 }, 1, "AAAA" },
		{ "4", { 4 }, 1, NULL },
		{ "1.1", { 1, 1 }, 2, NULL },
		{ "2.3", { 2, 3 }, 2, NULL },
		{ "2.1.1", { 2, 1, 1 }, 3, NULL }
	};
	struct mime_tree tree;
	size_t i;
	long part;

	if (mime_tree_parse(&tree, nested, sizeof(nested) - 1) == -1)
		return;
	for (i = 0; i < COUNT(t); i++) {
		part = mime_tree_find(&tree, t[i].v, t[i].n);
		TEST(t[i].name, t[i].begins == NULL ? part == -1 :
		    part != -1 && strncmp(nested + tree.part[part].body,
		    t[i].begins, strlen(t[i].begins)) == 0);
	}
	mime_tree_free(&tree);
}

static void
matching(void)
{
	static const struct {
		const char *needle;
		int text, body, subject;
	} t[] = {
		{ "caf\303\251", 1, 1, 1 },
		{ "CAF\303\211", 1, 1, 1 },
		{ "and more", 1, 1, 0 },
		{ "<b>hello", 1, 1, 0 },
		{ "PGI+", 0, 0, 0 },
		{ "al@example", 1, 0, 0 },
		{ "inner", 1, 1, 0 },
		{ "nowhere", 0, 0, 0 },
		{ "", 1, 1, 1 }
	};
	struct mime_needle n;
	struct mime_tree tree;
	size_t i;

	if (mime_tree_parse(&tree, nested, sizeof(nested) - 1) == -1)
		return;
	for (i = 0; i < COUNT(t); i++) {
		if (mime_needle_init(&n, t[i].needle, strlen(t[i].needle),
		    CHARSET_UTF8) == -1)
			continue;
		TEST("match text", mime_match_text(&n, &tree, 1) ==
		    t[i].text);
		TEST("match body", mime_match_text(&n, &tree, 0) ==
		    t[i].body);
		TEST("match subject", mime_match_header(&n, nested,
		    tree.part[0].body, "SUBJECT", 7) == t[i].subject);
		mime_needle_free(&n);
	}
	mime_tree_free(&tree);
}

/* A needle that lies across the chunks in which text is decoded. */
static void
across(void)
{
	size_t len = 70000, at;
	struct mime_needle n;
	struct mime_tree t;
	char *text;
	int ok = 1;

	if ((text = malloc(len)) == NULL ||
	    mime_needle_init(&n, "n\303\204edle", 7, CHARSET_UTF8) == -1)
		return;
	for (at = 8180; at < 8200 && ok; at++) {
		memset(text, 'x', len);
		memcpy(text, "\r\n", 2);
		memcpy(text + at, "N\303\244EDLE", 7);
		ok = mime_tree_parse(&t, text, len) == 0 &&
		    mime_match_text(&n, &t, 0) == 1;
		mime_tree_free(&t);
	}
	TEST("across chunks", ok);
	mime_needle_free(&n);
	free(text);
}

int
main(void)
{
	struct mime_tree t;
	char got[512];
	size_t i;

	for (i = 0; i < COUNT(bodies); i++) {
		if (mime_tree_parse(&t, bodies[i].text,
		    strlen(bodies[i].text)) == -1)
			continue;
		show_bodies(&t, got, sizeof(got));
		mime_tree_free(&t);
		TEST_STR(bodies[i].name, got, bodies[i].want);
	}
	structures();
	numbers();
	matching();
	across();
	TEST_DONE();
}
