/*
 * build_listen: sockets and their options.
 */
#ifndef CONF_BUILD_LISTEN_H
#define CONF_BUILD_LISTEN_H

#include "conf/lex.h"

struct build;

void	build_listen(struct build *, enum conf_proto, const struct word *);
void	build_listen_local(struct build *);
void	build_listen_port(struct build *, const struct word *);
void	build_listen_tls(struct build *, const struct word *);
void	build_listen_require_tls(struct build *);
void	build_listen_require_auth(struct build *);
void	build_listen_no_auth(struct build *);
void	build_listen_no_tls(struct build *);
void	build_listen_plaintext(struct build *);
void	build_listen_tag(struct build *, const struct word *);
void	build_listen_proxy(struct build *, const struct word *);
void	build_listen_filter(struct build *, const struct word *);
void	build_listen_group(struct build *, const struct word *);
void	build_listen_lenient(struct build *, const struct word *);
void	build_listen_hide(struct build *);
void	build_listen_check_sender(struct build *);
void	build_listen_pregreet(struct build *, const struct word *);

#endif
