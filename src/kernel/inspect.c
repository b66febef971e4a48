/* inspect.c - looking at tasks from outside the kernel. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>

coop_tid coop_self(void)
{
    return coop_this && coop_this->current ? coop_this->current->tid : 0;
}

static coop_task *lookup(coop_tid tid)
{
    return coop_this ? coop_find(coop_this, tid) : NULL;
}

int coop_name(coop_tid tid, const char *name)
{
    coop_task *t = lookup(tid);
    return t ? coop_rename(t, name) : -ESRCH;
}

/* The limit of the built-in segment tells how large the task itself is. */
static size_t bytes_of(const coop_task *t)
{
    const char *limit = t->co.limit;
    size_t bytes = 0;
    for (const struct coop_segment *s = t->co.segment; s; s = s->below) {
        bytes += s->size;
        limit = s->limit;
    }
    return bytes + (size_t)(limit - (const char *)t);
}

/* Who has ended is nobody's parent: then it is the program outside of all tasks. */
static coop_tid parent_of(const coop_task *t)
{
    const coop_task *parent = lookup(t->parent);
    return parent && parent->co.state != COOP_ENDED ? t->parent : 0;
}

int coop_inspect(coop_tid tid, coop_info *info)
{
    coop_task *t = lookup(tid);
    if (!info)
        return -EINVAL;
    if (!t)
        return -ESRCH;
    bool waits = t->co.state == COOP_WAITING;
    const struct coop_more *more = coop_more_of(t);
    *info = (coop_info){
        .tid = tid,
        .parent = parent_of(t),
        .name = coop_name_of(t),
        .born = coop_born_of(t),
        .state = t->co.state,
        .system = t->co.flags & TASK_SYSTEM,
        .ending = coop_is_ending(t),
        .cancelled = t->co.fate & CO_CANCELLED,
        .call = waits ? t->co.call : NULL,
        .waited = waits ? coop_this->now - t->since : 0,
        .slices = t->slices,
        .bytes = bytes_of(t),
        .rank = more ? more->rank : 0,
        .raised = more ? more->raised : 0,
    };
    coop_stacks_of(&t->co, &info->stack, NULL);
    return 0;
}

static int by_number(const void *a, const void *b)
{
    coop_tid x = *(const coop_tid *)a, y = *(const coop_tid *)b;
    return (x > y) - (x < y);
}

coop_value coop_tasks(coop_tid *tids, size_t max)
{
    coop_task *t;
    size_t n = 0;
    if (!coop_this)
        return 0;
    if (max > coop_this->count)
        max = coop_this->count;
    if (max < coop_this->count && max) {
        /* Only the lowest are wanted: sort them all elsewhere. */
        coop_tid *all = malloc(coop_this->count * sizeof *all);
        if (!all)
            return -ENOMEM;
        coop_value count = coop_tasks(all, coop_this->count);
        for (size_t i = 0; i < max; i++)
            tids[i] = all[i];
        free(all);
        return count;
    }
    for (t = NULL; max && (t = coop_each(coop_this, t));)
        tids[n++] = t->tid;
    if (max)
        qsort(tids, n, sizeof *tids, by_number);
    return (coop_value)coop_this->count;
}

coop_value coop_ready_tasks(coop_tid *tids, size_t max)
{
    coop_sched *s = coop_this;
    size_t n = 0;
    if (!s)
        return 0;
    for (coop_task *t = s->express; t; t = t->next, n++)
        if (n < max)
            tids[n] = t->tid;
    for (coop_task *t = NULL; (t = s->policy->after(s->policy, t)); n++)
        if (n < max)
            tids[n] = t->tid;
    return (coop_value)n;
}

coop_value coop_stack_used(coop_tid tid)
{
    coop_task *t = lookup(tid);
    size_t size, peak;
    if (!t)
        return -ESRCH;
    coop_stacks_of(&t->co, &size, &peak);
    return (coop_value)peak;
}

static coop_place place_of(const coop_frame *f, const void *code)
{
    return (coop_place){ coop_frame_name(f), coop_basename(f->routine->file),
                         f->line > 0 ? f->line : 0, code };
}

coop_value coop_backtrace_from(coop_tid tid, size_t skip, coop_place *places, size_t max)
{
    coop_task *t = lookup(tid);
    size_t n = 0;
    if (!t)
        return -ESRCH;
    for (const coop_frame *f = t->co.top; f; f = f->caller) {
        const void *codes[COOP_MOST_FUNCTIONS];
        size_t count = coop_fiber_functions(f, codes), i = 0;
        do {
            if (n >= skip && n - skip < max)
                places[n - skip] = place_of(f, count ? codes[i] : NULL);
            n++;
        } while (++i < count);
    }
    return (coop_value)n;
}

coop_value coop_backtrace(coop_tid tid, coop_place *places, size_t max)
{
    return coop_backtrace_from(tid, 0, places, max);
}
