/*
 * lex: mail.conf as tokens, with macros and included files put in place.
 *
 * This file has the keywords and knows in which statement and within which
 * braces the reader is, so that one mistake is told once and the next
 * statement is read as if there had been none.  scan.c makes tokens of bytes.
 * Files are opened only in the mode LEX_FILES.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/lex.h"
#include "conf/parse.h"
#include "conf/scan.h"
#include "conf/usage.h"

/* In the order of strcmp(3): it is searched by halves. */
static const struct keyword {
	const char	*name;
	int		 token;
} keywords[] = {
	{ "accept", ACCEPT },
	{ "address", ADDRESS },
	{ "after", AFTER },
	{ "alias", ALIAS },
	{ "aliases", ALIASES },
	{ "any", ANY },
	{ "archive", ARCHIVE },
	{ "as", AS },
	{ "auth", AUTH },
	{ "authenticated", AUTHENTICATED },
	{ "banner", BANNER },
	{ "bounce", BOUNCE },
	{ "catchall", CATCHALL },
	{ "cert", CERT },
	{ "check", CHECK },
	{ "client", CLIENT },
	{ "command", COMMAND },
	{ "commands", COMMANDS },
	{ "delay", DELAY },
	{ "deliver", DELIVER },
	{ "dkim", DKIM },
	{ "dmarc", DMARC },
	{ "dnsbl", DNSBL },
	{ "domain", DOMAIN },
	{ "errors", ERRORS },
	{ "every", EVERY },
	{ "expect", EXPECT },
	{ "expire", EXPIRE },
	{ "failure", FAILURE },
	{ "fetch", FETCH },
	{ "file", FILENAME },
	{ "filter", FILTER },
	{ "forward", FORWARD },
	{ "from", FROM },
	{ "full", FULL },
	{ "group", GROUP },
	{ "helo", HELO },
	{ "hide", HIDE },
	{ "hostname", HOSTNAME },
	{ "imap", IMAP },
	{ "imaps", IMAPS },
	{ "include", INCLUDE },
	{ "json", JSON },
	{ "key", KEY },
	{ "ldap", LDAP },
	{ "lenient", LENIENT },
	{ "lifetime", LIFETIME },
	{ "limit", LIMIT },
	{ "listen", LISTEN },
	{ "lmtp", LMTP },
	{ "local", LOCAL },
	{ "log", LOG },
	{ "login", LOGIN },
	{ "mailbox", MAILBOX },
	{ "maildir", MAILDIR },
	{ "malformed", MALFORMED },
	{ "mark", MARK },
	{ "masquerade", MASQUERADE },
	{ "mbox", MBOX },
	{ "memory", MEMORY },
	{ "message", MESSAGE },
	{ "messages", MESSAGES },
	{ "milter", MILTER },
	{ "network", NETWORK },
	{ "no", NO },
	{ "on", ON },
	{ "origin", ORIGIN },
	{ "ours", OURS },
	{ "per", PER },
	{ "permit", PERMIT },
	{ "pgsql", PGSQL },
	{ "pipe", PIPE },
	{ "plaintext", PLAINTEXT },
	{ "pop3", POP3 },
	{ "pop3s", POP3S },
	{ "port", PORT },
	{ "postmaster", POSTMASTER },
	{ "pregreet", PREGREET },
	{ "proxy", PROXY },
	{ "query", QUERY },
	{ "queue", QUEUE },
	{ "quota", QUOTA },
	{ "rate", RATE },
	{ "rdns", RDNS },
	{ "recipient", RECIPIENT },
	{ "recipients", RECIPIENTS },
	{ "reject", REJECT },
	{ "relay", RELAY },
	{ "require", REQUIRE },
	{ "retry", RETRY },
	{ "sandbox", SANDBOX },
	{ "scram", SCRAM },
	{ "selector", SELECTOR },
	{ "sender", SENDER },
	{ "session", SESSION },
	{ "sessions", SESSIONS },
	{ "sieve", SIEVE },
	{ "sign", SIGN },
	{ "smtp", SMTP },
	{ "smtps", SMTPS },
	{ "source", SOURCE },
	{ "special", SPECIAL },
	{ "spf", SPF },
	{ "spool", SPOOL },
	{ "sqlite", SQLITE },
	{ "state", STATE },
	{ "stderr", STDERR },
	{ "submission", SUBMISSION },
	{ "syslog", SYSLOG },
	{ "system", SYSTEM },
	{ "table", TABLE },
	{ "tag", TAG },
	{ "tempfail", TEMPFAIL },
	{ "test", TEST },
	{ "time", TIME },
	{ "tls", TLS },
	{ "to", TO },
	{ "uidl", UIDL },
	{ "unknown", UNKNOWN },
	{ "unsafe", UNSAFE },
	{ "user", USER },
	{ "users", USERS },
	{ "verify", VERIFY },
	{ "via", VIA },
	{ "warn", WARN },
};


/* Life and death, and what the parser asks for. */

struct lex *
lex_new(enum lex_mode mode, struct report *report, struct conf_words *files)
{
	struct lex *lx;

	if ((lx = calloc(1, sizeof(*lx))) == NULL)
		return (NULL);
	lx->mode = mode;
	lx->report = report;
	lx->prev = '\n';
	if ((lx->arena = arena_new()) == NULL ||
	    (lx->in = input_new(report, files)) == NULL ||
	    (lx->macros = macro_new(report)) == NULL) {
		lex_free(lx);
		return (NULL);
	}
	return (lx);
}

void
lex_free(struct lex *lx)
{
	if (lx == NULL)
		return;
	macro_free(lx->macros);
	input_free(lx->in);
	arena_free(lx->arena);
	free(lx);
}

int
lex_open(struct lex *lx, const char *path)
{
	struct conf_pos pos = { .file = path, .line = 1, .col = 1 };

	return (input_file(lx->in, path, &pos));
}

int
lex_text(struct lex *lx, const char *text, size_t len)
{
	return (input_text(lx->in, text, len));
}

void
lex_preset(struct lex *lx, const char *name, const char *value)
{
	macro_preset(lx->macros, name, value);
}

void
lex_define(struct lex *lx, const struct word *name, const struct word *value)
{
	macro_define(lx->macros, &name->pos, name->s, value->s);
}

void
lex_include(struct lex *lx, const struct word *path)
{
	if (lx->mode == LEX_FILES)
		(void)input_file(lx->in, path->s, &path->pos);
	else
		report_error(lx->report, &path->pos, "a text cannot include "
		    "files; put the statements in place");
}

static void *
piece(struct lex *lx, size_t size)
{
	void *p;

	if ((p = arena_get(lx->arena, size)) == NULL)
		(void)scan_bad(lx, "out of memory; free some");
	return (p);
}

struct list *
lex_list(struct lex *lx, struct list *list, struct word *key,
    struct word *value)
{
	struct item *item;

	if (list == NULL && (list = piece(lx, sizeof(*list))) == NULL)
		return (NULL);
	if (key == NULL)
		return (list);
	if ((item = piece(lx, sizeof(*item))) == NULL)
		return (NULL);
	item->key = key;
	item->value = value;
	if (list->last == NULL)
		list->first = item;
	else
		list->last->next = item;
	list->last = item;
	list->n++;
	return (list);
}

struct set *
lex_set(struct lex *lx, struct list *list, struct word *table)
{
	struct set *set;

	if ((set = piece(lx, sizeof(*set))) == NULL)
		return (NULL);
	set->list = list;
	set->table = table;
	return (set);
}

struct conf_pos
lex_pos(const struct lex *lx)
{
	return (lx->start);
}

int
lex_is_broken(const struct lex *lx, const char *name)
{
	size_t i;

	for (i = 0; i < lx->nbroken; i++)
		if (strcmp(lx->broken[i], name) == 0)
			return (1);
	return (lx->nbroken == BROKEN_MAX);
}

void
lex_check_unused(struct lex *lx)
{
	macro_check_unused(lx->macros);
}

static int
keyword_order(const void *name, const void *keyword)
{
	return (strcmp(name, ((const struct keyword *)keyword)->name));
}

int
lex_keyword(const char *s)
{
	const struct keyword *k;

	k = bsearch(s, keywords, sizeof(keywords) / sizeof(keywords[0]),
	    sizeof(keywords[0]), keyword_order);
	return (k != NULL ? k->token : STRING);
}

/* What the parser sees. */

/* A statement of the top level shows that a block was left open. */
static int
leaves_block(const struct lex *lx, int token)
{
	return (lx->block && !lx->list && usage_statement(token) != NULL &&
	    usage_domain(token) == NULL &&
	    (lx->prev == '\n' || lx->prev == '{'));
}

/* Keep in mind which statement we are in, and within which braces. */
static void
track(struct lex *lx, int token)
{
	if (lx->prev == '\n' || (lx->prev == '{' && lx->block && !lx->list)) {
		lx->start = lx->pos;
		lx->first = lx->text;
		lx->naming = NULL;
		if (lx->block)
			lx->inner = token;
		else
			lx->statement = token;
	} else if (lx->prev == lx->statement && !lx->block &&
	    (lx->prev == TABLE || lx->prev == NETWORK || lx->prev == TLS))
		lx->naming = lx->text;
	if (token == '=' && lx->prev == STRING && !lx->list && !lx->block)
		lx->statement = '=';
	if (token == '{') {
		if (lx->statement == DOMAIN && !lx->block &&
		    lx->prev != DOMAIN) {
			lx->block = 1;
			lx->block_pos = lx->pos;
			lx->inner = 0;
		} else {
			lx->list = 1;
			lx->list_pos = lx->pos;
		}
	} else if (token == '}') {
		if (lx->list)
			lx->list = 0;
		else
			lx->block = 0;
	}
	lx->prev = token;
}

int
lex_next(struct lex *lx, struct word **word)
{
	struct input_mark mark;
	int token;

	lx->quiet = 0;
	if (lx->line_owed) {
		lx->line_owed = 0;
		lx->prev = '\n';
		return ('\n');
	}
	mark = input_mark(lx->in);
	token = scan_token(lx, word);
	if (token == '{' && lx->list)
		token = scan_bad(lx, "a list cannot hold a list; close it "
		    "with } first");
	if (leaves_block(lx, token) && !input_is_macro(lx->in)) {
		report_error(lx->report, &lx->pos, "\"%s\" cannot stand in a "
		    "domain; close the { of line %u before it", lx->text,
		    lx->block_pos.line);
		input_back(lx->in, mark);
		lx->line_owed = 1;
		token = '}';
	}
	track(lx, token);
	return (token);
}

/*
 * After an error in a list, go on behind its end, or, should that be missing,
 * before the next line that begins with a statement.
 */
static void
skip_list(struct lex *lx)
{
	struct input_mark mark;
	char first[16];
	size_t i;
	int c;

	while (input_is_macro(lx->in))
		(void)input_pop(lx->in);
	while ((c = input_peek(lx->in)) != INPUT_END) {
		mark = input_mark(lx->in);
		(void)input_get(lx->in);
		if (c == '}')
			break;
		if (c != '\n')
			continue;
		for (i = 0; i < sizeof(first) - 1; i++) {
			c = input_peek(lx->in);
			if (!macro_name_char(c))
				break;
			first[i] = (char)input_get(lx->in);
		}
		first[i] = '\0';
		if (usage_statement(lex_keyword(first)) != NULL) {
			input_back(lx->in, mark);
			break;
		}
	}
	lx->list = 0;
	lx->prev = '}';
}

static void
tell_error(struct lex *lx)
{
	const char *form, *what = lx->prev == '\n' ? "the end of the line" :
	    lx->text;
	const char *q = lx->prev == '\n' ? "" : "\"";

	form = lx->block ? usage_domain(lx->inner) :
	    usage_statement(lx->statement);
	if (form != NULL)
		report_error(lx->report, &lx->pos, "%s%s%s is not expected "
		    "here; write: %s", q, what, q, form);
	else if (lx->block)
		report_error(lx->report, &lx->start, "\"%s\" is no statement "
		    "of a domain; mail.conf(5) has them all", lx->first);
	else
		report_error(lx->report, &lx->start, "\"%s\" is no "
		    "statement; mail.conf(5) has them all", lx->first);
}

void
lex_error(struct lex *lx)
{
	if (!lx->quiet)
		tell_error(lx);
	lx->quiet = 0;
	if (lx->naming != NULL && lx->nbroken < BROKEN_MAX)
		lx->broken[lx->nbroken++] = lx->naming;
	if (lx->list)
		skip_list(lx);
}
