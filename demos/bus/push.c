/* push.c - as in the course: the parser's callbacks send into a chain of coroutines, each of
   which sends to the next. All run within the callback. */
#include "buses.h"

coop_routine(print, const struct bus *bus;)
{
    coop_begin;
    for (;;) {
        coop_yield(my->bus, 0);
        print_bus(my->bus);
    }
    coop_end;
}

coop_routine(only, bool (*wanted)(const struct bus *); coop_coroutine *to;
             const struct bus *bus;)
{
    coop_begin;
    for (;;) {
        coop_yield(my->bus, 0);
        if (my->wanted(my->bus))
            coop_co_send(my->to, (coop_value)my->bus, NULL);
    }
    coop_end;
}

coop_routine(collect, coop_coroutine *to; const struct event *event; struct reading reading;)
{
    coop_begin;
    for (;;) {
        coop_yield(my->event, 0);
        if (take_event(&my->reading, my->event))
            coop_co_send(my->to, (coop_value)&my->reading.bus, NULL);
    }
    coop_end;
}

static void send(void *to, const struct event *event)
{
    coop_co_send(to, (coop_value)event, NULL);
}

bool push(void)
{
    coop_coroutine *printer = coop_create(print);
    coop_coroutine *northward = coop_create(only, .wanted = is_north_bound, .to = printer);
    coop_coroutine *route = coop_create(only, .wanted = is_on_route_22, .to = northward);
    coop_coroutine *chain[] = { coop_create(collect, .to = route), route, northward, printer };
    bool ready = true;

    for (int i = 0; i < 4; i++)
        ready &= coop_co_next(chain[i], NULL) == COOP_YIELDED;
    coop_value r = ready ? parse(next_of_file, &(struct file){ 0 }, send, chain[0]) : -1;
    for (int i = 0; i < 4; i++)
        coop_co_free(chain[i]);
    return r == 0;
}
