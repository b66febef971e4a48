/* peers - what others take for the same thing, as a multiple of what coop takes.

   Each peer is measured in turns with the case that it is compared to, so that what else
   the machine does meanwhile hits both. */
#include "config.h"

#include "bench/bench.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#ifdef HAVE_LIBST
#include <st.h>
#endif

enum { STACK = 64 * 1024 };

static int (*volatile called)(int);

static int add_one(int n)
{
    return n + 1;
}

/* The least that any resumption can cost. */
static double indirect_call(long n)
{
    int sum = 0;
    called = add_one;
    int64_t start = bench_clock();
    for (long i = 0; i < n; i++)
        sum = called(sum & 1);
    double each = bench_each(start, n);
    bench_need(sum > 0, "indirect_call");
    return each;
}

static ucontext_t here, there;

static void swap_back(void)
{
    for (;;)
        swapcontext(&there, &here);
}

static double ucontext_switch(long n)
{
    void *stack = malloc(STACK);
    bench_need(stack && getcontext(&there) == 0, "getcontext");
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = STACK;
    makecontext(&there, swap_back, 0);
    int64_t start = bench_clock();
    for (long i = 0; i < n / 2; i++)
        swapcontext(&here, &there);
    double each = bench_each(start, n);
    free(stack);
    return each;
}

/* Two threads take turns: the one whose turn it is gives it to the other. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned[2] = { PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER };
static int turn;
static long handoffs;

static void *take_turns(void *arg)
{
    int me = (int)(intptr_t)arg;
    pthread_mutex_lock(&mutex);
    for (long i = 0; i < handoffs; i++) {
        while (turn != me)
            pthread_cond_wait(&turned[me], &mutex);
        turn = !me;
        pthread_cond_signal(&turned[!me]);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static double pthread_handoff(long n)
{
    pthread_t other;
    turn = 0;
    handoffs = n / 2;
    int64_t start = bench_clock();
    bench_need(pthread_create(&other, NULL, take_turns, (void *)1) == 0, "pthread_create");
    take_turns((void *)0);
    pthread_join(other, NULL);
    return bench_each(start, n);
}

static void *end_at_once(void *arg)
{
    return arg;
}

static double pthread_create_join(long n)
{
    int64_t start = bench_clock();
    for (long i = 0; i < n; i++) {
        pthread_t child;
        bench_need(pthread_create(&child, NULL, end_at_once, NULL) == 0, "pthread_create");
        pthread_join(child, NULL);
    }
    return bench_each(start, n);
}

#ifdef HAVE_LIBST
/* State Threads has no yield; a sleep of no time is its idiom for one. */
static void *st_yielder(void *arg)
{
    for (long i = (long)(intptr_t)arg; i > 0; i--)
        st_usleep(0);
    return NULL;
}

static double st_yield(long n)
{
    bench_need(st_init() == 0, "st_init");
    int64_t start = bench_clock();
    st_thread_t other = st_thread_create(st_yielder, (void *)(intptr_t)(n / 2), 1, 0);
    bench_need(other, "st_thread_create");
    st_yielder((void *)(intptr_t)(n / 2));
    st_thread_join(other, NULL);
    return bench_each(start, n);
}

static double st_create_join(long n)
{
    bench_need(st_init() == 0, "st_init");
    int64_t start = bench_clock();
    for (long i = 0; i < n; i++) {
        st_thread_t child = st_thread_create(end_at_once, NULL, 1, 0);
        bench_need(child, "st_thread_create");
        st_thread_join(child, NULL);
    }
    return bench_each(start, n);
}
#endif

static const struct peer { bench_case peer; const char *ours; } peers[] = {
    { { "indirect_call", "ns", indirect_call, 5000000, false }, "send" },
    { { "ucontext_switch", "ns", ucontext_switch, 200000, false }, "yield" },
    { { "pthread_handoff", "ns", pthread_handoff, 20000, false }, "yield" },
    { { "pthread_create_join", "ns", pthread_create_join, 2000, false }, "spawn_wait" },
#ifdef HAVE_LIBST
    { { "st_yield", "ns", st_yield, 1000000, false }, "yield" },
    { { "st_create_join", "ns", st_create_join, 200000, false }, "spawn_wait" },
#endif
};

static const char help[] =
    "Usage: peers [--rounds N] [--quick] [--all] [PEER...]\n"
    "Prints the median of what each peer takes in N rounds (11), as a multiple of what\n"
    "coop takes for the same thing: peer value unit ratio case value unit.\n"
    "  --all    the least and the greatest ratio of a round, too\n"
    "  --quick  a hundredth of the work and one round: to see that it runs\n";

static void compare(const bench_options *o, const struct peer *p)
{
    const bench_case *ours = bench_find(p->ours);
    bench_result theirs = { .count = 0 }, mine = { .count = 0 }, ratio = { .count = 0 };
    for (int i = 0; i < o->rounds; i++) {
        bench_round(o, ours, &mine);
        bench_round(o, &p->peer, &theirs);
        ratio.sample[ratio.count++] = theirs.sample[i] / mine.sample[i];
    }
    double times = bench_median(&ratio);
    printf("%s %.1f %s %.1f", p->peer.name, bench_median(&theirs), p->peer.unit, times);
    if (o->all)
        printf(" %.1f %.1f", ratio.sample[0], ratio.sample[ratio.count - 1]);
    printf(" %s %.1f %s\n", p->ours, bench_median(&mine), ours->unit);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    bench_options o = bench_arguments(argv, help);
    (void)argc;
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        if (bench_wanted(&o, peers[i].peer.name))
            compare(&o, &peers[i]);
    return 0;
}
