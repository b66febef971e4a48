/* switch - what is below a fiber costs: one line per case, name value unit.

   They are made of the library's own parts, which it does not export. */
#include "config.h"

#include "bench/bench.h"
#include "fiber/fiber.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: switch [--rounds N] [--quick] [--all] [CASE...]\n"
    "Prints what each case costs: its name, the median of N rounds (11) and the unit.\n"
    "  --all    minimum, median and maximum instead\n"
    "  --quick  a hundredth of the work and one round: to see that it runs\n";

static struct coop_context main_side, other_side;
static _Alignas(16) char memory[64 * 1024];

/* ---- There and back ---- */

static void back_inline(void *arg, void *pass)
{
    (void)arg;
    for (;;)
        pass = coop_switch(&other_side, &main_side, pass);
}

static __attribute__((noinline)) void *back(void *pass)
{
    return coop_switch(&other_side, &main_side, pass);
}

static void back_by_function(void *arg, void *pass)
{
    (void)arg;
    for (;;)
        pass = back(pass);
}

static __attribute__((noinline)) void go(void)
{
    coop_switch(&main_side, &other_side, NULL);
}

static double pairs(long n, void (*entry)(void *, void *))
{
    coop_context_make(&other_side, memory, sizeof memory, entry, NULL);
    int64_t start = bench_clock();
    for (long i = 0; i < n; i++)
        coop_switch(&main_side, &other_side, NULL);
    double each = bench_each(start, n);
    coop_context_end(&other_side);
    return each;
}

static double pair(long n)
{
    return pairs(n, back_inline);
}

static double pair_trap(long n)
{
    return pairs(n, back_by_function);
}

static double pair_functions(long n)
{
    coop_context_make(&other_side, memory, sizeof memory, back_by_function, NULL);
    int64_t start = bench_clock();
    for (long i = 0; i < n; i++)
        go();
    double each = bench_each(start, n);
    coop_context_end(&other_side);
    return each;
}

/* ---- Stacks ---- */

static struct coop_stacks *pool(bool measured)
{
    struct coop_stacks *p = coop_stacks_new(&(struct coop_stacks_options){
        .measured = measured
    });
    bench_need(p, "coop_stacks_new");
    return p;
}

static struct coop_stack *take(struct coop_stacks *p)
{
    struct coop_stack *s;
    bench_need(coop_stack_take(p, 0, &s) == 0, "coop_stack_take");
    return s;
}

static void end_at_once(void *arg, void *pass)
{
    coop_switch_last(arg, &main_side, pass);
}

static void wait_and_end(void *arg, void *pass)
{
    coop_switch_last(arg, &main_side, coop_switch(arg, &main_side, pass));
}

static void live(struct coop_stacks *p)
{
    struct coop_stack *s = take(p);
    coop_context_make(&other_side, s->low, s->size, end_at_once, &other_side);
    coop_switch(&main_side, &other_side, NULL);
    coop_context_end(&other_side);
    coop_stack_give(p, s, 0);
}

static double lives(long n, bool measured)
{
    struct coop_stacks *p = pool(measured);
    live(p);
    int64_t start = bench_clock();
    for (long i = 0; i < n; i++)
        live(p);
    double each = bench_each(start, n);
    coop_stacks_free(p);
    return each;
}

static double spawn(long n)
{
    return lives(n, false);
}

static double spawn_measured(long n)
{
    return lives(n, true);
}

struct waiter {
    struct coop_context side;
    struct coop_stack *stack;
};

/* n of them wait at once. */
static struct waiter *crowd(struct coop_stacks *p, long n)
{
    struct waiter *w = malloc((size_t)n * sizeof *w);
    bench_need(w, "malloc");
    for (long i = 0; i < n; i++) {
        w[i].stack = take(p);
        coop_context_make(&w[i].side, w[i].stack->low, w[i].stack->size, wait_and_end,
                          &w[i].side);
        coop_switch(&main_side, &w[i].side, NULL);
    }
    return w;
}

static void disband(struct coop_stacks *p, struct waiter *w, long n)
{
    for (long i = 0; i < n; i++) {
        coop_switch(&main_side, &w[i].side, NULL);
        coop_context_end(&w[i].side);
        coop_stack_give(p, w[i].stack, 0);
    }
    coop_stacks_free(p);
    free(w);
}

static double fresh(long n)
{
    struct coop_stacks *p = pool(false);
    int64_t start = bench_clock();
    disband(p, crowd(p, n), n);
    return bench_each(start, n);
}

static double bytes(long n)
{
    struct coop_stacks *p = pool(false);
    double before = bench_resident();
    struct waiter *w = crowd(p, n);
    double each = (bench_resident() - before) / (double)n;
    disband(p, w, n);
    return each;
}

const bench_case bench_cases[] = {
    { "pair", "ns", pair, 10000000, false },
    { "pair_trap", "ns", pair_trap, 10000000, false },
    { "pair_functions", "ns", pair_functions, 5000000, false },
    { "spawn", "ns", spawn, 5000000, false },
    { "spawn_measured", "ns", spawn_measured, 200000, false },
    { "fresh", "ns", fresh, 100000, false },
    { "bytes", "bytes", bytes, 100000, true },
    { NULL, NULL, NULL, 0, false }
};

int main(int argc, char **argv)
{
    static bench_result results[sizeof bench_cases / sizeof *bench_cases];
    bench_options o = bench_arguments(argv, help);
    (void)argc;
    for (char **at = o.names; *at; at++)
        if (!bench_find(*at)) {
            fprintf(stderr, "switch: no case %s\n", *at);
            return 2;
        }
    for (const bench_case *c = bench_cases; c->name; c++) {
        bench_result *result = &results[c - bench_cases];
        if (!bench_wanted(&o, c->name))
            continue;
        for (int i = 0; i < (c->once ? 1 : o.rounds); i++)
            bench_round(&o, c, result);
        double median = bench_median(result);
        if (o.all)
            printf("%s %.1f %.1f %.1f %s\n", c->name, result->sample[0], median,
                   result->sample[result->count - 1], c->unit);
        else
            printf("%s %.1f %s\n", c->name, median, c->unit);
    }
    return 0;
}
