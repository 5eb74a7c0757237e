/*
 * rules: who may hand us mail, and where a recipient goes.
 *
 * The same code runs in the lookup role for a live session, in the checks of
 * -n, and for mailctl.  It is written as plain functions that look tables up
 * as they go.  A table may have to be read again first, or a name server
 * asked; then the function returns RULES_PENDING, the environment's resume()
 * is called once the answer is there, and the caller asks the same again from
 * the start.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include <time.h>

#include "conf/conf.h"
#include "dns/wire.h"
#include "privsep/contract.h"
#include "smtp/address.h"
#include "table/table.h"

#define RULES_EXPAND_MAX	10000	/* recipients of one address */
#define RULES_DEPTH_MAX		20	/* aliases of aliases */
#define RULES_ARCHIVES		16	/* copies of one message */
#define RULES_INCLUDE_MAX	100	/* files of one address */
#define RULES_AHEAD	100	/* forward files asked for at a time */
#define RULES_VALUE_MAX		(1 << 20)	/* bytes of one alias */
#define RULES_COMMANDS	100	/* that one address starts */
#define RULES_COMMAND	1024	/* bytes of a command, terminated */

enum rules_result {
	RULES_OK,
	RULES_NO,		/* refused: reply says why */
	RULES_TEMPFAIL,		/* cannot be told now: reply */
	RULES_PENDING,
	RULES_FAULTY		/* of a forward file: its owner keeps it from
				   being used */
};

struct rules_account;
struct rules_dest;

/* Records of a name: other names, or addresses as text. */
#define RULES_NAMES	16		/* more are left out */
struct rules_names {
	size_t	n;
	char	v[RULES_NAMES][DNS_NAME];
};

/* What "mailctl explain" tells; any of them may be called many times. */
struct rules_trace {
	/* why a rule did not match; NULL: it did, and decides */
	void	(*rule)(void *arg, const struct conf_rule *, const char *why);
	/* an address of the expansion; from is the number of the one whose
	   alias it stands in, 0 none; how: NULL if it was seen before */
	void	(*address)(void *arg, unsigned int number, unsigned int from,
		    const char *addr, const char *how);
	/* where the address of that number ends */
	void	(*dest)(void *arg, unsigned int number,
		    const struct rules_dest *, const struct conf_route *);
	void	*arg;
};

/* How tables and name servers are reached. */
struct rules_env {
	const struct conf	*conf;
	/* answers at once or later, exactly once */
	void			(*lookup)(const struct conf_table *,
				    enum table_form, const char *key,
				    table_cb, void *);
	/*
	 * type is DNS_WIRE_A, AAAA, PTR (of an address) or MX.  RULES_NO
	 * there is none, RULES_TEMPFAIL not to be found out, RULES_PENDING
	 * resume() follows.  NULL: nobody can be asked.
	 */
	enum rules_result	(*dns)(const struct rules_env *,
				    unsigned int type, const char *name,
				    struct rules_names *);
	/*
	 * What stands in an account's forward file, malloc'ed and for the
	 * caller to free.  RULES_NO there is none, or none that may be used.
	 * RULES_PENDING resume() follows, or nothing if that is NULL, and the
	 * file may not even be asked for.  NULL: nobody reads them.
	 */
	enum rules_result	(*forward)(const struct rules_env *,
				    const struct conf_domain *,
				    const struct rules_account *, char **text);
	void			(*resume)(void *arg);
	void			*arg;
	/*
	 * When this was first asked, monotonic seconds: a forward file that
	 * was read since is not read again.  0: its usual lifetime counts.
	 */
	time_t			 since;
	const struct rules_trace *trace;	/* NULL: nobody listens */
};

/* Who asks for what. */
struct rules_request {
	const char	*addr;		/* client; NULL: local submission */
	const char	*user;		/* logged in as; NULL: nobody */
	const char	*helo;
	const char	*tag;		/* of the listener; NULL none */
	int		 tls;
	const char	*sender;	/* "" for the null path */
	const char	*rcpt;
};

/* One place that a recipient goes to. */
struct rules_dest {
	int		 local;
	int		 dead;			/* it fails when it is tried:
						   local, no such account;
						   outside, refused, no host */
	char		 rcpt[SMTP_ADDR_SIZE];
	char		 owner[SMTP_ADDR_SIZE];	/* of the list that it is on:
						   the return path; "" the
						   message's own */
	char		 user[C_USER];		/* local: the account, or whose
						   command it is */
	int		 scheme;		/* outside: enum conf_scheme */
	unsigned int	 port;
	int		 nomx;
	unsigned int	 route;			/* index + 1; 0 default */
	char		 host[256];
	char		 label[C_USER];		/* local: mark of a command */
	char		 source[C_ADDR];
};

struct rules_dests {
	struct rules_dest	*v;
	size_t			 n;
};

struct rules_answer {
	enum rules_result	 result;
	const struct conf_rule	*rule;		/* that decided; NULL: none */
	int			 ours;		/* the recipient is of a domain
						   of ours */
	char			 reply[C_REPLY];
};

/* May this be handed to us?  Which rule says so? */
void	rules_decide(const struct rules_env *, const struct rules_request *,
	    struct rules_answer *);
/* The reply of a rule or a route; status ("7.1") is for one without. */
void	rules_reply(const char *written, const char *status,
	    char reply[C_REPLY]);
/* Does any rule need the name system? */
int	rules_ask_dns(const struct conf *);
/*
 * Ask already what the rules will want to know of a client, all of it at
 * once; nothing is resumed.
 */
void	rules_prefetch(const struct rules_env *, const char *addr,
	    const char *helo);
/*
 * All the places that rcpt ends at.  expand 0: only the route of an address
 * that was expanded before.  RULES_OK fills in dests (rules_dests_free()), at
 * least one of which is not dead.
 */
enum rules_result rules_resolve(const struct rules_env *, const char *sender,
	    const char *rcpt, int expand, struct rules_dests *,
	    char reply[C_REPLY]);
void	rules_dests_free(struct rules_dests *);
/* Addresses that want a copy of it, in v; how many. */
size_t	rules_archives(const struct conf *, const char *sender,
	    const char *rcpt, const struct rules_dests *,
	    const char *v[RULES_ARCHIVES]);

/* Complete "user" with origin; the rest stays. -1 if it grows too long. */
int	rules_complete(const struct conf *, char addr[SMTP_ADDR_SIZE]);
/*
 * RFC 6409 4.2: is the domain one of ours, an address, or a name of several
 * labels?  The null path is qualified.
 */
int	rules_is_qualified(const struct conf *, const char *addr);
/* Make of the domain what "masquerade" says. -1 if it grows too long. */
int	rules_masquerade(const struct conf *, char addr[SMTP_ADDR_SIZE]);
/* The domain of ours that an address belongs to, or NULL. */
struct conf_domain *rules_domain(const struct conf *, const char *addr);

/*
 * A table lookup as the rules do it; *value, if it is wanted, is malloc'ed and
 * for the caller to free, NULL if there is none.
 */
enum rules_result rules_table(const struct rules_env *,
	    const struct conf_table *, const char *key, char **value);
/* The account of a name in a domain of ours, with its uid and home. */
struct rules_account {
	char		user[C_USER];
	int		system;
	uid_t		uid;
	gid_t		gid;
	int		has_ids;
	struct conf_quota quota;	/* his own */
	char		home[C_PATH];
	char		extra[1024];	/* the last field; "" if it is longer */
};
enum rules_result rules_account(const struct rules_env *,
	    const struct conf_domain *, const char *name,
	    struct rules_account *);
/* The alias of a name; *text is malloc'ed and for the caller to free. */
enum rules_result rules_alias(const struct rules_env *,
	    const struct conf_domain *, const char *name, char **text);
/*
 * The command that a destination stands for: user and label of a rules_dest.
 * RULES_NO: the alias or the file does not name it any more.  The account is
 * filled in if it is a forward file's, as whose user it runs.
 */
enum rules_result rules_command(const struct rules_env *,
	    const struct conf_domain *, const char *name, const char *mark,
	    struct rules_account *, char command[RULES_COMMAND]);
/* Is the sender one of who logged in as user?  RULES_NO: it is not. */
enum rules_result rules_sender(const struct rules_env *, const char *user,
	    const char *sender);
/* 1 in the set, 0 not; RULES_PENDING/TEMPFAIL through *r. An empty set: 1. */
int	rules_in_set(const struct rules_env *, const struct conf_set *,
	    const char *addr, enum rules_result *r);
/*
 * The same for a recipient: one of ours is in it too if its mailbox is,
 * without a detail or under the first name of the domain.  permit: a table
 * has no whole top-level domain, which would be no list of recipients.
 */
int	rules_rcpt_in_set(const struct rules_env *, const struct conf_set *,
	    const char *rcpt, int permit, enum rules_result *r);

/*
 * An environment that answers at once, from tables as they are on the disk;
 * it asks no name server and reads no forward files.
 */
void	rules_now(struct rules_env *, const struct conf *);
/*
 * The "test" lines and the proof that no rule relays for strangers; each
 * failure is told (NULL: not told), and what is no more than a warning.  -1 if
 * there was a failure.
 */
int	rules_check(const struct conf *, conf_report, void *arg);

#endif
