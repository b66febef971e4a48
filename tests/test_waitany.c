/* WaitAny, coop_any and coop_within: calls made of others. */
#include "tasks/iopoll.h"
#include "world.h"

#include <errno.h>

/* Two parts that wait for the same event of the same descriptor, with others around them. */
coop_routine(reads, int id; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ReadWait, .fd = 5);
    say("r%d-%s", my->id, result(my->r));
    coop_end;
}

coop_routine(reads_twice, coop_value r, v;)
{
    coop_begin;
    coop_any(my->r, my->v, (ReadWait, .fd = 5), (WriteWait, .fd = 5), (ReadWait, .fd = 5));
    say("any%td-%s", my->r, result(my->v));
    coop_end;
}

coop_routine(closes, int64_t ns; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_trap(my->r, Close, .fd = 5);
    coop_end;
}

static void same_event_twice(void)
{
    for (int close = 0; close < 2; close++) {
        world_open(0);
        coop_spawn(reads, .id = 1);
        coop_spawn(reads_twice);
        coop_spawn(reads, .id = 2);
        if (close)
            coop_spawn(closes, .ns = 10);
        else
            virtual_fire(&world.machine, 10, 5, COOP_READ);
        IS(coop_run(), 0);
        LOG_IS(close ? "r1-EBADF any0-EBADF r2-EBADF" : "r1-0 any0-0 r2-0");
        IS(coop_this->io->lists, 0);
        world_close();
    }
}

/* The same with signals, of which some come. */
static uint64_t come;

static int want(coop_machine *m, uint64_t signals)
{
    (void)m;
    (void)signals;
    return 0;
}

static uint64_t arrived(coop_machine *m)
{
    uint64_t all = come;
    (void)m;
    come = 0;
    return all;
}

coop_routine(two_signals, coop_value r, v;)
{
    coop_begin;
    coop_any(my->r, my->v, (SignalWait, .signals = COOP_SIGNAL(1)),
             (SignalWait, .signals = COOP_SIGNAL(2) | COOP_SIGNAL(1)),
             (SignalWait, .signals = COOP_SIGNAL(2)));
    say("any%td-%td", my->r, my->v);
    coop_trap(my->r, SignalWait, .signals = ~UINT64_C(0));
    say("left-%td", my->r);
    coop_end;
}

static void signals(void)
{
    world_open(0);
    world.machine.face.want = want;
    world.machine.face.arrived = arrived;
    come = COOP_SIGNAL(1) | COOP_SIGNAL(2);
    coop_spawn(two_signals);
    coop_spawn(closes, .ns = 10);
    IS(coop_run(), 0);
    LOG_IS("any0-1 left-2");
    world_close();
}

static const suite_test tests[] = {
    TEST(same_event_twice), TEST(signals),
};

int main(int argc, char **argv)
{
    return suite_main("waitany", tests, SUITE_COUNT(tests), argc, argv);
}
