/* iopoll.c - the system task that looks outside: it asks the machine which descriptors are
   ready and what time it is, and wakes those who waited for it. It starts with the first
   call that waits for the outside. The kernel gives it the processor when nothing
   is ready, and then it may block, or else every so many slices. */
#include "tasks/iopoll.h"
#include "tasks/doors.h"
#include "tasks/signals.h"
#include "tasks/workers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Poll: the call in which iopoll itself waits; answered with whether it may block. */
struct coop_Poll { coop_call base; struct coop_io *io; coop_sched *sched; };

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
    int waited = 0;
    for (int fd = 0; fd < c->io->size; fd++)
        waited += c->io->fds[fd].readers || c->io->fds[fd].writers;
    coop_print(text, "%d descriptor%s", waited, waited == 1 ? "" : "s");
    if (c->sched->jobs)
        coop_print(text, ", %zu job%s", c->sched->jobs, c->sched->jobs == 1 ? "" : "s");
    size_t doors = coop_doors_open(c->sched);
    if (doors)
        coop_print(text, ", %zu door%s", doors, doors == 1 ? "" : "s");
    if (coop_next_timer(c->sched, &when)) {
        coop_print(text, ", timer in ");
        coop_print_span(text, when > c->sched->now ? when - c->sched->now : 0);
    }
}

/* What doors wait with is a part of it. */
static const coop_call_type coop_Poll_type = {
    .name = "Poll", .handle = handle, .part = coop_door_sent, .describe = describe
};

static struct coop_descriptor *room_for(struct coop_io *io, int fd)
{
    if (fd >= io->size) {
        int size = io->size ? io->size : 64;
        while (size <= fd)
            size *= 2;
        struct coop_descriptor *fds = realloc(io->fds, (size_t)size * sizeof *fds);
        if (!fds)
            return NULL;
        memset(fds + io->size, 0, (size_t)(size - io->size) * sizeof *fds);
        io->fds = fds;
        io->size = size;
    }
    return &io->fds[fd];
}

static unsigned wanted(const struct coop_descriptor *d)
{
    return (d->readers ? COOP_READ : 0u) | (d->writers ? COOP_WRITE : 0u);
}

static coop_call **list_for(struct coop_descriptor *d, unsigned event)
{
    return event == COOP_READ ? &d->readers : &d->writers;
}

static void tell_limit(coop_sched *s, int fd)
{
    struct coop_io *io = s->io;
    if (io->told)
        return;
    io->told = true;
    coop_report(s, "descriptor %d is past what the poller can watch: use another one "
                "(COOP_POLLER=auto or epoll), and leave it a descriptor of its own", fd);
}

static coop_value add(struct coop_io *io, struct coop_descriptor *d, coop_call *call,
                      unsigned event)
{
    coop_call **list = list_for(d, event);
    io->lists += !*list;
    coop_list_add(list, call);
    return COOP_WAIT;
}

/* The machine is to look for an event, too. What is not known to be used up may be there
   already. */
static coop_value look_and_add(coop_sched *s, coop_call *call, int fd, unsigned event)
{
    const struct coop_descriptor *known = coop_io_known(s, fd);
    unsigned looking = known ? known->watched | wanted(known) : 0;
    unsigned anew = known && known->spent & event ? 0 : COOP_ANEW;
    int r = known && wanted(known) & event ? 0
        : s->machine->watch(s->machine, fd, looking | event | anew);
    if (r == -EMFILE)
        tell_limit(s, fd);
    if (r < 0)
        return r;
    struct coop_descriptor *d = room_for(s->io, fd);
    if (!d) {
        s->machine->watch(s->machine, fd, 0);
        return -ENOMEM;
    }
    d->watched |= (uint8_t)event;
    return add(s->io, d, call, event);
}

coop_value coop_io_begin_wait(coop_sched *s, coop_call *call, int fd, unsigned event)
{
    struct coop_descriptor *d = coop_io_known(s, fd);
    if (d && d->spent & d->watched & event)
        return add(s->io, d, call, event);
    int r = fd < 0 ? -EBADF : coop_need_poller(s);
    return r < 0 ? r : look_and_add(s, call, fd, event);
}

/* Nobody waits for these events any more. */
static void look_away(coop_sched *s, int fd, unsigned events)
{
    struct coop_descriptor *d = coop_io_known(s, fd);
    d->watched &= (uint8_t)~events;
    s->machine->watch(s->machine, fd, d->watched);
}

/* The last of those who waited for an event of fd does no longer. Who has just taken
   something from a descriptor of ours will soon wait for more. */
static inline void emptied(coop_sched *s, int fd, unsigned event)
{
    s->io->lists--;
    if (COOP_RARE(!s->io->fds[fd].ours))
        look_away(s, fd, event);
}

/* The answer to one call may undo others, when they are parts of the same. */
void coop_io_undo(coop_sched *s, coop_call *call, int fd, unsigned event)
{
    struct coop_descriptor *d = coop_io_known(s, fd);
    coop_call **list = list_for(d, event);
    bool asked = d->asking & event;
    if (!(asked && coop_list_remove(&s->io->rest, call)))
        coop_list_remove(list, call);
    if (!*list && !asked)
        emptied(s, fd, event);
}

/* That the machine has looked for it before can only fail for a descriptor that was closed,
   and then its poll tells. */
void coop_io_again(coop_sched *s, int fd, unsigned event)
{
    s->machine->watch(s->machine, fd, coop_io_known(s, fd)->watched | event | COOP_ANEW);
}

static void wake_all(coop_sched *s, coop_call **list, coop_value value)
{
    coop_call *call;
    while ((call = coop_list_take(list))) {
        s->io->lists -= !*list;
        coop_wake(s, call, value);
    }
}

/* The machine forgets fd, and so do we. */
static void forget(coop_sched *s, int fd)
{
    struct coop_io *io = s->io;
    if (io->fds[fd].watched || io->fds[fd].ours)
        s->machine->watch(s->machine, fd, 0);
    io->fds[fd] = (struct coop_descriptor){ .ours = false };
    for (int i = io->next; i < io->count; i++)
        if (io->fired[i].fd == fd)
            io->fired[i].events = 0;
}

void coop_io_closed(coop_sched *s, int fd)
{
    struct coop_descriptor *d = coop_io_known(s, fd);
    if (!d)
        return;
    wake_all(s, &d->readers, -EBADF);
    wake_all(s, &d->writers, -EBADF);
    forget(s, fd);
}

static struct coop_io *need_io(coop_sched *s)
{
    if (!s->io)
        s->io = calloc(1, sizeof *s->io);
    return s->io;
}

/* Without memory to remember it in, it is nobody's. */
void coop_io_opened(coop_sched *s, int fd, bool stream)
{
    coop_io_closed(s, fd);         /* the one before was, behind our back */
    struct coop_descriptor *d = need_io(s) ? room_for(s->io, fd) : NULL;
    if (d)
        *d = (struct coop_descriptor){ .ours = true, .sure = stream };
}

/* Each waiter in its turn tries; those that got nothing keep their places. A descriptor that
   one of them opens may move all that is known of descriptors, lists included. */
static void offer_all(coop_sched *s, int fd, unsigned event)
{
    struct coop_io *io = s->io;
    coop_call *call, **list = list_for(&io->fds[fd], event);
    io->rest = *list;
    io->fds[fd].asking = (uint8_t)event;
    *list = NULL;
    while ((call = coop_list_take(&io->rest)))
        if (!coop_offer_now(s, call))
            coop_list_add(list_for(&io->fds[fd], event), call);
    io->fds[fd].asking = 0;
    if (!*list_for(&io->fds[fd], event))
        emptied(s, fd, event);
}

/* event is among the events that fd had. */
static inline __attribute__((always_inline)) void
tell(coop_sched *s, const coop_fired *f, coop_call **list, unsigned event)
{
    coop_call *last = *list;
    if (COOP_RARE(!last)) {
        if (!(f->events & COOP_ONCE) && s->io->fds[f->fd].watched & event)
            look_away(s, f->fd, event);
    } else if (COOP_RARE(last->next != last)) {
        offer_all(s, f->fd, event);
    } else {
        *list = NULL;
        if (coop_offer_now(s, last))
            emptied(s, f->fd, event);
        else
            coop_list_add(list_for(&s->io->fds[f->fd], event), last);
    }
}

/* Of a part that f stands in; what it says is read again, not kept, since most have but one
   event and one who waits for it. */
static inline void deliver(coop_sched *s, struct coop_io *io, const coop_fired *f)
{
    if (COOP_RARE((unsigned)f->fd >= (unsigned)io->size))
        return;
    struct coop_descriptor *d = &io->fds[f->fd];
    if (COOP_RARE(f->events & (COOP_BAD | COOP_OVER))) {
        d->sure = false;
        if (f->events & COOP_BAD) {
            coop_io_closed(s, f->fd);
            return;
        }
    }
    d->spent &= (uint8_t)~f->events;
    if (f->events & COOP_READ)
        tell(s, f, &d->readers, COOP_READ);
    if (COOP_RARE(f->events & COOP_WRITE))
        tell(s, f, &io->fds[f->fd].writers, COOP_WRITE);
}

/* How long the machine may block: until the next timer at most, or until stacks of fibers have
   been idle for long, where time goes on by itself. */
static int64_t timeout(coop_sched *s, bool may_block)
{
    int64_t when;
    if (!may_block)
        return 0;
    int64_t idle = s->machine->guard ? coop_fibers_trim(s->now) : -1;
    if (!coop_next_timer(s, &when))
        return idle;
    when -= coop_clock(s);
    if (idle >= 0 && idle < when)
        return idle;
    return when > 0 ? when : 0;
}

/* What the machine tells is told on in parts, while others run as many as they have time to
   answer until the next part: what was received is then still in the processor's caches. */
enum { PART = 32, IDLE_PART = 64 };

static void look(coop_sched *s, bool may_block)
{
    struct coop_io *io = s->io;
    bool left = io->next < io->count;
    int64_t limit = timeout(s, may_block && !left);
    if (!left && (io->lists || s->jobs || s->signals || limit)) {
        if (limit)
            coop_idle(s);
        int n = s->machine->poll(s->machine, limit, io->fired, COOP_MOST_FIRED);
        if (limit)
            coop_busy(s);
        if (n < 0)
            coop_stop(s, n == -EDEADLK ? coop_deadlock(s) : n);
        io->next = 0;
        io->count = n < 0 ? 0 : n;
    }
    int i = io->next, end = i + (may_block ? IDLE_PART : PART);
    io->next = end = end < io->count ? end : io->count;
    for (; i < end; i++)
        deliver(s, io, &io->fired[i]);
    if (s->jobs)
        coop_jobs_finished(s);
    if (s->signals)
        coop_signals_arrived(s);
    if (s->doors)
        coop_doors_look(s);
    if (!left || s->due_count)
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
    coop_frame *first = need_io(s) ? coop_make_(&iopoll_routine, __FILE__) : NULL;
    if (!first)
        return -ENOMEM;
    coop_task *t = coop_task_of(first);
    COOP_FILL_(iopoll, first, .sched = s);
    coop_tid tid = coop_admit(s, t, 0, TASK_SYSTEM);
    if (tid < 0) {
        coop_unmake(t);
        return (int)tid;
    }
    s->poller = t;
    return 0;
}

void coop_iopoll_free(coop_sched *s)
{
    if (s->io)
        free(s->io->fds);
    free(s->io);
    s->io = NULL;
}
