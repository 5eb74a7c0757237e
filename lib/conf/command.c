/*
 * command: the words of a program's command line.
 *
 * Bytes in, words out.  What a shell would do beyond that is the point of not
 * having one.
 */
#include <errno.h>
#include <string.h>

#include "os/compat.h"
#include "conf/command.h"
#include "conf/words.h"

/* One word from *s on, which may be empty in quotes; -1 if it has no end. */
static int
take_word(const char **s, char *out)
{
	const char *p = *s;
	char quote = '\0';

	for (; *p != '\0' && (quote != '\0' || (*p != ' ' && *p != '\t'));
	    p++) {
		if ((unsigned char)*p < ' ' && *p != '\t')
			return (-1);
		if (*p == '\\' && quote != '\'') {
			if (*++p == '\0')
				return (-1);
			*out++ = *p;
		} else if (quote == '\0' && (*p == '"' || *p == '\''))
			quote = *p;
		else if (quote != '\0' && *p == quote)
			quote = '\0';
		else
			*out++ = *p;
	}
	*out = '\0';
	*s = p;
	return (quote == '\0' ? 0 : -1);
}

int
command_split(const char *s, struct conf_words *words)
{
	char word[COMMAND_MAX];

	memset(words, 0, sizeof(*words));
	errno = E2BIG;
	if (strlen(s) >= sizeof(word))
		return (-1);
	for (;;) {
		s += strspn(s, " \t");
		if (*s == '\0')
			break;
		errno = words->n == COMMAND_WORDS ? E2BIG : EINVAL;
		if (words->n == COMMAND_WORDS || take_word(&s, word) == -1)
			goto fail;
		errno = ENOMEM;
		if (words_add(words, word) == NULL)
			goto fail;
	}
	errno = EINVAL;
	if (words->n > 0 && words->v[0][0] == '/')
		return (0);
fail:
	words_free(words);
	return (-1);
}
