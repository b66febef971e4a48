/* Deadline - the time by which a routine's calls have to be answered. */
#include "kernel/kernel.h"

#include <errno.h>

_Static_assert(offsetof(struct coop_Deadline, timer) == sizeof(coop_call), "timer behind base");

static struct coop_Deadline *deadline_of(coop_scope *scope)
{
    return (struct coop_Deadline *)scope->call;
}

/* As long as the timer is set the outside can wake the task. */
static bool clear(coop_sched *s, coop_call *call)
{
    struct coop_Deadline *d = (struct coop_Deadline *)call;
    s->outside -= d->scope.timed;
    d->scope.timed = false;
    return coop_timer_clear(s, call);
}

static int set(coop_sched *s, struct coop_Deadline *d, int64_t ns)
{
    int64_t now = coop_clock(s);
    int64_t when = ns <= 0 ? now : ns > INT64_MAX - now ? INT64_MAX : now + ns;
    clear(s, &d->base);
    int r = coop_timer_set(s, &d->base, when);
    d->scope.timed = r == 0;
    s->outside += d->scope.timed;
    return r;
}

/* The one that the routine has already. */
static coop_value change(coop_sched *s, struct coop_Deadline *d, const struct coop_Deadline *c)
{
    int r = c->off ? 0 : set(s, d, c->ns);
    if (r < 0)
        return r;
    if (c->off)
        clear(s, &d->base);
    d->ns = c->ns;
    coop_scope_break(s, c->base.task, &d->scope, c->off || c->ns > 0 ? 0 : -ETIMEDOUT);
    return 0;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Deadline *c = (struct coop_Deadline *)call;
    coop_scope *had = coop_scope_here(call->task, call->type);
    if (had)
        return change(s, deadline_of(had), c);
    if (c->off)
        return 0;
    int r = set(s, c, c->ns);
    if (r < 0)
        return r;
    r = coop_scope_open(s, call, &c->scope);
    if (r < 0) {
        clear(s, call);
        return r;
    }
    if (c->ns <= 0)
        coop_scope_break(s, call->task, &c->scope, -ETIMEDOUT);
    call->result = 0;
    return COOP_STAY;
}

/* The time has come. The call itself is answered long since. */
static coop_value ready(coop_sched *s, coop_call *call)
{
    clear(s, call);
    coop_scope_break(s, call->task, &((struct coop_Deadline *)call)->scope, -ETIMEDOUT);
    return COOP_WAIT;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Deadline *c = (const struct coop_Deadline *)call;
    (void)result;
    if (c->off)
        coop_print(text, "off");
    else
        coop_print_span(text, c->ns);
}

const coop_call_type coop_Deadline_type = {
    .name = "Deadline", .handle = handle, .ready = ready, .leave = clear,
    .describe = describe
};
