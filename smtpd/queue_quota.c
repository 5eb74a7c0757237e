/*
 * queue_quota: mailboxes that are nearly full, as their deliverers last said.
 *
 * So that their mail is refused while the client is there, and not returned
 * later.  Only those more than half full are kept, QUOTAS_MAX of them; the one
 * that was told of longest ago goes.  What is FRESH seconds old is not believed
 * any more: the client is told to come again, and the mailbox's process is
 * asked meanwhile, as the owner may have made room.
 *
 * They are kept in the file "quotas" of the spool over a restart, old then:
 *
 *	quotas 2 CRC
 *	USED LIMIT MESSAGES MAX USER DOMAIN LABEL	told of last at the end
 *
 * It is a hint: written now and then, not synced, and not believed if its
 * checksum does not fit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "buf/buf.h"
#include "log/log.h"
#include "smtpd/queue.h"
#include "smtpd/queue_quota.h"

#define QUOTAS_MAX	10000
#define FRESH		20
#define SAVE_SECONDS	30
#define FILE_NAME	"quotas"
#define FILE_MAX	(QUOTAS_MAX * 1024)	/* bytes */
#define KEY_MAX		(2 * C_USER + C_DOMAIN + 2)

struct quota {
	RB_ENTRY(quota)		 entry;
	TAILQ_ENTRY(quota)	 age;		/* told of last at the end */
	char			*key;
	struct quota_fill	 fill;
	time_t			 told;
};
RB_HEAD(quotas, quota);

static int	by_key(struct quota *, struct quota *);

RB_PROTOTYPE(quotas, quota, entry, by_key)
RB_GENERATE(quotas, quota, entry, by_key)

static struct {
	struct quotas		 all;
	TAILQ_HEAD(, quota)	 ages;
	size_t			 n;
	int			 changed;	/* since it was saved */
	time_t			 saved;
} self = { .all = RB_INITIALIZER(&self.all),
	.ages = TAILQ_HEAD_INITIALIZER(self.ages) };

static int
by_key(struct quota *a, struct quota *b)
{
	return (strcmp(a->key, b->key));
}

static struct quota *
find(const struct place *p)
{
	char		 key[KEY_MAX];
	struct quota	 q = { .key = key };

	(void)snprintf(key, sizeof(key), "%s %s %s", p->user, p->host,
	    p->label);
	return (RB_FIND(quotas, &self.all, &q));
}

static void
forget(struct quota *q)
{
	RB_REMOVE(quotas, &self.all, q);
	TAILQ_REMOVE(&self.ages, q, age);
	self.n--;
	free(q->key);
	free(q);
}

/* Takes key over. */
static struct quota *
add(char *key)
{
	struct quota	*q;

	if (self.n == QUOTAS_MAX)
		forget(TAILQ_FIRST(&self.ages));
	if (key == NULL || (q = calloc(1, sizeof(*q))) == NULL) {
		free(key);
		return (NULL);
	}
	q->key = key;
	if (RB_INSERT(quotas, &self.all, q) != NULL) {
		free(key);
		free(q);
		return (NULL);
	}
	TAILQ_INSERT_TAIL(&self.ages, q, age);
	self.n++;
	return (q);
}

static char *
key_of(const struct place *p)
{
	char	*key;

	return (asprintf(&key, "%s %s %s", p->user, p->host, p->label) == -1 ?
	    NULL : key);
}

void
quota_told(const struct place *p, const struct quota_fill *f)
{
	struct quota	*q = find(p);

	if ((f->limit == 0 || f->used < f->limit / 2) &&
	    (f->max_messages == 0 || f->messages < f->max_messages / 2)) {
		if (q != NULL) {
			forget(q);
			self.changed = 1;
		}
		return;
	}
	if (q == NULL && (q = add(key_of(p))) == NULL)
		return;			/* no memory: nobody knows */
	self.changed |= memcmp(&q->fill, f, sizeof(*f)) != 0;
	TAILQ_REMOVE(&self.ages, q, age);
	TAILQ_INSERT_TAIL(&self.ages, q, age);
	q->fill = *f;
	q->told = queue_now();
}

static int
has_room(const struct quota_fill *f, uint64_t size)
{
	return ((f->limit == 0 || (f->used < f->limit &&
	    size <= f->limit - f->used)) && (f->max_messages == 0 ||
	    f->messages < f->max_messages));
}

const char *
quota_refusal(const struct place *p, uint64_t size)
{
	struct quota	*q = find(p);

	if (q == NULL || has_room(&q->fill, size))
		return (NULL);
	if (queue_now() - q->told <= FRESH)
		return ("552 5.2.2 the mailbox is full");
	local_ask_quota(p);
	return ("452 4.2.2 the mailbox was full, try again later");
}

/* One line, without its end; what is wrong is left out. */
static void
load_line(char *line)
{
	struct quota		*q;
	unsigned long long	 used, limit, messages, max;
	int			 n;

	if (sscanf(line, "%llu %llu %llu %llu %n", &used, &limit, &messages,
	    &max, &n) != 4 || (limit == 0 && max == 0) ||
	    strlen(line + n) >= KEY_MAX || (q = add(strdup(line + n))) == NULL)
		return;
	q->fill = (struct quota_fill){ used, limit, messages, max };
	q->told = queue_now() - FRESH - 1;
}

void
quotas_load(void)
{
	char		*text, *p, *line;
	size_t		 len;
	unsigned long	 crc;
	int		 fd, n = 0;

	if ((fd = openat(queue_spool(), FILE_NAME, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW)) == -1) {
		if (errno != ENOENT)
			log_warn(FILE_NAME);
		return;
	}
	text = role_slurp(fd, FILE_MAX, &len);
	close(fd);
	if (text == NULL || sscanf(text, "quotas 2 %lx%n", &crc, &n) != 1 ||
	    text[n] != '\n' || crc != crc32(0, (const Bytef *)text + n + 1,
	    (uInt)(len - (size_t)n - 1))) {
		log_warnx(FILE_NAME ": damaged; which mailboxes are full is "
		    "learnt anew");
		free(text);
		return;
	}
	for (p = text + n + 1; (line = strsep(&p, "\n")) != NULL; )
		if (*line != '\0')
			load_line(line);
	free(text);
}

static int
print_all(struct buf *b)
{
	struct quota	*q;

	TAILQ_FOREACH(q, &self.ages, age)
		if (strchr(q->key, '\n') == NULL && buf_printf(b,
		    "%llu %llu %llu %llu %s\n",
		    (unsigned long long)q->fill.used,
		    (unsigned long long)q->fill.limit,
		    (unsigned long long)q->fill.messages,
		    (unsigned long long)q->fill.max_messages, q->key) == -1)
			return (-1);
	return (0);
}

static int
write_file(const void *data, size_t len)
{
	char	head[32];
	int	fd, n, ok;

	n = snprintf(head, sizeof(head), "quotas 2 %lx\n", len == 0 ? 0UL :
	    crc32(0, data, (uInt)len));
	if ((fd = openat(queue_spool(), FILE_NAME ".new", O_WRONLY | O_CREAT |
	    O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) == -1)
		return (-1);
	ok = write(fd, head, (size_t)n) == n &&
	    (len == 0 || write(fd, data, len) == (ssize_t)len);
	if (close(fd) == -1 || !ok)
		return (-1);
	return (renameat(queue_spool(), FILE_NAME ".new", queue_spool(),
	    FILE_NAME));
}

void
quotas_save(int now)
{
	static struct log_limit	told;
	struct buf		b;

	if (!self.changed || queue_no_room() != NULL ||
	    (!now && queue_now() - self.saved < SAVE_SECONDS))
		return;
	self.saved = queue_now();
	buf_init(&b, FILE_MAX);
	if (print_all(&b) == 0 && write_file(buf_data(&b),
	    buf_len(&b)) == 0)
		self.changed = 0;
	else if (log_allowed(&told))
		log_warn(FILE_NAME);
	buf_free(&b);
}
