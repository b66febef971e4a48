/* doors.c - ways into a scheduler for other threads and signal handlers.

   They leave what they bring at the door, and make the machine's poll return; iopoll sees to
   it then, on the scheduler's own thread. What was posted goes into the channel as what any
   task sends: one item after the other, and one that finds no room waits among the
   senders, in a call that is a part of iopoll's own.

   - A door is there as long as somebody holds it; the scheduler and its machine may be gone
     before. Who comes says so (inside) and looks then whether it is shut; who shuts it says
     so and waits then until nobody is inside. So either the one sees it, or the other.
   - Who brings something leaves it first and sets called then; iopoll takes called back
     first and looks then. Only who finds it not set makes poll return: who finds it set
     knows that iopoll has not looked yet. */
#include "tasks/doors.h"
#include "tasks/channels.h"
#include "tasks/letterbox.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct coop_door {
    atomic_int holders;            /* the scheduler, who opened it, and others */
    atomic_int inside;             /* threads and handlers that are at it now */
    atomic_bool shut, closed;      /* closed: its channel was */
    atomic_bool called, knocked;
    _Atomic(coop_task *) submitted;        /* the newest first, through chain */
    struct letterbox *box;         /* NULL: nothing can be posted */
    size_t size;                   /* of an item, as the channel has it */
    coop_machine *machine;
    const void *owner;             /* the list of coroutines that have not begun */
    const char *name;
    _Atomic(coop_sched *) sched;   /* NULL: it is shut. From here on the scheduler's own */
    coop_door *next;
    coop_chan *chan;
    struct coop_ChanSend send;
    bool sending;                  /* send waits in the channel with the first of box */
    bool kept;                     /* a knock for the next who waits for one */
    coop_call *waiters;
    size_t lost;                   /* posted, and received by nobody */
};

/* ---- Outside ---- */

static void leave(coop_door *d)
{
    atomic_fetch_sub(&d->inside, 1);
}

static bool enter(coop_door *d)
{
    atomic_fetch_add(&d->inside, 1);
    if (!atomic_load(&d->shut))
        return true;
    leave(d);
    return false;
}

static void call(coop_door *d)
{
    if (!atomic_exchange(&d->called, true))
        d->machine->rouse(d->machine);
}

/* An item that the channel will take. */
static int refused(const coop_door *d, const void *item)
{
    coop_value value = 0;
    if (!d->box)
        return -EINVAL;
    if (!item)
        return -EFAULT;
    if (!d->size)
        memcpy(&value, item, sizeof value);
    return coop_is_error(value) ? -EINVAL : 0;
}

int coop_post(coop_door *d, const void *item)
{
    int r = d ? refused(d, item) : -ENOMEM;
    if (r < 0)
        return r;
    if (!enter(d))
        return -EPIPE;
    if (atomic_load(&d->closed))
        r = -EPIPE;
    else if (!coop_letterbox_put(d->box, item))
        r = -EAGAIN;
    else
        call(d);
    leave(d);
    return r;
}

int coop_knock(coop_door *d)
{
    if (!d)
        return -ENOMEM;
    if (!enter(d))
        return -EPIPE;
    atomic_store(&d->knocked, true);
    call(d);
    leave(d);
    return 0;
}

static void submit(coop_door *d, coop_task *t)
{
    coop_task *newest = atomic_load(&d->submitted);
    do
        t->chain = newest;
    while (!atomic_compare_exchange_weak(&d->submitted, &newest, t));
    call(d);
}

int coop_submit_(coop_door *d, coop_frame *first)
{
    int r = !d || !first ? -ENOMEM : enter(d) ? 0 : -EPIPE;
    if (r == 0) {
        submit(d, coop_task_of(first));
        leave(d);
    } else if (first) {
        coop_unmake(coop_task_of(first));
    }
    return r;
}

int coop_co_submit(coop_coroutine *co, coop_door *d)
{
    if (!d || !co)
        return -ENOMEM;
    if (!enter(d))
        return -EPIPE;
    int r = coop_promise(co, d->owner);
    if (r == 0)
        submit(d, (coop_task *)co);
    leave(d);
    return r;
}

coop_door *coop_door_keep(coop_door *d)
{
    if (d)
        atomic_fetch_add(&d->holders, 1);
    return d;
}

void coop_door_drop(coop_door *d)
{
    if (d && atomic_fetch_sub(&d->holders, 1) == 1) {
        coop_letterbox_free(d->box);
        free(d);
    }
}

/* ---- Inside ---- */

static void start(coop_sched *s, coop_task *t)
{
    t->chain = NULL;
    coop_keep_promise(&t->co);
    coop_tid tid = coop_admit(s, t, 0, 0);
    if (tid > 0) {
        coop_make_ready(s, t);
        return;
    }
    coop_report(s, "task %s, submitted at %s, was not started: no memory", coop_name_of(t),
                coop_born_of(t));
    coop_unmake(t);
}

static bool start_submitted(coop_sched *s, coop_door *d)
{
    coop_task *t = atomic_exchange(&d->submitted, NULL), *oldest = NULL, *next;
    bool any = t;
    for (; t; t = next) {
        next = t->chain;
        t->chain = oldest;
        oldest = t;
    }
    for (t = oldest; t; t = next) {
        next = t->chain;
        start(s, t);
    }
    return any;
}

bool coop_doors_submitted(coop_sched *s)
{
    bool any = false;
    for (coop_door *d = s->doors; d; d = d->next)
        any |= start_submitted(s, d);
    return any;
}

/* The first in the box has arrived, or never will. */
static void sent(coop_door *d, coop_value value)
{
    if (value < 0)
        d->lost++;
    if (value == -EPIPE)
        atomic_store(&d->closed, true);
    coop_letterbox_drop(d->box);
}

/* One after the other, up to one that has to wait. */
static void send_on(coop_sched *s, coop_door *d)
{
    void *item;
    while (!d->sending && (item = coop_letterbox_first(d->box))) {
        d->send = (struct coop_ChanSend){
            .base = { .type = &coop_ChanSend_type, .task = s->poller },
            .chan = d->chan, .item = item
        };
        if (!d->size)
            memcpy(&d->send.value, item, sizeof d->send.value);
        coop_value value = coop_channel_send(s, &d->send.base);
        d->sending = value == COOP_WAIT;
        if (!d->sending)
            sent(d, value);
    }
}

void coop_door_sent(coop_sched *s, coop_call *whole, coop_call *one, coop_value value)
{
    coop_door *d = (coop_door *)((char *)one - offsetof(struct coop_door, send));
    (void)whole;
    d->sending = false;
    sent(d, value);
    send_on(s, d);
}

static void wake_waiters(coop_sched *s, coop_door *d, coop_value value)
{
    coop_call *waiter;
    while ((waiter = coop_list_take(&d->waiters)))
        coop_wake(s, waiter, value);
}

static void look_behind(coop_sched *s, coop_door *d)
{
    start_submitted(s, d);
    if (atomic_exchange(&d->knocked, false)) {
        d->kept = !d->waiters;
        wake_waiters(s, d, 0);
    }
    if (d->box)
        send_on(s, d);
}

size_t coop_doors_open(const coop_sched *s)
{
    size_t n = 0;
    for (const coop_door *d = s->doors; d; d = d->next)
        n++;
    return n;
}

void coop_doors_look(coop_sched *s)
{
    for (coop_door *d = s->doors; d; d = d->next)
        if (atomic_load_explicit(&d->called, memory_order_relaxed)
            && atomic_exchange(&d->called, false))
            look_behind(s, d);
}

coop_value coop_door_await(coop_sched *s, coop_door *d, coop_call *call)
{
    if (d->sched != s)
        return d->sched ? -EPERM : -EPIPE;
    if (d->kept) {
        d->kept = false;
        return 0;
    }
    coop_list_add(&d->waiters, call);
    return COOP_WAIT;
}

bool coop_door_undo(coop_door *d, coop_call *call)
{
    return coop_list_remove(&d->waiters, call);
}

const char *coop_door_name(const coop_door *d)
{
    return d->name;
}

/* ---- Opening and shutting ---- */

coop_door *coop_door_make(coop_sched *s, coop_chan *chan, size_t capacity, const char *name)
{
    if (s->closing || (capacity && !chan) || coop_need_poller(s) < 0)
        return NULL;
    coop_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    if (capacity) {
        d->chan = chan;
        d->size = chan->size;
        d->box = coop_letterbox_open(chan->step, capacity);
    }
    if ((capacity && !d->box) || s->machine->heed(s->machine, true) < 0) {
        coop_letterbox_free(d->box);
        free(d);
        return NULL;
    }
    d->holders = 2;
    d->machine = s->machine;
    d->owner = coop_fresh_here();
    d->name = name;
    d->sched = s;
    d->next = s->doors;
    s->doors = d;
    s->outside++;
    if (d->chan)
        d->chan->doors++;
    return d;
}

/* What is still in the box reaches nobody. */
static void forget_box(coop_door *d)
{
    if (d->sending)
        coop_list_remove(&d->chan->senders, &d->send.base);
    while (d->box && coop_letterbox_first(d->box))
        sent(d, -ECANCELED);
    if (d->chan)
        d->chan->doors--;
}

static void shut(coop_sched *s, coop_door *d)
{
    coop_door **at = &s->doors;
    atomic_store(&d->shut, true);
    while (atomic_load(&d->inside))
        s->machine->give_way(s->machine);
    look_behind(s, d);
    forget_box(d);
    wake_waiters(s, d, -EPIPE);
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    if (!s->doors)
        s->machine->heed(s->machine, false);
    s->outside--;
    d->sched = NULL;
    coop_door_drop(d);
}

void coop_doors_shut(coop_sched *s)
{
    while (s->doors)
        shut(s, s->doors);
}

coop_value coop_door_close(coop_door *d)
{
    if (!d)
        return 0;
    coop_sched *s = d->sched;
    if (s && s != coop_this)
        return -EPERM;
    if (s)
        shut(s, d);
    coop_value lost = (coop_value)d->lost;
    coop_door_drop(d);
    return lost;
}
