/* taskcrash - what becomes of the others when one task fails

   In the course the first task that ends takes the scheduler of step 2 along. In coop an
   error is the status of its own task: foo's is reported, and bar is let finish. */
#include <coop.h>
#include <errno.h>
#include <stdio.h>

coop_routine(chatter, const char *name; coop_value end; int round;)
{
    coop_begin;
    for (my->round = 0; my->round < 10; my->round++) {
        printf("I'm %s\n", my->name);
        coop_yield(coop_void, 0);
    }
    coop_return(my->end);
    coop_end;
}

static void count_report(void *count, const char *text)
{
    fputs(text, stderr);
    ++*(int *)count;
}

int main(void)
{
    int reports = 0;

    if (coop_sched_open(&(coop_options){ .report = count_report, .arg = &reports }) < 0)
        return 1;
    coop_name(coop_spawn(chatter, .name = "foo", .end = -EFAULT), "foo");
    coop_name(coop_spawn(chatter, .name = "bar"), "bar");
    coop_run();
    coop_sched_close();
    return reports > 0;
}
