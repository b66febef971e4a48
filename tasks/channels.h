/* channels.h - items on their way from those who send to those who receive, for the system
   calls about channels. */
#ifndef COOP_CHANNELS_H
#define COOP_CHANNELS_H

#include "kernel/kernel.h"

/* Senders wait only when there is no room and receivers only when nothing is there, so at
   least one of the lists is empty; but for parts of one WaitAny, which must not meet. */
struct coop_chan {
    coop_call *senders, *receivers;
    size_t size, step;             /* bytes of an item, 0: a value; from slot to slot */
    size_t capacity, used, first;  /* slots, those in use, the oldest of them */
    size_t open;                   /* items that were sent and are not done */
    size_t doors;                  /* that lead here */
    coop_call *joiners;
    const char *name;
    bool closed;
    _Alignas(max_align_t) char slots[];
};

#pragma GCC visibility push(hidden)

/* The handle of ChanSend and ChanRecv. */
coop_value coop_channel_send(coop_sched *, coop_call *);
coop_value coop_channel_recv(coop_sched *, coop_call *);

void coop_channel_close(coop_sched *, coop_chan *);
void coop_channel_done(coop_sched *, coop_chan *);     /* one of those that are open */

void coop_channel_describe(const coop_chan *, coop_text *);
void coop_channel_describe_open(const coop_chan *, coop_text *);   /* and what is open */
void coop_channel_touches(const coop_chan *, coop_touch *);

#pragma GCC visibility pop

#endif
