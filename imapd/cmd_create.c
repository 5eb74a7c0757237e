/*
 * cmd_create: CREATE (RFC 9051 6.3.4; CREATE-SPECIAL-USE of RFC 6154, OBJECTID
 * of RFC 8474).
 */
#include "cmd_table.h"
#include "imap/special.h"
#include "mime/casemap.h"
#include "session_reply.h"

#define USES_MAX	8

/* "(USE (\\Sent))"; -1 with the parser's error. */
static int
uses(struct imap_parser *p, struct imap_str use[USES_MAX], size_t *n)
{
	struct imap_str s;

	*n = 0;
	if (!imap_accept(p, ' '))
		return (0);
	if (imap_expect(p, '(') == -1 || imap_atom(p, &s) == -1)
		return (-1);
	if (!imap_str_is(&s, "USE"))
		return (imap_error(p, "Unknown parameter"));
	if (imap_sp(p) == -1 || imap_expect(p, '(') == -1)
		return (-1);
	if (!imap_accept(p, ')')) {
		do {
			if (*n == USES_MAX)
				return (imap_error(p, "Too many uses"));
			if (imap_expect(p, '\\') == -1 ||
			    imap_atom(p, &use[*n]) == -1)
				return (-1);
			use[*n].s--;		/* with the backslash */
			use[(*n)++].len++;
		} while (imap_accept(p, ' '));
		if (imap_expect(p, ')') == -1)
			return (-1);
	}
	return (imap_expect(p, ')'));
}

/* RFC 6154 3: a mailbox has the use that its name says, and no other. */
static int
use_fits(const struct imap_str *use, const char *name)
{
	const char *has = imap_special_use(name);

	return (has != NULL && imap_str_is(use, has));
}

enum cmd_result
cmd_create(struct client *c)
{
	struct imap_str use[USES_MAX];
	struct mailbox_status st = { 0 };
	enum store_error e;
	char name[STORE_NAME_MAX + 1];
	size_t i, n, len;

	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, name, sizeof(name)) == -1 ||
	    uses(&c->args, use, &n) == -1 || imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	/* RFC 3501 6.3.3: a trailing separator announces children. */
	len = strlen(name);
	if (len > 1 && name[len - 1] == '/')
		name[len - 1] = '\0';
	if (!mime_is_normal(name))	/* RFC 9051 6.3.4 */
		return (cmd_no(c, "[CANNOT] Name is not in Net-Unicode"));
	for (i = 0; i < n; i++)
		if (!use_fits(&use[i], name))
			return (cmd_no(c, "[USEATTR] A mailbox of another "
			    "name is for that"));
	if ((e = store_create(c->set->store, name)) != STORE_OK)
		return (cmd_store_error(c, e));
	if (store_status(c->set->store, name, &st, NULL) == STORE_OK &&
	    st.id[0] != '\0')
		code_printf(c, "MAILBOXID (%s)", st.id);
	return (cmd_ok(c, "CREATE completed"));
}
