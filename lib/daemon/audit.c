/*
 * audit: what -C prints: the processes, as declared and as they run, and the
 * messages that may pass between them.
 */
#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf/shown.h"
#include "daemon/child.h"
#include "log/log.h"

static void
level_words(int level, char *to, size_t size)
{
	static const struct {
		int		 bit;
		const char	*word;
	} words[] = {
		{ SANDBOX_SYSCALLS, "syscalls" },
		{ SANDBOX_FILES, "files" },
		{ SANDBOX_NETWORK, "network" },
		{ SANDBOX_CHROOT, "chroot" },
		{ SANDBOX_UID, "uid" },
		{ SANDBOX_RELAXED, "RELAXED" },
	};
	size_t	i;

	*to = '\0';
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (level & words[i].bit) {
			if (*to != '\0')
				strlcat(to, ",", size);
			strlcat(to, words[i].word, size);
		}
	if (*to == '\0')
		strlcpy(to, "none", size);
}

static void
channel_words(uint32_t set, char *to, size_t size)
{
	unsigned int	i;

	strlcpy(to, "parent", size);
	for (i = 0; i < ROLE_COUNT; i++)
		if (set & (1u << i)) {
			strlcat(to, ",", size);
			strlcat(to, role_name(i), size);
		}
}

static uint32_t
channels_of(const struct role_def *def)
{
	const struct role_def	*o;
	uint32_t		 set = def->channels;

	for (o = sv.daemon->roles; o->role != ROLE_PARENT; o++)
		if (o->channels & (1u << def->role))
			set |= 1u << o->role;
	return (set);
}

static void
print_def(FILE *f, const struct role_def *def, int json)
{
	const char	*user = def->user, *root = def->root;
	char		 ch[256];

	if (user == NULL)
		user = "the mailbox's owner";
	if (root == NULL)
		root = "none";
	channel_words(channels_of(def), ch, sizeof(ch));
	fprintf(f, json ? "    {\"role\": \"%s\", \"user\": \"%s\", "
	    "\"chroot\": \"%s\", \"promises\": \"%s\", \"channels\": \"%s\", "
	    "\"descriptors\": %u}" :
	    "%-8s %-20s chroot %s; %s; channels %s; at most %u descriptors\n",
	    role_name(def->role), user, root, def->promises, ch, def->nofile);
}

static void
print_running(FILE *f, int json)
{
	struct child	*c;
	char		 level[128], name[6 * C_USER + 8];
	const char	*sep = "";

	fputs(json ? ",\n  \"running\": [\n" : "\nrunning\n", f);
	TAILQ_FOREACH(c, &sv.children, entry) {
		level_words(c->level, level, sizeof(level));
		/* of a user table, which may hold anything */
		shown_text(name, sizeof(name), c->user, json ? SHOWN_JSON :
		    SHOWN_TERMINAL);
		fprintf(f, json ? "%s    {\"role\": \"%s\", \"pid\": %d, "
		    "\"uid\": %u, \"generation\": %u, \"sandbox\": \"%s\", "
		    "\"for\": \"%s\"}" :
		    "%s%-8s pid %d uid %u generation %u sandbox %s %s\n", sep,
		    role_name(c->def->role), (int)c->pid, (unsigned)c->uid,
		    c->gen, level, name);
		sep = json ? ",\n" : "";
	}
	if (json)
		fputs("\n  ]", f);
}

char *
audit_print(int json, int running)
{
	const struct role_def	*def;
	char			*text = NULL, *msgs, level[128];
	size_t			 size;
	FILE			*f;

	if ((msgs = contract_print(sv.daemon->contract, json)) == NULL)
		return (NULL);
	if ((f = open_memstream(&text, &size)) == NULL) {
		free(msgs);
		return (NULL);
	}
	level_words(sandbox_available(), level, sizeof(level));
	fprintf(f, json ? "{\n  \"daemon\": \"%s\",\n  \"sandbox\": \"%s\",\n"
	    "  \"reaches\": \"%s\",\n  \"processes\": [\n" :
	    "%s: sandbox %s (%s)\n\nprocesses\n"
	    "parent   root                 chroot none; all; reads mail.conf, "
	    "keys, and messages of fixed size\n",
	    sv.daemon->name, sandbox_describe(), level);
	for (def = sv.daemon->roles; def->role != ROLE_PARENT; def++) {
		print_def(f, def, json);
		if (json)
			fputs((def + 1)->role == ROLE_PARENT ? "\n" : ",\n", f);
	}
	if (json)
		fputs("  ]", f);
	if (running)
		print_running(f, json);
	fprintf(f, json ? ",\n  \"messages\": %s\n}\n" : "\nmessages\n%s",
	    msgs);
	free(msgs);
	if (fclose(f) != 0) {
		free(text);
		return (NULL);
	}
	return (text);
}
