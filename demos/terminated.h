/* terminated.h - "Task N terminated", which the original's kernel printed by itself

   Here an observer prints it: coop_observe(&terminated) once there is a scheduler. */
#ifndef TERMINATED_H
#define TERMINATED_H

#include <coop.h>
#include <inttypes.h>
#include <stdio.h>

static void print_terminated(coop_observer *observer, const coop_event *event)
{
    (void)observer;
    if (event->kind == COOP_EXIT && !event->system)
        printf("Task %" PRIdPTR " terminated\n", event->tid);
}

static coop_observer terminated = { .event = print_terminated };

#endif
