/* Group - a group of tasks that the routine which makes it does not outlive. */
#include "tasks/groups.h"

static void open_group(struct coop_Group *g, const struct coop_Group *c)
{
    *g = (struct coop_Group){
        .base = g->base, .scope = g->scope, .name = c->name, .mode = c->mode,
        .limit = c->limit, .keep = c->keep, .open_ = true
    };
    g->ended_last_ = &g->ended_;
}

/* One that was waited for can be opened again. */
static struct coop_Group *closed_here(const coop_task *t, const coop_call_type *type)
{
    const struct coop_more *more = coop_more_of(t);
    const coop_scope *scope = more ? more->scope : NULL;
    for (; scope && scope->frame == t->co.top; scope = scope->outer)
        if (scope->call->type == type && !((struct coop_Group *)scope->call)->open_)
            return (struct coop_Group *)scope->call;
    return NULL;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Group *c = (struct coop_Group *)call;
    struct coop_Group *had = closed_here(call->task, call->type);
    if (had) {
        open_group(had, c);
        return (coop_value)had;
    }
    int r = coop_scope_open(s, call, &c->scope);
    if (r < 0)
        return r;
    open_group(c, &(struct coop_Group){
        .name = c->name, .mode = c->mode, .limit = c->limit, .keep = c->keep
    });
    call->result = (coop_value)c;
    return COOP_STAY;
}

/* GroupEnd: what a routine waits in that has come to its end while its group has not. It
   stands in the group. When it is interrupted or undone its routine looks again. */
static struct coop_Group *group_of(const coop_call *end)
{
    return (struct coop_Group *)((char *)end - offsetof(struct coop_Group, end_));
}

static coop_value end_ready(coop_sched *s, coop_call *call)
{
    struct coop_Group *g = group_of(call);
    if (!coop_group_done(s, g))
        return COOP_WAIT;
    g->waiting_ = NULL;
    return 0;
}

static coop_value end_handle(coop_sched *s, coop_call *call)
{
    group_of(call)->waiting_ = call;
    return end_ready(s, call);
}

static bool end_undo(coop_sched *s, coop_call *call)
{
    (void)s;
    group_of(call)->waiting_ = NULL;
    return true;
}

/* Once the members are cancelled they have to be waited for. */
static bool end_at_once(const coop_call *call)
{
    return group_of(call)->over_;
}

static void end_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_group_describe(group_of(call), text);
}

static void end_touches(const coop_call *call, coop_touch *touch)
{
    coop_group_touches(group_of(call), touch);
}

static const coop_call_type GroupEnd_type = {
    .name = "GroupEnd", .handle = end_handle, .ready = end_ready, .undo = end_undo,
    .at_once = end_at_once, .describe = end_describe, .touches = end_touches
};

/* A routine that fails, or whose task is to end, does not wait for what its group has to do. */
static bool leave(coop_sched *s, coop_call *call)
{
    struct coop_Group *g = (struct coop_Group *)call;
    coop_frame *frame = g->scope.frame;
    coop_task *t = call->task;
    const coop_scope *by;
    if (!g->open_)
        return true;
    int why = coop_interrupted(t, &by);
    bool fails = coop_is_error(frame->result), cleans = frame->flags & FRAME_CLEANS;
    bool ends = coop_is_ending(t) && !t->co.cleaning;
    if ((fails && !cleans) || why || ends)
        coop_group_stop(s, g, t->tid, "its group ends");
    if (!coop_group_done(s, g)) {
        g->end_.type = &GroupEnd_type;
        t->co.call = &g->end_;
        return false;
    }
    bool tells = g->mode == COOP_ALL && !ends
        && (!fails || (!cleans && by == &g->scope && frame->result == why));
    coop_value value = coop_group_close(s, g, tells);
    if (tells && coop_is_error(value))
        frame->result = value;
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    static const char *const modes[] = { "all", "any", "each" };
    const struct coop_Group *g = (const struct coop_Group *)call;
    (void)result;
    coop_print(text, "%s%s%s", g->name ? g->name : "", g->name ? ", " : "",
               g->mode >= COOP_ALL && g->mode <= COOP_EACH ? modes[g->mode] : "?");
    if (g->limit)
        coop_print(text, ", limit %zu", g->limit);
}

const coop_call_type coop_Group_type = {
    .name = "Group", .handle = handle, .leave = leave, .describe = describe
};
