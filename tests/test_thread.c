/* Threads: one in a coroutine at a time, one scheduler for each. */
#include "world.h"

#include <errno.h>
#include <pthread.h>

enum { ROUNDS = 1000000, SCHEDULERS = 4, TASKS = 500 };

coop_routine(counter, coop_value n;)
{
    coop_begin;
    for (;;)
        coop_yield(coop_void, ++my->n);
    coop_end;
}

static pthread_barrier_t start;

struct user {
    pthread_t thread;
    coop_coroutine *co;
    long sent, busy, wrong;
    coop_value last;
    bool together;
};

static void *send_often(void *arg)
{
    struct user *u = arg;
    if (u->together)
        pthread_barrier_wait(&start);
    for (int i = 0; i < ROUNDS; i++) {
        coop_value n;
        int r = coop_co_next(u->co, &n);
        if (r == COOP_YIELDED) {
            u->sent++;
            u->wrong += n <= u->last;
            u->last = n;
        } else if (r == -EBUSY) {
            u->busy++;
        } else {
            u->wrong++;
        }
    }
    return NULL;
}

static void two_threads_in_one_coroutine(void)
{
    coop_coroutine *co = coop_create(counter);
    struct user users[2] = {
        { .co = co, .together = true }, { .co = co, .together = true }
    };
    coop_value n = 0;
    pthread_barrier_init(&start, NULL, 2);
    IS(coop_co_next(co, &n), COOP_YIELDED);
    for (int i = 0; i < 2; i++)
        IS(pthread_create(&users[i].thread, NULL, send_often, &users[i]), 0);
    for (int i = 0; i < 2; i++)
        IS(pthread_join(users[i].thread, NULL), 0);
    IS(coop_co_next(co, &n), COOP_YIELDED);
    IS(n, users[0].sent + users[1].sent + 2);
    IS(users[0].wrong + users[1].wrong, 0);
    IS(users[0].sent + users[0].busy, ROUNDS);
    IS(coop_co_free(co), 0);
    pthread_barrier_destroy(&start);
}

/* Inside, both threads stand at the gates, so that the other is surely in meanwhile. */
static pthread_barrier_t in, out;

coop_routine(gated, int unused;)
{
    coop_begin;
    for (;;) {
        coop_yield(coop_void, 1);
        pthread_barrier_wait(&in);
        pthread_barrier_wait(&out);
    }
    coop_end;
}

static void *enter(void *arg)
{
    struct user *u = arg;
    u->wrong = coop_co_next(u->co, NULL) != COOP_YIELDED;
    return NULL;
}

static void a_second_thread_is_told_busy(void)
{
    struct user u = { .co = coop_create(gated) };
    pthread_barrier_init(&in, NULL, 2);
    pthread_barrier_init(&out, NULL, 2);
    IS(coop_co_next(u.co, NULL), COOP_YIELDED);
    IS(pthread_create(&u.thread, NULL, enter, &u), 0);
    pthread_barrier_wait(&in);
    IS(coop_co_next(u.co, NULL), -EBUSY);
    IS(coop_co_throw(u.co, -EIO, NULL), -EBUSY);
    IS(coop_co_close(u.co), -EBUSY);
    IS(coop_co_free(u.co), -EBUSY);
    pthread_barrier_wait(&out);
    IS(pthread_join(u.thread, NULL), 0);
    IS(u.wrong, 0);
    IS(coop_co_free(u.co), 0);
    pthread_barrier_destroy(&in);
    pthread_barrier_destroy(&out);
}

coop_routine(starter, coop_coroutine *co; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, NewTask, .target = my->co);
    coop_return(my->r);
    coop_end;
}

static void *begin_elsewhere(void *arg)
{
    struct user *u = arg;
    u->wrong += coop_co_next(u->co, NULL) != -EPERM;
    u->wrong += coop_co_throw(u->co, -EIO, NULL) != -EPERM;
    u->wrong += coop_co_close(u->co) != -EPERM;
    u->wrong += coop_co_free(u->co) != -EPERM;
    u->wrong += coop_main(starter, .co = u->co) != -EPERM;
    return NULL;
}

static void first_begun_by_its_own_thread(void)
{
    struct user u = { .co = coop_create(counter) };
    coop_value n = 0;
    IS(pthread_create(&u.thread, NULL, begin_elsewhere, &u), 0);
    IS(pthread_join(u.thread, NULL), 0);
    IS(u.wrong, 0);
    IS(coop_co_next(u.co, &n), COOP_YIELDED);
    IS(n, 1);
    IS(pthread_create(&u.thread, NULL, send_often, &u), 0);
    IS(pthread_join(u.thread, NULL), 0);
    IS(u.last, ROUNDS + 1);
    IS(coop_co_free(u.co), 0);
}

coop_routine(adder, long *sum; int i;)
{
    coop_begin;
    for (; my->i < 10; my->i++) {
        coop_trap(coop_void, Yield);
        ++*my->sum;
    }
    coop_end;
}

coop_routine(adders, long *sum; int i; coop_tid tid;)
{
    coop_begin;
    for (; my->i < TASKS; my->i++) {
        coop_trap(my->tid, NewTask, .target = coop_create(adder, .sum = my->sum));
        if (my->tid != my->i + 2)
            coop_return(-EPROTO);
        coop_trap(coop_void, WaitTask, .tid = my->tid);
    }
    coop_return(coop_self());
    coop_end;
}

static void *schedule(void *arg)
{
    struct user *u = arg;
    u->wrong += coop_self() != 0;
    u->wrong += coop_name(1, "mine") != -ESRCH;
    u->last = coop_main(adders, .sum = &u->sent);
    return NULL;
}

coop_routine(bystander, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_end;
}

/* Tasks are numbered in each for itself; this thread's task is not seen there. */
static void rule_18_one_scheduler_for_each_thread(void)
{
    struct user users[SCHEDULERS] = { { .co = NULL } };
    world_open(0);
    IS(coop_spawn(bystander), 1);
    for (int i = 0; i < SCHEDULERS; i++)
        IS(pthread_create(&users[i].thread, NULL, schedule, &users[i]), 0);
    for (int i = 0; i < SCHEDULERS; i++) {
        IS(pthread_join(users[i].thread, NULL), 0);
        IS(users[i].wrong, 0);
        IS(users[i].last, 1);
        IS(users[i].sent, 10L * TASKS);
    }
    IS(coop_run(), 0);
    world_close();
}

static const suite_test tests[] = {
    TEST(two_threads_in_one_coroutine),
    TEST(a_second_thread_is_told_busy),
    TEST(first_begun_by_its_own_thread),
    TEST(rule_18_one_scheduler_for_each_thread),
};

int main(int argc, char **argv)
{
    return suite_main("thread", tests, SUITE_COUNT(tests), argc, argv);
}
