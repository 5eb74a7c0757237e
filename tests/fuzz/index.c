/*
 * The store's files as anybody with the user's rights could write them.  The
 * first byte says what the rest is: an index, changes to a good index (with
 * its checksums made right again), a dovecot-uidlist, file names, an mbox,
 * changes to a good cache.
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/cache_entry.h"
#include "store/hash.h"
#include "store/index.h"
#include "store/index_map.h"
#include "store/info.h"
#include "store/mboxfile.h"
#include "store/name.h"
#include "store/store.h"
#include "store/uidlist.h"

#define MESSAGES	4
#define CACHE_FIRST	64		/* where its entries begin */
#define INDEX_SIZE	(RECORD_OFFSET + 64 * RECORD_SIZE)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int root = -1;
static char path[] = "/tmp/postern-fuzz.XXXXXXXXXX";
static unsigned char good[INDEX_SIZE];
static unsigned char cache[4096];
static size_t cachelen;

static void
cleanup(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", path);
	if (system(command) != 0)
		perror(path);
}

static struct store *
open_store(void)
{
	const struct store_settings set = { .user = "u", .hostname = "h" };
	struct store *st;

	if (store_open(&st, root, "m", &set, STORE_CREATE) != STORE_OK)
		abort();
	return (st);
}

static void
prepare(void)
{
	struct append *a;
	struct store *st;
	uint32_t uid, validity;
	ssize_t n;
	int fd, i;

	if (mkdtemp(path) == NULL ||
	    (root = open(path, O_RDONLY | O_DIRECTORY)) == -1)
		abort();
	(void)atexit(cleanup);
	st = open_store();
	for (i = 0; i < MESSAGES; i++) {
		if (append_begin(st, "INBOX", i, MSG_SEEN, NULL, &a) !=
		    STORE_OK || append_write(a, "a: b\n\n", 6) != STORE_OK ||
		    append_commit(&a, 1, &uid, &validity) != STORE_OK)
			abort();
	}
	store_close(st);
	fd = openat(root, "m/postern.index", O_RDONLY);
	if (fd == -1 || read(fd, good, sizeof(good)) < RECORD_OFFSET)
		abort();
	close(fd);
	fd = openat(root, "m/postern.cache", O_RDONLY);
	if (fd == -1 || (n = read(fd, cache, sizeof(cache))) <
	    (ssize_t)(CACHE_FIRST + sizeof(struct cache_entry)))
		abort();
	cachelen = (size_t)n;
	close(fd);
}

static void
put_file(const char *name, const void *data, size_t len)
{
	int fd;

	(void)unlinkat(root, name, 0);
	fd = openat(root, name, O_WRONLY | O_CREAT, 0600);
	if (fd == -1 || write(fd, data, len) != (ssize_t)len)
		abort();
	close(fd);
}

/* Every byte that a session would send. */
static void
read_items(struct mailbox *mb, uint32_t seq)
{
	static volatile unsigned char seen;
	struct store_cached c;
	size_t j;
	int i;

	if (mailbox_cached(mb, seq, CACHED_ALL, &c) != STORE_OK)
		return;
	for (i = 0; i < CACHED_ITEMS; i++)
		for (j = 0; j < c.item[i].len; j++)
			seen ^= (unsigned char)c.item[i].p[j];
}

/* Use the mailbox as a session would. */
static void
use(void)
{
	struct mailbox_status s;
	struct message_text t;
	struct mailbox *mb;
	struct store *st = open_store();
	uint32_t seq;

	if (mailbox_open(st, "INBOX", 0, &mb) == STORE_OK) {
		mailbox_status(mb, &s);
		for (seq = 1; seq <= mailbox_count(mb) && seq < 16; seq++) {
			(void)mailbox_message(mb, seq);
			read_items(mb, seq);
			if (mailbox_message_text(mb, seq, &t) == STORE_OK)
				message_text_free(&t);
			(void)mailbox_store(mb, seq, FLAGS_SET,
			    seq & MSG_SEEN, seq & 3);
		}
		(void)mailbox_sync(mb, 0, NULL, NULL);
		mailbox_close(mb);
	}
	store_close(st);
}

/* Three bytes a change: where (two), what. */
static void
patched(const uint8_t *data, size_t len)
{
	static unsigned char copy[INDEX_SIZE];
	struct index_record *r;
	struct index_header *h;
	size_t i, at, name;

	memcpy(copy, good, sizeof(copy));
	for (i = 0; i + 3 <= len; i += 3) {
		at = (size_t)data[i] << 8 | data[i + 1];
		copy[at % sizeof(copy)] = data[i + 2];
	}
	for (i = 0; i < 2; i++) {
		h = (struct index_header *)(void *)(copy + i * HEADER_ROOM);
		h->sum = hash_bytes(h, offsetof(struct index_header, sum));
	}
	for (i = 0; i < MESSAGES + 4; i++) {
		r = (struct index_record *)(void *)(copy + RECORD_OFFSET +
		    i * RECORD_SIZE);
		name = r->fix.namelen <= 200 ? r->fix.namelen : 200;
		r->sum = hash_bytes(&r->fix, sizeof(r->fix)) * 3 +
		    hash_bytes(copy + RECORD_OFFSET + (i + 1) * RECORD_SIZE -
		    RECORD_NAME, name);
		r->mutsum = index_mut_sum(&r->mut);
	}
	put_file("m/postern.index", copy, sizeof(copy));
	use();
}

static void
cache_patched(const uint8_t *data, size_t len)
{
	static _Alignas(8) unsigned char copy[sizeof(cache)];
	struct cache_entry *e = (void *)(copy + CACHE_FIRST);
	size_t i;

	memcpy(copy, cache, cachelen);
	for (i = 0; i + 3 <= len; i += 3)
		copy[((size_t)data[i] << 8 | data[i + 1]) % cachelen] =
		    data[i + 2];
	cache_entry_own(e, e->uid, e->uidvalidity);
	put_file("m/postern.index", good, sizeof(good));
	put_file("m/postern.cache", copy, cachelen);
	use();
}

static void
uidlist(const uint8_t *data, size_t len)
{
	struct seeds seeds = { 0 };
	uint32_t validity = 0, next = 0;
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return;
	memcpy(copy, data, len);
	copy[len] = '\0';
	(void)uidlist_parse(copy, len, &seeds, &validity, &next);
	seeds_free(&seeds);
	free(copy);
}

static void
names(const uint8_t *data, size_t len)
{
	char text[512], out[STORE_NAME_MAX + 1], again[512];
	struct info info;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, data, len);
	text[len] = '\0';
	if (info_parse(text, &info) == 0 && info_format(text, info.baselen,
	    info.flags, info.keywords, info.extra, again) == -1)
		abort();
	if (name_from_dir(text, out, sizeof(out)) == 0 &&
	    (name_to_dir(out, again, sizeof(again)) == -1 ||
	    strcmp(again, text) != 0))
		abort();
	(void)name_to_dir(text, out, sizeof(out));
}

static void
mbox(const uint8_t *data, size_t len)
{
	struct mbox_text t = { 0 };
	char *out;
	size_t i, n;

	if ((t.data = malloc(len + 1)) == NULL)
		return;
	memcpy(t.data, data, len);
	t.data[len] = '\0';
	t.len = len;
	if (mboxtext_parse(&t) == 0) {
		(void)mboxtext_number(&t, 1);
		for (i = 0; i < t.n; i++) {
			if ((out = malloc(t.list[i].size + 1)) != NULL)
				mboxtext_export(&t, &t.list[i], out);
			free(out);
		}
		free(mboxtext_rewrite(&t, &n));
	}
	mboxtext_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (root == -1)
		prepare();
	if (len == 0)
		return (0);
	switch (data[0] % 6) {
	case 0:
		put_file("m/postern.index", data + 1, len - 1);
		use();
		break;
	case 1:
		patched(data + 1, len - 1);
		break;
	case 2:
		uidlist(data + 1, len - 1);
		break;
	case 3:
		names(data + 1, len - 1);
		break;
	case 4:
		mbox(data + 1, len - 1);
		break;
	case 5:
		cache_patched(data + 1, len - 1);
		break;
	}
	return (0);
}
