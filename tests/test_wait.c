/* Waiting for descriptors: who is woken, and what is left of one who is killed. */
#include "outside.h"

#include <errno.h>
#include <unistd.h>

coop_routine(many_waiters, int fds[2];)
{
    coop_begin;
    pair(my->fds);
    fill(my->fds[0]);
    coop_spawn(waiter, .name = "w1", .kind = WRITE_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "r1", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "r2", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "w2", .kind = WRITE_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "r3", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    IS(outside_watched(), 1);
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("r1=0 r2=0 r3=0");
    IS(outside_watched(), 1);
    drain(my->fds[1]);
    coop_await(coop_void, settle);
    LOG_IS("w1=0 w2=0");
    IS(outside_watched(), 0);
    close_pair(my->fds);
    coop_end;
}

static void rule_13_many_waiters(void)
{
    OUTSIDE(0, many_waiters);
}

coop_routine(two_readers, int fds[2]; coop_tid b;)
{
    coop_begin;
    pair(my->fds);
    coop_spawn(waiter, .name = "a", .kind = RECV, .fd = my->fds[0]);
    my->b = coop_spawn(waiter, .name = "b", .kind = RECV, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "c", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    IS(write(my->fds[1], "1", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("a=1");
    waits_in(my->b, RECV);
    IS(write(my->fds[1], "22", 2), 2);
    coop_await(coop_void, settle);
    LOG_IS("b=2");
    close(my->fds[1]);
    coop_await(coop_void, settle);
    LOG_IS("c=0");
    close(my->fds[0]);
    coop_end;
}

static void F10_second_reader_not_lost(void)
{
    OUTSIDE(0, two_readers);
}

coop_routine(close_wakes, int fds[2]; int other[2]; int listener; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    pair(my->other);
    fill(my->fds[0]);
    my->listener = listener();
    coop_spawn(waiter, .name = "write", .kind = WRITE_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "read", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "send", .kind = SEND, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "accept", .kind = ACCEPT, .fd = my->listener);
    coop_spawn(waiter, .name = "other", .kind = RECV, .fd = my->other[0]);
    coop_await(coop_void, settle);
    IS(outside_watched(), 3);
    coop_trap(my->r, Close, .fd = my->fds[0]);
    IS(my->r, 0);
    CU_ASSERT(!is_open(my->fds[0]));
    coop_trap(my->r, Close, .fd = my->listener);
    IS(my->r, 0);
    coop_trap(coop_void, Yield);
    IS(outside_watched(), 1);
    coop_await(coop_void, settle);
    LOG_IS("read=-9 recv=-9 write=-9 send=-9 accept=-9");
    IS(write(my->other[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("other=1");
    close(my->fds[1]);
    close_pair(my->other);
    coop_end;
}

static void rule_13_close_wakes_all(void)
{
    IS(EBADF, 9);
    OUTSIDE(0, close_wakes);
}

coop_routine(close_results, int fd; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Close, .fd = -1);
    IS(my->r, -EBADF);
    coop_trap(my->r, Close, .fd = 4000);
    IS(my->r, -EBADF);
    my->fd = dup(0);
    coop_trap(my->r, Close, .fd = my->fd);
    IS(my->r, 0);
    coop_trap(my->r, Close, .fd = my->fd);
    IS(my->r, -EBADF);
    coop_end;
}

static void close_tells_how_it_went(void)
{
    OUTSIDE(0, close_results);
}

/* Descriptors are told in ascending order, by epoll in that in which they became ready, or
   were waited for when they were; and of one the readers before the writers. */
coop_routine(ascending, int fds[3][2];)
{
    coop_begin;
    for (int i = 0; i < 3; i++)
        pair(my->fds[i]);
    coop_spawn(waiter, .name = "3w", .kind = WRITE_WAIT, .fd = my->fds[2][0]);
    coop_spawn(waiter, .name = "3r", .kind = READ_WAIT, .fd = my->fds[2][0]);
    coop_spawn(waiter, .name = "2", .kind = READ_WAIT, .fd = my->fds[1][0]);
    coop_spawn(waiter, .name = "1", .kind = READ_WAIT, .fd = my->fds[0][0]);
    for (int i = 0; i < 3; i++)
        IS(write(my->fds[i][1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS(outside_is_by("epoll") ? "3r=0 3w=0 2=0 1=0" : "1=0 2=0 3r=0 3w=0");
    for (int i = 0; i < 3; i++)
        close_pair(my->fds[i]);
    coop_end;
}

static void rule_2_order_of_one_poll(void)
{
    OUTSIDE(0, ascending);
}

/* ---- Kill */

static int waits_for_ever_on(enum kind kind, int fds[2])
{
    if (kind == ACCEPT)
        return fds[0] = listener(), fds[1] = -1, fds[0];
    pair(fds);
    if (kind == WRITE_WAIT || kind == SEND)
        fill(fds[0]);
    return fds[0];
}

/* Then nobody is left to notice. */
static void make_ready(enum kind kind, int fds[2])
{
    if (kind == ACCEPT)
        fds[1] = connect_to(fds[0]);
    else if (kind == WRITE_WAIT || kind == SEND)
        drain(fds[1]);
    else
        IS(write(fds[1], "x", 1), 1);
}

coop_routine(kill_each, int kind; int fds[2]; coop_tid tid; coop_value r;)
{
    coop_begin;
    for (my->kind = 0; my->kind < KINDS; my->kind++) {
        waits_for_ever_on(my->kind, my->fds);
        my->tid = coop_spawn(waiter, .name = "killed", .kind = my->kind, .fd = my->fds[0]);
        coop_await(coop_void, settle);
        waits_in(my->tid, my->kind);
        IS(outside_watched(), 1);
        IS(coop_this->outside, 1);
        coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
        IS(my->r, 0);
        IS(outside_watched(), 0);
        IS(coop_this->outside, 0);
        no_trace_of(my->tid);
        make_ready(my->kind, my->fds);
        coop_await(coop_void, settle);
        LOG_IS("");
        close_pair(my->fds);
    }
    coop_end;
}

static void kill_while_waiting_leaves_no_trace(void)
{
    OUTSIDE(0, kill_each);
}

coop_routine(kill_one_of_three, int fds[2]; coop_tid b; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    coop_spawn(waiter, .name = "a", .kind = READ_WAIT, .fd = my->fds[0]);
    my->b = coop_spawn(waiter, .name = "b", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "c", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    coop_trap(my->r, KillTask, .tid = my->b, .wait = true);
    IS(outside_watched(), 1);
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("a=0 c=0");
    close_pair(my->fds);
    coop_end;
}

static void kill_leaves_the_other_waiters(void)
{
    OUTSIDE(0, kill_one_of_three);
}

coop_routine(waiter_inside, int fd;)
{
    coop_begin;
    coop_await(coop_void, waiter, .name = "inner", .kind = RECV, .fd = my->fd);
    say("outer");
    coop_finally;
    say("cleanup");
    coop_end;
}

coop_routine(kill_inside, int fds[2]; coop_tid tid; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    my->tid = coop_spawn(waiter_inside, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    LOG_IS("cleanup");
    IS(outside_watched(), 0);
    close_pair(my->fds);
    coop_end;
}

static void F7_kill_in_a_nested_recv(void)
{
    OUTSIDE(0, kill_inside);
}

/* Woken, but killed before it runs: its answer is for its cleanup, and nothing is left. */
coop_routine(kill_woken, int fds[2]; coop_tid tid; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    my->tid = coop_spawn(waiter, .name = "woken", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    IS(write(my->fds[1], "x", 1), 1);
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r == 0 || my->r == -ESRCH, 1);
    IS(outside_watched(), 0);
    close_pair(my->fds);
    coop_end;
}

static void kill_of_one_just_woken(void)
{
    OUTSIDE(0, kill_woken);
}

coop_routine(break_off, int unused;)
{
    coop_begin;
    coop_await(coop_void, settle);
    outside.fails = -EIO;
    coop_end;
}

static void close_of_the_scheduler_undoes_waits(void)
{
    int fds[2];
    outside_open();
    pair(fds);
    coop_spawn(waiter, .name = "never", .kind = READ_WAIT, .fd = fds[0]);
    coop_spawn(waiter_inside, .fd = fds[0]);
    IS(coop_main(break_off), -EIO);
    IS(outside_watched(), 1);
    IS(coop_sched_close(), 0);
    LOG_IS("cleanup");
    close_pair(fds);
}

static const suite_test tests[] = {
    { "rule_13_many_waiters", rule_13_many_waiters },
    { "F10_second_reader_not_lost", F10_second_reader_not_lost },
    { "rule_13_close_wakes_all", rule_13_close_wakes_all },
    { "close_tells_how_it_went", close_tells_how_it_went },
    { "rule_2_order_of_one_poll", rule_2_order_of_one_poll },
    { "kill_while_waiting_leaves_no_trace", kill_while_waiting_leaves_no_trace },
    { "kill_leaves_the_other_waiters", kill_leaves_the_other_waiters },
    { "F7_kill_in_a_nested_recv", F7_kill_in_a_nested_recv },
    { "kill_of_one_just_woken", kill_of_one_just_woken },
    { "close_of_the_scheduler_undoes_waits", close_of_the_scheduler_undoes_waits },
};

int main(int argc, char **argv)
{
    return world_main("wait", tests, SUITE_COUNT(tests), argc, argv, "");
}
