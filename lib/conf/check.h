/*
 * check: what can only be judged when the whole file is read.
 *
 * One file a subject; each reports what it finds and changes nothing but what
 * its comment says.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

struct build;

/* check_name.c: every name is defined; put the definition in its place. */
void	check_names(struct build *);
void	check_unused(struct build *);
/* check_listen.c: choose the certificate, set what a protocol implies. */
void	check_listens(struct build *);
/* check_domain.c */
void	check_domains(struct build *);
/* check_rule.c */
void	check_rules(struct build *);
void	check_routes(struct build *);
/* check_file.c: read the files of networks; owners and modes of others. */
void	check_network_files(struct build *);
void	check_files(struct build *);

#endif
