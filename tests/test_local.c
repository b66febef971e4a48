/* Values that belong to a task: coop_local and coop_set_local. */
#include "blocks.h"

#include <errno.h>

static void say_free(coop_value value)
{
    say("free-%d", (int)value);
}

static const coop_key plain = { .name = "plain" };
static const coop_key other = { .name = "other" };
static const coop_key handed = { .name = "handed", .inherit = true };
static const coop_key owned = { .name = "owned", .free = say_free };
static const coop_key both = { .name = "both", .inherit = true, .free = say_free };

/* ---- One task ---- */

coop_routine(sets, int unused;)
{
    coop_begin;
    IS(coop_local(&plain), 0);
    IS(coop_set_local(&plain, 1), 0);
    IS(coop_set_local(&other, -EIO), 0);
    coop_trap(coop_void, Yield);
    IS(coop_local(&plain), 1);
    IS(coop_local(&other), -EIO);
    IS(coop_set_local(&plain, 3), 0);
    IS(coop_local(&plain), 3);
    IS(coop_local(&other), -EIO);
    IS(coop_local(NULL), 0);
    IS(coop_set_local(NULL, 1), -EINVAL);
    coop_end;
}

static void a_value_for_each_key(void)
{
    BALANCED(0, sets);
}

static void outside_of_all_tasks(void)
{
    IS(coop_local(&plain), 0);
    IS(coop_set_local(&plain, 1), -ESRCH);
    IS(coop_set_local(NULL, 1), -EINVAL);
    world_open(0);
    IS(coop_local(&plain), 0);
    IS(coop_set_local(&plain, 1), -ESRCH);
    world_close();
}

coop_routine(one_of_two, coop_value v; int i;)
{
    coop_begin;
    for (my->i = 0; my->i < 3; my->i++) {
        IS(coop_set_local(&plain, my->v + my->i), 0);
        coop_trap(coop_void, Yield);
        IS(coop_local(&plain), my->v + my->i);
    }
    coop_end;
}

coop_routine(two, coop_value r;)
{
    coop_begin;
    coop_all(my->r, NULL, (one_of_two, .v = 10), (one_of_two, .v = 20));
    IS(coop_local(&plain), 0);
    coop_return(my->r);
    coop_end;
}

static void tasks_do_not_see_each_others(void)
{
    BALANCED(0, two);
}

/* ---- Freed exactly once ---- */

coop_routine(owns, coop_value v;)
{
    coop_begin;
    IS(coop_set_local(&owned, my->v), 0);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    say("set");
    IS(coop_set_local(&owned, my->v + 1), 0);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(10));
    coop_finally;
    coop_trap(coop_void, Yield);
    say("has-%d", (int)coop_local(&owned));
    coop_end;
}

coop_routine(waits_for_owner, coop_tid tid; int64_t kill_after; coop_value r;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(owns, .v = 1));
    if (my->kill_after) {
        coop_trap(coop_void, Sleep, .ns = my->kill_after);
        coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    } else {
        coop_trap(coop_void, Sleep, .ns = COOP_S(1));
        say("ended");
        coop_trap(coop_void, WaitTask, .tid = my->tid);
    }
    say("waited");
    coop_end;
}

/* When it is replaced, and when the task has ended, which is behind its coop_finally parts
   and before its status is asked for. */
static void freed_when_replaced_and_at_the_end(void)
{
    world_open(0);
    IS(coop_main(waits_for_owner), 0);
    LOG_IS("set free-1 has-2 free-2 ended waited");
    IS(coop_main(waits_for_owner, .kill_after = COOP_US(500)), 0);
    LOG_IS("has-1 free-1 waited");
    IS(coop_main(waits_for_owner, .kill_after = COOP_MS(5)), 0);
    LOG_IS("set free-1 has-2 free-2 waited");
    world_close();
}

struct coop_Never { coop_call base; coop_call **list; };

static coop_value never_handle(coop_sched *sched, coop_call *call)
{
    (void)sched;
    coop_list_add(((struct coop_Never *)call)->list, call);
    return COOP_WAIT;
}

static bool never_undo(coop_sched *sched, coop_call *call)
{
    (void)sched;
    return coop_list_remove(((struct coop_Never *)call)->list, call);
}

static const coop_call_type coop_Never_type = {
    .name = "Never", .handle = never_handle, .undo = never_undo
};

coop_routine(stuck, coop_call *list;)
{
    coop_begin;
    IS(coop_set_local(&owned, 7), 0);
    coop_trap(coop_void, Never, .list = &my->list);
    coop_finally;
    coop_trap(coop_void, Never, .list = &my->list);
    coop_end;
}

coop_routine(endless, coop_call *list;)
{
    coop_begin;
    IS(coop_set_local(&both, 8), 0);
    coop_trap(coop_void, Never, .list = &my->list);
    coop_end;
}

/* Also of a task that is blocked for ever in its coop_finally part, and is dropped. */
static void freed_when_the_scheduler_closes(void)
{
    long before = blocks;
    world_open(0);
    coop_spawn(stuck);
    coop_spawn(endless);
    IS(coop_run(), -EDEADLK);
    LOG_IS("");
    world_drop();
    LOG_IS("free-8 free-7");
    IS(blocks, before);
}

static void sets_anew(coop_value value)
{
    static const coop_key again = { .name = "again", .free = say_free };
    say("free-%d", (int)value);
    if (coop_self())
        IS(coop_set_local(&again, value + 100), 0);
}

static const coop_key restless = { .name = "restless", .free = sets_anew };

static void replaces(coop_value value);
static const coop_key loop = { .name = "loop", .free = replaces };

static void replaces(coop_value value)
{
    say("free-%d", (int)value);
    if (value == 1)
        IS(coop_set_local(&loop, 3), 0);
}

coop_routine(has_restless, coop_value r;)
{
    coop_begin;
    IS(coop_set_local(&loop, 1), 0);
    IS(coop_set_local(&loop, 2), 0);
    IS(coop_local(&loop), 3);
    IS(coop_set_local(&restless, 5), 0);
    coop_end;
}

/* It may set values itself, also when it is called as the last thing. */
static void free_may_set_values(void)
{
    BALANCED(0, has_restless);
    LOG_IS("free-1 free-2 free-5 free-3 free-105");
}

/* ---- Inherited ---- */

coop_routine(heir, const char *name; coop_value expected; bool replaces; int64_t ns;)
{
    coop_begin;
    IS(coop_local(&handed), my->expected);
    IS(coop_local(&both), my->expected);
    IS(coop_local(&plain), 0);
    IS(coop_local(&owned), 0);
    if (my->replaces)
        IS(coop_set_local(&both, 50), 0);
    coop_trap(coop_void, Sleep, .ns = my->ns);
    say("%s", my->name);
    coop_end;
}

static int set_all(coop_value value)
{
    int r = coop_set_local(&plain, value);
    r = r < 0 ? r : coop_set_local(&handed, value);
    r = r < 0 ? r : coop_set_local(&owned, value + 100);
    return r < 0 ? r : coop_set_local(&both, value);
}

coop_routine(hands_down, coop_tid tid;)
{
    coop_begin;
    IS(set_all(1), 0);
    coop_trap(my->tid, NewTask,
              .target = coop_create(heir, .name = "NewTask", .expected = 1));
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    LOG_IS("NewTask");
    coop_trap(my->tid, NewTask,
              .target = coop_create(heir, .name = "own", .expected = 1, .replaces = true));
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    LOG_IS("own free-50");
    IS(coop_local(&both), 1);
    my->tid = coop_spawn(heir, .name = "coop_spawn", .expected = 1, .ns = COOP_MS(1));
    IS(coop_set_local(&handed, 2), 0);         /* it has its own already */
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    LOG_IS("coop_spawn");
    coop_end;
}

static void children_get_some_of_them(void)
{
    world_open(0);
    IS(coop_main(hands_down), 0);
    LOG_IS("free-1 free-101");
    NO_REPORTS();
    IS(coop_main(heir, .name = "none"), 0);
    world_close();
}

coop_routine(hands_on, int depth; coop_value r;)
{
    coop_begin;
    IS(coop_local(&handed), 1);
    IS(coop_local(&both), 1);
    if (my->depth > 0)
        coop_all(my->r, NULL, (hands_on, .depth = my->depth - 1),
                 (hands_on, .depth = my->depth - 1));
    coop_return(my->r);
    coop_end;
}

coop_routine(ancestor, coop_value r;)
{
    coop_begin;
    IS(set_all(1), 0);
    coop_await(my->r, hands_on, .depth = 5);
    coop_return(my->r);
    coop_end;
}

static void and_their_children(void)
{
    BALANCED(0, ancestor);
    LOG_IS("free-1 free-101");
}

/* Whoever starts it, a member is a child of the task whose group it is. */
coop_routine(recruiter, coop_group *group; coop_tid tid; bool wait;)
{
    coop_begin;
    IS(set_all(9), 0);
    coop_trap(my->tid, GroupSpawn, .group = my->group,
              .target = coop_create(heir, .name = "member", .expected = 1));
    coop_end;
}

coop_routine(owns_group, size_t limit; coop_group *group; coop_tid stranger; coop_value r;)
{
    coop_begin;
    IS(set_all(1), 0);
    coop_trap(my->group, Group, .limit = my->limit);
    coop_trap(coop_void, GroupSpawn, .group = my->group,
              .target = coop_create(recruiter, .group = my->group));
    if (my->limit == 1)
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    coop_trap(my->r, GroupWait, .group = my->group);
    coop_return(my->r);
    coop_end;
}

coop_routine(stranger, coop_group *group;)
{
    coop_begin;
    coop_await(coop_void, recruiter, .group = my->group);
    coop_end;
}

coop_routine(owns_full_group, coop_group *group; coop_tid tid; coop_value r;)
{
    coop_begin;
    IS(set_all(1), 0);
    coop_trap(my->group, Group, .limit = 1);
    coop_trap(coop_void, GroupSpawn, .group = my->group,
              .target = coop_create(heir, .name = "first", .expected = 1,
                                    .ns = COOP_MS(3)));
    my->tid = coop_spawn(stranger, .group = my->group);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(5));
    coop_trap(my->r, GroupWait, .group = my->group);
    coop_return(my->r);
    coop_end;
}

static void members_get_them_from_the_one_whose_group_it_is(void)
{
    BALANCED(0, owns_group);
    LOG_IS("free-109 free-9 member free-1 free-101");
    BALANCED(0, owns_full_group);         /* started by the end of another member */
    LOG_IS("first free-109 free-9 member free-1 free-101");
}

/* ---- Memory ---- */

coop_routine(heir_of_all, int unused;)
{
    coop_begin;
    IS(coop_local(&handed), 1);
    IS(coop_local(&both), 1);
    coop_end;
}

coop_routine(needs_memory, coop_tid tid; int r; coop_value v;)
{
    coop_begin;
    if ((my->r = coop_set_local(&both, 1)) < 0 || (my->r = coop_set_local(&handed, 1)) < 0)
        coop_return(my->r);
    if ((my->r = coop_set_local(&both, 1)) < 0)
        coop_return(my->r);
    coop_trap(my->tid, NewTask, .target = coop_create(heir_of_all));
    if (my->tid < 0)
        coop_return(my->tid);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    my->tid = coop_spawn(heir_of_all);
    if (my->tid < 0)
        coop_return(my->tid);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    coop_all(my->v, NULL, (heir_of_all, .unused = 0));
    coop_return(my->v);
    coop_end;
}

static void each_allocation_fails(void)
{
    unsigned long n = 0;
    bool came;
    do {
        long before = blocks;
        world_open(0);
        blocks_fail(++n, false);
        coop_value r = coop_main(needs_memory);
        came = asked >= n;
        blocks_fail(0, false);
        CU_ASSERT(r == 0 || (r == -ENOMEM && came));
        NO_REPORTS();
        world_close();
        IS(blocks, before);
    } while (came && n < 100);
    CU_ASSERT(n > 10 && n < 100);
}

static const suite_test tests[] = {
    TEST(a_value_for_each_key),
    TEST(outside_of_all_tasks),
    TEST(tasks_do_not_see_each_others),
    TEST(freed_when_replaced_and_at_the_end),
    TEST(freed_when_the_scheduler_closes),
    TEST(free_may_set_values),
    TEST(children_get_some_of_them),
    TEST(and_their_children),
    TEST(members_get_them_from_the_one_whose_group_it_is),
    TEST(each_allocation_fails),
};

int main(int argc, char **argv)
{
    return world_main("local", tests, SUITE_COUNT(tests), argc, argv, "");
}
