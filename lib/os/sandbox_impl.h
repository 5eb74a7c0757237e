/*
 * sandbox_impl: what the files of the sandbox share; nobody else includes it.
 */
#ifndef OS_SANDBOX_IMPL_H
#define OS_SANDBOX_IMPL_H

#include <stdint.h>

#include "os/sandbox.h"

/* The promises as bits, in the order of sandbox.c's words. */
#define SB_STDIO	0x00001U
#define SB_SENDFD	0x00002U
#define SB_RECVFD	0x00004U
#define SB_RPATH	0x00008U
#define SB_WPATH	0x00010U
#define SB_CPATH	0x00020U
#define SB_FATTR	0x00040U
#define SB_FLOCK	0x00080U
#define SB_INET		0x00100U
#define SB_ACCEPT	0x00200U
#define SB_DNS		0x00400U
#define SB_UNIX		0x00800U
#define SB_GETPW	0x01000U
#define SB_INOTIFY	0x02000U
#define SB_THREAD	0x04000U
#define SB_PROC		0x08000U
#define SB_EXEC		0x10000U
#define SB_ID		0x20000U
#define SB_SQLITE	0x40000U

/* Every promise with which a path can be opened or changed. */
#define SB_PATHS	(SB_RPATH | SB_WPATH | SB_CPATH | SB_FATTR | \
			    SB_GETPW | SB_SQLITE)
/* Every promise with which a socket can be made. */
#define SB_SOCKETS	(SB_INET | SB_DNS | SB_UNIX | SB_GETPW)

/* 0 and the bits, or -1 with EINVAL: unknown word, or no stdio. */
int	sandbox_parse(const char *, uint32_t *);

/* One of these per system; the arguments were checked. */
int	sandbox_sys_enter(const struct sandbox *, uint32_t);

#ifdef __linux__
/* sandbox_seccomp.c: 0 or -1; no_new_privs is set. */
int	sandbox_seccomp(uint32_t);
int	sandbox_seccomp_available(void);
/* sandbox_landlock.c: the SANDBOX_* bits reached or -1. */
int	sandbox_landlock(const struct sandbox *, uint32_t);
int	sandbox_landlock_abi(void);	/* 0: none */
#endif

#endif
