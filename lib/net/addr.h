/*
 * addr: addresses, networks and ports.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <sys/socket.h>
#include <netinet/in.h>
#include <stdint.h>

#define ADDR_TEXT	64		/* "[2001:db8::1]:65535" and more */

/* A network: 4 or 16 significant bytes; v4-mapped v6 counts as v4. */
struct addr_net {
	int		family;
	unsigned char	bytes[16];
	unsigned int	bits;
	int		negated;	/* written with a '!' */
};

/* "10.0.0.0/8", "::1", "!10.9.0.0/16"; -1 if it is none or has host bits. */
int	addr_net_parse(struct addr_net *, const char *);
void	addr_net_print(const struct addr_net *, char *, size_t);
/* 1 if addr (text, no port) lies in it, else 0. */
int	addr_net_has(const struct addr_net *, const char *addr);
/*
 * First the negated ones: 0 if any has it; then 1 if any other has it.
 */
int	addr_nets_have(const struct addr_net *, size_t, const char *addr);
/* The address without the port, v4-mapped written as v4. */
void	addr_text(const struct sockaddr *, socklen_t, char *, size_t);
unsigned int addr_port(const struct sockaddr *);
/* Text and port to a sockaddr; -1 if text is no literal address. */
int	addr_parse(const char *, unsigned int port, struct sockaddr_storage *,
	    socklen_t *);
int	addr_is_loopback(const char *);

#endif
