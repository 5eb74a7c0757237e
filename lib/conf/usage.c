/*
 * usage: each statement as a user types it, for messages.
 */
#include <stddef.h>

#include "conf/lex.h"
#include "conf/parse.h"
#include "conf/usage.h"

struct form {
	int		 token;
	const char	*text;
};

static const struct form statements[] = {
	{ HOSTNAME, "hostname NAME" },
	{ ORIGIN, "origin NAME" },
	{ POSTMASTER, "postmaster ADDRESS" },
	{ BANNER, "banner \"TEXT\"" },
	{ SPOOL, "spool \"DIRECTORY\"" },
	{ STATE, "state \"DIRECTORY\"" },
	{ INCLUDE, "include \"FILE\"" },
	{ NETWORK, "network NAME { NETWORK, ... } | file \"PATH\"" },
	{ TABLE, "table NAME { KEY = \"VALUE\", ... } | file \"PATH\" | "
	    "sqlite \"PATH\" query \"SELECT\"" },
	{ TLS, "tls NAME cert \"PATH\" key \"PATH\"" },
	{ AUTH, "auth system | <TABLE>" },
	{ LISTEN, "listen PROTOCOL on WHERE [port N] [tls NAME] [require tls] "
	    "[require auth] [no auth] [no tls] [plaintext auth] [tag NAME] "
	    "[group NAME] [lenient lf | helo] [hide client] "
	    "[check sender] [pregreet TIME]" },
	{ DOMAIN, "domain NAME | { NAME, ... } { STATEMENTS }" },
	{ PERMIT, "permit SOURCE [CONDITION ...] relay | deliver" },
	{ REJECT, "reject SOURCE [CONDITION ...] [relay | deliver] "
	    "[\"REPLY\"]" },
	{ RELAY, "relay any | [to SET] [from SET] [via \"URL\"] "
	    "[auth <TABLE>] [source ADDRESS]" },
	{ BOUNCE, "bounce any | [to SET] [from SET] [\"REPLY\"]" },
	{ LIMIT, "limit message SIZE | recipients N | "
	    "sessions N [per address N] [per network N] | "
	    "messages | errors N per session | "
	    "time TIME per command | message | session | "
	    "rate N/TIME per address | network | user | memory SIZE" },
	{ QUEUE, "queue [lifetime TIME] [retry TIME to TIME] "
	    "[warn after TIME]" },
	{ LOG, "log syslog [FACILITY] | stderr | file \"PATH\" [json]" },
	{ SANDBOX, "sandbox require full" },
	{ TEST, "test from ADDRESS | local [tls] [auth USER] [helo NAME] "
	    "[sender ADDRESS] to ADDRESS expect relay | deliver | reject" },
	{ MAILBOX, "mailbox quota [SIZE] [N messages] | "
	    "expire NAME after TIME | special NAME ..." },
	{ POP3, "pop3 [login delay TIME] [uidl FORMAT]" },
	{ FILTER, "filter NAME milter | smtp \"TARGET\" "
	    "[on failure accept | reject | tempfail]" },
	{ SIGN, "sign DOMAIN selector NAME key \"PATH\"" },
	{ VERIFY, "verify [spf] [dkim] [dmarc] [on failure mark | reject]" },
	{ FETCH, "fetch <TABLE> every TIME" },
	{ '=', "NAME = \"VALUE\"" },
	{ MASQUERADE, "masquerade NAME | { NAME, ... } as NAME" },
};

static const struct form domain_statements[] = {
	{ ALIAS, "alias NAME | { NAME, ... }" },
	{ USERS, "users system | <TABLE>" },
	{ ALIASES, "aliases <TABLE> [include \"DIRECTORY\"] "
	    "[commands as USER]" },
	{ CATCHALL, "catchall ADDRESS" },
	{ ARCHIVE, "archive ADDRESS" },
	{ DELIVER, "deliver maildir | mbox \"PATH\" [as USER]" },
	{ FORWARD, "forward \"~/FILE\" [commands]" },
	{ QUOTA, "quota [SIZE] [N messages]" },
	{ SIEVE, "sieve \"PATH\"" },
};

static const char *
find(const struct form *forms, size_t n, int token)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (forms[i].token == token)
			return (forms[i].text);
	return (NULL);
}

const char *
usage_statement(int token)
{
	return (find(statements, sizeof(statements) / sizeof(statements[0]),
	    token));
}

const char *
usage_domain(int token)
{
	return (find(domain_statements, sizeof(domain_statements) /
	    sizeof(domain_statements[0]), token));
}
