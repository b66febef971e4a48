/* pause.h - a task as a timer: its end is told among those of other children. */
#ifndef COOP_PAUSE_H
#define COOP_PAUSE_H

#include "coop.h"

coop_routine(pause, int64_t ns;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_end;
}

#endif
