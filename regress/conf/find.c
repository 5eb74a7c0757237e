/*
 * find: matching of addresses, expansion of paths, the words of the language.
 */
#include <errno.h>

#include "os/compat.h"
#include "conf/conf.h"
#include "conf/url.h"
#include "conf/value.h"
#include "test.h"

static const struct {
	const char	*word;
	const char	*addr;
	int		 want;
} matches[] = {
	{ "a@example.org", "a@example.org", 1 },
	{ "a@example.org", "A@Example.ORG", 1 },
	{ "a@example.org", "b@example.org", 0 },
	{ "@example.org", "b@EXAMPLE.org", 1 },
	{ "@example.org", "b@x.example.org", 0 },
	{ "@example.org", "example.org", 0 },
	{ "example.org", "b@example.org", 1 },
	{ "example.org", "example.org", 1 },
	{ "example.org", "b@notexample.org", 0 },
	{ "*.example.org", "b@x.example.org", 1 },
	{ "*.example.org", "b@y.x.example.org", 1 },
	{ "*.example.org", "b@example.org", 0 },
	{ "*.example.org", "b@.example.org", 0 },
	{ "*.example.org", "b@xexample.org", 0 },
	{ "*.example.org", "x.example.org", 1 },
	{ "<>", "", 1 },
	{ "<>", "<>", 1 },
	{ "<>", "a@example.org", 0 },
	{ "@example.org", "", 0 },
	{ "example.org", "a@b@example.org", 1 },
	{ "@example.org", "\"x@y\"@example.org", 1 },
	{ "a@example.org", "a@example.org@else.org", 0 },
};

static const struct {
	const char	*tmpl, *user, *home;
	const char	*want;		/* NULL: EINVAL */
} expansions[] = {
	{ "/v/%d/%n/Maildir", "a@b.org", NULL, "/v/b.org/a/Maildir" },
	{ "/v/%u", "a@b.org", NULL, "/v/a@b.org" },
	{ "/v/%u", "alice", NULL, "/v/alice" },
	{ "~/Maildir", "alice", "/home/alice", "/home/alice/Maildir" },
	{ "%h/Maildir", "alice", "/home/alice", "/home/alice/Maildir" },
	{ "/v/%n%%%n", "alice", NULL, "/v/alice%alice" },
	{ "/v/~", "alice", NULL, "/v/~" },
	{ "/v/%n", "..", NULL, NULL },
	{ "/v/%n", ".@b.org", NULL, NULL },
	{ "/v/%n", "..@b.org", NULL, NULL },
	{ "/v/%d", "a@..", NULL, NULL },
	{ "/v/%u", "a/b", NULL, NULL },
	{ "/v/%n", "../x@b.org", NULL, NULL },
	{ "/v/%d", "a@b/c", NULL, NULL },
	{ "/v/%n", "@b.org", NULL, NULL },
	{ "/v/%d", "alice", NULL, NULL },
	{ "/v/%d", "alice@", NULL, NULL },
	{ "/v/%u", "", NULL, NULL },
	{ "~/x", "alice", NULL, NULL },
	{ "~/x", "alice", "home", NULL },
	{ "~bob/x", "alice", "/home/alice", NULL },
	{ "/v/%x", "alice", NULL, NULL },
	{ "/v/%", "alice", NULL, NULL },
};

static const struct {
	const char	*text;
	int		 ok;
	uint64_t	 want;
	const char	*back;
} sizes[] = {
	{ "0", 1, 0, "0" },
	{ "1025", 1, 1025, "1025" },
	{ "50m", 1, 50 * 1024 * 1024, "50m" },
	{ "2048k", 1, 2 * 1024 * 1024, "2m" },
	{ "1G", 1, 1024 * 1024 * 1024, "1g" },
	{ "1125899906842624", 1, (uint64_t)1 << 50, "1048576g" },
	{ "1125899906842625", 0, 0, NULL },
	{ "1048577g", 0, 0, NULL },
	{ "18446744073709551616", 0, 0, NULL },
	{ "99999999999999999999999k", 0, 0, NULL },
	{ "", 0, 0, NULL },
	{ "m", 0, 0, NULL },
	{ "-1", 0, 0, NULL },
	{ "+1", 0, 0, NULL },
	{ " 1", 0, 0, NULL },
	{ "1mb", 0, 0, NULL },
	{ "1t", 0, 0, NULL },
	{ "0x10", 0, 0, NULL },
};

static const struct {
	const char	*text;
	const char	*label, *host;	/* host NULL: refused */
	int		 nomx;
	unsigned int	 port;
} urls[] = {
	{ "smtp://a.example", NULL, "a.example", 0, 25 },
	{ "smtp://a.example/", NULL, "a.example", 0, 25 },
	{ "smtps://a.example", NULL, "a.example", 0, 465 },
	{ "smtp+tls://u@a.example:587", "u", "a.example", 0, 587 },
	{ "smtp+tls://u@b.org@a.example", "u@b.org", "a.example", 0, 25 },
	{ "smtp+notls://10.0.0.7", NULL, "10.0.0.7", 1, 25 },
	{ "smtp://[a.example]:26", NULL, "a.example", 1, 26 },
	{ "smtp://[2001:db8::1]", NULL, "2001:db8::1", 1, 25 },
	{ "lmtp://127.0.0.1", NULL, "127.0.0.1", 1, 24 },
	{ "smtp://", NULL, NULL, 0, 0 },
	{ "smtp:a.example", NULL, NULL, 0, 0 },
	{ "http://a.example", NULL, NULL, 0, 0 },
	{ "smtp://@a.example", NULL, NULL, 0, 0 },
	{ "smtp://u:p@a.example", NULL, NULL, 0, 0 },
	{ "smtp://a.example:", NULL, NULL, 0, 0 },
	{ "smtp://a.example:0", NULL, NULL, 0, 0 },
	{ "smtp://a.example:65536", NULL, NULL, 0, 0 },
	{ "smtp://a.example/path", NULL, NULL, 0, 0 },
	{ "smtp://[a.example", NULL, NULL, 0, 0 },
	{ "smtp://[10.0.0.0/8]", NULL, NULL, 0, 0 },
	{ "smtp://2001:db8::1", NULL, NULL, 0, 0 },
	{ "smtp://a b", NULL, NULL, 0, 0 },
};

#define N(table)	(sizeof(table) / sizeof((table)[0]))

static void
test_match(void)
{
	struct conf_words words;
	char name[160], word[64], *v[2];
	size_t i;

	for (i = 0; i < N(matches); i++) {
		strlcpy(word, matches[i].word, sizeof(word));
		v[0] = word;
		words.v = v;
		words.n = 1;
		snprintf(name, sizeof(name), "\"%s\" has \"%s\": %d",
		    matches[i].word, matches[i].addr, matches[i].want);
		TEST(name, conf_words_match(&words, matches[i].addr) ==
		    matches[i].want);
	}
	words.n = 0;
	TEST("no words match nothing", !conf_words_match(&words, ""));
}

static void
test_expand(void)
{
	char name[160], out[64];
	size_t i;
	int rc;

	for (i = 0; i < N(expansions); i++) {
		snprintf(name, sizeof(name), "expand \"%s\" of \"%s\"",
		    expansions[i].tmpl, expansions[i].user);
		errno = 0;
		rc = conf_expand(expansions[i].tmpl, expansions[i].user,
		    expansions[i].home, out, sizeof(out));
		if (expansions[i].want == NULL)
			TEST(name, rc == -1 && errno == EINVAL);
		else
			TEST_STR(name, rc == 0 ? out : NULL,
			    expansions[i].want);
	}
	rc = conf_expand("/v/%u", "alice", NULL, out, 8);
	TEST("one byte too little", rc == -1 && errno == ENAMETOOLONG);
	rc = conf_expand("/v/%u", "alice", NULL, out, 9);
	TEST("just enough", rc == 0 && strcmp(out, "/v/alice") == 0);
}

static void
test_values(void)
{
	char name[160], back[32];
	uint64_t n;
	size_t i;
	int rc;

	for (i = 0; i < N(sizes); i++) {
		snprintf(name, sizeof(name), "size \"%s\"", sizes[i].text);
		rc = value_size(sizes[i].text, &n);
		if (!sizes[i].ok) {
			TEST(name, rc == -1);
			continue;
		}
		if (rc == 0)
			value_size_print(n, back, sizeof(back));
		TEST(name, rc == 0 && n == sizes[i].want &&
		    strcmp(back, sizes[i].back) == 0);
	}
	TEST("time 1w", value_time("1w", &n) == 0 && n == 604800);
	TEST("time 5", value_time("5", &n) == 0 && n == 5);
	TEST("time too long", value_time("521w", &n) == 0 &&
	    value_time("522w", &n) == -1);
	value_time_print(5400, back, sizeof(back));
	TEST_STR("90 minutes", back, "90m");
}

static void
test_urls(void)
{
	struct conf_url url;
	char name[160];
	size_t i;
	int rc, same;

	for (i = 0; i < N(urls); i++) {
		snprintf(name, sizeof(name), "url \"%s\"", urls[i].text);
		rc = url_parse(urls[i].text, &url);
		if (urls[i].host == NULL || rc == -1) {
			TEST(name, rc == -1 && urls[i].host == NULL);
			continue;
		}
		same = (url.label == NULL) == (urls[i].label == NULL) &&
		    (url.label == NULL ||
		    strcmp(url.label, urls[i].label) == 0);
		TEST(name, same && strcmp(url.host, urls[i].host) == 0 &&
		    url.nomx == urls[i].nomx && url.port == urls[i].port);
		free(url.label);
		free(url.host);
	}
}

int
main(void)
{
	test_match();
	test_expand();
	test_values();
	test_urls();
	TEST_DONE();
}
