/* Cleaning up when a task is ended: what finds what, what may block, from any depth. */
#include "world.h"

#include <errno.h>

coop_routine(returns_fd, int unused;)
{
    coop_begin;
    coop_return(42);
    coop_end;
}

/* What the first lines set up is there for the cleanup, as far as the first trap. */
coop_routine(fresh_target, coop_value fd, again; int depth;)
{
    coop_begin;
    coop_await(my->fd, returns_fd);
    if (my->depth)
        coop_await(my->again, fresh_target, .depth = my->depth - 1);
    else
        coop_trap(my->again, GetTid);
    say("never");
    coop_finally;
    say("%td-%td", my->fd, my->again);
    coop_end;
}

coop_routine(fresh_killer, int depth; bool wait; coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(fresh_target, .depth = my->depth);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = my->wait);
    IS(my->r, 0);
    if (!my->wait) {
        coop_trap(my->r, WaitTask, .tid = my->tid);
        IS(my->r, -ESRCH);
    }
    no_trace_of(my->tid);
    coop_end;
}

static void rule_10_kill_fresh(void)
{
    for (int wait = 0; wait < 2; wait++) {
        world_open(0);
        IS(coop_main(fresh_killer, .wait = wait), 0);
        LOG_IS("42--125");
        IS(coop_main(fresh_killer, .wait = wait, .depth = 2), 0);
        LOG_IS("42--125 42--125 42--125");
        world_close();
    }
}

/* Killed while it is ready: what it was answered is there to be cleaned up. */
coop_routine(holder, coop_value got;)
{
    coop_begin;
    coop_trap(my->got, GetTid);
    say("never here");
    coop_finally;
    say("%s", result(my->got));
    coop_end;
}

coop_routine(caller_of_holder, coop_value got;)
{
    coop_begin;
    coop_await(my->got, holder);
    say("never here");
    coop_finally;
    say("caller %s", result(my->got));
    coop_end;
}

coop_routine(holder_killer, coop_tid tid;)
{
    coop_begin;
    my->tid = coop_spawn(caller_of_holder);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    no_trace_of(my->tid);
    coop_end;
}

static void rule_10_kill_loses_no_answer(void)
{
    WORLD(0, holder_killer);
    LOG_IS("2 caller ECANCELED");
}

/* Killed before it began, and its first trap would have made a task: nothing is left of
   that one, and nobody is blamed. */
coop_routine(would_be_parent, coop_tid child;)
{
    coop_begin;
    coop_trap(my->child, NewTask, .target = coop_create(holder), .name = "child");
    say("never here");
    coop_finally;
    say("%s", result(my->child));
    coop_end;
}

coop_routine(early_killer, coop_tid tid;)
{
    coop_begin;
    my->tid = coop_spawn(would_be_parent);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    no_trace_of(my->tid);
    coop_end;
}

static void rule_10_kill_drops_what_a_call_was_given(void)
{
    WORLD(0, early_killer);
    LOG_IS("ECANCELED");
    NO_REPORTS();
}

/* Cleanup that blocks in every way there is. */
coop_routine(slow_cleaner, int fd; coop_tid child; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_finally;
    coop_trap(my->r, Sleep, .ns = COOP_MS(5));
    say("%s", result(my->r));
    virtual_fire(&world.machine, 0, 9, COOP_READ);
    coop_trap(my->r, ReadWait, .fd = 9);
    say("%s", result(my->r));
    coop_trap(my->child, NewTask, .target = coop_create(returns_fd));
    coop_trap(my->r, WaitTask, .tid = my->child);
    say("%s", result(my->r));
    coop_yield(my->r, 1);
    coop_await(my->r, returns_fd);
    coop_trap(my->r, Exit, .value = 5);
    say("%s", result(my->r));
    coop_end;
}

coop_routine(during_cleanup, coop_tid tid; coop_value r; coop_status status;
             coop_info info;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(slow_cleaner));
    coop_trap(my->r, KillTask, .tid = my->tid);
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, -EALREADY);
    coop_trap(coop_void, Yield);
    IS(coop_inspect(my->tid, &my->info), 0);
    IS(my->info.ending, true);
    IS(my->info.state, COOP_WAITING);
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, -EALREADY);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->r, -ECANCELED);
    IS(my->status.end, COOP_KILLED);
    no_trace_of(my->tid);
    coop_end;
}

static void F29_cleanup_may_block(void)
{
    WORLD(0, during_cleanup);
    LOG_IS("0 0 42 0");
}

coop_routine(late_kill, coop_tid tid; coop_value r; bool wait;)
{
    coop_begin;
    /* It ends by itself, and is in its cleanup when it is killed. */
    coop_trap(my->tid, NewTask, .target = coop_create(slow_cleaner));
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1002));
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = my->wait);
    IS(my->r, 0);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    IS(my->r, my->wait ? -ESRCH : -ECANCELED);
    no_trace_of(my->tid);
    coop_end;
}

static void kill_waits_for_cleanup_to_be_through(void)
{
    for (int wait = 0; wait < 2; wait++) {
        WORLD(0, late_kill, .wait = wait);
        LOG_IS("0 0 42 0");
    }
}

coop_routine(own_end, int how; int depth; coop_value r;)
{
    coop_begin;
    if (my->depth)
        coop_await(my->r, own_end, .how = my->how, .depth = my->depth - 1);
    else if (my->how == 0)
        coop_trap(my->r, KillTask, .tid = coop_self());
    else if (my->how == 1)
        coop_trap(my->r, KillTask, .tid = coop_self(), .wait = true);
    else
        coop_trap(my->r, Exit, .value = my->how == 2 ? 17 : -EACCES);
    say("never");
    coop_finally;
    say("%d", my->depth);
    coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(watch_end, int how; coop_value r; coop_tid tid; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(own_end, .how = my->how, .depth = 2));
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->r, my->status.value);
    say("%d %s %d", my->status.end, result(my->r), my->status.by == my->tid);
    no_trace_of(my->tid);
    coop_end;
}

static void kill_oneself_and_exit_from_any_depth(void)
{
    static const char *const logs[] = {
        "0 1 2 3 ECANCELED 1", "0 1 2 3 ECANCELED 1", "0 1 2 1 17 0", "0 1 2 2 EACCES 0"
    };
    for (int how = 0; how < 4; how++) {
        WORLD(0, watch_end, .how = how);
        LOG_IS(logs[how]);
        NO_REPORTS();
    }
}

static const suite_test tests[] = {
    TEST(rule_10_kill_fresh),
    TEST(rule_10_kill_loses_no_answer),
    TEST(rule_10_kill_drops_what_a_call_was_given),
    TEST(F29_cleanup_may_block),
    TEST(kill_waits_for_cleanup_to_be_through),
    TEST(kill_oneself_and_exit_from_any_depth),
};

int main(int argc, char **argv)
{
    return world_main("cleanup", tests, SUITE_COUNT(tests), argc, argv, "");
}
