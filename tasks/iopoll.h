/* iopoll.h - waiting for descriptors, for the system calls that do. */
#ifndef COOP_IOPOLL_H
#define COOP_IOPOLL_H

#include "kernel/kernel.h"

#pragma GCC visibility push(hidden)

/* From handle: the call waits until fd is ready for event, COOP_READ or COOP_WRITE, and
   its ready is asked then. COOP_WAIT, or an error to answer with, or 0 for a descriptor
   that is always ready. */
coop_value coop_io_wait(coop_sched *, coop_call *, int fd, unsigned event);
void coop_io_undo(coop_sched *, coop_call *, int fd, unsigned event);

/* All who wait on fd get -EBADF; nobody looks at it any more. */
void coop_io_closed(coop_sched *, int fd);

/* The first makes s->poller and s->io, or gives -ENOMEM; the second releases s->io. */
int coop_iopoll_start(coop_sched *);
void coop_iopoll_free(coop_sched *);

#pragma GCC visibility pop

#endif
