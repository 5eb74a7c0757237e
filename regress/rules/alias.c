/*
 * alias: what may stand in an alias, an included file and a forward file; the
 * archives that want a copy; groups with very many members.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "world.h"
#include "rules/include.h"
#include "rules/value.h"
#include "../test.h"

static const struct {
	const char	*name, *text, *want;
} values[] = {
	{ "nothing", "", "" },
	{ "blanks and commas", " , ,\t,, ", "" },
	{ "two", "alice, bob@else.example", "A:alice A:bob@else.example" },
	{ "no blanks", "a,b,c", "A:a A:b A:c" },
	{ "lines", "a\nb\r\n\n c \n", "A:a A:b A:c" },
	{ "comments", "# x, y\na\n  # z\nb # c", "A:a A:b # c" },
	{ "own", "\\alice, bob", "O:alice A:bob" },
	{ "command", "|/bin/prog", "C:/bin/prog" },
	{ "command with words", "\"|/bin/prog -a 'b, c'\", d",
	    "C:/bin/prog -a 'b, c' A:d" },
	{ "the quotes inside", "|\"/bin/prog a,b\", d", "C:/bin/prog a,b A:d" },
	{ "quotes in quotes", "\"|/bin/prog \\\"x\\\"\"", "C:/bin/prog \"x\"" },
	{ "file", "/var/mail/x", "F:/var/mail/x" },
	{ "file in quotes", "\"/var/mail/x y\"", "F:/var/mail/x y" },
	{ "include", ":include:/etc/mail/list, a", "I:/etc/mail/list A:a" },
	{ "include in capitals", ":Include:/x", "I:/x" },
	{ "include of no path", ":include:x, a", "B: A:a" },
	{ "quoted local part", "\"a b\"@x.example, c", "A:\"a b\"@x.example "
	    "A:c" },
	{ "quoted comma", "\"a,b\"@x.example", "A:\"a,b\"@x.example" },
	{ "quotes around", "\"alice\"", "A:alice" },
	{ "a name before", "Alice <alice@x.example>", "A:alice@x.example" },
	{ "a quote without end", "\"|/bin/prog, a\nb", "B: A:b" },
	{ "no command", "|, a", "B:" },
	{ "nothing behind the backslash", "\\", "B:" },
};

static void
test_values(void)
{
	static const char	 letter[] = "?AOCFIB";
	char			 got[1000], word[VALUE_WORD], *big;
	const char		*p;
	enum value_kind		 k;
	size_t			 i, n;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		p = values[i].text;
		for (n = 0; (k = value_next(&p, word)) != VALUE_END;)
			n += snprintf(got + n, sizeof(got) - n, "%s%c:%s",
			    n > 0 ? " " : "", letter[k], k == VALUE_BAD ? "" :
			    word);
		got[n] = '\0';
		TEST_STR(values[i].name, got, values[i].want);
		TEST("at the end", *p == '\0');
	}
	if ((big = malloc(3000)) == NULL)
		exit(2);
	memset(big, 'x', 2998);
	big[2990] = ',';
	big[2999] = '\0';
	big[2998] = '\0';
	p = big;
	TEST("too long a word", value_next(&p, word) == VALUE_BAD);
	TEST("and no end in sight", value_next(&p, word) == VALUE_END);
	free(big);
}

static char	dir[] = "/tmp/regress.alias.XXXXXX";

static const char *
in_dir(const char *name)
{
	static char	path[4][128];
	static int	i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return (path[i]);
}

static void
put(const char *name, const char *text, mode_t mode)
{
	int	fd;

	if ((fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600)) ==
	    -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchmod(fd, mode) == -1 || close(fd) == -1)
		exit(2);
}

static int
refused(const char *name, uid_t owner, size_t max, int error)
{
	const char	*why = NULL;
	char		*text;

	errno = 0;
	text = include_read(in_dir(name), owner, max, &why);
	free(text);
	return (text == NULL && errno == error && why != NULL);
}

static void
test_include(void)
{
	const char	*why;
	char		*text;

	put("list", "a\nb\n", 0644);
	put("group", "a\n", 0664);
	put("world", "a\n", 0646);
	put("big", "0123456789", 0600);
	if (symlink("list", in_dir("link")) == -1 ||
	    mkfifo(in_dir("fifo"), 0600) == -1)
		exit(2);
	text = include_read(in_dir("list"), (uid_t)-1, 100, &why);
	TEST_STR("a file", text != NULL ? text : why, "a\nb\n");
	free(text);
	text = include_read(in_dir("list"), getuid(), 4, &why);
	TEST_STR("of the user", text != NULL ? text : why, "a\nb\n");
	free(text);
	TEST("of somebody else", getuid() == 0 ||
	    refused("list", getuid() + 1, 100, EPERM));
	TEST("too large", refused("big", (uid_t)-1, 9, EPERM));
	TEST("a group may write", refused("group", (uid_t)-1, 100, EPERM));
	TEST("all may write", refused("world", (uid_t)-1, 100, EPERM));
	TEST("a link", refused("link", (uid_t)-1, 100, EPERM));
	TEST("a fifo", refused("fifo", (uid_t)-1, 100, EPERM));
	TEST("a directory", refused(".", (uid_t)-1, 100, EPERM));
	TEST("none", refused("none", (uid_t)-1, 100, ENOENT));
}

#define CONF								\
	"hostname \"mx.example.org\"\norigin \"example.org\"\n"		\
	"table people { \"x\" }\ntable aliases { \"x\" }\n"		\
	"domain \"example.org\" {\n	users <people>\n"		\
	"	alias \"example.net\"\n	aliases <aliases> include \"%s\"\n" \
	"	archive \"audit@example.org\"\n%s"			\
	"	deliver maildir \"/var/mail/%%d/%%n\" as nobody\n}\n"	\
	"domain \"b.example\" {\n	users <people>\n"		\
	"	archive \"audit@b.example\"\n"				\
	"	deliver maildir \"/var/mail/%%d/%%n\" as nobody\n}\n"

static struct row	rows[20];
static const char	*forwards[4][2];	/* user, text */
static int		 forward_late, asked_ahead, asked_and_waits;

static enum rules_result
forward(const struct rules_env *env, const struct conf_domain *d,
    const struct rules_account *acc, char **text)
{
	size_t	i;

	if (forward_late) {
		asked_ahead += env->resume == NULL;
		asked_and_waits += env->resume != NULL;
		return (RULES_PENDING);
	}
	for (i = 0; i < 4 && forwards[i][0] != NULL; i++) {
		if (strcmp(forwards[i][0], acc->user) != 0)
			continue;
		if (forwards[i][1] == NULL)
			return (RULES_TEMPFAIL);
		if (strcmp(forwards[i][1], "FAULTY") == 0)
			return (RULES_FAULTY);
		*text = strdup(forwards[i][1]);
		return (*text == NULL ? RULES_TEMPFAIL : RULES_OK);
	}
	return (RULES_NO);
}

static const char *
resolve(const struct conf *c, const char *rcpt)
{
	static char		 got[2000];
	struct rules_env	 env = world_env(c);
	struct rules_dests	 d;
	size_t			 i, n = 0;

	env.forward = forward;
	switch (rules_resolve(&env, "s@x.example", rcpt, 1, &d, got)) {
	case RULES_OK:
		break;
	case RULES_PENDING:
		return ("pending");
	default:
		return (got);
	}
	got[0] = '\0';
	for (i = 0; i < d.n && n < 1000; i++)
		n += snprintf(got + n, sizeof(got) - n, "%s%s%s", i > 0 ?
		    " " : "", d.v[i].local ? d.v[i].user : d.v[i].rcpt,
		    d.v[i].dead ? "!" : "");
	rules_dests_free(&d);
	return (got);
}

static struct conf *
conf_with(const char *statement)
{
	char	text[2000];

	snprintf(text, sizeof(text), CONF, dir, statement);
	return (world_conf(text));
}

static void
test_lists(void)
{
	struct conf	*c = conf_with("");
	char		 inc[200], two[200], loop[200], gone[200];
	int		 i = 0;

	snprintf(inc, sizeof(inc), ":include:%s", in_dir("members"));
	snprintf(two, sizeof(two), "bob, \":include:%s\", \\two",
	    in_dir("members"));
	snprintf(loop, sizeof(loop), ":include:%s", in_dir("loop"));
	snprintf(gone, sizeof(gone), ":include:%s", in_dir("gone"));
	rows[i++] = (struct row){ "people", "alice@example.org", "" };
	rows[i++] = (struct row){ "people", "bob@example.org", "" };
	rows[i++] = (struct row){ "people", "two@example.org", "" };
	rows[i++] = (struct row){ "aliases", "list", inc };
	rows[i++] = (struct row){ "aliases", "two", two };
	rows[i++] = (struct row){ "aliases", "loop", loop };
	rows[i++] = (struct row){ "aliases", "gone", gone };
	rows[i++] = (struct row){ "aliases", "away", ":include:/etc/passwd" };
	rows[i++] = (struct row){ "aliases", "cmd", "|/bin/prog" };
	rows[i++] = (struct row){ "aliases", "file", "/var/mail/x" };
	rows[i++] = (struct row){ "aliases", "other", "\\bob" };
	rows[i++] = (struct row){ "aliases", "named",
	    "Bob <bob@example.net>" };
	rows[i] = (struct row){ NULL, NULL, NULL };
	world.rows = rows;
	put("members", "# the list\nalice\nx@else.example, alice\n\n", 0644);
	put("loop", loop, 0644);
	TEST_STR("include", resolve(c, "list@example.org"),
	    "alice@example.org x@else.example");
	TEST_STR("include and more", resolve(c, "two@example.org"),
	    "two@example.org bob@example.org alice@example.org "
	    "x@else.example");
	TEST("a file that includes itself", strncmp(resolve(c,
	    "loop@example.org"), "550 5.4.6 <", 11) == 0);
	TEST_STR("of another directory", resolve(c, "away@example.org"),
	    "451 4.3.5 </etc/passwd>: is not in the directory of included "
	    "lists");
	TEST("no such file", strncmp(resolve(c, "gone@example.org"),
	    "451 4.3.5 <", 11) == 0);
	TEST_STR("a command", resolve(c, "cmd@example.org"), "451 4.3.5 "
	    "<cmd@example.org>: an alias starts no commands here");
	TEST_STR("a file to write", resolve(c, "file@example.org"), "451 "
	    "4.3.5 </var/mail/x>: aliases write no files");
	TEST_STR("somebody else's mailbox", resolve(c, "other@example.org"),
	    "451 4.3.5 <bob>: an alias can keep mail for its own name only");
	TEST_STR("a name and an address", resolve(c, "named@example.org"),
	    "bob@example.org");
	put("members", "alice\n", 0666);
	TEST("others may write it", strstr(resolve(c, "list@example.org"),
	    "may be written by others") != NULL);
	conf_free(c);
}

static const struct {
	const char	*name, *text, *want;
} forward_cases[] = {
	{ "forward", "bob", "bob@example.org" },
	{ "and outside", "bob, x@else.example",
	    "bob@example.org x@else.example" },
	{ "with a copy", "\\alice\nx@else.example\n",
	    "alice@example.org x@else.example" },
	{ "with a copy by name", "alice@example.net, bob",
	    "alice@example.org bob@example.org" },
	{ "empty", "\n# nothing\n", "alice@example.org" },
	{ "of another", "\\bob", "bob@example.org" },
	{ "nonsense", "a@@b", "451 4.3.5 <a@@b>: a forward file holds what "
	    "is no address" },
	{ "a command", "|/bin/prog", "451 4.3.5 <alice+x@example.org>: a "
	    "forward file starts no commands here" },
	{ "include", ":include:/etc/shadow", "451 4.3.5 </etc/shadow>: a "
	    "forward file includes no other" },
	{ "nobody beside a copy", "\\alice, ghost",
	    "alice@example.org ghost!" },
	{ "nobody", "ghost", "550 5.1.1 <ghost@example.org>: no such user "
	    "here" },
	{ "not to be read", NULL, "451 4.3.0 a forward file cannot be read "
	    "now, try again later" },
	{ "kept from being read", "FAULTY", "451 4.3.0 a forward file cannot "
	    "be read now, try again later" },
};

/* Of a list on which alice is the first and bob the second. */
static const struct {
	const char	*name, *text, *want;
} member_cases[] = {
	{ "member", "x@else.example", "bob@example.org x@else.example" },
	{ "member who forwards to nobody", "ghost",
	    "bob@example.org ghost!" },
	{ "member with nonsense", "a@@b",
	    "alice@example.org bob@example.org" },
	{ "member with more than nonsense", "x@else.example, a@@b",
	    "alice@example.org bob@example.org x@else.example" },
	{ "member with a command", "|/bin/prog",
	    "alice@example.org bob@example.org" },
	{ "member with an include", ":include:/etc/shadow",
	    "alice@example.org bob@example.org" },
	{ "member who keeps it from being read", "FAULTY",
	    "alice@example.org bob@example.org" },
	{ "member who cannot be asked", NULL, "451 4.3.0 a forward file "
	    "cannot be read now, try again later" },
};

static void
test_members(void)
{
	struct conf	*c = conf_with("	forward \"~/.forward\"\n");
	static char	 list[20 * 300];
	size_t		 i, n = 0;

	rows[0] = (struct row){ "aliases", "list", "alice, bob" };
	rows[1] = (struct row){ "people", "alice@example.org", "" };
	rows[2] = (struct row){ "people", "bob@example.org", "" };
	rows[3] = (struct row){ NULL, NULL, NULL };
	world.rows = rows;
	forwards[0][0] = "alice@example.org";
	for (i = 0; i < sizeof(member_cases) / sizeof(member_cases[0]); i++) {
		forwards[0][1] = member_cases[i].text;
		TEST_STR(member_cases[i].name, resolve(c, "list@example.org"),
		    member_cases[i].want);
	}
	forwards[0][0] = NULL;
	forward_late = 1;
	asked_ahead = asked_and_waits = 0;
	TEST_STR("members later", resolve(c, "list@example.org"), "pending");
	TEST("all at once", asked_ahead == 2 && asked_and_waits == 1);
	world.late = "people";
	asked_ahead = asked_and_waits = 0;
	TEST_STR("a table first", resolve(c, "list@example.org"), "pending");
	TEST("one waits", asked_ahead == 0 && asked_and_waits == 0);
	world_now();
	for (i = 0; i < 250; i++)
		n += snprintf(list + n, sizeof(list) - n, "alice+%zu, ", i);
	rows[0].value = list;
	TEST_STR("many later", resolve(c, "list@example.org"), "pending");
	TEST("so many ahead", asked_ahead == RULES_AHEAD &&
	    asked_and_waits == 1);
	forward_late = 0;
	conf_free(c);
}

static void
test_forward(void)
{
	struct conf	*c = conf_with("	forward \"~/.forward\"\n");
	size_t		 i;

	forwards[0][0] = "alice@example.org";
	for (i = 0; i < sizeof(forward_cases) / sizeof(forward_cases[0]);
	    i++) {
		forwards[0][1] = forward_cases[i].text;
		TEST_STR(forward_cases[i].name, resolve(c,
		    "alice+x@example.org"), forward_cases[i].want);
	}
	forwards[0][1] = "bob";
	forwards[1][0] = "bob@example.org";
	forwards[1][1] = "alice";
	TEST("in a circle", strncmp(resolve(c, "alice@example.org"),
	    "550 5.1.1", 9) == 0);
	forwards[1][1] = "\\bob, alice";
	TEST_STR("in a circle with a copy", resolve(c, "alice@example.org"),
	    "bob@example.org");
	forward_late = 1;
	TEST_STR("later", resolve(c, "alice@example.org"), "pending");
	forward_late = 0;
	conf_free(c);
	c = conf_with("");
	TEST_STR("not configured", resolve(c, "alice@example.org"),
	    "alice@example.org");
	conf_free(c);
	forwards[0][0] = NULL;
}

#define COMMANDS							\
	"hostname \"mx.example.org\"\norigin \"example.org\"\n"		\
	"table people { \"x\" }\ntable aliases { \"x\" }\n"		\
	"domain \"example.org\" {\n	users <people>\n"		\
	"	aliases <aliases> include \"%s\" commands as lister\n"	\
	"	forward \"~/.forward\" commands\n"			\
	"	deliver maildir \"/var/mail/%%d/%%n\" as nobody\n}\n"	\
	"domain \"b.example\" {\n	users <people>\n"		\
	"	aliases <aliases>\n	forward \"~/.forward\"\n"	\
	"	deliver maildir \"/var/mail/%%d/%%n\" as nobody\n}\n"

/* What is started for the n-th destination of an address, or why nothing. */
static const char *
started(const struct conf *c, const char *rcpt, size_t n, const char *domain)
{
	static char		 got[RULES_COMMAND + C_REPLY];
	struct rules_env	 env = world_env(c);
	struct rules_account	 acc;
	struct rules_dests	 d;
	enum rules_result	 r;

	env.forward = forward;
	if (rules_resolve(&env, "", rcpt, 1, &d, got) != RULES_OK)
		return (got);
	if (n >= d.n || !d.v[n].local || d.v[n].label[0] == '\0')
		r = RULES_PENDING;
	else
		r = rules_command(&env, conf_domain_find(c, domain),
		    d.v[n].user, d.v[n].label, &acc, got);
	rules_dests_free(&d);
	if (r == RULES_OK && acc.has_ids)
		strlcat(got, " as himself", sizeof(got));
	return (r == RULES_OK ? got : r == RULES_NO ? "no" :
	    r == RULES_TEMPFAIL ? "tempfail" : "none");
}

static void
test_commands(void)
{
	char			 text[2000], many[4000], inc[200];
	char			 command[RULES_COMMAND];
	struct rules_env	 env;
	struct rules_account	 acc;
	struct conf		*c;
	size_t			 i, n = 0;

	snprintf(text, sizeof(text), COMMANDS, dir);
	c = world_conf(text);
	for (i = 0; i <= RULES_COMMANDS; i++)
		n += snprintf(many + n, sizeof(many) - n, "|/bin/p %zu, ", i);
	snprintf(inc, sizeof(inc), ":include:%s", in_dir("commands"));
	put("commands", "\"|/bin/prog\"\n", 0644);
	i = 0;
	rows[i++] = (struct row){ "people", "alice@example.org", "" };
	rows[i++] = (struct row){ "people", "alice@b.example", "" };
	rows[i++] = (struct row){ "aliases", "one", "\"|/bin/prog $(id) `id` "
	    "; 'a, b' \\\"c d\\\" %u\", alice, |/bin/prog x" };
	rows[i++] = (struct row){ "aliases", "same", "one, one+y, |/bin/prog "
	    "x, \"|/bin/prog x\"" };
	rows[i++] = (struct row){ "aliases", "rel", "|prog" };
	rows[i++] = (struct row){ "aliases", "open", "\"|/bin/prog 'x\"" };
	rows[i++] = (struct row){ "aliases", "many", many };
	rows[i++] = (struct row){ "aliases", "inc", inc };
	rows[i++] = (struct row){ "people", "one@example.org", "" };
	rows[i] = (struct row){ NULL, NULL, NULL };
	world.rows = rows;
	TEST_STR("as it stands", started(c, "one+z@example.org", 0,
	    "example.org"), "/bin/prog $(id) `id` ; 'a, b' \"c d\" %u");
	TEST_STR("a second one", started(c, "one@example.org", 1,
	    "example.org"), "/bin/prog x");
	TEST_STR("of another domain", started(c, "one@example.org", 1,
	    "b.example"), "tempfail");
	TEST_STR("each once", resolve(c, "same@example.org"),
	    "same one one alice@example.org");
	TEST_STR("no path", resolve(c, "rel@example.org"), "451 4.3.5 "
	    "<rel@example.org>: what it should start is no command");
	TEST_STR("an open quote", resolve(c, "open@example.org"), "451 4.3.5 "
	    "<open@example.org>: what it should start is no command");
	TEST_STR("too many", resolve(c, "many@example.org"), "550 5.4.6 "
	    "<many@example.org>: starts too many commands");
	TEST_STR("in a list", resolve(c, "inc@example.org"), "451 4.3.5 "
	    "<inc@example.org>: an included list starts no commands");
	TEST_STR("not permitted", resolve(c, "one@b.example"), "451 4.3.5 "
	    "<one@b.example>: an alias starts no commands here");
	forwards[0][0] = "alice@example.org";
	forwards[0][1] = "\"|/bin/prog a;b\"\n";
	TEST_STR("of a user", started(c, "alice@example.org", 0,
	    "example.org"), "/bin/prog a;b as himself");
	forwards[0][0] = "alice@b.example";
	TEST_STR("of a user, not permitted", resolve(c, "alice@b.example"),
	    "451 4.3.5 <alice@b.example>: a forward file starts no commands "
	    "here");
	/* What a queue gone bad could ask for. */
	env = world_env(c);
	env.forward = forward;
	TEST("a mark of nothing", rules_command(&env, conf_domain_find(c,
	    "example.org"), "one", "a0000000000000000", &acc, command) ==
	    RULES_NO);
	TEST("a command as a mark", rules_command(&env, conf_domain_find(c,
	    "example.org"), "one", "/bin/prog x", &acc, command) == RULES_NO);
	TEST("a user's that is an alias's", rules_command(&env,
	    conf_domain_find(c, "example.org"), "one", "f0000000000000000",
	    &acc, command) == RULES_NO);
	TEST("an alias that has gone", rules_command(&env, conf_domain_find(c,
	    "example.org"), "two", "a0000000000000000", &acc, command) ==
	    RULES_NO);
	world.failing = "aliases";
	TEST("a table that fails", rules_command(&env, conf_domain_find(c,
	    "example.org"), "one", "a0000000000000000", &acc, command) ==
	    RULES_TEMPFAIL);
	world.failing = NULL;
	forwards[0][0] = NULL;
	conf_free(c);
}

static const char *
archives(const struct conf *c, const char *sender, const char *rcpt)
{
	static char		 got[C_REPLY];
	struct rules_env	 env = world_env(c);
	struct rules_dests	 d;
	const char		*v[RULES_ARCHIVES];
	size_t			 i, n;

	if (rules_resolve(&env, sender, rcpt, 1, &d, got) != RULES_OK)
		return (got);
	n = rules_archives(c, sender, rcpt, &d, v);
	rules_dests_free(&d);
	got[0] = '\0';
	for (i = 0; i < n; i++) {
		strlcat(got, i > 0 ? " " : "", sizeof(got));
		strlcat(got, v[i], sizeof(got));
	}
	return (got);
}

static void
test_archive(void)
{
	struct conf	*c = conf_with("");
	int		 i = 0;

	rows[i++] = (struct row){ "people", "alice@example.org", "" };
	rows[i++] = (struct row){ "people", "audit@example.org", "" };
	rows[i++] = (struct row){ "people", "bea@b.example", "" };
	rows[i++] = (struct row){ "aliases", "both", "alice, bea@b.example" };
	rows[i] = (struct row){ NULL, NULL, NULL };
	TEST_STR("received", archives(c, "s@x.example", "alice@example.net"),
	    "audit@example.org");
	TEST_STR("sent", archives(c, "alice@example.org", "s@x.example"),
	    "audit@example.org");
	TEST_STR("within", archives(c, "alice@example.org",
	    "alice@example.org"), "audit@example.org");
	TEST_STR("between", archives(c, "bea@b.example",
	    "alice@example.org"), "audit@example.org audit@b.example");
	TEST_STR("by an alias", archives(c, "", "both@example.org"),
	    "audit@example.org audit@b.example");
	TEST_STR("foreign", archives(c, "s@x.example", "t@x.example"), "");
	conf_free(c);
}

/* Cheap enough that a stranger who knows of the list gains nothing. */
static void
test_many(void)
{
	struct conf		*c = conf_with("");
	struct rules_env	 env = world_env(c);
	struct rules_dests	 d;
	struct timespec		 a, b;
	char			*list, reply[C_REPLY];
	size_t			 size = 400000, n = 0;
	int			 i;
	double			 secs;

	if ((list = malloc(size)) == NULL)
		exit(2);
	for (i = 0; i < 9999; i++)
		n += snprintf(list + n, size - n, "member%d@else%d.example, ",
		    i, i % 100);
	rows[0] = (struct row){ "aliases", "many", list };
	rows[1] = (struct row){ NULL, NULL, NULL };
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	TEST("ten thousand", rules_resolve(&env, "", "many@example.org", 1,
	    &d, reply) == RULES_OK && d.n == 9999);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	rules_dests_free(&d);
	secs = b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) / 1e9;
	printf("# %.1f ms\n", secs * 1000);
	TEST("cheap", secs < 0.5);
	strlcat(list, "one@x.example, two@x.example", size);
	TEST("too many", rules_resolve(&env, "", "many@example.org", 1, &d,
	    reply) == RULES_NO && strncmp(reply, "550 5.4.6", 9) == 0);
	free(list);
	conf_free(c);
}

int
main(void)
{
	char	cmd[64];

	if (mkdtemp(dir) == NULL)
		return (1);
	test_values();
	test_include();
	test_lists();
	test_forward();
	test_members();
	test_commands();
	test_archive();
	test_many();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (system(cmd) != 0)
		return (1);
	TEST_DONE();
}
