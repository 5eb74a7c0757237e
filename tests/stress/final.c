/*
 * final: when nobody does anything any more, what is there must be what is
 * known, and the same for all who look.
 */
#include "stress.h"

#define TRIES	50

void
final_next(struct conn *c)
{
	struct box *b;
	struct cmd *cmd;

	if (c->box == NULL) {
		if (c->final > BOXES) {
			(void)command_new(c, C_LOGOUT, 0, NULL);
			conn_printf(c, "LOGOUT\r\n");
			c->final = -1;
			return;
		}
		b = box_of(c->user, (unsigned int)c->final - 1);
		cmd = command_new(c, C_SELECT, 0, b);
		cmd->examine = 1;
		c->box = b;
		c->selected = cmd->sent;
		view_clear(&c->view);
		conn_printf(c, "EXAMINE %s\r\n", b->name);
		return;
	}
	(void)command_new(c, C_FINAL, 1, c->box);
	conn_printf(c, "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE "
	    "BODY.PEEK[])\r\n");
}

static void
quiet(struct conn *c, const struct seen *s)
{
	struct msg *m = msg_get(c->box, s->uid);
	unsigned int k;

	if (m->gone != 0)
		wrong(c, "UID %u was expunged and is there", m->uid);
	for (k = 0; k < OWNERS; k++)
		if ((m->owned[k] == SET || m->owned[k] == CLEAR) &&
		    m->replacing == 0 &&
		    (m->owned[k] == SET) != ((s->flags & F_OWNED(k)) != 0))
			wrong(c, "UID %u: in the end %s should be %s", m->uid,
			    flag_name(F_OWNED(k)),
			    m->owned[k] == SET ? "set" : "clear");
	if (m->have_last && m->last != s->flags)
		wrong(c, "UID %u: nobody changes its flags, %x and %x",
		    m->uid, m->last, s->flags);
	m->last = s->flags;
	m->have_last = 1;
}

void
final_done(struct conn *c)
{
	struct box *b = c->box;
	size_t i;
	int found;

	/* Mail may still be coming in: once more. */
	if (!view_complete(&c->view) && c->step++ < TRIES)
		return;
	for (i = 0; i < c->view.n; i++) {
		if (c->view.m[i].uid == 0 || !c->view.m[i].have_flags)
			wrong(c, "message %zu was not told", i + 1);
		else
			quiet(c, &c->view.m[i]);
	}
	for (i = 0; i < b->n; i++) {
		if (b->msg[i]->may_go || b->msg[i]->made == 0)
			continue;
		(void)view_at(&c->view, b->msg[i]->uid, &found);
		if (!found)
			wrong(c, "UID %u is lost", b->msg[i]->uid);
	}
	view_leave(c);
	c->final++;
}
