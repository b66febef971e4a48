/* signals.h - waiting for signals, for the system calls that do. */
#ifndef COOP_SIGNALS_H
#define COOP_SIGNALS_H

#include "kernel/kernel.h"

#pragma GCC visibility push(hidden)

/* From handle: signals are noticed from now on. 0, or an error to answer with. */
int coop_signal_want(coop_sched *, uint64_t signals);

/* After that, from handle: the call waits, and its ready is asked whenever a signal has
   come. COOP_WAIT. */
coop_value coop_signals_wait(coop_sched *, coop_call *);
bool coop_signal_undo(coop_sched *, coop_call *);   /* such a call's undo */

/* From handle and ready: the lowest of signals that has come, and it is not told again but
   to others who wait for it now; 0: none. has_come only looks. */
int coop_signal_take(coop_sched *, uint64_t signals);
bool coop_signal_has_come(coop_sched *, int number);

/* Ask the machine what has come, and offer it to those who wait; for iopoll, as long as
   s->signals is not NULL. free releases s->signals. */
void coop_signals_arrived(coop_sched *);
void coop_signals_free(coop_sched *);

/* The name of a signal as strace shows it, its number if it has none. */
void coop_print_signal(coop_text *, int number, bool prefix);

#pragma GCC visibility pop

#endif
