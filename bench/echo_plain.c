/* echo_plain.c - the server that is written by hand, straight upon epoll. */
#include "config.h"

#include "bench/bench.h"
#include "bench/echo.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_EVENTS = 256 };

struct client {
    int fd;
    size_t len, sent;              /* what is in buf, and how much of it is gone */
    char buf[BUFFER];
};

static int set;
static int to_accept, alive;

static void watch(int op, struct client *c, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.ptr = c };
    bench_need(epoll_ctl(set, op, c->fd, &e) == 0, "epoll_ctl");
}

static void accept_all(struct client *listener)
{
    int fd;
    while (to_accept && (fd = accept4(listener->fd, NULL, NULL,
                                      SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *c = malloc(sizeof *c);
        bench_need(c, "malloc");
        c->fd = fd;
        c->len = c->sent = 0;
        watch(EPOLL_CTL_ADD, c, EPOLLIN);
        alive++;
        to_accept--;
    }
    if (!to_accept)
        close(listener->fd);
}

static void end(struct client *c)
{
    close(c->fd);
    free(c);
    alive--;
}

/* False: the connection is broken. */
static bool push(struct client *c)
{
    ssize_t n = send(c->fd, c->buf + c->sent, c->len - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        return false;
    c->sent += n > 0 ? (size_t)n : 0;
    return true;
}

static void serve(struct client *c)
{
    bool was_full = c->sent < c->len;
    if (!was_full) {
        ssize_t n = recv(c->fd, c->buf, sizeof c->buf, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            end(c);
            return;
        }
        c->len = (size_t)n;
        c->sent = 0;
    }
    if (!push(c)) {
        end(c);
        return;
    }
    bool is_full = c->sent < c->len;
    if (is_full != was_full)
        watch(EPOLL_CTL_MOD, c, is_full ? EPOLLOUT : EPOLLIN);
}

void echo_plain(int listener, int connections)
{
    struct epoll_event events[MOST_EVENTS];
    struct client door = { .fd = listener };
    set = epoll_create1(EPOLL_CLOEXEC);
    bench_need(set >= 0, "epoll_create1");
    to_accept = connections;
    watch(EPOLL_CTL_ADD, &door, EPOLLIN);
    while (to_accept || alive) {
        int n = epoll_wait(set, events, MOST_EVENTS, -1);
        bench_need(n >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr == &door)
                accept_all(&door);
            else
                serve(events[i].data.ptr);
    }
    close(set);
}
