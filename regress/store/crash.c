/*
 * Several processes at once, and processes that are killed at any moment: no
 * message that was committed is lost, no UID changes, batches are whole.
 */
#include "store.h"

#define ROUNDS		60
#define CHILDREN	2
#define PILED		20		/* messages that are moved around */
#define MESSAGES	100000		/* UIDs that the test keeps */

/* What children said, by UID: the message's number, plus 1. */
static uint32_t said[MESSAGES];
static unsigned char doubtful[MESSAGES];	/* its expunge was begun */

struct say {
	char		what;	/* A appended, E will be expunged */
	uint32_t	uid;
	uint32_t	number;
};

static void
say(int fd, char what, uint32_t uid, uint32_t number)
{
	struct say s = { what, uid, number };

	if (write(fd, &s, sizeof(s)) != (ssize_t)sizeof(s))
		_exit(1);
}

static void
batch(struct store *st, uint32_t number)
{
	struct append *a[3];
	char text[64];
	uint32_t uids[3], validity;
	int i;

	snprintf(text, sizeof(text), "Subject: %u\n\nbatch\n", number);
	for (i = 0; i < 3; i++) {
		if (append_begin(st, "Batch", 1, 0, NULL, &a[i]) != STORE_OK)
			_exit(2);
		(void)append_write(a[i], text, strlen(text));
	}
	if (append_commit(a, 3, uids, &validity) != STORE_OK)
		_exit(3);
}

/* A batch and its copy: three messages of each number, or none. */
static void
copy_batch(struct store *st)
{
	struct mailbox *mb = open_box(st, "Batch", 0);
	uint32_t seqs[3], uids[3], validity, n = mailbox_count(mb) / 3, i;

	if (n == 0) {
		mailbox_close(mb);
		return;
	}
	seqs[0] = 3 * ((uint32_t)random() % n) + 1;
	for (i = 1; i < 3; i++)
		seqs[i] = seqs[0] + i;
	if (mailbox_copy(mb, seqs, 3, "Batch", uids, &validity) != STORE_OK)
		_exit(9);
	mailbox_close(mb);
}

/* Some of the PILED from one pile to the other. */
static void
move_some(struct store *st)
{
	const char *from = random() % 2 ? "Pile" : "Heap";
	struct mailbox *mb = open_box(st, from, 0);
	uint32_t seqs[4], uids[4], validity, n = mailbox_count(mb), k, i;

	k = 1 + (uint32_t)random() % 4;
	if (n >= k) {
		seqs[0] = 1 + (uint32_t)random() % (n - k + 1);
		for (i = 1; i < k; i++)
			seqs[i] = seqs[0] + i;
		switch (mailbox_move(mb, seqs, k, strcmp(from, "Pile") == 0 ?
		    "Heap" : "Pile", uids, &validity, NULL, NULL)) {
		case STORE_OK:
		case STORE_GONE:	/* the other child was first */
			break;
		default:
			_exit(10);
		}
	}
	mailbox_close(mb);
}

/* Do things until killed. */
static void
child(int fd, uint32_t seed)
{
	struct store *st = open_store("m");
	struct mailbox *mb = open_box(st, "INBOX", 0);
	char text[64], id[32];
	uint32_t number = seed * 1000, uid, seq;

	srandom(seed);
	for (;; number++) {
		snprintf(text, sizeof(text), "Subject: %u\n\nx\n", number);
		switch (random() % 10) {
		case 0:
		case 1:
			if (append_text(st, "INBOX", text, 0, &uid) !=
			    STORE_OK)
				_exit(4);
			say(fd, 'A', uid, number);
			break;
		case 2:
			snprintf(id, sizeof(id), "d%u", number);
			if (deliver(st, "INBOX", id, text, 0) != STORE_OK)
				_exit(5);
			break;
		case 3:
			batch(st, number);
			break;
		case 4:
			if (mailbox_count(mb) < 20)
				break;
			seq = 1 + (uint32_t)random() % mailbox_count(mb);
			say(fd, 'E', mailbox_message(mb, seq)->uid, 0);
			if (mailbox_expunge(mb, &seq, 1, NULL, NULL) !=
			    STORE_OK)
				_exit(6);
			break;
		case 5:
			if (mailbox_sync(mb, 0, NULL, NULL) != STORE_OK)
				_exit(7);
			break;
		case 6:
			copy_batch(st);
			break;
		case 7:
			move_some(st);
			break;
		default:
			if (mailbox_count(mb) == 0)
				break;
			seq = 1 + (uint32_t)random() % mailbox_count(mb);
			switch (mailbox_store(mb, seq, random() % 2 ?
			    FLAGS_ADD : FLAGS_REMOVE, 1U << random() % 5,
			    1U << random() % 3)) {
			case STORE_OK:
			case STORE_NOENT:
				break;
			default:
				_exit(8);
			}
		}
	}
}

static void
listen_to(int fd)
{
	struct say s;

	while (read(fd, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.uid >= MESSAGES)
			continue;
		if (s.what == 'A')
			said[s.uid] = s.number + 1;
		else
			doubtful[s.uid] = 1;
	}
}

/* The number in a message's subject. */
static uint32_t
number_of(struct mailbox *mb, uint32_t seq)
{
	struct message_text t;
	const char *p;
	uint32_t n = 0;

	if (mailbox_message_text(mb, seq, &t) != STORE_OK)
		return (0);
	p = memmem(t.data, t.len, "Subject: ", 9);
	for (p = p == NULL ? "" : p + 9; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (uint32_t)(*p - '0');
	message_text_free(&t);
	return (n);
}

static int
check_inbox(struct store *st, uint32_t *seen, uint32_t *validity)
{
	struct mailbox *mb = open_box(st, "INBOX", 0);
	struct mailbox_status s, s2;
	const struct store_message *m;
	uint32_t seq, uid, number;
	uint64_t size;
	int bad = 0;

	mailbox_status(mb, &s);
	if (*validity != 0 && *validity != s.uidvalidity)
		bad |= 1;
	*validity = s.uidvalidity;
	if (store_status(st, "INBOX", &s2, &size) != STORE_OK ||
	    s.messages != s2.messages || s.unseen != s2.unseen ||
	    s.deleted != s2.deleted || mailbox_size(mb) != size)
		bad |= 2;
	for (seq = 1; seq <= mailbox_count(mb); seq++) {
		m = mailbox_message(mb, seq);
		uid = m->uid;
		number = number_of(mb, seq) + 1;
		if (uid >= MESSAGES)
			continue;
		/* What a session was once told stays so. */
		if (seen[uid] != 0 && seen[uid] != number)
			bad |= 4;
		if (said[uid] != 0 && said[uid] != number)
			bad |= 8;
		seen[uid] = number;
	}
	for (uid = 1; uid < MESSAGES; uid++)
		if ((said[uid] != 0 || seen[uid] != 0) && !doubtful[uid] &&
		    mailbox_seq_of_uid(mb, uid) == 0)
			bad |= 16;
	if (mailbox_count(mb) != (uint32_t)(count_files("m/cur") +
	    count_files("m/new")))
		bad |= 32;
	mailbox_close(mb);
	return (bad);
}

static int
check_batches(struct store *st)
{
	struct mailbox *mb = open_box(st, "Batch", 0);
	uint32_t seq, run = 0, last = 0, number;
	int bad = 0;

	for (seq = 1; seq <= mailbox_count(mb); seq++) {
		number = number_of(mb, seq);
		if (run > 0 && number != last)
			bad = 1;
		last = number;
		run = (run + 1) % 3;
	}
	if (run != 0)
		bad = 2;
	mailbox_close(mb);
	return (bad);
}

/* Each message is in one of the piles, whole. */
static int
check_piles(struct store *st)
{
	static const char *const pile[] = { "Pile", "Heap" };
	struct mailbox *mb;
	uint32_t seen[PILED + 1] = { 0 }, seq, n;
	size_t i;
	int bad = 0;

	for (i = 0; i < 2; i++) {
		mb = open_box(st, pile[i], 0);
		for (seq = 1; seq <= mailbox_count(mb); seq++) {
			n = number_of(mb, seq);
			if (n == 0 || n > PILED || seen[n]++)
				bad |= 1;
		}
		mailbox_close(mb);
	}
	for (n = 1; n <= PILED; n++)
		if (seen[n] != 1)
			bad |= 2;
	if (count_files("m/.Pile/cur") + count_files("m/.Heap/cur") != PILED)
		bad |= 4;
	return (bad);
}

static void
make_piles(struct store *st)
{
	char text[64];
	uint32_t uid, n;

	(void)store_create(st, "Pile");
	(void)store_create(st, "Heap");
	for (n = 1; n <= PILED; n++) {
		snprintf(text, sizeof(text), "Subject: %u\n\npiled\n", n);
		if (append_text(st, "Pile", text, 0, &uid) != STORE_OK)
			exit(1);
	}
}

static void
test_killed(void)
{
	static uint32_t seen[MESSAGES];
	struct store *st;
	char name[64];
	uint32_t validity = 0;
	pid_t pids[CHILDREN];
	int fds[2], i, round, status, bad, wrong = 0;

	st = open_store("m");
	(void)store_create(st, "Batch");
	make_piles(st);
	for (round = 0; round < ROUNDS; round++) {
		if (pipe(fds) == -1)
			exit(1);
		(void)fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
		for (i = 0; i < CHILDREN; i++) {
			if ((pids[i] = fork()) == 0) {
				close(fds[0]);
				child(fds[1], (uint32_t)(round * CHILDREN +
				    i + 1));
			}
		}
		close(fds[1]);
		usleep(1000 + (useconds_t)(random() % 30000));
		for (i = 0; i < CHILDREN; i++)
			kill(pids[i], SIGKILL);
		for (i = 0; i < CHILDREN; i++) {
			waitpid(pids[i], &status, 0);
			if (WIFEXITED(status))
				wrong = WEXITSTATUS(status);
		}
		listen_to(fds[0]);
		close(fds[0]);
		bad = check_inbox(st, seen, &validity);
		if (bad == 0 && (bad = check_batches(st) << 8) == 0 &&
		    (bad = check_piles(st) << 12) == 0)
			continue;
		snprintf(name, sizeof(name), "killed: round %d: %#x", round,
		    (unsigned int)bad);
		TEST(name, 0);
		break;
	}
	TEST("killed", round == ROUNDS);
	snprintf(name, sizeof(name), "no child failed (%d)", wrong);
	TEST(name, wrong == 0);
	store_close(st);
}

/* Two processes that finish: everything that they did is there. */
static void
test_together(void)
{
	struct mailbox_status s;
	struct mailbox *mb;
	struct store *st;
	uint32_t uid;
	pid_t pids[2];
	int i, j, status, ok = 1;

	st = open_store("t");
	for (i = 0; i < 20; i++)
		(void)append_text(st, "INBOX", "a: b\n\nc\n", 0, &uid);
	for (i = 0; i < 2; i++) {
		if ((pids[i] = fork()) != 0)
			continue;
		st = open_store("t");
		mb = open_box(st, "INBOX", 0);
		for (j = 0; j < 200; j++) {
			if (mailbox_store(mb, 1 + (uint32_t)j % 20, FLAGS_ADD,
			    i ? MSG_SEEN : MSG_FLAGGED, 1U << i) != STORE_OK)
				_exit(1);
			if (j % 10 == 0 && append_text(st, "INBOX", "x: y\n\n",
			    MSG_SEEN, &uid) != STORE_OK)
				_exit(2);
		}
		_exit(0);
	}
	for (i = 0; i < 2; i++) {
		waitpid(pids[i], &status, 0);
		ok &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	TEST("together", ok);
	mb = open_box(st, "INBOX", 0);
	mailbox_status(mb, &s);
	TEST("all appended", s.messages == 60 && s.uidnext == 61);
	for (i = 1; i <= 20; i++)
		ok &= mailbox_message(mb, (uint32_t)i)->flags == (MSG_SEEN |
		    MSG_FLAGGED) &&
		    mailbox_message(mb, (uint32_t)i)->keywords == 3;
	TEST("all flags", ok);
	mailbox_close(mb);
	store_close(st);
}

int
main(void)
{
	scratch_make();
	test_together();
	test_killed();
	scratch_remove();
	TEST_DONE();
}
