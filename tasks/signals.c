/* signals.c - who waits for signals, and what came while nobody did. There is no task of
   that name: iopoll, which waits for everything outside, asks here. */
#include "tasks/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

struct signals {
    coop_call *waiters;
    coop_call *rest;               /* of those who wait, while they are asked */
    uint64_t come;                 /* and not told yet */
    uint64_t told;                 /* of them, while those who wait are asked */
    bool asking;
};

int coop_signal_want(coop_sched *s, uint64_t signals)
{
    int r = coop_need_poller(s);
    if (r == 0)
        r = s->machine->want(s->machine, signals);
    if (r == 0 && !s->signals) {
        s->signals = calloc(1, sizeof(struct signals));
        r = s->signals ? 0 : -ENOMEM;
    }
    return r;
}

coop_value coop_signals_wait(coop_sched *s, coop_call *call)
{
    coop_list_add(&((struct signals *)s->signals)->waiters, call);
    return COOP_WAIT;
}

bool coop_signal_undo(coop_sched *s, coop_call *call)
{
    struct signals *sig = s->signals;
    return coop_list_remove(&sig->waiters, call) || coop_list_remove(&sig->rest, call);
}

int coop_signal_take(coop_sched *s, uint64_t signals)
{
    struct signals *sig = s->signals;
    int number = 1;
    signals &= sig->come;
    if (!signals)
        return 0;
    while (!(signals & COOP_SIGNAL(number)))
        number++;
    if (sig->asking)
        sig->told |= COOP_SIGNAL(number);
    else
        sig->come &= ~COOP_SIGNAL(number);
    return number;
}

bool coop_signal_has_come(coop_sched *s, int number)
{
    return ((struct signals *)s->signals)->come & COOP_SIGNAL(number);
}

/* Each in its turn; those that are not answered keep their places. */
void coop_signals_arrived(coop_sched *s)
{
    struct signals *sig = s->signals;
    uint64_t fresh = s->machine->arrived(s->machine);
    coop_call *call;
    if (!fresh)
        return;
    sig->come |= fresh;
    sig->told = 0;
    sig->asking = true;
    sig->rest = sig->waiters;
    sig->waiters = NULL;
    while ((call = coop_list_take(&sig->rest)))
        if (!coop_offer(s, call))
            coop_list_add(&sig->waiters, call);
    sig->asking = false;
    sig->come &= ~sig->told;
}

void coop_signals_free(coop_sched *s)
{
    free(s->signals);
    s->signals = NULL;
}

static const struct { int number; const char *name; } names[] = {
#define S(name) { SIG##name, "SIG" #name }
    S(HUP), S(INT), S(QUIT), S(ILL), S(TRAP), S(ABRT), S(BUS), S(FPE), S(KILL), S(USR1),
    S(SEGV), S(USR2), S(PIPE), S(ALRM), S(TERM), S(CHLD), S(CONT), S(STOP), S(TSTP),
    S(TTIN), S(TTOU), S(URG), S(XCPU), S(XFSZ), S(VTALRM), S(PROF), S(SYS),
#ifdef SIGWINCH
    S(WINCH),
#endif
#ifdef SIGIO
    S(IO),
#endif
#ifdef SIGPWR
    S(PWR),
#endif
#undef S
};

void coop_print_signal(coop_text *text, int number, bool prefix)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number) {
            coop_print(text, "%s", names[i].name + (prefix ? 0 : 3));
            return;
        }
    coop_print(text, "%d", number);
}
