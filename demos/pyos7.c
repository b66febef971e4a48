/* pyos7 - step 7: waiting for input and output

   ReadWait and WriteWait take a task out of the ready queue until a descriptor is
   ready, which a task of the system's own finds out with select(). The task then calls
   the host's accept, recv and send itself: see waitserver.c (echogood2 of the course). */
#include "listener.h"
#include "terminated.h"
#include "waitserver.h"

int main(int argc, char **argv)
{
    int listener = open_listener(argc, argv);

    coop_spawn(server, .listener = listener);
    coop_observe(&terminated);
    return coop_run() < 0;
}
