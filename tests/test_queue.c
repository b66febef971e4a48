/* Channels as queues of work: back-pressure, and waiting until all that is sent is done. */
#include "world.h"

#include <errno.h>

coop_routine(worker, coop_chan *jobs; int *done; bool has; coop_value job, r;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->job, ChanRecv, .chan = my->jobs);
        if (my->job < 0)
            coop_return(0);
        my->has = true;
        coop_trap(coop_void, Sleep, .ns = COOP_MS(my->job));
        ++*my->done;
        coop_trap(my->r, ChanDone, .chan = my->jobs);
        IS(my->r, 0);
        my->has = false;
    }
    coop_finally;
    if (my->has)
        coop_trap(my->r, ChanDone, .chan = my->jobs);
    coop_end;
}

/* Gives out so many jobs and waits for them; never ahead by more than there is room. */
coop_routine(boss, coop_chan *jobs; int n, workers, most; int *done; int i; coop_value r;)
{
    coop_begin;
    for (my->i = 0; my->i < my->workers; my->i++)
        coop_spawn(worker, .jobs = my->jobs, .done = my->done);
    for (my->i = 0; my->i < my->n; my->i++) {
        coop_trap(my->r, ChanSend, .chan = my->jobs, .value = my->i % 7);
        IS(my->r, 0);
        CU_ASSERT(my->i + 1 - *my->done <= my->most);
    }
    coop_trap(my->r, ChanJoin, .chan = my->jobs);
    IS(my->r, 0);
    IS(*my->done, my->n);
    coop_trap(my->r, ChanJoin, .chan = my->jobs);
    IS(my->r, 0);
    coop_trap(my->r, ChanDone, .chan = my->jobs);
    IS(my->r, -EINVAL);
    coop_trap(coop_void, ChanClose, .chan = my->jobs);
    coop_end;
}

static void join_waits_for_all_work(void)
{
    for (int capacity = 0; capacity < 5; capacity++)
        for (int workers = 1; workers < 5; workers++) {
            int done = 0;
            coop_chan *jobs = coop_chan_open(0, (size_t)capacity, "jobs");
            world_open(0);
            IS(coop_main(boss, .jobs = jobs, .n = 50, .workers = workers, .done = &done,
                         .most = capacity + workers), 0);
            NO_REPORTS();
            world_close();
            IS(coop_chan_free(jobs), 0);
        }
}

/* What was not received cannot be done. */
coop_routine(too_early, coop_chan *jobs; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ChanSend, .chan = my->jobs, .value = 1);
    coop_trap(my->r, ChanSend, .chan = my->jobs, .value = 1);
    coop_trap(my->r, ChanDone, .chan = my->jobs);
    IS(my->r, -EINVAL);
    coop_trap(my->r, ChanRecv, .chan = my->jobs);
    coop_trap(my->r, ChanDone, .chan = my->jobs);
    IS(my->r, 0);
    coop_trap(my->r, ChanDone, .chan = my->jobs);
    IS(my->r, -EINVAL);
    coop_trap(my->r, ChanDone, .chan = NULL);
    IS(my->r, -ENOMEM);
    coop_trap(my->r, ChanJoin, .chan = NULL);
    IS(my->r, -ENOMEM);
    coop_end;
}

static void only_what_was_received_can_be_done(void)
{
    coop_chan *jobs = coop_chan_open(0, 2, "jobs");
    WORLD(0, too_early, .jobs = jobs);
    IS(coop_chan_free(jobs), 0);
}

coop_routine(joiner, coop_chan *jobs; const char *name; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ChanJoin, .chan = my->jobs);
    say("%s%s", my->name, result(my->r));
    coop_end;
}

/* Several wait; the queue is closed meanwhile, which changes nothing for them. A worker is
   killed with a job in its hands, and a broadcast counts for each who gets it. */
coop_routine(scene, coop_chan *jobs; int done; coop_tid a, b, gone; coop_value r;)
{
    coop_begin;
    coop_spawn(joiner, .jobs = my->jobs, .name = "at once");
    coop_trap(coop_void, Yield);
    my->a = coop_spawn(worker, .jobs = my->jobs, .done = &my->done);
    my->b = coop_spawn(worker, .jobs = my->jobs, .done = &my->done);
    coop_trap(coop_void, Yield);
    coop_trap(my->r, ChanSend, .chan = my->jobs, .value = 5, .all = true);
    IS(my->r, 2);
    coop_spawn(joiner, .jobs = my->jobs, .name = "x");
    my->gone = coop_spawn(joiner, .jobs = my->jobs, .name = "gone");
    coop_spawn(joiner, .jobs = my->jobs, .name = "y");
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Cancel, .tid = my->gone);
    coop_trap(coop_void, ChanClose, .chan = my->jobs);
    coop_trap(coop_void, KillTask, .tid = my->a, .wait = true);
    IS(my->done, 0);
    say("killed");
    coop_trap(coop_void, WaitTask, .tid = my->b);
    coop_trap(coop_void, Yield);
    IS(my->done, 1);
    coop_end;
}

static void joiners_wait_for_the_last(void)
{
    coop_chan *jobs = coop_chan_open(0, 2, "jobs");
    WORLD(0, scene, .jobs = jobs);
    NO_REPORTS();
    LOG_IS("at once0 goneECANCELED killed x0 y0");
    IS(coop_chan_free(jobs), 0);
}

/* Nobody does the work: that is seen. */
static void work_that_is_never_done_is_a_deadlock(void)
{
    coop_chan *jobs = coop_chan_open(0, 2, "jobs");
    int done = 0;
    world_open(0);
    IS(coop_main(boss, .jobs = jobs, .n = 2, .most = 2, .done = &done), -EDEADLK);
    REPORTED("boss waits in ChanJoin(jobs, cap 2, 2 queued, 2 not done) at test_queue.c:");
    IS(coop_chan_free(jobs), -EBUSY);
    world_drop();
    IS(coop_chan_free(jobs), 0);
}

static const suite_test tests[] = {
    TEST(join_waits_for_all_work),
    TEST(only_what_was_received_can_be_done),
    TEST(joiners_wait_for_the_last),
    TEST(work_that_is_never_done_is_a_deadlock),
};

int main(int argc, char **argv)
{
    return world_main("queue", tests, SUITE_COUNT(tests), argc, argv, "");
}
