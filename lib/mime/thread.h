/*
 * thread: messages to threads by their references and subjects (RFC 5256 3).
 */
#ifndef MIME_THREAD_H
#define MIME_THREAD_H

#include <stddef.h>
#include <stdint.h>

#define MIME_THREAD_REFS	100	/* of one message, the last ones */
#define MIME_THREAD_IDS		4000000	/* messages and what they refer to */

struct mime_threads;

/* seed: a random number, so that nobody chooses what collides. */
struct mime_threads *mime_threads_new(uint64_t seed);
void	mime_threads_free(struct mime_threads *);
/*
 * Add a message, in the order of their numbers.  Values of the fields as they
 * stand, NULL where there is none; the base subject as it is compared.  -1
 * with ENOMEM.
 */
struct mime_thread_message {
	uint32_t	 num;
	int64_t		 date;
	const char	*id, *references, *in_reply_to, *subject;
	size_t		 idlen, referenceslen, in_reply_tolen, subjectlen;
	int		 reply;
};
int	mime_threads_add(struct mime_threads *,
	    const struct mime_thread_message *);
/* After the last one: nodes by reference, or by subject alone. */
int	mime_threads_references(struct mime_threads *);
int	mime_threads_subjects(struct mime_threads *);

/*
 * The nodes in the order in which THREAD tells them, as "before num )))":
 * start with a zeroed walk.  num 0 is a parent that is not there: only before
 * is written of it.  0 at the end.
 */
struct mime_thread_walk {
	uint32_t	 node;
	const char	*before;
	uint32_t	 num;
	unsigned int	 close;
};
int	mime_threads_walk(const struct mime_threads *,
	    struct mime_thread_walk *);

#endif
