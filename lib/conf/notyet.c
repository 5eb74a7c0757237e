/*
 * notyet: what the language reserves and this version refuses.
 *
 * The statements are parsed, built and printed like all others; a feature
 * that is built is taken from this list, and that is all.
 */
#include <stddef.h>
#include <string.h>

#include "conf/notyet.h"

static const char *const features[] = {
	"domain sieve",
	"fetch",
	"filter",
	"listen filter",
	"listen proxy from",
	"listen sieve",
	"sign",
	"table ldap",
	"table pgsql",
	"verify",
	NULL
};

int
notyet(const char *feature)
{
	size_t i;

	for (i = 0; features[i] != NULL; i++)
		if (strcmp(features[i], feature) == 0)
			return (1);
	return (0);
}
