/* The simulated machine by itself: its time, its chance, what it has not, and its sockets
   where they can be made to do what the host's cannot. */
#include "both.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIM(expected, log, ...)                                                     \
    do {                                                                            \
        both_open("sim:5");                                                         \
        IS(coop_main(__VA_ARGS__), expected);                                       \
        LOG_IS(log);                                                                \
        both_close();                                                               \
    } while (0)

/* ---- Time ---- */

coop_routine(nap, const char *name; int64_t ns; int64_t before, after;)
{
    coop_begin;
    coop_trap(coop_void, Now, .at = &my->before);
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_trap(coop_void, Now, .at = &my->after);
    CU_ASSERT(my->after - my->before == my->ns);
    say("%s", my->name);
    coop_end;
}

coop_routine(long_day, int64_t before, after;)
{
    coop_begin;
    coop_trap(coop_void, Now, .wall = true, .at = &my->before);
    CU_ASSERT(my->before == COOP_S(1237939200));
    coop_spawn(nap, .name = "day", .ns = COOP_S(86400));
    coop_spawn(nap, .name = "1ns", .ns = 1);
    coop_spawn(nap, .name = "hour", .ns = COOP_S(3600) + 1);
    coop_trap(coop_void, Sleep, .ns = COOP_S(86400 * 365));
    coop_trap(coop_void, Now, .wall = true, .at = &my->after);
    CU_ASSERT(my->after - my->before == COOP_S(86400 * 365));
    coop_spawn(nap, .name = "ages", .ns = COOP_S(86400) * 365 * 200);
    coop_end;
}

static void time_passes_at_once_and_exactly(void)
{
    SIM(0, "1ns hour day ages", long_day);
}

coop_routine(busy, int64_t before, after; int i;)
{
    coop_begin;
    coop_spawn(nap, .name = "late", .ns = 1);
    coop_trap(coop_void, Now, .at = &my->before);
    for (; my->i < 1000; my->i++)
        coop_trap(coop_void, Yield);
    coop_trap(coop_void, Now, .at = &my->after);
    CU_ASSERT(my->before == my->after);
    say("busy");
    coop_end;
}

static void time_stands_still_while_a_task_can_run(void)
{
    SIM(0, "busy late", busy);
}

/* ---- Work: one job at a time, when nothing else can run and before time passes ---- */

static coop_value job(void *arg)
{
    say("job%s", (const char *)arg);
    return 0;
}

coop_routine(worker, void *arg;)
{
    coop_begin;
    coop_trap(coop_void, Work, .run = job, .arg = my->arg);
    say("done%s", (char *)my->arg);
    coop_end;
}

coop_routine(work_order, coop_tid killed; int i;)
{
    coop_begin;
    coop_spawn(nap, .name = "nap", .ns = 1);
    coop_spawn(worker, .arg = "1");
    my->killed = coop_spawn(worker, .arg = "2");
    coop_spawn(worker, .arg = "3");
    for (; my->i < 100; my->i++)
        coop_trap(coop_void, Yield);
    say("main");
    coop_trap(coop_void, KillTask, .tid = my->killed, .wait = true);
    coop_end;
}

static void jobs_run_when_nothing_else_can(void)
{
    SIM(0, "main job1 done1 job3 done3 nap", work_order);
}

/* ---- A program that waits for nobody ---- */

coop_routine(lonely, int fd; char bound[64];)
{
    coop_begin;
    coop_await(my->fd, listen_here, .bound = my->bound, .size = sizeof my->bound);
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_trap(coop_void, Accept, .fd = my->fd);
    say("never");
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    say("closed");
    coop_end;
}

static void waiting_for_nobody_is_a_deadlock(void)
{
    both_open("sim");
    CU_ASSERT(coop_spawn(lonely) > 0);
    IS(coop_run(), -EDEADLK);
    LOG_IS("");
    REPORTED("");
    IS(coop_sched_close(), 0);
    LOG_IS("closed");
}

/* ---- The same again ---- */

static char traces[2][400000];
static coop_text trace;

static void write_down(coop_observer *o, const coop_event *event)
{
    (void)o;
    coop_event_text(event, &trace);
    coop_print(&trace, "\n");
}

coop_routine(speaker, int fd; coop_value r; char key[4];)
{
    coop_begin;
    coop_trap(coop_void, Random, .buf = my->key, .len = sizeof my->key);
    coop_trap(coop_void, Send, .fd = my->fd, .buf = my->key, .len = sizeof my->key);
    coop_await(my->r, send_pattern, .fd = my->fd, .len = 40000);
    IS(my->r, 40000);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(recv_key, int fd; char *to; int i; coop_value r;)
{
    coop_begin;
    for (; my->i < 4; my->i++)
        coop_trap(my->r, Recv, .fd = my->fd, .buf = my->to + my->i, .len = 1);
    coop_return(my->r);
    coop_end;
}

coop_routine(conversation, int client, server; coop_value r; char key[4];)
{
    coop_begin;
    coop_await(my->r, connect_pair, .client = &my->client, .server = &my->server);
    coop_spawn(speaker, .fd = my->client);
    coop_await(my->r, recv_key, .fd = my->server, .to = my->key);
    coop_await(my->r, recv_pattern, .fd = my->server, .len = 40000);
    IS(my->r, 40000);
    coop_trap(my->r, Recv, .fd = my->server, .buf = my->key, .len = 1);
    IS(my->r, 0);
    coop_trap(coop_void, Close, .fd = my->server);
    coop_return(my->r);
    coop_end;
}

static char *trace_of(const char *machine, char *text)
{
    coop_observer writer = { .event = write_down };
    trace = (coop_text){ .data = text, .size = sizeof traces[0] };
    both_open(machine);
    IS(coop_observe(&writer), 0);
    IS(coop_main(conversation), 0);
    both_close();
    CU_ASSERT(!trace.cut);
    CU_ASSERT(trace.used > 5000);
    return text;
}

static void the_same_seed_gives_the_same_run(void)
{
    trace_of("sim:7", traces[0]);
    CU_ASSERT_STRING_EQUAL(traces[0], trace_of("sim:7", traces[1]));
    CU_ASSERT_STRING_EQUAL(trace_of("sim", traces[0]), trace_of("sim:0", traces[1]));
    CU_ASSERT(strcmp(traces[0], trace_of("sim:8", traces[1])));
}

/* ---- What there is not ---- */

static const char *const truth[] = { "true", NULL };

coop_routine(nothing_there, coop_value r; int client, server; coop_stat stat; char buf[4];)
{
    coop_begin;
    coop_trap(my->r, Open, .path = "/dev/null");
    IS(my->r, -ENOSYS);
    coop_trap(my->r, Stat, .path = "/", .stat = &my->stat);
    IS(my->r, -ENOSYS);
    coop_trap(my->r, Unlink, .path = "none");
    IS(my->r, -ENOSYS);
    coop_trap(my->r, Pread, .fd = 3, .buf = my->buf, .len = 4);
    IS(my->r, -ENOSYS);
    coop_trap(my->r, Pwrite, .fd = 3, .buf = my->buf, .len = 4);
    IS(my->r, -ENOSYS);
    coop_trap(my->r, Fsync, .fd = 3);
    IS(my->r, -ENOSYS);
    coop_trap(my->r, SignalWait, .signals = COOP_SIGNAL(1));
    IS(my->r, -ENOSYS);
    coop_trap(my->r, Spawn, .argv = truth);
    IS(my->r, -ENOSYS);
    coop_trap(my->r, Listen, .address = "udp://127.0.0.1:0");
    IS(my->r, -ENOSYS);
    coop_trap(my->r, Connect, .address = "udp://127.0.0.1:9");
    IS(my->r, -ENOSYS);
    coop_await(my->r, connect_pair, .client = &my->client, .server = &my->server);
    coop_trap(my->r, RecvFrom, .fd = my->client, .buf = my->buf, .len = 4);
    IS(my->r, -ENOSYS);
    coop_trap(my->r, SendTo, .fd = my->client, .buf = "", .len = 1, .to = "127.0.0.1:9");
    IS(my->r, -ENOSYS);
    coop_trap(my->r, SendFile, .fd = my->client, .file = my->server, .len = 1);
    IS(my->r, -ENOSYS);
    coop_trap(coop_void, Close, .fd = my->client);
    coop_trap(coop_void, Close, .fd = my->server);
    coop_end;
}

static void what_it_has_not_gives_ENOSYS(void)
{
    SIM(0, "", nothing_there);
}

coop_routine(console, coop_value r; char buf[4];)
{
    coop_begin;
    coop_trap(my->r, Read, .fd = 0, .buf = my->buf, .len = 4);
    say("%td", my->r);
    coop_trap(my->r, Write, .fd = 1, .buf = "", .len = 0);
    say("%td", my->r);
    coop_trap(my->r, WriteWait, .fd = 2);
    say("%td", my->r);
    coop_trap(my->r, Recv, .fd = 0, .buf = my->buf, .len = 4);
    say("%s", result(my->r));
    coop_trap(my->r, Close, .fd = 1);
    say("%s", result(my->r));
    coop_trap(my->r, Resolve, .name = "nowhere.example", .addresses = NULL, .max = 1);
    say("%s", result(my->r));
    coop_end;
}

static void standard_input_is_empty_and_output_works(void)
{
    SIM(0, "0 0 0 EBADF EBADF EINVAL", console);
}

/* ---- Listeners ---- */

coop_routine(caller, const char *name, *address; int fd;)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = my->address);
    say("%s=%s", my->name, result(my->fd < 0 ? my->fd : 0));
    if (my->fd >= 0)
        coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(full_queue, const char *address; int listener, fd; char bound[64];)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = my->address, .backlog = 1,
              .bound = my->bound, .bound_size = sizeof my->bound);
    coop_spawn(caller, .name = "a", .address = my->bound);
    coop_await(coop_void, settle);
    coop_spawn(caller, .name = "b", .address = my->bound);
    coop_spawn(caller, .name = "c", .address = my->bound);
    coop_await(coop_void, settle);
    coop_await(coop_void, settle);
    coop_trap(my->fd, Accept, .fd = my->listener);
    say("accepted");
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_await(coop_void, settle);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

static void who_finds_the_queue_full_waits_or_is_refused(void)
{
    for (int seed = 0; seed < 10; seed++) {
        char machine[16];
        snprintf(machine, sizeof machine, "sim:%d", seed);
        both_open(machine);
        IS(coop_main(full_queue, .address = "tcp://127.0.0.1:0"), 0);
        CU_ASSERT(!strcmp(world.log, "a=0 accepted b=0 c=ECONNREFUSED")
                  || !strcmp(world.log, "a=0 accepted c=0 b=ECONNREFUSED"));
        clear_log();
        both_close();
    }
    SIM(0, "a=0 b=EAGAIN c=EAGAIN accepted", full_queue, .address = "unix:///nowhere/it");
}

coop_routine(names, int a, b, fd; coop_value r; char name[64];)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = "unix:///nowhere/at/all");
    say("%s", result(my->fd));
    coop_trap(my->fd, Connect, .address = "unix://@nobody");
    say("%s", result(my->fd));
    coop_trap(my->a, Listen, .address = "tcp://[0:0::1]:0080");
    coop_trap(my->r, SockName, .fd = my->a, .name = my->name, .size = sizeof my->name);
    say("%s", my->name);
    coop_trap(my->b, Listen, .address = "tcp://:80");
    say("%s", result(my->b));
    coop_trap(my->b, Listen, .address = "tcp://10.0.0.1:80");
    say("%d", my->b);
    coop_trap(my->fd, Listen, .address = "tcp://0.0.0.0:80");
    say("%s", result(my->fd));
    coop_trap(my->fd, Connect, .address = "tcp://10.0.0.1:80");
    coop_trap(my->r, SockName, .fd = my->fd, .name = my->name, .size = sizeof my->name);
    say("%s", my->name);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_trap(coop_void, Close, .fd = my->a);
    coop_trap(my->fd, Connect, .address = "tcp://[::1]:80");
    say("%s", result(my->fd));
    coop_trap(my->a, Listen, .address = "tcp://10.0.0.2:80");
    say("lowest %d", my->a);
    coop_trap(coop_void, Close, .fd = my->a);
    coop_trap(coop_void, Close, .fd = my->b);
    coop_end;
}

static void names_are_compared_as_addresses(void)
{
    SIM(0, "ENOENT ECONNREFUSED [::1]:80 EADDRINUSE 4 EADDRINUSE 127.0.0.1:49152 "
        "ECONNREFUSED lowest 3", names);
}

coop_routine(taker, int listener; int *taken; int fd;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->fd, Accept, .fd = my->listener);
        ++*my->taken;
        coop_trap(coop_void, Close, .fd = my->fd);
    }
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

coop_routine(shared, int listeners[2], taken[2], i, fd; coop_tid tids[2];)
{
    coop_begin;
    for (; my->i < 2; my->i++) {
        coop_trap(my->listeners[my->i], Listen, .address = "tcp://:80", .shared = true);
        CU_ASSERT(my->listeners[my->i] >= 0);
        my->tids[my->i] = coop_spawn(taker, .listener = my->listeners[my->i],
                                     .taken = &my->taken[my->i]);
    }
    coop_trap(my->fd, Listen, .address = "tcp://:80");
    say("%s", result(my->fd));
    for (my->i = 0; my->i < 100; my->i++) {
        coop_trap(my->fd, Connect, .address = "tcp://127.0.0.1:80");
        coop_trap(coop_void, Close, .fd = my->fd);
    }
    coop_await(coop_void, settle);
    IS(my->taken[0] + my->taken[1], 100);
    CU_ASSERT(my->taken[0] > 20 && my->taken[1] > 20);
    for (my->i = 0; my->i < 2; my->i++)
        coop_trap(coop_void, KillTask, .tid = my->tids[my->i], .wait = true);
    coop_end;
}

static void a_shared_address_divides_connections(void)
{
    SIM(0, "EADDRINUSE", shared);
}

static const suite_test tests[] = {
    TEST(time_passes_at_once_and_exactly),
    TEST(time_stands_still_while_a_task_can_run),
    TEST(jobs_run_when_nothing_else_can),
    TEST(waiting_for_nobody_is_a_deadlock),
    TEST(the_same_seed_gives_the_same_run),
    TEST(what_it_has_not_gives_ENOSYS),
    TEST(standard_input_is_empty_and_output_works),
    TEST(who_finds_the_queue_full_waits_or_is_refused),
    TEST(names_are_compared_as_addresses),
    TEST(a_shared_address_divides_connections),
};

int main(int argc, char **argv)
{
    return suite_main("sim", tests, SUITE_COUNT(tests), argc, argv);
}
