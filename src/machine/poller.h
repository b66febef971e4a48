/* poller.h - how the unix machine waits for descriptors; one small file for each way. */
#ifndef COOP_POLLER_H
#define COOP_POLLER_H

#include "machine/machine.h"

typedef struct coop_poller coop_poller;
struct coop_poller {
    const char *name;
    int (*watch)(coop_poller *, int fd, unsigned events);
    int (*poll)(coop_poller *, int64_t timeout, coop_fired *fired, int max);
    void (*free)(coop_poller *);
};

#pragma GCC visibility push(hidden)

coop_poller *coop_poller_select(void);

#pragma GCC visibility pop

#endif
