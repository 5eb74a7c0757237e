/*
 * pop3ids: what the POP3 clients of a Dovecot knew messages by, if these are
 * not the ids that its format gives: those of a server before it, or of another
 * format (its pop3_save_uidl).  They stay in its list, by UID.
 *
 * Cost: nothing without such a list; else it is read whenever somebody asks,
 * and taken apart if there seems to be such an id in it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/file.h"
#include "store/pop3ids.h"
#include "store/recover.h"
#include "store/uidlist.h"
#include "store/view.h"

struct pop3_ids {
	struct seeds	 seeds;		/* by UID, ascending */
	struct nametab	 tab;		/* of the ids */
	char		 text[POP3_ID_MAX + 1];
};

static int ids_parse(struct mailbox *, char *, size_t, struct pop3_ids *);
static int ids_once(struct pop3_ids *);
static int ids_match(void *, uint32_t, const char *, size_t);

int
mailbox_pop3_ids(struct mailbox *mb, struct pop3_ids **idsp)
{
	struct pop3_ids *ids;
	char *data;
	size_t len;
	int ret, save;

	*idsp = NULL;
	if (mb->mbox != NULL)
		return (0);
	data = file_read(mb->f->dir, UIDLIST_FILE, UIDLIST_MAX, &len);
	if (data == NULL)
		return (recover_unknown(errno) ? -1 : 0);
	if (memmem(data, len, " P", 2) == NULL) {
		free(data);
		return (0);
	}
	if ((ids = calloc(1, sizeof(*ids))) == NULL) {
		free(data);
		return (-1);
	}
	ret = ids_parse(mb, data, len, ids);
	save = errno;
	free(data);
	if (ret == 1)
		*idsp = ids;
	else
		pop3_ids_free(ids);
	errno = save;
	return (ret == -1 ? -1 : 0);
}

/* 1, or 0 if it is not a list of this mailbox. */
static int
ids_parse(struct mailbox *mb, char *data, size_t len, struct pop3_ids *ids)
{
	uint32_t validity = 0, next = 0;

	if (uidlist_parse(data, len, &ids->seeds, &validity, &next) == -1)
		return (errno == EBADMSG ? 0 : -1);
	if (validity != mb->uidvalidity)
		return (0);
	return (ids_once(ids) == -1 ? -1 : 1);
}

/* A second message with the same id would not be fetched: it gets another. */
static int
ids_once(struct pop3_ids *ids)
{
	struct seeds *s = &ids->seeds;
	uint32_t value;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->list[i].pop3len == 0)
			continue;
		if (nametab_find(&ids->tab, s->names + s->list[i].pop3,
		    s->list[i].pop3len, ids_match, s, &value) == 0)
			s->list[i].pop3len = 0;
		else if (nametab_add(&ids->tab, s->names + s->list[i].pop3,
		    s->list[i].pop3len, (uint32_t)i) == -1)
			return (-1);
	}
	return (0);
}

static int
ids_match(void *arg, uint32_t value, const char *id, size_t len)
{
	const struct seeds *s = arg;

	return (s->list[value].pop3len == len &&
	    memcmp(s->names + s->list[value].pop3, id, len) == 0);
}

const char *
pop3_ids_find(struct pop3_ids *ids, uint32_t uid)
{
	const struct seeds *s = &ids->seeds;
	size_t low = 0, high = s->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (s->list[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == s->n || s->list[low].uid != uid ||
	    s->list[low].pop3len == 0)
		return (NULL);
	memcpy(ids->text, s->names + s->list[low].pop3,
	    s->list[low].pop3len);
	ids->text[s->list[low].pop3len] = '\0';
	return (ids->text);
}

int
pop3_ids_has(struct pop3_ids *ids, const char *id)
{
	uint32_t value;

	return (nametab_find(&ids->tab, id, strlen(id), ids_match,
	    &ids->seeds, &value) == 0);
}

void
pop3_ids_free(struct pop3_ids *ids)
{
	if (ids == NULL)
		return;
	seeds_free(&ids->seeds);
	nametab_free(&ids->tab);
	free(ids);
}
