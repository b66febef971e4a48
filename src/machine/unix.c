/* unix.c - the real machine: POSIX clock and sockets, and a poller. */
#include "config.h"

#include "machine/machine.h"
#include "machine/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0             /* where it is missing SO_NOSIGPIPE does it */
#endif

/* Hosts refuse times that are too long for them: a day is not, and poll may be early. */
static const int64_t LONGEST = COOP_S(86400);

struct unix_machine {
    coop_machine face;
    coop_poller *poller;
};

static int64_t now(coop_machine *m)
{
    struct timespec t;
    (void)m;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int watch(coop_machine *m, int fd, unsigned events)
{
    coop_poller *p = ((struct unix_machine *)m)->poller;
    return p->watch(p, fd, events);
}

static int poll_poller(coop_machine *m, int64_t timeout, coop_fired *fired, int max)
{
    coop_poller *p = ((struct unix_machine *)m)->poller;
    return p->poll(p, timeout < LONGEST ? timeout : LONGEST, fired, max);
}

/* What is no socket, the terminal perhaps, stays as it is. */
static int prepare(int fd)
{
    int type, flags = fcntl(fd, F_GETFL);
    socklen_t size = sizeof type;
    if (flags < 0)
        return -errno;
    if (!(flags & O_NONBLOCK) && (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0
                                  || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
        return -errno;
    return 0;
}

/* A descriptor made by the host call that just gave fd: non-blocking and close-on-exec, or
   closed and an error. */
static int adopt(int fd)
{
    int on = 1, r;
    (void)on;
    if (fd < 0)
        return -errno;
    r = prepare(fd);
    if (r == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        r = -errno;
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    if (r < 0)
        close(fd);
    return r < 0 ? r : fd;
}

static int listen_socket(coop_machine *m, const char *host, const char *port, int backlog)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *at;
    int on = 1;
    (void)m;
    int r = getaddrinfo(*host ? host : NULL, port, &hints, &at);
    if (r)
        return r == EAI_MEMORY ? -ENOMEM : r == EAI_SYSTEM ? -errno : -EINVAL;
    int fd = adopt(socket(at->ai_family, at->ai_socktype, at->ai_protocol));
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, at->ai_addr, at->ai_addrlen) < 0
            || listen(fd, backlog ? backlog : SOMAXCONN) < 0) {
            r = -errno;
            close(fd);
            fd = r;
        }
    }
    freeaddrinfo(at);
    return fd;
}

/* Connections that broke while they were queued are passed over. A listener that was made
   elsewhere may block, and must not. */
static int accept_socket(coop_machine *m, int listener)
{
    int fd, r = prepare(listener);
    (void)m;
    if (r < 0)
        return r;
    do {
#ifdef HAVE_ACCEPT4
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return fd < 0 ? -errno : fd;
#else
        fd = accept(listener, NULL, NULL);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return adopt(fd);
#endif
}

static int address(coop_machine *m, int fd, bool peer, char *text, size_t size)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    (void)m;
    int r = peer ? getpeername(fd, (struct sockaddr *)&at, &len)
                 : getsockname(fd, (struct sockaddr *)&at, &len);
    if (r < 0)
        return -errno;
    if (getnameinfo((struct sockaddr *)&at, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return -EINVAL;
    snprintf(text, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    return 0;
}

static coop_value recv_socket(coop_machine *m, int fd, void *buf, size_t len)
{
    ssize_t n;
    (void)m;
    do
        n = recv(fd, buf, len, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static coop_value send_socket(coop_machine *m, int fd, const void *buf, size_t len)
{
    ssize_t n;
    (void)m;
    do
        n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* EINTR from close: the descriptor is gone on Linux, so it is not tried again. */
static int close_fd(coop_machine *m, int fd)
{
    (void)m;
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static void release(coop_machine *m)
{
    struct unix_machine *u = (struct unix_machine *)m;
    u->poller->free(u->poller);
    free(u);
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

int coop_open_unix(const char *poller, coop_machine **machine)
{
    size_t i = 0, count = sizeof pollers / sizeof *pollers;
    while (poller && i < count && strcmp(poller, pollers[i].name))
        i++;
    if (i == count)
        return -EINVAL;
    struct unix_machine *u = malloc(sizeof *u);
    if (!u)
        return -ENOMEM;
    u->face = (coop_machine){ "unix", now, watch, poll_poller, listen_socket, accept_socket,
                              address, recv_socket, send_socket, close_fd, release };
    int r = pollers[i].open(&u->poller);
    if (r < 0)
        free(u);
    else
        *machine = &u->face;
    return r;
}

coop_machine *coop_unix(const char *poller)
{
    coop_machine *machine = NULL;
    coop_open_unix(poller, &machine);
    return machine;
}
