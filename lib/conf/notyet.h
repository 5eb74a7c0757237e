/*
 * notyet: what the language reserves and this version refuses.
 */
#ifndef CONF_NOTYET_H
#define CONF_NOTYET_H

int	notyet(const char *feature);

#endif
