/* signals.c - signals of the host, told to the machines of all threads that want them.

   What a signal does is one setting of the whole process, so who wants to be told must be
   known to the whole process too. That is the only state here that belongs to no machine:
   a list of machines, which a handler can go through at any moment and in any thread.

   - Who changes the list holds the lock; a handler takes none. A machine comes in front,
     and is taken out by one store: for a handler the list is whole at every moment.
   - A handler may still be at a machine that was just taken out. So handlers are counted,
     and no machine that was taken out is freed before there is a moment with none. They
     wait for nothing, so it comes soon, also when they interrupt the thread that waits.

   A handler marks the signal in the machine and makes its poll return; that is all. Calls
   of the host which it interrupts go on (SA_RESTART), since most of them are not ours, and
   poll is woken without that. It runs on the thread's alternate stack if there is one. */
#include "config.h"

#include "machine/unix.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_POINTER_LOCK_FREE == 2
               && ATOMIC_INT_LOCK_FREE == 2, "what handlers use takes no lock");

enum { SIGNALS = 64 };

static struct coop_host *_Atomic machines;
static atomic_int handlers;        /* that are running */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before[SIGNALS + 1];

static void on_signal(int number)
{
    int error = errno;
    handlers++;
    for (struct coop_host *h = machines; h; h = h->next_wanting)
        if (h->wanted & COOP_SIGNAL(number)) {
            h->come |= COOP_SIGNAL(number);
            coop_host_wake(h);
        }
    handlers--;
    errno = error;
}

/* After a fault of its own a thread cannot go on: a handler that returns would be called
   again for ever. */
static bool can_be_caught(int number)
{
    struct sigaction now;
    return number != SIGKILL && number != SIGSTOP && number != SIGSEGV && number != SIGBUS
        && number != SIGFPE && number != SIGILL && sigaction(number, NULL, &now) == 0;
}

static void take(int number)
{
    struct sigaction now, ours = { .sa_handler = on_signal,
                                   .sa_flags = SA_RESTART | SA_ONSTACK };
    sigemptyset(&ours.sa_mask);
    if (sigaction(number, &ours, &now) == 0 && now.sa_handler != on_signal)
        before[number] = now;
}

/* If somebody has changed it meanwhile, it is left like that. */
static void give_back(int number)
{
    struct sigaction now;
    if (sigaction(number, NULL, &now) == 0 && now.sa_handler == on_signal)
        sigaction(number, &before[number], NULL);
}

static int want(coop_machine *m, uint64_t signals)
{
    struct coop_host *h = (struct coop_host *)m;
    uint64_t more = signals & ~h->wanted;
    if (!more)
        return 0;
    for (int number = 1; number <= SIGNALS; number++)
        if (more & COOP_SIGNAL(number) && !can_be_caught(number))
            return -EINVAL;
    int r = coop_host_can_wake(h);
    if (r < 0)
        return r;
    pthread_mutex_lock(&lock);
    if (!h->wanted) {
        h->next_wanting = machines;
        machines = h;
    }
    h->wanted |= more;
    for (int number = 1; number <= SIGNALS; number++)
        if (more & COOP_SIGNAL(number))
            take(number);
    pthread_mutex_unlock(&lock);
    return 0;
}

static uint64_t arrived(coop_machine *m)
{
    struct coop_host *h = (struct coop_host *)m;
    return h->come ? atomic_exchange(&h->come, 0) : 0;
}

void coop_host_end_signals(struct coop_host *h)
{
    uint64_t others = 0;
    struct coop_host *_Atomic *at = &machines;
    if (!h->wanted)
        return;
    pthread_mutex_lock(&lock);
    for (struct coop_host *other = machines; other; other = other->next_wanting)
        if (other != h)
            others |= other->wanted;
    for (int number = 1; number <= SIGNALS; number++)
        if (h->wanted & ~others & COOP_SIGNAL(number))
            give_back(number);
    while (*at != h)
        at = &(*at)->next_wanting;
    *at = h->next_wanting;
    pthread_mutex_unlock(&lock);
    while (handlers)
        sched_yield();
    h->wanted = 0;
}

void coop_host_signals(coop_machine *m)
{
    m->want = want;
    m->arrived = arrived;
}
