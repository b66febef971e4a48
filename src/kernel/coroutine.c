/* coroutine.c - coroutines that are resumed by hand. */
#include "kernel/kernel.h"

#include <errno.h>

/* Coroutines of this thread that were made and have neither begun nor become a task. */
static _Thread_local coop_task *fresh COOP_TLS;

/* The routine's switch has no case for the line where it stopped. */
coop_step coop_stray_(coop_coroutine *co, coop_frame *frame)
{
    (void)co;
    coop_report(coop_this, "%s:%d: %s cannot go on: it stopped inside a switch of its own",
                coop_basename(frame->routine->file), (int)frame->line, frame->routine->name);
    frame->result = -ENOTSUP;
    frame->line = frame->flags & FRAME_CLEANS ? COOP_END_ : COOP_FINALLY_;
    return COOP_CALLED;
}

coop_coroutine *coop_create_(const coop_routine *r, const char *here)
{
    coop_frame *first = coop_make_(r, here);
    if (!first)
        return NULL;
    coop_task *t = coop_task_of(first);
    t->owner = &fresh;
    coop_link_in(&fresh, t);
    return &t->co;
}

static void begin(coop_task *t)
{
    coop_link_out(&fresh, t);
    t->waiters = NULL;
}

static void report_fresh(coop_task *t)
{
    if (t->co.flags & TASK_SEEN)
        return;
    t->co.flags |= TASK_SEEN;
    coop_report(coop_this, "coroutine %s, created at %s, was never begun",
                coop_name_of(t), coop_basename(t->born));
}

void coop_report_fresh(void)
{
    for (coop_task *t = fresh; t; t = t->before == fresh ? NULL : t->before)
        report_fresh(t);
}

static void put_back(coop_coroutine *co, uint8_t life)
{
    __atomic_store_n(&co->life, life, __ATOMIC_RELEASE);
}

__attribute__((destructor)) static void at_exit(void)
{
    coop_report_fresh();
    while (fresh) {
        put_back(&fresh->co, CO_FRESH);
        coop_co_free(&fresh->co);
    }
}

static bool is_ours(const coop_coroutine *co)
{
    return ((const coop_task *)co)->owner == &fresh;
}

/* Take a coroutine for resuming, so that nobody else resumes it meanwhile: it was fresh or
   suspended and is running now, or the answer says why not. A fresh one is for its thread
   alone to take, so there is no race for it. */
static int take(coop_coroutine *co, bool *was_fresh)
{
    if (!co)
        return -EINVAL;
    uint8_t is = __atomic_load_n(&co->life, __ATOMIC_ACQUIRE);
    *was_fresh = is == CO_FRESH;
    if (is == CO_FRESH) {
        if (!is_ours(co))
            return -EPERM;
        put_back(co, CO_RUNNING);
        return 1;
    }
    if (is == CO_DONE)
        return COOP_DONE;
    if (is != CO_SUSPENDED
        || !__atomic_compare_exchange_n(&co->life, &is, CO_RUNNING, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
        return -EBUSY;
    if (co->state == CO_PINNED && !is_ours(co)) {
        put_back(co, CO_SUSPENDED);
        return -EPERM;
    }
    return 1;
}

static void become_task(coop_coroutine *co)
{
    coop_task *t = (coop_task *)co;
    begin(t);
    t->children = 0;
    co->flags = 0;
    put_back(co, CO_TASK);
}

int coop_claim(coop_coroutine *co)
{
    uint8_t is = __atomic_load_n(&co->life, __ATOMIC_RELAXED);
    if (is == CO_RUNNING || is == CO_TASK || is == CO_PROMISED)
        return -EBUSY;
    if (is != CO_FRESH)
        return -EINVAL;
    if (!is_ours(co))
        return -EPERM;
    become_task(co);
    return 0;
}

const void *coop_fresh_here(void)
{
    return &fresh;
}

/* It stays in its thread's list, but nobody else can take it any more. */
int coop_promise(coop_coroutine *co, const void *owner)
{
    uint8_t is = CO_FRESH;
    if (!__atomic_compare_exchange_n(&co->life, &is, CO_PROMISED, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return is == CO_SUSPENDED || is == CO_DONE ? -EINVAL : -EBUSY;
    if (((coop_task *)co)->owner == owner)
        return 0;
    put_back(co, CO_FRESH);
    return -EPERM;
}

void coop_keep_promise(coop_coroutine *co)
{
    if (__atomic_load_n(&co->life, __ATOMIC_ACQUIRE) == CO_PROMISED)
        become_task(co);
}

static void drop_call(coop_coroutine *co)
{
    if (co->call)
        coop_pop(co, co->call);
    co->call = NULL;
}

static int go_on(coop_coroutine *co, coop_value value, coop_value *out)
{
    drop_call(co);
    co->value = value;
    coop_step step = coop_advance(co);
    if (out)
        *out = step == COOP_TRAPPED ? (coop_value)co->call : co->value;
    put_back(co, step == COOP_RETURNED ? CO_DONE : CO_SUSPENDED);
    return step;
}

int coop_co_send(coop_coroutine *co, coop_value value, coop_value *out)
{
    bool was_fresh;
    int r = take(co, &was_fresh);
    if (r <= 0)
        return r;
    if (was_fresh) {
        if (value) {
            put_back(co, CO_FRESH);
            return -EINVAL;
        }
        begin((coop_task *)co);
    }
    return go_on(co, value, out);
}

int coop_co_next(coop_coroutine *co, coop_value *out)
{
    return coop_co_send(co, 0, out);
}

int coop_co_throw(coop_coroutine *co, coop_value error, coop_value *out)
{
    bool was_fresh;
    if (error >= 0)
        return -EINVAL;
    int r = take(co, &was_fresh);
    if (r <= 0)
        return r;
    if (!was_fresh)
        return go_on(co, error, out);
    begin((coop_task *)co);
    if (out)
        *out = error;
    put_back(co, CO_DONE);
    return COOP_RETURNED;
}

int coop_co_close(coop_coroutine *co)
{
    bool was_fresh;
    int r = take(co, &was_fresh);
    if (r <= 0)
        return r;
    r = 0;
    if (was_fresh) {
        begin((coop_task *)co);
    } else {
        drop_call(co);
        co->value = -ECANCELED;
        co->fate = CO_UNWINDS;
        while (coop_advance(co) != COOP_RETURNED) {
            drop_call(co);
            co->fate = CO_UNWINDS;
            co->value = -ECANCELED;
            r = -EPROTO;
        }
    }
    put_back(co, CO_DONE);
    return r;
}

int coop_co_free(coop_coroutine *co)
{
    if (!co)
        return 0;
    coop_task *t = (coop_task *)co;
    if (__atomic_load_n(&co->life, __ATOMIC_RELAXED) == CO_FRESH && is_ours(co))
        report_fresh(t);
    int r = coop_co_close(co);
    if (r == 0 || r == -EPROTO)
        coop_unmake(t);
    return r;
}
