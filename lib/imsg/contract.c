/*
 * contract: what is made from the table of messages.
 *
 * contract_check() is the only gate between two processes.  It believes
 * nothing of what arrived: not the type, the sender's right to it, the length,
 * the number of descriptors, the range of a number or the end of a string.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imsg/contract.h"
#include "os/compat.h"

static const char *const role_names[ROLE_COUNT] = {
	"parent", "net", "auth", "signer", "lookup", "dns", "queue", "relay",
	"deliver", "watch", "session", "pipe", "submit", "mailctl"
};

const char *
role_name(enum role role)
{
	return ((unsigned int)role < ROLE_COUNT ? role_names[role] : "nobody");
}

static uint64_t
field_number(const unsigned char *p)
{
	uint64_t	v;

	memcpy(&v, p, sizeof(v));
	return (v);
}

static uint64_t
hash_add(uint64_t h, const void *p, size_t n)
{
	const unsigned char	*c = p;

	while (n-- > 0)
		h = (h ^ *c++) * 1099511628211u;
	return (h);
}

uint64_t
contract_hash(const struct contract *c)
{
	const struct msg_def	*def;
	uint64_t		 h = 14695981039346656037u;
	size_t			 i, j;

	for (i = 0; i < c->nmsgs; i++) {
		def = &c->msgs[i];
		h = hash_add(h, def->name, strlen(def->name));
		h = hash_add(h, &def->size, sizeof(def->size));
		for (j = 0; j < def->nfields; j++)
			h = hash_add(h, def->fields[j].name,
			    strlen(def->fields[j].name));
	}
	return (h);
}

static const char *
check_fields(const struct msg_def *def, const unsigned char *p)
{
	size_t	i;

	for (i = 0; i < def->nfields; i++) {
		const struct field_def *f = &def->fields[i];

		if (f->kind == FIELD_NUM) {
			if (field_number(p) > f->max)
				return ("number out of range");
		} else if (memchr(p, '\0', f->size) == NULL)
			return ("string not terminated");
		p += f->size;
	}
	return (NULL);
}

const char *
contract_check(const struct contract *c, enum role from, enum role to,
    unsigned int phase, uint32_t type, void *data, size_t len,
    unsigned int nfds, struct msg *m)
{
	const struct msg_def	*def;
	const char		*wrong;

	if (type >= c->nmsgs)
		return ("unknown type");
	def = &c->msgs[type];
	if ((def->from & (1u << from)) == 0)
		return ("not this sender's message");
	if ((def->to & (1u << to)) == 0)
		return ("not this receiver's message");
	if ((def->when & phase) == 0)
		return ("not now");
	if (len < def->size || len - def->size > def->tail)
		return ("wrong length");
	if (nfds != def->fds)
		return ("wrong number of descriptors");
	if ((wrong = check_fields(def, data)) != NULL)
		return (wrong);
	m->type = type;
	m->from = from;
	m->body = data;
	m->tail = (unsigned char *)data + def->size;
	m->taillen = len - def->size;
	m->fd = -1;
	return (NULL);
}

void
contract_format(const struct contract *c, const struct msg *m, char *to,
    size_t size)
{
	const struct msg_def	*def = &c->msgs[m->type];
	const unsigned char	*p = m->body;
	size_t			 i, n;

	n = strlcpy(to, def->name, size);
	for (i = 0; i < def->nfields && n < size; i++) {
		const struct field_def *f = &def->fields[i];

		if (f->kind == FIELD_NUM)
			n += snprintf(to + n, size - n, " %s=%llu", f->name,
			    (unsigned long long)field_number(p));
		else
			n += snprintf(to + n, size - n, " %s=%s", f->name,
			    f->kind == FIELD_SECRET ? "***" : (const char *)p);
		p += f->size;
	}
	if (m->taillen > 0 && n < size)
		snprintf(to + n, size - n, " +%zu", m->taillen);
}

void
contract_wipe(const struct contract *c, struct msg *m)
{
	const struct msg_def	*def = &c->msgs[m->type];
	unsigned char		*p = m->body;
	size_t			 i;

	for (i = 0; i < def->nfields; i++) {
		if (def->fields[i].kind == FIELD_SECRET)
			explicit_bzero(p, def->fields[i].size);
		p += def->fields[i].size;
	}
}

static void
print_roles(FILE *f, uint32_t set, int json)
{
	const char	*sep = "";
	unsigned int	 i;

	if (!json && (set & R_ALL) == R_ALL) {
		fputs("all", f);
		set &= ~R_ALL;
		sep = "|";
	}
	for (i = 0; i < ROLE_COUNT; i++)
		if (set & (1u << i)) {
			fprintf(f, json ? "%s\"%s\"" : "%s%s", sep,
			    role_names[i]);
			sep = json ? ", " : "|";
		}
}

static void
print_fields(FILE *f, const struct msg_def *def, int json)
{
	static const char *const kinds[] = { "number", "string", "secret" };
	size_t	 i;

	for (i = 0; i < def->nfields; i++) {
		const struct field_def *d = &def->fields[i];

		if (json)
			fprintf(f, "%s{\"name\": \"%s\", \"kind\": \"%s\", "
			    "\"%s\": %llu}", i > 0 ? ", " : "", d->name,
			    kinds[d->kind],
			    d->kind == FIELD_NUM ? "max" : "size",
			    (unsigned long long)(d->kind == FIELD_NUM ?
			    d->max : d->size));
		else if (d->kind == FIELD_NUM)
			fprintf(f, " %s<=%llu", d->name,
			    (unsigned long long)d->max);
		else
			fprintf(f, " %s%s[%zu]",
			    d->kind == FIELD_SECRET ? "*" : "", d->name,
			    d->size);
	}
}

static void
print_msg(FILE *f, const struct msg_def *def, int json, int last)
{
	static const char *const when[] = { "", "start", "run", "any" };

	fprintf(f, json ? "    {\"name\": \"%s\", \"from\": [" : "%-18s ",
	    def->name);
	print_roles(f, def->from, json);
	fputs(json ? "], \"to\": [" : " -> ", f);
	print_roles(f, def->to, json);
	fprintf(f, json ? "], \"when\": \"%s\", \"rate\": %u, \"fds\": %u, "
	    "\"tail\": %zu, \"fields\": [" :
	    "; when %s, rate %u, fds %u, tail %zu:", when[def->when],
	    def->rate, def->fds, def->tail);
	print_fields(f, def, json);
	fputs(json ? (last ? "]}\n" : "]},\n") : "\n", f);
}

char *
contract_print(const struct contract *c, int json)
{
	char	*text = NULL;
	size_t	 size, i;
	FILE	*f;

	if ((f = open_memstream(&text, &size)) == NULL)
		return (NULL);
	if (json)
		fputs("[\n", f);
	for (i = 0; i < c->nmsgs; i++)
		print_msg(f, &c->msgs[i], json, i + 1 == c->nmsgs);
	if (json)
		fputs("  ]", f);
	if (fclose(f) != 0) {
		free(text);
		return (NULL);
	}
	return (text);
}
