/* virtual.h - a machine for tests. Its time passes only when poll may block, and then at
   once; its descriptors fire as they are told to; it has no sockets. */
#ifndef VIRTUAL_H
#define VIRTUAL_H

#include "machine/machine.h"

enum { VIRTUAL_FDS = 64, VIRTUAL_FIRES = 256 };

struct virtual_fire {
    int64_t at;
    int fd;
    unsigned events;
};

struct virtual_machine {
    coop_machine face;
    int64_t clock;
    unsigned blocked, looked;      /* polls with a timeout, and those without */
    int64_t slept;                 /* ns that passed in polls */
    int poll_error;                /* not 0: what the next poll gives */
    bool stuck;                    /* waited for what never comes: that poll gave -EIO */
    bool freed;
    unsigned watched[VIRTUAL_FDS];
    int watching;                  /* descriptors of which watched is not 0 */
    struct virtual_fire fires[VIRTUAL_FIRES];
    int fire_count;
};

/* Makes *v a new machine, without memory of its own: free only marks it as freed. */
coop_machine *virtual_machine(struct virtual_machine *v);

/* From the time at on fd is ready for events, until a poll has told it once. Those that
   are told by one poll are told in the order in which they were set. */
void virtual_fire(struct virtual_machine *v, int64_t at, int fd, unsigned events);

#endif
