/* stepped - a small program for the trace and the stepper to be tried on. Its transcripts
   in tests/golden have the numbers of its lines. */
#include <coop.h>

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOUTH = 40, EAR = 41 };     /* descriptors, the same wherever it runs */

coop_routine(rest, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(count, int to, i;)
{
    coop_begin;
    for (my->i = 1; my->i <= my->to; my->i++) {
        printf("count %d\n", my->i);
        coop_await(coop_void, rest);
    }
    coop_return(my->to);
    coop_end;
}

coop_routine(listen_in, int n; char buf[16];)
{
    coop_begin;
    for (;;) {
        coop_trap(my->n, Recv, .fd = EAR, .buf = my->buf, .len = sizeof my->buf);
        printf("heard %d\n", my->n);
        coop_trap(coop_void, Send, .fd = EAR, .buf = "hi", .len = 2);
    }
    coop_finally;
    printf("heard enough\n");
    coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(boss, coop_tid first, second, ear; int n; char buf[4];)
{
    coop_begin;
    coop_trap(my->first, NewTask, .target = coop_create(count, .to = 2), .name = "first");
    my->second = coop_spawn(count, .to = 1);
    coop_trap(my->ear, NewTask, .target = coop_create(listen_in));
    coop_trap(my->n, WaitTask, .tid = my->second);
    coop_trap(my->n, Send, .fd = MOUTH, .buf = "hello\n", .len = 6);
    coop_trap(my->n, Recv, .fd = MOUTH, .buf = my->buf, .len = sizeof my->buf);
    coop_trap(my->n, WaitTask, .tid = my->first);
    printf("it was %d\n", my->n);
    coop_yield(coop_void, 42);
    coop_trap(my->n, KillTask, .tid = 99);
    coop_trap(my->n, KillTask, .tid = my->ear, .wait = true);
    coop_return(-71);
    coop_end;
}

int main(void)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 || dup2(fds[0], MOUTH) < 0
        || dup2(fds[1], EAR) < 0)
        return 1;
    printf("it ended with %td\n", coop_main(boss));
    return 0;
}
