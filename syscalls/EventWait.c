/* EventWait - wait until an event is set. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_EventWait *c = (struct coop_EventWait *)call;
    (void)s;
    if (!c->event)
        return -EINVAL;
    if (c->event->set)
        return 0;
    if (c->poll)
        return -EAGAIN;
    coop_list_add(&c->event->waiting_, call);
    return COOP_WAIT;
}

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_EventWait *)call)->event->waiting_, call);
}

static bool at_once(const coop_call *call)
{
    return ((const struct coop_EventWait *)call)->poll;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const coop_event_flag *event = ((const struct coop_EventWait *)call)->event;
    (void)result;
    coop_print_object(event, event ? event->name : NULL, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_event_flag *event = ((const struct coop_EventWait *)call)->event;
    *touch = (coop_touch){
        .object = (uintptr_t)event, .what = "event",
        .name = event ? event->name : NULL
    };
}

const coop_call_type coop_EventWait_type = {
    .name = "EventWait", .handle = handle, .undo = undo, .at_once = at_once,
    .describe = describe, .touches = touches
};
