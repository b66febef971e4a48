/* workers.h - having helper threads do what would block, for the system calls that do. */
#ifndef COOP_WORKERS_H
#define COOP_WORKERS_H

#include "kernel/kernel.h"

#pragma GCC visibility push(hidden)

/* From handle, for a call with a coop_job behind its base: run is called on a helper thread,
   and the call answered with what it gives. COOP_WAIT, or an error to answer with. */
coop_value coop_job_start(coop_sched *, coop_call *,
                          coop_value (*run)(coop_machine *, coop_call *));
bool coop_job_undo(coop_sched *, coop_call *);      /* such a call's undo */

/* Answer those whose jobs are finished; for iopoll, as long as s->jobs is not 0. */
void coop_jobs_finished(coop_sched *);

#pragma GCC visibility pop

#endif
