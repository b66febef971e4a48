/* workers.c - having helper threads do what would block: a waiting call is handed to the
   machine, and answered when iopoll finds that its job is finished. */
#include "tasks/workers.h"

struct coop_Job { coop_call base; coop_job job; };

coop_value coop_job_start(coop_sched *s, coop_call *call,
                          coop_value (*run)(coop_machine *, coop_call *))
{
    coop_job *job = &((struct coop_Job *)call)->job;
    int r = coop_need_poller(s);
    if (r < 0)
        return r;
    job->run = run;
    r = s->machine->work(s->machine, job);
    if (r < 0)
        return r;
    s->jobs++;
    return COOP_WAIT;
}

bool coop_job_undo(coop_sched *s, coop_call *call)
{
    bool out = s->machine->withdraw(s->machine, &((struct coop_Job *)call)->job);
    s->jobs -= out;
    return out;
}

void coop_jobs_finished(coop_sched *s)
{
    coop_job *job;
    while ((job = s->machine->finished(s->machine))) {
        s->jobs--;
        coop_wake(s, (coop_call *)job - 1, job->result);
    }
}
