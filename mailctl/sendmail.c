/*
 * sendmail: hands a message over to smtpd (submit.h); keeps it if smtpd is
 * down (submit_keep.h).
 *
 * Runs as whoever called it and is refused another's privilege: there is no
 * set-id bit, and with one it ends at once.  smtpd learns from the kernel who
 * it is.  Reads mail.conf, if it may, for the socket, the directory and the
 * origin.
 *
 * A recipient that is refused makes the message fail for all, so that who
 * tries again sends nothing twice; then the status says why.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/submit_args.h"
#include "daemon/submit_keep.h"
#include "daemon/submit_notice.h"
#include "mime/submission.h"
#include "os/compat.h"
#include "sendmail.h"
#include "smtp/address.h"

#define STATE		"/var/run/postern"
#define SPOOL		"/var/spool/postern"
#define MESSAGE_MAX	(1024UL * 1024 * 1024)
#define READ_BYTES	65536
#define NAME_BYTES	256
#define HOST_BYTES	256

static struct {
	struct submit_args	 args;
	char			 socket[PATH_MAX];
	char			 keep[PATH_MAX];
	char			 origin[HOST_BYTES];
	char			 user[NAME_BYTES];
	char			 fullname[NAME_BYTES];
	char			*text;		/* standard input */
	size_t			 len;
	struct submit_mail	 mail;
} self;

static int
complain(int status, const char *what, const char *why)
{
	fprintf(stderr, "sendmail: %s%s%s\n", what, why == NULL ? "" : ": ",
	    why == NULL ? "" : why);
	return (status);
}

int
sendmail_is_name(const char *argv0)
{
	const char	*name = strrchr(argv0, '/');

	name = name == NULL ? argv0 : name + 1;
	return (strcmp(name, "sendmail") == 0 || strcmp(name, "mailq") == 0 ||
	    strcmp(name, "newaliases") == 0);
}

static void
silent(void *arg, int is_error, const char *line)
{
	(void)arg;
	(void)is_error;
	(void)line;
}

/* Whoever may not read the configuration uses what is usual. */
static void
read_conf(const char *path)
{
	struct conf	*conf = NULL;
	char		 real[PATH_MAX];
	const char	*state = STATE, *spool = SPOOL;

	if (gethostname(self.origin, sizeof(self.origin) - 1) == -1)
		strlcpy(self.origin, "localhost", sizeof(self.origin));
	if (realpath(path, real) != NULL)
		conf = conf_load(real, NULL, 0, silent, NULL);
	if (conf != NULL) {
		state = conf->state;
		spool = conf->spool;
		strlcpy(self.origin, conf->origin, sizeof(self.origin));
	}
	snprintf(self.socket, sizeof(self.socket), "%s/submit.sock", state);
	if (keep_dir(spool, self.keep, sizeof(self.keep)) == -1)
		self.keep[0] = '\0';
	conf_free(conf);
}

/* The full name up to a comma; '&' stands for the login name (passwd(5)). */
static void
expand_gecos(const char *gecos, const char *login)
{
	char	*out = self.fullname, *end = out + sizeof(self.fullname) - 1;

	for (; *gecos != '\0' && *gecos != ',' && out < end; gecos++) {
		if (*gecos != '&') {
			*out++ = *gecos;
			continue;
		}
		out += strlcpy(out, login, (size_t)(end - out));
		if (out > end)
			out = end;
		else if (out > self.fullname)
			out[-(ptrdiff_t)strlen(login)] = (char)toupper(
			    (unsigned char)*login);
	}
	*out = '\0';
}

static void
who_am_i(void)
{
	const struct passwd	*pw = getpwuid(getuid());

	if (pw == NULL) {
		snprintf(self.user, sizeof(self.user), "%u",
		    (unsigned int)getuid());
		return;
	}
	strlcpy(self.user, pw->pw_name, sizeof(self.user));
	expand_gecos(pw->pw_gecos, pw->pw_name);
}

/* An address for the envelope; bare ones are completed with the origin. */
static char *
envelope_address(const char *s)
{
	char	address[SMTP_ADDR_SIZE], *whole;

	if (smtp_address(s, address) != NULL)
		return (NULL);
	if (*address == '\0' || smtp_address_at(address) != NULL)
		return (strdup(address));
	if (asprintf(&whole, "%s@%s", address, self.origin) == -1)
		return (NULL);
	return (whole);
}

static int
add_recipient(void *arg, const char *address)
{
	struct submit_mail	*m = arg;
	char			*whole;
	size_t			 i;
	int			 rv = 0;

	if ((whole = envelope_address(address)) == NULL || *whole == '\0') {
		free(whole);
		(void)complain(0, "no address", address);
		errno = EINVAL;
		return (-1);
	}
	for (i = 0; i < m->nrcpts; i++)
		if (strcmp(m->rcpts[i].address, whole) == 0)
			break;
	if (i == m->nrcpts)
		rv = submit_add_rcpt(m, whole);
	free(whole);
	return (rv);
}

/* Words may be lists: "a@b, c@d". */
static int
add_argument(const char *arg)
{
	struct submission	s = { .origin = self.origin, .take = 1,
				    .recipient = add_recipient,
				    .arg = &self.mail, .from = "",
				    .fullname = "", .date = "", .msgid = "" };
	struct buf		b;
	char			*field;
	int			 rv;

	if (strpbrk(arg, "\r\n") != NULL)
		return (-1);
	if (asprintf(&field, "To: %s\n", arg) == -1)
		return (-1);
	buf_init(&b, SUBMISSION_HEADER_MAX);
	rv = submission_header(&s, field, strlen(field), &b);
	buf_free(&b);
	free(field);
	return (rv);
}

static int
read_input(void)
{
	char	*bigger;
	size_t	 room = 0;
	ssize_t	 n;

	for (;;) {
		if (room - self.len < READ_BYTES) {
			room = room == 0 ? 2 * READ_BYTES : 2 * room;
			if (room > MESSAGE_MAX) {
				errno = EFBIG;
				return (-1);
			}
			if ((bigger = realloc(self.text, room)) == NULL)
				return (-1);
			self.text = bigger;
		}
		n = read(STDIN_FILENO, self.text + self.len, READ_BYTES);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return ((int)n);
		self.len += (size_t)n;
	}
}

/* A line that holds only a dot ends the message, unless -i. */
static void
cut_at_dot(void)
{
	char	*p = self.text, *end = p + self.len, *nl;

	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end - 1;
		if (*p == '.' && (p + 1 == end || p[1] == '\n' ||
		    (p[1] == '\r' && p + 2 < end && p[2] == '\n'))) {
			self.len = (size_t)(p - self.text);
			return;
		}
	}
}

static int
make_header(struct buf *header)
{
	struct submission	s = { .origin = self.origin,
				    .fullname = self.fullname,
				    .take = self.args.take,
				    .recipient = add_recipient,
				    .arg = &self.mail };
	char			date[64], msgid[HOST_BYTES + 64];
	struct tm		tm;
	time_t			now = time(NULL);
	size_t			body;

	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S %z", &tm);
	snprintf(msgid, sizeof(msgid), "<%llx.%08x%08x@%s>",
	    (unsigned long long)now, arc4random(), arc4random(), self.origin);
	s.date = date;
	s.msgid = msgid;
	/* the null path is nobody's name */
	s.from = *self.mail.sender != '\0' ? self.mail.sender : self.user;
	body = submission_body(self.text, self.len);
	buf_init(header, 4 * SUBMISSION_HEADER_MAX);
	if (submission_header(&s, self.text, body, header) == -1)
		return (-1);
	self.mail.text = self.text + body;
	self.mail.len = self.len - body;
	self.mail.header = buf_data(header);
	self.mail.headerlen = buf_len(header);
	return (0);
}

/* smtpd is down, or wants it later. */
static int
keep(const char *why)
{
	const struct passwd	*pw;
	uid_t			 uid = getuid();
	gid_t			 gid = getgid();
	int			 dir;

	/* nothing runs as root for root's messages */
	if (uid == 0) {
		if ((pw = getpwnam(KEEP_ACCOUNT)) == NULL)
			return (complain(EX_TEMPFAIL, why, "and there is no "
			    "account " KEEP_ACCOUNT));
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	if ((dir = keep_open(self.keep, 0)) == -1 &&
	    (dir = keep_open(self.keep, getuid())) == -1)
		return (complain(EX_TEMPFAIL, self.keep, strerror(errno)));
	if (keep_write(dir, uid, gid, &self.mail, self.origin) == -1)
		return (complain(EX_TEMPFAIL, self.keep, strerror(errno)));
	if (self.args.verbose)
		printf("kept: %s\n", why);
	return (EX_OK);
}

/* cron and others do not show what we print. */
static void
mail_errors(const char *reply)
{
	struct submit_mail	notice;
	struct buf		text;
	char			answer[SUBMIT_REPLY], *me;
	int			fd;

	if ((me = envelope_address(self.user)) == NULL ||
	    submit_notice(&notice, &text, &self.mail, self.origin, me,
	    reply) == -1) {
		free(me);
		return;
	}
	if ((fd = submit_connect(self.socket)) == -1 || submit_send(fd,
	    &notice, 0, NULL, answer) != SUBMIT_DONE)
		(void)complain(0, "you could not be told by mail", NULL);
	submit_mail_free(&notice);
	buf_free(&text);
	free(me);
}

static int
refused(const char *reply)
{
	size_t	i;
	int	status = EX_UNAVAILABLE;

	for (i = 0; i < self.mail.nrcpts; i++)
		if (self.mail.rcpts[i].reply[0] != '\0') {
			(void)complain(0, self.mail.rcpts[i].address,
			    self.mail.rcpts[i].reply);
			status = EX_NOUSER;
		}
	if (status == EX_UNAVAILABLE) {
		(void)complain(0, reply, NULL);
		if (strncmp(reply, "552", 3) == 0 ||
		    strncmp(reply, "554 5.6", 7) == 0)
			status = EX_DATAERR;
	}
	if (self.args.mail_errors)
		mail_errors(reply);
	return (complain(status, "the message was not sent", NULL));
}

static int
hand_over(void)
{
	char	reply[SUBMIT_REPLY];
	int	fd;

	if ((fd = submit_connect(self.socket)) == -1)
		return (keep(strerror(errno)));
	switch (submit_send(fd, &self.mail, 0, self.args.verbose ? stdout :
	    NULL, reply)) {
	case SUBMIT_DONE:
		return (EX_OK);
	case SUBMIT_REFUSED:
		return (refused(reply));
	default:
		return (keep(reply));
	}
}

/* The envelope as far as it is known from the command line. */
static int
take_arguments(int argc, char **argv)
{
	struct submit_args	*a = &self.args;
	int			 i;

	if (a->fullname != NULL)
		strlcpy(self.fullname, a->fullname, sizeof(self.fullname));
	if (a->sender != NULL && (strcmp(a->sender, "<>") == 0 ||
	    *a->sender == '\0'))
		self.mail.sender = strdup("");
	else
		self.mail.sender = envelope_address(a->sender != NULL ?
		    a->sender : self.user);
	if (self.mail.sender == NULL)
		return (complain(EX_USAGE, "no address", a->sender));
	if ((a->notify != NULL && (self.mail.notify = strdup(a->notify)) ==
	    NULL) || (a->ret != NULL && (self.mail.ret = strdup(a->ret)) ==
	    NULL) || (a->envid != NULL && (self.mail.envid =
	    strdup(a->envid)) == NULL))
		return (complain(EX_OSERR, strerror(errno), NULL));
	for (i = a->first; i < argc; i++)
		if (add_argument(argv[i]) == -1)
			return (complain(EX_USAGE, "no address", argv[i]));
	if (self.mail.nrcpts == 0 && !a->take)
		return (complain(EX_USAGE, "no recipients: name them, or use "
		    "-t", NULL));
	return (EX_OK);
}

static int
message(int argc, char **argv)
{
	struct buf	header;
	int		status;

	if ((status = take_arguments(argc, argv)) != EX_OK)
		return (status);
	if (read_input() == -1)
		return (complain(EX_IOERR, "standard input",
		    strerror(errno)));
	if (!self.args.ignore_dots)
		cut_at_dot();
	if (make_header(&header) == -1)
		return (complain(EX_DATAERR, "the header",
		    strerror(errno)));
	if (self.mail.nrcpts == 0)
		return (complain(EX_USAGE, "the message names no recipient",
		    NULL));
	return (hand_over());
}

/* Nothing is kept: the answer is for now. */
static int
verify(int argc, char **argv)
{
	const struct submit_rcpt	*r;
	char				 reply[SUBMIT_REPLY];
	enum submit_result		 result;
	size_t				 i;
	int				 fd, status, answered = 0;

	self.args.take = 0;
	if ((status = take_arguments(argc, argv)) != EX_OK)
		return (status);
	if ((fd = submit_connect(self.socket)) == -1)
		return (complain(EX_TEMPFAIL, self.socket, strerror(errno)));
	result = submit_ask(fd, &self.mail, self.args.verbose ? stdout : NULL,
	    reply);
	for (i = 0; i < self.mail.nrcpts; i++)
		answered |= self.mail.rcpts[i].accepted ||
		    self.mail.rcpts[i].reply[0] != '\0';
	if (!answered)
		return (complain(result == SUBMIT_LATER ? EX_TEMPFAIL :
		    EX_UNAVAILABLE, reply, NULL));
	for (i = 0; i < self.mail.nrcpts; i++) {
		r = &self.mail.rcpts[i];
		/* Who was not asked any more: by what ended it. */
		printf("%s: %s\n", r->address, r->accepted ? "accepted" :
		    r->reply[0] != '\0' ? r->reply : reply);
	}
	return (result == SUBMIT_DONE ? EX_OK : result == SUBMIT_LATER ?
	    EX_TEMPFAIL : EX_NOUSER);
}

static int
smtp(void)
{
	int	fd;

	/* either end may go first */
	(void)signal(SIGPIPE, SIG_IGN);
	if ((fd = submit_connect(self.socket)) == -1) {
		printf("421 4.3.2 smtpd is down, try again later\r\n");
		return (EX_TEMPFAIL);
	}
	return (submit_pump(fd) == -1 ? EX_IOERR : EX_OK);
}

int
sendmail_main(int argc, char **argv, const struct sendmail_calls *calls)
{
	const char	*bad, *conf;

	if (getuid() != geteuid() || getgid() != getegid())
		return (complain(EX_NOPERM, "this program must not be "
		    "set-id", NULL));
	if ((bad = submit_args(&self.args, argc, argv)) != NULL)
		return (complain(EX_USAGE, bad, NULL));
	conf = self.args.conf != NULL ? self.args.conf : calls->conf_path;
	read_conf(conf);
	who_am_i();
	switch (self.args.mode) {
	case SUBMIT_LIST:
		if (getuid() != 0)
			return (complain(EX_NOPERM, "only root may see the "
			    "queue", NULL));
		return (calls->list(conf) == 0 ? EX_OK : EX_UNAVAILABLE);
	case SUBMIT_FLUSH:
		if (getuid() != 0)
			return (complain(EX_NOPERM, "only root may have the "
			    "queue run", NULL));
		return (calls->flush(conf) == 0 ? EX_OK : EX_UNAVAILABLE);
	case SUBMIT_ALIASES:
		puts("smtpd reads its tables again by itself when they "
		    "change");
		return (EX_OK);
	case SUBMIT_SMTP:
		return (smtp());
	case SUBMIT_VERIFY:
		return (verify(argc, argv));
	case SUBMIT_MESSAGE:
		break;
	}
	return (message(argc, argv));
}
