/* workers - three tasks work on what is in a queue

   The queue holds four jobs at most, so the one who fills it waits for the workers. They end
   in an order of their own; each puts its result where it belongs. ChanJoin waits until all
   that was sent is done, and closing the queue ends the workers. */
#include <coop.h>
#include <stdio.h>

enum { JOBS = 10, WORKERS = 3 };

coop_routine(worker, coop_chan *queue; int number, *results; coop_value job;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->job, ChanRecv, .chan = my->queue);
        if (my->job < 0)               /* closed, and nothing is left */
            break;
        coop_trap(coop_void, Sleep, .ns = COOP_MS(100 + my->job * 70 % 100));
        my->results[my->job] = (int)(my->job * my->job);
        printf("worker %d: job %d\n", my->number, (int)my->job);
        coop_trap(coop_void, ChanDone, .chan = my->queue);
    }
    printf("worker %d goes home\n", my->number);
    coop_end;
}

coop_routine(boss, coop_chan *queue; coop_group *workers; int i, results[JOBS];)
{
    coop_begin;
    my->queue = coop_chan_open(0, 4, "jobs");
    coop_trap(my->workers, Group, .name = "workers");
    for (my->i = 1; my->i <= WORKERS; my->i++)
        coop_trap(coop_void, GroupSpawn, .group = my->workers,
                  .target = coop_create(worker, .queue = my->queue, .number = my->i,
                                        .results = my->results));
    for (my->i = 0; my->i < JOBS; my->i++)
        coop_trap(coop_void, ChanSend, .chan = my->queue, .value = my->i);
    puts("all jobs are given out");
    coop_trap(coop_void, ChanJoin, .chan = my->queue);
    for (my->i = 0; my->i < JOBS; my->i++)
        printf("%d%s", my->results[my->i], my->i < JOBS - 1 ? " " : "\n");
    coop_trap(coop_void, ChanClose, .chan = my->queue);
    coop_finally;                      /* behind the end of the group */
    coop_chan_free(my->queue);
    coop_end;
}

int main(void)
{
    return coop_main(boss) < 0;
}
