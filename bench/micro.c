/* micro - what coop's operations cost: one line per case, name value unit.

   Each case runs in a process of its own, so that none finds the heap as another one
   left it. */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "Usage: micro [--rounds N] [--quick] [--all] [CASE...]\n"
    "Prints what each case costs: its name, the median of N rounds (11) and the unit.\n"
    "  --all    minimum, median and maximum instead\n"
    "  --quick  a hundredth of the work and one round: to see that it runs\n";

static void measure(const bench_options *o, const bench_case *c)
{
    static bench_result result;
    for (int i = 0; i < (c->once ? 1 : o->rounds); i++)
        bench_round(o, c, &result);
    double median = bench_median(&result);
    if (o->all)
        printf("%s %.1f %.1f %.1f %s\n", c->name, result.sample[0], median,
               result.sample[result.count - 1], c->unit);
    else
        printf("%s %.1f %s\n", c->name, median, c->unit);
}

/* False: the case did not come to its end. */
static bool measure_apart(const bench_options *o, const bench_case *c)
{
    int status;
    pid_t child = fork();
    bench_need(child >= 0, "fork");
    if (child == 0) {
        measure(o, c);
        exit(0);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

int main(int argc, char **argv)
{
    bench_options o = bench_arguments(argv, help);
    bool well = true;
    (void)argc;
    for (char **at = o.names; *at; at++)
        if (!bench_find(*at)) {
            fprintf(stderr, "micro: no case %s\n", *at);
            return 2;
        }
    for (const bench_case *c = bench_cases; c->name; c++)
        if (bench_wanted(&o, c->name)) {
            fflush(stdout);
            well &= measure_apart(&o, c);
        }
    return !well;
}
