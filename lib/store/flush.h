/*
 * flush: making a folder's changes durable.
 */
#ifndef STORE_FLUSH_H
#define STORE_FLUSH_H

#include "store/folder.h"

enum store_error folder_flush(struct folder *);

#endif
