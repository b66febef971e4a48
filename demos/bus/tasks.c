/* tasks.c - a task for each stage, and channels between them. The parser's is a fiber: its
   callbacks wait until the next stage takes the event. */
#include "buses.h"

/* Each stage ends when its channel does, and then closes the next one. */
coop_routine(print, coop_chan *from; struct bus bus; coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->r, ChanRecv, .chan = my->from, .item = &my->bus);
        if (my->r < 0)
            break;
        print_bus(&my->bus);
    }
    coop_finally;
    coop_chan_free(my->from);
    coop_end;
}

coop_routine(only, bool (*wanted)(const struct bus *); coop_chan *from, *to; struct bus bus;
             coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->r, ChanRecv, .chan = my->from, .item = &my->bus);
        if (my->r < 0)
            break;
        if (my->wanted(&my->bus))
            coop_trap(my->r, ChanSend, .chan = my->to, .item = &my->bus);
    }
    coop_finally;
    coop_chan_free(my->from);
    coop_trap(my->r, ChanClose, .chan = my->to);
    coop_end;
}

coop_routine(collect, coop_chan *from, *to; struct event event; struct reading reading;
             coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->r, ChanRecv, .chan = my->from, .item = &my->event);
        if (my->r < 0)
            break;
        if (take_event(&my->reading, &my->event))
            coop_trap(my->r, ChanSend, .chan = my->to, .item = &my->reading.bus);
    }
    coop_finally;
    coop_chan_free(my->from);
    coop_trap(my->r, ChanClose, .chan = my->to);
    coop_end;
}

bool start_stages(coop_chan *events)
{
    coop_chan *buses = coop_chan_open(sizeof (struct bus), 0, "buses");
    coop_chan *of_route = coop_chan_open(sizeof (struct bus), 0, "of the route");
    coop_chan *northward = coop_chan_open(sizeof (struct bus), 0, "northward");

    return coop_spawn(collect, .from = events, .to = buses) > 0
        && coop_spawn(only, .wanted = is_on_route_22, .from = buses, .to = of_route) > 0
        && coop_spawn(only, .wanted = is_north_bound, .from = of_route, .to = northward) > 0
        && coop_spawn(print, .from = northward) > 0;
}

void send_event(void *chan, const struct event *event)
{
    coop_chan_send_item(chan, event);
}

static coop_value read_events(void *events)
{
    coop_value r = parse(next_of_file, &(struct file){ 0 }, send_event, events);
    coop_chan_close(events);
    return r;
}

bool tasks(void)
{
    coop_chan *events = coop_chan_open(sizeof (struct event), 0, "events");
    return start_stages(events) && coop_main(COOP_FIBER(read_events, events)) == 0;
}
