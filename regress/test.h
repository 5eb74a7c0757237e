/*
 * test: one line a case, "ok NAME" or "not ok NAME: why"; the count of
 * failures is the exit status of main().
 */
#ifndef REGRESS_TEST_H
#define REGRESS_TEST_H

#include <stdio.h>
#include <string.h>

static int test_failed;

#define TEST(name, cond) do {						\
	if (cond)							\
		printf("ok %s\n", name);				\
	else {								\
		printf("not ok %s: %s:%d: %s\n", name, __FILE__,	\
		    __LINE__, #cond);					\
		test_failed = 1;					\
	}								\
} while (0)

#define TEST_STR(name, got, want) do {					\
	const char *g_ = (got), *w_ = (want);				\
	if (g_ != NULL && strcmp(g_, w_) == 0)				\
		printf("ok %s\n", name);				\
	else {								\
		printf("not ok %s: %s:%d: got \"%s\", want \"%s\"\n",	\
		    name, __FILE__, __LINE__, g_ ? g_ : "(null)", w_);	\
		test_failed = 1;					\
	}								\
} while (0)

#define TEST_DONE() return (test_failed)

#endif
