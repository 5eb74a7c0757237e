/*
 * compat: what OpenBSD's libc has and others keep in libbsd.
 */
#ifndef OS_COMPAT_H
#define OS_COMPAT_H

#ifdef __linux__
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <bsd/unistd.h>
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#else
#include <sys/queue.h>
#include <sys/tree.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#endif

#endif
