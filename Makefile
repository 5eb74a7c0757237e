# Postern: smtpd, imapd, pop3d, mailctl.  For GNU make and bmake.
#
#	make		build
#	make demo	install what is needed, build, start, send and read a message
#	make test	all tests; ends with "N passed, N failed"
#	make install	PREFIX, DESTDIR; make users adds the system accounts
#
# config.mk is written by lib/os/probe.sh: libraries, flags, headers.

PREFIX =	/usr/local
SYSCONFDIR =	/etc
DESTDIR =
CFLAGS =	-O2 -g
LDFLAGS =
WERROR =
FUZZ_SECONDS =	120
CRASH_ROUNDS =	50
STRESS_SECONDS =	60
STRESS_CONNS =	50
STRESS_USERS =	3

CONFIG =	/dev/null
include $(CONFIG)

WARN =	-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wshadow -Wcast-qual \
	-Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough \
	-Wno-unused-parameter -Wno-unused-command-line-argument
PATHS =	-DCONF_PATH=\"$(SYSCONFDIR)/mail/mail.conf\" \
	-DLIBEXEC_PATH=\"$(PREFIX)/libexec/postern\"
ALL_CFLAGS =	-std=c11 -D_GNU_SOURCE $(HARDEN_CPPFLAGS) -Ilib -I. $(PATHS) \
	$(PKG_CFLAGS) $(WARN) $(WERROR) $(HARDEN_CFLAGS) $(CFLAGS)
ALL_LDFLAGS =	$(HARDEN_LDFLAGS) $(LDFLAGS)
TLS_LINK =	$(TLS_LIBS) -lssl $(CRYPTO_LIBS)
LIBS =	$(TLS_LINK) $(EVENT_LIBS) $(UNBOUND_LIBS) $(SQLITE_LIBS) $(CRYPT_LIBS) \
	$(Z_LIBS) $(UTF8PROC_LIBS) $(BSD_LIBS) -lpthread

OS_OBJS = \
	lib/os/os_cap.o lib/os/os_clock.o lib/os/os_file.o lib/os/os_heap.o \
	lib/os/os_peer.o \
	lib/os/os_watch.o lib/os/os_watch_kqueue.o lib/os/sandbox.o \
	lib/os/sandbox_freebsd.o lib/os/sandbox_landlock.o \
	lib/os/sandbox_linux.o lib/os/sandbox_none.o \
	lib/os/sandbox_openbsd.o lib/os/sandbox_seccomp.o
LOG_OBJS = \
	lib/log/log.o
BUF_OBJS = \
	lib/buf/buf.o lib/buf/shown.o lib/buf/utf8.o
IMSG_OBJS = \
	lib/imsg/contract.o lib/imsg/peer.o
PRIVSEP_OBJS = \
	lib/privsep/account.o lib/privsep/account_verify.o \
	lib/privsep/role.o
TLS_OBJS = \
	lib/tls/context.o lib/tls/keyid.o lib/tls/server.o \
	lib/tls/signer.o
NET_OBJS = \
	lib/net/addr.o lib/net/conn.o lib/net/conn_tls.o lib/net/listen.o \
	lib/net/pump.o
CONF_OBJS = \
	lib/conf/arena.o lib/conf/build.o lib/conf/build_domain.o \
	lib/conf/build_later.o lib/conf/build_listen.o \
	lib/conf/build_name.o lib/conf/build_rule.o \
	lib/conf/build_setting.o lib/conf/build_test.o \
	lib/conf/check_domain.o lib/conf/check_file.o \
	lib/conf/check_listen.o lib/conf/check_name.o \
	lib/conf/check_rule.o lib/conf/command.o lib/conf/conf.o \
	lib/conf/find.o lib/conf/free.o lib/conf/input.o lib/conf/lex.o lib/conf/macro.o \
	lib/conf/notyet.o lib/conf/parse.o lib/conf/print.o \
	lib/conf/print_mail.o lib/conf/report.o lib/conf/scan.o \
	lib/conf/source.o lib/conf/uidl.o lib/conf/url.o lib/conf/usage.o \
	lib/conf/value.o lib/conf/words.o
SMTP_OBJS = \
	lib/smtp/address.o lib/smtp/chunk.o lib/smtp/command.o \
	lib/smtp/content.o lib/smtp/dsn.o lib/smtp/dsn_field.o \
	lib/smtp/param.o lib/smtp/punycode.o \
	lib/smtp/queueid.o lib/smtp/reply.o
IMAP_OBJS = \
	lib/imap/date.o lib/imap/fetch.o lib/imap/flags.o \
	lib/imap/mutf7.o lib/imap/parse.o lib/imap/pattern.o \
	lib/imap/reader.o lib/imap/search.o lib/imap/seqset.o \
	lib/imap/write.o
POP3_OBJS = \
	lib/pop3/ascii.o lib/pop3/capa.o lib/pop3/command.o lib/pop3/stuff.o
MIME_OBJS = \
	lib/mime/address.o lib/mime/casemap.o lib/mime/charset.o \
	lib/mime/charset_cn.o lib/mime/charset_jp.o \
	lib/mime/charset_kr.o lib/mime/charset_pair.o \
	lib/mime/charset_shift.o lib/mime/charset_table.o \
	lib/mime/charset_tw.o lib/mime/codec.o lib/mime/date.o \
	lib/mime/envelope.o lib/mime/header.o lib/mime/match.o \
	lib/mime/param.o lib/mime/preview.o lib/mime/recode.o \
	lib/mime/rewrite.o lib/mime/structure.o lib/mime/subject.o \
	lib/mime/submission.o lib/mime/thread.o lib/mime/tree.o \
	lib/mime/word.o
STORE_OBJS = \
	lib/store/append.o lib/store/cachefile.o lib/store/cache_entry.o \
	lib/store/cached.o lib/store/care.o lib/store/change.o \
	lib/store/copy.o lib/store/crlf.o lib/store/deliver.o lib/store/facts.o \
	lib/store/file.o \
	lib/store/files.o lib/store/flush.o lib/store/folder.o lib/store/found.o \
	lib/store/freeze.o \
	lib/store/hash.o \
	lib/store/incoming.o lib/store/index.o lib/store/index_old.o \
	lib/store/info.o lib/store/intent.o \
	lib/store/keywords.o lib/store/list.o lib/store/lock.o \
	lib/store/mailbox.o lib/store/mapped.o lib/store/mbox.o lib/store/mboxfile.o \
	lib/store/mboxredo.o lib/store/mboxview.o lib/store/mboxwrite.o \
	lib/store/message.o lib/store/name.o lib/store/quota.o \
	lib/store/pop3ids.o lib/store/record.o lib/store/recover.o \
	lib/store/renumber.o lib/store/reserve.o lib/store/seeds.o lib/store/store.o \
	lib/store/subscribe.o lib/store/sync.o lib/store/tidy.o lib/store/tree.o \
	lib/store/uidlist.o lib/store/uidlist_follow.o lib/store/use.o \
	lib/store/view.o
SASL_OBJS = \
	lib/sasl/base64.o lib/sasl/client.o lib/sasl/prep.o \
	lib/sasl/scram.o lib/sasl/scram_key.o lib/sasl/server.o
TABLE_OBJS = \
	lib/table/file.o lib/table/map.o lib/table/refresh.o \
	lib/table/sqlite.o lib/table/table.o lib/table/user.o
AUTH_OBJS = \
	lib/auth/auth.o lib/auth/cache.o lib/auth/exchange.o \
	lib/auth/hold.o lib/auth/judge.o lib/auth/lru.o lib/auth/salted.o \
	lib/auth/session.o lib/auth/source_system.o \
	lib/auth/source_table.o lib/auth/sources.o lib/auth/throttle.o \
	lib/auth/verify.o lib/auth/worker.o
DNS_OBJS = \
	lib/dns/resolver.o lib/dns/wire.o
RULES_OBJS = \
	lib/rules/account.o lib/rules/archive.o lib/rules/check.o \
	lib/rules/client.o lib/rules/command.o lib/rules/expand.o lib/rules/expand_value.o \
	lib/rules/include.o lib/rules/match.o lib/rules/now.o \
	lib/rules/prove.o lib/rules/prove_dim.o lib/rules/prove_net.o \
	lib/rules/seen.o lib/rules/sender.o lib/rules/set.o lib/rules/value.o
DAEMON_OBJS = \
	lib/daemon/addrcount.o lib/daemon/audit.o lib/daemon/authask.o \
	lib/daemon/control.o lib/daemon/counter.o lib/daemon/ctlclient.o lib/daemon/ctlserve.o \
	lib/daemon/decoy.o lib/daemon/doors.o lib/daemon/generation.o \
	lib/daemon/give.o lib/daemon/kick.o lib/daemon/limit.o \
	lib/daemon/login.o lib/daemon/login_ask.o lib/daemon/mailplace.o \
	lib/daemon/mailsession.o \
	lib/daemon/options.o lib/daemon/parked.o lib/daemon/rate.o \
	lib/daemon/sessions.o lib/daemon/spawn.o lib/daemon/submit.o \
	lib/daemon/submit_args.o lib/daemon/submit_keep.o \
	lib/daemon/submit_notice.o lib/daemon/supervise.o \
	lib/daemon/visits.o lib/daemon/who.o lib/daemon/who_filter.o

LIB_OBJS = \
	$(OS_OBJS) $(LOG_OBJS) $(BUF_OBJS) $(IMSG_OBJS) $(PRIVSEP_OBJS) \
	$(TLS_OBJS) $(NET_OBJS) $(CONF_OBJS) $(SMTP_OBJS) $(IMAP_OBJS) \
	$(POP3_OBJS) $(MIME_OBJS) $(STORE_OBJS) $(SASL_OBJS) \
	$(TABLE_OBJS) $(AUTH_OBJS) $(DNS_OBJS) $(RULES_OBJS) \
	$(DAEMON_OBJS)

SMTPD_OBJS = \
	smtpd/contract.o smtpd/dns.o smtpd/envelope.o smtpd/granted.o \
	smtpd/handover.o smtpd/handover_batch.o \
	smtpd/journal.o smtpd/journal_file.o smtpd/logline.o smtpd/lookup.o \
	smtpd/lookup_dns.o smtpd/lookup_forward.o smtpd/lookup_rate.o \
	smtpd/lookup_rcpt.o smtpd/net.o smtpd/net_auth.o smtpd/net_data.o \
	smtpd/net_hello.o smtpd/net_mail.o smtpd/net_reply.o \
	smtpd/net_session.o smtpd/net_time.o smtpd/parent.o smtpd/queue.o \
	smtpd/queue_add.o smtpd/queue_ask.o \
	smtpd/queue_clean.o smtpd/queue_ctl.o smtpd/queue_dest.o \
	smtpd/queue_expand.o \
	smtpd/queue_filter.o smtpd/queue_history.o smtpd/queue_line.o \
	smtpd/queue_list.o \
	smtpd/queue_load.o \
	smtpd/queue_local.o smtpd/queue_msg.o smtpd/queue_pause.o smtpd/queue_quota.o \
	smtpd/queue_rate.o smtpd/queue_recip.o smtpd/queue_relay.o \
	smtpd/queue_report.o smtpd/queue_text.o smtpd/queue_tx.o \
	smtpd/relay.o smtpd/relay_attempt.o smtpd/relay_command.o \
	smtpd/relay_connect.o \
	smtpd/relay_data.o smtpd/relay_hosts.o smtpd/relay_known.o \
	smtpd/relay_login.o smtpd/relay_mail.o smtpd/relay_session.o \
	smtpd/relay_share.o smtpd/relay_state.o \
	smtpd/relay_tls.o smtpd/secrets.o smtpd/spoolcheck.o smtpd/tables.o \
	smtpd/waiters.o
IMAPD_OBJS = \
	imapd/net.o imapd/parent.o imapd/watch.o
IMAPD_SESSION_OBJS = \
	imapd/cmd_any.o imapd/cmd_append.o imapd/cmd_close.o \
	imapd/cmd_compress.o imapd/cmd_copy.o imapd/cmd_create.o \
	imapd/cmd_enable.o imapd/cmd_expunge.o imapd/cmd_fetch.o \
	imapd/cmd_fetch_items.o imapd/cmd_fetch_part.o imapd/cmd_id.o \
	imapd/cmd_idle.o imapd/cmd_list.o imapd/cmd_lsub.o \
	imapd/cmd_mailbox.o imapd/cmd_quota.o imapd/cmd_search.o \
	imapd/cmd_search_run.o imapd/cmd_search_tell.o \
	imapd/cmd_search_text.o imapd/cmd_select.o imapd/cmd_set.o \
	imapd/cmd_sort.o imapd/cmd_status.o imapd/cmd_store.o \
	imapd/cmd_table.o imapd/cmd_thread.o imapd/park_state.o \
	imapd/session_conn.o imapd/session_io.o imapd/session_park.o \
	imapd/session_reply.o imapd/session_sync.o imapd/session_zip.o
POP3D_OBJS = \
	pop3d/net.o pop3d/parent.o
POP3D_SESSION_OBJS = \
	pop3d/client.o pop3d/client_cmd.o pop3d/maildrop.o pop3d/text.o
MAILCTL_OBJS = \
	mailctl/check.o mailctl/check_dns.o mailctl/check_owners.o \
	mailctl/check_tables.o mailctl/explain.o mailctl/hash.o mailctl/mailbox.o \
	mailctl/mailbox_import.o mailctl/mailbox_export.o mailctl/mailbox_do.o \
	mailctl/mailbox_filter.o mailctl/mailctl.o mailctl/names.o \
	mailctl/names_take.o mailctl/queue.o mailctl/report.o mailctl/sendmail.o \
	mailctl/tally.o mailctl/user.o mailctl/usertable.o mailctl/who.o

REGRESS = \
	regress/addr/addr regress/auth/cache \
	regress/auth/exchange regress/auth/judge \
	regress/auth/throttle regress/auth/verify regress/auth/worker \
	regress/buf/buf regress/buf/shown regress/conf/conf regress/conf/find \
	regress/daemon/addrcount regress/daemon/rate \
	regress/deliver/pipe regress/dns/wire regress/imap/dialogue regress/imap/fetch \
	regress/daemon/counter regress/daemon/ctlclient \
	regress/daemon/limit \
	regress/daemon/parked regress/daemon/who \
	regress/imap/parse regress/imap/reader regress/imap/states \
	regress/imsg/contract \
	regress/imsg/peer regress/log/log regress/lookup/forward \
	regress/mailctl/names \
	regress/mime/address \
	regress/mime/bombs regress/mime/charset regress/mime/header regress/mime/param \
	regress/mime/preview regress/mime/recode regress/mime/rewrite \
	regress/mime/submission regress/mime/tree \
	regress/net/conn regress/net/listen \
	regress/net/pump regress/net/tls \
	regress/os/os \
	regress/pop3/ascii regress/pop3/command regress/pop3/ids \
	regress/pop3/session \
	regress/pop3/sizes regress/pop3/stuff \
	regress/privsep/role regress/queue/clock \
	regress/queue/envelope regress/queue/journal \
	regress/queue/filter regress/queue/kill regress/queue/logline \
	regress/queue/rate regress/queue/recover regress/relay/content \
	regress/relay/known \
	regress/relay/login \
	regress/relay/reply regress/relay/session regress/rules/alias \
	regress/rules/check \
	regress/rules/client regress/rules/expand regress/rules/match \
	regress/rules/prove regress/rules/sender \
	regress/sandbox/files \
	regress/sandbox/libs regress/sandbox/sandbox regress/sasl/base64 \
	regress/sasl/scram regress/sasl/server regress/smtp/address \
	regress/smtp/chunk regress/smtp/command regress/smtp/content \
	regress/smtp/dsn regress/smtp/param regress/smtp/queueid \
	regress/store/adopt regress/store/cached regress/store/crash \
	regress/store/damage regress/store/kept regress/store/lock \
	regress/store/mailbox \
	regress/store/mboxkill regress/store/names regress/store/outside \
	regress/store/steps regress/store/together \
	regress/store/version regress/store/view \
	regress/submit/batch regress/submit/submit \
	regress/table/map \
	regress/table/table regress/table/user regress/tls/keyid \
	regress/tls/signer
REGRESS_PARTS = mailctl/names_take.o smtpd/pipe_run.o

LIB =		lib/libpostern.a
DAEMON_LIBS =	smtpd/smtpd.a imapd/session.a pop3d/session.a
PROGRAMS =	smtpd/smtpd smtpd/smtpd-deliver smtpd/smtpd-pipe \
		smtpd/smtpd-submit \
		imapd/imapd imapd/imapd-session \
		pop3d/pop3d pop3d/pop3d-session mailctl/mailctl mailctl/sendmail

.SUFFIXES:
.SUFFIXES: .c .o
.PHONY: all programs demo test regress sanitize fuzz crash stress bench lint users install \
	uninstall clean

all: config.mk
	@$(MAKE) CONFIG=config.mk CFLAGS="$(CFLAGS)" LDFLAGS="$(LDFLAGS)" \
	    WERROR="$(WERROR)" PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" \
	    programs

# The headers are a list in config.mk; every object depends on all of them.
config.mk: lib/os/probe.sh Makefile
	@CC="$(CC)" CFLAGS="$(CFLAGS)" LDFLAGS="$(LDFLAGS)" \
	    sh lib/os/probe.sh > config.tmp
	@printf 'HEADERS = %s\n' "$$(ls lib/*/*.h smtpd/*.h imapd/*.h \
	    pop3d/*.h mailctl/*.h regress/*.h regress/*/*.h 2>/dev/null | \
	    grep -v lib/conf/parse.h | tr '\n' ' ')" >> config.tmp
	@mv config.tmp config.mk

programs: $(PROGRAMS)

# V= prints the commands.
V =	@
.c.o:
	@echo "	$<"
	$(V)$(CC) $(ALL_CFLAGS) -c -o $@ $<

.c:
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) -Iregress $(ALL_LDFLAGS) -o $@ $< $(REGRESS_PARTS) \
	    $(DAEMON_LIBS) $(LIB) $(LIBS)

lib/conf/parse.c: lib/conf/parse.y
	$(YACC) -d -o lib/conf/parse.c lib/conf/parse.y
lib/conf/lex.o lib/conf/scan.o lib/conf/usage.o lib/conf/print.o: \
	lib/conf/parse.c

$(LIB_OBJS) $(SMTPD_OBJS) $(IMAPD_OBJS) $(IMAPD_SESSION_OBJS) $(POP3D_OBJS) \
$(POP3D_SESSION_OBJS) $(MAILCTL_OBJS) $(REGRESS_PARTS) smtpd/smtpd.o \
smtpd/deliver.o smtpd/deliver_head.o smtpd/deliver_quota.o \
smtpd/pipe.o smtpd/pipe_run.o \
smtpd/submit.o imapd/imapd.o imapd/contract.o imapd/session.o \
pop3d/pop3d.o pop3d/contract.o pop3d/session.o: $(HEADERS)

$(LIB): $(LIB_OBJS)
	@rm -f $@
	@ar rc $@ $(LIB_OBJS)
	@ranlib $@

smtpd/smtpd.a: $(SMTPD_OBJS)
	@rm -f $@
	@ar rc $@ $(SMTPD_OBJS)
imapd/session.a: $(IMAPD_SESSION_OBJS) imapd/contract.o
	@rm -f $@
	@ar rc $@ $(IMAPD_SESSION_OBJS) imapd/contract.o
pop3d/session.a: $(POP3D_SESSION_OBJS) pop3d/contract.o
	@rm -f $@
	@ar rc $@ $(POP3D_SESSION_OBJS) pop3d/contract.o

smtpd/smtpd: smtpd/smtpd.o smtpd/granted.o smtpd/smtpd.a $(LIB)
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ smtpd/smtpd.o \
	    smtpd/granted.o smtpd/smtpd.a $(LIB) $(LIBS)
imapd/imapd: imapd/imapd.o imapd/contract.o $(IMAPD_OBJS) $(LIB)
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ imapd/imapd.o \
	    imapd/contract.o $(IMAPD_OBJS) $(LIB) $(LIBS)
pop3d/pop3d: pop3d/pop3d.o pop3d/contract.o $(POP3D_OBJS) $(LIB)
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ pop3d/pop3d.o \
	    pop3d/contract.o $(POP3D_OBJS) $(LIB) $(LIBS)
mailctl/mailctl: $(MAILCTL_OBJS) smtpd/smtpd.a $(LIB)
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(MAILCTL_OBJS) \
	    smtpd/smtpd.a $(LIB) $(LIBS)

mailctl/sendmail: mailctl/mailctl
	@ln -sf mailctl $@

# The per-user programs: no TLS, and static where the system can.
SESSION_LIBS =	$(EVENT_LIBS) $(BSD_LIBS) $(UTF8PROC_LIBS)
smtpd/smtpd-deliver: smtpd/deliver.o smtpd/deliver_head.o \
	smtpd/deliver_quota.o smtpd/contract.o $(LIB)
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC_LDFLAGS) -o $@ \
	    smtpd/deliver.o smtpd/deliver_head.o smtpd/deliver_quota.o \
	    smtpd/contract.o $(LIB) $(SESSION_LIBS) $(STATIC_LIBS)
smtpd/smtpd-pipe: smtpd/pipe.o smtpd/pipe_run.o smtpd/deliver_head.o \
	smtpd/contract.o $(LIB)
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC_LDFLAGS) -o $@ \
	    smtpd/pipe.o smtpd/pipe_run.o smtpd/deliver_head.o \
	    smtpd/contract.o $(LIB) $(SESSION_LIBS) $(STATIC_LIBS)
smtpd/smtpd-submit: smtpd/submit.o smtpd/contract.o $(LIB)
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC_LDFLAGS) -o $@ \
	    smtpd/submit.o smtpd/contract.o $(LIB) $(SESSION_LIBS) \
	    $(STATIC_LIBS)
imapd/imapd-session: imapd/session.o imapd/session.a $(LIB)
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC_LDFLAGS) -o $@ \
	    imapd/session.o imapd/session.a $(LIB) $(SESSION_LIBS) $(Z_LIBS) \
	    $(STATIC_LIBS)
pop3d/pop3d-session: pop3d/session.o pop3d/session.a $(LIB)
	@echo "	$@"
	$(V)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC_LDFLAGS) -o $@ \
	    pop3d/session.o pop3d/session.a $(LIB) $(SESSION_LIBS) \
	    $(STATIC_LIBS)

$(REGRESS): $(LIB) $(DAEMON_LIBS) $(REGRESS_PARTS) $(HEADERS)
regress-programs: $(REGRESS)

demo:
	@sh tests/demo.sh

test:
	@$(MAKE) WERROR=-Werror CFLAGS="$(CFLAGS)" LDFLAGS="$(LDFLAGS)" all
	@$(MAKE) CONFIG=config.mk CFLAGS="$(CFLAGS)" LDFLAGS="$(LDFLAGS)" \
	    WERROR=-Werror regress-programs
	@sh tests/run.sh

regress: all
	@$(MAKE) CONFIG=config.mk CFLAGS="$(CFLAGS)" LDFLAGS="$(LDFLAGS)" \
	    WERROR="$(WERROR)" regress-programs
	@sh tests/run.sh regress

sanitize: all
	@sh tests/sanitize.sh

lint:
	@sh tests/lint/run.sh

fuzz: all
	@sh tests/fuzz/run.sh $(FUZZ_SECONDS)

crash: all
	@sh tests/crash.sh $(CRASH_ROUNDS)

stress: all
	@STRESS_SECONDS=$(STRESS_SECONDS) STRESS_CONNS=$(STRESS_CONNS) \
	    STRESS_USERS=$(STRESS_USERS) STRESS_SEED=$(STRESS_SEED) \
	    sh tests/stress/run.sh

bench: all
	@sh tests/bench/run.sh

users:
	sh tests/users.sh

MAN5 =	mail.conf.5
MAN8 =	smtpd/smtpd.8 imapd/imapd.8 pop3d/pop3d.8 mailctl/mailctl.8

install: all
	@PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" DESTDIR="$(DESTDIR)" \
	    sh etc/install.sh install

uninstall:
	@PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" DESTDIR="$(DESTDIR)" \
	    sh etc/install.sh uninstall

clean:
	rm -f $(PROGRAMS) $(REGRESS) $(DAEMON_LIBS) $(LIB) config.mk config.tmp
	rm -f lib/*/*.o smtpd/*.o imapd/*.o pop3d/*.o mailctl/*.o \
	    regress/*/*.o lib/conf/parse.c lib/conf/parse.h
