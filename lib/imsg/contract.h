/*
 * contract: the one table that says which messages exist.
 *
 * A daemon's contract.h lists its messages with MSG lines and their fields
 * with NUM, STR and SECRET; everything else is made from it: the structs and
 * the enum (CONTRACT_DECLARE), the check before any handler runs
 * (contract_check), the log lines, the audit table (contract_print), the start
 * check of a role's handlers, and the fuzz target.
 *
 * NUM is an unsigned 64-bit number with a maximum, STR a terminated string in
 * a fixed array, SECRET the same but masked in logs and wiped after its
 * handler.  tail is the most bytes that may follow the struct, fds 0 or 1.
 */
#ifndef IMSG_CONTRACT_H
#define IMSG_CONTRACT_H

#include <stddef.h>
#include <stdint.h>

enum role {
	ROLE_PARENT,
	ROLE_NET,
	ROLE_AUTH,
	ROLE_SIGNER,
	ROLE_LOOKUP,
	ROLE_DNS,
	ROLE_QUEUE,
	ROLE_RELAY,
	ROLE_DELIVER,
	ROLE_WATCH,
	ROLE_SESSION,
	ROLE_PIPE,
	ROLE_SUBMIT,		/* sends what a user's sendmail kept */
	ROLE_CTL,		/* mailctl, on a control socket */
	ROLE_COUNT
};

/* Role sets as the MSG lines write them. */
#define R_PARENT	(1u << ROLE_PARENT)
#define R_NET		(1u << ROLE_NET)
#define R_AUTH		(1u << ROLE_AUTH)
#define R_SIGNER	(1u << ROLE_SIGNER)
#define R_LOOKUP	(1u << ROLE_LOOKUP)
#define R_DNS		(1u << ROLE_DNS)
#define R_QUEUE		(1u << ROLE_QUEUE)
#define R_RELAY		(1u << ROLE_RELAY)
#define R_DELIVER	(1u << ROLE_DELIVER)
#define R_WATCH		(1u << ROLE_WATCH)
#define R_SESSION	(1u << ROLE_SESSION)
#define R_PIPE		(1u << ROLE_PIPE)
#define R_SUBMIT	(1u << ROLE_SUBMIT)
#define R_CTL		(1u << ROLE_CTL)
#define R_ALL		(((1u << ROLE_CTL) - 1) & ~R_PARENT)

/* When a message may arrive: before or after the receiver's GO. */
#define WHEN_START	1
#define WHEN_RUN	2
#define WHEN_ANY	3

enum field_kind { FIELD_NUM, FIELD_STR, FIELD_SECRET };

/*
 * The structs are packed, so a field's place is the sum of the sizes before
 * it and needs no table of its own.
 */
struct field_def {
	const char	*name;
	enum field_kind	 kind;
	size_t		 size;
	uint64_t	 max;		/* of a number */
};

struct msg_def {
	const char		*name;
	uint32_t		 from;		/* role sets */
	uint32_t		 to;
	size_t			 size;		/* of the struct */
	size_t			 tail;
	unsigned int		 fds;
	unsigned int		 rate;		/* a second; 0 no limit */
	unsigned int		 when;
	const struct field_def	*fields;
	size_t			 nfields;
};

struct contract {
	const char		*daemon;
	const struct msg_def	*msgs;		/* index is the type */
	size_t			 nmsgs;
};

/* A message that passed the check. */
struct msg {
	uint32_t	 type;
	enum role	 from;
	void		*body;		/* struct msg_NAME */
	void		*tail;
	size_t		 taillen;
	int		 fd;		/* -1; set to -1 to keep it open */
};

/* From the list: members, enum, structs, field tables, rows. */
#define CONTRACT_NUM(name, max)		uint64_t name;
#define CONTRACT_STR(name, size)	char name[size];

#define CONTRACT_ENUM(name, from, to, tail, fds, rate, when)	M_##name,
#define CONTRACT_STRUCT(name, from, to, tail, fds, rate, when)		\
	struct msg_##name {						\
		name##_FIELDS(CONTRACT_NUM, CONTRACT_STR, CONTRACT_STR)	\
	} __attribute__((__packed__));

#define CONTRACT_FNUM(f, m)	{ #f, FIELD_NUM, 8, m },
#define CONTRACT_FSTR(f, n)	{ #f, FIELD_STR, n, 0 },
#define CONTRACT_FSECRET(f, n)	{ #f, FIELD_SECRET, n, 0 },
#define CONTRACT_FIELDS(name, from, to, tail, fds, rate, when)		\
	static const struct field_def fields_##name[] = {		\
		name##_FIELDS(CONTRACT_FNUM, CONTRACT_FSTR,		\
		    CONTRACT_FSECRET)					\
	};
#define CONTRACT_ROW(name, from, to, tail, fds, rate, when)		\
	{ #name, from, to, sizeof(struct msg_##name), tail, fds, rate,	\
	    when, fields_##name,					\
	    sizeof(fields_##name) / sizeof(fields_##name[0]) },

/*
 * Check a message as it arrived.  Returns NULL and fills in m, or says what is
 * wrong with it.  m->body points into data.  phase is WHEN_START or WHEN_RUN.
 */
const char	*contract_check(const struct contract *, enum role from,
		    enum role to, unsigned int phase, uint32_t type,
		    void *data, size_t len, unsigned int nfds, struct msg *);
/* The fields as text, secrets masked: "AUTH_TRY conn=4 user=bob pass=***". */
void		 contract_format(const struct contract *, const struct msg *,
		    char *, size_t);
/* Zero the secret fields. */
void		 contract_wipe(const struct contract *, struct msg *);
/* The audit table of messages, as text or as a JSON array; NULL on ENOMEM. */
char		*contract_print(const struct contract *, int json);
/*
 * A fingerprint of the table: two programs that agree on it understand each
 * other.  A daemon's file may have been replaced while it runs.
 */
uint64_t	 contract_hash(const struct contract *);
const char	*role_name(enum role);

#endif
