/*
 * verify: password hashes.  Pure: no descriptor, no log, no state.
 *
 * Every comparison of secrets takes the same time wherever they differ, and
 * whatever held a password or what was made of it is wiped.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#ifdef __linux__
#include <crypt.h>
#else
#include <pthread.h>
#include <pwd.h>
#endif
#ifdef __OpenBSD__
#include <login_cap.h>
#include <bsd_auth.h>
#endif

#include "auth/salted.h"
#include "auth/verify.h"
#include "os/compat.h"
#include "sasl/scram.h"

#define PASS_SIZE	256
#define DES_HASH	13		/* traditional crypt(3) */
#define ITOA64		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
			"abcdefghijklmnopqrstuvwxyz"

enum scheme {
	SCHEME_CRYPT, SCHEME_SCRAM, SCHEME_SALTED, SCHEME_PLAIN, SCHEME_UNKNOWN
};

/* The scheme of "{NAME}rest", and the rest. */
static enum scheme
scheme_of(const char *hash, const char **rest)
{
	size_t	n;

	*rest = hash;
	if (hash[0] != '{')
		return (SCHEME_CRYPT);
	n = strcspn(hash, "}");
	if (hash[n] == '\0')
		return (SCHEME_UNKNOWN);
	*rest = hash + n + 1;
	hash++;
	n--;
	if (n == 13 && strncasecmp(hash, "SCRAM-SHA-256", n) == 0)
		return (SCHEME_SCRAM);
	if (n == 5 && strncasecmp(hash, "PLAIN", n) == 0)
		return (SCHEME_PLAIN);
	if (salted_scheme(hash, n))
		return (SCHEME_SALTED);
	/* Dovecot's other name for MD5-CRYPT; LDAP's MD5 is another. */
	if (n == 3 && strncasecmp(hash, "MD5", n) == 0 &&
	    strncmp(*rest, "$1$", 3) == 0)
		return (SCHEME_CRYPT);
	if (n >= 5 && strncasecmp(hash + n - 5, "CRYPT", 5) == 0 &&
	    (n == 5 || hash[n - 6] == '-'))
		return (SCHEME_CRYPT);
	return (SCHEME_UNKNOWN);
}

/*
 * What crypt(3) may be asked about.  Anything else, a forgotten {PLAIN} for
 * one, would be taken for a salt of DES.
 */
static int
crypt_string(const char *hash)
{
	if (hash[0] == '$')
		return (strchr(hash + 1, '$') != NULL);
	if (hash[0] == '_')
		return (strlen(hash) == 20);
	return (strlen(hash) == DES_HASH && strspn(hash, ITOA64) == DES_HASH);
}

/* Both terminated and shorter than size: the same work for any difference. */
static int
same_text(const char *a, const char *b)
{
	char	pa[VERIFY_HASH_MAX] = { 0 }, pb[VERIFY_HASH_MAX] = { 0 };
	int	same = 0;

	if (strlcpy(pa, a, sizeof(pa)) < sizeof(pa) &&
	    strlcpy(pb, b, sizeof(pb)) < sizeof(pb))
		same = CRYPTO_memcmp(pa, pb, sizeof(pa)) == 0;
	explicit_bzero(pa, sizeof(pa));
	explicit_bzero(pb, sizeof(pb));
	return (same);
}

#ifdef __linux__
static enum verify_result
verify_crypt(const char *hash, const char *pass)
{
	struct crypt_data	*data;
	const char		*got;
	enum verify_result	 rv = VERIFY_UNUSABLE;

	if ((data = calloc(1, sizeof(*data))) == NULL)
		return (VERIFY_FAILED);
	if ((got = crypt_rn(pass, hash, data, (int)sizeof(*data))) != NULL)
		rv = same_text(got, hash) ? VERIFY_RIGHT : VERIFY_WRONG;
	else if (errno == ENOMEM)
		rv = VERIFY_FAILED;
	freezero(data, sizeof(*data));
	return (rv);
}
#else
/* crypt() has one buffer for the process. */
static enum verify_result
verify_crypt(const char *hash, const char *pass)
{
	static pthread_mutex_t	 lock = PTHREAD_MUTEX_INITIALIZER;
	const char		*got;
	enum verify_result	 rv = VERIFY_UNUSABLE;

	if (pthread_mutex_lock(&lock) != 0)
		return (VERIFY_FAILED);
	if ((got = crypt(pass, hash)) != NULL && got[0] != '*')
		rv = same_text(got, hash) ? VERIFY_RIGHT : VERIFY_WRONG;
	if (pthread_mutex_unlock(&lock) != 0)
		return (VERIFY_FAILED);
	return (rv);
}
#endif

#ifdef __OpenBSD__
/* Starts a program of the system's and wipes the password it is given. */
static enum verify_result
verify_bsdauth(const char *user, const char *pass)
{
	static pthread_mutex_t	lock = PTHREAD_MUTEX_INITIALIZER;
	char			name[PASS_SIZE], type[] = "auth-mail";
	char			copy[PASS_SIZE];
	int			ok;

	if (strlcpy(name, user, sizeof(name)) >= sizeof(name) ||
	    strlcpy(copy, pass, sizeof(copy)) >= sizeof(copy))
		return (VERIFY_WRONG);
	if (pthread_mutex_lock(&lock) != 0)
		return (VERIFY_FAILED);
	ok = auth_userokay(name, NULL, type, copy);
	explicit_bzero(copy, sizeof(copy));
	if (pthread_mutex_unlock(&lock) != 0)
		return (VERIFY_FAILED);
	return (ok ? VERIFY_RIGHT : VERIFY_WRONG);
}
#endif

/* What a check says: 1, 0, or -1 without memory. */
static enum verify_result
checked(int ok)
{
	if (ok == -1)
		return (VERIFY_FAILED);
	return (ok ? VERIFY_RIGHT : VERIFY_WRONG);
}

static enum verify_result
verify_scram(const char *text, const char *pass)
{
	struct scram_verifier	v;
	int			ok;

	if (scram_verifier_parse(&v, text) == -1)
		return (VERIFY_UNUSABLE);
	ok = scram_verifier_check(&v, pass);
	explicit_bzero(&v, sizeof(v));
	return (checked(ok));
}

static enum verify_result
verify_salted(const char *hash, const char *pass)
{
	struct salted	s;
	int		ok;

	if (salted_parse(&s, hash) == -1)
		return (VERIFY_UNUSABLE);
	ok = salted_check(&s, pass);
	explicit_bzero(&s, sizeof(s));
	return (checked(ok));
}

enum verify_result
verify_password(const char *hash, const char *pass)
{
	const char	*rest;
	enum scheme	 scheme = scheme_of(hash, &rest);

	if (verify_locked(hash) || strlen(hash) >= VERIFY_HASH_MAX)
		return (VERIFY_UNUSABLE);
	if (*pass == '\0' || strlen(pass) >= PASS_SIZE)
		return (VERIFY_WRONG);
	if (scheme == SCHEME_CRYPT && crypt_string(rest))
		return (verify_crypt(rest, pass));
	if (scheme == SCHEME_SCRAM)
		return (verify_scram(rest, pass));
	if (scheme == SCHEME_SALTED)
		return (verify_salted(hash, pass));
	if (scheme == SCHEME_PLAIN)
		return (same_text(rest, pass) ? VERIFY_RIGHT : VERIFY_WRONG);
#ifdef __OpenBSD__
	if (strncmp(hash, VERIFY_BSDAUTH, strlen(VERIFY_BSDAUTH)) == 0)
		return (verify_bsdauth(rest, pass));
#endif
	return (VERIFY_UNUSABLE);
}

const char *
verify_plain(const char *hash)
{
	const char	*rest;

	return (scheme_of(hash, &rest) == SCHEME_PLAIN ? rest : NULL);
}

int
verify_scrams(const char *hash)
{
	struct scram_verifier	 v;
	const char		*rest;
	enum scheme		 scheme = scheme_of(hash, &rest);

	return (scheme == SCHEME_PLAIN || (scheme == SCHEME_SCRAM &&
	    scram_verifier_parse(&v, rest) == 0));
}

int
verify_fast(const char *hash)
{
	const char	*rest;

	return (scheme_of(hash, &rest) == SCHEME_SALTED);
}

int
verify_locked(const char *hash)
{
	const char	*rest;
	enum scheme	 scheme = scheme_of(hash, &rest);

	if (*rest == '\0')
		return (1);
	return (scheme == SCHEME_CRYPT && (*rest == '!' || *rest == '*' ||
	    strcmp(rest, "x") == 0));
}

int
verify_usable(const char *hash)
{
	struct scram_verifier	 v;
	struct salted		 s;
	const char		*rest;

	switch (scheme_of(hash, &rest)) {
	case SCHEME_CRYPT:
		return (crypt_string(rest));
	case SCHEME_SCRAM:
		return (scram_verifier_parse(&v, rest) == 0);
	case SCHEME_SALTED:
		return (salted_parse(&s, hash) == 0);
	case SCHEME_PLAIN:
		return (1);
	case SCHEME_UNKNOWN:
		break;
	}
	return (0);
}

/* The system's own choice; SCRAM-SHA-256 where crypt(3) has none to offer. */
static int
default_dummy(char *out, size_t size)
{
#ifdef __linux__
	char	setting[CRYPT_GENSALT_OUTPUT_SIZE];

	if (crypt_gensalt_rn(NULL, 0, NULL, 0, setting,
	    (int)sizeof(setting)) != NULL)
		return (strlcpy(out, setting, size) < size ? 0 : -1);
#endif
	return (strlcpy(out, SCRAM_SCHEME "15000,AAAAAAAAAAAAAAAAAAAAAA==,"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", size) < size ?
	    0 : -1);
}

/*
 * Of a crypt(3) string what stands behind the last '$' (bcrypt: the salt with
 * the hash) becomes dots, which is a valid salt everywhere.
 */
int
verify_dummy(const char *like, char *out, size_t size)
{
	struct scram_verifier	 v;
	struct salted		 s;
	const char		*rest;
	char			*p;
	enum scheme		 scheme;

	if (like == NULL || verify_locked(like))
		return (default_dummy(out, size));
	scheme = scheme_of(like, &rest);
	if (scheme == SCHEME_SCRAM && scram_verifier_parse(&v, rest) == 0) {
		memset(v.salt, 0, sizeof(v.salt));
		memset(v.stored, 0, sizeof(v.stored));
		memset(v.server, 0, sizeof(v.server));
		return (scram_verifier_print(&v, out, size));
	}
	if (scheme == SCHEME_SALTED && salted_parse(&s, like) == 0) {
		memset(s.digest, 0, sizeof(s.digest));
		memset(s.salt, 0, sizeof(s.salt));
		return (salted_print(&s, out, size));
	}
	if (scheme == SCHEME_PLAIN)
		return (strlcpy(out, "{PLAIN}.", size) < size ? 0 : -1);
	if (scheme != SCHEME_CRYPT || !crypt_string(rest))
		return (default_dummy(out, size));
	if (strlcpy(out, rest, size) >= size)
		return (-1);
	if ((p = strrchr(out, '$')) != NULL)
		p++;
	else
		p = out + (out[0] == '_' ? 9 : 2);
	memset(p, '.', strlen(p));
	return (0);
}
