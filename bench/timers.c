/* timers - what it costs when very many sleep, and how late they wake.

   100,000 sleep five times each, for random times. Each run is a process of its own. */
#include "config.h"

#include "bench/bench.h"

#include <coop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_LIBUV
#include <uv.h>
#endif

enum { SLEEPERS = 100000, SLEEPS = 5 };

/* What one run gave: processor time and time from start to end in s, lateness in us, how
   many in a hundred woke early. */
enum { CPU, TIME, P50, P99, MAX, EARLY, COLUMNS };

static int64_t *lateness;
static long wakes;
static int64_t longest;            /* sleep, in ns */

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Any time up to the longest, the same ones in each run. */
static int64_t some_time(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((double)(*seed >> 11) / 9007199254740992.0 * (double)longest);
}

static void woke(int64_t due)
{
    lateness[wakes++] = now() - due;
}

coop_routine(sleeper, uint64_t seed; int i; int64_t due;)
{
    coop_begin;
    for (; my->i < SLEEPS; my->i++) {
        int64_t ns = some_time(&my->seed);
        my->due = now() + ns;
        coop_trap(coop_void, Sleep, .ns = ns);
        woke(my->due);
    }
    coop_end;
}

static void by_coop(int sleepers)
{
    bench_need(coop_sched_open(&(coop_options){ .no_env = true }) == 0, "coop_sched_open");
    for (int i = 0; i < sleepers; i++)
        bench_need(coop_spawn(sleeper, .seed = (uint64_t)i) > 0, "coop_spawn");
    bench_need(coop_run() == 0 && coop_sched_close() == 0, "coop_run");
}

/* By hand: a binary heap of who is due when, and one sleep until the first is. */
struct due { int64_t when; uint64_t seed; int left; };

static void sink(struct due *heap, int n, struct due d)
{
    int i = 0, child;
    while ((child = 2 * i + 1) < n) {
        child += child + 1 < n && heap[child + 1].when < heap[child].when;
        if (d.when <= heap[child].when)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = d;
}

static void rise(struct due *heap, int i, struct due d)
{
    for (; i && d.when < heap[(i - 1) / 2].when; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = d;
}

static void by_hand(int sleepers)
{
    struct due *heap = malloc((size_t)sleepers * sizeof *heap);
    int n = sleepers;
    bench_need(heap, "malloc");
    for (int i = 0; i < sleepers; i++) {
        struct due d = { .seed = (uint64_t)i, .left = SLEEPS };
        d.when = now() + some_time(&d.seed);
        rise(heap, i, d);
    }
    while (n) {
        struct due d = heap[0];
        struct timespec t = { d.when / 1000000000, d.when % 1000000000 };
        if (d.when > now())
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        woke(d.when);
        if (--d.left)
            d.when = now() + some_time(&d.seed);
        else
            d = heap[--n];
        sink(heap, n, d);
    }
    free(heap);
}

#ifdef HAVE_LIBUV
struct timer { uv_timer_t uv; uint64_t seed; int64_t due; int left; };

static void fired(uv_timer_t *uv);

static void sleep_again(struct timer *t)
{
    int64_t ns = some_time(&t->seed);
    t->due = now() + ns;
    uv_timer_start(&t->uv, fired, (uint64_t)((ns + 999999) / 1000000), 0);
}

static void fired(uv_timer_t *uv)
{
    struct timer *t = uv->data;
    woke(t->due);
    if (--t->left)
        sleep_again(t);
    else
        uv_close((uv_handle_t *)uv, NULL);
}

static void by_uv(int sleepers)
{
    uv_loop_t loop;
    struct timer *all = calloc((size_t)sleepers, sizeof *all);
    bench_need(all && uv_loop_init(&loop) == 0, "uv_loop_init");
    for (int i = 0; i < sleepers; i++) {
        all[i].seed = (uint64_t)i;
        all[i].left = SLEEPS;
        all[i].uv.data = &all[i];
        uv_timer_init(&loop, &all[i].uv);
        sleep_again(&all[i]);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_need(uv_loop_close(&loop) == 0, "uv_loop_close");
    free(all);
}
#endif

static const struct way { const char *name; void (*run)(int sleepers); } ways[] = {
    { "plain", by_hand },
    { "coop", by_coop },
#ifdef HAVE_LIBUV
    { "uv", by_uv },
#endif
};

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void run(const struct way *way, int sleepers, double *result)
{
    size_t all = (size_t)sleepers * SLEEPS, early = 0;
    lateness = malloc(all * sizeof *lateness);
    bench_need(lateness, "malloc");
    memset(lateness, 1, all * sizeof *lateness);
    int64_t cpu = bench_clock(), start = now();
    way->run(sleepers);
    result[TIME] = (double)(now() - start) / 1e9;
    result[CPU] = (double)(bench_clock() - cpu) / 1e9;
    bench_need((size_t)wakes == all, way->name);
    qsort(lateness, all, sizeof *lateness, ascending);
    while (early < all && lateness[early] < 0)
        early++;
    result[EARLY] = 100.0 * (double)early / (double)all;
    result[P50] = (double)lateness[all / 2] / 1e3;
    result[P99] = (double)lateness[all / 100 * 99] / 1e3;
    result[MAX] = (double)lateness[all - 1] / 1e3;
}

static void run_apart(const struct way *way, int sleepers, double *result)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    bench_need(child >= 0, "fork");
    if (child == 0) {
        run(way, sleepers, result);
        _exit(0);
    }
    bench_need(waitpid(child, &status, 0) == child && status == 0, way->name);
}

static void measure(const bench_options *o, const struct way *way, double *result)
{
    static bench_result table[COLUMNS];
    memset(table, 0, sizeof table);
    for (int i = 0; i < o->rounds; i++) {
        run_apart(way, o->quick ? SLEEPERS / 100 : SLEEPERS, result);
        for (int c = 0; c < COLUMNS; c++)
            table[c].sample[table[c].count++] = result[c];
    }
    double cpu = bench_median(&table[CPU]);
    printf("%7lld %-6s %7.3f %7.3f %7.3f", (long long)(longest / 1000000), way->name, cpu,
           table[CPU].sample[0], table[CPU].sample[table[CPU].count - 1]);
    static const char *const formats[] = { NULL, " %7.2f", " %8.1f", " %8.1f", " %9.1f",
                                           " %5.1f%%\n" };
    for (int c = TIME; c < COLUMNS; c++)
        printf(formats[c], bench_median(&table[c]));
}

static const char help[] =
    "Usage: timers [--rounds N] [--quick] [WAY...]\n"
    "100,000 sleep five times, for random times of up to 1 s, and then of up to 200 ms.\n"
    "Prints the longest sleep in ms, the way (plain, coop, uv), the processor time of the\n"
    "process in s as the median of N rounds (11), least and greatest, the time that it\n"
    "all took, how late they woke in us, and how many of them woke early.\n"
    "  --quick  a hundredth of the sleepers and one round: to see that it runs\n";

int main(int argc, char **argv)
{
    bench_options o = bench_arguments(argv, help);
    double *result = mmap(NULL, COLUMNS * sizeof *result, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    (void)argc;
    bench_need(result != MAP_FAILED, "mmap");
    printf("%7s %-6s %7s %7s %7s %7s %8s %8s %9s %6s\n", "longest", "way", "CPU s", "least",
           "most", "time s", "p50 us", "p99 us", "max us", "early");
    for (longest = 1000000000; longest >= 200000000; longest /= 5)
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
            if (bench_wanted(&o, ways[i].name))
                measure(&o, &ways[i], result);
    return 0;
}
