/*
 * states: every command of the table in every state, made from the table
 * itself: not selected, selected, selected read-only, and with UIDs only.
 *
 * Each is sent bare, with UID in front, and with arguments that fit none; what
 * it has to say follows from its line in the table.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <sys/wait.h>
#include <err.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>

#include "../../imapd/cmd_table.h"
#include "../../imapd/session_conn.h"
#include "../test.h"
#include "daemon/mailsession.h"
#include "store/store.h"

#define ANSWER_MAX	4096

enum state { NONE, SELECTED, READONLY, UIDONLY, NSTATES };

static const char *const state_names[NSTATES] = {
	"none", "selected", "read-only", "uid-only"
};
static int fd;
static char input[65536];
static size_t have;
static struct event_base *base;

static void
ended(uint64_t number)
{
	(void)event_base_loopbreak(base);
}

/* The process that is imapd-session elsewhere. */
static void
serve(const char *dir, int sock)
{
	struct store_settings set = { .user = "user", .hostname = "test" };
	struct mailsession session = { .user = "user" };
	int dirfd;

	if ((base = event_base_new()) == NULL ||
	    (dirfd = open(dir, O_RDONLY | O_DIRECTORY)) == -1 ||
	    dup2(open("/dev/null", O_WRONLY), 2) == -1)
		err(1, "%s", dir);
	if (store_open(&session.store, dirfd, ".", &set,
	    STORE_CREATE) != STORE_OK)
		errx(1, "store");
	session.base = base;
	session.ended = ended;
	if (session_conn_new(&session, sock, 1, "::1") == -1)
		err(1, "connection");
	event_base_dispatch(base);
	store_close(session.store);
	event_base_free(base);
	close(dirfd);
}

static pid_t
start(const char *dir)
{
	int pair[2];
	pid_t pid;

	have = 0;
	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
	    (pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		close(pair[0]);
		serve(dir, pair[1]);
		exit(0);
	}
	close(pair[1]);
	fd = pair[0];
	return (pid);
}

/* The next line, without its end; "" when the server has closed. */
static void
next_line(char *out, size_t size)
{
	char *nl;
	ssize_t n;

	while ((nl = memchr(input, '\n', have)) == NULL) {
		if (have == sizeof(input) ||
		    (n = read(fd, input + have, sizeof(input) - have)) <= 0) {
			out[0] = '\0';
			return;
		}
		have += (size_t)n;
	}
	*nl = '\0';
	(void)strlcpy(out, input, size);
	have -= (size_t)(nl + 1 - input);
	memmove(input, nl + 1, have);
}

/* Send a line; the answer that has its tag, or is a continuation. */
static void
ask(const char *line, char answer[ANSWER_MAX])
{
	char text[256];

	snprintf(text, sizeof(text), "%s\r\n", line);
	/* After LOGOUT it may have closed already. */
	answer[0] = '\0';
	if (write(fd, text, strlen(text)) == -1)
		return;
	do
		next_line(answer, ANSWER_MAX);
	while (answer[0] == '*');
}

static void
enter(enum state st)
{
	char answer[ANSWER_MAX];

	ask("t", answer);		/* the login that net took */
	if (st == UIDONLY)
		ask("t ENABLE UIDONLY", answer);
	if (st == SELECTED || st == UIDONLY)
		ask("t SELECT INBOX", answer);
	else if (st == READONLY)
		ask("t EXAMINE INBOX", answer);
}

/* What an answer has to begin with; NULL: whatever is not among these. */
static const char *
expected(const struct command *cmd, enum state st, int uid)
{
	unsigned int in = st == NONE ? CLIENT_AUTH : CLIENT_SELECTED;

	if (uid && (cmd->flags & CMD_UID) == 0)
		return ("t BAD Unknown command");
	if ((cmd->states & in) == 0)
		return (st == NONE ? "t BAD No mailbox is selected" :
		    "t BAD A mailbox is selected");
	if (st == UIDONLY && !uid && (cmd->flags & CMD_NUMBERS))
		return ("t BAD [UIDREQUIRED]");
	if (st == READONLY && (cmd->rights & RIGHTS_CHANGE))
		return ("t NO [NOPERM] Mailbox is read-only");
	return (NULL);
}

static int
right(const char *answer, const char *want)
{
	static const char *const others[] = {
		"t BAD Unknown command", "t BAD No mailbox",
		"t BAD A mailbox", "t BAD [UIDREQUIRED]",
		"t NO [NOPERM] Mailbox is read-only"
	};
	size_t i;

	if (want != NULL)
		return (strncmp(answer, want, strlen(want)) == 0);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(answer, others[i], strlen(others[i])) == 0)
			return (0);
	return (strncmp(answer, "t ", 2) == 0 || answer[0] == '+');
}

/* One session for each line, so that none is in another's way. */
static void
drive(const char *dir, const struct command *cmd, enum state st, int uid,
    const char *arguments)
{
	char line[128], name[160], answer[ANSWER_MAX];
	int ok, status;
	pid_t pid = start(dir);

	enter(st);
	snprintf(line, sizeof(line), "t %s%s%s", uid ? "UID " : "", cmd->name,
	    arguments);
	ask(line, answer);
	ok = right(answer, expected(cmd, st, uid));
	/* Nothing but LOGOUT ends the connection. */
	if (strcmp(cmd->name, "COMPRESS") != 0 && answer[0] != '+') {
		ask("u NOOP", answer);
		ok &= strcmp(cmd->name, "LOGOUT") == 0 ? 1 :
		    strncmp(answer, "u OK", 4) == 0;
	}
	close(fd);
	ok &= waitpid(pid, &status, 0) == pid && status == 0;
	snprintf(name, sizeof(name), "%s: %s", state_names[st], line + 2);
	TEST(name, ok);
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return (remove(path));
}

int
main(void)
{
	static const char *const arguments[] = { "", " ", " 0 (((" };
	char dir[] = "/tmp/postern-states.XXXXXX";
	const struct command *cmd;
	enum state st;
	size_t i, a;
	int uid;

	(void)signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(dir) == NULL)
		err(1, "mkdtemp");
	for (i = 0; (cmd = cmd_at(i)) != NULL; i++)
		for (st = NONE; st < NSTATES; st++)
			for (uid = 0; uid < 2; uid++)
				for (a = 0; a < 3; a++)
					drive(dir, cmd, st, uid, arguments[a]);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	TEST_DONE();
}
