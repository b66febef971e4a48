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

/* GroupEnd: what a routine waits in that has come to its end while its group has not. */
static coop_value end(coop_sched *s, struct coop_Group *g)
{
    if (!coop_group_done(s, g))
        return COOP_WAIT;
    coop_value value = coop_group_close(g);
    if (g->mode == COOP_ALL && coop_is_error(value) && !coop_is_error(g->scope.frame->result))
        g->scope.frame->result = value;
    return 0;
}

static coop_value end_handle(coop_sched *s, coop_call *call)
{
    struct coop_Group *g = (struct coop_Group *)call;
    g->waiting_ = call;
    return end(s, g);
}

static coop_value end_ready(coop_sched *s, coop_call *call)
{
    return end(s, (struct coop_Group *)call);
}

/* It waits on, but not for long. */
static bool end_undo(coop_sched *s, coop_call *call)
{
    coop_group_stop(s, (struct coop_Group *)call, call->task->tid, "its group ends");
    return false;
}

static bool end_at_once(const coop_call *call)
{
    (void)call;
    return true;
}

static void end_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_group_describe((const struct coop_Group *)call, text);
}

static void end_touches(const coop_call *call, coop_touch *touch)
{
    coop_group_touches((const struct coop_Group *)call, touch);
}

static const coop_call_type GroupEnd_type = {
    .name = "GroupEnd", .handle = end_handle, .ready = end_ready, .undo = end_undo,
    .at_once = end_at_once, .describe = end_describe, .touches = end_touches
};

/* A routine that fails, or whose task is to end, does not wait for what its group has to do. */
static bool leave(coop_sched *s, coop_call *call)
{
    struct coop_Group *g = (struct coop_Group *)call;
    const coop_task *t = call->task;
    const coop_scope *by;
    if (!g->open_)
        return true;
    if (coop_is_error(g->scope.frame->result) || coop_interrupted(t, &by)
        || (coop_is_ending(t) && !t->co.cleaning))
        coop_group_stop(s, g, t->tid, "its group ends");
    if (end(s, g) == 0)
        return true;
    call->type = &GroupEnd_type;
    return false;
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
