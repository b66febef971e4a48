/* SignalWait, with real signals. */
#include "outside.h"
#include "tasks/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define USR1 COOP_SIGNAL(SIGUSR1)
#define USR2 COOP_SIGNAL(SIGUSR2)

static void say_signal(const char *name, coop_value r)
{
    char buf[20];
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_print_signal(&text, (int)r, false);
    say("%s=%s", name, buf);
}

coop_routine(catcher, const char *name; uint64_t signals; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, SignalWait, .signals = my->signals);
    say_signal(my->name, my->r);
    coop_end;
}

static void send_signal(int number)
{
    IS(kill(getpid(), number), 0);
}

coop_routine(wait_first, coop_value r; coop_tid tid;)
{
    coop_begin;
    my->tid = coop_spawn(catcher, .name = "a", .signals = USR1 | USR2);
    coop_await(coop_void, settle);
    CU_ASSERT_STRING_EQUAL(outside_call(my->tid), "SignalWait([USR1 USR2])");
    IS(outside_watched(), 0);
    LOG_IS("");
    errno = ENOENT;
    raise(SIGUSR1);
    IS(errno, ENOENT);
    coop_await(coop_void, settle);
    LOG_IS("a=USR1");
    coop_end;
}

static void signal_comes_to_who_waits(void)
{
    OUTSIDE(0, wait_first);
}

coop_routine(signal_first, coop_value r;)
{
    coop_begin;
    coop_spawn(catcher, .name = "first", .signals = USR1);
    coop_await(coop_void, settle);
    send_signal(SIGUSR1);
    send_signal(SIGUSR1);
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    LOG_IS("first=USR1");
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    coop_trap(my->r, SignalWait, .signals = USR1);
    IS(my->r, SIGUSR1);
    coop_spawn(catcher, .name = "then", .signals = USR1);
    coop_await(coop_void, settle);
    LOG_IS("");
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    LOG_IS("then=USR1");
    coop_end;
}

static void signal_is_remembered_once(void)
{
    OUTSIDE(0, signal_first);
}

coop_routine(at_once, coop_value r;)
{
    coop_begin;
    coop_spawn(catcher, .name = "a", .signals = USR1);
    coop_trap(coop_void, Yield);
    send_signal(SIGUSR1);
    coop_trap(my->r, SignalWait, .signals = USR1);
    IS(my->r, SIGUSR1);
    LOG_IS("a=USR1");
    coop_end;
}

static void signal_between_two_slices(void)
{
    OUTSIDE(0, at_once);
}

coop_routine(several, int unused;)
{
    coop_begin;
    coop_spawn(catcher, .name = "a", .signals = USR1);
    coop_spawn(catcher, .name = "b", .signals = USR2);
    coop_spawn(catcher, .name = "c", .signals = USR1 | USR2);
    coop_spawn(catcher, .name = "d", .signals = USR1);
    coop_await(coop_void, settle);
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    LOG_IS("a=USR1 c=USR1 d=USR1");
    coop_spawn(catcher, .name = "e", .signals = USR1);
    coop_await(coop_void, settle);
    LOG_IS("");
    send_signal(SIGUSR2);
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    LOG_IS("b=USR2 e=USR1");
    coop_end;
}

static void all_who_wait_are_woken_in_order(void)
{
    OUTSIDE(0, several);
}

coop_routine(lowest_first, coop_value r;)
{
    coop_begin;
    coop_spawn(catcher, .name = "a", .signals = USR1 | USR2);
    coop_await(coop_void, settle);
    send_signal(SIGUSR2);
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    LOG_IS("a=USR1");
    coop_trap(my->r, SignalWait, .signals = USR1 | USR2);
    IS(my->r, SIGUSR2);
    coop_spawn(catcher, .name = "b", .signals = USR1 | USR2);
    coop_await(coop_void, settle);
    LOG_IS("");
    send_signal(SIGUSR2);
    coop_await(coop_void, settle);
    LOG_IS("b=USR2");
    coop_end;
}

static void of_several_signals_the_lowest_comes_first(void)
{
    OUTSIDE(0, lowest_first);
}

coop_routine(killed, coop_tid tid, other; coop_value r;)
{
    coop_begin;
    coop_spawn(catcher, .name = "a", .signals = USR1);
    my->tid = coop_spawn(catcher, .name = "b", .signals = USR1 | USR2);
    my->other = coop_spawn(catcher, .name = "c", .signals = USR2);
    coop_await(coop_void, settle);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    no_trace_of(my->tid);
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    LOG_IS("a=USR1");
    coop_trap(my->r, KillTask, .tid = my->other, .wait = true);
    send_signal(SIGUSR2);
    coop_await(coop_void, settle);
    coop_trap(my->r, SignalWait, .signals = USR2);
    IS(my->r, SIGUSR2);
    coop_end;
}

static void killed_task_waits_no_more(void)
{
    OUTSIDE(0, killed);
}

coop_routine(signal_when_busy, int i;)
{
    coop_begin;
    coop_spawn(catcher, .name = "a", .signals = USR1);
    coop_trap(coop_void, Yield);
    send_signal(SIGUSR1);
    for (my->i = 0; my->i < 66 && !world.log[0]; my->i++)
        coop_trap(coop_void, Yield);
    LOG_IS("a=USR1");
    coop_end;
}

static void rule_4_signal_is_noticed_when_busy(void)
{
    OUTSIDE(0, signal_when_busy);
}

enum { FDS = 70 };

/* More descriptors than auto leaves to select. */
coop_routine(moves_on, int fds[2], dups[FDS], i;)
{
    coop_begin;
    pair(my->fds);
    coop_spawn(catcher, .name = "a", .signals = USR1);
    coop_await(coop_void, settle);
    for (my->i = 0; my->i < FDS; my->i++) {
        my->dups[my->i] = dup(my->fds[0]);
        coop_spawn(waiter, .name = "w", .kind = READ_WAIT, .fd = my->dups[my->i]);
    }
    coop_await(coop_void, settle);
    IS(outside_watched(), FDS);
    for (my->i = 0; my->i < 2; my->i++) {
        send_signal(SIGUSR1);
        coop_await(coop_void, settle);
        LOG_IS("a=USR1");
        coop_spawn(catcher, .name = "a", .signals = USR1);
        coop_await(coop_void, settle);
    }
    IS(write(my->fds[1], "x", 1), 1);
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "a=USR1"));
    IS(strlen(world.log), FDS * strlen("w=0 ") + strlen("a=USR1"));
    IS(outside_watched(), 0);
    for (my->i = 0; my->i < FDS; my->i++)
        close(my->dups[my->i]);
    close_pair(my->fds);
    coop_end;
}

static void signals_among_many_descriptors(void)
{
    OUTSIDE(0, moves_on);
}

/* ---- From outside, while poll sleeps and while it works */

/* SIGUSR1 after the first span of ns, and then after each of the second. */
static timer_t start_timer(long first, long each)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct itimerspec spec = { .it_value.tv_nsec = first, .it_interval.tv_nsec = each };
    timer_t timer;
    need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
    need(timer_settime(timer, 0, &spec, NULL) == 0, "timer_settime");
    return timer;
}

coop_routine(asleep, coop_value r; timer_t timer; unsigned polls;)
{
    coop_begin;
    coop_spawn(catcher, .name = "a", .signals = USR1);
    coop_await(coop_void, settle);
    my->timer = start_timer(20000000, 0);
    my->polls = outside.polls;
    coop_trap(my->r, SignalWait, .signals = USR1);
    IS(my->r, SIGUSR1);
    IS(outside.polls - my->polls < 10, 1);
    timer_delete(my->timer);
    LOG_IS("a=USR1");
    coop_end;
}

static void signal_while_poll_sleeps(void)
{
    OUTSIDE(0, asleep);
}

enum { MUCH = 1 << 18, SIGNALS_ENOUGH = 20 };
static char much[MUCH];

struct storm {
    int fds[2], caught;
    bool over;
};

coop_routine(catch_all, struct storm *storm; coop_value r;)
{
    coop_begin;
    while (!my->storm->over) {
        coop_trap(my->r, SignalWait, .signals = USR1);
        IS(my->r, SIGUSR1);
        my->storm->caught++;
    }
    coop_end;
}

coop_routine(receive_all, int fd; size_t got; coop_value n; char buf[1000];)
{
    coop_begin;
    for (;;) {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        if (my->n <= 0)
            break;
        for (int i = 0; i < my->n; i++)
            CU_ASSERT_FATAL(my->buf[i] == much[(my->got + (size_t)i) % MUCH]);
        my->got += (size_t)my->n;
    }
    IS(my->n, 0);
    IS(my->got % MUCH, 0);
    coop_end;
}

coop_routine(in_a_storm, struct storm storm; coop_value n; timer_t timer;
             coop_tid reader, catcher;)
{
    coop_begin;
    for (int i = 0; i < MUCH; i++)
        much[i] = (char)(i % 253);
    pair(my->storm.fds);
    need(setsockopt(my->storm.fds[0], SOL_SOCKET, SO_SNDBUF, &(int){ 4096 },
                    sizeof(int)) == 0, "SO_SNDBUF");
    coop_trap(my->catcher, NewTask, .target = coop_create(catch_all, .storm = &my->storm));
    coop_trap(my->reader, NewTask,
              .target = coop_create(receive_all, .fd = my->storm.fds[1]));
    my->timer = start_timer(500000, 500000);
    while (my->storm.caught < SIGNALS_ENOUGH) {
        coop_trap(my->n, Send, .fd = my->storm.fds[0], .buf = much, .len = MUCH);
        IS(my->n, MUCH);
        coop_trap(coop_void, Sleep, .ns = COOP_US(100));
    }
    timer_delete(my->timer);
    my->storm.over = true;
    raise(SIGUSR1);
    close(my->storm.fds[0]);
    coop_trap(coop_void, WaitTask, .tid = my->reader);
    coop_trap(coop_void, WaitTask, .tid = my->catcher);
    close(my->storm.fds[1]);
    coop_end;
}

static void EINTR_everywhere(void)
{
    OUTSIDE(0, in_a_storm);
}

/* ---- What the program had set before */

static int seen;

static void see(int number)
{
    (void)number;
    seen++;
}

static void see_too(int number)
{
    (void)number;
    seen += 100;
}

static void (*disposition(int number))(int)
{
    struct sigaction now;
    IS(sigaction(number, NULL, &now), 0);
    return now.sa_handler;
}

coop_routine(overrules, int unused;)
{
    coop_begin;
    coop_spawn(catcher, .name = "a", .signals = USR1 | USR2 | COOP_SIGNAL(SIGWINCH));
    coop_await(coop_void, settle);
    send_signal(SIGUSR1);
    coop_await(coop_void, settle);
    LOG_IS("a=USR1");
    IS(seen, 0);
    signal(SIGWINCH, see_too);
    coop_end;
}

static void what_was_set_before_is_set_again(void)
{
    seen = 0;
    signal(SIGUSR1, see);
    signal(SIGUSR2, SIG_IGN);
    OUTSIDE(0, overrules);
    send_signal(SIGUSR1);
    IS(seen, 1);
    CU_ASSERT(disposition(SIGUSR2) == SIG_IGN);
    CU_ASSERT(disposition(SIGWINCH) == see_too);
    signal(SIGWINCH, SIG_DFL);
    OUTSIDE(0, wait_first);
    send_signal(SIGUSR1);
    IS(seen, 2);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    OUTSIDE(0, wait_first);
    CU_ASSERT(disposition(SIGUSR1) == SIG_DFL);
}

coop_routine(closes_now, int unused;)
{
    coop_begin;
    coop_await(coop_void, settle);
    coop_stop(coop_this, -ECANCELED);
    coop_end;
}

static void scheduler_closes_while_somebody_waits(void)
{
    signal(SIGUSR1, see);
    seen = 0;
    outside_open();
    coop_spawn(catcher, .name = "a", .signals = USR1);
    coop_spawn(catcher, .name = "b", .signals = USR1 | USR2);
    coop_spawn(closes_now);
    IS(coop_run(), -ECANCELED);
    send_signal(SIGUSR1);
    IS(seen, 0);
    IS(coop_sched_close(), 0);
    send_signal(SIGUSR1);
    IS(seen, 1);
    LOG_IS("");
    signal(SIGUSR1, SIG_DFL);
}

static const int never[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 32, 33 };

coop_routine(refused, size_t i; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, SignalWait, .signals = 0);
    IS(my->r, -EINVAL);
    for (my->i = 0; my->i < sizeof never / sizeof *never; my->i++) {
        coop_trap(my->r, SignalWait, .signals = USR1 | COOP_SIGNAL(never[my->i]));
        IS(my->r, -EINVAL);
    }
    coop_trap(my->r, SignalWait, .signals = UINT64_MAX);
    IS(my->r, -EINVAL);
    CU_ASSERT(disposition(SIGUSR1) == SIG_DFL);
    coop_spawn(catcher, .name = "last", .signals = COOP_SIGNAL(63));
    coop_await(coop_void, settle);
    send_signal(63);
    coop_await(coop_void, settle);
    LOG_IS("last=63");
    coop_end;
}

static void signals_that_cannot_be_caught(void)
{
    OUTSIDE(0, refused);
}

coop_routine(no_room, coop_value r;)
{
    coop_begin;
    allow_no_more_descriptors();
    coop_trap(my->r, SignalWait, .signals = USR1);
    allow_descriptors_again();
    IS(my->r, -EMFILE);
    CU_ASSERT(disposition(SIGUSR1) == SIG_DFL);
    coop_await(coop_void, wait_first);
    coop_end;
}

static void no_descriptor_left(void)
{
    OUTSIDE(0, no_room);
}

/* ---- Threads */

enum { USERS = 2, ROUNDS = 100 };
static pthread_barrier_t all, two;
static atomic_int finished;

struct user {
    pthread_t thread;
    bool twice;
    coop_value got[2];
};

coop_routine(wait_once, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, SignalWait, .signals = USR1);
    coop_return(my->r);
    coop_end;
}

coop_routine(use_signals, struct user *user; coop_tid tid;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(wait_once));
    coop_await(coop_void, settle);
    pthread_barrier_wait(&all);
    coop_trap(my->user->got[0], WaitTask, .tid = my->tid);
    if (!my->user->twice)
        coop_return(0);
    coop_trap(my->tid, NewTask, .target = coop_create(wait_once));
    coop_await(coop_void, settle);
    pthread_barrier_wait(&two);
    coop_trap(my->user->got[1], WaitTask, .tid = my->tid);
    coop_end;
}

static void *use(void *arg)
{
    coop_main(use_signals, .user = arg);
    return NULL;
}

static void schedulers_in_two_threads_are_both_told(void)
{
    struct user users[USERS] = { { .twice = false }, { .twice = true } };
    seen = 0;
    signal(SIGUSR1, see);
    pthread_barrier_init(&all, NULL, USERS + 1);
    pthread_barrier_init(&two, NULL, 2);
    for (int i = 0; i < USERS; i++)
        IS(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
    pthread_barrier_wait(&all);
    send_signal(SIGUSR1);
    IS(pthread_join(users[0].thread, NULL), 0);
    pthread_barrier_wait(&two);
    send_signal(SIGUSR1);
    IS(pthread_join(users[1].thread, NULL), 0);
    IS(users[0].got[0], SIGUSR1);
    IS(users[1].got[0], SIGUSR1);
    IS(users[1].got[1], SIGUSR1);
    IS(seen, 0);
    send_signal(SIGUSR1);
    IS(seen, 1);
    signal(SIGUSR1, SIG_DFL);
    pthread_barrier_destroy(&all);
    pthread_barrier_destroy(&two);
}

coop_routine(want_and_go, coop_tid tid;)
{
    coop_begin;
    my->tid = coop_spawn(wait_once);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    coop_end;
}

static void *come_and_go(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        coop_main(want_and_go);
    finished++;
    return arg;
}

static void schedulers_close_while_handlers_run(void)
{
    pthread_t threads[USERS];
    finished = 0;
    signal(SIGUSR1, SIG_IGN);
    for (int i = 0; i < USERS; i++)
        IS(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
    while (finished < USERS) {
        kill(getpid(), SIGUSR1);
        for (int i = 0; i < USERS; i++)
            pthread_kill(threads[i], SIGUSR1);
    }
    for (int i = 0; i < USERS; i++)
        IS(pthread_join(threads[i], NULL), 0);
    CU_ASSERT(disposition(SIGUSR1) == SIG_IGN);
    signal(SIGUSR1, SIG_DFL);
}

static const suite_test tests[] = {
    TEST(signal_comes_to_who_waits),
    TEST(signal_is_remembered_once),
    TEST(signal_between_two_slices),
    TEST(all_who_wait_are_woken_in_order),
    TEST(of_several_signals_the_lowest_comes_first),
    TEST(killed_task_waits_no_more),
    TEST(rule_4_signal_is_noticed_when_busy),
    TEST(signals_among_many_descriptors),
    TEST(signal_while_poll_sleeps),
    TEST(EINTR_everywhere),
    TEST(what_was_set_before_is_set_again),
    TEST(scheduler_closes_while_somebody_waits),
    TEST(signals_that_cannot_be_caught),
    TEST(no_descriptor_left),
    TEST(schedulers_in_two_threads_are_both_told),
    TEST(schedulers_close_while_handlers_run),
};

int main(int argc, char **argv)
{
    return world_main("signals", tests, SUITE_COUNT(tests), argc, argv, "");
}
