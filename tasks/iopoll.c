/* iopoll.c - the system task that looks outside: it asks the machine which descriptors are
   ready and what time it is, and wakes those who waited for it. It starts with the first
   call that waits for the outside. The kernel gives it the processor when nothing
   is ready, and then it may block, or else every so many slices. */
#include "tasks/iopoll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FIRED = 256 };

struct waiters {
    coop_call *readers, *writers;
};

struct io {
    struct waiters *fds;           /* by descriptor */
    int size;
    int watched;                   /* descriptors with waiters */
    bool told;                     /* that the poller has a limit */
    coop_fired fired[MOST_FIRED];
};

/* Poll: the call in which iopoll itself waits; answered with whether it may block. */
struct coop_Poll { coop_call base; struct io *io; coop_sched *sched; };

static coop_value handle(coop_sched *s, coop_call *call)
{
    (void)s;
    (void)call;
    return COOP_WAIT;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Poll *c = (const struct coop_Poll *)call;
    int64_t when;
    (void)result;
    coop_print(text, "%d descriptor%s", c->io->watched, c->io->watched == 1 ? "" : "s");
    if (coop_next_timer(c->sched, &when)) {
        coop_print(text, ", timer in ");
        coop_print_span(text, when > c->sched->now ? when - c->sched->now : 0);
    }
}

static const coop_call_type coop_Poll_type = {
    .name = "Poll", .handle = handle, .describe = describe
};

static unsigned wanted(const struct waiters *w)
{
    return (w->readers ? COOP_READ : 0u) | (w->writers ? COOP_WRITE : 0u);
}

/* Tell the machine when what is wanted of fd has changed. */
static int rewatch(coop_sched *s, int fd, unsigned before, unsigned after)
{
    struct io *io = s->io;
    if (after == before)
        return 0;
    int r = s->machine->watch(s->machine, fd, after);
    if (r == 0)
        io->watched += !!after - !!before;
    return r;
}

static struct waiters *room_for(struct io *io, int fd)
{
    if (fd >= io->size) {
        int size = io->size ? io->size : 64;
        while (size <= fd)
            size *= 2;
        struct waiters *fds = realloc(io->fds, (size_t)size * sizeof *fds);
        if (!fds)
            return NULL;
        memset(fds + io->size, 0, (size_t)(size - io->size) * sizeof *fds);
        io->fds = fds;
        io->size = size;
    }
    return &io->fds[fd];
}

static coop_call **list_for(struct waiters *w, unsigned event)
{
    return event == COOP_READ ? &w->readers : &w->writers;
}

coop_value coop_io_wait(coop_sched *s, coop_call *call, int fd, unsigned event)
{
    if (fd < 0)
        return -EBADF;
    int r = coop_need_poller(s);
    if (r < 0)
        return r;
    struct io *io = s->io;
    unsigned before = fd < io->size ? wanted(&io->fds[fd]) : 0;
    r = rewatch(s, fd, before, before | event);
    if (r == -EMFILE && !io->told) {
        io->told = true;
        coop_report(s, "descriptor %d is past what the poller can watch: use another one "
                    "(COOP_POLLER=auto or epoll), and leave it a descriptor of its own", fd);
    }
    if (r)
        return r < 0 ? r : 0;
    struct waiters *w = room_for(io, fd);
    if (!w) {
        rewatch(s, fd, before | event, before);
        return -ENOMEM;
    }
    coop_list_add(list_for(w, event), call);
    return COOP_WAIT;
}

void coop_io_undo(coop_sched *s, coop_call *call, int fd, unsigned event)
{
    struct waiters *w = &((struct io *)s->io)->fds[fd];
    unsigned before = wanted(w);
    coop_list_remove(list_for(w, event), call);
    rewatch(s, fd, before, wanted(w));
}

static void wake_all(coop_sched *s, coop_call **list, coop_value value)
{
    coop_call *call;
    while ((call = coop_list_take(list)))
        coop_wake(s, call, value);
}

void coop_io_closed(coop_sched *s, int fd)
{
    struct io *io = s->io;
    if (!io || fd < 0 || fd >= io->size)
        return;
    struct waiters *w = &io->fds[fd];
    unsigned before = wanted(w);
    wake_all(s, &w->readers, -EBADF);
    wake_all(s, &w->writers, -EBADF);
    rewatch(s, fd, before, 0);
}

/* Each waiter in its turn tries; those that got nothing keep their places. */
static void offer_all(coop_sched *s, coop_call **list)
{
    coop_call *call, *rest = *list;
    *list = NULL;
    while ((call = coop_list_take(&rest)))
        if (!coop_offer(s, call))
            coop_list_add(list, call);
}

static void deliver(coop_sched *s, const coop_fired *fired)
{
    struct io *io = s->io;
    struct waiters *w = &io->fds[fired->fd];
    unsigned before = wanted(w);
    if (fired->events & COOP_BAD) {
        coop_io_closed(s, fired->fd);
        return;
    }
    if (fired->events & COOP_READ)
        offer_all(s, &w->readers);
    if (fired->events & COOP_WRITE)
        offer_all(s, &w->writers);
    rewatch(s, fired->fd, before, wanted(w));
}

/* How long the machine may block: until the next timer at most. */
static int64_t timeout(coop_sched *s, bool may_block)
{
    int64_t when;
    if (!may_block)
        return 0;
    if (!coop_next_timer(s, &when))
        return -1;
    when -= coop_clock(s);
    return when > 0 ? when : 0;
}

static void look(coop_sched *s, bool may_block)
{
    struct io *io = s->io;
    int64_t limit = timeout(s, may_block);
    int n = 0;
    if (io->watched || limit)
        n = s->machine->poll(s->machine, limit, io->fired, MOST_FIRED);
    if (n < 0)
        coop_stop(s, n);
    for (int i = 0; i < n; i++)
        deliver(s, &io->fired[i]);
    coop_expire(s, coop_clock(s));
}

coop_routine(iopoll, coop_sched *sched; coop_value may_block;)
{
    coop_begin;
    for (;;) {
        look(my->sched, my->may_block);
        coop_trap(my->may_block, Poll, .io = my->sched->io, .sched = my->sched);
    }
    coop_end;
}

int coop_iopoll_start(coop_sched *s)
{
    struct io *io = calloc(1, sizeof *io);
    coop_frame *first = coop_make_(&iopoll_routine, __FILE__);
    coop_task *t = first ? coop_task_of(first) : NULL;
    if (t)
        COOP_FILL_(iopoll, first, .sched = s);
    coop_tid tid = io && t ? coop_admit(s, t, 0, TASK_SYSTEM) : -ENOMEM;
    if (tid < 0) {
        free(io);
        if (t)
            coop_unmake(t);
        return (int)tid;
    }
    s->io = io;
    s->poller = t;
    return 0;
}

void coop_iopoll_free(coop_sched *s)
{
    struct io *io = s->io;
    if (io)
        free(io->fds);
    free(io);
    s->io = NULL;
}
