/* epoll.c - the poller for many descriptors on Linux. What fired comes in the order in which
   it became ready, as far as the host tells.

   It is edge-triggered: what came is told once (COOP_ONCE), so nobody needs to unwatch what
   he does not wait for at the moment, and a busy connection costs no epoll_ctl. COOP_ANEW
   asks anew, by EPOLL_CTL_MOD.

   epoll watches files, not descriptors, and says less than select does:
   - What is always ready (regular files) it refuses, and a closed descriptor it forgets
     without a word. Watched descriptors that it does not have are odd: each poll tries them
     again, and tells how they are. Closed ones are found by going over all that is
     watched from time to time.
   - A file that is still open elsewhere, under another number or in another process, it goes
     on watching under the number that was closed here, and cannot be told to stop. So each
     registration has a number, and an event with one that no longer counts is
     answered with a new set.
   - The set is a descriptor too, and others may close it. */
#include "config.h"

#include "machine/poller.h"

#ifdef HAVE_EPOLL_CREATE1

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* When all is gone over, in ns of time in which nothing happened: so much, and more for each
   descriptor, so that it takes a hundredth of the time at most. Each poll counts as a part. */
#define QUIET INT64_C(50000000)
#define QUIET_EACH INT64_C(100000)
#define QUIET_POLL INT64_C(2000)

enum { MOST_EVENTS = 256 };

struct watched {
    uint32_t registration;
    uint8_t wanted;                /* 0: not watched */
    uint8_t armed;                 /* what the set looks for; 0: it is not in the set */
    bool odd;                      /* wanted, and not in the set */
};

struct by_epoll {
    coop_poller face;
    int set;
    struct watched *fds;           /* by descriptor */
    int size;
    int top;                       /* highest that is wanted, -1: none */
    int count, odd;                /* how many are wanted, and how many of them are odd */
    int64_t quiet;                 /* what is left of it */
    bool coarse;                   /* the host's epoll counts in milliseconds */
};

static int make_room(struct by_epoll *p, int fd)
{
    if (fd < p->size)
        return 0;
    if (coop_far_off(fd))
        return -EBADF;
    int size = p->size ? p->size : 64;
    while (size <= fd)
        size *= 2;
    struct watched *fds = realloc(p->fds, (size_t)size * sizeof *fds);
    if (!fds)
        return -ENOMEM;
    memset(fds + p->size, 0, (size_t)(size - p->size) * sizeof *fds);
    p->fds = fds;
    p->size = size;
    return 0;
}

static struct epoll_event event_for(const struct watched *w, int fd, unsigned events)
{
    return (struct epoll_event){
        .events = EPOLLET | (events & COOP_READ ? EPOLLIN | EPOLLRDHUP | EPOLLPRI : 0u)
                | (events & COOP_WRITE ? EPOLLOUT : 0u),
        .data.u64 = (uint64_t)w->registration << 32 | (uint32_t)fd
    };
}

/* Have a set look for events on fd, and say if they are there already. A number that was
   closed and got another file, or its own back, may be in the set or not. */
static int enter(struct by_epoll *p, int set, bool is_in, int fd, unsigned events)
{
    struct watched *w = &p->fds[fd];
    struct epoll_event e = event_for(w, fd, events);
    int r = epoll_ctl(set, is_in ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);
    if (r < 0 && errno == (is_in ? ENOENT : EEXIST))
        r = epoll_ctl(set, is_in ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
    if (r == 0)
        w->armed = (uint8_t)events;
    return r < 0 ? -errno : 0;
}

static bool is_shortage(int r)
{
    return r == -ENOMEM || r == -ENOSPC;
}

static void set_odd(struct by_epoll *p, int fd, bool odd)
{
    struct watched *w = &p->fds[fd];
    p->odd += odd - w->odd;
    w->registration += odd && !w->odd;
    w->odd = odd;
    if (odd)
        w->armed = 0;
}

static void want(struct by_epoll *p, int fd, unsigned events)
{
    struct watched *w = &p->fds[fd];
    p->count += !!events - !!w->wanted;
    w->wanted = (uint8_t)events;
    if (!events)
        set_odd(p, fd, false);
    if (events && fd > p->top)
        p->top = fd;
}

static int unwatch(struct by_epoll *p, int fd)
{
    if (fd >= p->size)
        return 0;
    struct watched *w = &p->fds[fd];
    want(p, fd, 0);
    if (w->armed)
        epoll_ctl(p->set, EPOLL_CTL_DEL, fd, &(struct epoll_event){ .events = 0 });
    w->armed = 0;
    while (p->top >= 0 && !p->fds[p->top].wanted)
        p->top--;
    return 0;
}

static int watch(coop_poller *face, int fd, unsigned events)
{
    struct by_epoll *p = (struct by_epoll *)face;
    unsigned wanted = events & (COOP_READ | COOP_WRITE);
    if (!wanted)
        return unwatch(p, fd);
    int r = make_room(p, fd);
    if (r < 0)
        return r;
    struct watched *w = &p->fds[fd];
    w->registration += !w->armed && !w->odd;
    if (!w->odd && (events & COOP_ANEW || wanted & ~(unsigned)w->armed))
        r = enter(p, p->set, w->armed, fd, wanted | w->armed);
    if (is_shortage(r) && !w->wanted)
        return -ENOMEM;
    want(p, fd, wanted);
    if (r < 0)
        set_odd(p, fd, true);
    return 0;
}

static int tell_odd(struct by_epoll *p, coop_fired *fired, int max)
{
    int n = 0;
    for (int fd = 0; fd <= p->top && p->odd && n < max; fd++) {
        if (!p->fds[fd].odd)
            continue;
        int r = enter(p, p->set, false, fd, p->fds[fd].wanted);
        if (r == 0)
            set_odd(p, fd, false);
        else if (!is_shortage(r))
            fired[n++] = (coop_fired){ fd, r == -EPERM ? p->fds[fd].wanted : COOP_BAD };
    }
    return n;
}

/* What the set has is refused, and nothing else happens; what it takes was another file's
   number, and is told if it is ready. */
static void check(struct by_epoll *p, int fd)
{
    struct watched *w = &p->fds[fd];
    struct epoll_event e = event_for(w, fd, w->armed);
    if (epoll_ctl(p->set, EPOLL_CTL_ADD, fd, &e) < 0 && errno != EEXIST && !is_shortage(-errno))
        set_odd(p, fd, true);
}

static void go_over_all(struct by_epoll *p)
{
    for (int fd = 0; fd <= p->top; fd++)
        if (p->fds[fd].wanted && !p->fds[fd].odd)
            check(p, fd);
    p->quiet = QUIET + p->count * QUIET_EACH;
}

/* False: closed behind our back, and perhaps the number of something else now. What the
   question takes out of the set is put in again. */
static bool has_set(struct by_epoll *p)
{
    struct epoll_event e;
    int n = epoll_wait(p->set, &e, 1, 0), fd = n == 1 ? (int)(uint32_t)e.data.u64 : -1;
    if (fd >= 0 && fd < p->size && p->fds[fd].armed)
        enter(p, p->set, true, fd, p->fds[fd].armed);
    return n >= 0 || (errno != EBADF && errno != EINVAL);
}

/* False: there is none to be had now, and the old one stays. */
static bool make_new_set(struct by_epoll *p)
{
    bool had = has_set(p);         /* the new one may get its number */
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0)
        return false;
    for (int fd = 0; fd <= p->top; fd++) {
        struct watched *w = &p->fds[fd];
        int r = w->armed ? enter(p, set, false, fd, w->armed) : 0;
        if (is_shortage(r)) {
            close(set);
            return false;
        }
        if (r < 0 && w->wanted)
            set_odd(p, fd, true);
        else if (r < 0)
            w->armed = 0;
    }
    if (had)
        close(p->set);
    p->set = set;
    return true;
}

static int wait_for(struct by_epoll *p, int64_t timeout, struct epoll_event *events, int max)
{
    int n;
#ifdef HAVE_EPOLL_PWAIT2
    if (!p->coarse) {
        struct timespec limit = { (time_t)(timeout / 1000000000),
                                  (long)(timeout % 1000000000) };
        n = epoll_pwait2(p->set, events, max, timeout < 0 ? NULL : &limit, NULL);
        if (n >= 0 || errno != ENOSYS)
            return n < 0 ? -errno : n;
        p->coarse = true;
    }
#endif
    int64_t ms = timeout / 1000000 + (timeout % 1000000 > 0);
    n = epoll_wait(p->set, events, max, timeout < 0 ? -1 : (int)ms);
    return n < 0 ? -errno : n;
}

/* A broken connection is told to whoever waits for it, readers and writers. */
static unsigned events_of(uint32_t told)
{
    if (__builtin_expect(told == EPOLLIN, 1))
        return COOP_ONCE | COOP_READ;
    unsigned events = COOP_ONCE | (told & EPOLLIN ? COOP_READ : 0u)
                    | (told & EPOLLOUT ? COOP_WRITE : 0u);
    if (COOP_RARE(told & (EPOLLRDHUP | EPOLLPRI)))
        events |= COOP_OVER | (told & EPOLLRDHUP ? COOP_READ : 0u);
    if (COOP_RARE(told & (EPOLLHUP | EPOLLERR)))
        events |= COOP_OVER | COOP_READ | COOP_WRITE;
    return events;
}

static int sort_out(struct by_epoll *p, const struct epoll_event *events, int count,
                    coop_fired *fired, bool *stale)
{
    coop_fired *to = fired;
    for (const struct epoll_event *e = events; e < events + count; e++) {
        uint64_t data = e->data.u64;
        const struct watched *w = &p->fds[(uint32_t)data];
        if (COOP_RARE(!w->armed || w->registration != data >> 32))
            *stale = true;
        else
            *to++ = (coop_fired){ (int)(uint32_t)data, events_of(e->events) };
    }
    return (int)(to - fired);
}

/* Waits, and sorts out what came. The old set would tell of what is stale again and again:
   as long as there is no new one, that must not keep the processor busy. */
static int harvest(struct by_epoll *p, int64_t timeout, coop_fired *fired, int max)
{
    struct epoll_event events[MOST_EVENTS];
    bool stale = false;
    int count = wait_for(p, timeout, events, max < MOST_EVENTS ? max : MOST_EVENTS);
    if (count < 0 && !has_set(p) && make_new_set(p))
        return -EINTR;
    if (count <= 0)
        return count;
    int n = sort_out(p, events, count, fired, &stale);
    if (stale && !make_new_set(p) && n == 0 && timeout) {
        struct timespec pause = { 0, (long)(timeout < 0 || timeout > QUIET ? QUIET : timeout) };
        nanosleep(&pause, NULL);
    }
    return stale && n == 0 ? -EINTR : n;
}

/* The part of timeout up to the time at which all is gone over, and then the rest. */
static int wait_in_parts(struct by_epoll *p, int64_t timeout, coop_fired *fired, int max)
{
    if (!p->count)
        return harvest(p, timeout, fired, max);
    int64_t part = timeout < 0 || timeout > p->quiet ? p->quiet : timeout;
    int n = harvest(p, part, fired, max);
    if (n)
        return n;
    p->quiet -= part;
    if (p->quiet > 0)
        return 0;
    go_over_all(p);
    if (p->odd || part == timeout)
        return tell_odd(p, fired, max);
    return harvest(p, timeout < 0 ? -1 : timeout - part, fired, max);
}

static int poll_epoll(coop_poller *face, int64_t timeout, coop_fired *fired, int max)
{
    struct by_epoll *p = (struct by_epoll *)face;
    p->quiet -= QUIET_POLL;
    if (p->quiet <= 0)
        go_over_all(p);
    if (p->odd && !has_set(p) && !make_new_set(p))
        return -errno;
    int n = 0, told = p->odd ? tell_odd(p, fired, max) : 0;
    if (told < max)
        n = told ? harvest(p, 0, fired + told, max - told)
                 : wait_in_parts(p, timeout, fired, max);
    return n >= 0 ? told + n : n == -EINTR || told ? told : n;
}

static void release(coop_poller *face)
{
    struct by_epoll *p = (struct by_epoll *)face;
    if (has_set(p))
        close(p->set);
    free(p->fds);
    free(p);
}

int coop_poller_epoll(coop_poller **poller)
{
    struct by_epoll *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->face = (coop_poller){ "epoll", watch, poll_epoll, release };
    p->top = -1;
    p->quiet = QUIET;
    p->set = epoll_create1(EPOLL_CLOEXEC);
    if (p->set < 0) {
        int r = -errno;
        free(p);
        return r;
    }
    *poller = &p->face;
    return 0;
}

#endif
