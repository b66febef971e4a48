#include "queue.h"
#include <errno.h>
#include <stdlib.h>

static void store(struct queue *queue, struct answer answer)
{
    queue->slot[(queue->first + queue->used++) % QUEUE_SLOTS] = answer;
}

static struct answer fetch(struct queue *queue)
{
    struct answer answer = queue->slot[queue->first];

    queue->first = (queue->first + 1) % QUEUE_SLOTS;
    queue->used--;
    return answer;
}

static void end(coop_sched *sched, struct queue *queue)
{
    coop_call *call;

    queue->ended = true;
    while ((call = coop_list_take(&queue->getters)))
        coop_wake(sched, call, -EPIPE);
    while ((call = coop_list_take(&queue->putters)))
        coop_wake(sched, call, -EPIPE);
}

static coop_value put_handle(coop_sched *sched, coop_call *call)
{
    struct coop_Put *put = (struct coop_Put *)call;
    struct queue *queue = put->to;
    coop_call *getter;

    if (queue->ended)
        return -EPIPE;
    if (!put->answer.bytes) {
        end(sched, queue);
        return 0;
    }
    if (queue->used == QUEUE_SLOTS) {
        coop_list_add(&queue->putters, call);
        return COOP_WAIT;
    }
    store(queue, put->answer);
    getter = coop_list_take(&queue->getters);
    if (getter) {
        *((struct coop_Get *)getter)->answer = fetch(queue);
        coop_wake(sched, getter, 0);
    }
    return 0;
}

static coop_value get_handle(coop_sched *sched, coop_call *call)
{
    struct coop_Get *get = (struct coop_Get *)call;
    struct queue *queue = get->from;
    coop_call *putter;

    if (queue->used == 0 && queue->ended)
        return -EPIPE;
    if (queue->used == 0) {
        coop_list_add(&queue->getters, call);
        return COOP_WAIT;
    }
    *get->answer = fetch(queue);
    putter = coop_list_take(&queue->putters);
    if (putter) {
        store(queue, ((struct coop_Put *)putter)->answer);
        coop_wake(sched, putter, 0);
    }
    return 0;
}

static bool put_undo(coop_sched *sched, coop_call *call)
{
    (void)sched;
    return coop_list_remove(&((struct coop_Put *)call)->to->putters, call);
}

static bool get_undo(coop_sched *sched, coop_call *call)
{
    (void)sched;
    return coop_list_remove(&((struct coop_Get *)call)->from->getters, call);
}

static void put_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct answer *answer = &((const struct coop_Put *)call)->answer;

    (void)result;
    if (answer->bytes)
        coop_print_bytes(text, answer->bytes + HEAD, answer->len);
    else
        coop_print(text, "end");
}

static void get_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct answer *answer = ((const struct coop_Get *)call)->answer;

    if (result && *result == 0)
        coop_print_bytes(text, answer->bytes + HEAD, answer->len);
}

static void put_touches(const coop_call *call, coop_touch *touch)
{
    *touch = (coop_touch){
        .object = (uintptr_t)((const struct coop_Put *)call)->to, .write = true
    };
}

static void get_touches(const coop_call *call, coop_touch *touch)
{
    *touch = (coop_touch){
        .object = (uintptr_t)((const struct coop_Get *)call)->from, .write = true
    };
}

const coop_call_type coop_Put_type = {
    .name = "Put", .handle = put_handle, .undo = put_undo,
    .describe = put_describe, .touches = put_touches
};

const coop_call_type coop_Get_type = {
    .name = "Get", .handle = get_handle, .undo = get_undo,
    .describe = get_describe, .touches = get_touches
};

void queue_clear(struct queue *queue)
{
    while (queue->used > 0)
        free(fetch(queue).bytes);
}
