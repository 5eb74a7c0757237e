/*
 * parse: the grammar of mail.conf, for byacc and bison alike.
 *
 * Each rule is preceded by the line that a user types.  Actions call builders
 * and nothing else; what needs the whole file is checked after parsing.  The
 * parser holds two pointers for the length of parse_file() and runs once at a
 * time.
 */
%{
#include <stdint.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/build_domain.h"
#include "conf/build_later.h"
#include "conf/build_listen.h"
#include "conf/build_name.h"
#include "conf/build_rule.h"
#include "conf/build_setting.h"
#include "conf/build_test.h"
#include "conf/lex.h"
#include "conf/parsing.h"

static struct build	*bld;
static struct lex	*lex;

int		 yyparse(void);
static int	 yylex(void);
static void	 yyerror(const char *);
%}

%union {
	struct word	*word;
	struct list	*list;
	struct set	*set;
	int		 num;
}

%token ACCEPT ADDRESS AFTER ALIAS ALIASES ANY ARCHIVE AS AUTH AUTHENTICATED
%token BAD BANNER BOUNCE CATCHALL CERT DELAY DELIVER DKIM DMARC DNSBL DOMAIN
%token EVERY EXPECT EXPIRE FAILURE FETCH FILENAME FILTER FORWARD FROM FULL
%token HELO HOSTNAME IMAP IMAPS INCLUDE JSON KEY LDAP LIFETIME LIMIT LISTEN
%token LMTP LOCAL LOG LOGIN MAILBOX MAILDIR MALFORMED MARK MASQUERADE MBOX
%token MEMORY MESSAGE MILTER NETWORK NO ON ORIGIN OURS PER PERMIT PGSQL PIPE
%token PLAINTEXT POP3 POP3S PORT POSTMASTER PROXY QUERY QUEUE QUOTA RATE RDNS
%token RECIPIENT RECIPIENTS REJECT RELAY REQUIRE RETRY SANDBOX SELECTOR SENDER
%token SESSIONS SIEVE SIGN SMTP SMTPS SOURCE SPECIAL SPF SPOOL SQLITE STATE
%token STDERR SUBMISSION SYSLOG SYSTEM TABLE TAG TEMPFAIL TEST TLS TO UIDL
%token UNKNOWN UNSAFE USER USERS VERIFY VIA WARN
%token CHECK CLIENT COMMAND COMMANDS ERRORS GROUP HIDE LENIENT MESSAGES
%token PREGREET SCRAM SESSION TIME
%token <word> STRING
%type <word> table_ref include_in commands_as
%type <list> list items words names
%type <set> set
%type <num> protocol commands

%%

/* One statement on each line. */
file	: /* empty */
	| file '\n'
	| file include
	| file statement '\n'
	| file error '\n'	{ yyerrok; }
	| file DOMAIN error '\n'	{ yyerrok; }
	| file domain_head error '\n'	{ yyerrok; }
	;

/* include "FILE" */
include	: INCLUDE STRING '\n'	{ lex_include(lex, $2); }
	;

statement
	: macro
	| setting
	| network
	| table
	| tls
	| auth
	| listen
	| domain
	| rule
	| route
	| limit
	| queue
	| log
	| sandbox
	| test
	| mailbox
	| pop3
	| filter
	| sign
	| verify
	| fetch
	| masquerade
	;

/* NAME = "VALUE" */
macro	: STRING '=' STRING	{ lex_define(lex, $1, $3); }
	;

/* hostname "mail.example.org" */
setting	: HOSTNAME STRING	{ build_hostname(bld, $2); }
/* origin "example.org" */
	| ORIGIN STRING		{ build_origin(bld, $2); }
/* postmaster "admin@example.org" */
	| POSTMASTER STRING	{ build_postmaster(bld, $2); }
/* banner "mail.example.org ESMTP" */
	| BANNER STRING		{ build_banner(bld, $2); }
/* spool "/var/spool/postern" */
	| SPOOL STRING		{ build_spool(bld, $2); }
/* state "/var/run/postern" */
	| STATE STRING		{ build_state(bld, $2); }
	;

/* { ITEM, ITEM }, where an item is WORD or KEY = "VALUE" */
list	: '{' '}'		{ $$ = lex_list(lex, NULL, NULL, NULL); }
	| '{' items '}'		{ $$ = $2; }
	| '{' items ',' '}'	{ $$ = $2; }
	;

items	: STRING		{ $$ = lex_list(lex, NULL, $1, NULL); }
	| STRING '=' STRING	{ $$ = lex_list(lex, NULL, $1, $3); }
	| items ',' STRING	{ $$ = lex_list(lex, $1, $3, NULL); }
	| items ',' STRING '=' STRING
				{ $$ = lex_list(lex, $1, $3, $5); }
	;

/* WORD WORD ... */
words	: STRING		{ $$ = lex_list(lex, NULL, $1, NULL); }
	| words STRING		{ $$ = lex_list(lex, $1, $2, NULL); }
	;

/* NAME | { NAME, ... } */
names	: STRING		{ $$ = lex_list(lex, NULL, $1, NULL); }
	| list			{ $$ = $1; }
	;

/* <NAME> */
table_ref
	: '<' STRING '>'	{ $$ = $2; }
	;

/* "user@dom" | { "@dom", "*.dom" } | <TABLE> */
set	: names			{ $$ = lex_set(lex, $1, NULL); }
	| table_ref		{ $$ = lex_set(lex, NULL, $1); }
	;

/* network mynetworks { 127.0.0.0/8, ::1 } */
network	: NETWORK STRING list	{ build_network(bld, $2, $3); }
/* network partners file "/etc/mail/partners" */
	| NETWORK STRING FILENAME STRING
				{ build_network_file(bld, $2, $4); }
	;

/* table aliases { root = "alice", sales = "alice, bob@else.org" } */
table	: TABLE STRING list	{ build_table_inline(bld, $2, $3); }
/* table aliases file "/etc/mail/aliases" */
	| TABLE STRING FILENAME STRING
				{ build_table_file(bld, $2, $4); }
/* table users sqlite "/etc/mail/users.db" query "SELECT ... = ?" */
	| TABLE STRING SQLITE STRING QUERY STRING
				{ build_table_sqlite(bld, $2, $4, $6); }
/* table users pgsql "host=db dbname=mail" query "SELECT ... = $1" */
	| TABLE STRING PGSQL STRING QUERY STRING
				{ build_table_pgsql(bld, $2, $4, $6); }
/* table users ldap "ldap://dir/ou=people,dc=example?...(uid=%u)" */
	| TABLE STRING LDAP STRING
				{ build_table_ldap(bld, $2, $4); }
	;

/* tls "mail.example.org" cert "/etc/ssl/mail.crt" key "/etc/ssl/mail.key" */
tls	: TLS STRING CERT STRING KEY STRING
				{ build_tls(bld, $2, $4, $6); }
	;

/* auth system */
auth	: AUTH SYSTEM		{ build_auth(bld, NULL); }
/* auth <users> */
	| AUTH table_ref	{ build_auth(bld, $2); }
/* auth <users> scram */
	| AUTH table_ref SCRAM	{ build_auth(bld, $2); build_auth_scram(bld); }
	;

/* listen PROTOCOL on WHERE [port N] [OPTION ...] */
listen	: LISTEN protocol ON STRING
				{ build_listen(bld, $2, $4); }
	  listen_options
	;

protocol
	: SMTP			{ $$ = PROTO_SMTP; }
	| SMTPS			{ $$ = PROTO_SMTPS; }
	| SUBMISSION		{ $$ = PROTO_SUBMISSION; }
	| LMTP			{ $$ = PROTO_LMTP; }
	| IMAP			{ $$ = PROTO_IMAP; }
	| IMAPS			{ $$ = PROTO_IMAPS; }
	| POP3			{ $$ = PROTO_POP3; }
	| POP3S			{ $$ = PROTO_POP3S; }
	| SIEVE			{ $$ = PROTO_SIEVE; }
	;

listen_options
	: /* empty */
	| listen_options listen_option
	;

/* port 2525 */
listen_option
	: PORT STRING		{ build_listen_port(bld, $2); }
/* tls "mail.example.org" */
	| TLS STRING		{ build_listen_tls(bld, $2); }
/* require tls */
	| REQUIRE TLS		{ build_listen_require_tls(bld); }
/* require auth */
	| REQUIRE AUTH		{ build_listen_require_auth(bld); }
/* no auth */
	| NO AUTH		{ build_listen_no_auth(bld); }
/* no tls */
	| NO TLS		{ build_listen_no_tls(bld); }
/* plaintext auth */
	| PLAINTEXT AUTH	{ build_listen_plaintext(bld); }
/* tag outside */
	| TAG STRING		{ build_listen_tag(bld, $2); }
/* proxy from balancers */
	| PROXY FROM STRING	{ build_listen_proxy(bld, $3); }
/* filter spam */
	| FILTER STRING		{ build_listen_filter(bld, $2); }
/* group postfix */
	| GROUP STRING		{ build_listen_group(bld, $2); }
/* lenient helo */
	| LENIENT HELO		{ build_listen_lenient(bld, NULL); }
/* lenient lf */
	| LENIENT STRING	{ build_listen_lenient(bld, $2); }
/* hide client */
	| HIDE CLIENT		{ build_listen_hide(bld); }
/* check sender */
	| CHECK SENDER		{ build_listen_check_sender(bld); }
/* pregreet 2s */
	| PREGREET STRING	{ build_listen_pregreet(bld, $2); }
	;

/* domain NAME | { NAME, ... } { STATEMENTS } */
domain	: domain_head block	{ build_domain_end(bld); }
	| domain_head error	{ build_domain_broken(bld); }
	  block
	| DOMAIN error		{ build_domain(bld, NULL); }
	  block
	;

domain_head
	: DOMAIN names		{ build_domain(bld, $2); }
	;

block	: '{' body '}'
	| '{' body domain_statement '}'
	| '{' body error '}'	{ build_domain_broken(bld); yyerrok; }
	;

body	: /* empty */
	| body '\n'
	| body domain_statement '\n'
	| body error '\n'	{ build_domain_broken(bld); yyerrok; }
	;

/* alias "example.net" */
domain_statement
	: ALIAS names		{ build_domain_alias(bld, $2); }
/* users system */
	| USERS SYSTEM		{ build_domain_users(bld, NULL); }
/* users <people> */
	| USERS table_ref	{ build_domain_users(bld, $2); }
/* aliases <aliases> include "/etc/mail/lists" commands as listmaster */
	| ALIASES table_ref include_in commands_as
				{ build_domain_aliases(bld, $2, $3, $4); }
/* catchall "info@example.org" */
	| CATCHALL STRING	{ build_domain_catchall(bld, $2); }
/* archive "audit@example.org" */
	| ARCHIVE STRING	{ build_domain_archive(bld, $2); }
/* forward "~/.forward" commands */
	| FORWARD STRING commands
				{ build_domain_forward(bld, $2, $3); }
/* quota 2g */
	| QUOTA STRING		{ build_domain_quota(bld, $2, NULL); }
/* quota 2g 50000 messages */
	| QUOTA STRING STRING MESSAGES
				{ build_domain_quota(bld, $2, $3); }
/* quota 50000 messages */
	| QUOTA STRING MESSAGES	{ build_domain_quota(bld, NULL, $2); }
/* sieve "%h/.sieve" */
	| SIEVE STRING		{ build_domain_sieve(bld, $2); }
/* deliver maildir "/var/mail/%d/%n/Maildir" as vmail */
	| DELIVER deliver_to deliver_as
	;

include_in
	: /* empty */		{ $$ = NULL; }
	| INCLUDE STRING	{ $$ = $2; }
	;

commands_as
	: /* empty */		{ $$ = NULL; }
	| COMMANDS AS STRING	{ $$ = $3; }
	;

commands
	: /* empty */		{ $$ = 0; }
	| COMMANDS		{ $$ = 1; }
	;

/* maildir "~/Maildir" */
deliver_to
	: MAILDIR STRING	{ build_deliver(bld, DELIVER_MAILDIR, $2); }
/* mbox "/var/mail/%u" */
	| MBOX STRING		{ build_deliver(bld, DELIVER_MBOX, $2); }
/* lmtp "/run/lmtp.sock" */
	| LMTP STRING		{ build_deliver(bld, DELIVER_LMTP, $2); }
/* pipe "COMMAND" */
	| PIPE STRING		{ build_deliver(bld, DELIVER_PIPE, $2); }
	;

deliver_as
	: /* empty */
	| AS STRING		{ build_deliver_as(bld, $2); }
	;

/* permit SOURCE [CONDITION ...] relay|deliver */
rule	: PERMIT		{ build_rule(bld, 1); }
	  source conditions scope reply
/* reject SOURCE [CONDITION ...] [relay|deliver] ["REPLY"] */
	| REJECT		{ build_rule(bld, 0); }
	  source conditions scope reply
	;

/* any | authenticated | local | NETWORK */
source	: ANY			{ build_rule_source(bld, SOURCE_ANY); }
	| AUTHENTICATED
				{ build_rule_source(bld,
				    SOURCE_AUTHENTICATED); }
	| LOCAL			{ build_rule_source(bld, SOURCE_LOCAL); }
	| STRING		{ build_rule_network(bld, $1); }
	;

conditions
	: /* empty */
	| conditions condition
	;

/* tag outside */
condition
	: TAG STRING		{ build_cond_word(bld, COND_TAG, $2); }
/* sender SET */
	| SENDER set		{ build_cond_set(bld, COND_SENDER, $2); }
/* recipient SET */
	| RECIPIENT set		{ build_cond_set(bld, COND_RECIPIENT, $2); }
/* helo SET */
	| HELO set		{ build_cond_set(bld, COND_HELO, $2); }
/* helo malformed */
	| HELO MALFORMED	{ build_cond(bld, COND_HELO_MALFORMED); }
/* helo ours */
	| HELO OURS		{ build_cond(bld, COND_HELO_OURS); }
/* helo unknown */
	| HELO UNKNOWN		{ build_cond(bld, COND_HELO_UNKNOWN); }
/* dnsbl "zen.example" */
	| DNSBL STRING		{ build_cond_dnsbl(bld, $2, NULL); }
/* dnsbl "zen.example" = { 127.0.0.2, 127.0.0.4/30 } */
	| DNSBL STRING '=' names
				{ build_cond_dnsbl(bld, $2, $4); }
/* no rdns */
	| NO RDNS		{ build_cond(bld, COND_NO_RDNS); }
/* no tls */
	| NO TLS		{ build_cond(bld, COND_NO_TLS); }
	;

/* relay [unsafe] | deliver */
scope	: /* empty */
	| RELAY			{ build_rule_scope(bld, SCOPE_RELAY); }
	| RELAY UNSAFE		{ build_rule_unsafe(bld); }
	| DELIVER		{ build_rule_scope(bld, SCOPE_DELIVER); }
	;

/* "550 5.7.1 not wanted here" */
reply	: /* empty */
	| STRING		{ build_rule_reply(bld, $1); }
	;

/* relay any via "smtp+tls://user@smtp.isp.net:587" auth <secrets> */
route	: RELAY			{ build_route(bld, 0); }
	  route_options		{ build_route_end(bld); }
/* bounce any "550 5.1.1 local delivery is disabled" */
	| BOUNCE		{ build_route(bld, 1); }
	  route_options bounce_reply	{ build_route_end(bld); }
	;

route_options
	: route_option
	| route_options route_option
	;

/* any */
route_option
	: ANY			{ build_route_any(bld); }
/* to SET */
	| TO set		{ build_route_to(bld, $2); }
/* from SET */
	| FROM set		{ build_route_from(bld, $2); }
/* via "URL" */
	| VIA STRING		{ build_route_via(bld, $2); }
/* auth <secrets> */
	| AUTH table_ref	{ build_route_auth(bld, $2); }
/* source 192.0.2.7 */
	| SOURCE STRING		{ build_route_source(bld, $2); }
	;

bounce_reply
	: /* empty */
	| STRING		{ build_route_reply(bld, $1); }
	;

/* limit message 50m */
limit	: LIMIT MESSAGE STRING	{ build_limit_message(bld, $3); }
/* limit recipients 1000 */
	| LIMIT RECIPIENTS STRING
				{ build_limit_recipients(bld, $3); }
/* limit sessions 2000 per address 50 per network 200 */
	| LIMIT SESSIONS STRING { build_limit_sessions(bld, $3); }
	  sessions_per
/* limit messages 10000 per session */
	| LIMIT MESSAGES STRING PER SESSION
				{ build_limit_messages(bld, $3); }
/* limit errors 20 per session */
	| LIMIT ERRORS STRING PER SESSION
				{ build_limit_errors(bld, $3); }
/* limit time 5m per command */
	| LIMIT TIME STRING PER COMMAND
				{ build_limit_time(bld, PER_COMMAND, $3); }
/* limit time 10m per message */
	| LIMIT TIME STRING PER MESSAGE
				{ build_limit_time(bld, PER_MESSAGE, $3); }
/* limit time 1h per session */
	| LIMIT TIME STRING PER SESSION
				{ build_limit_time(bld, PER_SESSION, $3); }
/* limit rate 100/1m per address */
	| LIMIT RATE STRING PER ADDRESS
				{ build_limit_rate(bld, PER_ADDRESS, $3); }
/* limit rate 1000/1m per network */
	| LIMIT RATE STRING PER NETWORK
				{ build_limit_rate(bld, PER_NETWORK, $3); }
/* limit rate 100/1h per user */
	| LIMIT RATE STRING PER USER
				{ build_limit_rate(bld, PER_USER, $3); }
/* limit memory 512m */
	| LIMIT MEMORY STRING	{ build_limit_memory(bld, $3); }
	;

sessions_per
	: /* empty */
	| sessions_per PER ADDRESS STRING
				{ build_limit_per(bld, PER_ADDRESS, $4); }
	| sessions_per PER NETWORK STRING
				{ build_limit_per(bld, PER_NETWORK, $4); }
	;

/* queue lifetime 5d retry 5m to 4h warn after 4h */
queue	: QUEUE queue_option
	| queue queue_option
	;

/* lifetime 5d */
queue_option
	: LIFETIME STRING	{ build_queue_lifetime(bld, $2); }
/* retry 5m to 4h */
	| RETRY STRING TO STRING
				{ build_queue_retry(bld, $2, $4); }
/* warn after 4h */
	| WARN AFTER STRING	{ build_queue_warn(bld, $3); }
	;

/* log syslog mail */
log	: LOG SYSLOG json	{ build_log_syslog(bld, NULL); }
	| LOG SYSLOG STRING json
				{ build_log_syslog(bld, $3); }
/* log stderr */
	| LOG STDERR json	{ build_log_stderr(bld); }
/* log file "/var/log/postern" json */
	| LOG FILENAME STRING json
				{ build_log_file(bld, $3); }
	;

json	: /* empty */
	| JSON			{ build_log_json(bld); }
	;

/* sandbox require full */
sandbox	: SANDBOX REQUIRE FULL	{ build_sandbox_full(bld); }
	;

/* test from ADDRESS sender ADDRESS to ADDRESS expect relay|deliver|reject */
test	: TEST			{ build_test(bld); }
	  test_options		{ build_test_end(bld); }
	;

test_options
	: test_option
	| test_options test_option
	;

/* from 203.0.113.9 */
test_option
	: FROM STRING		{ build_test_from(bld, $2); }
/* from local */
	| FROM LOCAL		{ build_test_from(bld, NULL); }
/* tls */
	| TLS			{ build_test_tls(bld); }
/* auth "alice@example.org" */
	| AUTH STRING		{ build_test_auth(bld, $2); }
/* helo "client.example" */
	| HELO STRING		{ build_test_helo(bld, $2); }
/* sender "a@example.org" */
	| SENDER STRING		{ build_test_sender(bld, $2); }
/* to "x@elsewhere.net" */
	| TO STRING		{ build_test_to(bld, $2); }
/* expect relay|deliver|reject */
	| EXPECT RELAY		{ build_test_expect(bld, "relay"); }
	| EXPECT DELIVER	{ build_test_expect(bld, "deliver"); }
	| EXPECT REJECT		{ build_test_expect(bld, "reject"); }
	;

/* mailbox quota 1g */
mailbox	: MAILBOX QUOTA STRING	{ build_mailbox_quota(bld, $3, NULL); }
/* mailbox quota 1g 20000 messages */
	| MAILBOX QUOTA STRING STRING MESSAGES
				{ build_mailbox_quota(bld, $3, $4); }
/* mailbox quota 20000 messages */
	| MAILBOX QUOTA STRING MESSAGES
				{ build_mailbox_quota(bld, NULL, $3); }
/* mailbox expire "Trash" after 30d */
	| MAILBOX EXPIRE STRING AFTER STRING
				{ build_mailbox_expire(bld, $3, $5); }
/* mailbox special "Junk" "Trash" */
	| MAILBOX SPECIAL words { build_mailbox_special(bld, $3); }
	;

/* pop3 login delay 10s uidl "%08Xu%08Xv" */
pop3	: POP3 pop3_option
	| pop3 pop3_option
	;

/* login delay 10s */
pop3_option
	: LOGIN DELAY STRING	{ build_pop3_delay(bld, $3); }
/* uidl "%08Xu%08Xv" */
	| UIDL STRING		{ build_pop3_uidl(bld, $2); }
	;

/* filter spam milter "unix:/run/rspamd/milter.sock" on failure accept */
filter	: FILTER STRING MILTER STRING
				{ build_filter(bld, 1, $2, $4); }
	  on_failure
/* filter virus smtp "127.0.0.1:10024" */
	| FILTER STRING SMTP STRING
				{ build_filter(bld, 0, $2, $4); }
	  on_failure
	;

/* on failure accept|reject|tempfail */
on_failure
	: /* empty */
	| ON FAILURE ACCEPT	{ build_filter_failure(bld, "accept"); }
	| ON FAILURE REJECT	{ build_filter_failure(bld, "reject"); }
	| ON FAILURE TEMPFAIL	{ build_filter_failure(bld, "tempfail"); }
	;

/* sign "example.org" selector "s1" key "/etc/mail/dkim.key" */
sign	: SIGN STRING SELECTOR STRING KEY STRING
				{ build_sign(bld, $2, $4, $6); }
	;

/* verify spf dkim dmarc on failure mark */
verify	: VERIFY		{ build_verify(bld); }
	  verify_kinds verify_failure
	;

verify_kinds
	: verify_kind
	| verify_kinds verify_kind
	;

verify_kind
	: SPF			{ build_verify_spf(bld); }
	| DKIM			{ build_verify_dkim(bld); }
	| DMARC			{ build_verify_dmarc(bld); }
	;

verify_failure
	: /* empty */
	| ON FAILURE MARK	{ build_verify_failure(bld, "mark"); }
	| ON FAILURE REJECT	{ build_verify_failure(bld, "reject"); }
	;

/* fetch <accounts> every 5m */
fetch	: FETCH table_ref EVERY STRING
				{ build_fetch(bld, $2, $4); }
	;

/* masquerade { "host1.example.org", "*.lab.example.org" } as "example.org" */
masquerade
	: MASQUERADE names AS STRING
				{ build_masquerade(bld, $2, $4); }
	;

%%

static int
yylex(void)
{
	return (lex_next(lex, &yylval.word));
}

static void
yyerror(const char *what)
{
	(void)what;	/* "syntax error" says less than the lexer knows */
	lex_error(lex);
}

int
parse_file(struct build *b, struct lex *lx)
{
	int rc;

	bld = b;
	lex = lx;
	rc = yyparse();
	bld = NULL;
	lex = NULL;
	return (rc == 0 ? 0 : -1);
}
