/* serve.c - a server: accepts connections and starts a task for each. Everything that may
   happen to it is the end of a child: of a client, of the one that accepts, of a timer. */
#include "lib/crowd.h"
#include "lib/pause.h"

#include <stdlib.h>

#define BACK_OFF COOP_MS(100)      /* when the host refuses */
#define LOOK_AGAIN COOP_S(1)       /* when there is no room: a client's end may go untold */

struct server {
    const struct coop_serve *how;
    struct coop_crowd clients;
    coop_tid accepter, watcher, timer;
    coop_status status;            /* of the child that ended last */
    coop_value why;                /* it cannot go on */
    size_t unswept;                /* clients since it was looked who has ended */
    int fd;                        /* a connection that nobody serves yet */
    bool watched, closed, stop;
    bool later, again;             /* not now; but now, since a client has ended */
    char peer[80];
};

/* Takes one connection. It is the status, and so handed over by the end. */
coop_routine(serve_accept, struct server *server; int fd; bool given;)
{
    coop_begin;
    my->fd = -1;
    coop_trap(my->fd, Accept, .fd = my->server->how->fd, .peer = my->server->peer,
              .peer_size = sizeof my->server->peer);
    my->given = true;
    coop_return(my->fd);
    coop_finally;
    if (my->fd >= 0 && !my->given)
        coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

/* Nothing can be written to a listener: what comes is that it is closed. For when nobody
   accepts. */
coop_routine(serve_watch, int fd; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, WriteWait, .fd = my->fd);
    coop_return(my->r == -EBADF);
    coop_end;
}

static void accepted(struct server *s)
{
    coop_value fd = s->status.value;
    s->accepter = 0;
    if (s->status.end == COOP_OK)
        s->fd = (int)fd;
    else if (fd == -EBADF)
        s->stop = s->closed = true;
    else if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM
             || fd == -EPERM)
        s->later = true;           /* EPERM: rules of the host forbid that connection */
    else if (s->status.end == COOP_FAILED) {
        s->stop = true;
        s->why = fd;
    }
}

/* A child has ended. */
static void told(struct server *s)
{
    coop_tid tid = s->status.tid;
    if (tid == 0) {                /* none is left, whoever ended them */
        s->accepter = s->timer = 0;
        coop_crowd_sweep(&s->clients);
    } else if (tid == s->accepter) {
        accepted(s);
    } else if (tid == s->watcher) {
        s->watcher = 0;
        if (s->status.value == 1)
            s->stop = s->closed = true;
    } else if (tid == s->timer) {
        s->timer = 0;
        s->unswept = s->how->max;
    } else if (coop_crowd_remove(&s->clients, tid)) {
        s->again = true;
        if (s->how->ended)
            s->how->ended(&s->status, s->how->arg);
    }
}

/* Who waits for a client may be told of its end, and we not: that is looked into now and
   then. */
static bool is_full(struct server *s)
{
    size_t max = s->how->max;
    if (max && s->clients.living >= max && s->unswept >= max / 8) {
        coop_crowd_sweep(&s->clients);
        s->unswept = 0;
    }
    return max && s->clients.living >= max;
}

/* The connection is the task's now, or still ours. */
static void admit(struct server *s, coop_tid client)
{
    if (s->fd < 0 || client <= 0)
        return;
    coop_crowd_add(&s->clients, client);
    s->unswept++;
    s->fd = -1;
}

/* Have somebody accept, or a time at which to try that again. */
coop_routine(serve_more, struct server *s; bool full;)
{
    coop_begin;
    if (my->s->timer && my->s->again) {
        coop_trap(coop_void, KillTask, .tid = my->s->timer, .wait = true);
        my->s->timer = 0;
    }
    if (my->s->accepter || my->s->timer)
        coop_return(0);
    my->full = is_full(my->s);
    if (!my->full && (!my->s->later || my->s->again) && coop_crowd_room(&my->s->clients))
        coop_trap(my->s->accepter, NewTask,
                  .target = coop_create(serve_accept, .server = my->s));
    my->s->later = my->s->again = false;
    if (my->s->accepter > 0)
        coop_return(0);
    my->s->accepter = 0;
    coop_trap(my->s->timer, NewTask,
              .target = coop_create(pause, .ns = my->full ? LOOK_AGAIN : BACK_OFF));
    if (my->s->timer < 0) {
        my->s->timer = 0;
        coop_trap(coop_void, Sleep, .ns = BACK_OFF);
    }
    coop_end;
}

/* The next child that ends; -ECHILD: there is none. What was answered before a kill counts,
   since it may be a connection. */
coop_routine(serve_wait, struct server *s; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, WaitTask, .tid = COOP_CHILD, .status = &my->s->status);
    coop_finally;
    if (my->s->status.tid || my->r == -ECHILD)
        told(my->s);
    coop_return(my->s->status.tid ? 0 : -ECHILD);
    coop_end;
}

/* Gives the connection to a client, or closes it. */
coop_routine(serve_one, struct server *s; coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->tid, NewTask,
              .target = my->s->how->client(my->s->fd, my->s->peer, my->s->how->arg));
    while (my->tid < 0 && my->s->fd >= 0) {
        coop_trap(my->r, Close, .fd = my->s->fd);
        if (my->r == -ENOMEM)
            coop_yield(coop_void, 0);
        else
            my->s->fd = -1;
    }
    coop_finally;
    admit(my->s, my->tid);
    coop_end;
}

/* Until somebody closes the listener. Where memory is short it lets others go first. */
coop_routine(serve_on, struct server *s; coop_value r;)
{
    coop_begin;
    while (!my->s->stop) {
        coop_await(my->r, serve_more, .s = my->s);
        if (!my->s->accepter && !my->s->timer) {
            coop_yield(coop_void, 0);
            continue;
        }
        if (!my->s->accepter && !my->s->watched) {
            my->s->watched = true;
            coop_trap(my->s->watcher, NewTask,
                      .target = coop_create(serve_watch, .fd = my->s->how->fd));
        }
        coop_await(my->r, serve_wait, .s = my->s);
        while (my->s->fd >= 0) {
            coop_await(my->r, serve_one, .s = my->s);
            if (my->r < 0)
                coop_yield(coop_void, 0);
        }
        if (my->r == -ENOMEM)
            coop_yield(coop_void, 0);
    }
    coop_end;
}

/* Until the clients have ended, or their time is over. */
coop_routine(serve_out, struct server *s; int64_t grace; coop_value r;)
{
    coop_begin;
    if (my->s->timer > 0)
        coop_trap(coop_void, KillTask, .tid = my->s->timer, .wait = true);
    my->s->timer = 0;
    if (my->grace > 0)
        coop_trap(my->s->timer, NewTask, .target = coop_create(pause, .ns = my->grace));
    while (my->r != -ECHILD && my->s->clients.living
           && (my->grace < 0 || my->s->timer > 0)) {
        coop_await(my->r, serve_wait, .s = my->s);
        if (my->r == -ENOMEM)
            coop_yield(coop_void, 0);
    }
    coop_end;
}

/* The traps of the last part are made here, where there is always room for them. */
coop_routine(serve_clients, struct server s; size_t i; coop_value r;)
{
    coop_begin;
    my->s.fd = -1;
    coop_await(my->r, serve_on, .s = &my->s);
    if (my->r < 0)
        my->s.why = my->r;
    if (!my->s.closed)
        coop_trap(coop_void, Close, .fd = my->s.how->fd);
    my->s.closed = true;
    coop_await(coop_void, serve_out, .s = &my->s, .grace = my->s.how->grace);
    coop_return(my->s.why);
    coop_finally;
    if (!my->s.closed)
        coop_trap(coop_void, Close, .fd = my->s.how->fd);
    if (my->s.accepter > 0)
        coop_trap(coop_void, KillTask, .tid = my->s.accepter);
    if (my->s.watcher > 0)
        coop_trap(coop_void, KillTask, .tid = my->s.watcher);
    if (my->s.timer > 0)
        coop_trap(coop_void, KillTask, .tid = my->s.timer);
    for (my->i = 0; my->i < my->s.clients.used; my->i++)
        if (my->s.clients.tids[my->i] > 0)
            coop_trap(coop_void, KillTask, .tid = my->s.clients.tids[my->i]);
    do {
        if (my->s.fd >= 0)
            coop_trap(coop_void, Close, .fd = my->s.fd);
        my->s.fd = -1;
        coop_trap(coop_void, WaitTask, .tid = COOP_CHILD, .status = &my->s.status);
        told(&my->s);
    } while (my->s.status.tid);
    free(my->s.clients.tids);
    coop_end;
}

coop_define(coop_serve)
{
    coop_begin;
    if (!my->client)
        coop_return(-EFAULT);
    coop_trap(my->r_, SockName, .fd = my->fd, .name = my->name_, .size = sizeof my->name_);
    if (my->r_ < 0)
        coop_return(my->r_);
    coop_trap(my->inner_, NewTask, .target = coop_create(serve_clients, .s.how = my));
    if (my->inner_ < 0)
        coop_return(my->inner_);
    coop_trap(my->r_, WaitTask, .tid = my->inner_);
    coop_return(my->r_);
    coop_finally;
    if (my->inner_ <= 0 && my->r_ != -EBADF)
        coop_trap(coop_void, Close, .fd = my->fd);
    /* The task knows where this frame is, and must be gone before it. */
    while (my->inner_ > 0) {
        coop_trap(my->r_, KillTask, .tid = my->inner_, .wait = true);
        if (my->r_ == -ENOMEM)
            coop_yield(coop_void, 0);
        else
            my->inner_ = 0;
    }
    coop_end;
}
