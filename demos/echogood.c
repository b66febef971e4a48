/* echogood - echobad mended (the course, step 7)

   The server waits in the scheduler, not in the host, so the others go on: "I'm alive!"
   fills the screen while clients are served. */
#include "listener.h"
#include "terminated.h"
#include "waitserver.h"

coop_routine(alive, unsigned long times;)
{
    coop_begin;
    for (;; my->times++) {
        puts("I'm alive!");
        coop_yield(coop_void, 0);
    }
    coop_end;
}

int main(int argc, char **argv)
{
    int listener = open_listener(argc, argv);

    coop_spawn(alive);
    coop_spawn(server, .listener = listener);
    coop_observe(&terminated);
    return coop_run() < 0;
}
