/* When the outside is looked at: often enough, no more often, and not believed blindly. */
#include "outside.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned slices, woken_at;
static bool stop;

static void count_slices(coop_observer *o, const coop_event *e)
{
    (void)o;
    slices += e->kind == COOP_RUN && !e->system;
    if (e->kind == COOP_WAKE && e->call->type == &coop_ReadWait_type)
        woken_at = slices;
}

static void begin(void)
{
    static coop_observer counter;
    counter = (coop_observer){ .event = count_slices };
    slices = woken_at = 0;
    stop = false;
    IS(coop_observe(&counter), 0);
}

enum { SPINNERS = 12 };            /* of an odd number, and pauses: all phases of 64 */

coop_routine(spinner, int unused;)
{
    coop_begin;
    while (!stop)
        coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(reader, int fd; unsigned *read_at; char byte;)
{
    coop_begin;
    do {
        coop_trap(coop_void, ReadWait, .fd = my->fd);
        *my->read_at = slices;
        IS(read(my->fd, &my->byte, 1), 1);
    } while (my->byte);
    coop_end;
}

coop_routine(busy, int fds[2]; int phase, pause; unsigned at, worst, read_at, late;)
{
    coop_begin;
    begin();
    pair(my->fds);
    for (int i = 0; i < SPINNERS; i++)
        coop_spawn(spinner);
    coop_spawn(reader, .fd = my->fds[0], .read_at = &my->read_at);
    for (my->phase = 200; my->phase >= 0; my->phase--) {
        for (my->pause = my->phase % 7; my->pause > 0; my->pause--)
            coop_trap(coop_void, Yield);
        woken_at = my->read_at = 0;
        my->at = slices;
        IS(write(my->fds[1], my->phase ? "x" : "", 1), 1);
        while (!my->read_at)
            coop_trap(coop_void, Yield);
        if (woken_at - my->at > my->worst)
            my->worst = woken_at - my->at;
        if (my->read_at - woken_at > my->late)
            my->late = my->read_at - woken_at;
    }
    stop = true;
    IS(my->worst <= 64, 1);
    IS(my->worst > 55, 1);
    IS(my->late <= SPINNERS + 2, 1);
    close_pair(my->fds);
    coop_end;
}

static void rule_4_descriptor_noticed_within_64_slices(void)
{
    OUTSIDE(0, busy);
}

enum { IDLERS = 100 };

coop_routine(busy_with_idlers, int fds[IDLERS][2]; unsigned polls, began;)
{
    coop_begin;
    begin();
    for (int i = 0; i < IDLERS; i++) {
        pair(my->fds[i]);
        coop_spawn(waiter, .name = "idler", .kind = RECV, .fd = my->fds[i][0]);
    }
    coop_spawn(spinner);
    coop_trap(coop_void, Yield);
    my->polls = outside.polls;
    my->began = slices;
    while (slices < my->began + 6400)
        coop_trap(coop_void, Yield);
    IS(outside.polls - my->polls <= 6400 / 64 + 1, 1);
    IS(outside.polls - my->polls >= 6400 / 64 - 1, 1);
    IS(outside.glances, outside.polls);
    stop = true;
    for (int i = 0; i < IDLERS; i++) {
        close(my->fds[i][1]);
        close(my->fds[i][0]);
    }
    coop_end;
}

static void F15_polls_are_few_when_busy(void)
{
    OUTSIDE(0, busy_with_idlers);
}

coop_routine(nothing_outside, int i;)
{
    coop_begin;
    for (my->i = 0; my->i < 1000; my->i++)
        coop_trap(coop_void, Yield);
    coop_end;
}

static void no_polls_when_nothing_outside_is_waited_for(void)
{
    outside_open();
    IS(coop_main(nothing_outside), 0);
    IS(outside.polls, 0);
    outside_close();
}

enum { ROUNDS = 200 };

/* Sends each byte back, in a process of its own. */
static pid_t echo_process(int fds[2])
{
    char byte;
    pid_t child;
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
    child = fork();
    need(child >= 0, "fork");
    if (child)
        return child;
    alarm(60);
    close(fds[0]);
    while (read(fds[1], &byte, 1) == 1)
        if (write(fds[1], &byte, 1) != 1)
            break;
    _exit(0);
}

coop_routine(idle, int fd; int i; char byte;)
{
    coop_begin;
    for (my->i = 0; my->i < ROUNDS; my->i++) {
        IS(write(my->fd, "x", 1), 1);
        coop_trap(coop_void, ReadWait, .fd = my->fd);
        IS(read(my->fd, &my->byte, 1), 1);
    }
    coop_end;
}

/* Each poll but the first blocks, and each one wakes somebody. */
static void F13_idle_uses_no_processor(void)
{
    int fds[2];
    outside_open();
    pid_t child = echo_process(fds);
    close(fds[1]);
    IS(coop_main(idle, .fd = fds[0]), 0);
    IS(outside.polls >= ROUNDS, 1);
    IS(outside.polls <= ROUNDS + 1, 1);
    IS(outside.glances, 1);
    close(fds[0]);
    IS(waitpid(child, NULL, 0), child);
    outside_close();
}

/* The poller says that a blocking descriptor is ready when it is not. */
coop_routine(lied_to, enum kind kind; int fd; coop_tid tid;)
{
    coop_begin;
    my->tid = coop_spawn(waiter, .name = "lied to", .kind = my->kind, .fd = my->fd);
    coop_await(coop_void, settle);
    waits_in(my->tid, my->kind);
    outside.lie_about = my->fd;
    coop_await(coop_void, settle);
    IS(outside.lie_about, -1);
    waits_in(my->tid, my->kind);
    IS(outside_watched(), 1);
    LOG_IS("");
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    coop_end;
}

static void F26_blocking_listener_does_not_freeze(void)
{
    outside_open();
    int fd = listener();
    IS(coop_main(lied_to, .kind = ACCEPT, .fd = fd), 0);
    close(fd);
    outside_close();
}

static void F26_spurious_readiness(void)
{
    int fds[2];
    outside_open();
    pair(fds);
    fill(fds[0]);
    need(fcntl(fds[0], F_SETFL, 0) == 0, "fcntl");
    IS(coop_main(lied_to, .kind = RECV, .fd = fds[0]), 0);
    IS(coop_main(lied_to, .kind = SEND, .fd = fds[0]), 0);
    close_pair(fds);
    outside_close();
}

/* ---- More are ready at once than one poll tells */

enum { CROWD = 600 };
static int unseen;

coop_routine(counts_itself, int fd; bool seen; coop_value r;)
{
    coop_begin;
    do {
        coop_trap(my->r, ReadWait, .fd = my->fd);
        unseen -= my->r == 0 && !my->seen;
        my->seen = true;
    } while (my->r == 0);
    coop_end;
}

coop_routine(all_are_seen, int ends[2], fds[CROWD], i;)
{
    coop_begin;
    pair(my->ends);
    IS(write(my->ends[1], "x", 1), 1);
    unseen = CROWD;
    for (my->i = 0; my->i < CROWD; my->i++) {
        my->fds[my->i] = dup(my->ends[0]);
        coop_spawn(counts_itself, .fd = my->fds[my->i]);
    }
    for (my->i = 0; my->i < 10000 && unseen; my->i++)
        coop_trap(coop_void, Yield);
    IS(unseen, 0);
    for (my->i = 0; my->i < CROWD; my->i++)
        coop_trap(coop_void, Close, .fd = my->fds[my->i]);
    close_pair(my->ends);
    coop_end;
}

/* Those with low numbers, who are always ready, keep nobody from his turn. */
static void many_that_are_always_ready_take_turns(void)
{
    if (!may_open(CROWD + 100))
        return;
    for (int i = 0; i < POLLERS; i++)
        if (outside_has(outside_pollers[i])) {
            outside_open_with((coop_options){ .poller = outside_pollers[i] });
            IS(coop_main(all_are_seen), 0);
            outside_close();
        }
}

static const suite_test tests[] = {
    { "rule_4_descriptor_noticed_within_64_slices",
      rule_4_descriptor_noticed_within_64_slices },
    { "F15_polls_are_few_when_busy", F15_polls_are_few_when_busy },
    { "no_polls_when_nothing_outside_is_waited_for",
      no_polls_when_nothing_outside_is_waited_for },
    { "F13_idle_uses_no_processor", F13_idle_uses_no_processor },
    { "F26_blocking_listener_does_not_freeze", F26_blocking_listener_does_not_freeze },
    { "F26_spurious_readiness", F26_spurious_readiness },
    { "many_that_are_always_ready_take_turns", many_that_are_always_ready_take_turns },
};

int main(int argc, char **argv)
{
    return world_main("iopoll", tests, SUITE_COUNT(tests), argc, argv, "");
}
