/*
 * control: the sockets on which mailctl asks.
 *
 * They are in the directory "state", mode 0600; whoever connects must be root
 * or the user that runs the suite, told by the kernel and not by him.  A
 * malformed request closes that request and nothing else.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/child.h"
#include "daemon/counter.h"
#include "daemon/ctlserve.h"
#include "daemon/limit.h"
#include "log/log.h"
#include "net/listen.h"

static struct {
	struct ctlserve	*serve;
	char		 path[sizeof(((struct sockaddr_un *)0)->sun_path)];
} ctl;

int
control_socket(const struct conf *conf, const char *name)
{
	char	path[sizeof(ctl.path)];
	int	fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s.sock", conf->state,
	    name) >= sizeof(path)) {
		log_warnx("%s: path of the control socket is too long",
		    conf->state);
		return (-1);
	}
	if ((fd = listen_bind_path(path, (gid_t)-1, 0600)) == -1)
		log_warn("%s", path);
	return (fd);
}

void
control_answer(struct peer *p, const char *text, uint64_t status)
{
	struct msg_CTL_TEXT	 t = { .error = status != 0 };
	struct msg_CTL_DONE	 done = { .status = status };
	size_t			 len = strlen(text), n;

	while (len > 0) {
		n = len > 32768 ? 32768 : len;
		peer_send_tail(p, M_CTL_TEXT, &t, text, n, -1);
		text += n;
		len -= n;
	}
	peer_send(p, M_CTL_DONE, &done, -1);
}

void
control_ask(struct peer *p, struct msg *m)
{
	const struct msg_CTL_ASK	*ask = m->body;
	char				*text;

	switch (ask->what) {
	case CTL_PROCESSES:
		text = audit_print(ask->json, 1);
		control_answer(p, text != NULL ? text : "out of memory\n",
		    text == NULL);
		free(text);
		return;
	case CTL_RELOAD:
		gen_reload();
		control_answer(p, "reloading; see the log\n", 0);
		return;
	case CTL_LIMITS:
		text = limit_print(supervise_conf(), sv.daemon->name,
		    ask->json);
		control_answer(p, text != NULL ? text : "out of memory\n",
		    text == NULL);
		free(text);
		return;
	case CTL_STATS:
		text = counter_print(sv.daemon->name, ask->json);
		control_answer(p, text != NULL ? text : "out of memory\n",
		    text == NULL);
		free(text);
		return;
	default:
		if (sv.ops->asked == NULL || sv.ops->asked(p, ask) == -1)
			control_answer(p, "not a question for this "
			    "daemon\n", 1);
	}
}

static void
asker_gone(struct peer *p)
{
	if (sv.ops->asker_gone != NULL)
		sv.ops->asker_gone(p);
}

int
control_open(const struct conf *conf)
{
	int	fd;

	if ((fd = control_socket(conf, sv.daemon->name)) == -1)
		return (-1);
	snprintf(ctl.path, sizeof(ctl.path), "%s/%s.sock", conf->state,
	    sv.daemon->name);
	ctl.serve = ctlserve_new(sv.base, fd, sv.daemon->contract,
	    ROLE_PARENT, control_ask, asker_gone);
	return (ctl.serve == NULL ? -1 : 0);
}

void
control_close(void)
{
	if (ctl.serve != NULL && unlink(ctl.path) == -1)
		log_warn("%s", ctl.path);
}
