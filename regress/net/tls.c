/*
 * conn over TLS: what comes before, during and behind a handshake.  The
 * client is libtls, moved by hand, so that every byte is ours to place.
 */
#include <openssl/err.h>
#include <tls.h>

#include "net.h"
#include "regress/relay/cert.h"
#include "../test.h"

static struct tls	*client;

static struct tls *
server_context(void)
{
	struct cert		 cert = cert_new("DNS:localhost");
	struct tls_config	*cfg = tls_config_new();
	struct tls		*ctx = tls_server();

	if (cfg == NULL || ctx == NULL || tls_config_set_keypair_mem(cfg,
	    (uint8_t *)cert.pem, strlen(cert.pem), (uint8_t *)cert.key,
	    strlen(cert.key)) == -1 || tls_config_set_alpn(cfg, "smtp") == -1
	    || tls_configure(ctx, cfg) == -1)
		exit(2);
	tls_config_free(cfg);
	free(cert.pem);
	free(cert.key);
	return (ctx);
}

static struct tls *
client_new(const char *alpn)
{
	struct tls_config	*cfg = tls_config_new();
	struct tls		*ctx = tls_client();

	if (cfg == NULL || ctx == NULL)
		exit(2);
	tls_config_insecure_noverifycert(cfg);
	tls_config_insecure_noverifyname(cfg);
	if ((alpn != NULL && tls_config_set_alpn(cfg, alpn) == -1) ||
	    tls_configure(ctx, cfg) == -1)
		exit(2);
	tls_config_free(cfg);
	return (ctx);
}

/* The client's handshake; 0 when it is done. */
static int
handshake(const char *alpn)
{
	int	i, r;

	client = client_new(alpn);
	if (tls_connect_socket(client, net.raw, "localhost") == -1)
		exit(2);
	for (i = 0; i < 100; i++) {
		r = tls_handshake(client);
		net_run();
		if (r != TLS_WANT_POLLIN && r != TLS_WANT_POLLOUT)
			return (r);
	}
	return (-1);
}

static void
put(const char *p, size_t len)
{
	ssize_t	n;
	int	i;

	for (i = 0; i < 1000 && len > 0; i++) {
		n = tls_write(client, p, len);
		net_run();
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (n == -1)
			break;
	}
}

/* The client leaves; the server must neither wait nor turn for ever. */
static void
leave(void)
{
	close(net.raw);
	net.raw = -1;
	alarm(10);
	net_run();
	alarm(0);
}

/* What can be read until nothing comes for a while. */
static const char *
get(size_t *have)
{
	static char	got[1 << 20];
	ssize_t		n;
	int		idle;

	*have = 0;
	for (idle = 0; idle < 10; ) {
		net_run();
		n = tls_read(client, got + *have, sizeof(got) - 1 - *have);
		if (n > 0) {
			*have += (size_t)n;
			idle = 0;
		} else if (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT)
			idle++;
		else
			break;
	}
	got[*have] = '\0';
	return (got);
}

static void
end(void)
{
	tls_free(client);
	client = NULL;
	net_end();
	ERR_clear_error();
}

static void
test_starttls(void)
{
	size_t	n;

	net_begin(1000);
	net_say("a\nstarttls\ninjected\n");
	TEST_STR("the answer is clear", net_hear(), "ok a\nok starttls\n");
	TEST("not yet", !conn_is_tls(net.conn) && net.secured == 0);
	TEST("handshake", handshake(NULL) == 0);
	TEST("secured", net.secured == 1 && conn_is_tls(net.conn) &&
	    strncmp(conn_cipher(net.conn), "TLSv1.", 6) == 0);
	put("b\nc", 3);
	TEST_STR("nothing is injected", net.seen, "a;starttls;b;");
	put("\n", 1);
	TEST_STR("answers", get(&n), "ok b\nok c\n");
	end();

	net_begin(1000);
	net_say("sta");
	net_say("rttls\ninjected\nand");
	(void)net_hear();
	TEST("handshake after pieces", handshake(NULL) == 0);
	put(" more\n", 6);
	TEST_STR("nothing is injected in pieces", net.seen,
	    "starttls; more;");
	end();

	net_begin(1000);
	net_say("pause\na\nstarttls\ninjected\n");
	conn_resume(net.conn);
	net_run();
	(void)net_hear();
	TEST("handshake after a pause", handshake(NULL) == 0);
	put("b\n", 2);
	TEST_STR("nothing is injected after a pause", net.seen,
	    "pause;a;starttls;b;");
	end();

	net_begin(1000);
	net_say("starttls\n");
	(void)net_hear();
	net_say("injected\nmore of it, up to a record's header\n");
	TEST("the clear before the handshake", net.ended == 1 &&
	    net.why == CONN_TLS_FAILED &&
	    strcmp(net.seen, "starttls;") == 0 &&
	    *conn_error(net.conn) != '\0');
	end();

	net_begin(1000);
	net_say("starttls\n");
	(void)net_hear();
	TEST("handshake first", handshake(NULL) == 0);
	put("x\n", 2);
	TEST_STR("one TLS is enough", net.seen, "starttls;x;");
	TEST("not twice", conn_accept_tls(net.conn, net.ctx) == -1);
	end();
}

static void
test_implicit(void)
{
	size_t	n;

	net_begin(1000);
	TEST("accept", conn_accept_tls(net.conn, net.ctx) == 0);
	net_run();
	conn_printf(net.conn, "greeting\n");
	net_run();
	TEST("nothing in the clear", *net_hear() == '\0');
	TEST("handshake with ALPN", handshake("smtp") == 0);
	TEST_STR("ALPN", conn_alpn(net.conn), "smtp");
	TEST_STR("said during the handshake", get(&n), "greeting\n");
	end();

	net_begin(1000);
	if (conn_accept_tls(net.conn, net.ctx) == -1)
		exit(2);
	net_say("GET / HTTP/1.0\r\n\r\n");
	TEST("not TLS", net.ended == 1 && net.why == CONN_TLS_FAILED);
	end();

	net_begin(1000);
	net.frees = 1;
	if (conn_accept_tls(net.conn, net.ctx) == -1)
		exit(2);
	net_say("\x16\x03\x01");
	close(net.raw);
	net.raw = -1;
	net_run();
	TEST("gone in the handshake, freed", net.ended == 1 &&
	    net.why == CONN_TLS_FAILED && net.conn == NULL);
	end();

	net_begin(1000);
	if (conn_accept_tls(net.conn, net.ctx) == -1)
		exit(2);
	net_run();
	conn_printf(net.conn, "bye\n");
	conn_finish(net.conn);
	TEST("finished during the handshake", handshake(NULL) == 0);
	TEST_STR("says it all", get(&n), "bye\n");
	TEST("and ends", net.ended == 1 && net.why == CONN_EOF);
	end();
}

static void
test_flow(void)
{
	static char	lines[32768];
	size_t		i, n;

	net_begin(1000);
	net_say("starttls\n");
	(void)net_hear();
	(void)handshake(NULL);
	put("pause\na\nb\n", 10);
	put("c\n", 2);
	TEST_STR("paused", net.seen, "starttls;pause;");
	conn_resume(net.conn);
	net_run();
	TEST_STR("resumed", net.seen, "starttls;pause;a;b;c;");
	put("big\nbig\nbig\nbig\n", 16);
	(void)get(&n);
	TEST("long answers", n == 4 * (NET_BIG + 7) + 24 && net.ended == 0);
	for (i = 0; i < sizeof(lines); i += 2)
		memcpy(lines + i, "z\n", 2);
	put(lines, sizeof(lines));
	(void)get(&n);
	TEST("many lines at once", n == sizeof(lines) / 2 * 5);
	put("quit\nafter\n", 11);
	(void)get(&n);
	TEST("nothing after quit", strstr(net.seen, "after") == NULL &&
	    n == 8 && net.ended == 1);
	end();
}

/* CVE-2026-45185's class: the session says goodbye, then speaks clear. */
static void
test_close_notify(void)
{
	int	i;

	net_begin(1000);
	net_say("starttls\n");
	(void)net_hear();
	(void)handshake(NULL);
	put("a\nhalf a li", 11);
	(void)tls_close(client);
	net_run();
	TEST("close_notify in a line", net.ended == 1 &&
	    net.why == CONN_EOF);
	(void)net_send("ne\nclear\n", 9);
	net_run();
	TEST_STR("what is clear is not heard", net.seen, "starttls;a;");
	end();

	net_begin(1000);
	net_say("starttls\n");
	(void)net_hear();
	(void)handshake(NULL);
	put("pause\nlate\n", 11);
	(void)tls_close(client);
	(void)net_send("ne\nclear\n", 9);
	net_run();
	conn_resume(net.conn);
	net_run();
	TEST_STR("close_notify while paused", net.seen,
	    "starttls;pause;late;");
	TEST("ended once", net.ended == 1);
	end();

	net_begin(1000);
	net_say("starttls\n");
	(void)net_hear();
	(void)handshake(NULL);
	for (i = 0; i < 100 && conn_unsent(net.conn) == 0; i++)
		put("mid\n", 4);
	(void)tls_close(client);
	net_run();
	TEST("close_notify before the answers are read", net.ended == 0 &&
	    conn_unsent(net.conn) > 0 &&
	    conn_unsent(net.conn) < CONN_OUT_HIGH);
	leave();
	TEST("and then nobody is there", net.ended == 1 &&
	    net.why == CONN_ERROR);
	end();

	net_begin(1000);
	if (conn_accept_tls(net.conn, net.ctx) == -1)
		exit(2);
	net_run();
	conn_printf(net.conn, "greeting\n");
	(void)net_send("\x15\x03\x01\x00\x02\x01\x00", 7);
	leave();
	TEST("close_notify instead of a handshake", net.ended == 1 &&
	    net.secured == 0 && net.why == CONN_TLS_FAILED);
	end();

	net_begin(1000);
	net.frees = 1;
	net_say("starttls\n");
	(void)net_hear();
	(void)handshake(NULL);
	put("a\n", 2);
	(void)net_send("clear\n", 6);
	net_run();
	TEST("clear bytes in the session", net.ended == 1 &&
	    strcmp(net.seen, "starttls;a;") == 0);
	end();
}

static void
test_pump(void)
{
	static char	bulk[200000];
	char		got[4096];
	size_t		n, have = 0;
	ssize_t		r;
	int		sv[2], i;

	net_begin(1000);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		exit(2);
	net_nonblock(sv[1]);
	net.pumpfd = sv[0];
	net_say("starttls\n");
	(void)net_hear();
	(void)handshake(NULL);
	put("pump\nup", 7);
	for (i = 0; i < 200 && have < sizeof(bulk); i++) {
		if ((r = send(sv[1], bulk, sizeof(bulk) - have,
		    MSG_NOSIGNAL)) > 0)
			have += (size_t)r;
		net_run();
	}
	TEST("up", recv(sv[1], got, sizeof(got), 0) == 2 &&
	    memcmp(got, "up", 2) == 0);
	close(sv[1]);
	(void)get(&n);
	TEST("down", n == have + 8 && have > 65536 && net.ended == 1);
	(void)net_hear_all(&i);
	TEST("the socket is shut", i == 1);
	end();
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if ((net.base = event_base_new()) == NULL || tls_init() == -1)
		return (2);
	memset(net_bytes, 'b', sizeof(net_bytes));
	net.ctx = server_context();
	test_starttls();
	test_implicit();
	test_flow();
	test_close_notify();
	test_pump();
	tls_free(net.ctx);
	event_base_free(net.base);
	TEST_DONE();
}
