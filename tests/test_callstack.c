/* test_callstack.c - what is found of a stack whose context waits; names of code. */
#include "config.h"

#include "fiber/fiber.h"
#include "machine/crash.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct coop_context main_side, fiber_side;
static struct coop_stack *stack;

/* Runs entry on a stack until it first waits. */
static struct coop_stacks *run_in(void (*entry)(void *, void *), void *arg)
{
    struct coop_stacks *p = coop_stacks_new(&(struct coop_stacks_options){ 0 });
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL_FATAL(coop_stack_take(p, 0, &stack), 0);
    coop_context_make(&fiber_side, stack->low, stack->size, entry, arg);
    coop_switch(&main_side, &fiber_side, NULL);
    return p;
}

/* Not constant, or the functions become others, with other names. */
static volatile int size = 100, depth = 2;

static __attribute__((noinline)) int wait_in(int n)
{
    volatile int room[50] = { 0 };
    if (n > 0)
        return wait_in(n - 1) + room[n];
    coop_switch(&fiber_side, &main_side, NULL);
    return room[1];
}

static __attribute__((noinline)) int with_variable_room(int n)
{
    volatile char room[n];
    room[n - 1] = 0;
    return wait_in(depth) + room[n - 1];
}

/* A stack pointer that cannot be computed from the next frame's alone. */
static __attribute__((noinline)) int with_aligned_room(int n)
{
    _Alignas(256) volatile char room[300];
    room[n] = 0;
    return with_variable_room(n) + room[n] + ((uintptr_t)room % 256 != 0);
}

static void wait_deep(void *arg, void *pass)
{
    (void)pass;
    *(int *)arg = with_aligned_room(size);
    coop_switch_last(&fiber_side, &main_side, NULL);
}

static bool is_at(const void *pc, const char *name)
{
    char code[100];
    coop_print_code(pc, code, sizeof code);
    return strncmp(code, name, strlen(name)) == 0 && code[strlen(name)] == '+';
}

static void a_waiting_ones_call_stack_is_found(void)
{
    static const char *const names[] = {
        "wait_in", "wait_in", "wait_in", "with_variable_room", "with_aligned_room",
        "wait_deep",
    };
    enum { NAMES = sizeof names / sizeof *names };
    void *pcs[20];
    int result = -1;
    struct coop_stacks *p = run_in(wait_deep, &result);
    size_t n = coop_stack_trace(stack, &fiber_side, pcs, 20);
    size_t skip = 0;                   /* the switch, where it is a function */
    while (skip < n && !is_at((char *)pcs[skip] - (skip > 0), names[0]))
        skip++;
    CU_ASSERT(skip <= 2);
    CU_ASSERT_FATAL(n > skip + NAMES);
    for (size_t i = 0; i < NAMES; i++)
        CU_ASSERT(is_at((char *)pcs[i + skip] - (i + skip > 0), names[i]));
    CU_ASSERT(n <= skip + NAMES + 2);
#ifndef COOP_SWITCH_UCONTEXT
    CU_ASSERT(is_at((char *)pcs[n - 1] - 1, "coop_context_start"));
#endif
    CU_ASSERT_EQUAL(coop_stack_trace(stack, &fiber_side, pcs, 2), 2);
    coop_switch(&main_side, &fiber_side, NULL);
    CU_ASSERT_EQUAL(result, 0);
    coop_context_end(&fiber_side);
    coop_stacks_free(p);
}

/* The address behind the call of a function that does not return is another function's. */
static __attribute__((noinline)) _Noreturn void finish(void)
{
    coop_switch(&fiber_side, &main_side, NULL);
    coop_switch_last(&fiber_side, &main_side, NULL);
}

static void finish_all(void *arg, void *pass)
{
    (void)arg, (void)pass;
    finish();
}

static void a_call_may_be_a_functions_end(void)
{
    void *pcs[20];
    struct coop_stacks *p = run_in(finish_all, NULL);
    size_t n = coop_stack_trace(stack, &fiber_side, pcs, 20), i = 0;
    while (i < n && !is_at((char *)pcs[i] - (i > 0), "finish"))
        i++;
    CU_ASSERT(i + 1 < n && is_at((char *)pcs[i + 1] - 1, "finish_all"));
#ifndef COOP_SWITCH_UCONTEXT
    CU_ASSERT(is_at((char *)pcs[n - 1] - 1, "coop_context_start"));
#endif
    coop_switch(&main_side, &fiber_side, NULL);
    coop_context_end(&fiber_side);
    coop_stacks_free(p);
}

static void one_that_never_ran_has_a_beginning(void)
{
#ifndef COOP_SWITCH_UCONTEXT
    static char memory[COOP_STACK_LEAST];
    struct coop_context c;
    struct coop_stack s;
    void *pcs[20];
    CU_ASSERT_EQUAL(coop_stack_adopt(&s, memory, sizeof memory), 0);
    coop_context_make(&c, s.low, s.size, wait_deep, (void *)(uintptr_t)wait_deep);
    CU_ASSERT_EQUAL(coop_stack_trace(&s, &c, pcs, 20), 1);
    CU_ASSERT(is_at(pcs[0], "coop_context_start"));
    coop_context_end(&c);
#endif
}

static int compare(const void *a, const void *b)
{
    if (*(const int *)a == *(const int *)b)
        coop_switch(&fiber_side, &main_side, NULL);
    return *(const int *)a - *(const int *)b;
}

static void sort(void *arg, void *pass)
{
    (void)pass;
    qsort(arg, 2, sizeof(int), compare);
    coop_switch_last(&fiber_side, &main_side, NULL);
}

/* Through functions of a library that was compiled by somebody else. */
static void a_call_stack_through_libc_is_found(void)
{
    int same[2] = { 7, 7 };
    void *pcs[20];
    struct coop_stacks *p = run_in(sort, same);
    size_t n = coop_stack_trace(stack, &fiber_side, pcs, 20);
    bool found = false;
    for (size_t i = 1; i < n; i++) {
        char code[100];
        coop_print_code((char *)pcs[i] - 1, code, sizeof code);
        found |= strncmp(code, "sort+", 5) == 0;
    }
    CU_ASSERT(found);
    coop_switch(&main_side, &fiber_side, NULL);
    coop_context_end(&fiber_side);
    coop_stacks_free(p);
}

/* ---- Names ---- */

static void code_has_names(void)
{
    char code[100], little[8];
    CU_ASSERT(is_at((const char *)(uintptr_t)wait_in + 2, "wait_in"));
    CU_ASSERT(coop_print_code((const char *)(uintptr_t)compare + 1, code, sizeof code) > 0);
    CU_ASSERT_STRING_EQUAL(code, "compare+0x1");
    CU_ASSERT_EQUAL(coop_print_code((const void *)0x1234, code, sizeof code), 6);
    CU_ASSERT_STRING_EQUAL(code, "0x1234");
    CU_ASSERT_EQUAL(coop_print_code((const char *)(uintptr_t)compare + 1, little, 8), 7);
    CU_ASSERT_STRING_EQUAL(little, "compare");
    CU_ASSERT(is_at((const char *)(uintptr_t)suite_main + 1, "suite_main"));
}

static const suite_test tests[] = {
    { "a_waiting_ones_call_stack_is_found", a_waiting_ones_call_stack_is_found },
    { "a_call_may_be_a_functions_end", a_call_may_be_a_functions_end },
    { "one_that_never_ran_has_a_beginning", one_that_never_ran_has_a_beginning },
    { "a_call_stack_through_libc_is_found", a_call_stack_through_libc_is_found },
    { "code_has_names", code_has_names },
};

int main(int argc, char **argv)
{
    return suite_main("callstack", tests, SUITE_COUNT(tests), argc, argv);
}
