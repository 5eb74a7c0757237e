/*
 * bombs: messages made to take time or memory.  Each must be dealt with in a
 * time that is far beyond what linear work takes, and far below the rest.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../test.h"
#include "mime/address.h"
#include "mime/header.h"
#include "mime/match.h"
#include "mime/structure.h"
#include "mime/tree.h"

#define SECONDS		5.0
#define TEXT_MAX	(64u << 20)
#define OUT_MAX		(16u << 20)

static char *text;
static size_t len;

static void
add(const char *s)
{
	size_t n = strlen(s);

	if (n > TEXT_MAX - len)
		return;
	memcpy(text + len, s, n);
	len += n;
}

static void
add_numbered(const char *fmt_a, unsigned int i, const char *b)
{
	char line[64];

	snprintf(line, sizeof(line), "%s%u", fmt_a, i);
	add(line);
	add(b);
}

/* All that a FETCH and a SEARCH would do to it. */
static void
run(const char *name, uint32_t parts_max)
{
	struct mime_needle n;
	struct mime_tree t;
	struct buf b;
	clock_t start = clock();
	int ok;

	if (mime_needle_init(&n, "nowhere", 7, CHARSET_UTF8) == -1)
		return;
	ok = mime_tree_parse(&t, text, len) == 0 && t.n <= parts_max;
	buf_init(&b, OUT_MAX);
	(void)mime_write_envelope(&b, text, mime_header_length(text, len));
	buf_free(&b);
	(void)mime_write_structure(&b, &t, 1);
	buf_free(&b);
	(void)mime_match_text(&n, &t, 1);
	mime_tree_free(&t);
	mime_needle_free(&n);
	TEST(name, ok &&
	    (double)(clock() - start) / CLOCKS_PER_SEC < SECONDS);
	len = 0;
}

static void
headers(void)
{
	unsigned int i;

	for (i = 0; i < 100000; i++)
		add_numbered("X-Header-", i, ": value\r\n");
	add("\r\nbody\r\n");
	run("100k headers", 1);
	for (i = 0; i < 100000; i++)
		add_numbered("To: user", i, "@example.org\r\n");
	run("100k To", 1);
	add("To: ");
	for (i = 0; i < 500000; i++)
		add_numbered("u", i, "@example.org,\r\n ");
	add("\r\n\r\n");
	run("500k addresses", 1);
	add("Subject: ");
	memset(text + len, 'x', 50u << 20);
	len += 50u << 20;
	add("\r\n\r\nbody");
	run("50 MB header", 1);
	add("Subject: ");
	for (i = 0; i < 300000; i++)
		add("=?utf-8?q?");
	add("\r\n\r\nbody");
	run("words that do not end", 1);
	add("From: ");
	for (i = 0; i < 1000000; i++)
		add("(");
	add("\\");
	run("1M open comments", 1);
	add("From: ");
	for (i = 0; i < 1000000; i++)
		add("<");
	run("1M brackets", 1);
	for (i = 0; i < 2000000; i++)
		add("x\r\n");
	run("lines that are no fields", 1);
}

static void
parameters(void)
{
	unsigned int i;

	add("Content-Type: text/plain");
	for (i = 0; i < 100000; i++)
		add_numbered("; p", i, "=v");
	add("\r\n\r\nbody");
	run("100k parameters", 1);
	add("Content-Type: text/plain");
	for (i = 0; i < 100000; i++)
		add_numbered("; p*", i, "*=%20");
	add("\r\n\r\nbody");
	run("100k pieces", 1);
	add("Content-Type: text/plain");
	for (i = 100000; i > 0; i--)
		add_numbered("; p*", i - 1, "=v");
	add("\r\n\r\nbody");
	run("100k pieces backwards", 1);
}

static void
parts(void)
{
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		add("Content-Type: multipart/mixed; boundary=b");
		add_numbered("", i, "\r\n\r\n");
		add_numbered("--b", i, "\r\n");
	}
	run("10k multiparts in each other", MIME_DEPTH_MAX);
	for (i = 0; i < 10000; i++)
		add("Content-Type: message/rfc822\r\n\r\n");
	run("10k messages in each other", MIME_DEPTH_MAX);
	add("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (i = 0; i < 100000; i++)
		add("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n");
	add("--b--\r\n");
	run("100k parts", MIME_PARTS_MAX);
	add("Content-Type: multipart/digest; boundary=b\r\n\r\n");
	for (i = 0; i < 100000; i++)
		add("--b\r\n\r\nSubject: x\r\n\r\nx\r\n");
	run("100k messages", MIME_PARTS_MAX);
	add("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (i = 0; i < 1000000; i++)
		add("--b--\r\n");
	run("1M ends", MIME_PARTS_MAX);
}

/* Boundaries of 70 bytes that are all alike but for their ends. */
static void
alike(void)
{
	char fill[70];
	unsigned int i;

	memset(fill, 'x', sizeof(fill) - 1);
	fill[sizeof(fill) - 1] = '\0';
	for (i = 0; i < MIME_DEPTH_MAX; i++) {
		add("Content-Type: multipart/mixed; boundary=\"");
		add(fill);
		add_numbered("", i, "\"\r\n\r\n--");
		add(fill);
		add_numbered("", i, "\r\n");
	}
	while (len < 20u << 20) {
		add("--");
		add(fill);
		add("zz\r\n");
	}
	run("boundaries alike", MIME_DEPTH_MAX);
}

static void
nuls(void)
{
	struct mime_addresses l;

	memset(text, 0, 1u << 20);
	len = 1u << 20;
	run("NULs", 1);
	memset(text, 0, 1u << 20);
	TEST("NUL addresses", mime_addresses_parse(&l, text, 1u << 20) == 0 &&
	    l.n == 0);
	mime_addresses_free(&l);
}

int
main(void)
{
	if ((text = malloc(TEXT_MAX)) == NULL)
		return (1);
	headers();
	parameters();
	parts();
	alike();
	nuls();
	free(text);
	TEST_DONE();
}
