/*
 * sasl: login exchanges, SCRAM messages and verifiers from any bytes.  The
 * first byte chooses; lines are the lines of an exchange.
 *
 * fuzz: lib/sasl/base64.c lib/sasl/prep.c lib/sasl/server.c
 * fuzz: lib/sasl/scram.c lib/sasl/scram_key.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sasl/base64.h"
#include "sasl/sasl.h"
#include "sasl/scram.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct scram_verifier	verifier;

static void
exchange(const char *mech, const char *p, size_t len)
{
	struct sasl_server	*s = sasl_server_new(mech, 1);
	const char		*nl;
	size_t			 n;
	enum sasl_status	 st;

	if (s == NULL)
		return;
	st = sasl_server_start(s, NULL, 0);
	while (st == SASL_CHALLENGE) {
		nl = memchr(p, '\n', len);
		n = nl == NULL ? len : (size_t)(nl - p);
		st = sasl_server_step(s, p, n);
		if (st == SASL_ASK) {
			if (strlen(sasl_server_message(s)) >= SASL_MESSAGE)
				abort();
			/* the rest of the input stands for auth's answer */
			st = sasl_server_answer(s, p);
		}
		if (nl == NULL)
			break;
		p = nl + 1;
		len -= n + 1;
	}
	if (st == SASL_DONE && (*sasl_server_user(s) == '\0' ||
	    *sasl_server_pass(s) == '\0' ||
	    strlen(sasl_server_user(s)) > SASL_USER_MAX ||
	    strlen(sasl_server_pass(s)) > SASL_PASS_MAX))
		abort();
	sasl_server_free(s);
}

/* The first line is the client's first message, the second its last. */
static void
scram(char *text)
{
	struct scram	 s;
	char		 out[SCRAM_MESSAGE], *last;

	if ((last = strchr(text, '\n')) == NULL)
		return;
	*last++ = '\0';
	if (scram_server_hello(&s, text) == 0 && scram_server_first(&s,
	    &verifier, "server", out, sizeof(out)) == 0)
		(void)scram_server_final(&s, &verifier, last, out,
		    sizeof(out));
	if (scram_client_first(&s, "user", "client", out, sizeof(out)) == -1)
		abort();
	/* 4096 iterations a run are enough */
	if (strstr(text, ",i=4096") != NULL)
		(void)scram_client_final(&s, "pass", text, out, sizeof(out));
	(void)scram_client_check(&s, last);
}

/* What can be read can be written, and is then the same. */
static void
verifiers(const char *text)
{
	struct scram_verifier	a, b;
	char			out[SCRAM_TEXT];

	if (scram_verifier_parse(&a, text) == -1)
		return;
	if (scram_verifier_print(&a, out, sizeof(out)) == -1 ||
	    scram_verifier_parse(&b, out) == -1 ||
	    memcmp(&a, &b, sizeof(a)) != 0)
		abort();
}

static void
base64(const char *p, size_t len)
{
	char	*bytes, *text;
	size_t	 n;

	if ((bytes = malloc(BASE64_DECODED(len) + 1)) == NULL ||
	    (text = malloc(len + 1)) == NULL)
		abort();
	if (base64_decode(p, len, bytes, BASE64_DECODED(len), &n) == 0 &&
	    (base64_encode(bytes, n, text, len + 1) == -1 ||
	    memcmp(text, p, len) != 0))
		abort();
	free(bytes);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	*text;

	if (size < 1 || size > 65536)
		return (0);
	if (verifier.saltlen == 0 && scram_verifier_make(&verifier, "pass",
	    "salt", 4, SCRAM_ITERATIONS_MIN) == -1)
		abort();
	if ((text = malloc(size)) == NULL)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 6) {
	case 0:
		exchange("PLAIN", text, size - 1);
		break;
	case 1:
		exchange("LOGIN", text, size - 1);
		break;
	case 2:
		scram(text);
		break;
	case 3:
		verifiers(text);
		break;
	case 5:
		exchange("SCRAM-SHA-256", text, size - 1);
		break;
	case 4:
		base64(text, size - 1);
		break;
	}
	free(text);
	return (0);
}
