/* test_guards.c - what stands below stacks, and how many of them there can be. */
#include "config.h"

#include "hostmemory.h"
#include "machine/memory.h"
#include "suite.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static sigjmp_buf out;

static void jump_out(int number)
{
    siglongjmp(out, number);
}

/* Is that byte forbidden to write? */
static bool faults(volatile char *at)
{
    struct sigaction ours = { .sa_handler = jump_out }, segv, bus;
    sigaction(SIGSEGV, &ours, &segv);
    sigaction(SIGBUS, &ours, &bus);
    volatile bool fault = true;
    if (sigsetjmp(out, 1) == 0) {
        *at = 1;
        fault = false;
    }
    sigaction(SIGSEGV, &segv, NULL);
    sigaction(SIGBUS, &bus, NULL);
    return fault;
}

/* ---- Guards ---- */

static void guards_hold(enum coop_guard best)
{
    struct coop_stacks *p = pool_with((struct coop_stacks_options){ .best = best });
    for (int i = 0; i < 40; i++) {
        struct coop_stack *s = take(p, 0);
        CU_ASSERT(s->guard == COOP_GUARD_MARK || s->guard == COOP_GUARD_WALL);
        CU_ASSERT(s->guard >= best);
        CU_ASSERT(faults(s->low - 1));
        CU_ASSERT(faults(s->low - coop_page_size()));
        CU_ASSERT(!faults(s->low));
        CU_ASSERT(!faults(s->low + s->size - 1));
    }
    CU_ASSERT_EQUAL(count_of(p).marks + count_of(p).walls, 40);
    coop_stacks_free(p);
}

/* Where the host has marks they are what is used. */
static void best_guard_holds(void)
{
    static _Alignas(64 * 1024) char page[64 * 1024];
    bool marks = madvise(page, sizeof page, 102) == 0 && faults(page);
    struct coop_stacks *p = plain_pool();
    guards_hold(COOP_GUARD_MARK);
    CU_ASSERT_EQUAL(take(p, 0)->guard, marks ? COOP_GUARD_MARK : COOP_GUARD_WALL);
    madvise(page, sizeof page, 103);
    coop_stacks_free(p);
}

static void wall_holds(void)
{
    guards_hold(COOP_GUARD_WALL);
}

static void guards_survive_trimming(void)
{
    struct coop_stacks *p = plain_pool();
    struct coop_stack *s = take(p, 0), *stays = take(p, 0);
    memset(s->low, 'x', s->size);
    coop_stack_give(p, s, 0);
    CU_ASSERT_EQUAL(coop_stacks_trim(p, 10, 10), 1);
    CU_ASSERT_PTR_EQUAL(take(p, 0), s);
    CU_ASSERT(zeros(s->low, s->size));
    CU_ASSERT(faults(s->low - 1));
    CU_ASSERT(faults(stays->low - 1));
    coop_stacks_free(p);
}

static char said[200];
static int times_said;

static void note_report(void *arg, const char *text)
{
    CU_ASSERT_PTR_EQUAL(arg, said);
    snprintf(said, sizeof said, "%s", text);
    times_said++;
}

static struct coop_stacks *telling_pool(void)
{
    times_said = 0;
    return pool_with((struct coop_stacks_options){ .report = note_report, .arg = said });
}

static void without_marks_there_are_walls(void)
{
    struct coop_stacks *p = telling_pool();
    fail_after(MARK, 0);
    struct coop_stack *s = take(p, 0);
    fail_none();
    CU_ASSERT_EQUAL(s->guard, COOP_GUARD_WALL);
    CU_ASSERT(faults(s->low - 1));
    CU_ASSERT_EQUAL(times_said, 0);
    coop_stacks_free(p);
}

static struct coop_stack *take_canary(struct coop_stacks *p)
{
    fail_after(MARK, 0);
    fail_after(WALL, 0);
    struct coop_stack *s = take(p, 0);
    fail_none();
    CU_ASSERT_EQUAL(s->guard, COOP_GUARD_CANARY);
    return s;
}

static void without_walls_there_are_canaries(void)
{
    struct coop_stacks *p = telling_pool();
    struct coop_stack *s = take_canary(p), *other = take_canary(p);
    CU_ASSERT_EQUAL(times_said, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "overflows of new stacks are only noticed late"));
    CU_ASSERT_EQUAL(count_of(p).canaries, 2);
    memset(s->low, 'x', s->size);
    CU_ASSERT(coop_stack_intact(s));
    CU_ASSERT(coop_stack_give(p, s, 0));
    CU_ASSERT(coop_stack_give(p, other, 0));
    coop_stacks_free(p);
}

static void a_broken_canary_is_noticed(void)
{
    struct coop_stacks *p = telling_pool();
    struct coop_stack *s = take_canary(p);
    s->low[-1] ^= 1;
    CU_ASSERT(!coop_stack_intact(s));
    CU_ASSERT(!coop_stack_give(p, s, 0));
    CU_ASSERT_PTR_EQUAL(take(p, 0), s);
    CU_ASSERT(coop_stack_intact(s));
    /* Far from the stack it is seen at the end. */
    s->low[-1000] ^= 1;
    CU_ASSERT(coop_stack_intact(s));
    CU_ASSERT(!coop_stack_give(p, s, 0));
    CU_ASSERT(coop_stack_give(p, take(p, 0), 0));
    coop_stacks_free(p);
}

/* ---- Many ---- */

static struct coop_context main_side, *sides;

static void wait_once(void *arg, void *pass)
{
    struct coop_context *own = arg;
    coop_switch(own, &main_side, pass);
    coop_switch_last(own, &main_side, own);
}

static int mappings(void)
{
    char line[400];
    int lines = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof line, f))
        lines++;
    if (f)
        fclose(f);
    return lines;
}

/* As many as what watches this program can stand: ThreadSanitizer knows of 8,000 fibers at
   most, and valgrind goes through a list of all stacks. */
static int many(int most)
{
#ifdef COOP_TSAN
    bool few = true;
#else
    bool few = COOP_ON_VALGRIND;
#endif
    return few ? 1000 : most;
}

/* A sanitizer's own memory is mapped as well. */
static bool mappings_count(void)
{
#if defined COOP_TSAN || defined COOP_ASAN
    return false;
#else
    return true;
#endif
}

/* All of them used, with few mappings where there are marks. */
static void a_hundred_thousand_at_once(void)
{
    enum { MOST = 100000 };
    static struct coop_stack *stacks[MOST];
    struct coop_stacks *p = telling_pool();
    int n = many(MOST), before = mappings();
    sides = calloc(MOST, sizeof *sides);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sides);
    for (int i = 0; i < n; i++) {
        stacks[i] = take(p, 0);
        coop_context_make(&sides[i], stacks[i]->low, stacks[i]->size, wait_once, &sides[i]);
        coop_switch(&main_side, &sides[i], NULL);
    }
    struct coop_stacks_count count = count_of(p);
    CU_ASSERT_EQUAL(count.marks + count.walls + count.canaries, (size_t)n);
    CU_ASSERT(count.canaries == 0 || times_said == 1);
    if (count.marks == (size_t)n && mappings_count())
        CU_ASSERT(mappings() - before < 1000);
    int well = 0;
    for (int i = 0; i < n; i++) {
        well += coop_switch(&main_side, &sides[i], NULL) == &sides[i];
        coop_context_end(&sides[i]);
        well += coop_stack_give(p, stacks[i], i);
    }
    CU_ASSERT_EQUAL(well, 2 * n);
    free(sides);
    coop_stacks_free(p);
}

static void walls_leave_mappings_for_others(void)
{
    enum { MANY = COOP_MOST_WALLS + 100 };
    struct coop_stacks *p = pool_with((struct coop_stacks_options){
        .best = COOP_GUARD_WALL, .size = 4096
    });
    if (COOP_ON_VALGRIND) {            /* it stands no more than 30,000 mappings */
        coop_stacks_free(p);
        return;
    }
    for (int i = 0; i < MANY; i++)
        take(p, 0);
    CU_ASSERT_EQUAL(count_of(p).walls, COOP_MOST_WALLS);
    CU_ASSERT_EQUAL(count_of(p).canaries, 100);
    void *mine = malloc(1 << 20);
    CU_ASSERT_PTR_NOT_NULL(mine);
    free(mine);
    coop_stacks_free(p);
}

static const suite_test tests[] = {
    { "best_guard_holds", best_guard_holds },
    { "wall_holds", wall_holds },
    { "guards_survive_trimming", guards_survive_trimming },
    { "without_marks_there_are_walls", without_marks_there_are_walls },
    { "without_walls_there_are_canaries", without_walls_there_are_canaries },
    { "a_broken_canary_is_noticed", a_broken_canary_is_noticed },
    { "a_hundred_thousand_at_once", a_hundred_thousand_at_once },
    { "walls_leave_mappings_for_others", walls_leave_mappings_for_others },
};

int main(int argc, char **argv)
{
    return suite_main("guards", tests, SUITE_COUNT(tests), argc, argv);
}
