/*
 * cert: a certificate that signs itself, for one name.
 */
#ifndef REGRESS_CERT_H
#define REGRESS_CERT_H

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct cert {
	char	*pem;
	char	*key;
};

static char *
cert_text(BIO *b)
{
	char	*p, *out;
	long	 len = BIO_get_mem_data(b, &p);

	if ((out = malloc((size_t)len + 1)) == NULL)
		exit(2);
	memcpy(out, p, (size_t)len);
	out[len] = '\0';
	BIO_free(b);
	return (out);
}

static struct cert
cert_new(const char *san)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY	*key = NULL;
	X509		*x = X509_new();
	X509_NAME	*name;
	X509_EXTENSION	*ext;
	BIO		*b;
	struct cert	 c;
	unsigned char	 cn[] = "test";

	if (EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx,
	    NID_X9_62_prime256v1) != 1 || EVP_PKEY_keygen(ctx, &key) != 1)
		exit(2);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	name = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, cn, -1, -1, 0);
	X509_set_issuer_name(x, name);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	if (X509_sign(x, key, EVP_sha256()) == 0)
		exit(2);
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(b, x);
	c.pem = cert_text(b);
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
	c.key = cert_text(b);
	X509_free(x);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	return (c);
}

#endif
