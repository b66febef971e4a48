/* BarrierWait - wait until so many tasks have come. */
#include "kernel/kernel.h"

#include <errno.h>

/* One that waits in several parts may leave while others are told. */
static void let_all_go(coop_sched *s, coop_barrier *barrier)
{
    coop_call *waiting;
    coop_value place = 0;
    while ((waiting = coop_list_take(&barrier->waiting_))) {
        barrier->arrived_--;
        coop_wake(s, waiting, place++);
    }
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_BarrierWait *c = (struct coop_BarrierWait *)call;
    if (!c->barrier || c->count <= 0)
        return -EINVAL;
    if (c->barrier->arrived_ + 1 < c->count) {
        coop_list_add(&c->barrier->waiting_, call);
        c->barrier->arrived_++;
        return COOP_WAIT;
    }
    coop_value place = c->barrier->arrived_;
    let_all_go(s, c->barrier);
    return place;
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_barrier *barrier = ((struct coop_BarrierWait *)call)->barrier;
    (void)s;
    barrier->arrived_--;
    return coop_list_remove(&barrier->waiting_, call);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_BarrierWait *c = (const struct coop_BarrierWait *)call;
    coop_print_object(c->barrier, c->barrier ? c->barrier->name : NULL, text);
    coop_print_next(text);
    if (!result && c->barrier)
        coop_print(text, "%d of ", c->barrier->arrived_);
    coop_print(text, "%d", c->count);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_barrier *barrier = ((const struct coop_BarrierWait *)call)->barrier;
    *touch = (coop_touch){
        .object = (uintptr_t)barrier, .write = true, .what = "barrier",
        .name = barrier ? barrier->name : NULL
    };
}

const coop_call_type coop_BarrierWait_type = {
    .name = "BarrierWait", .handle = handle, .undo = undo, .describe = describe,
    .touches = touches
};
