/*
 * conf: mail.conf as read, checked and printed.
 *
 * conf_load() reads a file with its includes; conf_parse() reads text that
 * the parent passed on (a role never opens the file).  Order of statements
 * never matters to a check: all of them run after parsing, and all mistakes
 * are reported in one run.  conf_print() writes the configuration back in its
 * own language: conf_parse(conf_print(c)) equals c.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "os/compat.h"
#include <sys/types.h>
#include <stdint.h>
#include <stdio.h>

#include "net/addr.h"

struct conf_pos {
	const char	*file;
	unsigned int	 line;
	unsigned int	 col;
};

/* A list of words, in order. */
struct conf_words {
	char	**v;
	size_t	  n;
};

struct conf_network {
	TAILQ_ENTRY(conf_network) entry;
	struct conf_pos	 pos;		/* line 0: predefined */
	char		*name;
	char		*file;		/* NULL: inline; read at load time */
	struct addr_net	*nets;		/* inline or from the file */
	size_t		 nnets;
	int		 used;
};

enum conf_table_kind { TABLE_INLINE, TABLE_FILE, TABLE_SQLITE, TABLE_PGSQL,
	TABLE_LDAP };

struct conf_table {
	TAILQ_ENTRY(conf_table) entry;
	struct conf_pos	 pos;
	char		*name;
	enum conf_table_kind kind;
	char		*source;	/* path, connection or URL */
	char		*query;
	struct conf_words keys;		/* inline: keys[i] = values[i], */
	struct conf_words values;	/*  "" for a bare list item */
	unsigned int	 index;		/* 0.. in the order of the file */
	int		 secret;	/* used by auth: modes are checked */
	int		 used;
};

struct conf_tls {
	TAILQ_ENTRY(conf_tls) entry;
	struct conf_pos	 pos;
	char		*name;
	char		*cert;		/* paths */
	char		*key;
	unsigned int	 index;
	int		 used;
};

enum conf_users { USERS_SYSTEM, USERS_TABLE };

struct conf_auth {
	TAILQ_ENTRY(conf_auth) entry;
	struct conf_pos	 pos;
	enum conf_users	 kind;
	struct conf_table *table;
	int		 scram;		/* its users have stored keys */
};

enum conf_proto { PROTO_SMTP, PROTO_SMTPS, PROTO_SUBMISSION, PROTO_LMTP,
	PROTO_IMAP, PROTO_IMAPS, PROTO_POP3, PROTO_POP3S, PROTO_SIEVE,
	PROTO_LOCAL };		/* no statement: local submission */

struct conf_listen {
	TAILQ_ENTRY(conf_listen) entry;
	struct conf_pos	 pos;
	enum conf_proto	 proto;
	char		*where;		/* all, loopback, interface, address,
					   path */
	unsigned int	 port;		/* always set after loading */
	char		*tlsname;	/* of tls, if there is any */
	struct conf_tls	*tls;		/* NULL: no TLS here */
	int		 require_tls;
	int		 require_auth;	/* set for submission and smtps */
	int		 no_auth;
	int		 no_tls;
	int		 plaintext_auth;
	char		*tag;
	char		*proxy;		/* name of a network */
	char		*filter;
	char		*group;		/* of a socket that is a path */
	int		 lenient_lf;	/* a bare LF ends a line */
	int		 lenient_helo;	/* no name, or an odd one */
	int		 hide_client;	/* of who logged in, in Received */
	int		 check_sender;	/* belongs it to who logged in? */
	uint64_t	 pregreet;	/* seconds of silence asked for */
	unsigned int	 index;
};

enum conf_deliver { DELIVER_NONE, DELIVER_MAILDIR, DELIVER_MBOX, DELIVER_LMTP,
	DELIVER_PIPE };

enum conf_scheme { SCHEME_SMTP, SCHEME_SMTP_TLS, SCHEME_SMTPS,
	SCHEME_SMTP_NOTLS, SCHEME_LMTP };

struct conf_url {
	enum conf_scheme scheme;
	char		*label;		/* user part, NULL none */
	char		*host;		/* without brackets */
	int		 nomx;		/* [host] or a literal address */
	unsigned int	 port;		/* always set */
};

/* How much a user may have; 0: no limit, or not his own. */
#define CONF_QUOTA_MESSAGES	4000000000LL
struct conf_quota {
	uint64_t	 bytes;
	uint64_t	 messages;
};

struct conf_domain {
	TAILQ_ENTRY(conf_domain) entry;
	struct conf_pos	 pos;
	struct conf_words names;	/* names[0] is the canonical one */
	struct conf_words aliases;	/* "alias" lines: same users */
	enum conf_users	 users;
	int		 has_users;
	struct conf_table *users_table;
	struct conf_table *alias_table;	/* NULL: none */
	char		*include;	/* directory of :include: files */
	char		*alias_as;	/* whom their commands run as; NULL:
					   they may name none */
	char		*catchall;
	char		*archive;
	char		*forward;	/* path template of a user's file */
	int		 forward_commands;	/* it may name commands */
	enum conf_deliver deliver;
	char		*target;	/* path template, host:port, command */
	struct conf_url	 lmtp;		/* the target; host NULL: a path */
	struct conf_words argv;		/* the target as a command's words */
	char		*as;		/* Unix user for virtual users */
	struct conf_quota quota;
	char		*sieve;
	unsigned int	 index;
};

/* "user@dom", "@dom", "*.dom", a plain name, or a table, in any mix. */
struct conf_set {
	struct conf_words words;
	struct conf_table *table;	/* NULL: words only */
};

enum conf_source { SOURCE_ANY, SOURCE_NETWORK, SOURCE_AUTHENTICATED,
	SOURCE_LOCAL };
enum conf_scope { SCOPE_NONE, SCOPE_RELAY, SCOPE_DELIVER };

enum conf_cond_kind { COND_TAG, COND_SENDER, COND_RECIPIENT, COND_HELO,
	COND_HELO_MALFORMED, COND_HELO_OURS, COND_HELO_UNKNOWN, COND_DNSBL,
	COND_NO_RDNS, COND_NO_TLS };

struct conf_cond {
	TAILQ_ENTRY(conf_cond) entry;
	enum conf_cond_kind kind;
	char		*word;		/* tag or zone */
	struct conf_set	 set;
	struct addr_net	*codes;		/* of dnsbl; none: all of 127/8 */
	size_t		 ncodes;
};
TAILQ_HEAD(conf_conds, conf_cond);

struct conf_rule {
	TAILQ_ENTRY(conf_rule) entry;
	struct conf_pos	 pos;
	int		 permit;
	enum conf_source source;
	struct conf_network *network;
	struct conf_conds conds;
	enum conf_scope	 scope;
	int		 unsafe;
	char		*reply;		/* "550 5.7.1 text" or NULL */
	int		 implied;	/* one of the three defaults */
	unsigned int	 index;
};

struct conf_route {
	TAILQ_ENTRY(conf_route) entry;
	struct conf_pos	 pos;
	int		 bounce;	/* bounce, else relay */
	struct conf_set	 to;		/* empty: any */
	struct conf_set	 from;		/* empty: any */
	int		 has_url;
	struct conf_url	 url;
	struct conf_table *secrets;
	char		*source;	/* local address, or NULL */
	char		*reply;		/* of a bounce */
	unsigned int	 index;
};

struct conf_masq {
	TAILQ_ENTRY(conf_masq) entry;
	struct conf_pos	 pos;
	struct conf_words names;
	char		*as;
};

struct conf_expire {
	TAILQ_ENTRY(conf_expire) entry;
	struct conf_pos	 pos;
	char		*mailbox;
	uint64_t	 after;		/* seconds */
};

struct conf_filter {
	TAILQ_ENTRY(conf_filter) entry;
	struct conf_pos	 pos;
	char		*name;
	int		 milter;	/* else smtp */
	char		*target;
	char		*on_failure;	/* accept, reject, tempfail */
};

struct conf_sign {
	TAILQ_ENTRY(conf_sign) entry;
	struct conf_pos	 pos;
	char		*domain, *selector, *key;
};

struct conf_test {
	TAILQ_ENTRY(conf_test) entry;
	struct conf_pos	 pos;
	char		*from;		/* client address; NULL: local */
	int		 tls;
	char		*auth;		/* user or NULL */
	char		*helo;
	char		*sender;	/* NULL: any; "" is <> */
	char		*to;
	char		*expect;	/* relay, deliver, reject */
};

struct conf {
	struct conf_words files;	/* every file read; positions point
					   here */
	char		*hostname, *origin, *postmaster, *banner;
	char		*spool, *state;
	TAILQ_HEAD(, conf_network) networks;
	TAILQ_HEAD(, conf_table) tables;
	TAILQ_HEAD(, conf_tls) tlses;
	TAILQ_HEAD(conf_auths, conf_auth) auths;
	TAILQ_HEAD(, conf_listen) listens;
	TAILQ_HEAD(, conf_domain) domains;
	TAILQ_HEAD(, conf_rule) rules;	/* never empty after loading */
	TAILQ_HEAD(, conf_route) routes;
	TAILQ_HEAD(, conf_masq) masqs;
	TAILQ_HEAD(, conf_expire) expires;
	TAILQ_HEAD(, conf_filter) filters;
	TAILQ_HEAD(, conf_sign) signs;
	TAILQ_HEAD(, conf_test) tests;
	struct conf_words special;	/* special-use mailboxes */
	struct conf_quota mailbox_quota;
	/* limits; every one has its default after loading */
	uint64_t	 max_message;	/* bytes: 50m */
	unsigned int	 max_recipients;	/* a message: 1000 */
	unsigned int	 max_sessions;		/* 2000 */
	unsigned int	 max_sessions_addr;	/* 50 */
	unsigned int	 max_sessions_net;	/* 200 */
	unsigned int	 max_messages;		/* a session: 10000 */
	unsigned int	 max_errors;		/* a session: 20 */
	uint64_t	 time_command;		/* seconds: 5m */
	uint64_t	 time_message;		/* 10m, and 1 s a KB */
	uint64_t	 time_session;		/* without a message: 1h */
	unsigned int	 rate_addr, rate_addr_secs;	/* 0: none */
	unsigned int	 rate_net, rate_net_secs;
	unsigned int	 rate_user, rate_user_secs;
	uint64_t	 max_memory;	/* bytes of one process: 512m */
	uint64_t	 queue_lifetime, retry_min, retry_max, warn_after;
	int		 verify_spf, verify_dkim, verify_dmarc;
	char		*verify_failure;
	uint64_t	 pop3_delay;	/* seconds between logins; 0 */
	char		*pop3_uidl;	/* format: "%08Xu%08Xv" */
	char		*fetch_table;
	uint64_t	 fetch_every;
	int		 log_dest;	/* enum log_dest */
	char		*log_facility;	/* "mail" */
	char		*log_path;
	int		 log_json;
	int		 sandbox_full;	/* "sandbox require full" */
};

/* Defaults of limits that are rarely set; conf_print() leaves them out. */
#define CONF_SESSIONS_NET	200
#define CONF_MESSAGES		10000
#define CONF_ERRORS		20
#define CONF_TIME_COMMAND	(5 * 60)	/* RFC 5321 4.5.3.2.7 */
#define CONF_TIME_MESSAGE	(10 * 60)
#define CONF_TIME_SESSION	(60 * 60)

struct conf_macro {			/* -D name=value */
	const char	*name;
	const char	*value;
};

/* Called for each mistake and warning, in the order of the file. */
typedef void (*conf_report)(void *arg, int is_error, const char *line);

/*
 * Read, build and check a file.  NULL if it cannot be used; every mistake was
 * reported as "file:line:column: what, and what to do".  Files that others
 * may write, and secrets that others may read, are mistakes.
 */
struct conf	*conf_load(const char *path, const struct conf_macro *, size_t,
		    conf_report, void *);
/* Text from conf_print(); opens nothing, checks only syntax. */
struct conf	*conf_parse(const char *text, size_t len, conf_report, void *);
void		 conf_free(struct conf *);
/* The whole configuration in its own language; malloc'ed, NULL on ENOMEM. */
char		*conf_print(const struct conf *);

/* One of them in that language, without a newline. */
void		 conf_print_rule(FILE *, const struct conf_rule *);
void		 conf_print_cond(FILE *, const struct conf_cond *);
void		 conf_print_route(FILE *, const struct conf_route *);

struct conf_domain *conf_domain_find(const struct conf *, const char *name);
/* The socket of local submission; every configuration has one. */
const char	*conf_submit_socket(const struct conf *);
/* Do users have stored keys, so that logins by SCRAM are offered? */
int		 conf_has_keys(const struct conf *);
/* Is this one of a domain's names? */
int		 conf_domain_is(const struct conf_domain *, const char *name);
/*
 * Is this mail that somebody of ours writes, so that its addresses may be
 * completed and masqueraded: from this machine, or after a login?
 */
int		 conf_is_own_mail(const char *addr, const char *user);
/* What "masquerade" makes of a domain; NULL: it stays. */
const char	*conf_masquerade(const struct conf *, const char *, size_t);
struct conf_table  *conf_table_find(const struct conf *, const char *name);
struct conf_table  *conf_table_index(const struct conf *, unsigned int);
/* A file of ours, which the parent opens: text or an SQLite database. */
int		 conf_table_is_file(const struct conf_table *);
struct conf_network *conf_network_find(const struct conf *, const char *);
/* Seconds after which mail there expires, or 0: it does not. */
uint64_t	 conf_expire_after(const struct conf *, const char *mailbox);
const char	*conf_proto_name(enum conf_proto);
unsigned int	 conf_proto_port(enum conf_proto);
int		 conf_proto_is_tls(enum conf_proto);	/* from byte one */
/* Does an address ("user@dom", lower case domain or not) match the words? */
int		 conf_words_match(const struct conf_words *, const char *addr);
/*
 * Expand %u %n %d %h and a leading ~ of a path template; -1 with errno:
 * EINVAL for a value that holds '/' or is "." or "..", ENAMETOOLONG.
 */
int		 conf_expand(const char *tmpl, const char *user,
		    const char *home, char *, size_t);

#endif
