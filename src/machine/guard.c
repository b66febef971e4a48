/* guard.c - the thread that a watchdog looks from. */
#include "config.h"

#include "machine/unix.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { STACK = 256 * 1024 };       /* for somebody's report function */

struct coop_guard {
    pthread_t thread;
    int64_t (*look)(void *);
    void *arg;
    pthread_mutex_t lock;          /* of the rest */
    pthread_cond_t called;
    bool nudged, ending;
};

static void wait_for(struct coop_guard *g, int64_t ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ns / COOP_S(1));
    until.tv_nsec += (long)(ns % COOP_S(1));
    if (until.tv_nsec >= COOP_S(1)) {
        until.tv_sec++;
        until.tv_nsec -= (long)COOP_S(1);
    }
    while (!g->ending && pthread_cond_timedwait(&g->called, &g->lock, &until) == 0)
        ;
}

static void wait_for_nudge(struct coop_guard *g)
{
    while (!g->ending && !g->nudged)
        pthread_cond_wait(&g->called, &g->lock);
    g->nudged = false;
}

static void *keep_guard(void *arg)
{
    struct coop_guard *g = arg;
    pthread_mutex_lock(&g->lock);
    while (!g->ending) {
        pthread_mutex_unlock(&g->lock);
        int64_t ns = g->look(g->arg);
        pthread_mutex_lock(&g->lock);
        if (ns < 0)
            wait_for_nudge(g);
        else
            wait_for(g, ns);
    }
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

/* Time is that of the clock that nobody sets. */
static int make_called(pthread_cond_t *called)
{
    pthread_condattr_t how;
    int r = pthread_condattr_init(&how);
    if (r)
        return r;
    r = pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    if (r == 0)
        r = pthread_cond_init(called, &how);
    pthread_condattr_destroy(&how);
    return r;
}

static int make(struct coop_guard **made)
{
    struct coop_guard *g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    int r = pthread_mutex_init(&g->lock, NULL);
    if (r == 0 && (r = make_called(&g->called)))
        pthread_mutex_destroy(&g->lock);
    if (r)
        free(g);
    else
        *made = g;
    return -r;
}

static void drop(struct coop_guard *g)
{
    pthread_cond_destroy(&g->called);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

static int guard(coop_machine *m, int64_t (*look)(void *), void *arg)
{
    struct coop_guard *g = NULL;
    int r = make(&g);
    if (r < 0)
        return r;
    g->look = look;
    g->arg = arg;
    r = coop_start_thread(&g->thread, STACK, keep_guard, g);
    if (r < 0)
        drop(g);
    else
        ((struct coop_host *)m)->guard = g;
    return r;
}

static void call(struct coop_guard *g, bool *why)
{
    pthread_mutex_lock(&g->lock);
    *why = true;
    pthread_cond_signal(&g->called);
    pthread_mutex_unlock(&g->lock);
}

static void nudge(coop_machine *m)
{
    struct coop_guard *g = ((struct coop_host *)m)->guard;
    call(g, &g->nudged);
}

static void unguard(coop_machine *m)
{
    struct coop_guard *g = ((struct coop_host *)m)->guard;
    call(g, &g->ending);
    pthread_join(g->thread, NULL);
    drop(g);
}

/* Without a way to look at what may be gone nobody can keep guard. */
void coop_host_guard(coop_machine *m)
{
#ifdef HAVE_PROCESS_VM_READV
    m->guard = guard;
    m->nudge = nudge;
    m->unguard = unguard;
#else
    (void)m, (void)guard, (void)nudge, (void)unguard;
#endif
}
