/*
 * session_conn: IMAP connections of one user.
 */
#ifndef IMAPD_SESSION_CONN_H
#define IMAPD_SESSION_CONN_H

#include <stdint.h>

struct mailsession;

/* RFC 3501 7.2.1; what is true after the login. */
#define SESSION_CAPABILITY						\
	"IMAP4rev1 IMAP4rev2 LITERAL+ UIDPLUS MOVE UNSELECT IDLE "	\
	"NAMESPACE ID CHILDREN ENABLE REPLACE MULTIAPPEND "		\
	"APPENDLIMIT=67108864 BINARY CONDSTORE QRESYNC LIST-EXTENDED "	\
	"LIST-STATUS STATUS=SIZE SPECIAL-USE CREATE-SPECIAL-USE "	\
	"SEARCHRES ESEARCH WITHIN PARTIAL SORT SORT=DISPLAY ESORT "	\
	"THREAD=ORDEREDSUBJECT THREAD=REFERENCES PREVIEW SAVEDATE "	\
	"OBJECTID UIDONLY INPROGRESS QUOTA QUOTA=RES-STORAGE "		\
	"QUOTA=RES-MESSAGE COMPRESS=DEFLATE UTF8=ACCEPT I18NLEVEL=1"
#define SESSION_APPEND_MAX	67108864u	/* bytes of a message */

/*
 * Takes fd over.  The first line that comes over it is from net, the tag of
 * the login, which is answered.  -1 (fd closed) if there is no memory.
 */
int	session_conn_new(const struct mailsession *, int fd,
	    unsigned int id, const char *addr);
struct client;

/* The same, for the one who knows what was said before. */
struct client *session_conn_make(const struct mailsession *, int fd,
	    unsigned int id, const char *addr);
/* Without a word; the descriptor is closed unless it was released. */
void	session_conn_free(struct client *);
unsigned int session_conn_count(void);
/* For each until it returns something but 0, which is returned. */
int	session_conn_each(int (*)(struct client *, void *), void *);
/* As mailsession_ops.kick. */
void	session_conn_kick(uint64_t number);
/* Say BYE to each as soon as its command is done. */
void	session_conn_drain(void);

#endif
