/* SemPost - give things to a semaphore, and so to those who wait for them. */
#include "tasks/sync.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_SemPost *c = (struct coop_SemPost *)call;
    coop_semaphore *semaphore = c->semaphore;
    if (!c->n)
        c->n = 1;
    if (!semaphore)
        return -EINVAL;
    size_t limit = semaphore->limit ? semaphore->limit : SIZE_MAX;
    if (semaphore->count > limit || c->n > limit - semaphore->count)
        return -EOVERFLOW;
    semaphore->count += c->n;
    coop_semaphore_pass(s, semaphore);
    return 0;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_SemPost *c = (const struct coop_SemPost *)call;
    (void)result;
    coop_print_object(c->semaphore, c->semaphore ? c->semaphore->name : NULL, text);
    if (c->n > 1) {
        coop_print_next(text);
        coop_print(text, "n %zu", c->n);
    }
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_semaphore *semaphore = ((const struct coop_SemPost *)call)->semaphore;
    *touch = (coop_touch){
        .object = (uintptr_t)semaphore, .write = true, .what = "semaphore",
        .name = semaphore ? semaphore->name : NULL
    };
}

const coop_call_type coop_SemPost_type = {
    .name = "SemPost", .handle = handle, .describe = describe, .touches = touches
};
