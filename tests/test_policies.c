/* Policies: the order under each, what they promise about waiting, and what they must do
   with tasks that are taken out. */
#include "park.h"
#include "policy/policy.h"
#include "routines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool no_memory, no_notes;       /* the second: for what few tasks have */

void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__wrap_calloc(size_t, size_t);

void *__wrap_malloc(size_t size)
{
    bool note = size == sizeof(struct coop_more);
    return no_memory || (no_notes && note) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory ? NULL : __real_calloc(n, size);
}

static void open_under(coop_policy *policy)
{
    world_open_with((coop_options){ .policy = policy });
}

coop_routine(worker, const char *name; int steps, i;)
{
    coop_begin;
    for (; my->i < my->steps; my->i++) {
        say("%s%d", my->name, my->i);
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

static coop_tid worker_of(const char *name, int steps, int rank)
{
    coop_tid tid = coop_spawn(worker, .name = name, .steps = steps);
    IS(coop_rank(tid, rank), 0);
    return tid;
}

static void ready_are(const char *expected)
{
    coop_tid tids[10];
    char text[80] = "";
    coop_value n = coop_ready_tasks(tids, 10);
    for (int i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%td", i ? " " : "",
                 tids[i]);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

/* ---- Priority */

static void equals_take_turns(void)
{
    open_under(coop_priority());
    worker_of("a", 3, 5);
    worker_of("b", 2, 5);
    worker_of("c", 3, 5);
    IS(coop_run(), 0);
    LOG_IS("a0 b0 c0 a1 b1 c1 a2 c2");
    world_close();
}

static void the_highest_goes_first(void)
{
    open_under(coop_priority());
    worker_of("a", 2, 0);
    worker_of("b", 2, 63);
    worker_of("c", 2, 1);
    worker_of("d", 2, 1000);
    ready_are("2 4 3 1");
    IS(coop_run(), 0);
    LOG_IS("b0 d0 b1 d1 c0 c1 a0 a1");
    world_close();
}

static void a_new_rank_is_a_new_place(void)
{
    open_under(coop_priority());
    coop_tid a = worker_of("a", 1, 3);
    worker_of("b", 1, 3);
    worker_of("c", 1, 2);
    ready_are("1 2 3");
    IS(coop_rank(a, 2), 0);
    ready_are("2 3 1");
    IS(coop_rank(a, 2), 0);
    IS(coop_rank(2, 3), 0);        /* nothing new */
    ready_are("2 3 1");
    IS(coop_rank(a, 7), 0);
    ready_are("1 2 3");
    IS(coop_run(), 0);
    LOG_IS("a0 b0 c0");
    world_close();
}

coop_routine(napper, const char *name; int naps;)
{
    coop_begin;
    while (my->naps--) {
        say("%s-naps", my->name);
        coop_trap(coop_void, Sleep, .ns = 1);
    }
    say("%s-ends", my->name);
    coop_end;
}

/* All that is left to the lower one is the time in which the other waits. */
static void strict_priority_starves(void)
{
    open_under(coop_priority());
    worker_of("low", 3, 1);
    coop_rank(coop_spawn(napper, .name = "high", .naps = 2), 2);
    worker_of("mid", 200, 2);
    IS(coop_run(), 0);
    CU_ASSERT(!strncmp(world.log, "high-naps mid0 mid1", 19));
    CU_ASSERT(strstr(world.log, "mid199 low0") != NULL);
    CU_ASSERT(strstr(world.log, "low2 high-naps high-ends") != NULL);
    clear_log();
    world_close();
}

coop_routine(changes_itself, coop_tid other;)
{
    coop_begin;
    IS(coop_rank(coop_self(), 9), 0);
    say("9");
    coop_trap(coop_void, Yield);
    say("still");
    IS(coop_rank(coop_self(), 0), 0);
    coop_trap(coop_void, Yield);
    say("last");
    coop_end;
}

static void a_task_may_rank_itself(void)
{
    open_under(coop_priority());
    coop_spawn(changes_itself);
    worker_of("a", 2, 1);
    ready_are("2 1");
    coop_rank(2, 0);
    IS(coop_run(), 0);
    LOG_IS("9 still a0 last a1");
    world_close();
}

/* ---- Lottery */

static char drawn[3001];
static int draws;

coop_routine(player, char name;)
{
    coop_begin;
    while (draws < 3000) {
        drawn[draws++] = my->name;
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

/* "abc" with the ranks of a lottery of 3000 draws. */
static void play(uint64_t seed, int a, int b, int c)
{
    memset(drawn, 0, sizeof drawn);
    draws = 0;
    open_under(coop_lottery(seed));
    coop_rank(coop_spawn(player, .name = 'a'), a);
    coop_rank(coop_spawn(player, .name = 'b'), b);
    coop_rank(coop_spawn(player, .name = 'c'), c);
    IS(coop_run(), 0);
    world_close();
}

static int times(char name)
{
    int n = 0;
    for (int i = 0; i < 3000; i++)
        n += drawn[i] == name;
    return n;
}

/* Within four standard deviations of what is to be expected. */
static void is_about(int n, int expected, int deviation)
{
    if (n < expected - 4 * deviation || n > expected + 4 * deviation)
        IS(n, expected);
}

static void shares_are_as_tickets(void)
{
    for (uint64_t seed = 0; seed < 5; seed++) {
        play(seed, 75, 20, 5);
        is_about(times('a'), 2250, 24);
        is_about(times('b'), 600, 22);
        is_about(times('c'), 150, 12);
        play(seed, 0, 0, 1);       /* one ticket each */
        is_about(times('a'), 1000, 26);
        is_about(times('c'), 1000, 26);
    }
}

static void a_seed_is_a_run(void)
{
    char before[sizeof drawn];
    play(7, 3, 2, 1);
    memcpy(before, drawn, sizeof drawn);
    play(7, 3, 2, 1);
    CU_ASSERT(!memcmp(before, drawn, sizeof drawn));
    play(8, 3, 2, 1);
    CU_ASSERT(memcmp(before, drawn, sizeof drawn));
}

static void huge_ranks_are_fine(void)
{
    play(1, INT32_MAX, INT32_MAX, 1);
    is_about(times('a'), 1500, 27);
    IS(times('c'), 0);
}

/* ---- Multi-level feedback */

/* Spawns another one in its step after. */
coop_routine(parent, const char *name; int steps, after; const char *child; int i;)
{
    coop_begin;
    for (; my->i < my->steps; my->i++) {
        say("%s%d", my->name, my->i);
        if (my->i == my->after)
            coop_spawn(worker, .name = my->child, .steps = 5);
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

static void who_used_much_comes_after_who_used_little(void)
{
    open_under(coop_mlfq(3, 2, 1000));
    coop_spawn(parent, .name = "a", .steps = 8, .after = 4, .child = "b");
    IS(coop_run(), 0);
    LOG_IS("a0 a1 a2 a3 a4 b0 b1 b2 b3 a5 b4 a6 a7");
    world_close();
}

static void a_boost_brings_all_back(void)
{
    open_under(coop_mlfq(3, 2, 6));
    coop_spawn(parent, .name = "a", .steps = 8, .after = 4, .child = "b");
    IS(coop_run(), 0);
    LOG_IS("a0 a1 a2 a3 a4 b0 b1 a5 b2 a6 b3 a7 b4");
    world_close();
}

coop_routine(parker, int times;)
{
    coop_begin;
    while (my->times--) {
        say("i");
        coop_trap(coop_void, Park);
    }
    coop_end;
}

coop_routine(rouser, const char *name; int times, parks;)
{
    coop_begin;
    while (my->times--) {
        say("%s", my->name);
        if (my->times == my->parks)
            coop_spawn(parker, .times = 6);
        coop_trap(coop_void, Unpark);
    }
    coop_end;
}

/* Three slices at the highest level. It comes when the others are down already: right
   behind who woke it as long as it has some left, and then it waits for its turn. */
static void to_wait_keeps_the_level_but_does_not_renew_it(void)
{
    open_under(coop_mlfq(2, 3, 1000));
    coop_spawn(rouser, .name = "a", .times = 8, .parks = 4);
    coop_spawn(rouser, .name = "b", .times = 8, .parks = -1);
    IS(coop_run(), 0);
    LOG_IS("a b a b a b a i b i a i b a i b a i b a i b");
    world_close();
}

/* ---- What all promise */

static long slices, ran_last, longest;
static coop_tid watched;

static void measure(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->kind != COOP_RUN)
        return;
    slices++;
    if (e->tid == watched) {
        longest = slices - ran_last > longest ? slices - ran_last : longest;
        ran_last = slices;
    }
}

static int left;

coop_routine(short_one, coop_tid next;)
{
    coop_begin;
    if (--left > 0)
        my->next = coop_spawn(short_one);
    coop_end;
}

coop_routine(long_one, int turns;)
{
    coop_begin;
    for (; left > 0; my->turns++)
        coop_trap(coop_void, Yield);
    coop_end;
}

/* The most slices from one of the long task to its next, beside two of those that are
   always new. */
static long longest_wait_under(coop_policy *policy)
{
    static coop_observer observer = { .event = measure };
    open_under(policy);
    slices = ran_last = longest = 0;
    left = 2000;
    watched = coop_spawn(long_one);
    coop_spawn(short_one);
    coop_spawn(short_one);
    IS(coop_observe(&observer), 0);
    IS(coop_run(), 0);
    world_close();
    return longest;
}

static void rule_4_under_each(void)
{
    IS(longest_wait_under(coop_fifo()), 3);
    IS(longest_wait_under(coop_priority()), 3);
    long wait = longest_wait_under(coop_mlfq(3, 4, 50));
    CU_ASSERT(wait <= 53);
    CU_ASSERT(wait > 30);          /* it was the boost */
    CU_ASSERT(longest_wait_under(coop_mlfq(3, 4, 1000000)) > 1900);
    CU_ASSERT(longest_wait_under(coop_lottery(1)) < 40);
}

static coop_policy *policy_number(int i)
{
    switch (i) {
    case 0: return coop_fifo();
    case 1: return coop_priority();
    case 2: return coop_lottery(1);
    case 3: return coop_mlfq(0, 0, 0);
    default: return NULL;
    }
}

static bool takes_out(coop_tid tid)
{
    return coop_this->policy->remove(coop_this->policy, coop_find(coop_this, tid));
}

static void puts_back(coop_tid tid)
{
    coop_this->policy->put(coop_this->policy, coop_find(coop_this, tid));
}

static void any_can_be_taken_out(void)
{
    for (int i = 0; i < 4; i++) {
        open_under(policy_number(i));
        for (int n = 0; n < 4; n++)
            coop_spawn(worker, .name = "", .steps = 1);
        for (int round = 0; round < 2; round++) {
            CU_ASSERT(takes_out(2));
            CU_ASSERT(!takes_out(2));
            CU_ASSERT(takes_out(4));
            ready_are("1 3");
            puts_back(2);
            CU_ASSERT(takes_out(1));
            CU_ASSERT(takes_out(3));
            CU_ASSERT(takes_out(2));
            ready_are("");
            CU_ASSERT_PTR_NULL(coop_this->policy->take(coop_this->policy));
            for (coop_tid tid = 1; tid <= 4; tid++)
                puts_back(tid);
            ready_are("1 2 3 4");
        }
        IS(coop_run(), 0);
        LOG_IS("0 0 0 0");
        world_close();
    }
}

coop_routine(killer, coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    no_trace_of(my->tid);
    coop_end;
}

static void ready_tasks_are_killed(void)
{
    for (int i = 0; i < 4; i++) {
        open_under(policy_number(i));
        for (coop_tid tid = 1; tid <= 3; tid++) {
            coop_spawn(worker, .name = "", .steps = 1000);
            coop_rank(tid, (int)tid);
        }
        for (coop_tid tid = 1; tid <= 3; tid++)
            coop_rank(coop_spawn(killer, .tid = tid), 50);
        IS(coop_run(), 0);
        clear_log();
        world_close();
    }
}

static void with_other_policies_a_rank_is_a_number(void)
{
    coop_info info;
    for (int i = 0; i < 4; i += 3) {
        open_under(policy_number(i));
        worker_of("a", 1, 1);
        worker_of("b", 1, 5);
        worker_of("c", 1, 3);
        IS(coop_inspect(2, &info), 0);
        IS(info.rank, 5);
        IS(info.raised, 5);
        ready_are("1 2 3");
        IS(coop_run(), 0);
        LOG_IS("a0 b0 c0");
        world_close();
    }
}

/* ---- Errors, memory, the environment */

static void ranks_are_refused(void)
{
    coop_info info;
    IS(coop_rank(1, 1), -ESRCH);
    open_under(coop_priority());
    coop_spawn(naps, .ns = 1);
    IS(coop_rank(1, -1), -EINVAL);
    IS(coop_rank(7, 1), -ESRCH);
    no_memory = true;
    IS(coop_rank(1, 1), -ENOMEM);
    no_memory = false;
    IS(coop_rank(1, 4), 0);
    no_memory = true;
    IS(coop_rank(1, 5), 0);        /* once there is room, there is */
    no_memory = false;
    IS(coop_inspect(1, &info), 0);
    IS(info.rank, 5);
    IS(coop_run(), 0);
    IS(coop_inspect(2, &info), 0);
    CU_ASSERT(info.system);
    IS(coop_rank(2, 1), -EPERM);
    world_close();
}

static void no_memory_for_a_policy(void)
{
    no_memory = true;
    for (int i = 0; i < 4; i++)
        CU_ASSERT_PTR_NULL(policy_number(i));
    no_memory = false;
}

/* Nor for its notes: all stay at the highest level. */
static void mlfq_without_memory(void)
{
    open_under(coop_mlfq(2, 2, 1000));
    no_notes = true;
    coop_spawn(parent, .name = "a", .steps = 4, .after = 2, .child = "b");
    IS(coop_run(), 0);
    no_notes = false;
    LOG_IS("a0 a1 a2 b0 a3 b1 b2 b3 b4");
    world_close();
}

static void strange_numbers(void)
{
    open_under(coop_mlfq(1, 1, 1));
    worker_of("a", 2, 0);
    worker_of("b", 2, 0);
    IS(coop_run(), 0);
    LOG_IS("a0 b0 a1 b1");
    world_close();
    open_under(coop_mlfq(UINT32_MAX, UINT32_MAX, UINT32_MAX));
    worker_of("a", 2, 0);
    worker_of("b", 2, 0);
    IS(coop_run(), 0);
    LOG_IS("a0 b0 a1 b1");
    world_close();
}

static int open_by(const char *word, coop_options options)
{
    memset(&world, 0, sizeof world);
    options.machine = virtual_machine(&world.machine);
    options.report = world_report;
    options.arg = &world;
    setenv("COOP_POLICY", word, 1);
    int r = coop_sched_open(&options);
    unsetenv("COOP_POLICY");
    return r;
}

static void is_chosen(const char *word, coop_options options, const char *name)
{
    IS(open_by(word, options), 0);
    CU_ASSERT_STRING_EQUAL(coop_this->policy->name, name);
    NO_REPORTS();
    IS(coop_sched_close(), 0);
}

static void words(void)
{
    static const char *const bad[] = {
        "Fifo", "prio", "lottery:", "lottery:x", "lottery7", "lottery:-1", "mlfq:3", "mlfq "
    };
    const char *asked = getenv("COOP_POLICY");
    char *before = asked ? strdup(asked) : NULL;
    is_chosen("", (coop_options){ 0 }, "fifo");
    is_chosen("fifo", (coop_options){ 0 }, "fifo");
    is_chosen("priority", (coop_options){ 0 }, "priority");
    is_chosen("lottery", (coop_options){ 0 }, "lottery");
    is_chosen("lottery:17", (coop_options){ 0 }, "lottery");
    is_chosen("mlfq", (coop_options){ 0 }, "mlfq");
    is_chosen("mlfq", (coop_options){ .no_env = true }, "fifo");
    is_chosen("mlfq", (coop_options){ .policy = coop_priority() }, "priority");
    is_chosen("nonsense", (coop_options){ .policy = coop_priority() }, "priority");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        IS(open_by(bad[i], (coop_options){ 0 }), -EINVAL);
        REPORTED("coop: there is no policy '");
        REPORTED("");
    }
    CU_ASSERT(!world.machine.freed);
    if (before)
        setenv("COOP_POLICY", before, 1);
    free(before);
}

static const suite_test tests[] = {
    TEST(equals_take_turns),
    TEST(the_highest_goes_first),
    TEST(a_new_rank_is_a_new_place),
    TEST(strict_priority_starves),
    TEST(a_task_may_rank_itself),
    TEST(shares_are_as_tickets),
    TEST(a_seed_is_a_run),
    TEST(huge_ranks_are_fine),
    TEST(who_used_much_comes_after_who_used_little),
    TEST(a_boost_brings_all_back),
    TEST(to_wait_keeps_the_level_but_does_not_renew_it),
    TEST(rule_4_under_each),
    TEST(any_can_be_taken_out),
    TEST(ready_tasks_are_killed),
    TEST(with_other_policies_a_rank_is_a_number),
    TEST(ranks_are_refused),
    TEST(no_memory_for_a_policy),
    TEST(mlfq_without_memory),
    TEST(strange_numbers),
    TEST(words),
};

int main(int argc, char **argv)
{
    return suite_main("policies", tests, SUITE_COUNT(tests), argc, argv);
}
