/* Random traffic through channels: senders and receivers of every kind, of which some are
   killed, cancelled, out of time, or answered elsewhere first. Each item that was sent is
   received once, each that was not sent never, those of one sender in their order, and
   nothing is left behind. RANDOM_SEED runs one seed alone. */
#include "random.h"

#include <errno.h>
#include <string.h>

enum { RUNS = 2000, CHANS = 3, SENDERS = 6, RECEIVERS = 6, EACH = 12,
       TASKS = 1 + SENDERS + RECEIVERS };

struct item { int sender, number; };

static struct {
    coop_chan *chans[CHANS];
    bool sized[CHANS];
    int sent[SENDERS][EACH], got[SENDERS][EACH];   /* how often */
    int last[RECEIVERS + 1][SENDERS][CHANS];       /* received of it there */
    bool strict;                   /* a slice is one trap: what came first is noted first */
    int left;                      /* senders */
} run;

enum { SENT, UNSENT, RECEIVED, ENDED, ELSEWHERE, ENDS };
static long ended[ENDS];           /* ways in which a wait ended, in all runs */

static void note_sent(int sender, int number, coop_value r)
{
    run.sent[sender][number] += r == 0;
    ended[r == 0 ? SENT : UNSENT]++;
}

static void note_got(int receiver, int chan, const struct item *item)
{
    int *last = &run.last[run.strict ? 0 : receiver][item->sender][chan];
    run.got[item->sender][item->number]++;
    CU_ASSERT(*last <= item->number);
    *last = item->number + 1;
    ended[RECEIVED]++;
}

/* The item as the channel takes it, and back. */
static coop_value packed(const struct item *item)
{
    return item->sender * 1000 + item->number;
}

static struct item unpacked(coop_value v)
{
    return (struct item){ (int)v / 1000, (int)v % 1000 };
}

enum { PLAIN, POLL, WITHIN, ANY, WAYS };

/* Answers are looked at in coop_finally, where they are there however the task ends. */
coop_routine(send_one, int chan, way; struct item item; struct coop_ChanSend send;
             struct coop_Sleep nap; coop_call *parts[2]; coop_value r, v;)
{
    coop_begin;
    my->r = -ECANCELED;
    my->way = (int)below(WAYS);
    my->send = (struct coop_ChanSend){
        .base = { .type = &coop_ChanSend_type }, .chan = run.chans[my->chan],
        .poll = my->way == POLL
    };
    if (run.sized[my->chan])
        my->send.item = &my->item;
    else
        my->send.value = packed(&my->item);
    if (my->way == PLAIN || my->way == POLL) {
        my->parts[0] = &my->send.base;
        coop_trap(my->v, WaitAny, .parts = my->parts, .count = 1, .value = &my->r);
    } else if (my->way == WITHIN) {
        coop_trap(my->r, Within, .ns = below(50), .part = &my->send.base);
    } else {
        my->parts[0] = COOP_PART(my->nap, Sleep, .ns = below(60));
        my->parts[1] = &my->send.base;
        coop_trap(my->v, WaitAny, .parts = my->parts, .count = 2, .value = &my->r,
                  .fair = true);
    }
    coop_finally;
    if (my->way == ANY && my->v != 1)
        my->r = -ETIMEDOUT;
    note_sent(my->item.sender, my->item.number, my->r);
    coop_end;
}

coop_routine(sender, int id, number, chan; bool open;)
{
    coop_begin;
    my->open = true;
    for (; my->number < EACH; my->number++) {
        coop_await(coop_void, send_one, .chan = (int)below(CHANS),
                   .item = { my->id, my->number });
        if (below(3) == 0)
            coop_trap(coop_void, Sleep, .ns = below(40));
    }
    coop_finally;
    /* The last closes the channels. */
    if (--run.left == 0)
        for (my->chan = 0; my->chan < CHANS; my->chan++)
            coop_trap(coop_void, ChanClose, .chan = run.chans[my->chan]);
    coop_end;
}

coop_routine(receive_one, int id, way, which; struct item items[CHANS];
             struct coop_ChanRecv recv[CHANS]; struct coop_Sleep nap;
             coop_call *parts[CHANS + 1]; coop_value r, v;)
{
    coop_begin;
    my->r = my->v = -ECANCELED;
    my->way = (int)below(WAYS);
    my->which = (int)below(CHANS);
    for (int i = 0; i < CHANS; i++)
        my->parts[i] = COOP_PART(my->recv[i], ChanRecv, .chan = run.chans[i],
                                 .item = &my->items[i], .poll = my->way == POLL);
    if (my->way == PLAIN || my->way == POLL) {
        my->parts[0] = my->parts[my->which];
        coop_trap(my->v, WaitAny, .parts = my->parts, .count = 1, .value = &my->r);
    } else if (my->way == WITHIN) {
        coop_trap(my->r, Within, .ns = below(50), .part = my->parts[my->which]);
    } else {
        my->parts[CHANS] = COOP_PART(my->nap, Sleep, .ns = below(60));
        coop_trap(my->which, WaitAny, .parts = my->parts, .count = CHANS + 1,
                  .value = &my->r, .fair = true);
    }
    coop_finally;
    if (my->way == ANY)
        my->v = my->which < 0 || my->which == CHANS ? -1 : 0;
    else if (my->way == WITHIN)
        my->v = 0;
    if (my->v == 0 && my->r >= 0) {
        if (!run.sized[my->which])
            my->items[my->which] = unpacked(my->r);
        note_got(my->id, my->which, &my->items[my->which]);
    } else {
        ended[my->v == 0 ? ENDED : ELSEWHERE]++;
    }
    coop_return(my->v == 0 && my->r == -EPIPE);
    coop_end;
}

coop_routine(receiver, int id, closed; coop_value r;)
{
    coop_begin;
    while (my->closed < 20 && !coop_why(NULL)) {
        coop_await(my->r, receive_one, .id = my->id);
        my->closed += my->r == 1;
        if (below(3) == 0)
            coop_trap(coop_void, Sleep, .ns = below(40));
    }
    coop_end;
}

coop_routine(reaper, int n; coop_value r;)
{
    coop_begin;
    for (my->n = (int)below(12); my->n > 0; my->n--) {
        coop_trap(coop_void, Sleep, .ns = below(60));
        if (below(2))
            coop_trap(coop_void, KillTask, .tid = 2 + below(TASKS - 1));
        else
            coop_trap(coop_void, Cancel, .tid = 2 + below(TASKS - 1));
    }
    coop_end;
}

/* What is left when all receivers were killed. */
coop_routine(sweeper, int i; struct item item; coop_value r;)
{
    coop_begin;
    for (my->i = 0; my->i < CHANS; my->i++)
        for (;;) {
            coop_trap(my->r, ChanRecv, .chan = run.chans[my->i], .item = &my->item);
            if (my->r < 0)
                break;
            if (!run.sized[my->i])
                my->item = unpacked(my->r);
            note_got(RECEIVERS, my->i, &my->item);
        }
    coop_end;
}

static void one_run(uint64_t seed)
{
    (void)seed;
    memset(&run, 0, sizeof run);
    below(2);
    unsigned quantum = 1 + below(3);
    run.strict = quantum == 1;
    world_open(quantum);
    for (int i = 0; i < CHANS; i++) {
        run.sized[i] = below(2);
        size_t size = run.sized[i] ? sizeof(struct item) : 0;
        run.chans[i] = coop_chan_open(size, below(4), "c");
    }
    run.left = SENDERS;
    coop_spawn(reaper);
    for (int i = 0; i < SENDERS || i < RECEIVERS; i++) {
        if (i < SENDERS)
            coop_spawn(sender, .id = i);
        if (i < RECEIVERS)
            coop_spawn(receiver, .id = i);
    }
    IS(coop_this->last_tid, TASKS);
    coop_value r = coop_run();
    if (r == -EDEADLK) {           /* nobody is left to receive, or to send */
        world_drop();
        world_open(0);
    }
    IS(coop_main(sweeper), 0);
    world_close();
    for (int i = 0; i < SENDERS; i++)
        for (int n = 0; n < EACH; n++)
            IS(run.got[i][n], run.sent[i][n]);
    for (int i = 0; i < CHANS; i++)
        IS(coop_chan_free(run.chans[i]), 0);
}

static void random_traffic(void)
{
    memset(ended, 0, sizeof ended);
    if (!random_runs(RUNS, one_run))
        return;
    /* It did test something. */
    for (int i = 0; i < ENDS; i++)
        CU_ASSERT(ended[i] > RUNS);
}

static const suite_test tests[] = {
    { "rule_8_rule_12_random_traffic", random_traffic },
};

int main(int argc, char **argv)
{
    return world_main("traffic", tests, SUITE_COUNT(tests), argc, argv, "");
}
