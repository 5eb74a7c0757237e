/*
 * build_test: tests of rules and routes.
 */
#ifndef CONF_BUILD_TEST_H
#define CONF_BUILD_TEST_H

#include "conf/lex.h"

struct build;

void	build_test(struct build *);
void	build_test_from(struct build *, const struct word *);
void	build_test_tls(struct build *);
void	build_test_auth(struct build *, const struct word *);
void	build_test_helo(struct build *, const struct word *);
void	build_test_sender(struct build *, const struct word *);
void	build_test_to(struct build *, const struct word *);
void	build_test_expect(struct build *, const char *);
void	build_test_end(struct build *);

#endif
