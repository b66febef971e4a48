/* Tasks that lock, wait, signal, race, kill and cancel at random. Whatever happens, a lock
   has one owner or readers alone, nobody has what it lost or gave back, every trap is
   answered, and in the end nobody waits and nothing is missing. RANDOM_SEED runs one seed
   alone. */
#include "random.h"
#include "script.h"
#include "tasks/locks.h"

#include <errno.h>
#include <string.h>

enum { RUNS = 3000, ACTORS = 8, ACTS = 20, LOCKS = 3, PARTS = 3 };

/* What the tasks know. */
static struct {
    struct { coop_tid owner; unsigned readers; bool orphaned; } lock[LOCKS];
    coop_tid doer;
    size_t posted, taken;
    unsigned left;
    struct traps traps;
} run;
static unsigned won, lost, dead, cancelled;        /* in all runs */

static void check_event(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (!e->system)
        follow_traps(&run.traps, e);
}

static bool is_dead(coop_tid tid)
{
    coop_info info;
    return coop_inspect(tid, &info) == -ESRCH || info.state == COOP_ENDED;
}

/* ---- Who has which lock: what the tasks were told, beside what the kernel says ---- */

static bool owns(int i)
{
    return things.locks[i].owner_ == coop_this->current;
}

static bool holds(int i)
{
    return owns(i) || coop_lock_share(&things.locks[i], coop_this->current);
}

static unsigned self_bit(void)
{
    return 1u << coop_self();
}

/* The last owner may have ended with it, and so may readers. */
static void forget_the_dead(int i)
{
    if (run.lock[i].owner && is_dead(run.lock[i].owner)) {
        run.lock[i].owner = 0;
        run.lock[i].orphaned = true;
        dead++;
    }
    for (coop_tid tid = 1; tid <= ACTORS + 1; tid++)
        if (run.lock[i].readers & 1u << tid && is_dead(tid))
            run.lock[i].readers &= ~(1u << tid);
}

/* told is what Lock gave; 1: it was had back without a word. */
static void has(int i, bool shared, coop_value told)
{
    forget_the_dead(i);
    IS(run.lock[i].owner, 0);
    if (!shared)
        IS(run.lock[i].readers, 0);
    if (told <= 0)
        IS(told, run.lock[i].orphaned ? -EOWNERDEAD : 0);
    if (told <= 0 && !shared)
        run.lock[i].orphaned = false;
    if (shared)
        run.lock[i].readers |= self_bit();
    else
        run.lock[i].owner = coop_self();
}

static void has_no_more(int i)
{
    if (run.lock[i].owner == coop_self())
        run.lock[i].owner = 0;
    run.lock[i].readers &= ~self_bit();
}

static bool was_told(int i)
{
    return run.lock[i].owner == coop_self() || run.lock[i].readers & self_bit();
}

/* ---- What a call means ---- */

static int lock_of(const char *step)
{
    return step[1] - 'a';
}

/* Before it is made. A CondWait gives up its lock; had tells that. */
static void about_to(const char *step, bool *had)
{
    *had = step[0] == 'w' && owns(lock_of(step));
    if (*had || step[0] == 'U')
        has_no_more(lock_of(step));
    if (strchr("Oq", step[0]) && run.doer == coop_self())
        run.doer = 0;
}

static void answered(const char *step, coop_value r)
{
    bool well = r == 0 || r == -EOWNERDEAD;
    int n = step[1] - '0';
    won += r == 0;
    cancelled += r == -ECANCELED;
    if (strchr("LTSt", step[0]) && well)
        has(lock_of(step), strchr("St", step[0]) != NULL, r);
    if (step[0] == 'w' && well)
        has(lock_of(step), false, r);
    if (strchr("([", step[0]) && r == 0)
        run.taken += (size_t)n;
    if (step[0] == ')' && r == 0)
        run.posted += (size_t)n;
    if (strchr("ou", step[0]) && r == 1) {
        IS(run.doer == 0 || is_dead(run.doer), true);
        run.doer = coop_self();
    }
    if (strchr("ou", step[0]) && r == 0)
        IS(things.once.done, true);
    if (strchr("fg", step[0]) && r >= 0)
        IS(r, things.future.value);
}

/* ---- The tasks ---- */

static void choose(char *step, bool part)
{
    static const char kinds[] = "LaLbLcSaSbScLaSbTatbwawbwcwawbwc(1(2(3[1e-f-b2b3o-Z3"
        "UaUbUcUaUbUcn1n1nA)1)2)3E-x-F1O-q-Y-Y-K.C.k.J.";
    unsigned limit = part ? (unsigned)(strchr(kinds, 'U') - kinds) : sizeof kinds - 1;
    memcpy(step, kinds + below(limit / 2) * 2, 2);
    if (step[1] == '.')
        step[1] = (char)('2' + below(ACTORS));
}

/* Who waits for a lock while it holds another one may do so for good, killed or not: so it
   is in CondWait, too, which therefore waits with its lock alone. */
static void choose_all(char step[][3], int count, bool parts)
{
    int condition = -1;
    for (int i = 0; i < count; i++) {
        choose(step[i], parts);
        if (step[i][0] == 'w')
            condition = i;
    }
    const char lock = condition < 0 ? 0 : step[condition][1];
    bool alone = true;
    for (int i = 0; i < LOCKS; i++)
        alone &= !holds(i) || i == lock - 'a';
    for (int i = 0; i < count && lock; i++) {
        if (strchr("wLTSt", step[i][0]))
            step[i][1] = lock;
        if (step[i][0] == 'w' && !alone)
            memcpy(step[i], "e-", 2);
    }
}

enum { ALONE, LIMITED, RACE };

/* One call, or several of which one is to be answered. */
coop_routine(act, char step[PARTS][3]; union step part[PARTS]; coop_call *parts[PARTS];
             bool had[PARTS]; int way, count, i; coop_value r, value;)
{
    coop_begin;
    my->way = below(3) ? ALONE : (int)below(3);
    my->count = my->way == RACE ? 2 + (int)below(PARTS - 1) : 1;
    my->r = -EINPROGRESS;
    choose_all(my->step, my->count, my->way != ALONE);
    for (my->i = 0; my->i < my->count; my->i++) {
        script_build(my->step[my->i], &my->part[my->i]);
        my->parts[my->i] = &my->part[my->i].base;
        about_to(my->step[my->i], &my->had[my->i]);
    }
    if (my->way == ALONE)
        COOP_TRAP_OBJECT_(my->r, struct { union step whole; }, call_->whole = my->part[0]);
    else if (my->way == LIMITED)
        coop_trap(my->r, Within, .ns = below(6), .part = my->parts[0]);
    else
        coop_trap(my->r, WaitAny, .parts = my->parts, .count = my->count,
                  .value = &my->value, .fair = below(2));
    coop_finally;
    if (my->way != RACE)
        answered(my->step[0], my->r);
    else if (my->r >= 0)
        answered(my->step[my->r], my->value);
    for (my->i = 0; my->i < my->count; my->i++)
        if (my->had[my->i] && !was_told(lock_of(my->step[my->i])))
            has(lock_of(my->step[my->i]), false, 1);
    lost += my->way == RACE;
    for (my->i = 0; my->i < LOCKS; my->i++)
        IS(holds(my->i), was_told(my->i));
    coop_end;
}

coop_routine(actor, int n; coop_value r;)
{
    coop_begin;
    for (; my->n < ACTS; my->n++)
        coop_await(coop_void, act);
    coop_finally;
    for (my->n = 0; my->n < LOCKS; my->n++) {
        IS(holds(my->n), was_told(my->n));
        if (holds(my->n) && below(3)) {
            has_no_more(my->n);
            coop_trap(my->r, Unlock, .lock = &things.locks[my->n]);
            IS(my->r, 0);
        }
        run.left += holds(my->n);
    }
    coop_end;
}

/* Kills until nobody else is left, so that whoever waits for good is answered too. */
coop_routine(reaper, coop_tid tid; bool left;)
{
    coop_begin;
    do {
        coop_trap(coop_void, Sleep, .ns = 3 + below(20));
        my->left = false;
        for (my->tid = 2; my->tid <= ACTORS + 1; my->tid++) {
            if (is_dead(my->tid))
                continue;
            my->left = true;
            if (below(6) == 0)
                coop_trap(coop_void, KillTask, .tid = my->tid);
        }
    } while (my->left);
    coop_end;
}

static void one_run(uint64_t seed)
{
    static coop_observer observer;
    memset(&run, 0, sizeof run);
    below(2);
    script_begin();
    things.semaphore.count = below(4);
    run.posted = things.semaphore.count;
    observer = (coop_observer){ .event = check_event };
    coop_observe(&observer);
    coop_spawn(reaper);
    for (int i = 0; i < ACTORS; i++)
        coop_spawn(actor);
    if (seed % 8) {
        IS(coop_run(), 0);
        IS(things.semaphore.count, run.posted - run.taken);
        IS(world.reported, run.left);
        world_close();
    } else {
        world.machine.poll_error = -EIO;           /* closed in the middle of it all */
        IS(coop_run(), -EIO);
        world_drop();
    }
    nothing_is_held();
    IS(run.traps.made, run.traps.answered);
}

static void random_waits(void)
{
    won = lost = dead = cancelled = 0;
    if (!random_runs(RUNS, one_run))
        return;
    /* It did test something. */
    CU_ASSERT(won > 20 * RUNS);
    CU_ASSERT(lost > RUNS);
    CU_ASSERT(dead > RUNS / 10);
    CU_ASSERT(cancelled > RUNS);
}

static const suite_test tests[] = {
    TEST(random_waits),
};

int main(int argc, char **argv)
{
    return world_main("waits_random", tests, SUITE_COUNT(tests), argc, argv, "");
}
