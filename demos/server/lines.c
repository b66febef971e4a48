#include "lines.h"
#include <errno.h>
#include <string.h>

static void store(struct lines *lines, const struct coop_PutLine *put)
{
    unsigned i = (lines->first + lines->used++) % LINES_SLOTS;

    lines->slot[i].len = put->len;
    memcpy(lines->slot[i].text, put->text, put->len);
}

static coop_value fetch(struct lines *lines, char *line)
{
    size_t len = lines->slot[lines->first].len;

    memcpy(line, lines->slot[lines->first].text, len);
    line[len] = '\0';
    lines->first = (lines->first + 1) % LINES_SLOTS;
    lines->used--;
    return (coop_value)len;
}

static void end(coop_sched *sched, struct lines *lines)
{
    coop_call *call;

    lines->ended = true;
    while ((call = coop_list_take(&lines->getters)))
        coop_wake(sched, call, -EPIPE);
    while ((call = coop_list_take(&lines->putters)))
        coop_wake(sched, call, -EPIPE);
}

static coop_value put_handle(coop_sched *sched, coop_call *call)
{
    struct coop_PutLine *put = (struct coop_PutLine *)call;
    struct lines *lines = put->to;
    coop_call *getter;

    if (lines->ended)
        return -EPIPE;
    if (put->end) {
        end(sched, lines);
        return 0;
    }
    if (lines->used == LINES_SLOTS) {
        coop_list_add(&lines->putters, call);
        return COOP_WAIT;
    }
    store(lines, put);
    getter = coop_list_take(&lines->getters);
    if (getter)
        coop_wake(sched, getter, fetch(lines, ((struct coop_GetLine *)getter)->line));
    return 0;
}

static coop_value get_handle(coop_sched *sched, coop_call *call)
{
    struct coop_GetLine *get = (struct coop_GetLine *)call;
    struct lines *lines = get->from;
    coop_call *putter;
    coop_value len;

    if (lines->used == 0 && lines->ended)
        return -EPIPE;
    if (lines->used == 0) {
        coop_list_add(&lines->getters, call);
        return COOP_WAIT;
    }
    len = fetch(lines, get->line);
    putter = coop_list_take(&lines->putters);
    if (putter) {
        store(lines, (struct coop_PutLine *)putter);
        coop_wake(sched, putter, 0);
    }
    return len;
}

static bool put_undo(coop_sched *sched, coop_call *call)
{
    (void)sched;
    return coop_list_remove(&((struct coop_PutLine *)call)->to->putters, call);
}

static bool get_undo(coop_sched *sched, coop_call *call)
{
    (void)sched;
    return coop_list_remove(&((struct coop_GetLine *)call)->from->getters, call);
}

static void put_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_PutLine *put = (const struct coop_PutLine *)call;

    (void)result;
    coop_print(text, "%s, ", put->to->name);
    if (put->end)
        coop_print(text, "end");
    else
        coop_print_bytes(text, put->text, put->len);
}

static void get_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_GetLine *get = (const struct coop_GetLine *)call;

    coop_print(text, "%s", get->from->name);
    if (result && *result >= 0) {
        coop_print(text, ", ");
        coop_print_bytes(text, get->line, (size_t)*result);
    }
}

static void put_touches(const coop_call *call, coop_touch *touch)
{
    *touch = (coop_touch){
        .object = (uintptr_t)((const struct coop_PutLine *)call)->to, .write = true
    };
}

static void get_touches(const coop_call *call, coop_touch *touch)
{
    *touch = (coop_touch){
        .object = (uintptr_t)((const struct coop_GetLine *)call)->from, .write = true
    };
}

const coop_call_type coop_PutLine_type = {
    .name = "PutLine", .handle = put_handle, .undo = put_undo,
    .describe = put_describe, .touches = put_touches
};

const coop_call_type coop_GetLine_type = {
    .name = "GetLine", .handle = get_handle, .undo = get_undo,
    .describe = get_describe, .touches = get_touches
};
