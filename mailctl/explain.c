/*
 * explain: what would become of a message, and why; and the proof that no
 * rule relays for strangers.
 *
 * It runs the code of the live session here, on the configuration as it is in
 * the file: rules and tables that are not loaded yet can be tried, and the
 * lines that it names are those of the file.  Tables are read with the
 * caller's rights, names are asked for, and a forward file is read by a
 * process of its user.
 */
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "os/compat.h"
#include "rules/include.h"
#include "rules/prove.h"
#include "rules/rules.h"
#include "mailctl.h"
#include "names.h"

#define USAGE	"usage: mailctl explain from ADDRESS | local [tls] " \
		"[auth USER] [helo NAME] [tag TAG] [sender ADDRESS] " \
		"to ADDRESS\n"

/* One address of the expansion, with what it led to. */
struct node {
	unsigned int	 number, from;
	char		*addr;
	char		*how;		/* NULL: was there already */
	char		*end;		/* where it ends, or NULL */
};

struct explain {
	int		 json;
	unsigned int	 rules;
	struct node	*v;
	size_t		 n;
	int		 nomem;
};

static char *
rule_text(const struct conf_rule *r)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*f;

	if ((f = open_memstream(&text, &size)) == NULL)
		return (NULL);
	conf_print_rule(f, r);
	if (fclose(f) != 0) {
		free(text);
		return (NULL);
	}
	return (text);
}

static void
put_json(const char *before, const char *name, const char *value)
{
	printf("%s\"%s\": ", before, name);
	if (value == NULL)
		fputs("null", stdout);
	else
		json_string(value);
}

/* A rule that was tried, as it comes. */
static void
on_rule(void *arg, const struct conf_rule *r, const char *why)
{
	struct explain	*x = arg;
	char		*text = rule_text(r);

	if (x->json) {
		printf("%s\n  {", x->rules++ > 0 ? "," : "");
		put_json("", "file", r->implied ? NULL : r->pos.file);
		printf(", \"line\": %u", r->implied ? 0 : r->pos.line);
		put_json(", ", "rule", text);
		printf(", \"matches\": %s", why == NULL ? "true" : "false");
		put_json(", ", "why", why);
		putchar('}');
	} else {
		if (r->implied)
			printf("(no rules) ");
		else
			printf("%s:%u: ", r->pos.file, r->pos.line);
		printf("%s\n\t%s%s\n", text != NULL ? text : "?",
		    why == NULL ? "matches and decides" : "no: ",
		    why == NULL ? "" : why);
	}
	free(text);
}

static void
on_address(void *arg, unsigned int number, unsigned int from,
    const char *addr, const char *how)
{
	struct explain	*x = arg;
	struct node	*v;

	if ((v = reallocarray(x->v, x->n + 1, sizeof(*v))) == NULL) {
		x->nomem = 1;
		return;
	}
	x->v = v;
	v += x->n;
	memset(v, 0, sizeof(*v));
	v->number = number;
	v->from = from;
	if ((v->addr = strdup(addr)) == NULL ||
	    (how != NULL && (v->how = strdup(how)) == NULL))
		x->nomem = 1;
	x->n++;
}

static const char *
tls_policy(int scheme)
{
	switch (scheme) {
	case SCHEME_SMTP:
		return ("TLS if it is offered");
	case SCHEME_SMTP_TLS:
		return ("STARTTLS required, certificate verified");
	case SCHEME_SMTPS:
		return ("TLS from the first byte, certificate verified");
	case SCHEME_SMTP_NOTLS:
		return ("no TLS");
	default:
		return ("LMTP, no TLS");
	}
}

static void
print_owner(FILE *f, const struct rules_dest *d)
{
	if (d->owner[0] != '\0')
		fprintf(f, ", return path %s", d->owner);
}

static void
print_end(FILE *f, const struct rules_dest *d, const struct conf_route *route)
{
	if (d->dead && !d->local) {
		fprintf(f, "refused: %s is told", d->owner[0] != '\0' ?
		    d->owner : "the sender");
		return;
	}
	if (d->dead) {
		fprintf(f, "no account %s of %s: %s is told", d->user,
		    d->host, d->owner[0] != '\0' ? d->owner : "the sender");
		return;
	}
	if (d->local) {
		fprintf(f, "account %s of %s", d->user, d->host);
		print_owner(f, d);
		return;
	}
	fprintf(f, "%s %s port %u, %s", d->nomx || d->scheme == SCHEME_LMTP ?
	    "sent to" : "sent to the MX of", d->host, d->port,
	    tls_policy(d->scheme));
	if (d->label[0] != '\0')
		fprintf(f, ", password of label %s", d->label);
	if (d->source[0] != '\0')
		fprintf(f, ", from address %s", d->source);
	if (route != NULL)
		fprintf(f, " (%s:%u)", route->pos.file, route->pos.line);
	else
		fputs(" (no route is for it)", f);
	print_owner(f, d);
}

static void
on_dest(void *arg, unsigned int number, const struct rules_dest *d,
    const struct conf_route *route)
{
	struct explain	*x = arg;
	char		*text = NULL;
	size_t		 i, size;
	FILE		*f;

	if ((f = open_memstream(&text, &size)) == NULL) {
		x->nomem = 1;
		return;
	}
	print_end(f, d, route);
	if (fclose(f) != 0) {
		x->nomem = 1;
		return;
	}
	for (i = 0; i < x->n; i++)
		if (x->v[i].number == number && number != 0) {
			free(x->v[i].end);
			x->v[i].end = text;
			return;
		}
	free(text);
}

/* The addresses below one, and below these. */
static void
print_tree(const struct explain *x, unsigned int from, unsigned int depth)
{
	const struct node	*v;
	size_t			 i;

	for (i = 0; i < x->n; i++) {
		v = &x->v[i];
		if (v->from != from || v->addr == NULL)
			continue;
		printf("%*s%s", (int)(2 * depth), "", v->addr);
		if (v->how == NULL)
			printf(" (already there)");
		else if (from != 0)
			printf(" (%s)", v->how);
		if (v->end != NULL)
			printf(" -> %s", v->end);
		putchar('\n');
		if (v->number != 0)
			print_tree(x, v->number, depth + 1);
	}
}

static void
json_tree(const struct explain *x)
{
	const struct node	*v;
	size_t			 i;

	printf("],\n \"addresses\": [");
	for (i = 0; i < x->n; i++) {
		v = &x->v[i];
		printf("%s\n  {\"number\": %u, \"from\": %u", i > 0 ? "," :
		    "", v->number, v->from);
		put_json(", ", "address", v->addr);
		put_json(", ", "how", v->how);
		put_json(", ", "goes", v->end);
		putchar('}');
	}
	printf("],\n ");
}

/* As the user whose file it is: in a process that can be nothing else. */
static enum rules_result
read_forward(const struct rules_env *env, const struct conf_domain *d,
    const struct rules_account *acc, char **text)
{
	static char	 buf[FORWARD_MAX + 1];
	char		 path[C_PATH], *got;
	const char	*why;
	ssize_t		 r;
	size_t		 n = 0;
	pid_t		 pid;
	int		 p[2], status;

	*text = NULL;
	if (conf_expand(d->forward, acc->user, acc->home, path,
	    sizeof(path)) == -1)
		return (RULES_NO);
	if (pipe(p) == -1)
		return (RULES_TEMPFAIL);
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		close(p[0]);
		if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
		    setgid(acc->gid) == -1 || setuid(acc->uid) == -1))
			_exit(2);
		if ((got = include_read(path, acc->uid, FORWARD_MAX, &why)) ==
		    NULL)
			_exit(errno == ENOENT || errno == EPERM ||
			    errno == EACCES || errno == ENOTDIR ? 1 : 2);
		_exit(write(p[1], got, strlen(got)) ==
		    (ssize_t)strlen(got) ? 0 : 2);
	}
	close(p[1]);
	while (pid != -1 && n < sizeof(buf) - 1 &&
	    (r = read(p[0], buf + n, sizeof(buf) - 1 - n)) > 0)
		n += r;
	close(p[0]);
	if (pid == -1 || waitpid(pid, &status, 0) == -1 ||
	    !WIFEXITED(status) || WEXITSTATUS(status) > 1)
		return (RULES_TEMPFAIL);
	buf[n] = '\0';
	if (WEXITSTATUS(status) == 1)
		return (RULES_NO);
	return ((*text = strdup(buf)) != NULL ? RULES_OK : RULES_TEMPFAIL);
}

/* The words of the command; NULL, or what is wrong with them. */
static const char *
read_request(const struct call *call, struct rules_request *q, int *local)
{
	const char	**to;
	int		  i, from = 0;

	for (i = 0; i < call->argc; i++) {
		const char *w = call->argv[i];

		if (strcmp(w, "tls") == 0) {
			q->tls = 1;
			continue;
		}
		to = strcmp(w, "from") == 0 ? &q->addr :
		    strcmp(w, "auth") == 0 ? &q->user :
		    strcmp(w, "helo") == 0 ? &q->helo :
		    strcmp(w, "tag") == 0 ? &q->tag :
		    strcmp(w, "sender") == 0 ? &q->sender :
		    strcmp(w, "to") == 0 ? &q->rcpt : NULL;
		if (to == NULL || ++i == call->argc)
			return (w);
		*to = call->argv[i];
		from |= to == &q->addr;
	}
	if (!from || q->rcpt == NULL)
		return ("from and to are needed");
	*local = strcmp(q->addr, "local") == 0;
	return (NULL);
}

/* Addresses as a session would hand them on; NULL or what is wrong. */
static const char *
normalise(const struct conf *conf, struct rules_request *q,
    char sender[SMTP_ADDR_SIZE], char rcpt[SMTP_ADDR_SIZE])
{
	const char	*p, *wrong;

	sender[0] = '\0';
	if (q->sender != NULL && *q->sender != '\0') {
		p = q->sender;
		if ((wrong = smtp_path(&p, sender)) != NULL || *p != '\0')
			return (wrong != NULL ? wrong : "bad sender");
	}
	p = q->rcpt;
	if ((wrong = smtp_path(&p, rcpt)) != NULL || *p != '\0' ||
	    *rcpt == '\0')
		return (wrong != NULL ? wrong : "bad recipient");
	if (rules_complete(conf, sender) == -1 ||
	    rules_complete(conf, rcpt) == -1)
		return ("the address becomes too long");
	q->sender = sender;
	q->rcpt = rcpt;
	return (NULL);
}

/* What came out, and its exit status. */
static int
outcome(struct explain *x, const struct rules_env *env,
    const struct rules_request *q, const struct rules_answer *a)
{
	struct rules_dests	 dests = { NULL, 0 };
	const char		*v[RULES_ARCHIVES], *what;
	char			 reply[C_REPLY];
	enum rules_result	 r = a->result;
	size_t			 i, n;

	strlcpy(reply, a->reply, sizeof(reply));
	if (r == RULES_OK)
		r = rules_resolve(env, q->sender, q->rcpt, 1, &dests, reply);
	what = r == RULES_OK ? (a->ours ? "deliver" : "relay") :
	    r == RULES_NO ? "reject" : "tempfail";
	n = r == RULES_OK ? rules_archives(env->conf, q->sender, q->rcpt,
	    &dests, v) : 0;
	if (x->json) {
		json_tree(x);
		printf("\"archives\": [");
		for (i = 0; i < n; i++) {
			printf("%s", i > 0 ? ", " : "");
			json_string(v[i]);
		}
		put_json("],\n ", "result", what);
		put_json(", ", "reply", r == RULES_OK ? NULL : reply);
		printf("}\n");
	} else {
		if (a->rule == NULL)
			printf("no rule matches\n");
		print_tree(x, 0, 0);
		for (i = 0; i < n; i++)
			printf("a copy to the archive %s\n", v[i]);
		printf("%s%s%s\n", what, r == RULES_OK ? "" : ": ",
		    r == RULES_OK ? "" : reply);
	}
	rules_dests_free(&dests);
	return (r == RULES_OK || r == RULES_NO ? STATUS_OK : STATUS_FAILED);
}

static int
explain(const struct call *call, const struct conf *conf,
    struct rules_request *q)
{
	struct explain		 x = { .json = call->json };
	struct rules_trace	 trace = { on_rule, on_address, on_dest, &x };
	struct rules_env	 env;
	struct rules_answer	 a;
	char			 sender[SMTP_ADDR_SIZE];
	char			 rcpt[SMTP_ADDR_SIZE];
	const char		*wrong;
	size_t			 i;
	int			 status;

	if ((wrong = normalise(conf, q, sender, rcpt)) != NULL) {
		fprintf(stderr, "mailctl: %s\n", wrong);
		return (STATUS_FAILED);
	}
	rules_now(&env, conf);
	env.dns = names_ask;
	env.forward = read_forward;
	env.trace = &trace;
	if (x.json)
		printf("{\"rules\": [");
	rules_decide(&env, q, &a);
	status = outcome(&x, &env, q, &a);
	for (i = 0; i < x.n; i++) {
		free(x.v[i].addr);
		free(x.v[i].how);
		free(x.v[i].end);
	}
	free(x.v);
	names_close();
	if (x.nomem) {
		fprintf(stderr, "mailctl: out of memory\n");
		return (STATUS_FAILED);
	}
	return (status);
}

int
explain_command(const struct call *call)
{
	struct rules_request	 q = { .helo = "" };
	struct addr_net		 net;
	struct conf		*conf;
	const char		*wrong;
	int			 local = 0, status;

	if ((wrong = read_request(call, &q, &local)) != NULL ||
	    (!local && addr_net_parse(&net, q.addr) == -1)) {
		fprintf(stderr, "mailctl: %s\n" USAGE, wrong != NULL ? wrong :
		    "that is no address");
		return (STATUS_USAGE);
	}
	if (local)
		q.addr = NULL;
	names_open();
	if ((conf = call_load(call)) == NULL)
		return (STATUS_FAILED);
	status = explain(call, conf, &q);
	conf_free(conf);
	return (status);
}

static void
print_witness(const struct call *call, const struct rules_witness *w)
{
	char	*text = rule_text(w->rule);

	if (call->json) {
		printf("{\"safe\": false");
		put_json(", ", "file", w->rule->pos.file);
		printf(", \"line\": %u", w->rule->pos.line);
		put_json(", ", "rule", text);
		put_json(", ", "from", w->addr);
		printf(", \"tls\": %s", w->tls ? "true" : "false");
		put_json(", ", "tag", *w->tag != '\0' ? w->tag : NULL);
		put_json(", ", "helo", w->helo);
		put_json(", ", "sender", w->sender);
		put_json(", ", "to", w->rcpt);
		put_json(", ", "given", *w->given != '\0' ? w->given : NULL);
		printf("}\n");
	} else {
		printf("%s:%u: %s\nrelays for a stranger",
		    w->rule->pos.file, w->rule->pos.line, text != NULL ?
		    text : "?");
		printf("%s%s:\n\tmailctl explain ", *w->given != '\0' ?
		    ", if " : "", w->given);
		rules_witness_print(stdout, w);
		putchar('\n');
	}
	free(text);
}

int
prove_command(const struct call *call)
{
	struct rules_witness	 w;
	struct conf		*conf;
	enum rules_proof	 proof;

	if ((conf = call_load(call)) == NULL)
		return (STATUS_FAILED);
	proof = rules_prove(conf, &w);
	if (proof == PROOF_RELAYS)
		print_witness(call, &w);
	else if (call->json)
		printf("{\"safe\": %s}\n", proof == PROOF_SAFE ? "true" :
		    "null");
	else
		puts(proof == PROOF_SAFE ? "no rule relays for a stranger" :
		    "not to be proven: too many combinations of conditions, "
		    "or a rule that asks one block list twice");
	conf_free(conf);
	return (proof == PROOF_SAFE ? STATUS_OK : STATUS_FAILED);
}
