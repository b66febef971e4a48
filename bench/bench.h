/* bench.h - what the programs of this folder share: cases, rounds and medians. */
#ifndef COOP_BENCH_H
#define COOP_BENCH_H

#include <stdbool.h>
#include <stdint.h>

/* A case measures n operations and gives the cost of one of them in its unit. */
typedef struct bench_case {
    const char *name, *unit;
    double (*run)(long n);
    long n;
    bool once;                     /* always the same: one round is enough */
} bench_case;

typedef struct bench_options {
    int rounds;
    bool quick, all;               /* 1/100 of the work; minimum and maximum too */
    char **names;                  /* of the cases asked for, ends in NULL */
} bench_options;

enum { MOST_ROUNDS = 1000 };

typedef struct bench_result {
    double sample[MOST_ROUNDS];    /* ascending once all are in */
    int count;
} bench_result;

extern const bench_case bench_cases[];     /* of coop; the last has no name */
const bench_case *bench_find(const char *name);

/* Ends the program when the arguments are wrong or ask for help. */
bench_options bench_arguments(char **argv, const char *help);
bool bench_wanted(const bench_options *, const char *name);
void bench_round(const bench_options *, const bench_case *, bench_result *);
double bench_median(bench_result *);

/* ns of processor time that this process has used, all its threads together. */
int64_t bench_clock(void);
/* What n operations cost each, if they began at start and end now. */
double bench_each(int64_t start, long n);
/* Bytes of this process in memory; 0 where the system does not tell. */
double bench_resident(void);

/* compose.c */
double bench_waitany4(long n);
double bench_group_spawn(long n);
double bench_cancel_sleeping(long n);

/* channels.c */
double bench_chan_rtt(long n);
double bench_ring1000(long n);
double bench_chan_buffered(long n);

/* fibers.c */
double bench_fiber_yield(long n);
double bench_fiber_trap(long n);
double bench_fiber_spawn_wait(long n);
double bench_mixed_call(long n);
double bench_fiber_idle_bytes(long n);

void bench_need(bool well, const char *what);      /* or the program ends, naming it */

#endif
