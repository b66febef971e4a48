/* poll.c - the poller that has no limit of descriptors, on every POSIX host. What fired comes
   in ascending order, as with select. */
#include "config.h"

#include "machine/poller.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct by_poll {
    coop_poller face;
    struct pollfd *fds;            /* in ascending order */
    int count, size;
    int next;                      /* descriptor to go on with, when there was no room for all */
};

/* The place of fd, or where it would be. */
static int place_of(const struct by_poll *p, int fd)
{
    int low = 0, high = p->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (p->fds[middle].fd < fd)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int open_place(struct by_poll *p, int at, int fd)
{
    if (coop_far_off(fd))
        return -EBADF;
    if (p->count == p->size) {
        int size = p->size ? 2 * p->size : 64;
        struct pollfd *fds = realloc(p->fds, (size_t)size * sizeof *fds);
        if (!fds)
            return -ENOMEM;
        p->fds = fds;
        p->size = size;
    }
    memmove(p->fds + at + 1, p->fds + at, (size_t)(p->count++ - at) * sizeof *p->fds);
    p->fds[at] = (struct pollfd){ .fd = fd };
    return 0;
}

static void close_place(struct by_poll *p, int at)
{
    memmove(p->fds + at, p->fds + at + 1, (size_t)(--p->count - at) * sizeof *p->fds);
}

static int watch(coop_poller *face, int fd, unsigned events)
{
    struct by_poll *p = (struct by_poll *)face;
    int r, at = place_of(p, fd);
    bool there = at < p->count && p->fds[at].fd == fd;
    events &= COOP_READ | COOP_WRITE;
    if (!events) {
        if (there)
            close_place(p, at);
        return 0;
    }
    if (!there && (r = open_place(p, at, fd)) < 0)
        return r;
    p->fds[at].events = (short)((events & COOP_READ ? POLLIN : 0)
                              | (events & COOP_WRITE ? POLLOUT : 0));
    return 0;
}

static int wait_for(struct by_poll *p, int64_t timeout)
{
#ifdef HAVE_PPOLL
    struct timespec limit = { (time_t)(timeout / 1000000000), (long)(timeout % 1000000000) };
    return ppoll(p->fds, (nfds_t)p->count, timeout < 0 ? NULL : &limit, NULL);
#else
    int64_t ms = timeout / 1000000 + (timeout % 1000000 > 0);
    return poll(p->fds, (nfds_t)p->count, timeout < 0 ? -1 : (int)ms);
#endif
}

/* A broken connection is told to whoever waits for it, readers and writers. */
static unsigned events_of(const struct pollfd *fd)
{
    unsigned both = fd->revents & (POLLHUP | POLLERR) ? COOP_READ | COOP_WRITE : 0u;
    if (fd->revents & POLLNVAL)
        return COOP_BAD;
    return ((fd->revents & POLLIN ? COOP_READ : 0u) | (fd->revents & POLLOUT ? COOP_WRITE : 0u)
            | both)
         & ((fd->events & POLLIN ? COOP_READ : 0u) | (fd->events & POLLOUT ? COOP_WRITE : 0u));
}

/* It goes on where there was no room for all: the first ones, if they are always ready, must
   not keep the last from their turn. When none of those is ready it is early, with nothing. */
static int poll_poll(coop_poller *face, int64_t timeout, coop_fired *fired, int max)
{
    struct by_poll *p = (struct by_poll *)face;
    int n = 0, left = wait_for(p, timeout);
    if (left < 0)
        return errno == EINTR ? 0 : -errno;
    int i = p->next ? place_of(p, p->next) : 0;
    for (; i < p->count && left > 0 && n < max; i++) {
        unsigned events = events_of(&p->fds[i]);
        if (events)
            fired[n++] = (coop_fired){ p->fds[i].fd, events };
        left -= p->fds[i].revents != 0;
    }
    p->next = n == max && i < p->count ? p->fds[i].fd : 0;
    return n;
}

static void release(coop_poller *face)
{
    struct by_poll *p = (struct by_poll *)face;
    free(p->fds);
    free(p);
}

int coop_poller_poll(coop_poller **poller)
{
    struct by_poll *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->face = (coop_poller){ "poll", watch, poll_poll, release };
    *poller = &p->face;
    return 0;
}
