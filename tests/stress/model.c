/*
 * model: what is known of mailboxes and messages, whoever was told.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stress.h"

static struct box	 boxes[USERS][BOXES];
static char		 users[USERS][64];

const char *
user_name(unsigned int i)
{
	if (users[i][0] == '\0') {
		if (strchr(opt.user, '%') == NULL)
			snprintf(users[i], sizeof(users[i]), "%s", opt.user);
		else {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(users[i], sizeof(users[i]), opt.user,
			    opt.first + i);
#pragma GCC diagnostic pop
		}
	}
	return (users[i]);
}

struct box *
box_of(unsigned int user, unsigned int i)
{
	static const char *const names[BOXES] = {
		"INBOX", "stress1", "stress2", "stress3"
	};
	struct box *b = &boxes[user][i];

	b->user = user_name(user);
	b->name = names[i];
	return (b);
}

int
box_index(const struct box *b)
{
	return ((int)((b - &boxes[0][0]) % BOXES));
}

static size_t
place(const struct box *b, uint32_t uid)
{
	size_t low = 0, high = b->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (b->msg[mid]->uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return (low);
}

struct msg *
msg_find(struct box *b, uint32_t uid)
{
	size_t i = place(b, uid);

	return (i < b->n && b->msg[i]->uid == uid ? b->msg[i] : NULL);
}

struct msg *
msg_get(struct box *b, uint32_t uid)
{
	size_t i = place(b, uid);
	struct msg *m;

	if (i < b->n && b->msg[i]->uid == uid)
		return (b->msg[i]);
	b->msg = grown(b->msg, b->n + 1, sizeof(struct msg *), &b->room);
	memmove(b->msg + i + 1, b->msg + i, (b->n - i) * sizeof(b->msg[0]));
	if ((m = calloc(1, sizeof(*m))) == NULL)
		err(1, NULL);
	m->uid = uid;
	/* Until somebody says that he made it, it may be of any age. */
	m->may_go = 1;
	b->msg[i] = m;
	b->n++;
	return (m);
}

int
text_multipart(uint32_t id)
{
	return (id % 5 == 0);
}

static size_t
text_lines(char *p, size_t room, uint32_t *seed, unsigned int n)
{
	size_t len = 0, i;

	for (; n > 0 && room - len > 64; n--) {
		for (i = 0; i < 58; i++) {
			*seed = *seed * 1664525 + 1013904223;
			p[len++] = (char)('a' + (*seed >> 24) % 26);
			if (i % 8 == 7)
				p[len - 1] = ' ';
		}
		p[len++] = '\r';
		p[len++] = '\n';
	}
	return (len);
}

const char *
text_of(uint32_t id, size_t *len, size_t *header)
{
	static char text[128 * 1024];
	static uint32_t have;
	static size_t havelen, haveheader;
	uint32_t seed = id;
	size_t n;

	if (id != have) {
		n = (size_t)snprintf(text, sizeof(text),
		    "From: Stress %u <s%u@stress.example>\r\n"
		    "To: somebody@stress.example\r\n"
		    "Subject: stress %u\r\n"
		    "Date: Mon, %u Jan 2024 10:00:00 +0000\r\n"
		    "Message-ID: <%08x@stress.example>\r\n"
		    "References: <%08x@stress.example>\r\n"
		    "MIME-Version: 1.0\r\n%s\r\n", id % 7, id % 7, id % 11,
		    id % 28 + 1, id, id / 16, text_multipart(id) ?
		    "Content-Type: multipart/mixed; boundary=\"=b\"\r\n" : "");
		haveheader = n;
		if (text_multipart(id)) {
			n += (size_t)snprintf(text + n, 64,
			    "--=b\r\nContent-Type: text/plain\r\n\r\n");
			n += text_lines(text + n, 8192, &seed, id % 9);
			n += (size_t)snprintf(text + n, 64,
			    "--=b\r\nContent-Type: text/html\r\n\r\n");
		}
		n += text_lines(text + n, sizeof(text) - n - 64, &seed,
		    id % 61 == 0 ? 900 : id % 40);
		if (text_multipart(id))
			n += (size_t)snprintf(text + n, 64, "--=b--\r\n");
		have = id;
		havelen = n;
	}
	*len = havelen;
	*header = haveheader;
	return (text);
}

/* The first owners have flags of the system. */
static const char *const flag_names[4 + OWNERS] = {
	"\\Seen", "\\Deleted", "", "", "\\Flagged", "\\Answered", "\\Draft",
	"$Own03", "$Own04", "$Own05", "$Own06", "$Own07", "$Own08", "$Own09",
	"$Own10", "$Own11", "$Own12", "$Own13", "$Own14", "$Own15"
};

const char *
flag_name(uint32_t bit)
{
	unsigned int i = 0;

	while (bit > 1) {
		bit >>= 1;
		i++;
	}
	return (flag_names[i]);
}

uint32_t
flag_bit(const char *s, size_t len)
{
	unsigned int i;

	for (i = 0; i < 4 + OWNERS; i++)
		if (strlen(flag_names[i]) == len && len > 0 &&
		    strncasecmp(flag_names[i], s, len) == 0)
			return (1u << i);
	return (0);
}
