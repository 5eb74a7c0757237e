/*
 * What a session has been told, while others replace the index, damage it or
 * keep it locked.
 */
#include <sys/file.h>

#include "store.h"

#define MANY	600		/* so many expunged ones are compacted */
#define UNSIZED	40

static void
expunge_all(struct mailbox *mb)
{
	uint32_t *seqs, i, n = mailbox_count(mb);

	if ((seqs = calloc(n, sizeof(*seqs))) == NULL)
		exit(1);
	for (i = 0; i < n; i++)
		seqs[i] = i + 1;
	TEST("all expunged", mailbox_expunge(mb, seqs, n, NULL, NULL) ==
	    STORE_OK);
	free(seqs);
}

/* Nothing of what was told is in the new index; numbers hold all the same. */
static void
test_replaced(void)
{
	struct mailbox *a, *b;
	struct store *st, *other;
	struct told t;
	uint32_t uid;

	make_dirs("r");
	put_many("r", 0, MANY, ".x.host,S=5,W=6:2,S");
	st = open_store("r");
	other = open_store("r");
	a = open_box(st, "INBOX", 0);
	b = open_box(other, "INBOX", 0);
	/* Twice: the last record stays when others are compacted. */
	expunge_all(b);
	put_many("r", MANY, MANY, ".x.host,S=5,W=6:2,S");
	TEST("more", mailbox_sync(b, 0, NULL, NULL) == STORE_OK &&
	    mailbox_count(b) == MANY);
	expunge_all(b);
	TEST("append", append_text(other, "INBOX", "a: c\n\n", MSG_SEEN,
	    &uid) == STORE_OK && uid == 2 * MANY + 1);
	TEST_STR("numbers hold", sync_told(a, 1, &t), "=601/1 ");
	TEST("all have them", mailbox_count(a) == MANY + 1 &&
	    mailbox_message(a, 1)->gone &&
	    mailbox_seq_of_uid(a, uid) == MANY + 1);
	(void)sync_told(a, 0, &t);
	TEST("told", mailbox_count(a) == 1 &&
	    mailbox_seq_of_uid(a, uid) == 1);
	TEST_STR("once", sync_told(a, 0, &t), "");
	mailbox_close(a);
	mailbox_close(b);
	store_close(st);
	store_close(other);
}

static void
damage(const char *path, uint32_t slot)
{
	int fd = openat(scratch, path, O_RDWR);

	TEST("damaged", pwrite(fd, "\377", 1, 9216 + 192 * (off_t)slot + 10)
	    == 1);
	close(fd);
}

/* In the new index a message that we have is torn. */
static void
test_torn(void)
{
	struct mailbox *mb;
	struct store *st, *other;
	struct told t;
	uint32_t uid;
	int i, fd;

	st = open_store("t");
	other = open_store("t");
	for (i = 0; i < 3; i++)
		(void)append_text(st, "INBOX", "a: b\n\n", MSG_SEEN, &uid);
	mb = open_box(st, "INBOX", 0);
	TEST("rebuilt by others", store_rebuild(other, "INBOX") == STORE_OK);
	fd = openat(scratch, "t/postern.index", O_RDWR);
	TEST("torn", pwrite(fd, "\377", 1, 9216 + 192 + 56 + 17) == 1);
	close(fd);
	TEST("not gone", strchr(sync_told(mb, 0, &t), '-') == NULL &&
	    mailbox_count(mb) == 3 && mailbox_message(mb, 2)->uid == 2 &&
	    !mailbox_message(mb, 2)->gone);
	mailbox_close(mb);
	store_close(st);
	store_close(other);
}

static void
told_vanished(void *arg, uint32_t first, uint32_t last)
{
	struct told *t = arg;
	size_t len = strlen(t->text);

	snprintf(t->text + len, sizeof(t->text) - len, "%u:%u ", first, last);
}

/* The first to look at a damaged record is a search for another's UID. */
static void
test_damaged(void)
{
	struct mailbox *mb;
	struct store *st;
	struct told t = { "" };
	uint32_t uid;
	int i, bad = 0;

	st = open_store("d");
	for (i = 0; i < 9; i++)
		(void)append_text(st, "INBOX", "a: b\n\n", MSG_SEEN, &uid);
	mb = open_box(st, "INBOX", 0);
	mailbox_close(mb);
	store_close(st);
	st = open_store("d");
	mb = open_box(st, "INBOX", 0);
	damage("d/postern.index", 4);
	for (uid = 1; uid <= 9; uid++)
		bad += mailbox_seq_of_uid(mb, uid) != uid;
	TEST("found beside a damaged one", bad == 0);
	TEST("nothing lost", strchr(sync_told(mb, 0, &t), '-') == NULL &&
	    mailbox_count(mb) == 9);
	mailbox_close(mb);
	store_close(st);
	st = open_store("d");
	mb = open_box(st, "INBOX", 0);
	damage("d/postern.index", 4);
	t.text[0] = '\0';
	TEST("vanished", mailbox_vanished(mb, 0, told_vanished, &t) ==
	    STORE_OK);
	TEST_STR("none has vanished", t.text, "");
	mailbox_close(mb);
	store_close(st);
}

/* Sizes are told without the lock, and nobody waits long for it. */
static void
test_locked(void)
{
	const struct store_message *m;
	struct message_text text;
	struct timespec a, b;
	struct mailbox *mb;
	struct store *st;
	uint32_t seq;
	int fd, bad = 0;

	make_dirs("l");
	put_many("l", 0, UNSIZED, ".x.host:2,S");
	st = open_store("l");
	mb = open_box(st, "INBOX", 0);
	fd = openat(scratch, "l/postern.lock", O_RDWR);
	TEST("locked", fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (seq = 1; seq <= UNSIZED; seq++) {
		m = mailbox_facts(mb, seq, FACT_SIZE);
		bad += m == NULL || m->size != 6;
	}
	TEST("sizes without the lock", bad == 0);
	TEST("text without the lock", mailbox_message_text(mb, 1, &text) ==
	    STORE_OK && text.len == 6);
	message_text_free(&text);
	clock_gettime(CLOCK_MONOTONIC, &b);
	TEST("at once", b.tv_sec - a.tv_sec < 10);
	close(fd);
	(void)mailbox_facts(mb, 1, FACT_SIZE);
	mailbox_close(mb);
	mb = open_box(st, "INBOX", MAILBOX_READONLY);
	TEST("then kept", mailbox_facts(mb, 1, 0)->size == 6);
	mailbox_close(mb);
	store_close(st);
}

/* A session that sleeps hears of flags that changed when the index was lost. */
static void
test_thawed(void)
{
	struct mailbox_frozen z;
	struct store *st = open_store("z");
	struct mailbox *mb;
	struct told t;
	uint32_t uid;
	char from[NAME_MAX + 8], to[NAME_MAX + 16];

	(void)append_text(st, "INBOX", "a: b\n", 0, &uid);
	mb = open_box(st, "INBOX", 0);
	(void)sync_told(mb, 0, &t);
	TEST("frozen", mailbox_freeze(mb, &z) == STORE_OK);
	mailbox_close(mb);
	store_close(st);
	unlinkat(scratch, "z/postern.index", 0);
	snprintf(from, sizeof(from), "z/cur/%s", find_file("z/cur", ""));
	snprintf(to, sizeof(to), "%sF", from);
	move_file(from, to);
	st = open_store("z");
	mb = open_box(st, "INBOX", 0);
	/* No further than what it had seen of the old one. */
	z.modseq = mailbox_message(mb, 1)->modseq;
	mailbox_close(mb);
	TEST("thawed", mailbox_thaw(st, "INBOX", 0, &z, &mb) == STORE_OK);
	TEST_STR("told", sync_told(mb, 0, &t), "f1 ");
	mailbox_close(mb);
	store_close(st);
}

int
main(void)
{
	scratch_make();
	test_replaced();
	test_torn();
	test_damaged();
	test_locked();
	test_thawed();
	scratch_remove();
	TEST_DONE();
}
