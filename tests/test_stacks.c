/* test_stacks.c - the pool of stacks, on the host's memory; its calls can be made to fail. */
#include "config.h"

#include "fiber/fiber.h"
#include "machine/memory.h"
#include "suite.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- Calls that fail ---- */

enum { MALLOC, MMAP, MARK, WALL, RESIDENT, CALLS };

static int left[CALLS] = { -1, -1, -1, -1, -1 };       /* until it fails; -1: it does not */
static int refused;
static bool once;                  /* only the next one fails */

static bool refuse(int call)
{
    bool fails = left[call] == 0;
    refused += fails;
    if (left[call] > 0 || (fails && once))
        left[call]--;
    return fails;
}

static void fail_after(int call, int n)
{
    left[call] = n;
    refused = 0;
}

static void fail_none(void)
{
    once = false;
    for (int i = 0; i < CALLS; i++)
        left[i] = -1;
}

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_madvise(void *, size_t, int);
int __real_mprotect(void *, size_t, int);
int __real_mincore(void *, size_t, unsigned char *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_madvise(void *, size_t, int);
int __wrap_mprotect(void *, size_t, int);
int __wrap_mincore(void *, size_t, unsigned char *);

void *__wrap_malloc(size_t size)
{
    return refuse(MALLOC) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuse(MALLOC) ? NULL : __real_calloc(n, size);
}

static int failed(int error)
{
    errno = error;
    return -1;
}

void *__wrap_mmap(void *at, size_t size, int rights, int flags, int fd, off_t offset)
{
    if (!refuse(MMAP))
        return __real_mmap(at, size, rights, flags, fd, offset);
    failed(ENOMEM);
    return MAP_FAILED;
}

int __wrap_madvise(void *at, size_t size, int advice)
{
    bool mark = advice == 102;
    return mark && refuse(MARK) ? failed(EINVAL) : __real_madvise(at, size, advice);
}

int __wrap_mprotect(void *at, size_t size, int rights)
{
    return refuse(WALL) ? failed(ENOMEM) : __real_mprotect(at, size, rights);
}

int __wrap_mincore(void *at, size_t size, unsigned char *pages)
{
    return refuse(RESIDENT) ? failed(EAGAIN) : __real_mincore(at, size, pages);
}

/* ---- Helpers ---- */

static struct coop_stacks *pool_with(struct coop_stacks_options options)
{
    struct coop_stacks *p = coop_stacks_new(&options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    return p;
}

static struct coop_stacks *plain_pool(void)
{
    return pool_with((struct coop_stacks_options){ 0 });
}

static struct coop_stack *take(struct coop_stacks *p, size_t size)
{
    struct coop_stack *s = NULL;
    CU_ASSERT_EQUAL_FATAL(coop_stack_take(p, size, &s), 0);
    return s;
}

static struct coop_stacks_count count_of(const struct coop_stacks *p)
{
    struct coop_stacks_count count;
    coop_stacks_counted(p, &count);
    return count;
}

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

static bool zeros(const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (at[i])
            return false;
    return true;
}

/* ---- Taking and giving ---- */

static void all_of_it_is_usable(void)
{
    struct coop_stacks *p = plain_pool();
    struct coop_stack *s = take(p, 0);
    CU_ASSERT_EQUAL(s->size, COOP_STACK_SIZE);
    memset(s->low, 'x', s->size);
    struct coop_stack *next = take(p, 0);
    memset(next->low, 'y', next->size);
    CU_ASSERT_EQUAL(s->low[0], 'x');
    CU_ASSERT_EQUAL(s->low[s->size - 1], 'x');
    CU_ASSERT(coop_stack_give(p, s, 0));
    CU_ASSERT(coop_stack_give(p, next, 0));
    coop_stacks_free(p);
}

static void last_given_is_first_taken(void)
{
    struct coop_stacks *p = plain_pool();
    struct coop_stack *a = take(p, 0), *b = take(p, 0), *c = take(p, 0);
    coop_stack_give(p, b, 1);
    coop_stack_give(p, a, 2);
    CU_ASSERT_PTR_EQUAL(take(p, 0), a);
    CU_ASSERT_PTR_EQUAL(take(p, 0), b);
    coop_stack_give(p, c, 3);
    CU_ASSERT_PTR_EQUAL(take(p, 0), c);
    CU_ASSERT_EQUAL(count_of(p).used, 3);
    CU_ASSERT_EQUAL(count_of(p).warm, 0);
    coop_stacks_free(p);
}

static void sizes_are_rounded_up(void)
{
    struct coop_stacks *p = pool_with((struct coop_stacks_options){ .size = 10000 });
    size_t page = coop_page_size();
    CU_ASSERT_EQUAL(take(p, 0)->size, (10000 + page - 1) / page * page);
    CU_ASSERT_EQUAL(take(p, 1)->size, page);
    CU_ASSERT_EQUAL(take(p, page)->size, page);
    CU_ASSERT_EQUAL(take(p, page + 1)->size, 2 * page);
    coop_stacks_free(p);
}

static void sizes_are_kept_apart(void)
{
    struct coop_stacks *p = plain_pool();
    struct coop_stack *small = take(p, 4096), *large = take(p, 8 << 20);
    memset(large->low, 'x', large->size);
    coop_stack_give(p, small, 0);
    coop_stack_give(p, large, 0);
    CU_ASSERT_PTR_EQUAL(take(p, 8 << 20), large);
    CU_ASSERT_PTR_EQUAL(take(p, 4096), small);
    coop_stacks_free(p);
}

static void impossible_sizes_are_refused(void)
{
    struct coop_stacks *p = plain_pool();
    struct coop_stack *s = NULL;
    CU_ASSERT_EQUAL(coop_stack_take(p, SIZE_MAX, &s), -EINVAL);
    CU_ASSERT_EQUAL(coop_stack_take(p, SIZE_MAX / 8, &s), -ENOMEM);
    CU_ASSERT_PTR_NULL(s);
    coop_stack_give(p, take(p, 0), 0);
    coop_stacks_free(p);
}

static void own_memory_can_be_used(void)
{
    static char memory[COOP_STACK_LEAST];
    struct coop_stack s;
    CU_ASSERT_EQUAL(coop_stack_adopt(&s, memory, sizeof memory - 1), -EINVAL);
    CU_ASSERT_EQUAL(coop_stack_adopt(&s, NULL, sizeof memory), -EINVAL);
    CU_ASSERT_EQUAL(coop_stack_adopt(&s, memory, sizeof memory), 0);
    CU_ASSERT_EQUAL(s.guard, COOP_GUARD_NONE);
    CU_ASSERT(coop_stack_intact(&s));
    CU_ASSERT_EQUAL(coop_stack_peak(&s), 0);
    memory[sizeof memory - 100] = 1;
    CU_ASSERT_EQUAL(coop_stack_peak(&s), 100);
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

static void best_guard_holds(void)
{
    guards_hold(COOP_GUARD_MARK);
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

/* ---- Trimming ---- */

static void trims_what_is_old(void)
{
    struct coop_stacks *p = plain_pool();
    struct coop_stack *s[4];
    for (int i = 0; i < 4; i++)
        s[i] = take(p, 0);
    for (int i = 0; i < 3; i++) {
        memset(s[i]->low, 'x', s[i]->size);
        coop_stack_give(p, s[i], 100 + i);
    }
    CU_ASSERT_EQUAL(coop_stacks_trim(p, 109, 10), 0);
    CU_ASSERT_EQUAL(coop_stacks_trim(p, 111, 10), 2);
    CU_ASSERT_EQUAL(coop_stacks_trim(p, 111, 10), 0);
    CU_ASSERT_EQUAL(count_of(p).warm, 1);
    CU_ASSERT_EQUAL(count_of(p).cold, 2);
    CU_ASSERT_PTR_EQUAL(take(p, 0), s[2]);
    CU_ASSERT_EQUAL(s[2]->low[5], 'x');
    CU_ASSERT(zeros(take(p, 0)->low, COOP_STACK_SIZE));
    CU_ASSERT(zeros(take(p, 0)->low, COOP_STACK_SIZE));
    CU_ASSERT_EQUAL(count_of(p).cold, 0);
    coop_stacks_free(p);
}

/* Every other slab goes, and the rest is as good as before. */
static void whole_slabs_are_unmapped(void)
{
    enum { MANY = 1000 };
    static struct coop_stack *s[MANY];
    struct coop_stacks *p = plain_pool();
    for (int i = 0; i < MANY; i++) {
        s[i] = take(p, 0);
        *s[i]->low = 'x';
    }
    struct coop_stacks_count full = count_of(p);
    CU_ASSERT(full.slabs > 2 && full.slabs < 12);
    for (int i = 0; i < MANY; i++)
        if (i >= 16)
            coop_stack_give(p, s[i], 0);
    CU_ASSERT_EQUAL(coop_stacks_trim(p, 1, 1), MANY - 16);
    CU_ASSERT_EQUAL(count_of(p).slabs, 1);
    CU_ASSERT_EQUAL(count_of(p).cold, 0);
    CU_ASSERT_EQUAL(count_of(p).marks + count_of(p).walls, 16);
    for (int i = 0; i < 16; i++) {
        CU_ASSERT_EQUAL(*s[i]->low, 'x');
        coop_stack_give(p, s[i], 2);
    }
    CU_ASSERT_EQUAL(coop_stacks_trim(p, 3, 1), 16);
    struct coop_stacks_count none = count_of(p);
    CU_ASSERT(none.slabs == 0 && none.bytes == 0 && none.used == 0 && none.cold == 0);
    *take(p, 0)->low = 'y';
    coop_stacks_free(p);
}

/* ---- Peak use ---- */

static void peak_is_the_lowest_byte_written(void)
{
    struct coop_stacks *p = plain_pool();
    struct coop_stack *s = take(p, 0);
    CU_ASSERT_EQUAL(coop_stack_peak(s), 0);
    s->low[s->size - 1] = 1;
    CU_ASSERT_EQUAL(coop_stack_peak(s), 1);
    s->low[s->size - 10000] = 1;
    CU_ASSERT_EQUAL(coop_stack_peak(s), 10000);
    s->low[s->size - 5000] = 1;
    CU_ASSERT_EQUAL(coop_stack_peak(s), 10000);
    fail_after(RESIDENT, 0);
    CU_ASSERT_EQUAL(coop_stack_peak(s), 10000);
    fail_none();
    s->low[0] = 1;
    CU_ASSERT_EQUAL(coop_stack_peak(s), s->size);
    coop_stacks_free(p);
}

static void peak_of_a_large_stack(void)
{
    struct coop_stacks *p = plain_pool();
    struct coop_stack *s = take(p, 16 << 20);
    s->low[s->size - 100] = s->low[s->size - 9000000] = 1;
    CU_ASSERT_EQUAL(coop_stack_peak(s), 9000000);
    coop_stacks_free(p);
}

static void peak_is_of_all_users(void)
{
    struct coop_stacks *p = plain_pool();
    struct coop_stack *s = take(p, 0);
    s->low[s->size - 10000] = 1;
    coop_stack_give(p, s, 0);
    CU_ASSERT_PTR_EQUAL(take(p, 0), s);
    CU_ASSERT_EQUAL(coop_stack_peak(s), 10000);
    coop_stacks_free(p);
}

static void measured_peak_is_the_users_own(void)
{
    struct coop_stacks *p = pool_with((struct coop_stacks_options){ .measured = true });
    struct coop_stack *s = take(p, 0);
    memset(s->low + s->size - 10000, 'x', 10000);
    coop_stack_give(p, s, 0);
    CU_ASSERT_PTR_EQUAL(take(p, 0), s);
    CU_ASSERT_EQUAL(coop_stack_peak(s), 0);
    s->low[s->size - 7] = 1;
    CU_ASSERT_EQUAL(coop_stack_peak(s), 7);
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
    return 1000;
#else
    return COOP_ON_VALGRIND ? 1000 : most;
#endif
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

/* ---- Failures ---- */

/* Each call fails once, and then always; what was taken stays good, and the rest is for
   later. */
static void failing_calls_are_results(void)
{
    for (int call = MALLOC; call <= MMAP; call++) {
        bool came = true;
        for (int n = 0; came; n++) {
            struct coop_stacks_options options = { .size = 4096 };
            struct coop_stack *s[40];
            int taken = 0, r = 0;
            fail_after(call, n);
            struct coop_stacks *p = coop_stacks_new(&options);
            while (p && taken < 40 && (r = coop_stack_take(p, 0, &s[taken])) == 0)
                *s[taken++]->low = 'x';
            came = refused > 0;
            fail_none();
            CU_ASSERT(came == (!p || r == -ENOMEM));
            for (int i = 0; i < taken; i++)
                CU_ASSERT_EQUAL(*s[i]->low, 'x');
            if (p) {
                *take(p, 0)->low = 'y';
                coop_stacks_free(p);
            }
            CU_ASSERT_FATAL(n < 100);
        }
    }
}

/* When there is no room for many at once there may be for one. */
static void little_room_is_used(void)
{
    struct coop_stacks *p = plain_pool();
    fail_after(MMAP, 0);
    once = true;
    *take(p, 0)->low = 'x';
    CU_ASSERT_EQUAL(refused, 1);
    fail_none();
    CU_ASSERT_EQUAL(count_of(p).bytes, COOP_STACK_SIZE + coop_page_size());
    coop_stacks_free(p);
}

static const suite_test tests[] = {
    { "all_of_it_is_usable", all_of_it_is_usable },
    { "last_given_is_first_taken", last_given_is_first_taken },
    { "sizes_are_rounded_up", sizes_are_rounded_up },
    { "sizes_are_kept_apart", sizes_are_kept_apart },
    { "impossible_sizes_are_refused", impossible_sizes_are_refused },
    { "own_memory_can_be_used", own_memory_can_be_used },
    { "best_guard_holds", best_guard_holds },
    { "wall_holds", wall_holds },
    { "guards_survive_trimming", guards_survive_trimming },
    { "without_marks_there_are_walls", without_marks_there_are_walls },
    { "without_walls_there_are_canaries", without_walls_there_are_canaries },
    { "a_broken_canary_is_noticed", a_broken_canary_is_noticed },
    { "trims_what_is_old", trims_what_is_old },
    { "whole_slabs_are_unmapped", whole_slabs_are_unmapped },
    { "peak_is_the_lowest_byte_written", peak_is_the_lowest_byte_written },
    { "peak_of_a_large_stack", peak_of_a_large_stack },
    { "peak_is_of_all_users", peak_is_of_all_users },
    { "measured_peak_is_the_users_own", measured_peak_is_the_users_own },
    { "a_hundred_thousand_at_once", a_hundred_thousand_at_once },
    { "walls_leave_mappings_for_others", walls_leave_mappings_for_others },
    { "failing_calls_are_results", failing_calls_are_results },
    { "little_room_is_used", little_room_is_used },
};

int main(int argc, char **argv)
{
    return suite_main("stacks", tests, SUITE_COUNT(tests), argc, argv);
}
