/* ChildWait - wait for the end of a child process. */
#include "tasks/signals.h"

#include <errno.h>
#include <signal.h>

static coop_value look(coop_sched *s, const struct coop_ChildWait *c)
{
    int status, signal;
    int r = s->machine->child(s->machine, c->pid, &status, &signal);
    if (r < 0)
        return r == -EAGAIN ? COOP_WAIT : r;
    if (c->signal)
        *c->signal = signal;
    return status;
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    return coop_signal_has_come(s, SIGCHLD) ? look(s, (struct coop_ChildWait *)call)
                                            : COOP_WAIT;
}

/* An end that comes after the look raises SIGCHLD, which is noticed already. */
static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_ChildWait *c = (struct coop_ChildWait *)call;
    coop_value r = c->pid > 0 ? coop_signal_want(s, COOP_SIGNAL(SIGCHLD)) : -EINVAL;
    if (r == 0)
        r = look(s, c);
    return r == COOP_WAIT ? coop_signals_wait(s, call) : r;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_ChildWait *c = (const struct coop_ChildWait *)call;
    coop_print(text, "%d", c->pid);
    if (result && *result > 128 && c->signal && *c->signal) {
        coop_print(text, ", ");
        coop_print_signal(text, *c->signal, true);
    }
}

const coop_call_type coop_ChildWait_type = {
    .name = "ChildWait", .outside = true, .handle = handle, .ready = ready,
    .undo = coop_signal_undo, .describe = describe
};
