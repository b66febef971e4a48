/* channels.c - items on their way from those who send to those who receive: from hand to hand
   when both are there, and otherwise through slots, as long as there is one. */
#include "tasks/channels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

coop_chan *coop_chan_open(size_t size, size_t capacity, const char *name)
{
    size_t step = size ? size : sizeof(coop_value);
    if (capacity && step > (PTRDIFF_MAX - sizeof(coop_chan)) / capacity)
        return NULL;
    coop_chan *ch = malloc(sizeof *ch + capacity * step);
    if (ch)
        *ch = (coop_chan){ .size = size, .step = step, .capacity = capacity, .name = name };
    return ch;
}

int coop_chan_free(coop_chan *ch)
{
    if (ch && (ch->senders || ch->receivers || ch->joiners || ch->doors))
        return -EBUSY;
    free(ch);
    return 0;
}

coop_value coop_chan_queued(const coop_chan *ch)
{
    return ch ? (coop_value)ch->used : -ENOMEM;
}

/* The first, unless it is a call of own: two parts of one WaitAny must not meet. Nobody stands
   behind such a part, since all parts are made in one trap, and those before have been
   there earlier. */
static inline coop_call *take_other(coop_call **list, const coop_task *own)
{
    coop_call *last = *list;
    if (!last)
        return NULL;
    coop_call *first = last->next;
    if (COOP_RARE(first->task == own))
        return NULL;
    if (first == last)
        *list = NULL;
    else
        last->next = first->next;
    return first;
}

static inline char *slot(coop_chan *ch, size_t i)
{
    i += ch->first;
    return ch->slots + (i < ch->capacity ? i : i - ch->capacity) * ch->step;
}

/* There is a free slot. */
static inline void store(coop_chan *ch, const struct coop_ChanSend *c)
{
    char *to = slot(ch, ch->used++);
    if (ch->size)
        memcpy(to, c->item, ch->size);
    else
        memcpy(to, &c->value, sizeof c->value);
    ch->open++;
}

/* What a receiver gets, as its result or where it wants it. */
static inline coop_value take_stored(coop_chan *ch, const struct coop_ChanRecv *c)
{
    coop_value value = 0;
    char *from = slot(ch, 0);
    if (ch->size)
        memcpy(c->item, from, ch->size);
    else
        memcpy(&value, from, sizeof value);
    ch->used--;
    if (++ch->first == ch->capacity)
        ch->first = 0;
    return value;
}

static inline coop_value hand_over(coop_chan *ch, const struct coop_ChanSend *from,
                                   const struct coop_ChanRecv *to)
{
    ch->open++;
    if (!ch->size)
        return from->value;
    memmove(to->item, from->item, ch->size);
    return 0;
}

/* Some may be parts of one WaitAny, and gone when the first of them is answered. */
static __attribute__((noinline)) coop_value send_all(coop_sched *s, coop_chan *ch,
                                                     const struct coop_ChanSend *c)
{
    coop_value n = 0;
    coop_call *receiver;
    for (; (receiver = take_other(&ch->receivers, c->base.task)); n++)
        coop_wake(s, receiver, hand_over(ch, c, (struct coop_ChanRecv *)receiver));
    return n;
}

static inline int refused(const struct coop_ChanSend *c)
{
    const coop_chan *ch = c->chan;
    if (COOP_RARE(!ch))
        return -ENOMEM;
    if (COOP_RARE(ch->closed))
        return -EPIPE;
    if (COOP_RARE(ch->size ? !c->item : coop_is_error(c->value)))
        return ch->size ? -EFAULT : -EINVAL;
    return 0;
}

coop_value coop_channel_send(coop_sched *s, coop_call *call)
{
    const struct coop_ChanSend *c = (const struct coop_ChanSend *)call;
    coop_chan *ch = c->chan;
    int r = refused(c);
    if (COOP_RARE(r < 0))
        return r;
    if (COOP_RARE(c->all))
        return send_all(s, ch, c);
    coop_call *receiver = take_other(&ch->receivers, call->task);
    if (receiver) {
        coop_wake(s, receiver, hand_over(ch, c, (struct coop_ChanRecv *)receiver));
        return 0;
    }
    if (ch->used < ch->capacity) {
        store(ch, c);
        return 0;
    }
    if (c->poll)
        return -EAGAIN;
    coop_list_add(&ch->senders, call);
    return COOP_WAIT;
}

coop_value coop_channel_recv(coop_sched *s, coop_call *call)
{
    const struct coop_ChanRecv *c = (const struct coop_ChanRecv *)call;
    coop_chan *ch = c->chan;
    if (COOP_RARE(!ch || (ch->size && !c->item)))
        return ch ? -EFAULT : -ENOMEM;
    coop_value value = 0;
    bool stored = ch->used;
    if (stored)
        value = take_stored(ch, c);
    coop_call *sender = take_other(&ch->senders, call->task);
    if (sender) {
        if (stored)
            store(ch, (struct coop_ChanSend *)sender);
        else
            value = hand_over(ch, (struct coop_ChanSend *)sender, c);
        coop_wake(s, sender, 0);
    }
    if (stored || sender)
        return value;
    if (COOP_RARE(ch->closed || c->poll))
        return ch->closed ? -EPIPE : -EAGAIN;
    coop_list_add(&ch->receivers, call);
    return COOP_WAIT;
}

static void wake_all(coop_sched *s, coop_call **list, coop_value value)
{
    coop_call *call;
    while ((call = coop_list_take(list)))
        coop_wake(s, call, value);
}

void coop_channel_close(coop_sched *s, coop_chan *ch)
{
    ch->closed = true;
    wake_all(s, &ch->senders, -EPIPE);
    wake_all(s, &ch->receivers, -EPIPE);
}

void coop_channel_done(coop_sched *s, coop_chan *ch)
{
    if (--ch->open == 0)
        wake_all(s, &ch->joiners, 0);
}

void coop_channel_describe(const coop_chan *ch, coop_text *text)
{
    if (!ch)
        coop_print(text, "NULL");
    else
        coop_print(text, "%s%scap %zu, %zu queued%s", ch->name ? ch->name : "",
                   ch->name ? ", " : "", ch->capacity, ch->used, ch->closed ? ", closed" : "");
}

void coop_channel_describe_open(const coop_chan *ch, coop_text *text)
{
    coop_channel_describe(ch, text);
    if (ch)
        coop_print(text, ", %zu not done", ch->open);
}

void coop_channel_touches(const coop_chan *ch, coop_touch *touch)
{
    *touch = (coop_touch){
        .object = (uintptr_t)ch, .write = true, .what = "channel",
        .name = ch ? ch->name : NULL, .hidden = true
    };
}
