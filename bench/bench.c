/* bench.c - arguments, clock, rounds and medians. */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void bench_need(bool well, const char *what)
{
    if (well)
        return;
    fprintf(stderr, "bench: %s failed\n", what);
    exit(1);
}

int64_t bench_clock(void)
{
    struct timespec t;
    bench_need(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "clock_gettime");
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

double bench_each(int64_t start, long n)
{
    return (double)(bench_clock() - start) / (double)n;
}

bench_options bench_arguments(char **argv, const char *help)
{
    bench_options o = { .rounds = 0 };
    while (*++argv && **argv == '-') {
        if (strcmp(*argv, "--quick") == 0) {
            o.quick = true;
        } else if (strcmp(*argv, "--all") == 0) {
            o.all = true;
        } else if (strcmp(*argv, "--rounds") == 0 && argv[1] && atoi(argv[1]) >= 1) {
            o.rounds = atoi(*++argv) < MOST_ROUNDS ? atoi(*argv) : MOST_ROUNDS;
        } else {
            bool asked = strcmp(*argv, "--help") == 0;
            fputs(help, asked ? stdout : stderr);
            exit(asked ? 0 : 2);
        }
    }
    if (!o.rounds)
        o.rounds = o.quick ? 1 : 11;
    o.names = argv;
    return o;
}

bool bench_wanted(const bench_options *o, const char *name)
{
    bool wanted = !*o->names;
    for (char **at = o->names; *at; at++)
        wanted |= strcmp(*at, name) == 0;
    return wanted;
}

const bench_case *bench_find(const char *name)
{
    for (const bench_case *c = bench_cases; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

void bench_round(const bench_options *o, const bench_case *c, bench_result *result)
{
    result->sample[result->count++] = c->run(o->quick ? c->n / 100 : c->n);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(bench_result *r)
{
    qsort(r->sample, (size_t)r->count, sizeof *r->sample, ascending);
    return (r->sample[(r->count - 1) / 2] + r->sample[r->count / 2]) / 2;
}

double bench_resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}
