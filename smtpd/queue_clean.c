/*
 * queue_clean: keeps the journal in proportion to what is needed of it.
 *
 * Segments go oldest first.  When the journal is more than twice as large as
 * what is alive in it, the messages that hold up the oldest segment are
 * written once more at its end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "log/log.h"
#include "smtpd/queue.h"

#define CLEAN_STEP	256		/* messages moved at a time */
#define CLEAN_KEEP	4		/* segments that are always allowed */

static int	cleaning;		/* copies under way */

struct move {
	uint64_t		 id;
	struct journal_place	 from, to;
};

/* Until the copy is on the disk the old place is the one that is read. */
static void
moved(void *arg, int error)
{
	struct move	*mv = arg;
	struct message	*m = message_find(mv->id);

	cleaning--;
	if (error != 0) {
		log_warnx("journal: moving a message: %s", strerror(error));
		(void)message_live(-(int64_t)mv->to.len);
	} else if (m != NULL) {
		m->place = mv->to;
		(void)message_live(-(int64_t)mv->from.len);
	} else
		(void)message_live(-(int64_t)mv->to.len);
	free(mv);
}

static int
move_text(struct message *m, struct move *mv, const char *text, size_t len)
{
	int	ret;

	mv->id = m->id;
	mv->from = m->place;
	cleaning++;
	ret = message_store(m, text, len, NULL, moved, mv);
	mv->to = m->place;
	m->place = mv->from;
	if (ret == -1)
		cleaning--;
	return (ret);
}

/* A bad text must not get a good checksum. */
static int
is_rotten(uint32_t crc, const char *text, size_t len)
{
	if (len == 0 || crc32(crc32(0, NULL, 0), (const Bytef *)text, len) ==
	    crc)
		return (0);
	errno = EBADMSG;
	return (1);
}

static int
move(struct message *m)
{
	struct move	*mv;
	uint32_t	 head[2];
	char		*text = NULL;
	size_t		 len = m->env.spooled ? 0 : m->env.size;

	if ((mv = calloc(1, sizeof(*mv))) == NULL)
		return (-1);
	if (journal_read(&m->place, 0, head, sizeof(head)) !=
	    (ssize_t)sizeof(head) || (text = malloc(len + 1)) == NULL ||
	    journal_read(&m->place, 8 + (size_t)head[0], text, len) !=
	    (ssize_t)len || is_rotten(head[1], text, len) ||
	    move_text(m, mv, text, len) == -1) {
		free(text);
		free(mv);
		return (-1);
	}
	free(text);
	return (0);
}

static int
should_clean(void)
{
	uint64_t	all = journal_bytes();

	return (all > (uint64_t)CLEAN_KEEP * JOURNAL_SEGMENT &&
	    all > 2 * message_live(0) + (uint64_t)CLEAN_KEEP * JOURNAL_SEGMENT);
}

void
messages_clean(void)
{
	struct message	*m;
	uint64_t	 needed = journal_newest();
	int		 n = 0;

	if (cleaning > 0 || !should_clean())
		return;
	for (m = message_first(); m != NULL; m = message_next(m))
		if (m->committed && m->place.seg < needed)
			needed = m->place.seg;
	if (journal_oldest() < needed) {
		while (journal_oldest() < needed && journal_bytes() >
		    (uint64_t)CLEAN_KEEP * JOURNAL_SEGMENT)
			journal_drop_oldest();
		return;
	}
	for (m = message_first(); m != NULL; m = message_next(m)) {
		if (!m->committed || m->place.seg != needed)
			continue;
		if (move(m) == -1) {
			log_warn("journal: cannot move a message");
			return;
		}
		if (++n == CLEAN_STEP)
			return;
	}
}
