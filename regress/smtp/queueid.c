/*
 * queueid: names sort like numbers and read back; nothing else reads.
 */
#include "os/compat.h"
#include "smtp/queueid.h"
#include "../test.h"

int
main(void)
{
	static const char	*const bad[] = { "", "0", "0123456789",
				    "0123456789abc", "0123456789w",
				    "0123456789A", "0123456789 ",
				    " 123456789a", "-123456789a",
				    "012345\n789a", "0123456789\xff" };
	static const uint64_t	ids[] = { 0, 1, 31, 32, 1023, 1024,
				    UINT32_MAX, 1ull << 54,
				    (1ull << 55) - 1 };
	char			text[QUEUEID_SIZE], before[QUEUEID_SIZE];
	uint64_t		id;
	size_t			i;

	before[0] = '\0';
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		queueid_text(ids[i], text);
		id = 7;
		TEST("round trip", strlen(text) == QUEUEID_SIZE - 1 &&
		    queueid_parse(text, &id) == 0 && id == ids[i]);
		TEST("sorts", strcmp(before, text) < 0);
		strlcpy(before, text, sizeof(before));
	}
	queueid_text(1ull << 55, text);
	TEST_STR("more than 55 bits", text, "00000000000");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		id = 7;
		TEST("refused", queueid_parse(bad[i], &id) == -1 && id == 7);
	}
	TEST_DONE();
}
