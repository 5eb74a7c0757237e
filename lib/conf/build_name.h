/*
 * build_name: networks, tables, certificates and password sources.
 */
#ifndef CONF_BUILD_NAME_H
#define CONF_BUILD_NAME_H

#include "conf/lex.h"

struct build;

void	build_network(struct build *, const struct word *,
	    const struct list *);
void	build_network_file(struct build *, const struct word *,
	    const struct word *);
/* The networks that need no definition: localhost, mynetworks. */
void	build_network_predefined(struct build *);
/* Add a network of a file or list; -1: it is none. */
int	build_network_add(struct build *, struct conf_network *, const char *);
void	build_table_inline(struct build *, const struct word *,
	    const struct list *);
void	build_table_file(struct build *, const struct word *,
	    const struct word *);
void	build_table_sqlite(struct build *, const struct word *,
	    const struct word *, const struct word *);
void	build_table_pgsql(struct build *, const struct word *,
	    const struct word *, const struct word *);
void	build_table_ldap(struct build *, const struct word *,
	    const struct word *);
void	build_tls(struct build *, const struct word *, const struct word *,
	    const struct word *);
void	build_auth(struct build *, const struct word *);
void	build_auth_scram(struct build *);

#endif
