#include "config.h"
#include "both.h"

#include <errno.h>
#include <stdlib.h>

const char *const both_machines[] = { "unix", "sim", "sim:1", "sim:2", "sim:3", NULL };

void both_open(const char *machine)
{
    coop_machine *m = NULL;
    need(coop_machine_by_name(machine, getenv("COOP_POLLER"), 0, &m) == 0, machine);
    world_open_with((coop_options){ .machine = m });
}

void both_close(void)
{
    IS(coop_this->living, 0);
    IS(coop_this->outside, 0);
    IS(coop_this->due_count, 0);
    CU_ASSERT(outside_watched() <= 0);
    NO_REPORTS();
    IS(coop_sched_close(), 0);
}

coop_define(listen_here)
{
    coop_begin;
    coop_trap(my->fd, Listen, .address = "tcp://127.0.0.1:0", .bound = my->bound,
              .bound_size = my->size);
    coop_return(my->fd);
    coop_end;
}

coop_routine(acceptor, int listener; int *fd;)
{
    coop_begin;
    coop_trap(*my->fd, Accept, .fd = my->listener);
    coop_end;
}

coop_define(connect_pair)
{
    coop_begin;
    coop_await(my->listener, listen_here, .bound = my->bound, .size = sizeof my->bound);
    if (my->listener < 0)
        coop_return(my->listener);
    *my->client = *my->server = -1;
    coop_trap(my->r, NewTask,
              .target = coop_create(acceptor, .listener = my->listener, .fd = my->server));
    coop_trap(*my->client, Connect, .address = my->bound);
    coop_trap(coop_void, WaitTask, .tid = my->r);
    my->r = *my->client < 0 ? *my->client : *my->server < 0 ? *my->server : 0;
    coop_finally;
    if (my->listener >= 0)
        coop_trap(coop_void, Close, .fd = my->listener);
    coop_return(my->r);
    coop_end;
}

static char pattern(size_t at)
{
    return (char)(at * 7 + at / 251);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

coop_define(send_pattern)
{
    coop_begin;
    while (my->at < my->len) {
        my->n = least(my->len - my->at, sizeof my->buf);
        for (size_t i = 0; i < my->n; i++)
            my->buf[i] = pattern(my->from + my->at + i);
        coop_trap(my->r, Send, .fd = my->fd, .buf = my->buf, .len = my->n);
        if (my->r < 0)
            coop_return(my->r);
        my->at += (size_t)my->r;
    }
    coop_return(my->at);
    coop_end;
}

coop_define(recv_pattern)
{
    coop_begin;
    while (my->at < my->len) {
        my->n = least(my->len - my->at, sizeof my->buf);
        coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = my->n);
        if (my->r <= 0)
            break;
        for (size_t i = 0; i < (size_t)my->r; i++)
            if (my->buf[i] != pattern(my->from + my->at + i))
                coop_return(-EBADMSG);
        my->at += (size_t)my->r;
    }
    coop_return(my->r < 0 ? my->r : (coop_value)my->at);
    coop_end;
}
