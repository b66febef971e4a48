/* debugged - a small program for check-gdb: two threads with a scheduler each, whose tasks
   are of both kinds and in all states when it comes to stop_here. With an argument it dies
   there. */
#include <coop.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

static volatile int zero = 0;
static bool dies;
static sem_t other_is_there, over;

void stop_here(void);

__attribute__((noinline)) void stop_here(void)
{
    if (dies)
        __builtin_trap();
}

coop_routine(nap, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_end;
}

static __attribute__((noinline)) coop_value read_header(void)
{
    return coop_call(nap) + zero;
}

static coop_value client(void *arg)
{
    (void)arg;
    return read_header() + zero;
}

coop_routine(mixed, int unused;)
{
    coop_begin;
    coop_await(coop_void, COOP_FIBER(client, NULL));
    coop_end;
}

static int slow_order(const void *a, const void *b)
{
    return (int)coop_sleep(COOP_S(1)) + *(const char *)a - *(const char *)b;
}

static coop_value sorter(void *arg)
{
    qsort(arg, strlen(arg), 1, slow_order);
    return zero;
}

static coop_value stopping(void *arg)
{
    coop_yield();
    coop_yield();
    coop_spawn_fiber(client, arg);
    stop_here();
    return zero;
}

coop_routine(stops, int i;)
{
    coop_begin;
    for (; my->i < 2; my->i++)
        coop_trap(coop_void, Yield);
    stop_here();
    coop_end;
}

coop_routine(boss, coop_tid child;)
{
    coop_begin;
    coop_trap(my->child, NewTask, .target = coop_create(stops), .name = "the stopper");
    coop_trap(coop_void, WaitTask, .tid = my->child);
    coop_end;
}

/* Stopped by hand within another one. */
static coop_value resumes(void *arg)
{
    coop_coroutine *co = coop_create(COOP_FIBER(stopping, arg));
    coop_sleep(COOP_MS(1));
    for (int i = 0; i < 3; i++)
        coop_co_next(co, NULL);
    coop_co_free(co);
    return zero;
}

coop_routine(holder, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    sem_post(&other_is_there);
    while (sem_wait(&over) < 0)
        ;
    coop_end;
}

static void *other(void *arg)
{
    coop_sched_open(&(coop_options){ .slow = -1 });
    coop_spawn_fiber(client, arg);
    coop_spawn(holder);
    coop_run();
    coop_sched_close();
    return NULL;
}

int main(int argc, char **argv)
{
    static char word[] = "cab";
    pthread_t thread;
    (void)argv;
    dies = argc > 1;
    sem_init(&other_is_there, 0, 0);
    sem_init(&over, 0, 0);
    if (pthread_create(&thread, NULL, other, NULL))
        return 1;
    while (sem_wait(&other_is_there) < 0)
        ;
    coop_sched_open(&(coop_options){ .slow = -1 });
    coop_spawn(mixed);
    coop_spawn_fiber(sorter, word);
    coop_spawn_fiber(stopping, NULL);
    coop_spawn(boss);
    coop_spawn_fiber(resumes, NULL);
    coop_run();
    coop_sched_close();
    sem_post(&over);
    pthread_join(thread, NULL);
    return 0;
}
