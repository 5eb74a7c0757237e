/*
 * sync: what other programs did to a folder's files.
 */
#ifndef STORE_SYNC_H
#define STORE_SYNC_H

#include "store/folder.h"
#include "store/seeds.h"

/* Bring the index up to date; costs four system calls if nothing changed. */
enum store_error folder_sync(struct folder *, int force);

#define SCAN_NEW	0x01
#define SCAN_CUR	0x02
#define SCAN_FIRST	0x04		/* with a UIDVALIDITY that is new */
/* Read directories; the folder is locked.  seeds may be NULL. */
enum store_error folder_scan(struct folder *, int what, const struct seeds *);

#endif
