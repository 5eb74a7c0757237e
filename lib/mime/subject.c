/*
 * subject: the base subject (RFC 5256 2.1).  Pure; linear but for subjects
 * that are nothing but prefixes, of which MIME_VALUE_MAX bytes are looked at.
 */
#include <string.h>
#include <strings.h>

#include "mime/casemap.h"
#include "mime/header.h"
#include "mime/subject.h"
#include "mime/word.h"

#define SUBJECT_MAX	(4 * MIME_VALUE_MAX)

struct subject {
	const char	*p;
	const char	*end;
	int		 reply;
};

/* Each run of white space becomes one space. */
static size_t
squeeze(char *s, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r' &&
		    s[i] != '\n')
			s[n++] = s[i];
		else if (n == 0 || s[n - 1] != ' ')
			s[n++] = ' ';
	}
	return (n);
}

static int
begins(const char *p, const char *end, const char *word)
{
	size_t len = strlen(word);

	return ((size_t)(end - p) >= len && strncasecmp(p, word, len) == 0);
}

/* subj-trailer = "(fwd)" / WSP */
static void
drop_trailers(struct subject *s)
{
	for (;;) {
		if (s->end > s->p && s->end[-1] == ' ')
			s->end--;
		else if (s->end - s->p >= 5 &&
		    strncasecmp(s->end - 5, "(fwd)", 5) == 0) {
			s->end -= 5;
			s->reply = 1;
		} else
			return;
	}
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP; where it ends, or p. */
static const char *
blob(const char *p, const char *end)
{
	const char *q = p;

	if (q == end || *q != '[')
		return (p);
	for (q++; q < end && *q != '[' && *q != ']'; q++)
		continue;
	if (q == end || *q != ']')
		return (p);
	for (q++; q < end && *q == ' '; q++)
		continue;
	return (q);
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"; or p. */
static const char *
refwd(const char *p, const char *end)
{
	const char *q = p;

	if (begins(q, end, "re"))
		q += 2;
	else if (begins(q, end, "fwd"))
		q += 3;
	else if (begins(q, end, "fw"))
		q += 2;
	else
		return (p);
	while (q < end && *q == ' ')
		q++;
	q = blob(q, end);
	return (q < end && *q == ':' ? q + 1 : p);
}

/* subj-leader = (*subj-blob subj-refwd) / WSP; 1 if there was one. */
static int
drop_leader(struct subject *s)
{
	const char *p = s->p, *q;

	if (p < s->end && *p == ' ') {
		s->p++;
		return (1);
	}
	while ((q = blob(p, s->end)) != p)
		p = q;
	if ((q = refwd(p, s->end)) == p)
		return (0);
	s->p = q;
	s->reply = 1;
	return (1);
}

static void
base(struct subject *s)
{
	const char *q;
	int again;

	for (;;) {
		drop_trailers(s);
		do {
			again = drop_leader(s);
			q = blob(s->p, s->end);
			if (q != s->p && q < s->end) {
				s->p = q;
				again = 1;
			}
		} while (again);
		if (!begins(s->p, s->end, "[fwd:") || s->end[-1] != ']')
			return;
		s->p += 5;
		s->end--;
		s->reply = 1;
	}
}

int
mime_base_subject(const char *value, size_t len, struct buf *out)
{
	struct subject s = { 0 };
	struct buf b;
	int ret = -1;

	if (len > MIME_VALUE_MAX)
		len = MIME_VALUE_MAX;
	buf_init(&b, SUBJECT_MAX);
	if (mime_words_decode(value, len, &b) == 0) {
		ret = 0;
		if (buf_len(&b) > 0) {
			s.p = buf_data(&b);
			s.end = s.p + squeeze(buf_data(&b), buf_len(&b));
			base(&s);
			ret = mime_casemap(s.p, (size_t)(s.end - s.p),
			    out) == -1 ? -1 : s.reply;
		}
	}
	buf_free(&b);
	return (ret);
}
