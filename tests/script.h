/* script.h - tasks that do what a string says, at one lock of each kind, for suites of what
   tasks wait at. The log gets "TID:STEP" for each answer, with "=RESULT" if it is not 0.

   A step is a letter and one more character:

       La Sa    Lock a, alone or shared; Ta ta: without waiting; Ua: Unlock
       wa       CondWait with lock a; n1: CondSignal, nA: to all
       (2 )2    SemWait and SemPost of 2; [2: SemWait without waiting
       e- E- x- EventWait, EventSet, EventClear; p-: EventWait without waiting
       f- F5    FutureWait, FutureSet; g-: FutureWait without waiting
       b3       BarrierWait for 3 in all
       o- O- q- Once, OnceDone, OnceDone with failed; u-: Once without waiting
       Y- Z5    Yield; Sleep for 5 ns
       K2 k2    KillTask, with k waiting; C2: Cancel; J2: WaitTask
       !5       returns -5
       <3       the next step within 3 ns
       |2       the next 2 steps as WaitAny: "=PART" or "=PART:RESULT" is logged as step |2

   Steps are separated by blanks. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "world.h"

struct things {
    coop_lock locks[3];            /* a, b, c */
    coop_condition condition;
    coop_semaphore semaphore;
    coop_event_flag event;
    coop_future future;
    coop_barrier barrier;
    coop_once once;
};
extern struct things things;

union step {
    coop_call base;
    struct coop_Lock lock;
    struct coop_Unlock unlock;
    struct coop_CondWait wait;
    struct coop_CondSignal signal;
    struct coop_SemWait take;
    struct coop_SemPost post;
    struct coop_EventWait event;
    struct coop_EventSet set;
    struct coop_EventClear clear;
    struct coop_FutureWait future;
    struct coop_FutureSet value;
    struct coop_BarrierWait barrier;
    struct coop_Once once;
    struct coop_OnceDone done;
    struct coop_Sleep sleep;
    struct coop_KillTask kill;
    struct coop_Cancel cancel;
    struct coop_WaitTask task;
};

/* The call that a step of two characters is. */
void script_build(const char *step, union step *to);

/* All is named and not held, in a new world. */
void script_begin(void);

/* A task that makes the steps, and those of cleanup, which may be NULL, when it ends. It
   runs as the ones before it do: each makes one step in turn. */
coop_tid script(const char *steps, const char *cleanup);

/* Runs them all, and checks that nothing is held or waited for then. */
void script_end(void);
void nothing_is_held(void);

#define SCRIPTS_ARE(text) (script_end(), LOG_IS(text))

#endif
