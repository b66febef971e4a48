/* SemWait - take some of the things that a semaphore counts. */
#include "tasks/sync.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_SemWait *c = (struct coop_SemWait *)call;
    coop_semaphore *semaphore = c->semaphore;
    (void)s;
    if (!c->n)
        c->n = 1;
    if (!semaphore || (semaphore->limit && c->n > semaphore->limit))
        return -EINVAL;
    if (coop_semaphore_has(semaphore, c->n)) {
        semaphore->count -= c->n;
        return 0;
    }
    if (c->poll)
        return -EAGAIN;
    coop_list_add(&semaphore->waiting_, call);
    return COOP_WAIT;
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_semaphore_forget(s, ((struct coop_SemWait *)call)->semaphore, call);
    return true;
}

static bool at_once(const coop_call *call)
{
    return ((const struct coop_SemWait *)call)->poll;
}

/* What there is tells why it waits. */
static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_SemWait *c = (const struct coop_SemWait *)call;
    const coop_semaphore *semaphore = c->semaphore;
    coop_print_object(semaphore, semaphore ? semaphore->name : NULL, text);
    if (c->n > 1) {
        coop_print_next(text);
        coop_print(text, "n %zu", c->n);
    }
    if (!semaphore || (result && *result == 0))
        return;
    coop_print_next(text);
    coop_print(text, "%zu", semaphore->count);
    if (semaphore->limit)
        coop_print(text, " of %zu", semaphore->limit);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_semaphore *semaphore = ((const struct coop_SemWait *)call)->semaphore;
    *touch = (coop_touch){
        .object = (uintptr_t)semaphore, .write = true, .what = "semaphore",
        .name = semaphore ? semaphore->name : NULL
    };
}

const coop_call_type coop_SemWait_type = {
    .name = "SemWait", .handle = handle, .undo = undo, .at_once = at_once,
    .describe = describe, .touches = touches
};
