/* unix.c - the real machine: clocks, random bytes, a poller, and what makes it return. */
#include "config.h"

#include "machine/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#ifdef HAVE_GETRANDOM
#include <sys/random.h>
#endif
#include <time.h>
#include <unistd.h>

/* Hosts refuse times that are too long for them: a day is not, and poll may be early. */
static const int64_t LONGEST = COOP_S(86400), IN_SHORT = COOP_MS(20);

enum { MOST_THREADS = 8 };

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t now(coop_machine *m)
{
    (void)m;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t wall(coop_machine *m)
{
    (void)m;
    return read_clock(CLOCK_REALTIME);
}

#ifdef HAVE_GETRANDOM
static ssize_t some_random(void *buf, size_t len)
{
    return getrandom(buf, len, 0);
}
#else
static ssize_t some_random(void *buf, size_t len)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, len);
    if (fd >= 0)
        close(fd);
    return n;
}
#endif

static int random_bytes(coop_machine *m, void *buf, size_t len)
{
    (void)m;
    while (len) {
        ssize_t n = some_random(buf, len);
        if (n == 0 || (n < 0 && errno != EINTR))
            return n < 0 && errno == EFAULT ? -EFAULT : -EIO;
        if (n > 0) {
            buf = (char *)buf + n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int coop_adopt(int fd, bool nonblocking)
{
    if (fd < 0)
        return -errno;
    int flags = nonblocking ? fcntl(fd, F_GETFL) : 0;
    if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0
        || (nonblocking && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)) {
        int r = -errno;
        close(fd);
        return r;
    }
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int));
#endif
    return fd;
}

static int watch(coop_machine *m, int fd, unsigned events)
{
    coop_poller *p = ((struct coop_host *)m)->poller;
    return p->watch(p, fd, events);
}

int coop_make_pipe(int ends[2])
{
#ifdef HAVE_PIPE2
    return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
#else
    if (pipe(ends) < 0)
        return -errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

int coop_host_can_wake(struct coop_host *h)
{
    if (h->wakeup[0] >= 0)
        return 0;
    struct stat st;
    int ends[2], r = coop_make_pipe(ends);
    if (r < 0)
        return r;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    r = fstat(ends[0], &st) < 0 ? -errno : watch(&h->face, ends[0], COOP_READ | COOP_ANEW);
    if (r < 0) {
        close(ends[0]);
        close(ends[1]);
        return r;
    }
    h->wakeup_device = st.st_dev;
    h->wakeup_inode = st.st_ino;
    h->wakeup[0] = ends[0];
    h->wakeup[1] = ends[1];
    return 0;
}

/* False: somebody closed it who did not know whose it is, and perhaps it is his now. */
static bool is_wakeup(const struct coop_host *h, int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == h->wakeup_device
        && st.st_ino == h->wakeup_inode;
}

/* A full pipe wakes as well as one more byte would. */
void coop_host_wake(struct coop_host *h)
{
    int error = errno, fd = h->wakeup[1];
    while (is_wakeup(h, fd) && write(fd, "", 1) < 0 && errno == EINTR)
        ;
    errno = error;
}

static void close_wakeup(struct coop_host *h)
{
    for (int i = 0; i < 2; i++) {
        int fd = h->wakeup[i];
        h->wakeup[i] = -1;
        if (is_wakeup(h, fd))
            close(fd);
    }
}

/* False: it is broken. */
static bool drain_wakeup(struct coop_host *h)
{
    char bytes[64];
    ssize_t n;
    if (!is_wakeup(h, h->wakeup[0]) || !is_wakeup(h, h->wakeup[1]))
        return false;
    do
        n = read(h->wakeup[0], bytes, sizeof bytes);
    while (n == (ssize_t)sizeof bytes);
    return n != 0;
}

/* Take the wake-up out of what fired: it is nobody's descriptor. What it was to wake for is
   looked at after this poll anyway, so a broken one can be made anew. */
static int without_wakeup(struct coop_host *h, coop_fired *fired, int n)
{
    int i = 0;
    while (i < n && fired[i].fd != h->wakeup[0])
        i++;
    if (i == n)
        return n;
    if (fired[i].events & COOP_BAD || !drain_wakeup(h)) {
        watch(&h->face, h->wakeup[0], 0);
        close_wakeup(h);
        coop_host_can_wake(h);
    }
    memmove(fired + i, fired + i + 1, (size_t)(n - i - 1) * sizeof *fired);
    return n - 1;
}

static int heed(coop_machine *m, bool on)
{
    struct coop_host *h = (struct coop_host *)m;
    int r = on ? coop_host_can_wake(h) : 0;
    if (r == 0)
        h->heeds = on;
    return r;
}

static void rouse(coop_machine *m)
{
    coop_host_wake((struct coop_host *)m);
}

static void give_way(coop_machine *m)
{
    (void)m;
    sched_yield();
}

/* As long as there is no wake-up to be had, those who would use it are looked at now and then. */
static int64_t patience(struct coop_host *h, int64_t timeout)
{
    if ((h->pool || h->wanted || h->heeds) && coop_host_can_wake(h) < 0)
        return timeout < 0 || timeout > IN_SHORT ? IN_SHORT : timeout;
    return timeout < LONGEST ? timeout : LONGEST;
}

static int poll_poller(coop_machine *m, int64_t timeout, coop_fired *fired, int max)
{
    struct coop_host *h = (struct coop_host *)m;
    coop_poller *p = h->poller;
    int n = p->poll(p, patience(h, timeout), fired, max);
    return n > 0 && h->wakeup[0] >= 0 ? without_wakeup(h, fired, n) : n;
}

static void release(coop_machine *m)
{
    struct coop_host *h = (struct coop_host *)m;
    coop_host_end_threads(h);
    coop_host_end_signals(h);
    close_wakeup(h);
    h->poller->free(h->poller);
    free(h);
}

static const struct {
    const char *name;
    int (*open)(coop_poller **);
} pollers[] = {
    { "auto", coop_poller_auto },
    { "select", coop_poller_select },
    { "poll", coop_poller_poll },
#ifdef HAVE_EPOLL_CREATE1
    { "epoll", coop_poller_epoll },
#endif
};

int coop_open_unix(const char *poller, unsigned threads, coop_machine **machine)
{
    size_t i = 0, count = sizeof pollers / sizeof *pollers;
    while (poller && i < count && strcmp(poller, pollers[i].name))
        i++;
    if (i == count)
        return -EINVAL;
    struct coop_host *h = calloc(1, sizeof *h);
    if (!h)
        return -ENOMEM;
    h->face = (coop_machine){ .name = "unix", .free = release, .now = now, .wall = wall,
                              .random = random_bytes, .watch = watch, .poll = poll_poller,
                              .heed = heed, .rouse = rouse, .give_way = give_way };
    h->threads = threads ? threads : MOST_THREADS;
    h->wakeup[0] = h->wakeup[1] = -1;
    coop_host_sockets(&h->face);
    coop_host_files(&h->face);
    coop_host_threads(&h->face);
    coop_host_guard(&h->face);
    coop_host_signals(&h->face);
    coop_host_children(&h->face);
    int r = pollers[i].open(&h->poller);
    if (r < 0)
        free(h);
    else
        *machine = &h->face;
    return r;
}

coop_machine *coop_unix(const char *poller)
{
    coop_machine *machine = NULL;
    coop_open_unix(poller, 0, &machine);
    return machine;
}
