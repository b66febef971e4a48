/* doors.h - ways into a scheduler for other threads and signal handlers. */
#ifndef COOP_DOORS_H
#define COOP_DOORS_H

#include "kernel/kernel.h"

#pragma GCC visibility push(hidden)

coop_door *coop_door_make(coop_sched *, coop_chan *, size_t capacity, const char *name);

size_t coop_doors_open(const coop_sched *);         /* how many */

/* See to what has come; for iopoll, as long as s->doors is not NULL. */
void coop_doors_look(coop_sched *);

/* The part of iopoll's call: what a door had to wait with is in its channel, or not. */
void coop_door_sent(coop_sched *, coop_call *whole, coop_call *sent, coop_value);

/* Start what was submitted; true: there was something. */
bool coop_doors_submitted(coop_sched *);

/* Nothing comes any more. */
void coop_doors_shut(coop_sched *);

/* For DoorWait. wait: COOP_WAIT, or what to answer. */
coop_value coop_door_await(coop_sched *, coop_door *, coop_call *);
bool coop_door_undo(coop_door *, coop_call *);
const char *coop_door_name(const coop_door *);      /* may be NULL */

#pragma GCC visibility pop

#endif
