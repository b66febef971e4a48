/* Who is whose parent, and for how long. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static coop_tid parent_of(coop_tid tid)
{
    coop_info info;
    IS(coop_inspect(tid, &info), 0);
    return info.parent;
}

coop_routine(sleeps, int64_t ns; coop_value gives;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_return(my->gives);
    coop_end;
}

/* Ends before its children, of each kind; its own status is kept. */
coop_routine(ends_early, coop_tid *kids; coop_group *g; bool exits;)
{
    coop_begin;
    my->kids[0] = coop_spawn(sleeps, .ns = 50);
    coop_trap(my->kids[1], NewTask, .target = coop_create(sleeps, .ns = 60, .gives = -EIO));
    coop_trap(my->kids[2], GroupSpawn, .group = my->g,
              .target = coop_create(sleeps, .ns = 70));
    coop_trap(coop_void, Sleep, .ns = 10);
    IS(parent_of(my->kids[0]), coop_self());
    IS(parent_of(my->kids[1]), coop_self());
    IS(parent_of(my->kids[2]), 1);
    if (my->exits)
        coop_trap(coop_void, Exit);
    coop_finally;
    coop_trap(coop_void, Sleep, .ns = 10);
    IS(parent_of(my->kids[0]), coop_self());       /* ending is not ended */
    coop_end;
}

coop_routine(looks, bool exits; coop_tid tid, kids[3]; coop_group *g; coop_value r;
             coop_info info;)
{
    coop_begin;
    coop_trap(my->g, Group);
    coop_trap(my->tid, NewTask,
              .target = coop_create(ends_early, .kids = my->kids, .g = my->g,
                                    .exits = my->exits));
    IS(parent_of(coop_self()), 0);
    IS(parent_of(my->tid), coop_self());
    coop_trap(coop_void, Sleep, .ns = 30);
    IS(coop_inspect(my->tid, &my->info), 0);
    IS(my->info.state, COOP_ENDED);
    IS(my->info.parent, coop_self());
    IS(parent_of(my->kids[0]), 0);
    IS(parent_of(my->kids[1]), 0);
    IS(parent_of(my->kids[2]), coop_self());
    coop_trap(my->r, WaitTask, .tid = COOP_CHILD);
    IS(my->r, 0);
    IS(parent_of(my->kids[1]), 0);
    coop_trap(my->r, WaitTask, .tid = COOP_CHILD);
    IS(my->r, -ECHILD);            /* nobody inherits them */
    NO_REPORTS();
    coop_trap(coop_void, Sleep, .ns = 100);
    no_trace_of(my->kids[1]);      /* its status was kept by nobody */
    coop_end;
}

static void orphans(void)
{
    for (int exits = 0; exits < 2; exits++) {
        world_open(0);
        IS(coop_main(looks, .exits = exits), 0);
        REPORTED("coop: task 4 sleeps failed: -5 EIO (created at test_family.c:");
        NO_REPORTS();              /* once */
        world_close();
    }
}

/* The same in what people and observers see. */
static char spawned[200];

static void note_spawn(coop_observer *o, const coop_event *e)
{
    size_t used = strlen(spawned);
    (void)o;
    if (e->kind == COOP_SPAWN && !e->system)
        snprintf(spawned + used, sizeof spawned - used, "%td-by-%td ", e->tid, e->other);
}

coop_routine(makes_one, int unused;)
{
    coop_begin;
    coop_spawn(sleeps, .ns = 50);
    coop_end;
}

static void ps_and_events(void)
{
    static coop_observer observer;
    char table[1000];
    coop_text text = { .data = table, .size = sizeof table };
    world_open(0);
    spawned[0] = '\0';
    observer = (coop_observer){ .event = note_spawn };
    coop_observe(&observer);
    coop_spawn(makes_one);
    world.machine.poll_error = -EIO;               /* stops it when both had their turn */
    IS(coop_run(), -EIO);
    IS(coop_ps(&text), 0);
    CU_ASSERT(strstr(table, "    2      0 waiting") != NULL);
    CU_ASSERT_STRING_EQUAL(spawned, "1-by-0 2-by-1 ");
    IS(coop_run(), 0);
    world_close();
}

static const suite_test tests[] = {
    TEST(orphans), TEST(ps_and_events),
};

int main(int argc, char **argv)
{
    return world_main("family", tests, SUITE_COUNT(tests), argc, argv, "");
}
