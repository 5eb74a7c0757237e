/*
 * imapd's contract as a table, from the lists of privsep/contract.h.
 */
#include "contract.h"

COMMON_MESSAGES(CONTRACT_FIELDS)
SESSION_MESSAGES(CONTRACT_FIELDS)
PARK_MESSAGES(CONTRACT_FIELDS)

static const struct msg_def messages[] = {
	COMMON_MESSAGES(CONTRACT_ROW)
	SESSION_MESSAGES(CONTRACT_ROW)
	PARK_MESSAGES(CONTRACT_ROW)
};

const struct contract imapd_contract = {
	"imapd", messages, sizeof(messages) / sizeof(messages[0])
};
