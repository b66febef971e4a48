/* reach.h - which objects can be reached by nobody but certain tasks; for deadlocks. */
#ifndef COOP_REACH_H
#define COOP_REACH_H

#include "kernel/kernel.h"

struct coop_reach;

#pragma GCC visibility push(hidden)

/* The addresses of the objects, each inverted; NULL: no memory. */
struct coop_reach *coop_reach_new(const uintptr_t *inverted, int count);
void coop_reach_free(struct coop_reach *);

/* A task of the set, with its number in it. */
void coop_reach_task(struct coop_reach *, const coop_task *, int owner);

/* After that, once. -ENOSYS: memory cannot be read here; -ENOMEM. */
int coop_reach_look(struct coop_reach *, coop_sched *);

/* Can anybody reach the object but tasks of the set that are still in it? out[owner]: is not. */
bool coop_reached(const struct coop_reach *, uintptr_t inverted, const bool *out);

#pragma GCC visibility pop

#endif
