/* start.c - putting a scheduler together from the kernel and what fills its seams. */
#include "kernel/kernel.h"
#include "observer/observer.h"
#include "policy/policy.h"
#include "tasks/doors.h"
#include "tasks/iopoll.h"
#include "tasks/signals.h"

#include <errno.h>
#include <stdlib.h>

/* Why the scheduler that coop_spawn wanted could not be opened: told by coop_run. */
static _Thread_local int not_opened;

static void release(coop_sched *s)
{
    coop_watchdog_close(s);
    for (coop_observer *o = s->observers, *next; o; o = next) {
        next = o->next;
        if (o->free)
            o->free(o);
    }
    if (s->policy)
        s->policy->free(s->policy);
    if (s->machine)
        s->machine->free(s->machine);
    coop_iopoll_free(s);
    coop_signals_free(s);
    free(s->slots);
    free(s->due);
    free(s->trails);
    coop_free_spare(s);
    free(s);
    coop_this = NULL;
    coop_fibers_release();
}

/* The observers that options and environment ask for. */
static int watch(coop_sched *s, const coop_options *o)
{
    int r = o->no_env ? 0 : coop_trace_open(s, getenv("COOP_TRACE"));
    if (r == 0 && o->observer)
        r = coop_observe(o->observer);
    return r;
}

static const char *asked(const coop_options *o, const char *variable)
{
    const char *value = o->no_env ? NULL : getenv(variable);
    return value && *value ? value : NULL;
}

/* The machine that the environment asks for, with the poller that options or it do. */
static int open_machine(coop_sched *s, const coop_options *o)
{
    const char *word = asked(o, "COOP_MACHINE");
    const char *poller = o->poller ? o->poller : asked(o, "COOP_POLLER");
    int r = coop_machine_by_name(word, poller, o->threads, &s->machine);
    if (r == -ENODEV)
        coop_report(s, "there is no machine '%s' here; see COOP_MACHINE in coop(7)", word);
    if (r == -EINVAL)
        coop_report(s, "there is no poller '%s' here; see COOP_POLLER in coop(7)", poller);
    return r == -ENODEV ? -EINVAL : r;
}

static int open_policy(coop_sched *s, const coop_options *o)
{
    const char *word = asked(o, "COOP_POLICY");
    int r = coop_policy_by_name(word, &s->policy);
    if (r == -EINVAL)
        coop_report(s, "there is no policy '%s'; see COOP_POLICY in coop(7)", word);
    return r;
}

int coop_sched_open(const coop_options *options)
{
    static const coop_options defaults;
    const coop_options *o = options ? options : &defaults;
    if (coop_this)
        return -EBUSY;
    coop_sched *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->quantum = o->quantum ? o->quantum : 1;
    s->stack_size = o->stack;
    s->measure = o->measure;
    s->report = o->report;
    s->arg = o->arg;
    s->start_poller = coop_iopoll_start;
    s->idle = COOP_IDLE;
    s->machine = o->machine;
    s->policy = o->policy;
    coop_this = s;
    int r = s->policy ? 0 : open_policy(s, o);
    if (r == 0 && !s->machine)
        r = open_machine(s, o);
    if (r == 0)
        r = watch(s, o);
    if (r == 0)
        r = coop_watchdog_open(s, o, asked(o, "COOP_SLOW"));
    if (r < 0) {
        if (o->observer)
            coop_unobserve(o->observer);
        if (o->machine)
            s->machine = NULL;
        if (o->policy)
            s->policy = NULL;
        release(s);
        return r;
    }
    s->now = coop_clock(s);
    return 0;
}

int coop_sched_close(void)
{
    coop_sched *s = coop_this;
    if (!s)
        return 0;
    if (s->looping)
        return -EBUSY;
    coop_doors_shut(s);
    coop_end_all(s);
    coop_report_fresh();
    release(s);
    return 0;
}

int coop_run(void)
{
    coop_sched *s = coop_this;
    int r = not_opened;
    not_opened = 0;
    if (!s)
        return r;
    do
        r = coop_loop(s);
    while (r == 0 && coop_doors_submitted(s));
    if (s->automatic && r != -EBUSY)
        coop_sched_close();
    return r;
}

/* The commonest mistake: coop_run was never called for what coop_spawn had queued. */
__attribute__((destructor)) static void at_exit(void)
{
    coop_sched *s = coop_this;
    if (s && s->automatic && !s->looping && s->living)
        coop_report(s, "%zu task%s spawned, but coop_run was not called", s->living,
                    s->living == 1 ? " was" : "s were");
}

static int need_sched(void)
{
    if (coop_this)
        return 0;
    not_opened = coop_sched_open(NULL);
    if (not_opened == 0)
        coop_this->automatic = true;
    return not_opened;
}

coop_door *coop_door_open(coop_chan *chan, size_t capacity, const char *name)
{
    if (need_sched() < 0) {
        not_opened = 0;
        return NULL;
    }
    return coop_door_make(coop_this, chan, capacity, name);
}

coop_tid coop_spawn_(coop_frame *first)
{
    if (!first)
        return -ENOMEM;
    coop_task *t = coop_task_of(first);
    coop_tid tid = need_sched();
    coop_sched *s = coop_this;
    if (tid == 0)
        tid = coop_admit(s, t, coop_self(), 0);
    if (tid > 0)
        coop_make_ready(s, t);
    else
        coop_unmake(t);
    return tid;
}

coop_value coop_main_(coop_frame *first)
{
    bool had_one = coop_this;
    coop_value value = -ECANCELED;
    if (had_one && coop_this->looping) {
        if (first)
            coop_unmake(coop_task_of(first));
        return -EBUSY;
    }
    coop_tid tid = coop_spawn_(first);
    if (tid < 0) {
        not_opened = 0;
        if (!had_one)
            coop_sched_close();
        return tid;
    }
    coop_this->main_tid = tid;
    coop_this->main_value = &value;
    int e = coop_run();
    if (coop_this)
        coop_this->main_tid = 0;
    return e < 0 ? e : value;
}
