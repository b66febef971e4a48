/* groups.c - tasks that belong together: who is a member, what the end of one means for the
   others, and who is told. The group itself stands in the call that made it. */
#include "tasks/groups.h"

#include <errno.h>
#include <stdlib.h>

static void unlink_member(coop_member *m)
{
    *m->at = m->next;
    if (m->next)
        m->next->at = m->at;
}

/* Members stand in the order in which they came, so that they are cancelled in it. */
static void link_member(coop_group *g, coop_member *m)
{
    m->next = NULL;
    m->at = g->last_ ? g->last_ : &g->members_;
    *m->at = m;
    g->last_ = &m->next;
}

static void remove_member(coop_group *g, coop_member *m)
{
    if (g->last_ == &m->next)
        g->last_ = m->at == &g->members_ ? NULL : m->at;
    unlink_member(m);
    g->living_--;
    g->daemons_ -= m->daemon;
}

void coop_group_stop(coop_sched *s, coop_group *g, coop_tid by, const char *why)
{
    g->over_ = true;
    for (coop_member *m = g->members_; m; m = m->next)
        coop_cancel_by(s, m->task, by, why);
}

/* The error of a Group that failed may stand in the place of the group. */
static bool is_none(const coop_group *g)
{
    return !g || coop_is_error((coop_value)g);
}

coop_value coop_group_flaw(const coop_group *g)
{
    if (is_none(g))
        return g ? (coop_value)g : -EINVAL;
    return g->open_ ? 0 : -EINVAL;
}

bool coop_group_full(const coop_group *g)
{
    return g->limit && g->living_ >= g->limit;
}

bool coop_group_done(coop_sched *s, coop_group *g)
{
    if (g->living_ && g->living_ == g->daemons_)
        coop_group_stop(s, g, g->base.task->tid, "only daemons are left of its group");
    return !g->living_;
}

/* What the end of a member decides: the others are not needed then, or of no use. A failure
   that the group gives as its result is not reported, nor one of a race. */
static bool decides(coop_group *g, coop_task *t, const coop_status *status)
{
    bool ok = status->end == COOP_OK, cancelled = g->over_ && status->end == COOP_CANCELLED;
    if (g->mode == COOP_EACH || cancelled)
        return false;
    if (g->mode == COOP_ANY || !g->first_.end)
        t->co.flags |= TASK_SEEN;
    bool counts = g->mode == COOP_ANY ? !g->won_ : !ok && !g->first_.end;
    if (counts && (ok || !g->first_.end))
        g->first_ = *status;
    if (g->mode == COOP_ANY && ok && counts)
        return g->won_ = true;
    return counts && g->mode == COOP_ALL && !g->over_;
}

static void keep(coop_sched *s, coop_group *g, coop_member *m)
{
    coop_call *taker;
    *g->ended_last_ = m;
    g->ended_last_ = &m->next;
    m->next = NULL;
    m->task->co.flags |= TASK_SEEN;
    if ((taker = coop_list_take(&g->takers_)))
        coop_offer(s, taker);
}

/* Those who wait for the group to change. */
static void offer_all(coop_sched *s, coop_group *g)
{
    coop_call *call;
    while (g->spawners_ && (g->over_ || !coop_group_full(g)))
        coop_offer(s, coop_list_take(&g->spawners_));
    while (g->living_ == g->daemons_ && (call = coop_list_take(&g->takers_)))
        coop_offer(s, call);
    if (g->waiting_)
        coop_offer(s, g->waiting_);
}

static void ended(coop_sched *s, coop_task *t, coop_tie *tie)
{
    coop_member *m = (coop_member *)tie;
    coop_group *g = m->group;
    uint8_t seen = t->co.flags & TASK_SEEN;
    coop_status_of(t, &m->status);
    t->co.flags &= (uint8_t)~(TASK_SEEN & ~seen);
    if (m->result) {
        *m->result = m->status.value;
        t->co.flags |= TASK_SEEN;
    }
    remove_member(g, m);
    bool decided = decides(g, t, &m->status);
    if (g->keep)
        keep(s, g, m);
    else
        free(m);
    if (decided) {
        bool won = g->mode == COOP_ANY;
        coop_group_stop(s, g, t->tid, won ? "another member of its group has won"
                                          : "a member of its group has failed");
        if (!won && !g->waiting_)
            coop_scope_break(s, g->base.task, &g->scope, -ECANCELED);
    }
    offer_all(s, g);
}

static coop_tid admit(coop_sched *s, const struct coop_GroupSpawn *c, coop_task *t)
{
    coop_group *g = c->group;
    struct coop_more *more = coop_need_more(t);
    coop_member *m = more ? malloc(sizeof *m) : NULL;
    coop_tid tid = m && !(c->name && coop_rename(t, c->name) < 0)
        ? coop_admit(s, t, g->base.task->tid, 0) : -ENOMEM;
    if (tid < 0) {
        free(m);
        return tid;
    }
    *m = (coop_member){
        .tie.ended = ended, .group = g, .task = t, .result = c->result, .daemon = c->daemon
    };
    coop_tie_to(more, &m->tie);
    link_member(g, m);
    g->living_++;
    g->daemons_ += c->daemon;
    return tid;
}

coop_value coop_group_join(coop_sched *s, const struct coop_GroupSpawn *c)
{
    coop_task *t = (coop_task *)c->target;
    if (!t)
        return -ENOMEM;
    int r = coop_claim(c->target);
    if (r < 0)
        return r;
    coop_tid tid = c->group->over_ ? -ECANCELED : admit(s, c, t);
    if (tid < 0)
        coop_unmake(t);
    else
        coop_make_ready(s, t);
    return tid;
}

coop_value coop_group_take(coop_group *g, coop_status *status)
{
    coop_member *m = g->ended_;
    coop_value value = m->status.value;
    if (status)
        *status = m->status;
    g->ended_ = m->next;
    if (!g->ended_)
        g->ended_last_ = &g->ended_;
    free(m);
    return value;
}

static void report(coop_sched *s, const coop_group *g, const coop_status *status)
{
    char buf[40];
    coop_text text = { .data = buf, .size = sizeof buf };
    if (status->end != COOP_FAILED || g->mode == COOP_ANY)
        return;
    coop_result_text(status->value, &text);
    coop_report(s, "task %td of group %s failed: %s", status->tid, g->name ? g->name : "?",
                buf);
}

coop_value coop_group_close(coop_sched *s, coop_group *g, bool tells)
{
    if (!tells && !g->keep)
        report(s, g, &g->first_);
    for (coop_status status; g->ended_;) {
        coop_group_take(g, &status);
        if (!tells || status.tid != g->first_.tid)
            report(s, g, &status);
    }
    g->open_ = false;
    return g->first_.value;
}

void coop_group_describe(const coop_group *g, coop_text *text)
{
    if (is_none(g))
        coop_print(text, "NULL");
    else
        coop_print(text, "%s%s%zu running", g->name ? g->name : "", g->name ? ", " : "",
                   g->living_);
}

void coop_group_touches(const coop_group *g, coop_touch *touch)
{
    const coop_member *m = is_none(g) ? NULL : g->members_;
    while (m && m->daemon && m->next)
        m = m->next;
    *touch = (coop_touch){ .object = (uintptr_t)g, .holder = m ? m->task->tid : 0 };
}
