/* pull.c - the other way round: the parser runs in a fiber, and is a generator of events. Its
   callbacks yield, with all of expat on the stack below, so that a plain loop can ask for one
   event after the other. */
#include "buses.h"

static void yield(void *arg, const struct event *event)
{
    (void)arg;
    coop_yield_value((coop_value)event);
}

static coop_value events_of(void *file)
{
    return parse(next_of_file, file, yield, NULL);
}

bool pull(void)
{
    struct file file = { 0 };
    struct reading reading = { 0 };
    coop_coroutine *events = coop_create(COOP_FIBER(events_of, &file));
    coop_value v;
    int step;

    while ((step = coop_co_next(events, &v)) == COOP_YIELDED)
        if (take_event(&reading, (const struct event *)v) && is_on_route_22(&reading.bus)
            && is_north_bound(&reading.bus))
            print_bus(&reading.bus);
    coop_co_free(events);
    return step == COOP_RETURNED && v == 0;
}
