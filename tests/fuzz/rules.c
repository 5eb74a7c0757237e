/*
 * Rules and expansion: a configuration of our own, but recipients, senders
 * and aliases that are anybody's.  A stranger never gets anything relayed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/rules.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char conf_text[] =
    "hostname mx.example.org\norigin example.org\n"
    "postmaster \"alice@example.org\"\n"
    "network nets { 10.0.0.0/8 }\n"
    "table people { x }\ntable aliases { x }\n"
    "domain example.org {\n\tusers <people>\n\taliases <aliases>\n"
    "\tdeliver maildir \"/var/mail/%d/%n\" as nobody\n}\n"
    "domain catch.example {\n\tcatchall \"alice@example.org\"\n}\n"
    "permit nets relay\npermit any deliver\n";

static const char	*alias;

static void
report(void *arg, int is_error, const char *line)
{
	if (is_error)
		abort();
}

/* alice is a user; names that begin with 'g' stand for the fuzzed value. */
static void
lookup(const struct conf_table *t, enum table_form form, const char *key,
    table_cb cb, void *arg)
{
	struct table_user	u = { .name = key, .hash = "", .home = "/h",
				    .extra = "", .has_uid = 1, .has_gid = 1,
				    .uid = 5000, .gid = 5000 };
	struct table_answer	a = { .result = TABLE_NONE, .key = key };

	if (form == TABLE_USERS && strcasecmp(key, "alice@example.org") == 0) {
		a.result = TABLE_FOUND;
		a.user = &u;
	}
	if (form == TABLE_MAP && (*key == 'g' || *key == 'G')) {
		a.result = TABLE_FOUND;
		a.value = alias;
	}
	cb(&a, arg);
}

static void
resume(void *arg)
{
	abort();
}

static void
ask(const struct conf *c, const char *sender, const char *rcpt, int trusted)
{
	struct rules_env	 env = { .conf = c, .lookup = lookup,
				    .resume = resume };
	struct rules_request	 q = { .addr = trusted ? "10.0.0.1" :
				    "203.0.113.9", .helo = "h",
				    .sender = sender, .rcpt = rcpt };
	struct rules_answer	 a;
	struct rules_dests	 d;
	char			 reply[C_REPLY];
	const char		*at = smtp_address_at(rcpt);

	rules_decide(&env, &q, &a);
	if (a.result == RULES_OK && !a.ours && !trusted)
		abort();
	if (a.ours && (at == NULL || (strcmp(at, "@example.org") != 0 &&
	    strcmp(at, "@catch.example") != 0)))
		abort();
	if (a.result != RULES_OK)
		return;
	if (rules_resolve(&env, sender, rcpt, 1, &d, reply) == RULES_OK) {
		if (d.n == 0 || d.n > RULES_EXPAND_MAX)
			abort();
		rules_dests_free(&d);
	} else if (reply[0] < '4' || reply[0] > '5' || d.v != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct conf	*c;
	char			*copy, *next, rcpt[SMTP_ADDR_SIZE];
	char			 sender[SMTP_ADDR_SIZE] = "";

	if (c == NULL && (c = conf_parse(conf_text, strlen(conf_text), report,
	    NULL)) == NULL)
		abort();
	if ((copy = malloc(len + 1)) == NULL)
		abort();
	memcpy(copy, data, len);
	copy[len] = '\0';
	/* recipient, sender and alias, a line each */
	next = copy;
	strsep(&next, "\n");
	alias = "";
	if (next != NULL) {
		if (smtp_address(strsep(&next, "\n"), sender) != NULL)
			sender[0] = '\0';
		if (next != NULL)
			alias = next;
	}
	if (smtp_address(copy, rcpt) == NULL &&
	    rules_complete(c, rcpt) == 0) {
		ask(c, sender, rcpt, 0);
		ask(c, sender, rcpt, 1);
	}
	free(copy);
	return (0);
}
