/*
 * check: certificates and keys as mailctl check sees them.
 *
 * Run by the administrator, on his own files.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "conf/conf.h"
#include "check.h"

#define SOON	(14 * 24 * 3600)	/* a warning, not a mistake */

static unsigned int
wrong(FILE *f, const struct conf_tls *t, const char *path, const char *what)
{
	fprintf(f, "%s:%u: tls \"%s\": %s: %s\n", t->pos.file, t->pos.line,
	    t->name, path, what);
	return (1);
}

static X509 *
read_cert(const char *path)
{
	X509	*cert;
	FILE	*f;

	if ((f = fopen(path, "r")) == NULL)
		return (NULL);
	cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	return (cert);
}

static EVP_PKEY *
read_key(const char *path)
{
	EVP_PKEY	*key;
	FILE		*f;

	if ((f = fopen(path, "r")) == NULL)
		return (NULL);
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	return (key);
}

static unsigned int
check_dates(FILE *f, const struct conf_tls *t, const X509 *cert)
{
	time_t	now = time(NULL), later = now + SOON;

	if (X509_cmp_time(X509_get0_notBefore(cert), &now) > 0)
		return (wrong(f, t, t->cert, "is not valid yet"));
	if (X509_cmp_time(X509_get0_notAfter(cert), &now) < 0)
		return (wrong(f, t, t->cert, "has expired: renew it"));
	if (X509_cmp_time(X509_get0_notAfter(cert), &later) < 0)
		fprintf(f, "warning: %s expires within two weeks\n", t->cert);
	return (0);
}

static unsigned int
check_one(FILE *f, const struct conf_tls *t)
{
	X509		*cert;
	EVP_PKEY	*key;
	unsigned int	 bad = 0;

	errno = 0;
	if ((cert = read_cert(t->cert)) == NULL)
		return (wrong(f, t, t->cert, errno != 0 ? strerror(errno) :
		    "is not a PEM certificate"));
	bad += check_dates(f, t, cert);
	if (X509_check_host(cert, t->name, 0, 0, NULL) != 1)
		bad += wrong(f, t, t->cert, "is not for this name");
	errno = 0;
	if ((key = read_key(t->key)) == NULL)
		bad += wrong(f, t, t->key, errno != 0 ? strerror(errno) :
		    "is not a PEM key");
	else if (X509_check_private_key(cert, key) != 1)
		bad += wrong(f, t, t->key, "is not the certificate's key");
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(cert);
	return (bad);
}

unsigned int
check_certificates(const struct conf *conf, FILE *f)
{
	const struct conf_tls	*t;
	unsigned int		 bad = 0;

	TAILQ_FOREACH(t, &conf->tlses, entry)
		bad += check_one(f, t);
	return (bad);
}
