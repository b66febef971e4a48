/* poller.h - how the unix machine waits for descriptors; one small file for each way.

   watch says what poll looks for on fd from now on; 0: nothing. With an error nothing has
   changed. poll is as the machine's, for a day at most; it also tells that a descriptor is
   not open, or always ready. */
#ifndef COOP_POLLER_H
#define COOP_POLLER_H

#include "machine/machine.h"

#include <fcntl.h>
#include <sys/select.h>

typedef struct coop_poller coop_poller;
struct coop_poller {
    const char *name;
    int (*watch)(coop_poller *, int fd, unsigned events);
    int (*poll)(coop_poller *, int64_t timeout, coop_fired *fired, int max);
    void (*free)(coop_poller *);
};

#pragma GCC visibility push(hidden)

/* Tables are as long as the largest number in them, so watch refuses with -EBADF those that
   are large and no descriptor's. */
static inline bool coop_far_off(int fd)
{
    return fd >= FD_SETSIZE && fcntl(fd, F_GETFD) < 0;
}

/* 0, or -ENOMEM, or what epoll_create1 gave. */
int coop_poller_auto(coop_poller **);
int coop_poller_select(coop_poller **);
int coop_poller_poll(coop_poller **);
#ifdef HAVE_EPOLL_CREATE1
int coop_poller_epoll(coop_poller **);
#endif

#pragma GCC visibility pop

#endif
