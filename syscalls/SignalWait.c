/* SignalWait - wait for a signal of the host. */
#include "tasks/signals.h"

#include <errno.h>

static coop_value ready(coop_sched *s, coop_call *call)
{
    int number = coop_signal_take(s, ((struct coop_SignalWait *)call)->signals);
    return number ? number : COOP_WAIT;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    uint64_t signals = ((struct coop_SignalWait *)call)->signals;
    coop_value r = signals ? coop_signal_want(s, signals) : -EINVAL;
    if (r == 0)
        r = ready(s, call);
    return r == COOP_WAIT ? coop_signals_wait(s, call) : r;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    uint64_t signals = ((const struct coop_SignalWait *)call)->signals;
    const char *blank = "";
    (void)result;
    coop_print(text, "[");
    for (int number = 1; number <= 64; number++)
        if (signals & COOP_SIGNAL(number)) {
            coop_print(text, "%s", blank);
            coop_print_signal(text, number, false);
            blank = " ";
        }
    coop_print(text, "]");
}

const coop_call_type coop_SignalWait_type = {
    .name = "SignalWait", .outside = true, .handle = handle, .ready = ready,
    .undo = coop_signal_undo, .describe = describe
};
