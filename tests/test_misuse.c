/* Descriptors and machines that others tamper with: numbers that are closed behind the
   kernel's back and come again, the machine's own descriptors, a poll that fails for good.
   This suite opens no large descriptors: see numbers_that_were_never_open. */
#include "outside.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static int lowest(void)
{
    int fd = dup(0);
    need(fd >= 0, "dup");
    close(fd);
    return fd;
}

static void await(sem_t *s)
{
    while (sem_wait(s) < 0)
        need(errno == EINTR, "sem_wait");
}

static void empty(sem_t *s)
{
    while (sem_trywait(s) == 0)
        ;
}

/* ---- Numbers that were never open ---- */

/* select() passes over those past the host's table, which is as long as the process ever
   needed it. */
coop_routine(never_open, int i; enum kind kind; coop_tid tid;)
{
    static const int fds[] = { -1, 50, 200, 900, FD_SETSIZE - 1, FD_SETSIZE, 1000000,
                               INT_MAX };
    coop_begin;
    for (my->i = 0; my->i < (int)(sizeof fds / sizeof *fds); my->i++)
        for (my->kind = 0; my->kind < KINDS; my->kind++) {
            CU_ASSERT(!is_open(fds[my->i]));
            my->tid = coop_spawn(waiter, .name = "r", .kind = my->kind, .fd = fds[my->i]);
            coop_await(coop_void, settle);
            LOG_IS("r=-9");
            coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
            clear_log();
        }
    NO_REPORTS();
    coop_end;
}

static void numbers_that_were_never_open(void)
{
    ON_ALL(0, never_open);
}

/* ---- Numbers that come back ---- */

enum how { BY_ACCEPT, BY_CONNECT, BY_LISTEN, HOWS };

/* Somebody waits on a number that is closed without Close, and that the kernel opens next:
   that one is somebody else's. */
coop_routine(opened_again, enum how how; enum kind kind; bool ours; int old[2], listener,
             client, fd; coop_value n; char at[64], bound[64];)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = "tcp://127.0.0.1:0", .bound = my->at,
              .bound_size = sizeof my->at);
    if (my->kind == ACCEPT)
        my->old[0] = listener(), my->old[1] = dup(0);
    else
        pair(my->old);
    if (my->kind == SEND || my->kind == WRITE_WAIT)
        fill(my->old[0]);
    coop_spawn(waiter, .name = "old", .kind = my->kind, .fd = my->old[0]);
    coop_spawn(waiter, .name = "old", .kind = my->kind, .fd = my->old[0]);
    coop_await(coop_void, settle);
    LOG_IS("");
    my->client = my->how == BY_ACCEPT ? connect_to(my->listener) : -1;
    close(my->old[0]);
    if (my->how == BY_ACCEPT)
        coop_trap(my->fd, Accept, .fd = my->listener);
    else if (my->how == BY_CONNECT)
        coop_trap(my->fd, Connect, .address = my->at);
    else
        coop_trap(my->fd, Listen, .address = "udp://127.0.0.1:0", .bound = my->bound,
                  .bound_size = sizeof my->bound);
    IS(my->fd, my->old[0]);
    coop_await(coop_void, settle);
    LOG_IS("old=-9 old=-9");
    coop_spawn(waiter, .name = "new", .kind = RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    LOG_IS("");
    if (my->how == BY_CONNECT)
        my->client = accept(my->listener, NULL, NULL);
    if (my->how == BY_LISTEN)
        coop_trap(my->client, Connect, .address = my->bound);
    IS(send(my->client, "data", 4, 0), 4);
    coop_await(coop_void, settle);
    LOG_IS("new=4");
    coop_trap(coop_void, Close, .fd = my->client);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_trap(coop_void, Close, .fd = my->listener);
    close(my->old[1]);
    coop_end;
}

static void rule_13_a_number_that_the_kernel_opens_again(void)
{
    for (enum how how = 0; how < HOWS; how++)
        for (enum kind kind = 0; kind < KINDS; kind++)
            ON_ALL(0, opened_again, .how = how, .kind = kind);
}

/* ---- The wake-up ----

   A machine has descriptors by which helper threads and signals wake it. Somebody closes
   them, who closes all that is not his. */

enum { SEEN = 64, ENOUGH = 5 };    /* polls while a task sleeps once, at most */

static bool was_open[SEEN];
static int spared = -1;            /* one of them that stays open; -1: none */

static void remember_what_is_open(void)
{
    for (int fd = 0; fd < SEEN; fd++)
        was_open[fd] = is_open(fd);
}

/* How many were opened since then; perhaps it closes them. */
static int more_open(bool close_them)
{
    int n = 0;
    for (int fd = 0; fd < SEEN; fd++)
        if (!was_open[fd] && is_open(fd)) {
            if (close_them && n != spared)
                close(fd);
            n++;
        }
    return n;
}

/* So that it is certain that a sleeping scheduler is woken. */
static sem_t asleep, heard, begun, may_end;
static int (*real_poll)(coop_machine *, int64_t, coop_fired *, int);

static int poll_and_tell(coop_machine *m, int64_t limit, coop_fired *fired, int max)
{
    if (limit)
        sem_post(&asleep);
    return real_poll(m, limit, fired, max);
}

static void tell_of_sleep(void)
{
    real_poll = coop_this->machine->poll;
    coop_this->machine->poll = poll_and_tell;
}

static coop_value nothing(void *arg)
{
    (void)arg;
    return 5;
}

static coop_value ends_when_it_may(void *arg)
{
    await(&may_end);
    return *(int *)arg;
}

/* The signal comes to this thread, so it interrupts no poll; and the job ends only when
   the signal was heard of. */
static coop_value raises(void *arg)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    await(&asleep);
    pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
    raise(SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    await(&heard);
    await(&asleep);
    return *(int *)arg;
}

coop_routine(works, coop_value (*run)(void *); int value; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Work, .run = my->run, .arg = &my->value);
    coop_return(my->r);
    coop_end;
}

coop_routine(hears, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, SignalWait, .signals = COOP_SIGNAL(SIGUSR1));
    IS(my->r, SIGUSR1);
    sem_post(&heard);
    coop_end;
}

/* The machine makes new ones; epoll needs some time until it sees that they are gone. */
coop_routine(made_anew, int count, i;)
{
    coop_begin;
    for (my->i = 0; my->i < 1000 && more_open(false) < my->count; my->i++)
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    IS(more_open(false), my->count);
    coop_end;
}

coop_routine(loses_wakeup, unsigned polls; int count; coop_value r, tid;)
{
    coop_begin;
    tell_of_sleep();
    remember_what_is_open();
    coop_spawn(hears);
    coop_trap(my->r, Work, .run = nothing);
    IS(my->r, 5);
    my->count = more_open(true);
    CU_ASSERT(my->count > 0);
    coop_await(coop_void, made_anew, .count = my->count);
    my->polls = outside.polls;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(20));
    IS(outside.polls - my->polls <= ENOUGH, 1);
    empty(&asleep);
    coop_await(my->r, works, .run = raises, .value = 6);
    IS(my->r, 6);

    coop_trap(my->tid, NewTask,
              .target = coop_create(works, .run = ends_when_it_may, .value = 7));
    coop_await(coop_void, settle);
    IS(more_open(true), my->count);
    sem_post(&may_end);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    IS(my->r, 7);
    coop_await(coop_void, made_anew, .count = my->count);
    coop_end;
}

static void closed_wakeup(void)
{
    for (spared = -1; spared < 2; spared++)
        ON_ALL(0, loses_wakeup);
}

/* ---- A poll that fails for good, while a helper writes into a task's frame ---- */

static bool waited_for;
static void (*real_end_jobs)(coop_machine *), (*real_free)(coop_machine *);

static void end_jobs_late(coop_machine *m)
{
    waited_for = true;
    sem_post(&may_end);
    real_end_jobs(m);
}

static void free_late(coop_machine *m)
{
    sem_post(&may_end);
    real_free(m);
}

static coop_value fills(void *arg)
{
    sem_post(&begun);
    await(&may_end);
    memset(arg, 1, 64);
    return 0;
}

coop_routine(is_filled, char buf[64];)
{
    coop_begin;
    coop_trap(coop_void, Work, .run = fills, .arg = my->buf);
    coop_end;
}

coop_routine(poll_breaks, int set;)
{
    coop_begin;
    empty(&may_end);
    waited_for = false;
    real_end_jobs = coop_this->machine->end_jobs;
    real_free = coop_this->machine->free;
    coop_this->machine->end_jobs = end_jobs_late;
    coop_this->machine->free = free_late;
    coop_spawn(is_filled);
    coop_await(coop_void, settle);
    await(&begun);
    if (my->set >= 0) {
        close(my->set);
        allow_no_more_descriptors();
    } else {
        outside.fails = -ENOMEM;
    }
    coop_end;
}

static void a_helper_is_waited_for_though_poll_fails(void)
{
    int before = lowest();
    for (int i = 0; i < POLLERS; i++)
        if (outside_has(outside_pollers[i])) {
            outside_open_with((coop_options){ .poller = outside_pollers[i] });
            IS(coop_main(poll_breaks, .set = -1), -ENOMEM);
            IS(coop_sched_close(), 0);
            IS(waited_for, 1);
        }
    IS(lowest(), before);
}

static void a_helper_is_waited_for_though_the_set_is_gone(void)
{
    int before = lowest();
    if (!outside_has("epoll") || under_valgrind())
        return;
    outside_open_with((coop_options){ .poller = "epoll" });
    IS(coop_main(poll_breaks, .set = before), -EBADF);
    IS(coop_sched_close(), 0);
    allow_descriptors_again();
    IS(waited_for, 1);
    IS(lowest(), before);
}

static const suite_test tests[] = {
    TEST(numbers_that_were_never_open),
    TEST(rule_13_a_number_that_the_kernel_opens_again),
    TEST(closed_wakeup),
    TEST(a_helper_is_waited_for_though_poll_fails),
    TEST(a_helper_is_waited_for_though_the_set_is_gone),
};

int main(int argc, char **argv)
{
    need(sem_init(&asleep, 0, 0) == 0 && sem_init(&heard, 0, 0) == 0
         && sem_init(&begun, 0, 0) == 0 && sem_init(&may_end, 0, 0) == 0, "sem_init");
    return suite_main("misuse", tests, SUITE_COUNT(tests), argc, argv);
}
