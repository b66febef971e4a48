#include "park.h"

coop_call *parked;

static coop_value park(coop_sched *s, coop_call *call)
{
    (void)s;
    coop_list_add(&parked, call);
    return COOP_WAIT;
}

static bool take_out(coop_sched *s, coop_call *call)
{
    (void)s;
    IS(coop_list_remove(&parked, call), true);
    return true;
}

static bool stay(coop_sched *s, coop_call *call)
{
    (void)s;
    (void)call;
    say("stuck");
    return false;
}

static coop_value unpark(coop_sched *s, coop_call *call)
{
    const struct coop_Unpark *c = (struct coop_Unpark *)call;
    coop_call *first;
    coop_value n = 0;
    while ((n == 0 || c->all) && (first = coop_list_take(&parked))) {
        coop_wake(s, first, c->value);
        n++;
    }
    return n;
}

const coop_call_type coop_Park_type = { .name = "Park", .handle = park, .undo = take_out };
const coop_call_type coop_Far_type = {
    .name = "Far", .outside = true, .handle = park, .undo = take_out
};
const coop_call_type coop_Stick_type = { .name = "Stick", .handle = park, .undo = stay };
const coop_call_type coop_Unpark_type = { .name = "Unpark", .handle = unpark };
