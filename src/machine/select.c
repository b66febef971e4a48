/* select.c - the poller that POSIX has everywhere. */
#include "config.h"

#include "machine/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct by_select {
    coop_poller face;
    fd_set read, write;
    int top;                       /* highest descriptor watched, -1: none */
    int next;                      /* descriptor to go on with, when there was no room for all */
};

static int watch(coop_poller *p, int fd, unsigned events)
{
    struct by_select *s = (struct by_select *)p;
    events &= COOP_READ | COOP_WRITE;
    if (fd >= FD_SETSIZE)
        return !events ? 0 : coop_far_off(fd) ? -EBADF : -EMFILE;
    bool watched = FD_ISSET(fd, &s->read) || FD_ISSET(fd, &s->write);
    if (events && !watched && fcntl(fd, F_GETFD) < 0)
        return -EBADF;             /* select() passes over large numbers that are not open */
    if (events & COOP_READ)
        FD_SET(fd, &s->read);
    else
        FD_CLR(fd, &s->read);
    if (events & COOP_WRITE)
        FD_SET(fd, &s->write);
    else
        FD_CLR(fd, &s->write);
    if (events && fd > s->top)
        s->top = fd;
    while (s->top >= 0 && !FD_ISSET(s->top, &s->read) && !FD_ISSET(s->top, &s->write))
        s->top--;
    return 0;
}

/* select() says that some descriptor is bad, not which. */
static int find_bad(struct by_select *s, coop_fired *fired, int max)
{
    int n = 0;
    for (int fd = 0; fd <= s->top && n < max; fd++)
        if ((FD_ISSET(fd, &s->read) || FD_ISSET(fd, &s->write)) && fcntl(fd, F_GETFD) < 0)
            fired[n++] = (coop_fired){ fd, COOP_BAD };
    return n;
}

/* It goes on where there was no room for all: the first ones, if they are always ready, must
   not keep the last from their turn. When none of those is ready it is early, with nothing. */
static int poll_select(coop_poller *p, int64_t timeout, coop_fired *fired, int max)
{
    struct by_select *s = (struct by_select *)p;
    fd_set read = s->read, write = s->write;
    int64_t us = timeout / 1000 + (timeout % 1000 > 0);
    struct timeval limit = { (time_t)(us / 1000000), (suseconds_t)(us % 1000000) };
    int left = select(s->top + 1, &read, &write, NULL, timeout < 0 ? NULL : &limit);
    if (left < 0)
        return errno == EBADF ? find_bad(s, fired, max) : errno == EINTR ? 0 : -errno;
    int n = 0, fd = s->next;
    for (; fd <= s->top && left > 0 && n < max; fd++) {
        unsigned events = (FD_ISSET(fd, &read) ? COOP_READ : 0u)
                        | (FD_ISSET(fd, &write) ? COOP_WRITE : 0u);
        if (events)
            fired[n++] = (coop_fired){ fd, events };
        left -= !!(events & COOP_READ) + !!(events & COOP_WRITE);
    }
    s->next = n == max ? fd : 0;
    return n;
}

static void release(coop_poller *p)
{
    free(p);
}

int coop_poller_select(coop_poller **poller)
{
    struct by_select *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->face = (coop_poller){ "select", watch, poll_select, release };
    FD_ZERO(&s->read);
    FD_ZERO(&s->write);
    s->top = -1;
    *poller = &s->face;
    return 0;
}
