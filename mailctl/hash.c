/*
 * hash: read a password, print what belongs into a user table.
 *
 * The password comes from the terminal, twice and without echo, or as one line
 * from standard input when that is none.  It is checked by the same rules
 * as a login, so that nobody gets a hash that no client can match, and is
 * wiped.  Nothing but standard input and output is touched.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#ifdef __linux__
#include <bsd/readpassphrase.h>
#include <crypt.h>
#else
#include <pwd.h>
#include <readpassphrase.h>
#endif

#include "auth/verify.h"
#include "hash.h"
#include "os/compat.h"
#include "sasl/prep.h"
#include "sasl/scram.h"

#define PASS_SIZE	(SASL_PASS_MAX + 2)	/* a newline, a terminator */

/*
 * What -s takes; prefix is crypt(3)'s, "" its own choice, NULL SCRAM.  The
 * costs are some 20 to 50 ms of one processor; 0 is the system's default.
 */
static const struct scheme {
	const char	*name;
	const char	*prefix;
	unsigned long	 cost;
} schemes[] = {
	{ "CRYPT",		"",	0 },
	{ "BLF-CRYPT",		"$2b$",	10 },
#ifdef __linux__
	{ "YESCRYPT",		"$y$",	0 },
	{ "SHA512-CRYPT",	"$6$",	100000 },
	{ "SHA256-CRYPT",	"$5$",	100000 },
#endif
	{ "SCRAM-SHA-256",	NULL,	0 }
};

#define NSCHEMES	(sizeof(schemes) / sizeof(schemes[0]))

static int
usage(void)
{
	size_t	i;

	fprintf(stderr, "usage: mailctl hash [-s SCHEME]\nschemes:");
	for (i = 0; i < NSCHEMES; i++)
		fprintf(stderr, " %s", schemes[i].name);
	fprintf(stderr, "\n");
	return (2);
}

/* One line of standard input; a longer one is refused, not cut. */
static int
read_line(char *pass, size_t size)
{
	size_t	len;

	/* no copy in a buffer of stdio */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	if (fgets(pass, (int)size, stdin) == NULL) {
		fprintf(stderr, "mailctl: no password on standard input\n");
		return (-1);
	}
	len = strlen(pass);
	if (len > 0 && pass[len - 1] == '\n')
		pass[--len] = '\0';
	if (len > 0 && pass[len - 1] == '\r')
		pass[--len] = '\0';
	return (0);
}

static int
read_terminal(char *pass, size_t size)
{
	char	again[PASS_SIZE];
	int	rv = 0;

	if (readpassphrase("Password: ", pass, size, RPP_REQUIRE_TTY) ==
	    NULL || readpassphrase("Again: ", again, sizeof(again),
	    RPP_REQUIRE_TTY) == NULL) {
		fprintf(stderr, "mailctl: %s\n", strerror(errno));
		rv = -1;
	} else if (strcmp(pass, again) != 0) {
		fprintf(stderr, "mailctl: the passwords differ\n");
		rv = -1;
	}
	explicit_bzero(again, sizeof(again));
	return (rv);
}

static int
hash_scram(const char *pass, char *out, size_t size)
{
	struct scram_verifier	v;
	unsigned char		salt[SCRAM_SALT_NEW];
	int			rv = -1;

	arc4random_buf(salt, sizeof(salt));
	if (scram_verifier_make(&v, pass, salt, sizeof(salt),
	    SCRAM_ITERATIONS_NEW) == 0)
		rv = scram_verifier_print(&v, out, size);
	explicit_bzero(&v, sizeof(v));
	return (rv);
}

#ifdef __linux__
static int
hash_crypt(const char *pass, const struct scheme *s, char *out, size_t size)
{
	struct crypt_data	*data;
	char			 setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char		*got = NULL;
	int			 n = -1;

	if (crypt_gensalt_rn(*s->prefix == '\0' ? NULL : s->prefix, s->cost,
	    NULL, 0, setting, (int)sizeof(setting)) == NULL ||
	    (data = calloc(1, sizeof(*data))) == NULL)
		return (-1);
	if ((got = crypt_rn(pass, setting, data, (int)sizeof(*data))) != NULL)
		n = snprintf(out, size, "{CRYPT}%s", got);
	freezero(data, sizeof(*data));
	return (n < 0 || (size_t)n >= size ? -1 : 0);
}
#else
/* bcrypt is what these systems have. */
static int
hash_crypt(const char *pass, const struct scheme *s, char *out, size_t size)
{
	char	hash[128];
	int	n;

	(void)s;
#ifdef __OpenBSD__
	if (crypt_newhash(pass, "bcrypt,a", hash, sizeof(hash)) == -1)
		return (-1);
#else
	static const char	 set[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789";
	char			 setting[] = "$2b$10$......................";
	const char		*got;
	size_t			 i;

	/* of the last character of the salt only two bits count */
	for (i = 7; i + 1 < sizeof(setting) - 1; i++)
		setting[i] = set[arc4random_uniform(64)];
	if ((got = crypt(pass, setting)) == NULL || got[0] == '*' ||
	    strlcpy(hash, got, sizeof(hash)) >= sizeof(hash))
		return (-1);
#endif
	n = snprintf(out, size, "{CRYPT}%s", hash);
	explicit_bzero(hash, sizeof(hash));
	return (n < 0 || (size_t)n >= size ? -1 : 0);
}
#endif

/* Read, hash, and prove that the hash is one that a login will accept. */
static int
make_hash(const struct scheme *s, char *out, size_t size)
{
	char	pass[PASS_SIZE];
	int	rv;

	if (isatty(STDIN_FILENO))
		rv = read_terminal(pass, sizeof(pass));
	else
		rv = read_line(pass, sizeof(pass));
	if (rv == 0 && sasl_prep_pass(pass, strlen(pass)) == -1) {
		fprintf(stderr, "mailctl: the password is empty, longer than "
		    "%d bytes, or holds control characters\n", SASL_PASS_MAX);
		rv = -1;
	} else if (rv == 0) {
		if (s->prefix == NULL)
			rv = hash_scram(pass, out, size);
		else
			rv = hash_crypt(pass, s, out, size);
		if (rv == -1 || verify_password(out, pass) != VERIFY_RIGHT) {
			fprintf(stderr, "mailctl: this system cannot make "
			    "such a hash\n");
			rv = -1;
		}
	}
	explicit_bzero(pass, sizeof(pass));
	return (rv);
}

static const struct scheme *
find(const char *name)
{
	size_t	i;

	for (i = 0; i < NSCHEMES; i++)
		if (strcasecmp(name, schemes[i].name) == 0)
			return (&schemes[i]);
	fprintf(stderr, "mailctl: no scheme \"%s\"\n", name);
	(void)usage();
	return (NULL);
}

int
hash_ask(const char *scheme, char *out, size_t size)
{
	const struct scheme	*s;

	if ((s = find(scheme != NULL ? scheme : schemes[0].name)) == NULL)
		return (-1);
	return (make_hash(s, out, size));
}

int
hash_main(int argc, char **argv)
{
	const struct scheme	*s = &schemes[0];
	char			 out[VERIFY_HASH_MAX];
	int			 ch;

	optind = 1;
	while ((ch = getopt(argc, argv, "s:")) != -1) {
		if (ch != 's')
			return (usage());
		if ((s = find(optarg)) == NULL)
			return (2);
	}
	if (optind != argc)
		return (usage());
	if (make_hash(s, out, sizeof(out)) == -1)
		return (1);
	if (puts(out) == EOF || fflush(stdout) == EOF) {
		fprintf(stderr, "mailctl: %s\n", strerror(errno));
		return (1);
	}
	return (0);
}
