/*
 * net_mail: MAIL, RCPT, DATA and BDAT.
 *
 * MAIL and RCPT are asked of lookup as they come, without waiting (RFC 2920).
 * DATA and a chunk wait until all recipients were answered.
 *
 * A chunk's bytes follow its BDAT whatever the answer will be, so one that is
 * refused is read and thrown away (RFC 3030 4.2); where its length cannot be
 * told, or nobody would want to wait for its end, the session ends, so that
 * no byte of a chunk is ever read as a command.
 *
 * Cost of a message of one recipient: two messages to lookup, two from queue.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/limit.h"
#include "smtp/param.h"
#include "smtpd/net.h"

#define RCPTS_A_UNIT	10	/* recipients that count as one message */

static int
not_ascii(struct session *s, const char *addr, int utf8)
{
	if (smtp_is_ascii(addr))
		return (0);
	if (!utf8)
		return (1);
	s->wide = 1;
	return (0);
}

/* What stands against a transaction now. NULL: nothing. */
static const char *
no_mail(struct session *s, const struct smtp_command *c,
    struct smtp_mail_params *p)
{
	const struct conf	*conf = net_config();
	const char		*wrong;

	if (s->helo == NULL && !s->listener->lenient_helo)
		return (s->listener->proto == PROTO_LMTP ?
		    "503 5.5.1 say LHLO first" :
		    "503 5.5.1 say HELO or EHLO first");
	if (s->mail_seq != 0)
		return ("503 5.5.1 one transaction at a time");
	if ((wrong = smtp_mail_params(c, p)) != NULL)
		return (wrong);
	if (p->size > limit_of(conf, LIMIT_MESSAGE)) {
		limit_reached(LIMIT_MESSAGE);
		return ("552 5.3.4 message is too big");
	}
	if (not_ascii(s, c->addr, p->utf8))
		return ("553 5.6.7 such an address needs SMTPUTF8");
	if (role_peer(ROLE_LOOKUP) == NULL || role_peer(ROLE_QUEUE) == NULL)
		return ("451 4.3.0 not now, try again later");
	return (NULL);
}

void
mail_command(struct session *s, const struct smtp_command *c)
{
	struct msg_TX_MAIL	 m = { .conn = s->id };
	struct smtp_mail_params	 p;
	const char		*wrong;

	if ((wrong = no_mail(s, c, &p)) != NULL) {
		net_reply(s, "%s", wrong);
		return;
	}
	if (s->messages >= limit_of(net_config(), LIMIT_MESSAGES)) {
		limit_reached(LIMIT_MESSAGES);
		net_hang_up(s, "421 4.7.0 too many messages in one session");
		return;
	}
	if (net_rate(s, 1) == -1) {
		net_hang_up(s, "421 4.7.0 too many messages from your "
		    "address, try again later");
		return;
	}
	if ((m.seq = net_ask(s)) == 0)
		return;
	s->messages++;
	s->mail_seq = m.seq;
	s->nrcpts = s->pending = s->asked = 0;	/* of a MAIL refused */
	s->known = 1;
	s->size = p.size;
	s->body = p.body;
	s->utf8 = p.utf8;
	m.listener = s->listener->index;
	m.tls = conn_is_tls(s->conn);
	m.lmtp = s->listener->proto == PROTO_LMTP;
	m.uid = s->uid;
	m.size = p.size;
	m.body = p.body;
	m.utf8 = p.utf8;
	m.ret = p.ret;
	strlcpy(m.envid, p.envid, sizeof(m.envid));
	strlcpy(m.addr, s->addr, sizeof(m.addr));
	strlcpy(m.helo, s->helo != NULL ? s->helo : "", sizeof(m.helo));
	strlcpy(m.sender, c->addr, sizeof(m.sender));
	peer_send(role_peer(ROLE_LOOKUP), M_TX_MAIL, &m, -1);
}

static const char *
no_recipient(struct session *s, const struct smtp_command *c,
    struct smtp_rcpt_params *p)
{
	const struct conf	*conf = net_config();
	uint64_t		 max = limit_of(conf, LIMIT_RECIPIENTS);
	const char		*wrong;

	if (s->mail_seq == 0)
		return ("503 5.5.1 say MAIL first");
	if (s->collect != NULL)
		return ("503 5.5.1 not between chunks");
	if (c->addr[0] == '\0')
		return ("501 5.1.3 <> is no recipient");
	if ((wrong = smtp_rcpt_params(c, p)) != NULL)
		return (wrong);
	if (not_ascii(s, c->addr, s->utf8))
		return ("553 5.6.7 such an address needs SMTPUTF8");
	/* Those that come in one go are no more than the others. */
	if (s->nrcpts + s->pending >= max || s->asked >= max *
	    limit_of(conf, LIMIT_RECIPIENTS_TRIED)) {
		limit_reached(s->nrcpts + s->pending >= max ?
		    LIMIT_RECIPIENTS : LIMIT_RECIPIENTS_TRIED);
		return ("452 4.5.3 too many recipients");
	}
	if (s->asked > 0 && s->asked % RCPTS_A_UNIT == 0 &&
	    net_rate(s, 1) == -1)
		return ("452 4.5.3 too many recipients for now");
	if (role_peer(ROLE_LOOKUP) == NULL)
		return ("451 4.3.0 not now, try again later");
	return (NULL);
}

void
rcpt_command(struct session *s, const struct smtp_command *c)
{
	struct msg_TX_RCPT	 m = { .conn = s->id };
	struct smtp_rcpt_params	 p;
	const char		*wrong;

	if ((wrong = no_recipient(s, c, &p)) != NULL) {
		net_reply(s, "%s", wrong);
		return;
	}
	if ((m.seq = net_ask(s)) == 0)
		return;
	s->pending++;
	s->asked++;
	if (s->asked == 1)
		strlcpy(s->rcpt, c->addr, sizeof(s->rcpt));
	strlcpy(m.rcpt, c->addr, sizeof(m.rcpt));
	m.notify = p.notify;
	strlcpy(m.orcpt, p.orcpt, sizeof(m.orcpt));
	peer_send(role_peer(ROLE_LOOKUP), M_TX_RCPT, &m, -1);
}

/* What stands against a text, all recipients being answered. */
static const char *
no_text(const struct session *s)
{
	if (s->mail_seq == 0)
		return ("503 5.5.1 say MAIL first");
	if (s->nrcpts > 0)
		return (NULL);
	/* RFC 2033 4.2 has 503 for both */
	return (s->asked == 0 ? "503 5.5.1 say RCPT first" :
	    s->listener->proto == PROTO_LMTP ?
	    "503 5.5.1 no valid recipients" :
	    "554 5.5.1 no valid recipients");
}

void
data_command(struct session *s)
{
	const char	*wrong;

	if (s->nslots > 0)
		net_wait(s, SMTP_DATA);
	else if ((wrong = no_text(s)) != NULL)
		net_reply(s, "%s", wrong);
	else if (s->collect != NULL)
		net_reply(s, "503 5.5.1 it has begun with BDAT");
	else if (s->body == BODY_BINARYMIME)
		net_reply(s, "503 5.5.1 BINARYMIME comes by BDAT");
	else if (data_begin(s, 0) == -1)
		net_reply(s, "452 4.3.1 no memory for a message now");
	else {
		s->state = S_DATA;
		time_wait(s);
		net_reply(s, "354 end with a line that holds only a dot");
	}
}

void
bdat_command(struct session *s, const struct smtp_command *c)
{
	int	last;

	if (smtp_bdat(c->arg, &s->chunk, &last) == -1) {
		net_hang_up(s, "501 5.5.4 that is not BDAT size [LAST]");
		return;
	}
	s->last = last;
	if (s->nslots > 0)
		net_wait(s, SMTP_BDAT);
	else
		bdat_go_on(s);
}

static void
bdat_done(struct session *s)
{
	const char	*refused = s->refused;
	unsigned int	 times = s->last ? net_times(s) : 1;

	s->state = S_COMMAND;
	if (refused == NULL)
		refused = data_failed(s);
	if (refused != NULL) {
		/* Without a chunk the message is none, begun or not. */
		if (s->collect != NULL || no_text(s) == NULL)
			net_reset(s, 1);
		net_refuse(s, refused, times);
	} else if (s->last)
		data_end(s);
	else
		net_reply(s, "250 2.0.0 %" PRIu64 " octets so far",
		    data_size(s));
}

/* All that came before was answered: take the chunk, or waste it. */
void
bdat_go_on(struct session *s)
{
	uint64_t	max = limit_of(net_config(), LIMIT_MESSAGE);

	s->refused = no_text(s);
	if (s->refused == NULL && s->collect == NULL &&
	    data_begin(s, 1) == -1)
		s->refused = "452 4.3.1 no memory for a message now";
	if (s->chunk > max || data_size(s) > max - s->chunk) {
		limit_reached(LIMIT_MESSAGE);
		if (s->refused == NULL)
			s->refused = "552 5.3.4 message is too big";
	}
	if (s->refused != NULL && s->chunk / 2 > max) {
		net_hang_up(s, s->refused);
		return;
	}
	s->state = S_CHUNK;
	time_wait(s);
	if (s->chunk == 0)
		bdat_done(s);
	else if (s->refused == NULL)
		data_wants_spool(s);
}

size_t
bdat_input(struct session *s, const char *in, size_t len)
{
	if (len > s->chunk)
		len = s->chunk;
	s->chunk -= len;
	if (s->refused == NULL)
		data_chunk(s, in, len);
	if (s->chunk == 0)
		bdat_done(s);
	else if (s->refused == NULL)
		data_wants_spool(s);
	return (len);
}
