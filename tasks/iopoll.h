/* iopoll.h - waiting for descriptors, for the system calls that do. */
#ifndef COOP_IOPOLL_H
#define COOP_IOPOLL_H

#include "kernel/kernel.h"

/* What is known of a descriptor. One that the kernel opened, and that is closed by Close, is
   ours: the machine goes on looking at it when nobody waits, and what was used up
   is remembered. Of others nothing is, since they may be another file each time. */
struct coop_descriptor {
    coop_call *readers, *writers;  /* who waits */
    bool ours;
    bool sure;                     /* of ours: a short read means that all is read */
    uint8_t watched;               /* events that the machine looks for */
    uint8_t spent;                 /* events used up, and not come again since */
    uint8_t asking;                /* the event whose waiters are being asked */
};

enum { COOP_MOST_FIRED = 256 };

struct coop_io {
    struct coop_descriptor *fds;
    int size;
    int lists;                     /* of waiters, not empty */
    coop_call *rest;               /* of those that are being asked */
    bool told;                     /* that the poller has a limit */
    int next, count;               /* of fired: what is to be told next, and the end */
    coop_fired fired[COOP_MOST_FIRED];
};

#pragma GCC visibility push(hidden)

coop_value coop_io_begin_wait(coop_sched *, coop_call *, int fd, unsigned event);
void coop_io_undo(coop_sched *, coop_call *, int fd, unsigned event);

/* From ready: the call waits on, though the event was not used up. */
void coop_io_again(coop_sched *, int fd, unsigned event);

/* A new descriptor, which the kernel opened. stream: what it gives has no borders. */
void coop_io_opened(coop_sched *, int fd, bool stream);

/* All who wait on fd get -EBADF; nobody looks at it any more. */
void coop_io_closed(coop_sched *, int fd);

/* The first makes s->poller, or gives -ENOMEM; the second releases s->io. */
int coop_iopoll_start(coop_sched *);
void coop_iopoll_free(coop_sched *);

#pragma GCC visibility pop

static inline bool coop_io_knows(const coop_sched *s, int fd)
{
    return s->io && (unsigned)fd < (unsigned)s->io->size;
}

static inline struct coop_descriptor *coop_io_known(coop_sched *s, int fd)
{
    return coop_io_knows(s, fd) ? &s->io->fds[fd] : NULL;
}

/* An event of fd was used up: it gave -EAGAIN; or less than there was room for. */
static inline void coop_io_spent(coop_sched *s, int fd, unsigned event)
{
    if (coop_io_knows(s, fd) && s->io->fds[fd].ours)
        s->io->fds[fd].spent |= (uint8_t)event;
}

static inline void coop_io_short(coop_sched *s, int fd)
{
    if (coop_io_knows(s, fd) && s->io->fds[fd].sure)
        s->io->fds[fd].spent |= COOP_READ;
}

/* True: so it was, and it has not come again, so there is no use in trying. */
static inline bool coop_io_is_spent(coop_sched *s, int fd, unsigned event)
{
    return coop_io_knows(s, fd) && s->io->fds[fd].spent & event;
}

/* From handle: the call waits until fd is ready for event, COOP_READ or COOP_WRITE, and
   its ready is asked then. COOP_WAIT, or an error to answer with. */
static inline coop_value coop_io_wait(coop_sched *s, coop_call *call, int fd, unsigned event)
{
    if (!coop_io_knows(s, fd))
        return coop_io_begin_wait(s, call, fd, event);
    struct coop_descriptor *d = &s->io->fds[fd];
    coop_call **list = event == COOP_READ ? &d->readers : &d->writers;
    if (*list || !(d->spent & d->watched & event))
        return coop_io_begin_wait(s, call, fd, event);
    s->io->lists++;
    *list = call->next = call;     /* the only one in it */
    return COOP_WAIT;
}

#endif
