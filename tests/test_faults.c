/* Connections that break and descriptors that are closed: it costs the task that was at it,
   and nobody else. */
#include "outside.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Resets */

enum { CLIENTS = 20, MESSAGES = 100, SIZE = 1024 };

struct traffic {
    int listener, served_well, served_badly, pleased;
};

coop_routine(serve, int fd; struct traffic *traffic; coop_value n; char buf[SIZE];)
{
    coop_begin;
    do {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        if (my->n > 0)
            coop_trap(my->n, Send, .fd = my->fd, .buf = my->buf, .len = (size_t)my->n);
    } while (my->n > 0);
    if (my->n == 0)
        my->traffic->served_well++;
    else
        my->traffic->served_badly++;
    coop_return(my->n);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(server, struct traffic *traffic; int i, fd;)
{
    coop_begin;
    for (my->i = 0; my->i < CLIENTS; my->i++) {
        coop_trap(my->fd, Accept, .fd = my->traffic->listener);
        CU_ASSERT(my->fd >= 0);
        coop_spawn(serve, .fd = my->fd, .traffic = my->traffic);
    }
    coop_end;
}

coop_routine(talk, int fd, number; struct traffic *traffic; int i; size_t got; coop_value n;
             char buf[SIZE], come[SIZE];)
{
    coop_begin;
    for (my->i = 0; my->i < MESSAGES; my->i++) {
        memset(my->buf, my->i + my->number, SIZE);
        coop_trap(my->n, Send, .fd = my->fd, .buf = my->buf, .len = SIZE);
        IS(my->n, SIZE);
        if (my->number == CLIENTS / 2 && my->i == MESSAGES / 2) {
            reset(my->fd);
            coop_return(0);
        }
        for (my->got = 0; my->got < SIZE; my->got += (size_t)my->n) {
            coop_trap(my->n, Recv, .fd = my->fd, .buf = my->come + my->got,
                      .len = SIZE - my->got);
            if (my->n <= 0)
                coop_return(my->n);
        }
        IS(memcmp(my->buf, my->come, SIZE), 0);
    }
    my->traffic->pleased++;
    close(my->fd);
    coop_end;
}

coop_routine(heavy_traffic, struct traffic t; int i;)
{
    coop_begin;
    my->t.listener = listener();
    coop_spawn(server, .traffic = &my->t);
    for (my->i = 0; my->i < CLIENTS; my->i++)
        coop_spawn(talk, .fd = connect_to(my->t.listener), .number = my->i,
                   .traffic = &my->t);
    while (my->t.served_well + my->t.served_badly < CLIENTS)
        coop_trap(coop_void, Yield);
    IS(my->t.served_well, CLIENTS - 1);
    IS(my->t.pleased, CLIENTS - 1);
    IS(my->t.served_badly, 1);
    close(my->t.listener);
    coop_end;
}

static void F2_reset_kills_one_task_only(void)
{
    outside_open();
    IS(coop_main(heavy_traffic), 0);
    IS(world.reported, 1);
    REPORTED("serve failed: -104 ECONNRESET");
    outside_close();
}

coop_routine(reset_waiters, int fd, client;)
{
    coop_begin;
    my->fd = connection(&my->client);
    fill(my->fd);
    coop_spawn(waiter, .name = "readwait", .kind = READ_WAIT, .fd = my->fd);
    coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = my->fd);
    coop_spawn(waiter, .name = "send", .kind = SEND, .fd = my->fd);
    coop_spawn(waiter, .name = "writewait", .kind = WRITE_WAIT, .fd = my->fd);
    coop_await(coop_void, settle);
    IS(outside_watched(), 1);
    reset(my->client);
    coop_await(coop_void, settle);
    LOG_IS("readwait=0 recv=-104 send=-32 writewait=0");
    IS(outside_watched(), 0);
    close(my->fd);
    coop_end;
}

static void reset_wakes_those_who_wait(void)
{
    IS(ECONNRESET, 104);
    IS(EPIPE, 32);
    OUTSIDE(0, reset_waiters);
}

enum { MUCH = 1 << 22 };
static char much[MUCH];

coop_routine(send_much, int fd; coop_value n;)
{
    coop_begin;
    coop_trap(my->n, Send, .fd = my->fd, .buf = much, .len = MUCH);
    say(my->n > 0 && my->n < MUCH ? "some" : "all or nothing");
    coop_trap(my->n, Send, .fd = my->fd, .buf = much, .len = 1);
    say(my->n == -EPIPE || my->n == -ECONNRESET ? "error" : "well");
    coop_end;
}

coop_routine(cut_short, int fd, client;)
{
    coop_begin;
    my->fd = connection(&my->client);
    need(setsockopt(my->fd, SOL_SOCKET, SO_SNDBUF, &(int){ 8192 }, sizeof(int)) == 0,
         "SO_SNDBUF");
    coop_spawn(send_much, .fd = my->fd);
    coop_await(coop_void, settle);
    CU_ASSERT(drain(my->client) > 0);
    coop_await(coop_void, settle);
    reset(my->client);
    coop_await(coop_void, settle);
    LOG_IS("some error");
    close(my->fd);
    coop_end;
}

static void send_tells_how_much_went_out_before_the_error(void)
{
    OUTSIDE(0, cut_short);
}

static int pipe_signals;

static void count_pipe_signal(int number)
{
    (void)number;
    pipe_signals++;
}

coop_routine(broken_pipe, int fds[2]; int i; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    close(my->fds[1]);
    for (my->i = 0; my->i < 3; my->i++) {
        coop_await(my->r, attempt, .kind = SEND, .fd = my->fds[0], .buf = "x", .len = 1);
        IS(my->r, -EPIPE);
    }
    close(my->fds[0]);
    my->fds[0] = connection(&my->fds[1]);
    reset(my->fds[1]);
    for (my->i = 0; my->i < 3; my->i++) {
        coop_await(my->r, attempt, .kind = SEND, .fd = my->fds[0], .buf = "x", .len = 1);
        CU_ASSERT(my->r == -EPIPE || my->r == -ECONNRESET);
    }
    close(my->fds[0]);
    coop_end;
}

static void rule_15_no_SIGPIPE(void)
{
    void (*before)(int) = signal(SIGPIPE, count_pipe_signal);
    OUTSIDE(0, broken_pipe);
    IS(pipe_signals, 0);
    signal(SIGPIPE, before);
}

coop_routine(half_closed, int fd, client; coop_value n; char buf[8];)
{
    coop_begin;
    my->fd = connection(&my->client);
    IS(write(my->client, "last", 4), 4);
    shutdown(my->client, SHUT_WR);
    coop_await(my->n, attempt, .kind = RECV, .fd = my->fd, .buf = my->buf, .len = 8);
    IS(my->n, 4);
    coop_await(my->n, attempt, .kind = RECV, .fd = my->fd, .buf = my->buf, .len = 8);
    IS(my->n, 0);
    coop_await(my->n, attempt, .kind = SEND, .fd = my->fd, .buf = "answer", .len = 6);
    IS(my->n, 6);
    close(my->fd);
    IS(drain(my->client), 6);
    close(my->client);
    coop_end;
}

static void half_closed_client_gets_its_answer(void)
{
    OUTSIDE(0, half_closed);
}

/* It may be told at Accept or at the first Recv, by host, but the next one is served. */
coop_routine(aborted, int listener, client, fd; coop_value n; char byte;)
{
    coop_begin;
    my->listener = listener();
    reset(connect_to(my->listener));
    my->client = connect_to(my->listener);
    IS(write(my->client, "x", 1), 1);
    do {
        coop_trap(my->fd, Accept, .fd = my->listener);
        CU_ASSERT_FATAL(my->fd >= 0);
        coop_trap(my->n, Recv, .fd = my->fd, .buf = &my->byte, .len = 1);
        close(my->fd);
    } while (my->n == -ECONNRESET);
    IS(my->n, 1);
    close(my->client);
    close(my->listener);
    coop_end;
}

static void connection_reset_before_accept(void)
{
    OUTSIDE(0, aborted);
}

/* ---- Closed descriptors */

coop_routine(closed_behind, int fds[2], other[2]; int listener; unsigned polls;)
{
    coop_begin;
    pair(my->fds);
    pair(my->other);
    fill(my->fds[0]);
    my->listener = listener();
    coop_spawn(waiter, .name = "read", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "send", .kind = SEND, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "accept", .kind = ACCEPT, .fd = my->listener);
    coop_spawn(waiter, .name = "other", .kind = RECV, .fd = my->other[0]);
    coop_await(coop_void, settle);
    IS(outside_watched(), 3);
    close(my->fds[0]);
    close(my->listener);
    coop_await(coop_void, notice, .left = 1);
    LOG_IS("read=-9 recv=-9 send=-9 accept=-9");
    my->polls = outside.polls;
    IS(write(my->other[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("other=1");
    IS(outside.polls - my->polls <= 3, 1);
    close(my->fds[1]);
    close_pair(my->other);
    coop_end;
}

static void F9_closed_behind_the_kernels_back(void)
{
    IS(EBADF, 9);
    OUTSIDE(0, closed_behind);
}

coop_routine(closed_when_busy, int fds[2]; int i;)
{
    coop_begin;
    pair(my->fds);
    coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = my->fds[0]);
    coop_trap(coop_void, Yield);
    close(my->fds[0]);
    while (outside_watched() != 0 || my->i < 66) {
        coop_trap(coop_void, Yield);
        my->i++;
    }
    CU_ASSERT(outside_is_by("epoll") || my->i == 66);
    coop_trap(coop_void, Yield);
    LOG_IS("recv=-9");
    close(my->fds[1]);
    coop_end;
}

static void closed_behind_is_noticed_when_busy(void)
{
    OUTSIDE(0, closed_when_busy);
}

coop_routine(closed_then_killed, int fds[2]; coop_tid tid; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    my->tid = coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    close(my->fds[0]);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    IS(outside_watched(), 0);
    no_trace_of(my->tid);
    coop_await(coop_void, settle);
    LOG_IS("");
    close(my->fds[1]);
    coop_end;
}

static void closed_behind_then_killed(void)
{
    OUTSIDE(0, closed_then_killed);
}

coop_routine(closes_after_itself, int fd; char byte;)
{
    coop_begin;
    coop_await(coop_void, attempt, .kind = RECV, .fd = my->fd, .buf = &my->byte, .len = 1);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    say("closed");
    coop_end;
}

/* The number of a killed task's descriptor goes to the next one who opens any. */
coop_routine(reuse, int fds[2], old; coop_tid tid; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    my->old = my->fds[0];
    my->tid = coop_spawn(closes_after_itself, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    LOG_IS("closed");
    CU_ASSERT(!is_open(my->old));
    close(my->fds[1]);
    pair(my->fds);
    IS(my->fds[0], my->old);
    coop_spawn(waiter, .name = "a", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    coop_trap(my->r, Close, .fd = my->fds[0]);
    close(my->fds[1]);
    pair(my->fds);
    IS(my->fds[0], my->old);
    coop_spawn(waiter, .name = "b", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    LOG_IS("a=-9");
    IS(outside_watched(), 1);
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("b=1");
    close_pair(my->fds);
    coop_end;
}

static void F6_number_of_a_closed_descriptor_is_used_again(void)
{
    OUTSIDE(0, reuse);
}

static const suite_test tests[] = {
    { "F2_reset_kills_one_task_only", F2_reset_kills_one_task_only },
    { "reset_wakes_those_who_wait", reset_wakes_those_who_wait },
    { "send_tells_how_much_went_out_before_the_error",
      send_tells_how_much_went_out_before_the_error },
    { "rule_15_no_SIGPIPE", rule_15_no_SIGPIPE },
    { "half_closed_client_gets_its_answer", half_closed_client_gets_its_answer },
    { "connection_reset_before_accept", connection_reset_before_accept },
    { "F9_closed_behind_the_kernels_back", F9_closed_behind_the_kernels_back },
    { "closed_behind_is_noticed_when_busy", closed_behind_is_noticed_when_busy },
    { "closed_behind_then_killed", closed_behind_then_killed },
    { "F6_number_of_a_closed_descriptor_is_used_again",
      F6_number_of_a_closed_descriptor_is_used_again },
};

int main(int argc, char **argv)
{
    return suite_main("faults", tests, SUITE_COUNT(tests), argc, argv);
}
