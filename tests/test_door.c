/* Doors: what other threads and signal handlers bring into a scheduler, and that nothing of
   it is lost, told twice, or touched when the scheduler is gone. */
#include "both.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);

static _Thread_local long fail_at, asked;

static bool refuse(void)
{
    return fail_at && ++asked >= fail_at;
}

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuse() ? NULL : __real_calloc(n, size);
}

/* A test for the host and the simulated machine. */
#define ON_BOTH for (int on_ = 0; on_ < 2; on_++)
#define OPEN both_open(on_ ? "sim:1" : "unix")

static coop_chan *chan;
static coop_door *door;

static void open_door(size_t size, size_t capacity, size_t door_capacity)
{
    chan = coop_chan_open(size, capacity, "c");
    door = coop_door_open(chan, door_capacity, "d");
    CU_ASSERT_PTR_NOT_NULL(door);
}

/* How many were lost. */
static coop_value close_door(void)
{
    coop_value lost = coop_door_close(door);
    both_close();
    IS(coop_chan_free(chan), 0);
    return lost;
}

static int post(coop_value value)
{
    return coop_post(door, &value);
}

static pthread_t start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    need(pthread_create(&thread, NULL, run, arg) == 0, "pthread_create");
    return thread;
}

static void join(pthread_t thread)
{
    need(pthread_join(thread, NULL) == 0, "pthread_join");
}

/* ---- Posts ---- */

enum { MANY = 2000, THREADS = 4 };

/* Values that say who and which; until the door is full. */
static void *post_many(void *arg)
{
    int id = (int)(intptr_t)arg, r = 0;
    for (coop_value i = 0; i < MANY && r == 0; i++)
        while ((r = post(id * MANY + i)) == -EAGAIN)
            sched_yield();
    return NULL;
}

/* Receives n; those of each thread must come in their order. */
coop_routine(collect, int n; coop_value v; int next[THREADS]; bool closes;)
{
    coop_begin;
    for (; my->n > 0; my->n--) {
        coop_trap(my->v, ChanRecv, .chan = chan);
        if (my->v < 0)
            break;
        IS(my->v % MANY, my->next[my->v / MANY]);
        my->next[my->v / MANY]++;
    }
    IS(my->n, 0);
    coop_end;
}

static void posts_of_threads_arrive_in_order(void)
{
    ON_BOTH
        for (size_t capacity = 0; capacity < 3; capacity++) {
            pthread_t threads[THREADS];
            OPEN;
            open_door(0, capacity, capacity + 1);
            for (intptr_t i = 0; i < THREADS; i++)
                threads[i] = start(post_many, (void *)i);
            IS(coop_main(collect, .n = THREADS * MANY), 0);
            for (int i = 0; i < THREADS; i++)
                join(threads[i]);
            IS(close_door(), 0);
        }
}

struct item { char text[13]; };

static void *post_items(void *arg)
{
    struct item item;
    for (int i = 0; i < 26; i++) {
        memset(&item, 'a' + i, sizeof item);
        while (coop_post(door, &item) == -EAGAIN)
            sched_yield();
    }
    return arg;
}

coop_routine(collect_items, struct item item; int i; coop_value r;)
{
    coop_begin;
    for (my->i = 0; my->i < 26; my->i++) {
        coop_trap(my->r, ChanRecv, .chan = chan, .item = &my->item);
        IS(my->r, 0);
        for (size_t at = 0; at < sizeof my->item; at++)
            IS(my->item.text[at], 'a' + my->i);
    }
    coop_end;
}

static void items_are_copied(void)
{
    ON_BOTH {
        OPEN;
        open_door(sizeof(struct item), 2, 3);
        pthread_t thread = start(post_items, NULL);
        IS(coop_main(collect_items), 0);
        join(thread);
        IS(close_door(), 0);
    }
}

/* What was posted before anybody looked; what finds no room waits its turn among tasks. */
coop_routine(local_sender, coop_value value; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ChanSend, .chan = chan, .value = my->value);
    IS(my->r, 0);
    coop_end;
}

coop_routine(in_turns, int i; coop_value v;)
{
    coop_begin;
    coop_spawn(local_sender, .value = 100);
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_spawn(local_sender, .value = 101);
    coop_spawn(local_sender, .value = 102);
    coop_trap(coop_void, Yield);
    for (my->i = 0; my->i < 6; my->i++) {
        coop_trap(my->v, ChanRecv, .chan = chan);
        say("%td", my->v);
    }
    coop_end;
}

static void a_door_takes_its_turn_among_senders(void)
{
    ON_BOTH {
        OPEN;
        open_door(0, 0, 3);
        for (coop_value i = 1; i < 4; i++)
            IS(post(i), 0);
        IS(post(4), -EAGAIN);
        IS(coop_main(in_turns), 0);
        LOG_IS("1 100 101 102 2 3");
        IS(post(4), 0);
        IS(close_door(), 1);
    }
}

/* ---- Knocks ---- */

static void *knock_once(void *arg)
{
    IS(coop_knock(door), 0);
    return arg;
}

coop_routine(listener_at, const char *name; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, DoorWait, .door = door);
    say("%s%s", my->name, result(my->r));
    coop_end;
}

/* Threads knock when the listeners wait, or before. */
coop_routine(knocks, pthread_t thread; coop_value r;)
{
    coop_begin;
    coop_spawn(listener_at, .name = "a");
    coop_spawn(listener_at, .name = "b");
    coop_trap(coop_void, Yield);
    my->thread = start(knock_once, NULL);
    coop_trap(my->r, DoorWait, .door = door);
    IS(my->r, 0);
    join(my->thread);
    for (int i = 0; i < 3; i++)
        join(start(knock_once, NULL));
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_trap(my->r, DoorWait, .door = door);
    IS(my->r, 0);
    coop_within(my->r, COOP_MS(1), DoorWait, .door = door);
    IS(my->r, -ETIMEDOUT);
    coop_end;
}

static void a_knock_wakes_all_who_wait_or_the_next(void)
{
    ON_BOTH {
        OPEN;
        open_door(0, 1, 1);
        IS(coop_main(knocks), 0);
        LOG_IS("a0 b0");
        IS(close_door(), 0);
    }
}

coop_routine(undone_waits, coop_tid tid; coop_value which, r;)
{
    coop_begin;
    my->tid = coop_spawn(listener_at, .name = "killed");
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    my->tid = coop_spawn(listener_at, .name = "c");
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Cancel, .tid = my->tid, .wait = true);
    coop_any(my->which, my->r, (DoorWait, .door = door), (DoorWait, .door = door),
             (Sleep, .ns = 1));
    IS(my->which, 2);
    IS(coop_knock(door), 0);
    coop_any(my->which, my->r, (DoorWait, .door = door), (DoorWait, .door = door));
    IS(my->which, 0);
    coop_spawn(listener_at, .name = "d");
    coop_trap(coop_void, Yield);
    IS(coop_door_close(door), 0);
    coop_trap(coop_void, Yield);
    coop_end;
}

static void waits_for_a_knock_are_undone(void)
{
    ON_BOTH {
        OPEN;
        door = coop_door_open(NULL, 0, NULL);
        IS(coop_main(undone_waits), 0);
        LOG_IS("cECANCELED dEPIPE");
        both_close();
    }
}

/* ---- Submitted tasks ---- */

coop_routine(visitor, int id; coop_info info;)
{
    coop_begin;
    IS(coop_inspect(coop_self(), &my->info), 0);
    IS(my->info.parent, 0);
    say("v%d", my->id);
    coop_trap(coop_void, Yield);
    if (my->id == 3)
        coop_door_close(door);
    coop_finally;
    say("e%d", my->id);
    coop_end;
}

static void *submit_three(void *arg)
{
    for (int i = 1; i < 4; i++)
        IS(coop_submit(door, visitor, .id = i), 0);
    return arg;
}

coop_routine(host, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, DoorWait, .door = door);
    IS(my->r, -EPIPE);
    coop_end;
}

static void submitted_tasks_start_in_order(void)
{
    ON_BOTH {
        OPEN;
        door = coop_door_open(NULL, 0, "d");
        coop_spawn(host);
        pthread_t thread = start(submit_three, NULL);
        IS(coop_run(), 0);
        join(thread);
        both_close();
        IS(strlen(world.log), 17);
        clear_log();
    }
}

static void what_was_submitted_before_the_run_belongs_to_it(void)
{
    ON_BOTH {
        OPEN;
        door = coop_door_open(NULL, 0, "d");
        join(start(submit_three, NULL));
        IS(coop_run(), 0);
        LOG_IS("v1 v2 v3 e1 e2 e3");
        both_close();
    }
}

/* It begins, so that its cleanup finds what it was given, and is killed then. */
static void what_was_submitted_is_not_dropped_by_closing(void)
{
    ON_BOTH {
        OPEN;
        door = coop_door_open(NULL, 0, "d");
        IS(coop_submit(door, visitor, .id = 1), 0);
        coop_sched_close();
        LOG_IS("v1 e1");
        IS(coop_submit(door, visitor, .id = 1), -EPIPE);
        IS(coop_door_close(door), 0);
    }
}

static void *submit_other(void *arg)
{
    coop_coroutine *own = coop_create(visitor);
    IS(coop_co_submit(own, door), -EPERM);
    IS(coop_co_close(own), 0);
    IS(coop_co_free(own), 0);
    return arg;
}

static void *submit_made(void *arg)
{
    IS(coop_co_submit(arg, door), 0);
    IS(coop_co_submit(arg, door), -EBUSY);
    return NULL;
}

coop_routine(stepped, coop_value r;)
{
    coop_begin;
    coop_yield(coop_void, 1);
    coop_end;
}

static void coroutines_that_were_made_before(void)
{
    ON_BOTH {
        coop_door *other;
        OPEN;
        other = door = coop_door_open(NULL, 0, "d");
        coop_coroutine *co = coop_create(visitor, .id = 7);
        join(start(submit_made, co));
        IS(coop_co_next(co, NULL), -EBUSY);
        IS(coop_co_free(co), -EBUSY);
        IS(coop_run(), 0);
        LOG_IS("v7 e7");
        co = coop_create(stepped);
        IS(coop_co_next(co, NULL), COOP_YIELDED);
        IS(coop_co_submit(co, door), -EINVAL);
        IS(coop_co_free(co), 0);
        IS(coop_co_submit(NULL, door), -ENOMEM);
        co = coop_create(stepped);
        coop_door_keep(other);
        IS(coop_door_close(door), 0);
        IS(coop_co_submit(co, other), -EPIPE);
        coop_door_drop(other);
        IS(coop_co_next(co, NULL), COOP_YIELDED);
        IS(coop_co_free(co), 0);
        both_close();
    }
}

static void coroutines_of_other_threads_are_refused(void)
{
    both_open("unix");
    door = coop_door_open(NULL, 0, "d");
    join(start(submit_other, NULL));
    IS(coop_door_close(door), 0);
    both_close();
}

/* ---- Signal handlers ---- */

static coop_coroutine *_Atomic prepared;
static atomic_int handled;

static void on_signal(int number)
{
    coop_coroutine *co = atomic_exchange(&prepared, NULL);
    (void)number;
    if (co)
        coop_co_submit(co, door);
    post(handled++);
    coop_knock(door);
}

static void *send_signals(void *arg)
{
    pthread_t *to = arg;
    for (int i = 1; i <= 50; i++) {
        need(pthread_kill(*to, SIGUSR1) == 0, "pthread_kill");
        while (handled < i)
            sched_yield();
    }
    return NULL;
}

/* Whatever the thread is at: asleep in the machine's poll, or busy. */
coop_routine(signalled, pthread_t self, thread; int i; coop_value v;)
{
    coop_begin;
    my->self = pthread_self();
    my->thread = start(send_signals, &my->self);
    for (my->i = 0; my->i < 50; my->i++) {
        coop_trap(my->v, ChanRecv, .chan = chan);
        IS(my->v, my->i);
    }
    coop_trap(my->v, DoorWait, .door = door);
    IS(my->v, 0);
    join(my->thread);
    coop_end;
}

static void a_signal_handler_comes_to_the_door(void)
{
    ON_BOTH {
        struct sigaction before, ours = { .sa_handler = on_signal };
        OPEN;
        open_door(0, 2, 64);
        handled = 0;
        prepared = coop_create(visitor, .id = 9);
        sigaction(SIGUSR1, &ours, &before);
        IS(coop_main(signalled), 0);
        sigaction(SIGUSR1, &before, NULL);
        LOG_IS("v9 e9");
        IS(close_door(), 0);
    }
}

/* ---- Two schedulers ---- */

struct side {
    bool sim;
    coop_chan *in;
    coop_door *door;               /* into its own scheduler */
    struct side *other;
    sem_t ready, go;
};

static void await(sem_t *s)
{
    while (sem_wait(s) < 0)
        need(errno == EINTR, "sem_wait");
}

/* Sends one more than it got, up to the end. */
coop_routine(rally, struct side *side; coop_value v;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->v, ChanRecv, .chan = my->side->in);
        if (my->v++ == MANY)
            break;
        IS(coop_post(my->side->other->door, &my->v), 0);
        if (my->v == MANY)
            break;
    }
    coop_return(my->v);
    coop_end;
}

static void *play(void *arg)
{
    struct side *side = arg;
    coop_options options = { .no_env = true, .machine = side->sim ? coop_sim(1) : NULL };
    IS(coop_sched_open(&options), 0);
    side->in = coop_chan_open(0, 1, "in");
    side->door = coop_door_open(side->in, 1, "door");
    sem_post(&side->ready);
    await(&side->go);
    coop_value v = coop_main(rally, .side = side);
    CU_ASSERT(v >= MANY);
    IS(coop_sched_close(), 0);
    return NULL;
}

static void two_schedulers_talk_through_two_channels(void)
{
    ON_BOTH {
        struct side sides[2] = { { .sim = on_, .other = &sides[1] },
                                 { .sim = on_, .other = &sides[0] } };
        coop_value first = 0;
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            need(sem_init(&sides[i].ready, 0, 0) == 0
                 && sem_init(&sides[i].go, 0, 0) == 0, "sem_init");
        for (int i = 0; i < 2; i++)
            threads[i] = start(play, &sides[i]);
        for (int i = 0; i < 2; i++)
            await(&sides[i].ready);
        IS(coop_post(sides[0].door, &first), 0);
        for (int i = 0; i < 2; i++)
            sem_post(&sides[i].go);
        for (int i = 0; i < 2; i++)
            join(threads[i]);
        for (int i = 0; i < 2; i++) {
            IS(coop_door_close(sides[i].door), 0);
            IS(coop_chan_free(sides[i].in), 0);
            sem_destroy(&sides[i].ready);
            sem_destroy(&sides[i].go);
        }
    }
}

/* ---- Shutting ---- */

static atomic_long accepted;
static atomic_int posting;

static void *post_until_shut(void *arg)
{
    coop_door *mine = arg;
    coop_value v = 1;
    int r, tasks = 20;
    posting++;
    while ((r = coop_post(mine, &v)) != -EPIPE) {
        accepted += r == 0;
        if (tasks-- > 0)
            coop_submit(mine, visitor, .id = 5);
        coop_knock(mine);
    }
    IS(coop_submit(mine, visitor), -EPIPE);
    IS(coop_knock(mine), -EPIPE);
    coop_door_drop(mine);
    return NULL;
}

coop_routine(receive_some, int n; long *received; coop_value v;)
{
    coop_begin;
    while (posting < THREADS || --my->n > 0) {
        coop_trap(my->v, ChanRecv, .chan = chan);
        ++*my->received;
    }
    coop_end;
}

/* The scheduler goes away under the feet of those who come; each item that was accepted was
   received, waits in the channel, or is counted as lost. */
static void a_scheduler_closes_while_others_come(void)
{
    ON_BOTH
        for (int round = 0; round < 20; round++) {
            pthread_t threads[THREADS];
            long received = 0;
            OPEN;
            open_door(0, 3, 5);
            accepted = 0;
            posting = 0;
            for (int i = 0; i < THREADS; i++)
                threads[i] = start(post_until_shut, coop_door_keep(door));
            coop_spawn(receive_some, .n = 20, .received = &received);
            IS(coop_run(), 0);
            IS(coop_sched_close(), 0);
            for (int i = 0; i < THREADS; i++)
                join(threads[i]);
            coop_value lost = coop_door_close(door);
            IS(accepted, received + coop_chan_queued(chan) + lost);
            IS(coop_chan_free(chan), 0);
            clear_log();
        }
}

coop_routine(close_chan, coop_value v;)
{
    coop_begin;
    coop_trap(my->v, ChanRecv, .chan = chan);
    IS(my->v, 1);
    coop_trap(coop_void, ChanClose, .chan = chan);
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_end;
}

static void what_comes_to_a_closed_channel_is_lost(void)
{
    ON_BOTH {
        OPEN;
        open_door(0, 0, 3);
        for (coop_value i = 1; i < 4; i++)
            IS(post(i), 0);
        IS(coop_main(close_chan), 0);
        IS(post(4), -EPIPE);
        IS(close_door(), 2);
    }
}

static void a_channel_with_a_door_is_not_released(void)
{
    both_open("unix");
    open_door(0, 1, 1);
    coop_door *kept = coop_door_keep(door);
    IS(coop_chan_free(chan), -EBUSY);
    IS(close_door(), 0);
    IS(coop_post(kept, &(coop_value){ 1 }), -EPIPE);
    coop_door_drop(kept);
}

static void *close_foreign(void *arg)
{
    IS(coop_door_close(arg), -EPERM);
    return NULL;
}

static void only_its_own_thread_shuts_a_door(void)
{
    both_open("unix");
    open_door(0, 1, 1);
    join(start(close_foreign, door));
    IS(close_door(), 0);
    IS(coop_door_close(NULL), 0);
    coop_door_drop(NULL);
    CU_ASSERT_PTR_NULL(coop_door_keep(NULL));
}

/* A door alone opens a scheduler, and coop_run closes it. */
static void a_door_without_a_scheduler(void)
{
    setenv("COOP_TRACE", "", 1);
    CU_ASSERT_PTR_NULL(coop_this);
    door = coop_door_open(NULL, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL(coop_this);
    IS(coop_knock(door), 0);
    IS(coop_run(), 0);
    CU_ASSERT_PTR_NULL(coop_this);
    IS(coop_knock(door), -EPIPE);
    IS(coop_door_close(door), 0);
    unsetenv("COOP_TRACE");
}

/* ---- Waiting for the outside ---- */

coop_routine(waits_for_ever, coop_value v;)
{
    coop_begin;
    coop_trap(my->v, ChanRecv, .chan = chan);
    coop_end;
}

coop_routine(shutter, coop_value v;)
{
    coop_begin;
    coop_trap(my->v, DoorWait, .door = door);
    IS(coop_door_close(door), 0);
    coop_end;
}

/* As long as it is open there is hope. */
static void a_deadlock_is_found_when_the_door_is_shut(void)
{
    ON_BOTH {
        OPEN;
        open_door(0, 0, 1);
        coop_spawn(waits_for_ever);
        coop_spawn(shutter);
        pthread_t thread = start(knock_once, NULL);
        IS(coop_run(), -EDEADLK);
        REPORTED("waits in ChanRecv(c, cap 0, 0 queued)");
        join(thread);
        coop_sched_close();
        IS(coop_chan_free(chan), 0);
    }
}

static void an_idle_scheduler_sleeps(void)
{
    outside_open();
    open_door(0, 0, 1);
    coop_spawn(shutter);
    pthread_t thread = start(knock_once, NULL);
    IS(coop_run(), 0);
    join(thread);
    CU_ASSERT(outside.polls < 6);
    outside_close();
    IS(coop_chan_free(chan), 0);
}

/* ---- Errors ---- */

static void wrong_arguments(void)
{
    coop_value minus = -1;
    both_open("unix");
    CU_ASSERT_PTR_NULL(coop_door_open(NULL, 1, NULL));
    IS(coop_post(NULL, &minus), -ENOMEM);
    IS(coop_knock(NULL), -ENOMEM);
    IS(coop_submit(NULL, visitor), -ENOMEM);
    open_door(0, 1, 1);
    IS(coop_post(door, NULL), -EFAULT);
    IS(coop_post(door, &minus), -EINVAL);
    IS(close_door(), 0);
    both_open("unix");
    door = coop_door_open(NULL, 0, NULL);
    IS(coop_post(door, &minus), -EINVAL);
    IS(coop_door_close(door), 0);
    both_close();
}

static coop_door *foreign;

static void *open_foreign(void *arg)
{
    sem_t *sems = arg;
    foreign = coop_door_open(NULL, 0, NULL);
    sem_post(&sems[0]);
    await(&sems[1]);
    IS(coop_door_close(foreign), 0);
    IS(coop_sched_close(), 0);
    return NULL;
}

coop_routine(wrong_waits, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, DoorWait, .door = NULL);
    IS(my->r, -ENOMEM);
    coop_trap(my->r, DoorWait, .door = foreign);
    IS(my->r, -EPERM);
    coop_end;
}

static void waits_at_wrong_doors(void)
{
    sem_t sems[2];
    for (int i = 0; i < 2; i++)
        need(sem_init(&sems[i], 0, 0) == 0, "sem_init");
    pthread_t thread = start(open_foreign, sems);
    await(&sems[0]);
    both_open("unix");
    IS(coop_main(wrong_waits), 0);
    both_close();
    sem_post(&sems[1]);
    join(thread);
    for (int i = 0; i < 2; i++)
        sem_destroy(&sems[i]);
}

static void no_memory_for_a_door(void)
{
    both_open("unix");
    chan = coop_chan_open(0, 1, "c");
    door = NULL;
    long n = 0;
    while (!door && n < 20) {
        fail_at = ++n;
        asked = 0;
        door = coop_door_open(chan, 1, "d");
    }
    fail_at = 0;
    CU_ASSERT(n > 3 && n < 20);
    CU_ASSERT_PTR_NULL(coop_door_open(chan, SIZE_MAX / 2, "d"));
    fail_at = 1, asked = 0;
    IS(coop_submit(door, visitor), -ENOMEM);
    fail_at = 0;
    IS(post(1), 0);
    IS(close_door(), 0);
}

/* No room in the table when they are to start. */
static void no_memory_for_submitted_tasks(void)
{
    both_open("unix");
    door = coop_door_open(NULL, 0, "d");
    for (int i = 0; i < 100; i++)
        IS(coop_submit(door, visitor, .id = 1), 0);
    fail_at = 1, asked = 0;
    IS(coop_door_close(door), 0);
    fail_at = 0;
    REPORTED("was not started: no memory");
    IS(coop_run(), 0);
    clear_log();
    both_close();
}

static void no_descriptor_for_a_door(void)
{
    both_open("unix");
    allow_no_more_descriptors();
    CU_ASSERT_PTR_NULL(coop_door_open(NULL, 0, NULL));
    allow_descriptors_again();
    IS(coop_this->outside, 0);
    door = coop_door_open(NULL, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL(door);
    IS(coop_door_close(door), 0);
    both_close();
}

/* ---- Texts ---- */

coop_routine(shown, char buf[900]; coop_text text;)
{
    coop_begin;
    my->text = (coop_text){ .data = my->buf, .size = sizeof my->buf };
    coop_spawn(listener_at, .name = "a");
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_ps(&my->text);
    CU_ASSERT_PTR_NOT_NULL(strstr(my->buf, "DoorWait(d)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(my->buf, "Poll(0 descriptors, 1 door"));
    coop_door_close(door);
    coop_end;
}

static void texts(void)
{
    both_open("sim");
    door = coop_door_open(NULL, 0, "d");
    IS(coop_main(shown), 0);
    LOG_IS("aEPIPE");
    both_close();
}

static const suite_test tests[] = {
    TEST(posts_of_threads_arrive_in_order),
    TEST(items_are_copied),
    TEST(a_door_takes_its_turn_among_senders),
    TEST(a_knock_wakes_all_who_wait_or_the_next),
    TEST(waits_for_a_knock_are_undone),
    TEST(submitted_tasks_start_in_order),
    TEST(what_was_submitted_before_the_run_belongs_to_it),
    TEST(what_was_submitted_is_not_dropped_by_closing),
    TEST(coroutines_that_were_made_before),
    TEST(coroutines_of_other_threads_are_refused),
    TEST(a_signal_handler_comes_to_the_door),
    TEST(two_schedulers_talk_through_two_channels),
    TEST(a_scheduler_closes_while_others_come),
    TEST(what_comes_to_a_closed_channel_is_lost),
    TEST(a_channel_with_a_door_is_not_released),
    TEST(only_its_own_thread_shuts_a_door),
    TEST(a_door_without_a_scheduler),
    TEST(a_deadlock_is_found_when_the_door_is_shut),
    TEST(an_idle_scheduler_sleeps),
    TEST(wrong_arguments),
    TEST(waits_at_wrong_doors),
    TEST(no_memory_for_a_door),
    TEST(no_memory_for_submitted_tasks),
    TEST(no_descriptor_for_a_door),
    TEST(texts),
};

/* ThreadSanitizer puts a signal off for the fiber that it comes to, which may run no more. */
#ifdef __SANITIZE_THREAD__
static const char without[] = "a_signal_handler_comes_to_the_door";
#else
static const char without[] = "";
#endif

int main(int argc, char **argv)
{
    return world_main("door", tests, SUITE_COUNT(tests), argc, argv, without);
}
