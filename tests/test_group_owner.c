/* Whose group it is: the owner ended in each of its calls, others that use it, what is
   refused. */
#include "routines.h"

#include <errno.h>

/* The owner is ended in each of the calls about its group, with room in it for one. */
enum { IN_WAIT, IN_SPAWN, IN_NEXT, IN_END, IN_SLEEP, IN_ANY, PLACES };
enum { BY_KILL, BY_CANCEL, BY_DEADLINE, BY_EXIT, WAYS };

coop_routine(owner, int place, way; coop_group *g; coop_value r, v;)
{
    coop_begin;
    if (my->way == BY_DEADLINE)
        coop_trap(coop_void, Deadline, .ns = 10);
    coop_trap(my->g, Group, .limit = 1, .keep = true);
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(member, .ns = 100, .late = 5));
    if (my->way == BY_EXIT)
        coop_trap(coop_void, Exit, .value = 4);
    if (my->place == IN_WAIT)
        coop_trap(my->r, GroupWait, .group = my->g);
    if (my->place == IN_SPAWN)
        coop_trap(my->r, GroupSpawn, .group = my->g, .target = coop_create(member));
    if (my->place == IN_NEXT)
        coop_trap(my->r, GroupNext, .group = my->g);
    if (my->place == IN_SLEEP)
        coop_trap(my->r, Sleep, .ns = 100);
    if (my->place == IN_ANY)
        coop_any(my->r, my->v, (GroupWait, .group = my->g), (GroupNext, .group = my->g),
                 (GroupSpawn, .group = my->g, .target = coop_create(member)));
    coop_return(my->r);
    coop_finally;
    say("finally@%td", (coop_value)world.machine.clock);
    coop_end;
}

coop_routine(ends_owner, int place, way; coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(owner, .place = my->place,
                                                      .way = my->way));
    if (my->way == BY_KILL || my->way == BY_CANCEL)
        coop_trap(coop_void, Sleep, .ns = 10);
    if (my->way == BY_KILL)
        coop_trap(coop_void, KillTask, .tid = my->tid);
    if (my->way == BY_CANCEL)
        coop_trap(coop_void, Cancel, .tid = my->tid);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    coop_return(my->status.end * 1000 - my->r);
    coop_end;
}

static void owner_is_ended(void)
{
    static const coop_value wanted[] = {
        COOP_KILLED * 1000 + ECANCELED, COOP_CANCELLED * 1000 + ECANCELED,
        COOP_FAILED * 1000 + ETIMEDOUT, COOP_OK * 1000 - 4
    };
    for (int place = 0; place < PLACES; place++)
        for (int way = 0; way < WAYS; way++) {
            world_open(0);
            coop_value v = coop_main(ends_owner, .place = place, .way = way);
            bool returns = place == IN_END && (way == BY_CANCEL || way == BY_DEADLINE);
            IS(v, returns ? COOP_OK * 1000 : wanted[way]);
            LOG_IS(way == BY_EXIT ? "m0-ECANCELED m0-ends finally@5"
                                  : "m0-ECANCELED m0-ends finally@15");
            NO_REPORTS();
            world_close();
        }
}

/* Others may use a group, too, while it is there. */
coop_routine(outsider, coop_group *g; int how; coop_value r;)
{
    coop_begin;
    if (my->how == 0)
        coop_trap(my->r, GroupNext, .group = my->g);
    if (my->how == 1)
        coop_trap(my->r, GroupSpawn, .group = my->g,
                  .target = coop_create(member, .id = 9));
    if (my->how == 2)
        coop_trap(my->r, GroupWait, .group = my->g);
    if (my->how == 3)
        coop_trap(my->r, GroupCancel, .group = my->g, .why = "from outside");
    say("out%d-%s", my->how, result(my->r));
    coop_end;
}

coop_routine(with_outsiders, bool cancels; coop_group *g; int i; coop_value r;)
{
    coop_begin;
    coop_trap(my->g, Group, .limit = 1, .keep = true, .mode = COOP_EACH);
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(member, .ns = 10));
    for (; my->i < (my->cancels ? 4 : 3); my->i++)
        coop_spawn(outsider, .g = my->g, .how = my->i);
    coop_spawn(outsider, .g = my->g);
    coop_end;
}

static void outsiders(void)
{
    world_open(0);
    IS(coop_main(with_outsiders), 0);
    LOG_IS("out2-EPERM m0-0 m0-ends out0-0 out1-8 m9-0 m9-ends out0-0");
    IS(coop_main(with_outsiders, .cancels = true), 0);
    LOG_IS("out2-EPERM m0-ECANCELED m0-ends out3-0 out0-ECANCELED out1-ECANCELED "
           "out0-ECHILD");
    NO_REPORTS();
    world_close();
}

/* What is refused. */
coop_routine(refused, coop_group *g; coop_value r; coop_coroutine *co; coop_status status;)
{
    coop_begin;
    coop_trap(my->r, GroupSpawn, .target = coop_create(member));
    IS(my->r, -EINVAL);
    coop_trap(my->r, GroupWait);
    IS(my->r, -EINVAL);
    coop_trap(my->r, GroupNext, .status = &my->status);
    IS(my->r, -EINVAL);
    coop_trap(my->r, GroupCancel);
    IS(my->r, -EINVAL);
    coop_trap(my->g, Group);
    coop_trap(my->r, GroupNext, .group = my->g);
    IS(my->r, -EINVAL);
    coop_trap(my->r, GroupSpawn, .group = my->g);
    IS(my->r, -ENOMEM);
    coop_trap(my->r, GroupSpawn, .group = my->g, .target = &coop_this->current->co);
    IS(my->r, -EBUSY);
    my->co = coop_create(member);
    coop_co_next(my->co, NULL);
    coop_trap(my->r, GroupSpawn, .group = my->g, .target = my->co);
    IS(my->r, -EINVAL);
    coop_co_free(my->co);
    coop_trap(my->r, GroupCancel, .group = my->g);
    IS(my->r, 0);
    coop_trap(my->r, GroupSpawn, .group = my->g, .target = coop_create(member));
    IS(my->r, -ECANCELED);
    coop_trap(my->r, GroupWait, .group = my->g);
    IS(my->r, 0);
    coop_trap(my->r, GroupWait, .group = my->g);
    IS(my->r, -EINVAL);
    coop_trap(my->r, GroupCancel, .group = my->g);
    IS(my->r, -EINVAL);
    coop_trap(my->r, GroupSpawn, .group = my->g, .target = coop_create(member));
    IS(my->r, -EINVAL);
    coop_end;
}

static void refusals(void)
{
    WORLD(0, refused);
    NO_REPORTS();
}

static const suite_test tests[] = {
    TEST(owner_is_ended), TEST(outsiders), TEST(refusals),
};

int main(int argc, char **argv)
{
    return world_main("group_owner", tests, SUITE_COUNT(tests), argc, argv, "");
}
