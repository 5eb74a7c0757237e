/*
 * check: what is told, and certificates and keys as mailctl check sees them.
 *
 * Run by the administrator, on his own files.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "conf/conf.h"
#include "check.h"
#include "mailctl.h"

#define SOON	(14 * 24 * 3600)	/* advice, not a mistake */

static void
say(struct check *c, const char *kind, const char *fmt, va_list ap)
    __attribute__((__format__(printf, 3, 0)));

static void
say(struct check *c, const char *kind, const char *fmt, va_list ap)
{
	char	text[1024];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	if (!c->json) {
		/* It has names in it of files and certificates. */
		fputs(kind[0] == 'a' ? "advice: " : "", stderr);
		put_text(stderr, text);
		fputc('\n', stderr);
		return;
	}
	printf("%s\n    {\"kind\": \"%s\", \"text\": ",
	    c->mistakes + c->advice > 0 ? "," : "", kind);
	json_string(text);
	putchar('}');
}

void
check_mistake(struct check *c, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	say(c, "mistake", fmt, ap);
	va_end(ap);
	c->mistakes++;
}

void
check_advice(struct check *c, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	say(c, "advice", fmt, ap);
	va_end(ap);
	c->advice++;
}

static void
wrong(struct check *c, const struct conf_tls *t, const char *path,
    const char *what)
{
	check_mistake(c, "%s:%u: tls \"%s\": %s: %s", t->pos.file,
	    t->pos.line, t->name, path, what);
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

static void
check_dates(struct check *c, const struct conf_tls *t, const X509 *cert)
{
	time_t	now = time(NULL), later = now + SOON;

	if (X509_cmp_time(X509_get0_notBefore(cert), &now) > 0)
		wrong(c, t, t->cert, "is not valid yet; look at the clock");
	else if (X509_cmp_time(X509_get0_notAfter(cert), &now) < 0)
		wrong(c, t, t->cert, "has expired; renew it");
	else if (X509_cmp_time(X509_get0_notAfter(cert), &later) < 0)
		check_advice(c, "%s: expires within two weeks; renew it",
		    t->cert);
}

static void
check_one(struct check *c, const struct conf_tls *t)
{
	X509		*cert;
	EVP_PKEY	*key;

	errno = 0;
	if ((cert = read_cert(t->cert)) == NULL) {
		wrong(c, t, t->cert, errno != 0 ? strerror(errno) :
		    "is not a PEM certificate");
		return;
	}
	check_dates(c, t, cert);
	if (X509_check_host(cert, t->name, 0, 0, NULL) != 1)
		wrong(c, t, t->cert, "is not for this name");
	errno = 0;
	if ((key = read_key(t->key)) == NULL)
		wrong(c, t, t->key, errno != 0 ? strerror(errno) :
		    "is not a PEM key");
	else if (X509_check_private_key(cert, key) != 1)
		wrong(c, t, t->key, "is not the certificate's key");
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(cert);
}

void
check_certificates(struct check *c, const struct conf *conf)
{
	const struct conf_tls	*t;

	TAILQ_FOREACH(t, &conf->tlses, entry)
		check_one(c, t);
}
