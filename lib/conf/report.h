/*
 * report: the mistakes of a configuration, gathered while it is read and
 * handed out in the order of the file.
 */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

#include "conf/conf.h"

struct report;

struct report	*report_new(void);
void		 report_free(struct report *);

void	report_error(struct report *, const struct conf_pos *, const char *,
	    ...) __attribute__((__format__(printf, 3, 4)));
void	report_warning(struct report *, const struct conf_pos *, const char *,
	    ...) __attribute__((__format__(printf, 3, 4)));
/*
 * Hand everything to the callback, sorted by the order in which the files
 * were opened, then line and column.  Returns the number of mistakes;
 * warnings do not count.
 */
size_t	report_flush(struct report *, const struct conf_words *files,
	    conf_report, void *);

#endif
