/* Work and the helper threads: who runs what, in which order, and what becomes of a job
   whose task ends. */
#include "outside.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The linker puts these in front of the library's calls (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*start)(void *), void *arg);

static _Thread_local long fail_at, asked;
static _Thread_local bool no_threads;
static atomic_int threads_made;

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
    threads_made++;
    return __real_pthread_create(thread, attr, start, arg);
}

/* ---- Jobs ---- */

static sem_t begun, opened;        /* a held job posts the one and waits for the other */
static atomic_int running, most_running, ran;

static void await(sem_t *s)
{
    while (sem_wait(s) < 0)
        need(errno == EINTR, "sem_wait");
}

static coop_value held(void *arg)
{
    int now = ++running, most = most_running;
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
        ;
    sem_post(&begun);
    await(&opened);
    running--;
    ran++;
    return (coop_value)(intptr_t)arg;
}

static coop_value give(void *arg)
{
    ran++;
    return *(coop_value *)arg;
}

static coop_value nap(void *arg)
{
    nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    return (coop_value)(intptr_t)arg;
}

/* A world of the real machine with so many helpers. */
static void open_with(unsigned threads)
{
    coop_machine *m = NULL;
    need(sem_init(&begun, 0, 0) == 0 && sem_init(&opened, 0, 0) == 0, "sem_init");
    running = most_running = ran = threads_made = 0;
    need(coop_open_unix(getenv("COOP_POLLER"), threads, &m) == 0, "coop_open_unix");
    world_open_with((coop_options){ .machine = m });
}

static void close_all(void)
{
    IS(coop_this->living, 0);
    IS(coop_this->outside, 0);
    IS(coop_this->jobs, 0);
    IS(coop_sched_close(), 0);
    IS(running, 0);
    sem_destroy(&begun);
    sem_destroy(&opened);
}

#define WITH(threads, ...) (open_with(threads), IS(coop_main(__VA_ARGS__), 0), close_all())

/* One job in a task of its own, which says what came of it. */
coop_routine(worker, coop_value (*run)(void *); void *arg; coop_value r;)
{
    coop_begin;
    my->r = 77;
    coop_trap(my->r, Work, .run = my->run, .arg = my->arg);
    coop_return(my->r);
    coop_finally;
    say("%td", my->r);
    coop_end;
}

static void spawn_held(coop_tid *tids, int count)
{
    for (int i = 0; i < count; i++) {
        coop_tid tid = coop_spawn(worker, .run = held, .arg = (void *)(intptr_t)(i + 1));
        if (tids)
            tids[i] = tid;
    }
}

static void open_gate(int count)
{
    for (int i = 0; i < count; i++)
        sem_post(&opened);
}

/* ---- Results ---- */

static coop_value look_around(void *arg)
{
    static const int blocked[] = { SIGINT, SIGTERM, SIGPIPE, SIGXFSZ, SIGCHLD, SIGALRM };
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
        if (!sigismember(&mask, blocked[i]))
            return -EINTR;
    if (sigismember(&mask, SIGSEGV))
        return -EFAULT;
    return !pthread_equal(pthread_self(), *(pthread_t *)arg) && !coop_this;
}

coop_routine(results, pthread_t self; coop_value r, v; void *p;)
{
    coop_begin;
    my->self = pthread_self();
    coop_trap(my->r, Work, .run = look_around, .arg = &my->self);
    IS(my->r, 1);
    my->v = 5;
    coop_trap(my->r, Work, .run = give, .arg = &my->v);
    IS(my->r, 5);
    my->v = -EXDEV;
    coop_trap(my->r, Work, .run = give, .arg = &my->v);
    IS(my->r, -EXDEV);
    my->v = (coop_value)&my->v;
    coop_trap(my->p, Work, .run = give, .arg = &my->v);
    CU_ASSERT_PTR_EQUAL(my->p, &my->v);
    IS(ran, 3);
    coop_trap(my->r, Work, .arg = &my->v);
    IS(my->r, -EFAULT);
    IS(threads_made, 1);
    coop_end;
}

static void work_gives_what_the_function_returned(void)
{
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    WITH(0, results);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int i = 1; i < 32; i++)
        IS(sigismember(&after, i), sigismember(&before, i));
}

coop_routine(shown, coop_tid tid; char *text;)
{
    coop_begin;
    my->tid = coop_spawn(worker, .run = held);
    coop_await(coop_void, settle);
    CU_ASSERT_NSTRING_EQUAL(outside_call(my->tid), "Work(0x", 7);
    CU_ASSERT_PTR_NOT_NULL(strstr(outside_call(my->tid), ", NULL)"));
    CU_ASSERT_STRING_EQUAL(outside_call(coop_this->poller->tid),
                           "Poll(0 descriptors, 1 job)");
    open_gate(1);
    coop_end;
}

static void work_is_shown(void)
{
    WITH(0, shown);
}

/* ---- The pool ---- */

coop_routine(in_order, int i;)
{
    coop_begin;
    spawn_held(NULL, 6);
    coop_await(coop_void, settle);
    for (my->i = 0; my->i < 6; my->i++) {
        await(&begun);
        open_gate(1);
    }
    coop_end;
}

static void one_helper_answers_in_order(void)
{
    open_with(1);
    IS(coop_main(in_order), 0);
    IS(coop_run(), 0);
    LOG_IS("1 2 3 4 5 6");
    IS(most_running, 1);
    IS(threads_made, 1);
    close_all();
}

enum { MORE = 5 };

coop_routine(crowd, int helpers; int i;)
{
    coop_begin;
    spawn_held(NULL, my->helpers + MORE);
    coop_await(coop_void, settle);
    for (my->i = 0; my->i < my->helpers; my->i++)
        await(&begun);
    IS(running, my->helpers);
    IS(sem_trywait(&begun), -1);
    IS(coop_this->jobs, my->helpers + MORE);
    open_gate(my->helpers + MORE);
    coop_end;
}

static void pool_is_bounded(void)
{
    static const unsigned threads[] = { 3, 0 };
    for (size_t i = 0; i < 2; i++) {
        int helpers = threads[i] ? (int)threads[i] : 8;
        open_with(threads[i]);
        IS(coop_main(crowd, .helpers = helpers), 0);
        IS(coop_run(), 0);
        IS(most_running, helpers);
        IS(ran, helpers + MORE);
        IS(threads_made, helpers);
        close_all();
    }
}

static void option_threads(void)
{
    need(sem_init(&begun, 0, 0) == 0 && sem_init(&opened, 0, 0) == 0, "sem_init");
    running = most_running = ran = threads_made = 0;
    memset(&world, 0, sizeof world);
    IS(coop_sched_open(&(coop_options){ .threads = 2, .slow = -1, .no_env = true }), 0);
    IS(coop_main(crowd, .helpers = 2), 0);
    IS(coop_run(), 0);
    IS(threads_made, 2);
    close_all();
}

/* A helper that is free is taken before another is started. */
coop_routine(one_by_one, int i; coop_value v, r;)
{
    coop_begin;
    for (my->i = 0; my->i < 50; my->i++) {
        my->v = my->i;
        coop_trap(my->r, Work, .run = give, .arg = &my->v);
        IS(my->r, my->i);
    }
    IS(threads_made, 1);
    coop_end;
}

static void helpers_are_used_again(void)
{
    WITH(0, one_by_one);
}

coop_routine(adder, coop_value n, r; coop_value *sum;)
{
    coop_begin;
    coop_trap(my->r, Work, .run = give, .arg = &my->n);
    *my->sum += my->r;
    coop_end;
}

enum { MANY = 5000 };

coop_routine(many, coop_value sum; int i;)
{
    coop_begin;
    for (my->i = 1; my->i <= MANY; my->i++)
        coop_spawn(adder, .n = my->i, .sum = &my->sum);
    while (ran < MANY || coop_this->jobs)
        coop_trap(coop_void, Yield);
    coop_await(coop_void, settle);
    IS(my->sum, (coop_value)MANY * (MANY + 1) / 2);
    CU_ASSERT(threads_made <= 8);
    coop_end;
}

static void thousands_of_jobs(void)
{
    WITH(0, many);
}

/* ---- Others go on ---- */

coop_routine(reader, int fd; coop_value n; char byte;)
{
    coop_begin;
    coop_trap(my->n, Recv, .fd = my->fd, .buf = &my->byte, .len = 1);
    say("recv=%td", my->n);
    coop_end;
}

coop_routine(go_on, int fds[2];)
{
    coop_begin;
    pair(my->fds);
    coop_spawn(worker, .run = held, .arg = (void *)9);
    coop_spawn(reader, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    say("slept");
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("slept recv=1");
    open_gate(1);
    while (coop_this->jobs)
        coop_trap(coop_void, Yield);
    coop_await(coop_void, settle);
    LOG_IS("9");
    close(my->fds[0]);
    close(my->fds[1]);
    coop_end;
}

static void tasks_timers_and_sockets_go_on_meanwhile(void)
{
    WITH(0, go_on);
}

coop_routine(asleep, coop_value r; int i; unsigned polls;)
{
    coop_begin;
    for (my->i = 0; my->i < 3; my->i++) {
        my->polls = outside.polls;
        coop_trap(my->r, Work, .run = nap, .arg = (void *)3);
        IS(my->r, 3);
        CU_ASSERT(outside.polls - my->polls <= 2);
    }
    CU_ASSERT(outside.glances <= 1);
    coop_end;
}

static void finished_job_wakes_the_scheduler(void)
{
    OUTSIDE(0, asleep);
}

/* ---- Tasks that end ---- */

coop_routine(kill_queued, coop_tid tids[3]; coop_value r;)
{
    coop_begin;
    spawn_held(my->tids, 3);
    coop_await(coop_void, settle);
    await(&begun);
    coop_trap(my->r, KillTask, .tid = my->tids[2], .wait = true);
    IS(my->r, 0);
    coop_trap(my->r, KillTask, .tid = my->tids[1], .wait = true);
    IS(my->r, 0);
    IS(ECANCELED, 125);
    LOG_IS("-125 -125");
    IS(running, 1);
    IS(coop_this->jobs, 1);
    no_trace_of(my->tids[1]);
    no_trace_of(my->tids[2]);
    open_gate(3);
    coop_trap(my->r, WaitTask, .tid = my->tids[0]);
    LOG_IS("1");
    IS(ran, 1);
    spawn_held(NULL, 1);
    coop_end;
}

static void killed_before_its_job_began(void)
{
    WITH(1, kill_queued);
}

/* Read and Write of files are jobs too. */
coop_routine(file_user, int fd; bool write; coop_value r; char buf[4];)
{
    coop_begin;
    if (my->write)
        coop_trap(my->r, Write, .fd = my->fd, .buf = "no", .len = 2);
    else
        coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
    coop_finally;
    say("%td", my->r);
    coop_end;
}

coop_routine(kill_file_users, int fd; coop_tid reader, writer; coop_value r;)
{
    coop_begin;
    FILE *file = tmpfile();
    need(file, "tmpfile");
    my->fd = dup(fileno(file));
    fclose(file);
    spawn_held(NULL, 1);
    coop_await(coop_void, settle);
    await(&begun);
    my->reader = coop_spawn(file_user, .fd = my->fd);
    my->writer = coop_spawn(file_user, .fd = my->fd, .write = true);
    coop_await(coop_void, settle);
    IS(coop_this->jobs, 3);
    coop_trap(my->r, KillTask, .tid = my->reader, .wait = true);
    coop_trap(my->r, KillTask, .tid = my->writer, .wait = true);
    LOG_IS("-125 -125");
    IS(coop_this->jobs, 1);
    IS(lseek(my->fd, 0, SEEK_END), 0);
    open_gate(1);
    close(my->fd);
    coop_end;
}

static void files_killed_before_their_jobs_began(void)
{
    WITH(1, kill_file_users);
}

coop_routine(kill_running, coop_tid tid; coop_value r; coop_status status; coop_info info;)
{
    coop_begin;
    coop_trap(my->tid, NewTask,
              .target = coop_create(worker, .run = held, .arg = (void *)4));
    coop_await(coop_void, settle);
    await(&begun);
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, 0);
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, -EALREADY);
    coop_await(coop_void, settle);
    LOG_IS("");
    IS(coop_inspect(my->tid, &my->info), 0);
    IS(my->info.state, COOP_WAITING);
    CU_ASSERT(my->info.ending);
    open_gate(1);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->r, -ECANCELED);
    IS(my->status.end, COOP_KILLED);
    LOG_IS("4");
    no_trace_of(my->tid);
    coop_end;
}

static void killed_while_its_job_runs(void)
{
    WITH(0, kill_running);
}

coop_routine(opens, int unused;)
{
    coop_begin;
    open_gate(1);
    coop_end;
}

coop_routine(kill_and_wait, coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(worker, .run = held, .arg = (void *)6);
    coop_await(coop_void, settle);
    await(&begun);
    coop_spawn(opens);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    IS(coop_this->jobs, 0);
    no_trace_of(my->tid);
    coop_end;
}

static void kill_waits_for_the_job(void)
{
    WITH(1, kill_and_wait);
}

coop_routine(opens_at_its_end, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(1000));
    coop_finally;
    say("opens");
    open_gate(1);
    coop_end;
}

coop_routine(stops_the_run, int unused;)
{
    coop_begin;
    coop_await(coop_void, settle);
    await(&begun);
    coop_stop(coop_this, -ECANCELED);
    coop_end;
}

static void close_waits_for_what_runs(void)
{
    open_with(1);
    spawn_held(NULL, 3);
    coop_spawn(opens_at_its_end);
    coop_spawn(stops_the_run);
    IS(coop_run(), -ECANCELED);
    IS(running, 1);
    IS(coop_this->jobs, 3);
    IS(coop_sched_close(), 0);
    IS(ran, 1);
    LOG_IS("-125 -125 opens 1");
    NO_REPORTS();
}

/* ---- What the host refuses ---- */

coop_routine(refused, coop_value r, v; coop_tid tid;)
{
    coop_begin;
    my->v = 8;
    no_threads = true;
    coop_trap(my->r, Work, .run = give, .arg = &my->v);
    IS(my->r, -EAGAIN);
    IS(coop_this->jobs, 0);
    IS(ran, 0);
    no_threads = false;
    my->tid = coop_spawn(worker, .run = held, .arg = (void *)2);
    coop_await(coop_void, settle);
    await(&begun);
    no_threads = true;
    coop_spawn(worker, .run = give, .arg = &my->v);
    coop_await(coop_void, settle);
    IS(threads_made, 1);
    IS(coop_this->jobs, 2);
    open_gate(1);
    while (coop_this->jobs)
        coop_trap(coop_void, Yield);
    coop_await(coop_void, settle);
    LOG_IS("2 8");
    no_threads = false;
    coop_end;
}

static void host_gives_no_thread(void)
{
    WITH(0, refused);
}

coop_routine(starved, coop_value r, v;)
{
    coop_begin;
    my->v = 8;
    asked = 0;
    coop_trap(my->r, Work, .run = give, .arg = &my->v);
    if (asked >= fail_at) {
        IS(my->r, -ENOMEM);
        fail_at = 0;
        coop_trap(my->r, Work, .run = give, .arg = &my->v);
    }
    IS(my->r, 8);
    coop_end;
}

static void rule_7_no_memory_for_a_job(void)
{
    long n = 0;
    do {
        open_with(0);
        asked = 0;
        coop_tid tid = coop_spawn(starved);
        CU_ASSERT(tid > 0);
        fail_at = ++n;
        IS(coop_run(), 0);
        close_all();
    } while (fail_at == 0 && n < 100);
    fail_at = 0;
    CU_ASSERT(n > 3 && n < 100);
}

coop_routine(no_descriptors, coop_value r, v;)
{
    coop_begin;
    my->v = 8;
    coop_await(coop_void, settle);
    allow_no_more_descriptors();
    coop_trap(my->r, Work, .run = give, .arg = &my->v);
    allow_descriptors_again();
    IS(my->r, -EMFILE);
    coop_trap(my->r, Work, .run = give, .arg = &my->v);
    IS(my->r, 8);
    coop_end;
}

static void no_descriptor_to_wake_with(void)
{
    OUTSIDE(0, no_descriptors);
}

/* ---- Threads ---- */

coop_routine(busy, coop_value sum, r, v; int i;)
{
    coop_begin;
    for (my->i = 0; my->i < 300; my->i++) {
        my->v = my->i;
        coop_trap(my->r, Work, .run = give, .arg = &my->v);
        my->sum += my->r;
    }
    coop_return(my->sum);
    coop_end;
}

static void *run_a_scheduler(void *arg)
{
    coop_sched_open(&(coop_options){ .threads = 2, .no_env = true });
    *(coop_value *)arg = coop_main(busy);
    return coop_sched_close() == 0 ? arg : NULL;
}

static void rule_18_each_scheduler_has_its_helpers(void)
{
    pthread_t threads[2];
    coop_value sums[2];
    void *done;
    for (int i = 0; i < 2; i++)
        need(__real_pthread_create(&threads[i], NULL, run_a_scheduler, &sums[i]) == 0,
             "pthread_create");
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &done);
        CU_ASSERT_PTR_NOT_NULL(done);
        IS(sums[i], 299 * 300 / 2);
    }
}

static const suite_test tests[] = {
    TEST(work_gives_what_the_function_returned),
    TEST(work_is_shown),
    TEST(one_helper_answers_in_order),
    TEST(pool_is_bounded),
    TEST(option_threads),
    TEST(helpers_are_used_again),
    TEST(thousands_of_jobs),
    TEST(tasks_timers_and_sockets_go_on_meanwhile),
    TEST(finished_job_wakes_the_scheduler),
    TEST(killed_before_its_job_began),
    TEST(files_killed_before_their_jobs_began),
    TEST(killed_while_its_job_runs),
    TEST(kill_waits_for_the_job),
    TEST(close_waits_for_what_runs),
    TEST(host_gives_no_thread),
    TEST(rule_7_no_memory_for_a_job),
    TEST(no_descriptor_to_wake_with),
    TEST(rule_18_each_scheduler_has_its_helpers),
};

int main(int argc, char **argv)
{
    return suite_main("work", tests, SUITE_COUNT(tests), argc, argv);
}
