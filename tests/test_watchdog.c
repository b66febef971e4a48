/* The watchdog on the real machine, where a thread looks. */
#include "outside.h"
#include "routines.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The linker puts these in front of the library's calls (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*start)(void *), void *arg);
int __real_pthread_join(pthread_t thread, void **result);

static _Thread_local long fail_at, asked;
static bool no_threads;
static int threads;

static bool refuse(void)
{
    return fail_at && ++asked == fail_at;
}

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuse() ? NULL : __real_calloc(n, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*start)(void *), void *arg)
{
    if (no_threads)
        return EAGAIN;
    threads++;
    return __real_pthread_create(thread, attr, start, arg);
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
    threads--;
    return __real_pthread_join(thread, result);
}

static atomic_int tells;           /* in which the text is awaited */
static const char *awaited;
static int to_reader = -1;

static void tell(void *arg, const char *text)
{
    (void)arg;
    if (!strstr(text, awaited))
        return;
    tells++;
    if (to_reader >= 0)
        need(write(to_reader, "x", 1) == 1, "write");
}

static coop_machine *host(void)
{
    coop_machine *m = coop_unix(getenv("COOP_POLLER"));
    need(m, "coop_unix");
    tells = threads = 0;
    return m;
}

static void open_host(coop_machine *m, const char *text)
{
    awaited = text;
    world_open_with((coop_options){ .machine = m, .slow = COOP_MS(4),
                                    .slow_report = tell });
    IS(threads, m->guard != NULL);
}

static void close_host(void)
{
    IS(coop_sched_close(), 0);
    IS(threads, 0);
}

/* False, and says so, where the host has no watchdog. */
static bool has_guard(void)
{
    coop_machine *m = host();
    bool has = m->guard;
    m->free(m);
    if (!has)
        printf("(skipped: there is no watchdog here) ");
    return has;
}

coop_routine(spins, int unused;)
{
    coop_begin;
    while (!tells)
        sched_yield();
    coop_end;
}

static void who_computes_is_told_of_while_it_does(void)
{
    if (!has_guard())
        return;
    open_host(host(), "coop: task 1 spins keeps the processor: 4ms in spins, created at"
                      " test_watchdog.c:");
    IS(coop_main(spins), 0);
    close_host();
}

coop_routine(reads, int fd; char byte;)
{
    coop_begin;
    IS(read(my->fd, &my->byte, 1), 1);
    coop_end;
}

static void who_blocks_in_the_host_is_told_of_while_it_does(void)
{
    int fds[2];
    if (!has_guard())
        return;
    need(pipe(fds) == 0, "pipe");
    to_reader = fds[1];
    open_host(host(), "coop: task 1 reads keeps the processor: 4ms in reads, created at");
    IS(coop_main(reads, .fd = fds[0]), 0);
    close_host();
    to_reader = -1;
    close_pair(fds);
}

/* Its thread looks through these. */
static int (*guard_itself)(coop_machine *, int64_t (*)(void *), void *);
static int64_t (*look_itself)(void *);
static atomic_int looks;
static _Atomic int64_t last_given;
static bool no_pause;

static coop_sched *watched;
static atomic_int unasked;         /* looks while it slept */

static int64_t counted_look(void *arg)
{
    unasked += __atomic_load_n(&watched->idle, __ATOMIC_ACQUIRE) == COOP_UNWATCHED;
    int64_t given = look_itself(arg);
    looks++;
    last_given = given;
    return no_pause && given > 0 ? 0 : given;
}

static int counted_guard(coop_machine *m, int64_t (*look)(void *), void *arg)
{
    look_itself = look;
    watched = coop_this;
    return guard_itself(m, counted_look, arg);
}

static coop_machine *counted_host(bool pauseless)
{
    coop_machine *m = host();
    no_pause = pauseless;
    guard_itself = m->guard;
    m->guard = counted_guard;
    looks = unasked = 0;
    last_given = 0;
    return m;
}

static int (*poll_itself)(coop_machine *, int64_t, coop_fired *, int);
static int looks_asleep, waker = -1;

/* Blocks until the watchdog sleeps, and then until waker can be read on the other side. */
static int poll_until_asleep(coop_machine *m, int64_t timeout, coop_fired *fired, int max)
{
    if (timeout) {
        while (last_given >= 0)
            sched_yield();
        last_given = 0;
        looks_asleep = looks;
        need(write(waker, "x", 1) == 1, "write");
    }
    return poll_itself(m, timeout, fired, max);
}

coop_routine(waits, int fd; int i; char byte;)
{
    coop_begin;
    for (; my->i < 5; my->i++) {
        coop_trap(coop_void, ReadWait, .fd = my->fd);
        IS(read(my->fd, &my->byte, 1), 1);
    }
    coop_await(coop_void, spins);
    coop_end;
}

/* Once it has given -1 its thread waits without a limit. */
static void its_thread_sleeps_while_nothing_can_run(void)
{
    int fds[2];
    if (!has_guard())
        return;
    need(pipe(fds) == 0, "pipe");
    waker = fds[1];
    coop_machine *m = counted_host(false);
    poll_itself = m->poll;
    m->poll = poll_until_asleep;
    open_host(m, "ms in spins, called at test_watchdog.c:");
    IS(coop_main(waits, .fd = fds[0]), 0);
    CU_ASSERT(looks_asleep > 0);
    CU_ASSERT(looks >= looks_asleep + 4);
    IS(unasked, 0);
    close_host();
    close_pair(fds);
}

static void no_thread_no_watchdog(void)
{
    coop_machine *m = host();
    if (m->guard) {
        no_threads = true;
        world_open_with((coop_options){ .machine = m, .slow = 5 });
        no_threads = false;
        REPORTED("coop: there is no watchdog: -11 EAGAIN");
        CU_ASSERT_PTR_NULL(coop_this->watchdog);
        IS(coop_main(idle), 0);
        IS(coop_sched_close(), 0);
    } else {
        m->free(m);
    }
}

static void each_allocation_fails_once(void)
{
    bool all = false;
    memset(&world, 0, sizeof world);
    for (long n = 1; !all; n++) {
        coop_machine *m = host();
        coop_options options = { .machine = m, .slow = 5, .no_env = true, .arg = &world,
                                 .report = world_report };
        asked = 0;
        fail_at = n;
        int r = coop_sched_open(&options);
        all = asked < n;
        fail_at = 0;
        if (r < 0) {
            IS(r, -ENOMEM);
            m->free(m);
            continue;
        }
        IS(coop_this->watchdog != NULL, all && m->guard);
        if (!all)
            REPORTED("coop: there is no watchdog: -12 ENOMEM");
        close_host();
        NO_REPORTS();
    }
}

coop_routine(deep, int depth; char room[100];)
{
    coop_begin;
    if (my->depth > 0)
        coop_await(coop_void, deep, .depth = my->depth - 1);
    coop_end;
}

coop_routine(fleeting, int i;)
{
    coop_begin;
    coop_await(coop_void, deep, .depth = 20);
    for (; my->i < 3; my->i++)
        coop_yield(coop_void, 0);
    coop_end;
}

coop_routine(busy, int looks; int i; coop_tid tid;)
{
    coop_begin;
    for (; looks < my->looks; my->i++) {
        coop_trap(my->tid, NewTask, .target = coop_create(fleeting),
                  .name = my->i % 2 ? "named" : NULL);
        coop_spawn(fleeting);
        coop_await(coop_void, deep, .depth = my->i % 2 ? 2000 : 2);
        coop_trap(coop_void, WaitTask, .tid = my->tid);
    }
    coop_end;
}

static atomic_int odd_ones;

/* A frame says its line once what it calls is on top of it; so, now and then, it has none. */
static void check_text(void *arg, const char *text)
{
    static const char *const ends[] = { " at test_watchdog.c:", " since test_watchdog.c:",
                                        " in deep, called in deep\n",
                                        " in deep, called in busy\n",
                                        " in deep, called in fleeting\n",
                                        " gave the processor up after " };
    bool usual = false;
    (void)arg;
    tells++;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        usual |= strstr(text, ends[i]) != NULL;
    odd_ones += !usual || strncmp(text, "coop: task ", 11);
}

/* It looks without a pause and takes every look for a pause. */
static void it_reads_only_what_is_there(void)
{
    if (!has_guard())
        return;
    coop_machine *m = counted_host(true);
    odd_ones = 0;
    world_open_with((coop_options){ .machine = m, .slow = 1, .slow_report = check_text });
    IS(coop_main(busy, .looks = 500), 0);
    close_host();
    IS(odd_ones, 0);
}

static const suite_test tests[] = {
    TEST(who_computes_is_told_of_while_it_does),
    TEST(who_blocks_in_the_host_is_told_of_while_it_does),
    TEST(its_thread_sleeps_while_nothing_can_run),
    TEST(no_thread_no_watchdog),
    TEST(each_allocation_fails_once),
    TEST(it_reads_only_what_is_there),
};

int main(int argc, char **argv)
{
    return suite_main("watchdog", tests, SUITE_COUNT(tests), argc, argv);
}
