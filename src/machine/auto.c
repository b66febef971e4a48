/* auto.c - the poller that nobody chose: select as long as it does, which is the fastest for
   a few descriptors, then epoll, or poll where there is none. It never goes back. */
#include "config.h"

#include "machine/poller.h"

#include <errno.h>
#include <stdlib.h>

enum { MANY = 32 };                /* watched at once: more are not for select */

struct by_auto {
    coop_poller face;
    coop_poller *current;
    bool moved;
    int count;                     /* how many select watches, and for what */
    unsigned char events[FD_SETSIZE];
};

#ifdef HAVE_EPOLL_CREATE1
#define open_larger coop_poller_epoll
#else
#define open_larger coop_poller_poll
#endif

/* select is let go only when all that it watched is watched by the other. */
static int move(struct by_auto *a)
{
    coop_poller *to = NULL;
    int r = open_larger(&to);
    for (int fd = 0; fd < FD_SETSIZE && r == 0; fd++)
        if (a->events[fd])
            r = to->watch(to, fd, a->events[fd] | COOP_ANEW);
    if (r < 0) {
        if (to)
            to->free(to);
        return r;
    }
    a->current->free(a->current);
    a->current = to;
    a->moved = true;
    return 0;
}

/* When there is no other to be had select goes on, with all that it can watch. */
static int watch(coop_poller *p, int fd, unsigned events)
{
    struct by_auto *a = (struct by_auto *)p;
    if (!a->moved && coop_far_off(fd))
        return events ? -EBADF : 0;
    bool many = fd < FD_SETSIZE && !a->events[fd] && a->count >= MANY;
    if (!a->moved && events && (fd >= FD_SETSIZE || many)) {
        int r = move(a);
        if (r < 0 && fd >= FD_SETSIZE)
            return r;
    }
    int r = a->current->watch(a->current, fd, events);
    if (r == 0 && !a->moved && fd < FD_SETSIZE) {
        unsigned char before = a->events[fd];
        a->events[fd] = (unsigned char)(events & (COOP_READ | COOP_WRITE));
        a->count += !!a->events[fd] - !!before;
    }
    return r;
}

static int poll_current(coop_poller *p, int64_t timeout, coop_fired *fired, int max)
{
    coop_poller *current = ((struct by_auto *)p)->current;
    return current->poll(current, timeout, fired, max);
}

static void release(coop_poller *p)
{
    struct by_auto *a = (struct by_auto *)p;
    a->current->free(a->current);
    free(a);
}

int coop_poller_auto(coop_poller **poller)
{
    struct by_auto *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    a->face = (coop_poller){ "auto", watch, poll_current, release };
    int r = coop_poller_select(&a->current);
    if (r < 0)
        free(a);
    else
        *poller = &a->face;
    return r;
}
