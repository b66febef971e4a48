/* test_stacks.c - the pool of stacks, and how much of one was used. */
#include "config.h"

#include "hostmemory.h"
#include "machine/memory.h"
#include "suite.h"

#include <errno.h>
#include <string.h>

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
    CU_ASSERT_EQUAL(count_of(p).bytes, COOP_STACK_SIZE + COOP_GUARD_SIZE);
    coop_stacks_free(p);
}

static const suite_test tests[] = {
    { "all_of_it_is_usable", all_of_it_is_usable },
    { "last_given_is_first_taken", last_given_is_first_taken },
    { "sizes_are_rounded_up", sizes_are_rounded_up },
    { "sizes_are_kept_apart", sizes_are_kept_apart },
    { "impossible_sizes_are_refused", impossible_sizes_are_refused },
    { "own_memory_can_be_used", own_memory_can_be_used },
    { "trims_what_is_old", trims_what_is_old },
    { "whole_slabs_are_unmapped", whole_slabs_are_unmapped },
    { "peak_is_the_lowest_byte_written", peak_is_the_lowest_byte_written },
    { "peak_of_a_large_stack", peak_of_a_large_stack },
    { "peak_is_of_all_users", peak_is_of_all_users },
    { "measured_peak_is_the_users_own", measured_peak_is_the_users_own },
    { "failing_calls_are_results", failing_calls_are_results },
    { "little_room_is_used", little_room_is_used },
};

int main(int argc, char **argv)
{
    return suite_main("stacks", tests, SUITE_COUNT(tests), argc, argv);
}
