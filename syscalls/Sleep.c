/* Sleep - let time pass. */
#include "kernel/kernel.h"

_Static_assert(offsetof(struct coop_Sleep, timer) == sizeof(coop_call), "timer behind base");

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Sleep *c = (struct coop_Sleep *)call;
    if (c->ns <= 0) {
        coop_end_slice(s);
        return 0;
    }
    int64_t now = coop_clock(s);
    int r = coop_timer_set(s, call, c->ns > INT64_MAX - now ? INT64_MAX : now + c->ns);
    return r < 0 ? r : COOP_WAIT;
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    (void)s;
    (void)call;
    return 0;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_print_span(text, ((const struct coop_Sleep *)call)->ns);
}

const coop_call_type coop_Sleep_type = {
    .name = "Sleep", .outside = true, .handle = handle, .ready = ready,
    .undo = coop_timer_clear, .describe = describe
};
