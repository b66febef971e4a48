/* threads.c - helper threads: they do what would block, in the order in which it came. One
   is started when there is more to do than there are. */
#include "config.h"

#include "machine/unix.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { QUEUED, BEGUN };            /* a job's stage */

struct jobs {
    coop_job *first, *last;
};

struct helper {
    struct helper *next;
    pthread_t thread;
};

struct coop_pool {
    coop_machine *machine;
    pthread_mutex_t lock;          /* of the next five */
    pthread_cond_t wanted;
    struct jobs queued, done;
    unsigned open;                 /* jobs that are queued or run */
    bool ending;
    struct jobs told;              /* out of done; this and the rest: the scheduler's own */
    struct helper *helpers;
    unsigned count;
};

static void append(struct jobs *jobs, coop_job *job)
{
    job->next = NULL;
    if (jobs->first)
        jobs->last->next = job;
    else
        jobs->first = job;
    jobs->last = job;
}

static coop_job *take(struct jobs *jobs)
{
    coop_job *job = jobs->first;
    if (job)
        jobs->first = job->next;
    return job;
}

static bool take_out(struct jobs *jobs, const coop_job *job)
{
    coop_job *before = NULL;
    for (coop_job **at = &jobs->first; *at; before = *at, at = &before->next)
        if (*at == job) {
            *at = job->next;
            if (jobs->last == job)
                jobs->last = before;
            return true;
        }
    return false;
}

/* The scheduler takes over all that is done at once, so only the first of them wakes it. */
static void finish(struct coop_pool *p, coop_job *job)
{
    pthread_mutex_lock(&p->lock);
    bool first = !p->done.first;
    append(&p->done, job);
    p->open--;
    pthread_mutex_unlock(&p->lock);
    if (first)
        coop_host_wake((struct coop_host *)p->machine);
}

/* The next job; NULL when the pool ends. */
static coop_job *next_job(struct coop_pool *p)
{
    coop_job *job = NULL;
    pthread_mutex_lock(&p->lock);
    while (!p->ending && !(job = take(&p->queued)))
        pthread_cond_wait(&p->wanted, &p->lock);
    if (job)
        job->stage = BEGUN;
    pthread_mutex_unlock(&p->lock);
    return job;
}

static void *help(void *arg)
{
    struct coop_pool *p = arg;
    coop_job *job;
    while ((job = next_job(p))) {
        job->result = job->run(p->machine, (coop_call *)job - 1);
        finish(p, job);
    }
    return NULL;
}

/* Signals are for the program's own threads; those that a thread's own mistakes raise
   cannot be left to others. */
static void block_signals(sigset_t *before)
{
    static const int own[] = { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP };
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&all, own[i]);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

int coop_start_thread(pthread_t *thread, size_t stack, void *(*run)(void *), void *arg)
{
    sigset_t before;
    pthread_attr_t how;
    int r = pthread_attr_init(&how);
    if (r)
        return -r;
    if (stack)
        pthread_attr_setstacksize(&how, stack);
    block_signals(&before);
    r = pthread_create(thread, &how, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&how);
    return -r;
}

static int start_helper(struct coop_pool *p)
{
    struct helper *h = malloc(sizeof *h);
    if (!h)
        return -ENOMEM;
    int r = coop_start_thread(&h->thread, 0, help, p);
    if (r < 0) {
        free(h);
        return r;
    }
    h->next = p->helpers;
    p->helpers = h;
    p->count++;
    return 0;
}

static int need_pool(struct coop_host *h)
{
    if (h->pool)
        return 0;
    int r = coop_host_can_wake(h);
    if (r < 0)
        return r;
    struct coop_pool *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->machine = &h->face;
    r = pthread_mutex_init(&p->lock, NULL);
    if (r == 0 && (r = pthread_cond_init(&p->wanted, NULL)))
        pthread_mutex_destroy(&p->lock);
    if (r)
        free(p);
    else
        h->pool = p;
    return -r;
}

static bool withdraw(coop_machine *m, coop_job *job)
{
    struct coop_pool *p = ((struct coop_host *)m)->pool;
    pthread_mutex_lock(&p->lock);
    bool out = job->stage == QUEUED && take_out(&p->queued, job);
    p->open -= out;
    pthread_mutex_unlock(&p->lock);
    return out;
}

static int work(coop_machine *m, coop_job *job)
{
    struct coop_host *h = (struct coop_host *)m;
    int r = need_pool(h);
    if (r < 0)
        return r;
    struct coop_pool *p = h->pool;
    pthread_mutex_lock(&p->lock);
    job->stage = QUEUED;
    append(&p->queued, job);
    bool more = ++p->open > p->count && p->count < h->threads;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->lock);
    if (more)
        r = start_helper(p);
    if (p->count)
        return 0;
    withdraw(m, job);
    return r;
}

static coop_job *finished(coop_machine *m)
{
    struct coop_pool *p = ((struct coop_host *)m)->pool;
    if (p && !p->told.first) {
        pthread_mutex_lock(&p->lock);
        p->told = p->done;
        p->done.first = NULL;
        pthread_mutex_unlock(&p->lock);
    }
    return p ? take(&p->told) : NULL;
}

void coop_host_end_threads(struct coop_host *h)
{
    struct coop_pool *p = h->pool;
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->wanted);
    pthread_mutex_unlock(&p->lock);
    for (struct helper *helper = p->helpers, *next; helper; helper = next) {
        next = helper->next;
        pthread_join(helper->thread, NULL);
        free(helper);
    }
    pthread_cond_destroy(&p->wanted);
    pthread_mutex_destroy(&p->lock);
    free(p);
    h->pool = NULL;
}

static void end_jobs(coop_machine *m)
{
    coop_host_end_threads((struct coop_host *)m);
}

void coop_host_threads(coop_machine *m)
{
    m->end_jobs = end_jobs;
    m->work = work;
    m->withdraw = withdraw;
    m->finished = finished;
}
