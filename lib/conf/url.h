/*
 * url: the next hop of a relay route, "smtp+tls://label@host:587".
 */
#ifndef CONF_URL_H
#define CONF_URL_H

#include "conf/conf.h"

/* -1 if it is none.  The strings are malloc'ed; the caller frees them on 0. */
int		 url_parse(const char *, struct conf_url *);
/* "smtp+tls://" */
const char	*url_prefix(enum conf_scheme);

#endif
