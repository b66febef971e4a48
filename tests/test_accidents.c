/* Accidents around a server: descriptors closed under those who wait and used again at
   once, connections that break in the host's queue, a full disk, a child that is killed,
   signals in bursts. */
#include "bothends.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Closed under a waiter, and used again ---- */

/* A file that is not empty, for SendFile. */
static int some_file(void)
{
    char name[] = "/tmp/coop-accidents.XXXXXX";
    int fd = mkstemp(name);
    need(fd >= 0 && unlink(name) == 0 && write(fd, name, sizeof name) > 0, "mkstemp");
    return fd;
}

/* Each of the calls that wait, on a descriptor on which it has to. */
enum call { BY_RECV, BY_SEND, BY_RECVFROM, BY_SENDTO, BY_SENDFILE, BY_READ, BY_WRITE,
            BY_READ_WAIT, BY_WRITE_WAIT, BY_ACCEPT, BY_CONNECT, CALLS };

static bool wants_room(enum call call)
{
    return call == BY_SEND || call == BY_SENDTO || call == BY_SENDFILE || call == BY_WRITE
        || call == BY_WRITE_WAIT;
}

coop_routine(waits, enum call call; int fd, file; const char *at; coop_value r;
             char buf[8];)
{
    coop_begin;
    if (my->call == BY_RECV)
        coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = 8);
    else if (my->call == BY_SEND)
        coop_trap(my->r, Send, .fd = my->fd, .buf = my->buf, .len = 8);
    else if (my->call == BY_RECVFROM)
        coop_trap(my->r, RecvFrom, .fd = my->fd, .buf = my->buf, .len = 8);
    else if (my->call == BY_SENDTO)
        coop_trap(my->r, SendTo, .fd = my->fd, .buf = my->buf, .len = 8,
                  .to = "127.0.0.1:9");
    else if (my->call == BY_SENDFILE)
        coop_trap(my->r, SendFile, .fd = my->fd, .file = my->file, .len = 8);
    else if (my->call == BY_READ)
        coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = 8);
    else if (my->call == BY_WRITE)
        coop_trap(my->r, Write, .fd = my->fd, .buf = my->buf, .len = 8);
    else if (my->call == BY_READ_WAIT)
        coop_trap(my->r, ReadWait, .fd = my->fd);
    else if (my->call == BY_WRITE_WAIT)
        coop_trap(my->r, WriteWait, .fd = my->fd);
    else if (my->call == BY_ACCEPT)
        coop_trap(my->r, Accept, .fd = my->fd);
    else
        coop_trap(my->r, Connect, .address = my->at);
    if (my->call == BY_CONNECT && my->r >= 0)
        close((int)my->r);
    say("%s", result(my->r));
    coop_end;
}

static coop_value no_room(coop_machine *m, int fd, const void *buf, size_t len,
                          const coop_spot *to)
{
    (void)m, (void)fd, (void)buf, (void)len, (void)to;
    return -EAGAIN;
}

/* The number that the next descriptor gets. */
static int lowest(void)
{
    int fd = dup(0);
    need(fd >= 0, "dup");
    close(fd);
    return fd;
}

/* In one slice the descriptor is closed, its number used again, and somebody waits on that.
   ours: it is one that the kernel opened. */
coop_routine(closed_under, enum call call; int ends[2], again[2], fd, file, lower;
             bool ours; coop_tid old, new; coop_value r;)
{
    coop_begin;
    my->file = some_file();
    if (my->call == BY_ACCEPT)
        coop_trap(my->ends[0], Listen, .address = "tcp://127.0.0.1:0");
    else if (my->ours)
        coop_await(coop_void, both_ends, .here = &my->ends[0], .there = &my->ends[1]);
    else
        pair(my->ends);
    coop_this->machine->sendto = no_room;
    if (wants_room(my->call))
        fill(my->ends[0]);
    my->fd = my->ends[0];
    my->old = coop_spawn(waits, .call = my->call, .fd = my->fd, .file = my->file);
    coop_await(coop_void, settle);
    IS(outside_watched(), 1);
    my->lower = lowest() < my->fd ? dup(0) : -1;
    coop_trap(my->r, Close, .fd = my->fd);
    IS(my->r, 0);
    pair(my->again);
    IS(my->again[0], my->fd);
    my->new = coop_spawn(waits, .call = BY_RECV, .fd = my->again[0]);
    coop_await(coop_void, settle);
    LOG_IS("EBADF");
    IS(outside_watched(), 1);
    IS(write(my->again[1], "new", 3), 3);
    coop_await(coop_void, settle);
    LOG_IS("3");
    coop_trap(coop_void, Close, .fd = my->again[0]);
    close(my->again[1]);
    if (my->call != BY_ACCEPT)
        coop_trap(coop_void, Close, .fd = my->ends[1]);
    if (my->lower >= 0)
        close(my->lower);
    close(my->file);
    coop_end;
}

static void F6_rule_13_closed_and_used_again_under_each_call(void)
{
    for (enum call call = 0; call < BY_CONNECT; call++) {
        OUTSIDE(0, closed_under, .call = call);
        OUTSIDE(0, closed_under, .call = call, .ours = true);
    }
}

/* The queue of the listener is full, so some have to wait. */
enum { CALLERS = 8 };

coop_routine(closed_under_connect, int listener, i, fd, waiting; coop_tid tids[CALLERS];
             coop_value r; coop_info info; char at[64];)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = "tcp://127.0.0.1:0", .bound = my->at,
              .bound_size = sizeof my->at, .backlog = 1);
    for (my->i = 0; my->i < CALLERS; my->i++)
        my->tids[my->i] = coop_spawn(waits, .call = BY_CONNECT, .at = my->at);
    coop_await(coop_void, settle);
    clear_log();
    for (my->i = 0; my->i < CALLERS; my->i++) {
        if (coop_inspect(my->tids[my->i], &my->info) < 0)
            continue;
        my->waiting++;
        my->fd = ((const struct coop_Connect *)my->info.call)->fd;
        coop_trap(my->r, Close, .fd = my->fd);
        IS(my->r, 0);
        coop_trap(coop_void, WaitTask, .tid = my->tids[my->i]);
        LOG_IS("EBADF");
        CU_ASSERT(!is_open(my->fd));
    }
    CU_ASSERT(my->waiting > 0);
    IS(outside_watched(), 0);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

static void rule_13_closed_under_connect(void)
{
    OUTSIDE(0, closed_under_connect);
}

/* ---- A server that greets ---- */

coop_routine(greets, int fd;)
{
    coop_begin;
    coop_trap(coop_void, Send, .fd = my->fd, .buf = "hello", .len = 5);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

static coop_coroutine *let_in(int fd, const char *peer, void *arg)
{
    (void)peer, (void)arg;
    return coop_create(greets, .fd = fd);
}

coop_routine(is_greeted, const char *at; int fd; coop_value r; char buf[8];)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = my->at);
    coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = 8);
    IS(my->r, 5);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

/* ---- A connection that broke in the host's queue ---- */

#ifdef HAVE_ACCEPT4
static int accept_error, accept_errors;
int __real_accept4(int fd, struct sockaddr *at, socklen_t *size, int flags);

int __wrap_accept4(int fd, struct sockaddr *at, socklen_t *size, int flags)
{
    if (accept_errors > 0) {
        accept_errors--;
        errno = accept_error;
        return -1;
    }
    return __real_accept4(fd, at, size, flags);
}

coop_routine(broken_in_queue, int listener, i; coop_tid server; coop_value r; char at[64];)
{
    static const int errors[] = {
        EINTR, ECONNABORTED, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETDOWN,
        ENETUNREACH
    };
    coop_begin;
    coop_await(my->listener, coop_listen, .address = "tcp://127.0.0.1:0", .bound = my->at,
               .bound_size = sizeof my->at);
    coop_trap(my->server, NewTask,
              .target = coop_create(coop_serve, .fd = my->listener, .client = let_in,
                                    .grace = -1));
    for (my->i = 0; my->i < (int)(sizeof errors / sizeof *errors); my->i++) {
        accept_error = errors[my->i];
        accept_errors = 3;
        coop_await(coop_void, is_greeted, .at = my->at);
        IS(accept_errors, 0);
    }
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(my->r, WaitTask, .tid = my->server);
    IS(my->r, 0);
    coop_end;
}

static void connections_that_broke_in_the_queue_are_passed_over(void)
{
    OUTSIDE(0, broken_in_queue);
}
#endif

/* ---- A short read that hides something ---- */

/* One byte, and with it a descriptor. */
static void send_with_descriptor(int fd, char byte)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS } };
    struct msghdr message = {
        .msg_iov = &(struct iovec){ &byte, 1 }, .msg_iovlen = 1,
        .msg_control = &control, .msg_controllen = sizeof control.room
    };
    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    need(sendmsg(fd, &message, 0) == 1, "sendmsg");
}

static int blocks;                 /* calls of tasks that had to wait */

static void count_blocks(coop_observer *o, const coop_event *e)
{
    (void)o;
    blocks += e->kind == COOP_BLOCK && !e->system;
}

/* The host gives what came with a descriptor alone, though there is more. */
coop_routine(hidden, int fd, other; coop_tid tid; coop_value r; char buf[8];)
{
    coop_begin;
    my->tid = coop_spawn(waits, .call = BY_RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    send_with_descriptor(my->other, 'a');
    send_with_descriptor(my->other, 'b');
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    LOG_IS("1");
    blocks = 0;
    coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = 8);
    IS(my->r, 1);
    IS(my->buf[0], 'b');
    IS(blocks, 0);
    coop_end;
}

coop_routine(hidden_both_ways, int listener, client, fd;)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = local_address("coop-accidents"));
    CU_ASSERT_FATAL(my->listener >= 0);
    coop_trap(my->client, Connect, .address = local_address("coop-accidents"));
    coop_trap(my->fd, Accept, .fd = my->listener);
    coop_await(coop_void, hidden, .fd = my->fd, .other = my->client);
    coop_await(coop_void, hidden, .fd = my->client, .other = my->fd);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_trap(coop_void, Close, .fd = my->client);
    coop_end;
}

static void a_descriptor_that_is_passed_hides_nothing(void)
{
    static const char *const pollers[] = { "select", "poll", "epoll" };
    for (int i = 0; i < 3; i++) {
        coop_machine *m = coop_unix(pollers[i]);
        if (!m)
            continue;
        m->free(m);
        outside_open_with((coop_options){ .poller = pollers[i] });
        coop_observer observer = { .event = count_blocks };
        IS(coop_observe(&observer), 0);
        IS(coop_main(hidden_both_ways), 0);
        IS(coop_unobserve(&observer), 0);
        outside_close();
    }
}

/* ---- A full disk ---- */

/* Writes down what the others say; lines that cannot be written are counted. */
coop_routine(writes_log, int fd, lost; coop_stream *s; coop_value r; int i;)
{
    coop_begin;
    coop_trap(my->fd, Open, .path = "/dev/full", .flags = O_WRONLY);
    CU_ASSERT_FATAL(my->fd >= 0);
    for (my->i = 0; my->i < 5; my->i++) {
        my->s = coop_stream_open(my->fd, 0);
        IS(coop_stream_print(my->s, "line %d\n", my->i), 7);
        coop_await(my->r, coop_drain, .stream = my->s);
        IS(my->r, -ENOSPC);
        my->lost++;
        coop_stream_free(my->s);
        coop_trap(my->r, Write, .fd = my->fd, .buf = "line\n", .len = 5);
        IS(my->r, -ENOSPC);
        coop_trap(coop_void, Yield);
    }
    coop_trap(coop_void, Close, .fd = my->fd);
    say("lost=%d", my->lost);
    coop_end;
}

coop_routine(served_meanwhile, int listener, i; coop_tid server, logger; coop_value r;
             char at[64];)
{
    coop_begin;
    coop_await(my->listener, coop_listen, .address = "tcp://127.0.0.1:0", .bound = my->at,
               .bound_size = sizeof my->at);
    coop_trap(my->server, NewTask,
              .target = coop_create(coop_serve, .fd = my->listener, .client = let_in,
                                    .grace = -1));
    my->logger = coop_spawn(writes_log);
    for (my->i = 0; my->i < 5; my->i++)
        coop_await(coop_void, is_greeted, .at = my->at);
    coop_trap(coop_void, WaitTask, .tid = my->logger);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(my->r, WaitTask, .tid = my->server);
    IS(my->r, 0);
    LOG_IS("lost=5");
    coop_end;
}

static void a_full_disk_costs_the_log_alone(void)
{
    if (access("/dev/full", W_OK) == 0)
        OUTSIDE(0, served_meanwhile);
}

/* ---- A child that is killed in the middle of its output ---- */

coop_routine(cut_off, int pid, pipes[3], signal; size_t got; coop_value r; char buf[5000];)
{
    static const char *const argv[] = { "yes", NULL };
    coop_begin;
    coop_trap(my->pid, Spawn, .argv = argv, .out = COOP_PIPED, .pipes = my->pipes);
    CU_ASSERT_FATAL(my->pid > 0);
    do {
        coop_trap(my->r, Read, .fd = my->pipes[1], .buf = my->buf, .len = sizeof my->buf);
        CU_ASSERT_FATAL(my->r > 0);
        my->got += (size_t)my->r;
    } while (my->got < 100000);
    coop_trap(my->r, ChildKill, .pid = my->pid, .signal = SIGKILL);
    IS(my->r, 0);
    do
        coop_trap(my->r, Read, .fd = my->pipes[1], .buf = my->buf, .len = sizeof my->buf);
    while (my->r > 0);
    IS(my->r, 0);
    coop_trap(my->r, ChildWait, .pid = my->pid, .signal = &my->signal);
    IS(my->r, 128 + SIGKILL);
    IS(my->signal, SIGKILL);
    coop_trap(coop_void, Close, .fd = my->pipes[1]);
    coop_end;
}

/* It reads no more, and what is written for it is lost. */
coop_routine(cut_off_reader, int pid, pipes[3]; coop_value r; char buf[5000];)
{
    static const char *const argv[] = { "sleep", "100", NULL };
    coop_begin;
    coop_trap(my->pid, Spawn, .argv = argv, .in = COOP_PIPED, .pipes = my->pipes);
    CU_ASSERT_FATAL(my->pid > 0);
    coop_trap(my->r, ChildKill, .pid = my->pid, .signal = SIGKILL);
    do
        coop_trap(my->r, Write, .fd = my->pipes[0], .buf = my->buf, .len = sizeof my->buf);
    while (my->r > 0);
    IS(my->r, -EPIPE);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 128 + SIGKILL);
    coop_trap(coop_void, Close, .fd = my->pipes[0]);
    coop_end;
}

static void a_child_is_killed_in_the_middle(void)
{
    OUTSIDE(0, cut_off);
    OUTSIDE(0, cut_off_reader);
}

/* ---- Signals in bursts ---- */

enum { BUSY = 100, ROUNDS = 20, BURST = 50 };

struct traffic {
    int running, caught, bursts;
};

coop_routine(answers, int fd; coop_value r; char buf[64];)
{
    coop_begin;
    do {
        coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        if (my->r > 0)
            coop_trap(my->r, Send, .fd = my->fd, .buf = my->buf, .len = (size_t)my->r);
    } while (my->r > 0);
    IS(my->r, 0);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(converses, int fd; struct traffic *traffic; int i; coop_value r; char buf[64];)
{
    coop_begin;
    for (my->i = 0; my->i < ROUNDS; my->i++) {
        memset(my->buf, my->i, sizeof my->buf);
        coop_trap(my->r, Send, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        IS(my->r, sizeof my->buf);
        coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        IS(my->r, sizeof my->buf);
        IS(my->buf[63], my->i);
    }
    my->traffic->running--;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(catches, int number; struct traffic *traffic; coop_value r;)
{
    coop_begin;
    while (my->traffic->running) {
        coop_trap(my->r, SignalWait, .signals = COOP_SIGNAL(my->number));
        IS(my->r, my->number);
        my->traffic->caught++;
    }
    coop_end;
}

coop_routine(bursts, struct traffic *traffic;)
{
    coop_begin;
    do {
        for (int i = 0; i < BURST; i++)
            raise(i % 2 ? SIGUSR1 : SIGUSR2);
        my->traffic->bursts++;
        coop_trap(coop_void, Yield);
    } while (my->traffic->running);
    coop_await(coop_void, settle);
    raise(SIGUSR1);
    raise(SIGUSR2);
    coop_end;
}

coop_routine(busy, struct traffic traffic; int i, fds[2];)
{
    coop_begin;
    my->traffic.running = BUSY;
    coop_spawn(catches, .number = SIGUSR1, .traffic = &my->traffic);
    coop_spawn(catches, .number = SIGUSR2, .traffic = &my->traffic);
    coop_await(coop_void, settle);
    for (my->i = 0; my->i < BUSY; my->i++) {
        pair(my->fds);
        coop_spawn(answers, .fd = my->fds[0]);
        coop_spawn(converses, .fd = my->fds[1], .traffic = &my->traffic);
    }
    coop_spawn(bursts, .traffic = &my->traffic);
    while (my->traffic.running)
        coop_trap(coop_void, Sleep, .ns = COOP_US(100));
    coop_await(coop_void, settle);
    CU_ASSERT(my->traffic.bursts > 0 && my->traffic.caught >= 2);
    coop_await(coop_void, settle);
    coop_await(coop_void, settle);
    coop_end;
}

static void signals_in_bursts_among_busy_connections(void)
{
    OUTSIDE(0, busy);
}

/* ---- Poll fails for good ---- */

enum { LEFT = 200 };
static sem_t may_end;
static int cleaned;

/* Writes to what it was given when the scheduler has begun to close. */
static coop_value slow_job(void *arg)
{
    while (sem_wait(&may_end) < 0)
        ;
    *(int *)arg = 1;
    return 0;
}

coop_routine(works, int done;)
{
    coop_begin;
    coop_trap(coop_void, Work, .run = slow_job, .arg = &my->done);
    coop_end;
}

coop_routine(stays, int fds[2]; char byte;)
{
    coop_begin;
    pair(my->fds);
    coop_trap(coop_void, Recv, .fd = my->fds[0], .buf = &my->byte, .len = 1);
    coop_finally;
    if (++cleaned == 1)
        sem_post(&may_end);
    coop_trap(coop_void, Close, .fd = my->fds[0]);
    coop_trap(coop_void, Close, .fd = my->fds[1]);
    coop_end;
}

coop_routine(poll_fails, int unused;)
{
    coop_begin;
    coop_await(coop_void, settle);
    outside.fails = -ENOMEM;
    coop_end;
}

static void cleanup_goes_on_though_poll_fails(void)
{
    if (!may_open(2 * LEFT + 100))
        return;
    cleaned = 0;
    need(sem_init(&may_end, 0, 0) == 0, "sem_init");
    int before = lowest();
    outside_open();
    coop_spawn(works);
    for (int i = 0; i < LEFT; i++)
        coop_spawn(stays);
    IS(coop_main(poll_fails), -ENOMEM);
    IS(coop_sched_close(), 0);
    IS(cleaned, LEFT);
    IS(lowest(), before);
    sem_destroy(&may_end);
}

static const suite_test tests[] = {
    TEST(F6_rule_13_closed_and_used_again_under_each_call),
    TEST(rule_13_closed_under_connect),
#ifdef HAVE_ACCEPT4
    TEST(connections_that_broke_in_the_queue_are_passed_over),
#endif
    TEST(a_descriptor_that_is_passed_hides_nothing),
    TEST(a_full_disk_costs_the_log_alone),
    TEST(a_child_is_killed_in_the_middle),
    TEST(signals_in_bursts_among_busy_connections),
    TEST(cleanup_goes_on_though_poll_fails),
};

int main(int argc, char **argv)
{
    return suite_main("accidents", tests, SUITE_COUNT(tests), argc, argv);
}
