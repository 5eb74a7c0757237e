/*
 * url: the next hop of a relay route, "smtp+tls://label@host:587".
 *
 * Bytes in, struct out; it touches nothing.
 */
#include <string.h>

#include "os/compat.h"
#include "conf/url.h"
#include "conf/value.h"

static const struct scheme {
	const char	*prefix;
	enum conf_scheme scheme;
	unsigned int	 port;
} schemes[] = {
	{ "smtp://", SCHEME_SMTP, 25 },
	{ "smtp+tls://", SCHEME_SMTP_TLS, 25 },
	{ "smtps://", SCHEME_SMTPS, 465 },
	{ "smtp+notls://", SCHEME_SMTP_NOTLS, 25 },
	{ "lmtp://", SCHEME_LMTP, 24 },
};

#define NSCHEMES	(sizeof(schemes) / sizeof(schemes[0]))

const char *
url_prefix(enum conf_scheme scheme)
{
	size_t i;

	for (i = 0; i < NSCHEMES; i++)
		if (schemes[i].scheme == scheme)
			return (schemes[i].prefix);
	return (NULL);
}

static int
is_literal(const char *host)
{
	struct addr_net n;

	return (strchr(host, '/') == NULL && host[0] != '!' &&
	    addr_net_parse(&n, host) == 0);
}

/* The label names a line of a secrets table: no ':' and nothing odd. */
static int
label_take(struct conf_url *url, const char **s)
{
	const char *at;
	size_t i;

	if ((at = strrchr(*s, '@')) == NULL)
		return (0);
	if (at == *s)
		return (-1);
	for (i = 0; i < (size_t)(at - *s); i++)
		if ((*s)[i] <= ' ' || (*s)[i] > '~' ||
		    strchr(":/[]", (*s)[i]) != NULL)
			return (-1);
	if ((url->label = strndup(*s, (size_t)(at - *s))) == NULL)
		return (-1);
	*s = at + 1;
	return (0);
}

static int
host_take(struct conf_url *url, const char **s)
{
	const char *end;
	size_t len;

	if (**s == '[') {
		(*s)++;
		url->nomx = 1;
		if ((end = strchr(*s, ']')) == NULL)
			return (-1);
		len = (size_t)(end++ - *s);
	} else {
		len = strcspn(*s, ":/");
		end = *s + len;
	}
	if ((url->host = strndup(*s, len)) == NULL)
		return (-1);
	*s = end;
	if (is_literal(url->host)) {
		url->nomx = 1;
		return (0);
	}
	return (value_is_domain(url->host) ? 0 : -1);
}

static int
port_take(struct conf_url *url, const char *s)
{
	if (strcmp(s, "") == 0 || strcmp(s, "/") == 0)
		return (0);
	if (*s != ':')
		return (-1);
	if (value_number(s + 1, 65535, &url->port) == -1 || url->port == 0)
		return (-1);
	return (0);
}

int
url_parse(const char *s, struct conf_url *url)
{
	size_t i, len;

	memset(url, 0, sizeof(*url));
	for (i = 0; i < NSCHEMES; i++) {
		len = strlen(schemes[i].prefix);
		if (strncmp(s, schemes[i].prefix, len) == 0)
			break;
	}
	if (i == NSCHEMES)
		return (-1);
	s += len;
	url->scheme = schemes[i].scheme;
	url->port = schemes[i].port;
	if (label_take(url, &s) == -1 || host_take(url, &s) == -1 ||
	    port_take(url, s) == -1) {
		free(url->label);
		free(url->host);
		memset(url, 0, sizeof(*url));
		return (-1);
	}
	return (0);
}
