/*
 * wire: a DNS answer in wire format (RFC 1035 section 4) made into records.
 *
 * Whoever answers for a domain chooses these bytes.  What comes out are host
 * names of letters, digits, '-' and '_' only, and addresses as text; a record
 * with any other name is left out.
 */
#ifndef DNS_WIRE_H
#define DNS_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define DNS_NAME	256	/* a name as text, terminated */
#define DNS_RECORDS	64	/* more are left out */

#define DNS_WIRE_A	1
#define DNS_WIRE_NS	2
#define DNS_WIRE_CNAME	5
#define DNS_WIRE_PTR	12
#define DNS_WIRE_MX	15
#define DNS_WIRE_AAAA	28

struct dns_record {
	unsigned int	pref;		/* of MX */
	char		name[DNS_NAME];	/* "." is the root; or an address */
};

struct dns_answer {
	unsigned int		rcode;	/* RFC 1035 4.1.1 */
	uint32_t		ttl;	/* smallest of what was followed */
	unsigned int		found;	/* records of the type, usable or not */
	size_t			n;
	struct dns_record	rec[DNS_RECORDS];
};

/*
 * The records of type that answer the question, CNAMEs followed.  -1 if the
 * packet is malformed, or the chain of CNAMEs too long.
 */
int	dns_wire_parse(const void *, size_t, unsigned int type,
	    struct dns_answer *);
/*
 * The name at *off as text, without a final dot; *off moves past it.  0, 1 if
 * it is no host name (out is then empty), -1 if it is malformed.
 */
int	dns_wire_name(const void *, size_t, size_t *off, char out[DNS_NAME]);
/* Is it a host name as a record may hold it? */
int	dns_name_ok(const char *);
/* Where the PTR of a literal address is; -1 if it is none. */
int	dns_reverse_name(const char *addr, char *, size_t);
/* The same in a zone that lists addresses (RFC 5782 2.1, 2.4). */
int	dns_reverse_under(const char *addr, const char *zone, char *, size_t);

#endif
