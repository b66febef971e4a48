/* Groups of fibers: when they end, and what their members may use until then. */
#include "world.h"

#include <errno.h>

coop_routine(member, const char *name;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 100);
    coop_finally;
    say("%s", my->name);
    coop_end;
}

static void has_a_group(void *arg)
{
    coop_group *group = coop_group_open(NULL, COOP_ALL);
    (void)arg;
    IS(coop_group_spawn(group, coop_create(member, .name = "late"), NULL) > 0, 1);
    say("second");
}

static coop_value has_groups(void *arg)
{
    coop_group *group = coop_group_open(NULL, COOP_ALL);
    IS(coop_group_spawn(group, coop_create(member, .name = "early"), NULL) > 0, 1);
    IS(coop_defer(say_it, "third"), 0);
    IS(coop_defer(has_a_group, NULL), 0);
    IS(coop_defer(say_it, "first"), 0);
    say("ends");
    return (intptr_t)arg;
}

static void groups_end_before_defers_and_within(void)
{
    WORLD(6, COOP_FIBER(has_groups, (void *)6));
    LOG_IS("ends early first second late third");
}

/* ---- Members that use the variables of the fiber whose group it is ---- */

struct lent { int begun, done; coop_value late; };

static coop_value uses_lent(void *arg)
{
    struct lent *lent = arg;
    lent->begun++;
    IS(coop_sleep(COOP_S(1)), -ECANCELED);
    coop_shield(true);
    coop_sleep(COOP_MS(4));
    lent->done++;
    return lent->late;
}

enum { CANCELLED, KILLED, CANCELLED_AND_KILLED, TOO_LATE };

static coop_value lends(void *arg)
{
    struct lent lent = { .late = ((coop_value *)arg)[1] };
    coop_group *group = coop_group_open("crew", COOP_ALL);
    if (*(coop_value *)arg == TOO_LATE)
        coop_deadline(COOP_MS(1));
    for (int i = 0; i < 3; i++)
        coop_group_spawn(group, coop_create(COOP_FIBER(uses_lent, &lent)), NULL);
    coop_value r = coop_group_wait(group);
    IS(lent.begun, 3);
    IS(lent.done, 3);
    IS(coop_group_wait(group), -EINVAL);
    say("%s", result(r));
    return r;
}

coop_routine(ends_who_lends, coop_value how[2]; coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(COOP_FIBER(lends, my->how)));
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    if (my->how[0] == CANCELLED || my->how[0] == CANCELLED_AND_KILLED)
        coop_trap(my->r, Cancel, .tid = my->tid);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    if (my->how[0] == KILLED || my->how[0] == CANCELLED_AND_KILLED)
        coop_trap(my->r, KillTask, .tid = my->tid);
    coop_trap(coop_void, WaitTask, .tid = my->tid, .status = &my->status);
    say("%d", (int)my->status.end);
    coop_end;
}

static void what_is_lent_to_members_stays(void)
{
    static const struct { int how, late; const char *log; } cases[] = {
        { CANCELLED, 0, "ECANCELED 4" }, { CANCELLED, -EPIPE, "EPIPE 2" },
        { KILLED, 0, "ECANCELED 3" }, { KILLED, -EPIPE, "EPIPE 3" },
        { CANCELLED_AND_KILLED, 0, "ECANCELED 3" }, { CANCELLED_AND_KILLED, -EPIPE, "EPIPE 3" },
        { TOO_LATE, 0, "ETIMEDOUT 2" }, { TOO_LATE, -EPIPE, "EPIPE 2" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        WORLD(0, ends_who_lends, .how = { cases[i].how, cases[i].late });
        LOG_IS(cases[i].log);
        if (cases[i].late)                 /* only the first failure is the group's result */
            REPORTED("coop: task 5 uses_lent failed: -32 EPIPE");
        else
            NO_REPORTS();
    }
}

/* Who is cancelled, and waits for a group that is another's, does not cancel that. */
static coop_value sleeps(void *arg)
{
    (void)arg;
    return coop_sleep(COOP_MS(4));
}

static coop_value shows_its_group(void *arg)
{
    coop_group *group = *(coop_group **)arg = coop_group_open("crew", COOP_ALL);
    coop_group_spawn(group, coop_create(COOP_FIBER(sleeps, NULL)), NULL);
    return coop_group_wait(group);
}

static coop_value meddles(void *arg)
{
    IS(coop_sleep(COOP_S(1)), -ECANCELED);
    IS(coop_group_wait(*(coop_group **)arg), -EPERM);
    return 0;
}

coop_routine(cancels_who_meddles, coop_group *group; coop_tid owner, tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->owner, NewTask,
              .target = coop_create(COOP_FIBER(shows_its_group, &my->group)));
    coop_trap(my->tid, NewTask, .target = coop_create(COOP_FIBER(meddles, &my->group)));
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    coop_trap(my->r, Cancel, .tid = my->tid);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    IS(my->r, 0);
    coop_trap(my->r, WaitTask, .tid = my->owner);
    coop_return(my->r);
    coop_end;
}

static void a_group_of_anothers(void)
{
    WORLD(0, cancels_who_meddles);
    NO_REPORTS();
}

static const suite_test tests[] = {
    TEST(groups_end_before_defers_and_within),
    TEST(what_is_lent_to_members_stays),
    TEST(a_group_of_anothers),
};

int main(int argc, char **argv)
{
    return suite_main("fibergroups", tests, SUITE_COUNT(tests), argc, argv);
}
