#include "outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct outside outside;
static int (*real_poll)(coop_machine *, int64_t, coop_fired *, int);
static int open_before;
static coop_observer describer;

void need(bool well, const char *what)
{
    if (well)
        return;
    perror(what);
    abort();
}

bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int open_now(void)
{
    int n = 0;
    for (int fd = 0; fd < 4096; fd++)
        n += is_open(fd);
    return n;
}

static int counted_poll(coop_machine *m, int64_t timeout, coop_fired *fired, int max)
{
    outside.polls++;
    outside.glances += timeout == 0;
    if (outside.fails)
        return outside.fails;
    if (outside.lie_about < 0)
        return real_poll(m, timeout, fired, max);
    fired[0] = (coop_fired){ outside.lie_about, COOP_READ | COOP_WRITE };
    outside.lie_about = -1;
    return 1;
}

static void describe(coop_observer *o, const coop_event *e)
{
    char line[1024];
    coop_text text = { .data = line, .size = sizeof line };
    (void)o;
    coop_event_text(e, &text);
    CU_ASSERT(!text.cut);
}

const char *const outside_pollers[POLLERS] = { "select", "poll", "epoll", "auto" };

bool outside_has(const char *poller)
{
    coop_machine *m = coop_unix(poller);
    if (m)
        m->free(m);
    return m;
}

void outside_open_with(coop_options options)
{
    open_before = open_now();
    coop_machine *m = coop_unix(options.poller ? options.poller : getenv("COOP_POLLER"));
    need(m, "coop_unix");
    real_poll = m->poll;
    m->poll = counted_poll;
    outside = (struct outside){ .lie_about = -1 };
    options.machine = m;
    world_open_with(options);
    describer = (coop_observer){ .event = describe };
    IS(coop_observe(&describer), 0);
}

void outside_open(void)
{
    outside_open_with((coop_options){ 0 });
}

void outside_close(void)
{
    IS(coop_this->living, 0);
    IS(coop_this->outside, 0);
    CU_ASSERT(outside_watched() <= 0);
    IS(coop_sched_close(), 0);
    IS(open_now(), open_before);
}

coop_define(settle)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_trap(coop_void, Yield);
    coop_end;
}

bool outside_is_by(const char *poller)
{
    const char *asked = getenv("COOP_POLLER");
    return !strcmp(asked ? asked : "auto", poller);
}

coop_define(notice)
{
    coop_begin;
    coop_await(coop_void, settle);
    coop_await(coop_void, settle);
    while (outside_is_by("epoll") && outside_watched() > my->left)
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    coop_await(coop_void, settle);
    IS(outside_watched(), my->left);
    coop_end;
}

coop_define(attempt)
{
    coop_begin;
    if (my->kind == READ_WAIT)
        coop_trap(my->r, ReadWait, .fd = my->fd);
    else if (my->kind == WRITE_WAIT)
        coop_trap(my->r, WriteWait, .fd = my->fd);
    else if (my->kind == RECV)
        coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = my->len);
    else if (my->kind == SEND)
        coop_trap(my->r, Send, .fd = my->fd, .buf = my->buf, .len = my->len);
    else
        coop_trap(my->r, Accept, .fd = my->fd);
    coop_return(my->r);
    coop_end;
}

coop_define(waiter)
{
    coop_begin;
    coop_await(my->r, attempt, .kind = my->kind, .fd = my->fd, .buf = my->buf,
               .len = sizeof my->buf);
    if (my->kind == ACCEPT && my->r >= 0) {
        close((int)my->r);
        my->r = 0;
    }
    say("%s=%td", my->name, my->r);
    coop_end;
}

const char *outside_call(coop_tid tid)
{
    static char line[200];
    coop_text text = { .data = line, .size = sizeof line };
    coop_info info;
    line[0] = '\0';
    if (coop_inspect(tid, &info) == 0)
        coop_call_text(info.call, NULL, &text);
    return line;
}

void waits_in(coop_tid tid, enum kind kind)
{
    static const char *const names[] = {
        "ReadWait(", "WriteWait(", "Recv(", "Send(", "Accept("
    };
    CU_ASSERT_NSTRING_EQUAL(outside_call(tid), names[kind], strlen(names[kind]));
}

int outside_watched(void)
{
    int watched = -1;
    if (coop_this->poller)
        sscanf(outside_call(coop_this->poller->tid), "Poll(%d descriptor", &watched);
    return watched;
}

static void unblock(int fd)
{
    need(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
}

void pair(int fds[2])
{
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
    unblock(fds[0]);
    unblock(fds[1]);
}

void close_pair(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static struct sockaddr_in address_of(int fd)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    need(getsockname(fd, (struct sockaddr *)&at, &size) == 0, "getsockname");
    return at;
}

int listener(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0
         && listen(fd, 64) == 0, "listen");
    return fd;
}

int connect_to(int listener)
{
    struct sockaddr_in at = address_of(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0, "connect");
    unblock(fd);
    return fd;
}

int connection(int *client)
{
    int l = listener();
    *client = connect_to(l);
    int fd = accept(l, NULL, NULL);
    need(fd >= 0, "accept");
    unblock(fd);
    close(l);
    return fd;
}

int port_of(int fd)
{
    return ntohs(address_of(fd).sin_port);
}

void reset(int fd)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    need(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0, "SO_LINGER");
    close(fd);
}

void fill(int fd)
{
    static const char bytes[4096];
    while (write(fd, bytes, sizeof bytes) > 0)
        ;
    need(errno == EAGAIN, "write");
}

size_t drain(int fd)
{
    char bytes[4096];
    size_t sum = 0;
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        sum += (size_t)n;
    need(n == 0 || errno == EAGAIN, "read");
    return sum;
}

bool may_open(rlim_t fds)
{
    struct rlimit limit = { 0 };
    need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    if (limit.rlim_cur < fds && limit.rlim_max >= fds) {
        limit.rlim_cur = fds;
        need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    }
    if (limit.rlim_cur < fds)
        printf("(skipped: ulimit -n is less than %d) ", (int)fds);
    return limit.rlim_cur >= fds;
}

int moved(int fd, int to)
{
    need(dup2(fd, to) == to, "dup2");
    close(fd);
    return to;
}

static struct rlimit limit_before;

void allow_no_more_descriptors(void)
{
    struct rlimit limit = { 0 };
    int lowest = dup(0);
    need(lowest >= 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    close(lowest);
    limit_before = limit;
    limit.rlim_cur = (rlim_t)lowest;
    need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

void allow_descriptors_again(void)
{
    need(setrlimit(RLIMIT_NOFILE, &limit_before) == 0, "setrlimit");
}

const char *local_address(const char *name)
{
    static char text[80];
    snprintf(text, sizeof text, "unix://@%s-%ld", name, (long)getpid());
    return text;
}
