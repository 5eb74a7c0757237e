/*
 * check: is what the tls statements name fit for use?
 */
#ifndef MAILCTL_CHECK_H
#define MAILCTL_CHECK_H

#include <stdio.h>

struct conf;

/*
 * Each certificate: readable, in its dates, for its name, with its own key.
 * Says what is wrong on f, one line each; returns how many are.
 */
unsigned int	check_certificates(const struct conf *, FILE *f);

#endif
