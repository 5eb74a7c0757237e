/*
 * relay_tls: TLS as a client.
 *
 * One configuration for servers that must prove who they are and one for
 * those that need not (RFC 7435: some protection most of the time).  A
 * verifying connection parses the whole CA bundle, which costs some
 * milliseconds; only smarthosts are verified.
 */
#include <stdint.h>
#include <tls.h>

#include "log/log.h"
#include "smtpd/relay_tls.h"

#define PROTOCOLS	(TLS_PROTOCOL_TLSv1_2 | TLS_PROTOCOL_TLSv1_3)

static struct tls_config	*verifying;
static struct tls_config	*trusting;

int
relay_tls_ca(const char *pem, size_t len)
{
	struct tls_config	*cfg;

	if ((cfg = tls_config_new()) == NULL) {
		log_warnx("TLS: no memory");
		return (-1);
	}
	if (tls_config_set_protocols(cfg, PROTOCOLS) == -1 ||
	    tls_config_set_ca_mem(cfg, (const uint8_t *)pem, len) == -1) {
		log_warnx("TLS: %s", tls_config_error(cfg));
		tls_config_free(cfg);
		return (-1);
	}
	tls_config_free(verifying);
	verifying = cfg;
	return (0);
}

/* Old ciphers are better than none. */
static struct tls_config *
trusting_config(void)
{
	struct tls_config	*cfg;

	if ((cfg = tls_config_new()) == NULL)
		return (NULL);
	if (tls_config_set_protocols(cfg, PROTOCOLS) == -1 ||
	    tls_config_set_ciphers(cfg, "compat") == -1) {
		tls_config_free(cfg);
		return (NULL);
	}
	tls_config_insecure_noverifycert(cfg);
	tls_config_insecure_noverifyname(cfg);
	tls_config_insecure_noverifytime(cfg);
	return (cfg);
}

struct tls *
relay_tls_new(int verify, const char **why)
{
	struct tls	*ctx;

	*why = "no memory for TLS";
	if (!verify && trusting == NULL &&
	    (trusting = trusting_config()) == NULL)
		return (NULL);
	if (verify && verifying == NULL) {
		*why = "no CA certificates to verify with";
		return (NULL);
	}
	if ((ctx = tls_client()) == NULL)
		return (NULL);
	if (tls_configure(ctx, verify ? verifying : trusting) == -1) {
		*why = "TLS cannot be set up";
		tls_free(ctx);
		return (NULL);
	}
	return (ctx);
}

void
relay_tls_free(struct tls *ctx)
{
	tls_free(ctx);
}
