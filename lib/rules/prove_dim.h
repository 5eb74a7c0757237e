/*
 * prove_dim: the dimensions of a proof and their classes.
 */
#ifndef RULES_PROVE_DIM_H
#define RULES_PROVE_DIM_H

#include "rules/prove.h"

/* The first ones are always there; then tables and zones that rules name. */
#define DIM_ADDR	0
#define DIM_TLS		1
#define DIM_HELO	2
#define DIM_SENDER	3
#define DIM_RCPT	4
#define DIM_RDNS	5	/* 0 has its name, 1 has not */
#define DIM_HELO_DNS	6	/* 0 its name is known, 1 is not */
#define DIMS_FIXED	7

struct dim {
	const struct conf_table	*table;		/* 0 not in it, 1 in it */
	enum conf_cond_kind	 of;		/* what is in it */
	const char		*zone;		/* of a block list */
	size_t			 n, cap;
	char			**v;		/* a word of each class */
	unsigned char		*allowed;
};

/* Names that nothing in the configuration has in it. */
struct dim_fresh {
	char	sender[80], local[80];		/* local parts */
	char	domain[100];
	char	malformed[80];			/* as a HELO name */
};

struct dims {
	struct prove_cells	 cells;
	struct dim_fresh	 fresh;
	struct dim		*v;
	size_t			 n;
};

/* A way in: a listener. */
struct prove_door {
	const char	*tag;
	int		 plain, tls;
	int		 stranger;	/* may come here */
};

/* -1 without memory; dims_free() in any case. */
int	dims_new(struct dims *, const struct conf *);
void	dims_free(struct dims *);
/* The dimension that a condition (none of "tag") speaks of. */
size_t	dims_of(const struct dims *, const struct conf_cond *);
void	dims_allow_all(struct dims *, const struct prove_door *);
/* Does a class fulfil a condition? */
int	dim_has(const struct conf *, const struct dim *, size_t,
	    const struct conf_cond *);
/* Is a recipient's class one that these words list one by one? */
int	dim_listed(const struct dim *, size_t, const struct conf_words *);
/* What is left allowed, as somebody who comes. */
void	dims_witness(const struct dims *, const struct prove_door *,
	    struct rules_witness *);
/* The door of that number; 0 if there is none. */
int	prove_door(const struct conf *, size_t number, struct prove_door *);

#endif
