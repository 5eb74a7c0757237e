/*
 * Unique ids: those that a Dovecot kept and those of the format, of which no
 * two may be the same, and none may be one that is not known.
 */
#include "../store/store.h"
#include "../../pop3d/maildrop.h"

#define VALIDITY	1234567890
#define RECORDS		9216	/* where those of the index begin, ... */
#define RECORD		192	/* ... and how long one is */

/* The ids, each with a blank behind it; "?" if they cannot be told. */
static const char *
ids(struct maildrop *md)
{
	static char text[512];
	char uid[UIDL_MAX + 1];
	uint32_t n;

	text[0] = '\0';
	if (maildrop_uids(md) == -1)
		return ("?");
	for (n = 1; n <= maildrop_last(md); n++) {
		strlcat(text, maildrop_uid(md, n, uid) == -1 ? "?" : uid,
		    sizeof(text));
		strlcat(text, " ", sizeof(text));
	}
	return (text);
}

static const char *
login_ids(const char *dir, const char *format)
{
	struct store *st = open_store(dir);
	struct maildrop *md;
	const char *text;

	if (maildrop_open(st, format, &md) != STORE_OK)
		exit(1);
	(void)maildrop_begin(md, 1);
	text = ids(md);
	maildrop_close(md);
	store_close(st);
	return (text);
}

/* A list of Dovecot with n messages, whose words before the name are these. */
static void
put_list(const char *dir, const char *const *words, int n)
{
	char path[64], text[1024], line[128];
	int i;

	make_dirs(dir);
	put_many(dir, 0, (unsigned int)n, ".x.host:2,");
	snprintf(text, sizeof(text), "3 V%d N%d\n", VALIDITY, n + 1);
	for (i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "%d %s:%d.x.host\n", i + 1,
		    words[i], 1000000000 + i);
		strlcat(text, line, sizeof(text));
	}
	snprintf(path, sizeof(path), "%s/dovecot-uidlist", dir);
	put_file(path, text);
}

static void
test_same(void)
{
	static const char *const words[] = { "P2 ", "", "P4. ", "", "P4 ",
	    "P4.. " };

	put_list("s", words, 6);
	TEST_STR("kept ones are no others'", login_ids("s", "%u"),
	    "2 2. 4. 4... 4 4.. ");
	TEST_STR("of another format", login_ids("s", "x%u"),
	    "2 x2 4. x4 4 4.. ");
}

/* What a crash of the machine leaves in a file. */
static void
test_zeros(void)
{
	static const char head[] = "3 V1234567890 N4\n1 :1000000000.x.host\n",
	    tail[] = "\n2 Pkept :1000000001.x.host\n";
	char text[sizeof(head) + sizeof(tail)];
	int fd;

	make_dirs("z");
	put_many("z", 0, 2, ".x.host:2,");
	memcpy(text, head, sizeof(head));	/* with the NUL */
	memcpy(text + sizeof(head), tail, sizeof(tail) - 1);
	fd = openat(scratch, "z/dovecot-uidlist", O_WRONLY | O_CREAT, 0600);
	TEST("list", fd != -1 && write(fd, text, sizeof(text) - 1) ==
	    (ssize_t)sizeof(text) - 1);
	close(fd);
	TEST_STR("behind a NUL", login_ids("z", "%u"), "1 kept ");
}

/* Whose UID nobody knows any more has no id. */
static void
test_damage(void)
{
	static const char zeros[RECORD];
	struct store *st;
	struct maildrop *md;
	int fd;

	make_dirs("d");
	put_many("d", 0, 3, ".x.host:2,");
	put_file("d/dovecot-uidlist", "3 V1234567890 N10\n"
	    "1 :1000000000.x.host\n5 :1000000001.x.host\n"
	    "9 :1000000002.x.host\n");
	st = open_store("d");
	if (maildrop_open(st, "%u", &md) != STORE_OK)
		exit(1);
	(void)maildrop_begin(md, 1);
	TEST_STR("known", ids(md), "1 5 9 ");
	fd = openat(scratch, "d/postern.index", O_WRONLY);
	TEST("damaged", fd != -1 && unlinkat(scratch, "d/dovecot-uidlist",
	    0) == 0 && pwrite(fd, zeros, sizeof(zeros), RECORDS + RECORD) ==
	    RECORD);
	close(fd);
	TEST_STR("not known", ids(md), "1 ? 9 ");
	maildrop_close(md);
	store_close(st);
}

int
main(void)
{
	scratch_make();
	test_same();
	test_zeros();
	test_damage();
	scratch_remove();
	TEST_DONE();
}
