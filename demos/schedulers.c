/* schedulers - what a policy does to the same jobs

   The jobs and what is measured are in the manner of the exercises of "Operating Systems:
   Three Easy Pieces", chapters 7 to 9: response is how long a job waits until it first runs,
   turnaround how long it takes from its arrival to its end. Time is counted in slices, each
   of which takes one tick. */
#include <coop.h>
#include <stdio.h>
#include <string.h>

enum { JOBS = 5, MOST_TICKS = 99 };

struct job {
    char name;
    int arrival, length, rank;
    int pause;                         /* after each tick it does I/O for so long */
    int first, end;                    /* filled in */
};

static const struct job workload[JOBS] = {
    { .name = 'A', .arrival = 0, .length = 24, .rank = 1 },
    { .name = 'B', .arrival = 0, .length = 16, .rank = 2 },
    { .name = 'C', .arrival = 4, .length = 4, .rank = 4 },
    { .name = 'D', .arrival = 10, .length = 6, .rank = 8, .pause = 5 },
    { .name = 'E', .arrival = 20, .length = 3, .rank = 4 },
};

static struct job jobs[JOBS];
static int now, left;
static char ran[MOST_TICKS + 1];       /* who, in each tick */
static coop_call *doing_io;

/* Tick ends a slice that took a tick; only here does time move. The caller is queued behind
   those that come meanwhile, or goes on when its I/O is through. */
struct coop_Tick { coop_call base; char who; int pause, until; };

coop_declare(work, struct job *job; int length;);

static void arrive(void)
{
    for (int i = 0; i < JOBS; i++)
        if (jobs[i].arrival == now)
            coop_rank(coop_spawn(work, .job = &jobs[i]), jobs[i].rank);
}

static void end_io(coop_sched *sched)
{
    coop_call *last = doing_io, *call = NULL;

    while (call != last) {
        call = coop_list_take(&doing_io);
        if (((struct coop_Tick *)call)->until == now)
            coop_wake(sched, call, 0);
        else
            coop_list_add(&doing_io, call);
    }
}

static coop_value tick_handle(coop_sched *sched, coop_call *call)
{
    struct coop_Tick *mine = (struct coop_Tick *)call;

    if (now < MOST_TICKS)
        ran[now] = mine->who;
    now++;
    arrive();
    end_io(sched);
    if (!mine->pause)
        return 0;
    mine->until = now + mine->pause;
    coop_list_add(&doing_io, call);
    return COOP_WAIT;
}

static bool tick_undo(coop_sched *sched, coop_call *call)
{
    (void)sched;
    return coop_list_remove(&doing_io, call);
}

static const coop_call_type coop_Tick_type = {
    .name = "Tick", .handle = tick_handle, .undo = tick_undo
};

coop_define(work)
{
    coop_begin;
    my->job->first = now;
    for (my->length = my->job->length; my->length > 1; my->length--)
        coop_trap(coop_void, Tick, .who = my->job->name, .pause = my->job->pause);
    my->job->end = now + 1;
    left--;
    coop_trap(coop_void, Tick, .who = my->job->name);
    coop_end;
}

/* The clock of the simulated machine goes on only when no task can run. */
coop_routine(idle, int ticks;)
{
    coop_begin;
    for (; left > 0; my->ticks++) {
        coop_trap(coop_void, Sleep, .ns = 1);
        if (left > 0)
            coop_trap(coop_void, Tick, .who = '.');
    }
    coop_end;
}

static void show(const char *title)
{
    int response = 0, turnaround = 0;

    printf("%s\n\n    %s\n\n    job  arrives  runs  I/O  rank  response  turnaround\n", title,
           ran);
    for (int i = 0; i < JOBS; i++) {
        const struct job *j = &jobs[i];
        printf("    %c %9d %5d %4d %5d %9d %11d\n", j->name, j->arrival, j->length, j->pause,
               j->rank, j->first - j->arrival, j->end - j->arrival);
        response += j->first - j->arrival;
        turnaround += j->end - j->arrival;
    }
    printf("    average %32.1f %11.1f\n\n", (double)response / JOBS,
           (double)turnaround / JOBS);
}

static bool run(const char *title, unsigned quantum, coop_policy *policy)
{
    coop_options options = {
        .quantum = quantum, .policy = policy, .machine = coop_sim(0)
    };

    if (!options.policy || !options.machine || coop_sched_open(&options) < 0)
        return false;
    memcpy(jobs, workload, sizeof jobs);
    memset(ran, 0, sizeof ran);
    now = 0;
    left = JOBS;
    arrive();
    coop_spawn(idle);
    int r = coop_run();
    coop_sched_close();
    show(title);
    return r == 0;
}

int main(void)
{
    return !(run("first come, first served: fifo with a quantum of 1000", 1000, coop_fifo())
             && run("round robin: fifo", 1, coop_fifo())
             && run("priority", 1, coop_priority())
             && run("lottery, seed 1", 1, coop_lottery(1))
             && run("multi-level feedback: 3 levels, 2 slices, a boost every 30", 1,
                    coop_mlfq(3, 2, 30)));
}
