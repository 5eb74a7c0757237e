/*
 * journal: segments that were cut, damaged or used before, made byte by byte;
 * and the journal itself, with many that wait at a time.
 */
#include "os/compat.h"
#include <sys/resource.h>
#include <sys/wait.h>
#include <errno.h>
#include <event2/event.h>

#include "spool.h"
#include "../test.h"

#define HEAD	sizeof(struct record_head)
#define SEG	0x1234u
#define IMAGE	2048

static struct {
	unsigned int	 n, damaged, wrong;
	uint64_t	 ids[4096];
	enum record_type types[4096];
	struct journal_place places[4096];
} got;

static void
on_found(void *arg, enum record_type type, uint64_t id, const void *data,
    size_t len, const struct journal_place *place)
{
	if (type == RECORD_MESSAGE && !spool_is_message(id, data, len))
		got.wrong++;
	if (got.n == sizeof(got.ids) / sizeof(got.ids[0]))
		exit(2);
	got.places[got.n] = *place;
	got.types[got.n] = type;
	got.ids[got.n++] = id;
}

static void
on_damaged(void *arg, const char *what)
{
	got.damaged++;
}

static void
scan(int dirfd, uint64_t seg)
{
	memset(&got, 0, sizeof(got));
	if (segment_scan(dirfd, seg, on_found, on_damaged, NULL) == -1)
		got.wrong = 1000;
}

static void
scan_all(int dirfd)
{
	struct segments	list;
	size_t		i;

	memset(&got, 0, sizeof(got));
	if (segments_list(dirfd, &list, 1) == -1)
		exit(2);
	for (i = 0; i < list.n; i++)
		if (segment_scan(dirfd, list.v[i], on_found, on_damaged,
		    NULL) == -1)
			got.wrong = 1000;
	free(list.v);
}

static void
write_image(int dirfd, uint64_t seg, const unsigned char *p, size_t len)
{
	char	name[SEGMENT_NAME];
	int	fd;

	segment_name(seg, name);
	if ((fd = openat(dirfd, name, O_RDWR | O_CREAT | O_TRUNC, 0600)) ==
	    -1 || write(fd, p, len) != (ssize_t)len)
		exit(2);
	close(fd);
}

struct place {
	size_t	off, end, pad;		/* of the record; of its payload */
	size_t	text;			/* where the text begins, or end */
};

static size_t
add_record(unsigned char *image, size_t off, uint64_t seg,
    enum record_type type, uint64_t id, size_t envlen, size_t textlen,
    struct place *pl)
{
	struct record_head	 h;
	unsigned char		*p = spool_message(id, envlen, textlen);
	size_t			 len = 8 + envlen + textlen;

	record_seal(&h, type, seg, id, p, len, type == RECORD_MESSAGE ?
	    8 + envlen : len);
	memcpy(image + off, &h, HEAD);
	memcpy(image + off + HEAD, p, len);
	free(p);
	pl->off = off;
	pl->text = off + HEAD + 8 + envlen;
	pl->end = off + HEAD + len;
	pl->pad = pl->end + record_pad(len);
	return (pl->pad);
}

/* A message with text, a change, a message without text, one with. */
static size_t
make_image(unsigned char *image, uint64_t seg, struct place pl[4])
{
	size_t	off = 0;

	off = add_record(image, off, seg, RECORD_MESSAGE, 1, 33, 101, &pl[0]);
	off = add_record(image, off, seg, RECORD_CHANGE, 2, 20, 0, &pl[1]);
	off = add_record(image, off, seg, RECORD_MESSAGE, 3, 50, 0, &pl[2]);
	off = add_record(image, off, seg, RECORD_MESSAGE, 4, 7, 300, &pl[3]);
	return (off);
}

/* Behind the cut there are zeroes, or what the segment held before. */
static void
test_torn(int dirfd)
{
	unsigned char	image[IMAGE], before[IMAGE], cut[IMAGE];
	struct place	pl[4], other[4];
	size_t		n, i, want, end;
	int		used, good = 1;

	memset(image, 0, sizeof(image));
	memset(before, 0, sizeof(before));
	end = make_image(image, SEG, pl);
	(void)make_image(before + 24, SEG - 5, other);
	for (used = 0; used <= 1; used++) {
		for (n = 0; n <= end; n++) {
			if (used)
				memcpy(cut, before, sizeof(cut));
			else
				memset(cut, 0, sizeof(cut));
			memcpy(cut, image, n);
			write_image(dirfd, SEG, cut, sizeof(cut));
			scan(dirfd, SEG);
			for (want = 0; want < 4 && pl[want].end <= n; want++)
				;
			good &= got.n == want && got.damaged == 0 &&
			    got.wrong == 0;
			for (i = 0; i < got.n; i++)
				good &= got.ids[i] == i + 1 &&
				    got.places[i].off == pl[i].off &&
				    got.places[i].len == pl[i].pad -
				    pl[i].off;
		}
		TEST(used ? "torn over old records" : "torn at every byte",
		    good);
	}
	for (n = 0, good = 1; n <= end; n++) {
		write_image(dirfd, SEG, image, n);
		scan(dirfd, SEG);
		for (want = 0; want < 4 && pl[want].end <= n; want++)
			;
		good &= got.n == want && got.damaged == 0 && got.wrong == 0;
	}
	TEST("file cut at every byte", good);
}

static int
is_set_aside(int dirfd, const unsigned char *image, size_t len)
{
	unsigned char	copy[IMAGE];
	char		path[64];
	ssize_t		n = -1;
	int		fd;

	snprintf(path, sizeof(path), "../damaged/%016x", SEG);
	if ((fd = openat(dirfd, path, O_RDONLY)) != -1) {
		n = read(fd, copy, sizeof(copy));
		close(fd);
	}
	(void)unlinkat(dirfd, path, 0);
	return (n == (ssize_t)len && memcmp(copy, image, len) == 0);
}

/* The record begins a write. */
static void
mark_first(unsigned char *image, const struct place *pl)
{
	struct record_head	h;

	memcpy(&h, image + pl->off, HEAD);
	record_first(&h, image + pl->off + HEAD);
	memcpy(image + pl->off, &h, HEAD);
}

/*
 * Which record has the byte, or 4; in its padding it does not matter, nor in a
 * text before the last write.
 */
static size_t
owner(const struct place pl[4], size_t at, size_t first)
{
	size_t	r;

	for (r = 0; r < 4; r++)
		if (at >= pl[r].off && at < (r >= first || r == 1 ?
		    pl[r].end : pl[r].text))
			return (r);
	return (4);
}

static void
test_flipped(int dirfd)
{
	unsigned char	image[IMAGE];
	struct place	pl[4];
	size_t		i, j, end, bad, first;
	int		bit, lost = 0, silent = 0, crazy = 0;

	memset(image, 0, sizeof(image));
	end = make_image(image, SEG, pl);
	for (i = 0; i < end; i++)
		for (bit = 0; bit < 4; bit++) {
			first = bit & 1 ? 3 : 0;
			end = make_image(image, SEG, pl);
			if (first > 0)
				mark_first(image, &pl[first]);
			/* Without its mark it is of the write before. */
			if (i >= pl[3].off && i < pl[3].text)
				first = 0;
			image[i] ^= (unsigned char)(bit < 2 ? 0x80 : 0xff);
			write_image(dirfd, SEG, image, sizeof(image));
			scan(dirfd, SEG);
			bad = owner(pl, i, first);
			lost += got.n != (bad < 4 ? 3 : 4);
			for (j = 0; j < got.n; j++)
				crazy += got.ids[j] == bad + 1;
			crazy += got.wrong > 0;
			/* At the end it looks like a torn write. */
			if (got.damaged != (bad < 3) ||
			    is_set_aside(dirfd, image, sizeof(image)) !=
			    (bad < 3))
				silent++;
			image[i] ^= (unsigned char)(bit < 2 ? 0x80 : 0xff);
		}
	TEST("every byte flipped: the others are there", lost == 0);
	TEST("the flipped one is not", crazy == 0);
	TEST("and a copy is set aside", silent == 0);
}

static void
test_inside(int dirfd)
{
	unsigned char	image[IMAGE], inner[IMAGE];
	struct record_head h;
	struct place	pl[4], in;
	unsigned char	*p;
	size_t		len;

	memset(image, 0, sizeof(image));
	memset(inner, 0, sizeof(inner));
	/* A text that is a record of this very segment. */
	(void)add_record(inner, 0, SEG, RECORD_DONE, 99, 8, 0, &in);
	len = 8 + 8 + 200;
	p = spool_message(5, 8, 200);
	memcpy(p + 16, inner, in.pad);
	record_seal(&h, RECORD_CHANGE, SEG, 5, p, len, len);
	memcpy(image, &h, HEAD);
	memcpy(image + HEAD, p, len);
	free(p);
	(void)add_record(image, HEAD + len, SEG, RECORD_DONE, 6, 8, 0,
	    &pl[0]);
	write_image(dirfd, SEG, image, sizeof(image));
	scan(dirfd, SEG);
	TEST("a record in a record", got.n == 2 && got.ids[0] == 5 &&
	    got.ids[1] == 6 && got.damaged == 0);
	write_image(dirfd, SEG + 1, image, sizeof(image));
	scan(dirfd, SEG + 1);
	TEST("records of another segment", got.n == 0 && got.damaged == 0);
	memset(image, 0xff, sizeof(image));
	write_image(dirfd, SEG, image, sizeof(image));
	scan(dirfd, SEG);
	TEST("all ones", got.n == 0 && got.wrong == 0);
	write_image(dirfd, SEG, image, 0);
	scan(dirfd, SEG);
	TEST("empty", got.n == 0 && got.wrong == 0);
	scan(dirfd, 77);
	TEST("missing", got.wrong == 1000);
}

/*
 * One that is in use is opened again while there are no descriptors; there is
 * a retired one that could take its name.
 */
static void
test_no_descriptors(int dirfd)
{
	struct rlimit	before, none;
	unsigned char	image[IMAGE];
	struct place	pl[4];
	int		fd, failed_too;

	memset(image, 0, sizeof(image));
	(void)make_image(image, SEG, pl);
	write_image(dirfd, SEG, image, sizeof(image));
	if ((fd = segment_make(dirfd, SEG - 1)) == -1 || close(fd) == -1)
		exit(2);
	segment_retire(dirfd, SEG - 1);
	if ((fd = segment_make(dirfd, SEG)) == -1 || close(fd) == -1 ||
	    getrlimit(RLIMIT_NOFILE, &before) == -1)
		exit(2);
	scan(dirfd, SEG);
	TEST("a short one is filled up, not made anew", got.n == 4 &&
	    got.damaged == 0);
	none = before;
	none.rlim_cur = 0;
	if (setrlimit(RLIMIT_NOFILE, &none) == -1)
		exit(2);
	failed_too = segment_make(dirfd, SEG) == -1 && errno == EMFILE;
	if (setrlimit(RLIMIT_NOFILE, &before) == -1)
		exit(2);
	scan(dirfd, SEG);
	TEST("without descriptors it stays as it is", failed_too &&
	    got.n == 4 && got.damaged == 0 && got.wrong == 0);
}

/* The journal itself; it can be opened once in a process. */

static struct event_base *base;
static unsigned int	 answered, failed;

static void
on_done(void *arg, int error)
{
	answered++;
	failed += error != 0;
}

static int
append(uint64_t id, size_t textlen, struct journal_place *pl)
{
	return (journal_append(RECORD_MESSAGE, id, spool_message(id, 40,
	    textlen), 48 + textlen, 48, NULL, on_done, NULL, pl));
}

static void
wait_for(unsigned int n)
{
	struct timeval	tick = { 0, 20000 };
	int		i;

	for (i = 0; i < 500 && answered < n; i++) {
		event_base_loopexit(base, &tick);
		event_base_loop(base, EVLOOP_ONCE);
	}
}

/* Is the n-th told after a byte of its text has changed? */
static int
told_if_cut(int dirfd, size_t n)
{
	struct journal_place	 pl = got.places[n];
	uint64_t		 id = got.ids[n];
	char			 name[SEGMENT_NAME], c;
	off_t			 at = (off_t)(pl.off + HEAD + 48);
	size_t			 i;
	int			 fd, told;

	segment_name(pl.seg, name);
	if ((fd = openat(dirfd, name, O_RDWR)) == -1 ||
	    pread(fd, &c, 1, at) != 1)
		exit(2);
	c ^= 1;
	if (pwrite(fd, &c, 1, at) != 1)
		exit(2);
	scan_all(dirfd);
	for (i = 0; i < got.n && got.ids[i] != id; i++)
		;
	told = i < got.n;
	c ^= 1;
	if (pwrite(fd, &c, 1, at) != 1)
		exit(2);
	close(fd);
	scan_all(dirfd);
	return (told);
}

/* What was answered for is told, however old; what never was is not. */
static void
test_cut_text(int dirfd)
{
	struct journal_place	pl;
	unsigned int		i;

	answered = 0;
	for (i = 0; i < 2; i++) {
		if (append(2000 + i, 10, &pl) == -1)
			exit(2);
		wait_for(i + 1);
	}
	scan_all(dirfd);
	TEST("the text of a write before the last one is damaged",
	    told_if_cut(dirfd, got.n - 2));
	TEST("that of the last one was cut", !told_if_cut(dirfd, got.n - 1));
}

static void
test_many(int dirfd)
{
	struct journal_place	pl;
	unsigned int		i;

	answered = failed = 0;
	for (i = 0; i < 1200; i++)
		if (append(i, i % 100 + 1, &pl) == -1)
			exit(2);
	TEST("none before its write", answered == 0);
	wait_for(1200);
	TEST("all of a crowd are answered", answered == 1200 && failed == 0);
	scan_all(dirfd);
	for (i = 0; i < got.n && got.ids[i] == i; i++)
		;
	TEST("and on the disk, in order", got.n == 1200 && i == 1200 &&
	    got.damaged == 0 && got.wrong == 0);
	test_cut_text(dirfd);
}

static void
test_read(void)
{
	struct journal_place	pl;
	unsigned char		bytes[400], *want;

	answered = 0;
	if (append(7, 200, &pl) == -1)
		exit(2);
	wait_for(1);
	want = spool_message(7, 40, 200);
	TEST("read", journal_read(&pl, 0, bytes, 248) == 248 &&
	    memcmp(bytes, want, 248) == 0);
	TEST("read from the middle", journal_read(&pl, 100, bytes, 400) ==
	    (ssize_t)(pl.len - journal_header() - 100) &&
	    memcmp(bytes, want + 100, 148) == 0);
	TEST("read behind the end", journal_read(&pl, 1000, bytes, 10) == 0);
	TEST("header", journal_header() == HEAD);
	free(want);
}

static void
test_lazy(int dirfd)
{
	struct journal_place	pl;
	unsigned int		before;
	unsigned char		*p = spool_message(8, 10, 0);

	scan_all(dirfd);
	before = got.n;
	answered = 0;
	if (journal_append(RECORD_CHANGE, 8, p, 18, 18, NULL, NULL, NULL,
	    &pl) == -1)
		exit(2);
	wait_for(1);		/* nobody answers; half a second at most */
	scan_all(dirfd);
	TEST("a lazy one is written too", got.n == before + 1 &&
	    got.types[before] == RECORD_CHANGE && got.ids[before] == 8);
	errno = 0;
	TEST("too long", journal_append(RECORD_CHANGE, 9, calloc(1,
	    JOURNAL_SEGMENT), JOURNAL_SEGMENT, JOURNAL_SEGMENT, NULL, NULL,
	    NULL, &pl) == -1 && errno == EFBIG);
}

static void
test_file(int dirfd)
{
	struct journal_place	 pl;
	struct journal_file	 f = { -1, dirfd, "tmp.1", "final.1" };
	unsigned char		*p = spool_message(10, 40, 0);

	if ((f.fd = openat(dirfd, f.from, O_WRONLY | O_CREAT, 0600)) == -1)
		exit(2);
	answered = failed = 0;
	if (journal_append(RECORD_MESSAGE, 10, p, 48, 48, &f, on_done, NULL,
	    &pl) == -1)
		exit(2);
	wait_for(1);
	TEST("the file has its name", failed == 0 && faccessat(dirfd,
	    f.to, F_OK, 0) == 0 && faccessat(dirfd, f.from, F_OK, 0) == -1);
	(void)unlinkat(dirfd, f.to, 0);
	/* One whose file has gone fails; those beside it do not. */
	if ((f.fd = open("/dev/null", O_WRONLY)) == -1)
		exit(2);
	answered = failed = 0;
	if (append(11, 10, &pl) == -1 || journal_append(RECORD_MESSAGE, 12,
	    spool_message(12, 40, 0), 48, 48, &f, on_done, NULL, &pl) == -1 ||
	    append(13, 10, &pl) == -1)
		exit(2);
	wait_for(3);
	scan_all(dirfd);
	TEST("only it fails", answered == 3 && failed == 1 &&
	    got.damaged == 0 && got.n > 2 && got.ids[got.n - 1] == 13 &&
	    got.ids[got.n - 3] == 11 &&
	    got.types[got.n - 2] != RECORD_MESSAGE);
}

/* Segments fill up, go, and are used again; what was in them is gone. */
static void
test_recycle(int dirfd)
{
	struct journal_place	pl;
	uint64_t		id = 1000, newest = journal_newest();
	unsigned int		i, want;
	int			good = 1;

	answered = failed = 0;
	for (i = 0; journal_newest() < newest + 3; i++) {
		if (append(id + i, 250000, &pl) == -1)
			exit(2);
		if (i % 20 == 19)
			wait_for(i + 1);
	}
	wait_for(i);
	TEST("three more segments", answered == i && failed == 0 &&
	    journal_bytes() == 4ull * JOURNAL_SEGMENT);
	while (journal_oldest() < journal_newest())
		journal_drop_oldest();
	journal_drop_oldest();
	TEST("the newest stays", journal_oldest() == newest + 3 &&
	    journal_bytes() == JOURNAL_SEGMENT);
	scan_all(dirfd);
	want = got.n;
	good &= want > 0;
	/* On to a segment that held others before. */
	id += i;
	answered = 0;
	for (i = 0; journal_newest() < newest + 4; i++)
		if (append(id + i, 250000, &pl) == -1)
			exit(2);
	wait_for(i);
	scan_all(dirfd);
	for (want += i, i = 0; i + 1 < got.n; i++)
		good &= got.ids[i] + 1 == got.ids[i + 1];
	TEST("used again", good && got.n == want && got.damaged == 0 &&
	    got.wrong == 0);
}

static void
test_reopen(int dirfd)
{
	static unsigned int	before;
	struct journal_place	pl;
	uint64_t		newest = journal_newest();
	int			status;
	pid_t			pid;

	scan_all(dirfd);
	before = got.n;
	fflush(stdout);
	if ((pid = fork()) == 0) {
		memset(&got, 0, sizeof(got));
		if ((base = event_base_new()) == NULL || journal_open(base,
		    dirfd, on_found, on_damaged, NULL) == -1)
			_exit(2);
		if (got.n != before || got.damaged != 0 || got.wrong != 0 ||
		    journal_newest() != newest + 1)
			_exit(1);
		answered = failed = 0;
		if (append(5, 10, &pl) == -1 || pl.seg != newest + 1)
			_exit(1);
		wait_for(1);
		scan_all(dirfd);
		_exit(answered == 1 && failed == 0 && got.n == before + 1 ?
		    0 : 1);
	}
	TEST("reopened", waitpid(pid, &status, 0) == pid &&
	    WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
	int	dirfd = spool_new();

	test_torn(dirfd);
	test_flipped(dirfd);
	test_inside(dirfd);
	test_no_descriptors(dirfd);
	spool_remove(dirfd);
	dirfd = spool_new();
	memset(&got, 0, sizeof(got));
	if ((base = event_base_new()) == NULL || journal_open(base, dirfd,
	    on_found, on_damaged, NULL) == -1)
		return (2);
	TEST("new", got.n == 0 && journal_oldest() == journal_newest());
	test_many(dirfd);
	test_read();
	test_lazy(dirfd);
	test_file(dirfd);
	test_recycle(dirfd);
	test_reopen(dirfd);
	spool_remove(dirfd);
	TEST_DONE();
}
