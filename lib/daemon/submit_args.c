/*
 * submit_args: see submit_args.h.  Not getopt(3): some options have an
 * argument only in the same word, which POSIX's cannot say.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/submit_args.h"

enum kind {
	NONE,			/* no argument */
	NEXT,			/* one, here or in the next word */
	HERE			/* perhaps one, in this word only */
};

static const struct {
	char		letter;
	enum kind	kind;
} options[] = {
	{ 'A', HERE }, { 'B', NEXT }, { 'b', NEXT }, { 'C', NEXT },
	{ 'd', HERE }, { 'D', NEXT }, { 'E', NONE }, { 'e', HERE },
	{ 'F', NEXT }, { 'f', NEXT }, { 'G', NONE }, { 'h', NEXT },
	{ 'I', NONE }, { 'i', NONE }, { 'L', NEXT }, { 'm', NONE },
	{ 'N', NEXT }, { 'n', NONE }, { 'O', NEXT }, { 'o', HERE },
	{ 'p', NEXT }, { 'q', HERE }, { 'R', NEXT }, { 'r', NEXT },
	{ 't', NONE }, { 'U', NONE }, { 'V', NEXT }, { 'v', NONE },
	{ 'X', NEXT }, { 'x', NONE },
};
#define NOPTIONS	(sizeof(options) / sizeof(options[0]))

static const char	*wrong(const char *, const char *);

static const char *
set_mode(struct submit_args *a, const char *arg)
{
	static const struct {
		char			letter;
		enum submit_mode	mode;
	} modes[] = {
		{ 'm', SUBMIT_MESSAGE }, { 's', SUBMIT_SMTP },
		{ 'p', SUBMIT_LIST }, { 'i', SUBMIT_ALIASES },
		{ 'v', SUBMIT_VERIFY },
	};
	size_t	i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (arg[0] == modes[i].letter && arg[1] == '\0') {
			a->mode = modes[i].mode;
			return (NULL);
		}
	if (strcmp(arg, "d") == 0 || strcmp(arg, "D") == 0)
		return ("the daemon is a program of its own: start smtpd");
	return (wrong("no such mode: -b", arg));
}

/* RFC 3461 4.1: NEVER alone, or some of the others. */
static const char *
set_notify(struct submit_args *a, const char *arg)
{
	static const char *const	words[] = { "SUCCESS", "FAILURE",
					    "DELAY" };
	const char			*p = arg;
	size_t				 n, i;

	a->notify = arg;
	if (strcasecmp(arg, "NEVER") == 0)
		return (NULL);
	for (;;) {
		n = strcspn(p, ",");
		for (i = 0; i < 3; i++)
			if (strlen(words[i]) == n &&
			    strncasecmp(p, words[i], n) == 0)
				break;
		if (i == 3)
			return (wrong("never, or success, failure and delay, "
			    "but not -N ", arg));
		if (p[n] == '\0')
			return (NULL);
		p += n + 1;
	}
}

static const char *
set_ret(struct submit_args *a, const char *arg)
{
	if (strcasecmp(arg, "FULL") != 0 && strcasecmp(arg, "HDRS") != 0)
		return (wrong("full or hdrs, but not -R ", arg));
	a->ret = arg;
	return (NULL);
}

/* xtext (RFC 3461 section 4), which the command takes as it is. */
static const char *
set_envid(struct submit_args *a, const char *arg)
{
	const char	*p;

	for (p = arg; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '=')
			return ("an envelope id has no blanks, controls or "
			    "'='");
	if (p == arg || p - arg > 100)
		return ("an envelope id has up to 100 characters");
	a->envid = arg;
	return (NULL);
}

/* -o and -e: what Sendmail's options of one letter meant. */
static const char *
set_old(struct submit_args *a, const char *arg)
{
	switch (arg[0]) {
	case 'i':
		a->ignore_dots = 1;
		break;
	case 'v':
		a->verbose = 1;
		break;
	case 'e':
		a->mail_errors = arg[1] == 'm' || arg[1] == 'w';
		break;
	default:
		break;		/* delivery mode, old headers, timeouts, ... */
	}
	return (NULL);
}

static const char *
set_queue(struct submit_args *a, const char *arg)
{
	if (*arg >= '0' && *arg <= '9')
		return ("smtpd runs the queue by itself: see queue in "
		    "mail.conf(5)");
	a->mode = SUBMIT_FLUSH;
	return (NULL);
}

/* arg is NULL for an option that has none. */
static const char *
apply(struct submit_args *a, char letter, const char *arg)
{
	switch (letter) {
	case 'b':
		return (set_mode(a, arg));
	case 'C':
		a->conf = arg;
		return (NULL);
	case 'e':
		a->mail_errors = *arg == 'm' || *arg == 'w';
		return (NULL);
	case 'F':
		a->fullname = arg;
		return (NULL);
	case 'f':
	case 'r':
		a->sender = arg;
		return (NULL);
	case 'I':
		a->mode = SUBMIT_ALIASES;
		return (NULL);
	case 'i':
		a->ignore_dots = 1;
		return (NULL);
	case 'N':
		return (set_notify(a, arg));
	case 'o':
		return (set_old(a, arg));
	case 'q':
		return (set_queue(a, arg));
	case 'R':
		return (set_ret(a, arg));
	case 't':
		a->take = 1;
		return (NULL);
	case 'V':
		return (set_envid(a, arg));
	case 'v':
		a->verbose = 1;
		return (NULL);
	default:
		return (NULL);	/* of no meaning here */
	}
}

static const char *
wrong(const char *what, const char *arg)
{
	static char	text[128];

	(void)snprintf(text, sizeof(text), "%s%.60s", what, arg);
	return (text);
}

/* One word of options; *used is set if it takes the next one as well. */
static const char *
word(struct submit_args *a, const char *p, const char *next, int *used)
{
	const char	*bad;
	size_t		 i;
	char		 letter[2] = { 0 };

	*used = 0;
	while ((letter[0] = *p++) != '\0') {
		for (i = 0; i < NOPTIONS; i++)
			if (options[i].letter == letter[0])
				break;
		if (i == NOPTIONS)
			return (wrong("unknown option -", letter));
		if (options[i].kind == NONE) {
			if ((bad = apply(a, letter[0], NULL)) != NULL)
				return (bad);
			continue;
		}
		if (*p == '\0' && options[i].kind == NEXT) {
			if (next == NULL)
				return (wrong("an argument is missing: -",
				    letter));
			*used = 1;
			p = next;
		}
		return (apply(a, letter[0], p));
	}
	return (NULL);
}

static void
by_name(struct submit_args *a, const char *path)
{
	const char	*name = strrchr(path, '/');

	name = name == NULL ? path : name + 1;
	if (strcmp(name, "mailq") == 0)
		a->mode = SUBMIT_LIST;
	else if (strcmp(name, "newaliases") == 0)
		a->mode = SUBMIT_ALIASES;
}

const char *
submit_args(struct submit_args *a, int argc, char **argv)
{
	const char	*bad = NULL;
	int		 i, used;

	memset(a, 0, sizeof(*a));
	if (argc > 0)
		by_name(a, argv[0]);
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0' &&
	    bad == NULL; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		bad = word(a, argv[i] + 1, i + 1 < argc ? argv[i + 1] : NULL,
		    &used);
		i += used;
	}
	a->first = i < argc ? i : argc;
	return (bad);
}
