/* socket.c - the same stages, and the file comes through a socket: the fiber waits for the
   network in the one direction and, from within expat, for the next stage in the other. The
   network is simulated, and cuts what is sent into pieces. */
#include "buses.h"

coop_routine(serve, int listener, fd; struct file file; char part[PART]; coop_value n;)
{
    coop_begin;
    coop_trap(my->fd, Accept, .fd = my->listener);
    my->n = my->fd;
    while (my->n >= 0 && (my->n = (coop_value)read_file(&my->file, my->part, PART)) > 0)
        coop_trap(my->n, Send, .fd = my->fd, .buf = my->part, .len = (size_t)my->n);
    coop_finally;
    if (my->fd >= 0)
        coop_trap(coop_void, Close, .fd = my->fd);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

static coop_value receive(void *fd, char *buf, size_t size)
{
    return coop_recv(*(int *)fd, buf, size);
}

static coop_value read_events(void *events)
{
    static const char address[] = "tcp://127.0.0.1:22";
    coop_value listener = coop_listen(address);
    if (listener < 0 || coop_spawn(serve, .listener = (int)listener) < 0)
        return -1;
    int fd = (int)coop_connect(address);
    coop_value r = fd < 0 ? fd : parse(receive, &fd, send_event, events);
    coop_chan_close(events);
    coop_close(fd);
    return r;
}

bool over_socket(void)
{
    coop_chan *events = coop_chan_open(sizeof (struct event), 16, "events");
    coop_options options = { .machine = coop_sim(22) };
    bool well = coop_sched_open(&options) == 0 && start_stages(events)
        && coop_main(COOP_FIBER(read_events, events)) == 0;
    return coop_sched_close() == 0 && well;
}
