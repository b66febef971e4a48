/* supervisor COMMAND [ARGS] [-- COMMAND [ARGS]]... - keep programs running

   Each program has a task of its own, its keeper, which starts it again when it fails:
   after 100 ms, and each time after twice as long; it gives up after five failures in a
   row. A program that ends with status 0 is done. SIGINT and SIGTERM stop them all, the
   last one first. A program finds in TRY how often it has been started.

   Without arguments it shows that with two programs, of which the second fails twice and
   then stops its supervisor. */
#define _POSIX_C_SOURCE 200809L
#include <coop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 100, MOST_FAILURES = 5 };

#define FIRST_PAUSE COOP_MS(100)
#define LONG_ENOUGH COOP_S(60)         /* it ran so long: the next failure is the first */
#define PATIENCE COOP_S(1)             /* with one that is told to stop */

struct program {
    const char *const *argv;
    coop_tid keeper;
};

coop_routine(kill_late, int pid;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = PATIENCE);
    coop_trap(coop_void, ChildKill, .pid = my->pid, .signal = SIGKILL);
    coop_end;
}

coop_routine(stop, const char *name; int pid, signal; coop_tid killer; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ChildKill, .pid = my->pid, .signal = SIGTERM);
    if (my->r < 0)                     /* it has ended, and its keeper knows */
        coop_return(my->r);
    my->killer = coop_spawn(kill_late, .pid = my->pid);
    coop_trap(coop_void, ChildWait, .pid = my->pid, .signal = &my->signal);
    coop_trap(coop_void, KillTask, .tid = my->killer, .wait = true);
    printf("%s: stopped%s\n", my->name, my->signal == SIGKILL ? ", by force" : "");
    coop_end;
}

/* Start it and wait for its end. pid tells who awaits this whether it runs. */
coop_routine(run_once, const char *const *argv; int *pid, try, signal; coop_value r;
             char text[12];)
{
    coop_begin;
    snprintf(my->text, sizeof my->text, "%d", my->try);
    setenv("TRY", my->text, 1);
    coop_trap(*my->pid, Spawn, .argv = my->argv);
    if (*my->pid < 0) {
        printf("%s: %s\n", my->argv[0], strerror(-*my->pid));
        coop_return(*my->pid);
    }
    printf("%s: started\n", my->argv[0]);
    coop_trap(my->r, ChildWait, .pid = *my->pid, .signal = &my->signal);
    *my->pid = 0;
    if (my->signal)
        printf("%s: ended by signal %d\n", my->argv[0], my->signal);
    else
        printf("%s: ended with status %d\n", my->argv[0], (int)my->r);
    coop_return(my->r);
    coop_end;
}

coop_routine(keeper, const char *const *argv; int pid, try, failures; coop_value r;
             int64_t begun, now;)
{
    coop_begin;
    while (my->failures < MOST_FAILURES) {
        coop_trap(coop_void, Now, .at = &my->begun);
        coop_await(my->r, run_once, .argv = my->argv, .pid = &my->pid, .try = ++my->try);
        if (my->r <= 0)
            coop_return(my->r);
        coop_trap(coop_void, Now, .at = &my->now);
        my->failures = my->now - my->begun < LONG_ENOUGH ? my->failures + 1 : 1;
        if (my->failures < MOST_FAILURES)
            coop_trap(coop_void, Sleep, .ns = FIRST_PAUSE << (my->failures - 1));
    }
    printf("%s: given up\n", my->argv[0]);
    coop_return(-ECHILD);
    coop_finally;
    if (my->pid > 0)
        coop_await(coop_void, stop, .name = my->argv[0], .pid = my->pid);
    coop_end;
}

coop_routine(watch, struct program *programs; int count; coop_value signal;)
{
    coop_begin;
    coop_trap(my->signal, SignalWait,
              .signals = COOP_SIGNAL(SIGINT) | COOP_SIGNAL(SIGTERM));
    printf("%s: stopping\n", my->signal == SIGINT ? "SIGINT" : "SIGTERM");
    while (my->count-- > 0)
        coop_trap(coop_void, KillTask, .tid = my->programs[my->count].keeper, .wait = true);
    coop_end;
}

/* Fails if one of the programs could not be kept running. */
coop_routine(supervise, struct program *programs; int count, i; coop_tid watcher;
             coop_status status; bool failed;)
{
    coop_begin;
    my->watcher = coop_spawn(watch, .programs = my->programs, .count = my->count);
    coop_trap(coop_void, Yield);       /* it watches before anything is started */
    for (my->i = 0; my->i < my->count; my->i++)
        coop_trap(my->programs[my->i].keeper, NewTask, .name = my->programs[my->i].argv[0],
                  .target = coop_create(keeper, .argv = my->programs[my->i].argv));
    for (my->i = 0; my->i < my->count; my->i++) {
        coop_trap(coop_void, WaitTask, .tid = my->programs[my->i].keeper,
                  .status = &my->status);
        my->failed |= my->status.end == COOP_FAILED;
    }
    coop_trap(coop_void, KillTask, .tid = my->watcher, .wait = true);
    coop_return(my->failed ? -ECHILD : 0);
    coop_end;
}

/* The commands, each closed by the NULL that takes the place of its "--"; -1: not well
   formed. */
static int split(char **argv, struct program *programs)
{
    int count = 0;

    while (*argv) {
        if (count == MOST || !strcmp(*argv, "--"))
            return -1;
        programs[count++].argv = (const char *const *)argv;
        while (*argv && strcmp(*argv, "--"))
            argv++;
        if (*argv) {
            *argv++ = NULL;
            if (!*argv)
                return -1;
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    char *shown[] = {
        "sleep", "1000", "--",
        "sh", "-c", "[ $TRY = 3 ] || exit $TRY; kill -TERM $PPID; exec sleep 1000", NULL
    };
    struct program programs[MOST];
    int count = split(argc > 1 ? argv + 1 : shown, programs);

    if (count < 0 || (argc > 1 && argv[1][0] == '-')) {
        fputs("usage: supervisor [COMMAND [ARGS] [-- COMMAND [ARGS]]...]\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    return coop_main(supervise, .programs = programs, .count = count) < 0;
}
