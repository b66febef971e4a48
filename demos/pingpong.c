/* pingpong [ROUNDS] - two tasks and two channels (the tutorial of Stackless Python)

   Each waits for the ball in its channel and hits it into the other's. Somebody has to serve
   first: without that, "pingpong 0", both wait for ever, which is reported. */
#include <coop.h>
#include <stdio.h>
#include <stdlib.h>

enum { BALL = 1 };

coop_routine(ping, coop_chan *mine, *other; int rounds; coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_trap(coop_void, ChanRecv, .chan = my->mine);
        puts("PING");
        coop_trap(coop_void, ChanSend, .chan = my->other, .value = BALL);
        if (--my->rounds == 0)
            break;
    }
    coop_trap(coop_void, ChanClose, .chan = my->mine);     /* and the other hits in vain */
    coop_end;
}

coop_routine(pong, coop_chan *mine, *other; coop_value r;)
{
    coop_begin;
    do {
        coop_trap(coop_void, ChanRecv, .chan = my->mine);
        puts("PONG");
        coop_trap(my->r, ChanSend, .chan = my->other, .value = BALL);
    } while (my->r == 0);
    coop_end;
}

coop_routine(serve, coop_chan *chan;)
{
    coop_begin;
    coop_trap(coop_void, ChanSend, .chan = my->chan, .value = BALL);
    coop_end;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 3, r;
    coop_chan *to_ping = coop_chan_open(0, 0, "ping"), *to_pong = coop_chan_open(0, 0, "pong");

    coop_spawn(ping, .mine = to_ping, .other = to_pong, .rounds = rounds);
    coop_spawn(pong, .mine = to_pong, .other = to_ping);
    if (rounds > 0)
        coop_spawn(serve, .chan = to_ping);
    r = coop_run();
    coop_sched_close();
    coop_chan_free(to_ping);
    coop_chan_free(to_pong);
    return r < 0;
}
