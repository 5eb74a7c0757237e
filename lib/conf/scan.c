/*
 * scan: mail.conf from bytes to tokens.
 *
 * The text comes from files that only root or ourselves may write, or from
 * the parent; still every bound holds for any bytes.  Each byte is read once;
 * the value of a macro once more for each use.
 *
 * A word is a keyword unless it is quoted, stands in a list, is assigned to,
 * or follows one of the words that a name must follow.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/parse.h"
#include "conf/scan.h"

#define WORD_MAX_LEN	16384		/* bytes of a word */

/* After these stands one word of the user's, even if we know it too. */
static const int word_follows[] = {
	'=', '<', ALIAS, ARCHIVE, AS, BANNER, CATCHALL, CERT, FILENAME, FILTER,
	FORWARD, HOSTNAME, INCLUDE, KEY, LDAP, MAILDIR, MBOX, NETWORK, ORIGIN,
	PGSQL, PIPE, PORT, POSTMASTER, QUERY, SELECTOR, SPOOL, SQLITE, STATE,
	TABLE, TAG, VIA,
};

static int
told(const struct lex *lx)
{
	return (lx->bad_pos.file == lx->pos.file &&
	    lx->bad_pos.line == lx->pos.line);
}

/* Once a line is enough. */
int
scan_bad(struct lex *lx, const char *what)
{
	if (!told(lx))
		report_error(lx->report, &lx->pos, "%s", what);
	lx->bad_pos = lx->pos;
	lx->quiet = 1;
	return (BAD);
}

static int
make_word(struct lex *lx, struct word **word, const char *s, size_t len)
{
	struct word *w;

	if ((w = arena_get(lx->arena, sizeof(*w))) == NULL ||
	    (w->s = arena_text(lx->arena, s, len)) == NULL)
		return (scan_bad(lx, "out of memory; free some"));
	w->pos = lx->pos;
	lx->text = w->s;
	*word = w;
	return (STRING);
}

/* "text", where \" and \\ mean the second character. */
static int
scan_quoted(struct lex *lx, struct word **word)
{
	char text[WORD_MAX_LEN];
	size_t len = 0;
	int c;

	(void)input_get(lx->in);
	for (;;) {
		c = input_peek(lx->in);
		if (c == INPUT_END || c == '\n')
			return (scan_bad(lx, "the quote is never closed; add "
			    "a \" on this line"));
		(void)input_get(lx->in);
		if (c == '"')
			break;
		if (c == '\\' && (input_peek(lx->in) == '"' ||
		    input_peek(lx->in) == '\\'))
			c = input_get(lx->in);
		if (c < ' ' || c == 0x7f)
			return (scan_bad(lx, "control character; remove it"));
		if (len == sizeof(text))
			return (scan_bad(lx, "the word is too long; "
			    "shorten it"));
		text[len++] = (char)c;
	}
	return (make_word(lx, word, text, len));
}

static int
is_mark(int c)
{
	return (c > 0 && strchr("\n,{}<>=", c) != NULL);
}

static int
ends_word(const struct lex *lx)
{
	int c = input_peek(lx->in);

	return (c == INPUT_END || is_mark(c) || c == ' ' || c == '\t' ||
	    c == '#' || c == '"' || (c == '\r' &&
	    input_begins(lx->in, "\r\n")));
}

/* The name behind a '$', which is taken; its value or NULL: reported. */
static const char *
scan_macro(struct lex *lx)
{
	char name[64];
	const char *value;
	size_t len = 0;

	(void)input_get(lx->in);
	if (input_is_macro(lx->in)) {
		(void)scan_bad(lx, "the value of a macro names another macro; "
		    "write its value in place");
		return (NULL);
	}
	while (macro_name_char(input_peek(lx->in)) && len < sizeof(name) - 1)
		name[len++] = (char)input_get(lx->in);
	name[len] = '\0';
	if ((value = macro_use(lx->macros, name)) != NULL)
		return (value);
	report_error(lx->report, &lx->pos, "macro \"%s\" is not defined; "
	    "define it above: %s = \"value\"", name, len > 0 ? name : "name");
	lx->quiet = 1;
	return (NULL);
}

static int
follows(const struct lex *lx)
{
	size_t i;

	for (i = 0; i < sizeof(word_follows) / sizeof(word_follows[0]); i++)
		if (lx->prev == word_follows[i])
			return (1);
	return (0);
}

/*
 * A macro alone is read as if its value stood in the file.  Where exactly one
 * word must stand, the value is that word, unless it is quoted itself.
 */
static int
stands_alone(const struct lex *lx, size_t len, const char *value)
{
	if (len > 0 || !ends_word(lx))
		return (0);
	return (!follows(lx) || *value == '\0' ||
	    strchr("{<\"", *value) != NULL);
}

/* A bare word; *macro is set if it is nothing but a macro to be read. */
static int
scan_word(struct lex *lx, struct word **word, const char **macro)
{
	char text[WORD_MAX_LEN], one;
	const char *piece;
	size_t len = 0, n;
	int token, start = lx->prev == '\n';

	while (!ends_word(lx)) {
		piece = &one;
		n = 1;
		if (input_peek(lx->in) == '$') {
			if ((piece = scan_macro(lx)) == NULL)
				return (BAD);
			if (stands_alone(lx, len, piece)) {
				*macro = piece;
				return (0);
			}
			n = strlen(piece);
		} else {
			one = (char)input_get(lx->in);
			if ((unsigned char)one < ' ' || one == 0x7f)
				return (scan_bad(lx, "control character; "
				    "remove it"));
		}
		if (n > sizeof(text) - len)
			return (scan_bad(lx, "the word is too long; "
			    "shorten it"));
		memcpy(text + len, piece, n);
		len += n;
	}
	token = make_word(lx, word, text, len);
	if (token == STRING && !lx->list && !follows(lx) &&
	    !(start && input_assigns(lx->in)))
		token = lex_keyword((*word)->s);
	return (token);
}

static void
skip_blanks(struct lex *lx)
{
	int c;

	while ((c = input_peek(lx->in)) == ' ' || c == '\t' || c == '#' ||
	    (c == '\r' && input_begins(lx->in, "\r\n"))) {
		(void)input_get(lx->in);
		if (c != '#')
			continue;
		while ((c = input_peek(lx->in)) != INPUT_END && c != '\n')
			(void)input_get(lx->in);
	}
}

/* Close for the parser what the file left open, then end it. */
static int
scan_end(struct lex *lx)
{
	lx->text = "the end of the file";
	if (lx->list || (lx->block && lx->prev == '\n')) {
		lx->text = "}";
		report_error(lx->report, lx->list ? &lx->list_pos :
		    &lx->block_pos, "this { is never closed; add a }");
		return ('}');
	}
	if (lx->prev != '\n')
		return ('\n');
	if (input_pop(lx->in) == 0)
		return (INPUT_END);
	return (0);
}

/*
 * Commas and newlines between items are one and the same; INPUT_END stands
 * for one that says nothing.
 */
static int
scan_mark(struct lex *lx, int c)
{
	static const char *const texts[] = { "{", "}", ",", "<", ">", "=" };
	size_t i;

	(void)input_get(lx->in);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (c == *texts[i])
			lx->text = texts[i];
	if (!lx->list || (c != '\n' && c != ','))
		return (c);
	if (lx->prev == ',' || lx->prev == '{')
		return (INPUT_END);
	return (',');
}

/* INPUT_END: nothing yet, go on. */
static int
scan_some(struct lex *lx, struct word **word, int c)
{
	const char *macro = NULL;
	int token;

	if (c == INPUT_END) {
		if (!input_is_macro(lx->in))
			return (scan_end(lx));
		(void)input_pop(lx->in);
		return (INPUT_END);
	}
	if (c == '"')
		return (scan_quoted(lx, word));
	if (is_mark(c))
		return (scan_mark(lx, c));
	token = scan_word(lx, word, &macro);
	if (macro == NULL)
		return (token);
	if (input_macro(lx->in, macro, &lx->pos) == 0)
		return (INPUT_END);
	lx->quiet = 1;
	return (BAD);
}

int
scan_token(struct lex *lx, struct word **word)
{
	int token;

	do {
		skip_blanks(lx);
		lx->pos = input_pos(lx->in);
		lx->text = "";
		token = scan_some(lx, word, input_peek(lx->in));
	} while (token == INPUT_END);
	return (token);
}
