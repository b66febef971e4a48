/* groups.h - tasks that belong together, for the system calls about them. */
#ifndef COOP_GROUPS_H
#define COOP_GROUPS_H

#include "kernel/kernel.h"

typedef struct coop_member coop_member;

/* A task's part in a group: a tie to it; and its status after its end, where that is kept. */
struct coop_member {
    coop_tie tie;
    coop_group *group;
    coop_task *task;
    coop_member *next, **at;       /* among the members; or of the ended ones, next alone */
    coop_value *result;
    bool daemon;
    coop_status status;
};

#pragma GCC visibility push(hidden)

/* A coroutine becomes a member; on failure it is gone, unless it was not to be had. */
coop_value coop_group_join(coop_sched *, const struct coop_GroupSpawn *);
bool coop_group_full(const coop_group *);

/* Cancel all members; none can come any more. */
void coop_group_stop(coop_sched *, coop_group *, coop_tid by, const char *why);

/* True: no member is left. When only daemons are, they are cancelled. */
bool coop_group_done(coop_sched *, coop_group *);

/* All are gone: forget what is left of them, and give the group's result. Failures that
   nobody is told of are reported; tells: the result is told. */
coop_value coop_group_close(coop_sched *, coop_group *, bool tells);

/* The first of those that have ended and whose status is kept. */
coop_value coop_group_take(coop_group *, coop_status *);

/* For those who wait for the members. */
void coop_group_describe(const coop_group *, coop_text *);
void coop_group_touches(const coop_group *, coop_touch *);

#pragma GCC visibility pop

#endif
