/* park.h - calls of the user's that wait until another takes them out. */
#ifndef PARK_H
#define PARK_H

#include "world.h"

extern coop_call *parked;          /* who waits, in the order in which they came */

struct coop_Park { coop_call base; };
extern const coop_call_type coop_Park_type;

/* As Park, but as if for the outside. */
struct coop_Far { coop_call base; };
extern const coop_call_type coop_Far_type;

/* Answers the first, or all, with value. Gives how many there were. */
struct coop_Unpark { coop_call base; coop_value value; bool all; };
extern const coop_call_type coop_Unpark_type;

/* As Park, but cannot be undone; it says "stuck" when it should be. */
struct coop_Stick { coop_call base; };
extern const coop_call_type coop_Stick_type;

#endif
