/* test_switch.c - contexts: what goes from one to another, and what stays as it was. */
#include "config.h"

#include "fiber/switch.h"
#include "registers.h"
#include "suite.h"

#include <fenv.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

enum { SIZE = 64 * 1024 };

static struct coop_context main_side, other_side;
static _Alignas(16) char memory[SIZE];

static void *go(void *pass)
{
    return coop_switch(&main_side, &other_side, pass);
}

static void *back(void *pass)
{
    return coop_switch(&other_side, &main_side, pass);
}

static void begin(void (*entry)(void *, void *), void *arg)
{
    coop_context_make(&other_side, memory, sizeof memory, entry, arg);
}

static void end(void)
{
    coop_context_end(&other_side);
}

/* ---- What is passed ---- */

static int numbers[4];

static void echo(void *arg, void *pass)
{
    CU_ASSERT_PTR_EQUAL(arg, &numbers[0]);
    for (;;)
        pass = back(pass);
}

static void passes_there_and_back(void)
{
    begin(echo, &numbers[0]);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_PTR_EQUAL(go(&numbers[i]), &numbers[i]);
    CU_ASSERT_PTR_NULL(go(NULL));
    end();
}

static void add_up(void *arg, void *pass)
{
    int sum = *(int *)arg;
    for (; pass; pass = back(&sum))
        sum += *(int *)pass;
    coop_switch_last(&other_side, &main_side, &numbers[3]);
}

static void goes_on_where_it_was(void)
{
    int start = 100, one = 1;
    begin(add_up, &start);
    CU_ASSERT_EQUAL(*(int *)go(&one), 101);
    CU_ASSERT_EQUAL(*(int *)go(&one), 102);
    CU_ASSERT_EQUAL(*(int *)go(&start), 202);
    CU_ASSERT_PTR_EQUAL(go(NULL), &numbers[3]);
    end();
}

static void same_stack_serves_again(void)
{
    for (int i = 0; i < 1000; i++)
        goes_on_where_it_was();
}

/* ---- Registers ---- */

static void go_once(void)
{
    go(NULL);
}

static void back_once(void)
{
    back(NULL);
}

static bool kept_there;

static void spoil(void *arg, void *pass)
{
    (void)arg, (void)pass;
    for (;;)
        registers_spoilt(back_once);
}

static void keep(void *arg, void *pass)
{
    (void)arg, (void)pass;
    for (;;)
        kept_there = registers_kept(back_once);
}

static void registers_are_kept(void)
{
    begin(spoil, NULL);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(registers_kept(go_once));
    end();
    begin(keep, NULL);
    go(NULL);
    for (int i = 0; i < 3; i++) {
        kept_there = false;
        registers_spoilt(go_once);
        CU_ASSERT(kept_there);
    }
    end();
}

/* That it would be seen. */
static void lose_one(void)
{
#if defined __x86_64__
    __asm__ volatile("incq %rbx");
#elif defined __aarch64__
    __asm__ volatile("add x19, x19, #1");
#endif
}

static void a_lost_register_is_seen(void)
{
    CU_ASSERT(registers_kept(lose_one) == !REGISTERS_KNOWN);
}

/* ---- Floating point ---- */

static volatile double one = 1, minus_one = -1, three = 3;
static volatile long double long_one = 1, long_minus_one = -1, long_three = 3;

/* What is set is what is computed with, in each of the units; not on valgrind's. */
static bool rounds(int mode)
{
    volatile double third = one / three, minus = minus_one / three;
    volatile long double long_third = long_one / long_three;
    volatile long double long_minus = long_minus_one / long_three;
    bool up = mode == FE_UPWARD;
    return fegetround() == mode
        && (COOP_ON_VALGRIND
            || ((third > -minus) == up && (long_third > -long_minus) == up));
}

static void round_up(void *arg, void *pass)
{
    (void)arg, (void)pass;
    CU_ASSERT(rounds(FE_TONEAREST));
    fesetround(FE_UPWARD);
    for (;;) {
        back(NULL);
        CU_ASSERT(rounds(FE_UPWARD));
    }
}

static void rounding_is_each_sides_own(void)
{
    begin(round_up, NULL);
    for (int i = 0; i < 3; i++) {
        go(NULL);
        CU_ASSERT(rounds(FE_TONEAREST));
    }
    end();
}

static void look_at_rounding(void *arg, void *pass)
{
    (void)pass;
    *(int *)arg = fegetround();
    coop_switch_last(&other_side, &main_side, NULL);
}

static void rounding_is_the_makers(void)
{
    int seen = -1;
    fesetround(FE_DOWNWARD);
    begin(look_at_rounding, &seen);
    fesetround(FE_TONEAREST);
    go(NULL);
    CU_ASSERT_EQUAL(seen, FE_DOWNWARD);
    CU_ASSERT_EQUAL(fegetround(), FE_TONEAREST);
    end();
}

/* ---- Stacks ---- */

struct seen {
    uintptr_t at, frame;
};

static void look_at_stack(void *arg, void *pass)
{
    _Alignas(16) volatile char local[16] = "";
    struct seen *seen = arg;
    (void)pass;
    seen->at = (uintptr_t)local;
    seen->frame = (uintptr_t)__builtin_frame_address(0);
    coop_switch_last(&other_side, &main_side, NULL);
}

/* Whatever the memory's end is aligned to. */
static void stack_is_aligned(void)
{
    for (size_t odd = 0; odd < 48; odd++) {
        struct seen seen;
        coop_context_make(&other_side, memory + odd / 3, sizeof memory - odd, look_at_stack,
                          &seen);
        go(NULL);
        CU_ASSERT_EQUAL(seen.frame % COOP_STACK_ALIGN, 0);
        CU_ASSERT_EQUAL(seen.at % 16, 0);
        CU_ASSERT(seen.frame < (uintptr_t)memory + odd / 3 + sizeof memory - odd);
        CU_ASSERT(seen.frame > (uintptr_t)memory);
        end();
    }
}

/* All leaves of a tree, each told from as deep as it is. */
static void walk(int depth, int *leaf)
{
    volatile char room[100];
    memset((char *)room, depth, sizeof room);
    if (depth == 0) {
        ++*leaf;
        back(leaf);
    } else {
        walk(depth - 1, leaf);
        walk(depth - 1, leaf);
    }
    for (size_t i = 0; i < sizeof room; i++)
        if (room[i] != depth)
            *leaf = -1000000;
}

static void walk_all(void *arg, void *pass)
{
    int leaf = 0;
    (void)pass;
    walk(*(int *)arg, &leaf);
    coop_switch_last(&other_side, &main_side, NULL);
}

static void switches_within_recursion(void)
{
    int depth = 10, count = 0;
    begin(walk_all, &depth);
    for (int *leaf; (leaf = go(NULL)); )
        CU_ASSERT_EQUAL(*leaf, ++count);
    CU_ASSERT_EQUAL(count, 1024);
    end();
}

static int descend(int depth)
{
    volatile char room[64] = "";
    if (depth == 0)
        back(NULL);
    return depth == 0 ? 0 : 1 + descend(depth - 1) + room[1];
}

static void descend_all(void *arg, void *pass)
{
    static int depth;
    (void)pass;
    depth = descend(*(int *)arg);
    coop_switch_last(&other_side, &main_side, &depth);
}

static void goes_as_deep_as_the_stack(void)
{
    enum { LARGE = 64 * 1024 * 1024 };
#ifdef COOP_TSAN
    int depth = 10000;             /* it follows no more than 65,536 calls */
#else
    int depth = 100000;
#endif
    char *large = malloc(LARGE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    coop_context_make(&other_side, large, LARGE, descend_all, &depth);
    CU_ASSERT_PTR_NULL(go(NULL));
    CU_ASSERT_EQUAL(*(int *)go(NULL), depth);
    end();
    free(large);
}

/* ---- Many ---- */

enum { RING = 100, ROUNDS = 100 };

static struct coop_context ring[RING + 1];

/* Each adds one and hands on to the next; the last one to main. */
static void hand_on(void *arg, void *pass)
{
    struct coop_context *own = arg;
    for (;;) {
        ++*(int *)pass;
        pass = coop_switch(own, own + 1 < ring + RING ? own + 1 : &main_side, pass);
    }
}

static void many_take_turns(void)
{
    int count = 0;
    char *room = malloc((size_t)RING * SIZE / 4);
    CU_ASSERT_PTR_NOT_NULL_FATAL(room);
    for (int i = 0; i < RING; i++)
        coop_context_make(&ring[i], room + (size_t)i * SIZE / 4, SIZE / 4, hand_on,
                          &ring[i]);
    for (int i = 0; i < ROUNDS; i++)
        coop_switch(&main_side, &ring[0], &count);
    CU_ASSERT_EQUAL(count, RING * ROUNDS);
    for (int i = 0; i < RING; i++)
        coop_context_end(&ring[i]);
    free(room);
}

/* ---- Signals and unwinding ---- */

static volatile sig_atomic_t handled_within;

static void note_stack(int number)
{
    char local;
    (void)number;
    handled_within = &local > memory && &local < memory + sizeof memory;
}

static void raise_one(void *arg, void *pass)
{
    (void)arg, (void)pass;
    raise(SIGUSR1);
    coop_switch_last(&other_side, &main_side, NULL);
}

static void signals_are_handled_there(void)
{
    struct sigaction quiet = { .sa_handler = note_stack }, before;
    sigaction(SIGUSR1, &quiet, &before);
    begin(raise_one, NULL);
    go(NULL);
    end();
    sigaction(SIGUSR1, &before, NULL);
    CU_ASSERT(handled_within);
}

static _Unwind_Reason_Code count_frame(struct _Unwind_Context *context, void *arg)
{
    (void)context;
    return ++*(int *)arg < 100 ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

static __attribute__((noinline)) int unwind(int depth, int *frames)
{
    if (depth > 0)
        return unwind(depth - 1, frames) + 1;
    *frames = 0;
    return _Unwind_Backtrace(count_frame, frames) == _URC_END_OF_STACK ? 0 : -1000;
}

static void unwind_all(void *arg, void *pass)
{
    (void)pass;
    CU_ASSERT_EQUAL(unwind(5, arg), 5);
    coop_switch_last(&other_side, &main_side, NULL);
}

/* Those of unwind, unwind_all, maybe what begins the context. */
static void unwinding_ends_at_the_entry(void)
{
    int frames = 0;
    begin(unwind_all, &frames);
    go(NULL);
    CU_ASSERT(frames >= 2 && frames <= 10);
    end();
}

static const suite_test tests[] = {
    { "passes_there_and_back", passes_there_and_back },
    { "goes_on_where_it_was", goes_on_where_it_was },
    { "same_stack_serves_again", same_stack_serves_again },
    { "registers_are_kept", registers_are_kept },
    { "a_lost_register_is_seen", a_lost_register_is_seen },
    { "rounding_is_each_sides_own", rounding_is_each_sides_own },
    { "rounding_is_the_makers", rounding_is_the_makers },
    { "stack_is_aligned", stack_is_aligned },
    { "switches_within_recursion", switches_within_recursion },
    { "goes_as_deep_as_the_stack", goes_as_deep_as_the_stack },
    { "many_take_turns", many_take_turns },
    { "signals_are_handled_there", signals_are_handled_there },
    { "unwinding_ends_at_the_entry", unwinding_ends_at_the_entry },
};

int main(int argc, char **argv)
{
    return suite_main("switch", tests, SUITE_COUNT(tests), argc, argv);
}
