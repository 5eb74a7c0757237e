/*
 * values: what numbers in the fields of smtpd's messages mean.
 */
#ifndef SMTPD_VALUES_H
#define SMTPD_VALUES_H

/* body: what the text needs; 0 is seven bits and short lines */
#define BODY_7BIT	0
#define BODY_8BITMIME	1
#define BODY_BINARYMIME	2
/* ret: what of the text a report returns; 0 the client did not say */
#define RET_FULL	1
#define RET_HDRS	2
/* notify: 0 the client did not say */
#define NOTIFY_NEVER	1
#define NOTIFY_SUCCESS	2
#define NOTIFY_FAILURE	4
#define NOTIFY_DELAY	8

/* DELIVERY_OPEN kind: a mailbox, or whose command it is */
#define COMMAND_NONE	0
#define COMMAND_ALIAS	1
#define COMMAND_FORWARD	2

/* DNS_ASK type */
#define DNS_A		0
#define DNS_AAAA	1
#define DNS_MX		2
#define DNS_PTR		3
/* DNS_DONE status */
#define DNS_OK		0
#define DNS_NODATA	1	/* the name is there, records of the type not */
#define DNS_NXDOMAIN	2
#define DNS_TEMPFAIL	3
#define DNS_BOGUS	4	/* validation failed: a temporary error */

#endif
