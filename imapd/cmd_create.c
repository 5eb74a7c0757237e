/*
 * cmd_create: CREATE (RFC 9051 6.3.4; CREATE-SPECIAL-USE of RFC 6154, OBJECTID
 * of RFC 8474).
 */
#include "cmd_table.h"
#include "mime/casemap.h"
#include "session_reply.h"

/* "\Sent" as LIST_USE has it; 0: we have no such thing. */
static unsigned int
use_of(const struct imap_str *s)
{
	unsigned int i;

	for (i = 0; store_use(i) != NULL; i++)
		if (imap_str_is(s, store_use(i)))
			return (LIST_USE << i);
	return (0);
}

/* " (USE (\Sent))" where it is; -1 with the parser's error. */
static int
uses(struct imap_parser *p, unsigned int *use, int *unknown)
{
	struct imap_str s;

	*use = 0;
	*unknown = 0;
	if (!imap_accept(p, ' '))
		return (0);
	if (imap_expect(p, '(') == -1 || imap_atom(p, &s) == -1)
		return (-1);
	if (!imap_str_is(&s, "USE"))
		return (imap_error(p, "Unknown parameter"));
	if (imap_sp(p) == -1 || imap_expect(p, '(') == -1)
		return (-1);
	if (imap_accept(p, ')'))
		return (imap_expect(p, ')'));
	do {
		if (imap_expect(p, '\\') == -1 || imap_atom(p, &s) == -1)
			return (-1);
		*use |= use_of(&s);
		*unknown |= use_of(&s) == 0;
	} while (imap_accept(p, ' '));
	if (imap_expect(p, ')') == -1)
		return (-1);
	return (imap_expect(p, ')'));
}

enum cmd_result
cmd_create(struct client *c)
{
	struct mailbox_status st = { 0 };
	enum store_error e;
	char name[STORE_NAME_MAX + 1];
	unsigned int use;
	int unknown;
	size_t len;

	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, name, sizeof(name)) == -1 ||
	    uses(&c->args, &use, &unknown) == -1 || imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	/* RFC 3501 6.3.3: a trailing separator announces children. */
	len = strlen(name);
	if (len > 1 && name[len - 1] == '/')
		name[len - 1] = '\0';
	if (!mime_is_normal(name))	/* RFC 9051 6.3.4 */
		return (cmd_no(c, "[CANNOT] Name is not in Net-Unicode"));
	if (unknown)
		return (cmd_no(c, "[USEATTR] There is no such use here"));
	if ((e = store_create_for(c->set->store, name, use)) != STORE_OK)
		return (cmd_store_error(c, e));
	if (store_status(c->set->store, name, &st, NULL) == STORE_OK &&
	    st.id[0] != '\0')
		code_printf(c, "MAILBOXID (%s)", st.id);
	return (cmd_ok(c, "CREATE completed"));
}
