/* Within - a system call that has to be answered within a time. */
#include "kernel/kernel.h"

#include <errno.h>

_Static_assert(offsetof(struct coop_Within, timer) == sizeof(coop_call), "timer behind base");

static const coop_call_type Within_late_type;      /* the time is over, its part not yet undone */

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Within *c = (struct coop_Within *)call;
    if (!coop_part_fits(c->part))
        return -EINVAL;
    coop_value value = coop_part_begin(s, call, c->part);
    if (value != COOP_WAIT)
        return value;
    int64_t now = coop_clock(s);
    int r = c->ns <= 0 ? -ETIMEDOUT
        : coop_timer_set(s, call, c->ns > INT64_MAX - now ? INT64_MAX : now + c->ns);
    if (r == 0)
        return COOP_WAIT;
    if (coop_part_undo(s, c->part))
        return r;
    call->type = &Within_late_type;
    return COOP_WAIT;
}

/* The time is over. Of what cannot be undone the answer comes soon; not from the timer. */
static coop_value ready(coop_sched *s, coop_call *call)
{
    if (coop_part_undo(s, ((struct coop_Within *)call)->part))
        return -ETIMEDOUT;
    s->outside--;
    call->type = &Within_late_type;
    return COOP_WAIT;
}

static void part(coop_sched *s, coop_call *whole, coop_call *one, coop_value value)
{
    const coop_scope *by;
    (void)one;
    coop_timer_clear(s, whole);
    if (value == COOP_UNDONE)
        value = whole->type == &Within_late_type && !coop_interrupted(whole->task, &by)
            ? -ETIMEDOUT : coop_undone(whole);
    coop_wake(s, whole, value);
}

static bool undo(coop_sched *s, coop_call *call)
{
    return coop_part_undo(s, ((struct coop_Within *)call)->part)
        && coop_timer_clear(s, call);
}

static bool at_once(const coop_call *call)
{
    const coop_call *part = ((const struct coop_Within *)call)->part;
    return part && part->type && part->type->at_once && part->type->at_once(part);
}

static void drop(coop_call *call)
{
    coop_part_drop(((struct coop_Within *)call)->part);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Within *c = (const struct coop_Within *)call;
    coop_print_span(text, c->ns);
    coop_print(text, ", ");
    if (c->part && c->part->type)
        coop_print_call(c->part, result, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_call *part = ((const struct coop_Within *)call)->part;
    if (part && part->type && part->type->touches)
        part->type->touches(part, touch);
}

const coop_call_type coop_Within_type = {
    .name = "Within", .outside = true, .handle = handle, .ready = ready, .part = part,
    .undo = undo, .at_once = at_once, .drop = drop, .describe = describe,
    .touches = touches
};

static const coop_call_type Within_late_type = {
    .name = "Within", .handle = handle, .part = part, .undo = undo,
    .describe = describe, .touches = touches
};
