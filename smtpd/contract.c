/*
 * The table that smtpd/contract.h states.
 */
#include "smtpd/contract.h"

/* clang-format off */
COMMON_MESSAGES(CONTRACT_FIELDS)
SMTPD_MESSAGES(CONTRACT_FIELDS)

static const struct msg_def messages[] = {
	COMMON_MESSAGES(CONTRACT_ROW)
	SMTPD_MESSAGES(CONTRACT_ROW)
};
/* clang-format on */

const struct contract smtpd_contract = {
	"smtpd", messages, sizeof(messages) / sizeof(messages[0])
};
