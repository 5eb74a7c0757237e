/*
 * build_setting: statements that set one thing: hostname to state, limit,
 * queue, log, sandbox.
 */
#ifndef CONF_BUILD_SETTING_H
#define CONF_BUILD_SETTING_H

#include "conf/lex.h"

struct build;

/* What a limit is counted for. */
enum build_per { PER_ADDRESS, PER_NETWORK, PER_USER,
	PER_SESSION, PER_MESSAGE, PER_COMMAND };

void	build_hostname(struct build *, const struct word *);
void	build_origin(struct build *, const struct word *);
void	build_postmaster(struct build *, const struct word *);
void	build_banner(struct build *, const struct word *);
void	build_spool(struct build *, const struct word *);
void	build_state(struct build *, const struct word *);
void	build_limit_message(struct build *, const struct word *);
void	build_limit_recipients(struct build *, const struct word *);
void	build_limit_sessions(struct build *, const struct word *);
void	build_limit_per(struct build *, enum build_per, const struct word *);
void	build_limit_messages(struct build *, const struct word *);
void	build_limit_errors(struct build *, const struct word *);
void	build_limit_time(struct build *, enum build_per, const struct word *);
void	build_limit_rate(struct build *, enum build_per, const struct word *);
void	build_limit_memory(struct build *, const struct word *);
void	build_queue_lifetime(struct build *, const struct word *);
void	build_queue_retry(struct build *, const struct word *,
	    const struct word *);
void	build_queue_warn(struct build *, const struct word *);
void	build_log_syslog(struct build *, const struct word *);
void	build_log_stderr(struct build *);
void	build_log_file(struct build *, const struct word *);
void	build_log_json(struct build *);
void	build_sandbox_full(struct build *);

#endif
