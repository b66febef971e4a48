/* load.c - the load of an echo server. */
#include "config.h"

#include "bench/bench.h"
#include "bench/echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* So many connections come from one address, for there are ports for so many. */
enum { EACH_ADDRESS = 8000, MOST_EVENTS = 256 };

struct connection {
    int fd;
    size_t got;                    /* of the answer */
    int64_t sent;                  /* when */
    char message[MESSAGE], answer[MESSAGE];
};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Counts of times by size: 64 parts of each power of two. */
enum { PARTS = 64, POWERS = 40 };
static long counts[POWERS * PARTS];

static void note(int64_t ns)
{
    int power = 0;
    while (ns >> power >= 2 * PARTS && power < POWERS - 2)
        power++;
    counts[power * PARTS + (ns >> power)]++;
}

/* The time in us that a part of all stayed below. */
static double quantile(double part, long all)
{
    long below = 0;
    for (int i = 0; i < POWERS * PARTS; i++) {
        below += counts[i];
        if ((double)below >= part * (double)all) {
            int power = i < 2 * PARTS ? 0 : i / PARTS - 1;
            return (double)((int64_t)(i - power * PARTS + 1) << power) / 1e3;
        }
    }
    return 0;
}

static void reach_stage(int stages)
{
    char c = 0;
    bench_need(write(stages, &c, 1) == 1 && read(stages, &c, 1) == 1, "the trial");
}

static void ask(struct connection *c)
{
    uint32_t n;
    memcpy(&n, c->message, sizeof n);
    n++;
    memcpy(c->message, &n, sizeof n);
    c->got = 0;
    bench_need(send(c->fd, c->message, MESSAGE, MSG_NOSIGNAL) == MESSAGE, "send");
}

/* False: not all of the answer is there. */
static bool answered(struct connection *c)
{
    ssize_t n = recv(c->fd, c->answer + c->got, MESSAGE - c->got, 0);
    bench_need(n > 0 || (n < 0 && errno == EAGAIN), "recv");
    c->got += n > 0 ? (size_t)n : 0;
    if (c->got < MESSAGE)
        return false;
    bench_need(memcmp(c->answer, c->message, MESSAGE) == 0, "the echo");
    return true;
}

static void dial(struct connection *c, int number, int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in from = { .sin_family = AF_INET };
    int yes = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number / EACH_ADDRESS));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_need(c->fd >= 0, "socket");
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    bench_need(bind(c->fd, (struct sockaddr *)&from, sizeof from) == 0, "bind");
    bench_need(connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
    snprintf(c->message, MESSAGE, "xxxx connection %d", number);
    ask(c);
    while (!answered(c))
        ;
    bench_need(fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
}

static void measure(const load *l, struct connection *all, int set, load_result *result)
{
    struct epoll_event events[MOST_EVENTS];
    int64_t start = now(), t = start, end = start + (int64_t)(l->seconds * 1e9);
    long asked = 0, answers = 0;
    for (int i = 0; i < l->active; i++, asked++) {
        all[i].sent = t;
        ask(&all[i]);
    }
    while (answers < asked) {
        int n = epoll_wait(set, events, MOST_EVENTS, l->spin ? 0 : -1);
        bench_need(n >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < n; i++) {
            struct connection *c = &all[events[i].data.u32];
            if (!answered(c))
                continue;
            t = now();
            note(t - c->sent);
            answers++;
            if (l->requests ? asked < l->requests : t < end) {
                c->sent = t;
                ask(c);
                asked++;
            }
        }
    }
    result->requests = answers;
    result->ns = t - start;
    result->p50 = quantile(0.50, answers);
    result->p99 = quantile(0.99, answers);
}

void load_run(const load *l, int port, int stages, load_result *result)
{
    struct connection *all = calloc((size_t)l->connections, sizeof *all);
    int set = epoll_create1(EPOLL_CLOEXEC);
    bench_need(all && set >= 0, "calloc");
    for (int i = 0; i < l->connections; i++) {
        dial(&all[i], i, port);
        struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u32 = (uint32_t)i };
        bench_need(epoll_ctl(set, EPOLL_CTL_ADD, all[i].fd, &e) == 0, "epoll_ctl");
        if (i == 0)
            reach_stage(stages);
    }
    reach_stage(stages);
    measure(l, all, set, result);
    reach_stage(stages);
    for (int i = 0; i < l->connections; i++)
        close(all[i].fd);
    close(set);
    free(all);
}
