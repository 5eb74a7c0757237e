/*
 * The sizes of mail that another program brought, with sizes in the names of
 * its files: believed only if those that were looked at are right, and looked
 * at all the same.
 */
#include "../store/store.h"
#include "../../pop3d/maildrop.h"

#define MANY	3000		/* of which some are looked at */
#define TRIES	6		/* that one liar is found at once */
#define HONEST	".x.host,S=5,W=6:2,S"
#define LIAR	".x.host,S=99,W=120:2,S"

static struct maildrop *
open_drop(struct store *st)
{
	struct maildrop *md;

	if (maildrop_open(st, UIDL_DEFAULT, &md) != STORE_OK) {
		printf("not ok open\n");
		exit(1);
	}
	return (md);
}

/* How many sizes are not the octets of RETR. */
static unsigned int
wrong(struct maildrop *md)
{
	uint32_t n;
	unsigned int count = 0;

	for (n = 1; n <= maildrop_last(md); n++)
		count += maildrop_message(md, n) != 6;
	return (count);
}

static unsigned int
prove(struct maildrop *md)
{
	unsigned int turns = 1;

	while (maildrop_prove(md))
		turns++;
	return (turns);
}

/* Whose files nobody looked at yet. */
static unsigned int
told(struct store *st)
{
	const struct store_message *m;
	struct mailbox *mb = open_box(st, "INBOX", 0);
	unsigned int count = 0;
	uint32_t n;

	for (n = 1; n <= mailbox_count(mb); n++)
		count += (m = mailbox_facts(mb, n, 0)) != NULL && m->told;
	mailbox_close(mb);
	return (count);
}

static void
test_honest(void)
{
	struct store *st;
	struct maildrop *md;

	make_dirs("h");
	put_many("h", 0, MANY, HONEST);
	st = open_store("h");
	md = open_drop(st);
	TEST("are believed", maildrop_begin(md, 1) == 1);
	TEST("and right", wrong(md) == 0 && maildrop_size(md) == 6 * MANY);
	TEST("some were looked at", told(st) == MANY - PROVE_MAX);
	TEST("others are", prove(md) == (MANY - 1) / PROVE_MAX + 1);
	TEST("all were", told(st) == 0);
	TEST("and right still", wrong(md) == 0);
	maildrop_close(md);
	md = open_drop(st);
	TEST("nothing to look at", maildrop_begin(md, 1) == 0);
	maildrop_close(md);
	store_close(st);
}

static void
test_few(void)
{
	struct store *st;
	struct maildrop *md;

	make_dirs("f");
	put_many("f", 0, PROVE_MAX - 1, HONEST);
	put_many("f", PROVE_MAX, 1, LIAR);
	st = open_store("f");
	md = open_drop(st);
	TEST("few are looked at", maildrop_begin(md, 1) == 0 &&
	    wrong(md) == 0 && told(st) == 0);
	maildrop_close(md);
	store_close(st);
}

static void
test_liars(void)
{
	struct store *st;
	struct maildrop *md;

	make_dirs("l");
	put_many("l", 0, MANY / 2, HONEST);
	put_many("l", MANY / 2, MANY / 2, LIAR);
	st = open_store("l");
	md = open_drop(st);
	TEST("liars are found", maildrop_begin(md, 1) == 0);
	TEST("nobody is believed", wrong(md) == 0 && told(st) == 0);
	maildrop_close(md);
	store_close(st);
}

/* Who is not found at once, which is likely but not sure, is found later. */
static void
test_one_liar(const char *name, int fix)
{
	struct store *st = NULL;
	struct maildrop *md = NULL;
	char dir[32];
	int i, believed = 0;

	for (i = 0; i < TRIES && !believed; i++) {
		maildrop_close(md);
		if (st != NULL)
			store_close(st);
		snprintf(dir, sizeof(dir), "%s%d", name, i);
		make_dirs(dir);
		put_many(dir, 0, MANY - 1, HONEST);
		put_many(dir, MANY, 1, LIAR);
		st = open_store(dir);
		md = open_drop(st);
		believed = maildrop_begin(md, 1);
	}
	TEST("is believed", believed && wrong(md) == 1);
	if (fix)
		maildrop_fix(md);
	(void)prove(md);
	TEST("what was told stays", wrong(md) == (fix ? 1 : 0));
	TEST("the sum, too", maildrop_size(md) == 6 * MANY +
	    (fix ? 120 - 6 : 0));
	maildrop_close(md);
	md = open_drop(st);
	TEST("then the truth", maildrop_begin(md, 1) == 0 && wrong(md) == 0);
	maildrop_close(md);
	store_close(st);
}

int
main(void)
{
	scratch_make();
	test_honest();
	test_few();
	test_liars();
	test_one_liar("later", 0);
	test_one_liar("fixed", 1);
	scratch_remove();
	TEST_DONE();
}
