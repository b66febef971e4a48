/* task.c - how a task comes to be, how it ends, and who is told. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct coop_more *coop_need_more(coop_task *t)
{
    if (t->co.flags & TASK_MORE)
        return (struct coop_more *)t->born;
    struct coop_more *more = malloc(sizeof *more);
    if (more) {
        *more = (struct coop_more){ .born = t->born };
        t->born = (const char *)more;
        t->co.flags |= TASK_MORE;
    }
    return more;
}

void coop_tie_to(struct coop_more *more, coop_tie *tie)
{
    tie->next = more->ties;
    tie->at = &more->ties;
    if (tie->next)
        tie->next->at = &tie->next;
    more->ties = tie;
}

void coop_untie(coop_tie *tie)
{
    *tie->at = tie->next;
    if (tie->next)
        tie->next->at = tie->at;
}

bool coop_tell_ties(coop_sched *s, coop_task *t)
{
    struct coop_more *more = coop_more_of(t);
    bool any = more && more->ties;
    while (more && more->ties) {
        coop_tie *tie = more->ties;
        coop_untie(tie);
        tie->ended(s, t, tie);
    }
    return any;
}

void coop_lose_more(coop_task *t)
{
    struct coop_more *more = (struct coop_more *)t->born;
    coop_tell_ties(coop_this, t);
    free(more->name);
    free(more);
}

const char *coop_name_of(const coop_task *t)
{
    const struct coop_more *more = coop_more_of(t);
    return more && more->name ? more->name : coop_frame_name((const coop_frame *)t->room);
}

const char *coop_born_of(const coop_task *t)
{
    const struct coop_more *more = coop_more_of(t);
    return coop_basename(more ? more->born : t->born);
}

int coop_rename(coop_task *t, const char *name)
{
    struct coop_more *more = coop_more_of(t);
    char *new = NULL;
    if (name && *name) {
        more = coop_need_more(t);
        new = more ? malloc(strlen(name) + 1) : NULL;
        if (!new)
            return -ENOMEM;
        strcpy(new, name);
        for (char *c = new; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 127)
                *c = '?';          /* a name is part of a line */
    }
    if (more) {
        free(more->name);
        more->name = new;
    }
    return 0;
}

/* Make a coroutine that nobody resumes by hand into a task. */
coop_tid coop_admit(coop_sched *s, coop_task *t, coop_tid parent, unsigned flags)
{
    const coop_task *from = s->current;
    if (COOP_RARE(from && from->tid != parent))
        from = coop_find(s, parent);
    int r = from && COOP_RARE(from->co.flags & TASK_MORE) ? coop_inherit(t, from) : 0;
    t->tid = s->last_tid + 1;
    if (r == 0 && t->co.top->routine == &coop_fiber_routine)
        r = coop_fiber_begin(&t->co);
    if (r == 0)
        r = coop_table_add(s, t);
    if (COOP_RARE(r < 0))
        return r;
    s->last_tid = t->tid;
    t->parent = parent;
    t->co.flags |= (uint8_t)flags;
    t->co.life = CO_TASK;
    if (!(flags & TASK_SYSTEM))
        s->living++;
    coop_note(s, t, COOP_SPAWN, NULL, 0);
    if (COOP_RARE(s->closing) && !(flags & TASK_SYSTEM))
        coop_doom(s, t, 0, 0);
    return t->tid;
}

/* Cancelled, and that is what it ended with. */
static bool was_cancelled(const coop_task *t)
{
    const struct coop_more *more = coop_more_of(t);
    return t->final == -ECANCELED && (t->co.fate & CO_CANCELLED || (more && more->cancelled));
}

void coop_status_of(coop_task *t, coop_status *status)
{
    const struct coop_more *more = coop_more_of(t);
    t->co.flags |= TASK_SEEN;
    *status = (coop_status){ COOP_OK, t->final, 0, t->tid, NULL };
    if (COOP_RARE(t->co.flags & TASK_KILLED)) {
        status->end = COOP_KILLED;
        status->value = -ECANCELED;
        status->by = t->final;
    } else if (COOP_RARE(t->co.flags & TASK_FAILED)) {
        status->end = was_cancelled(t) ? COOP_CANCELLED : COOP_FAILED;
        status->by = was_cancelled(t) && more ? more->by : 0;
    }
    if (COOP_RARE(status->end >= COOP_KILLED && more))
        status->why = more->why;
}

static void report_failure(coop_sched *s, coop_task *t)
{
    char lines[1500];
    coop_text text = { .data = lines, .size = sizeof lines };
    coop_print(&text, "coop: task %td %s failed: ", t->tid, coop_name_of(t));
    coop_result_text(t->final, &text);
    coop_print(&text, " (created at %s)\n", coop_born_of(t));
    coop_trail_text(s, &t->co, t->final, &text);
    coop_report_text(s, lines);
}

/* The table and the memory of an ended task; a failure that nobody was told of is told
   to the people. */
static inline void bury(coop_sched *s, coop_task *t)
{
    if (COOP_RARE((t->co.flags & (TASK_FAILED | TASK_SEEN)) == TASK_FAILED)
        && !was_cancelled(t))
        report_failure(s, t);
    coop_table_remove(s, t);
    coop_unmake(t);
}

void coop_let_go(coop_sched *s, coop_task *t)
{
    coop_task *parent = s->current;
    if (COOP_RARE(!parent || parent->tid != t->parent))
        parent = coop_find(s, t->parent);
    coop_link_out(&parent->kept, t);
    bury(s, t);
}

/* What parent waits in for any child stands among the calls that wait for parent itself. */
static void offer_child(coop_sched *s, coop_task *parent)
{
    coop_call *call = parent->waiters->next;
    while (call->task != parent)
        call = call->next;
    coop_list_remove(&parent->waiters, call);
    if (!coop_offer(s, call))
        coop_list_add(&parent->waiters, call);
}

/* The parent keeps the status if nobody was told; it may wait for any child's end. */
static void tell_parent(coop_sched *s, coop_task *t)
{
    coop_task *parent = coop_find(s, t->parent);
    bool alive = parent && parent->co.state != COOP_ENDED;
    bool kept = alive && (t->co.flags & (TASK_KEEP | TASK_SEEN)) == TASK_KEEP;
    if (kept)
        coop_link_in(&parent->kept, t);
    if (alive && !coop_is_ending(parent))
        parent->children--;
    if (COOP_RARE(alive && parent->co.flags & TASK_WAITS_ANY))
        offer_child(s, parent);
    if (!kept)
        bury(s, t);
    else if (COOP_RARE(t->co.flags & TASK_SEEN))
        coop_let_go(s, t);         /* only now: observers are told whose end it was */
}

static void tell_main(coop_sched *s, coop_task *t)
{
    coop_status status;
    coop_status_of(t, &status);
    *s->main_value = status.value;
    s->main_tid = 0;
}

/* The last frame of t has returned. */
void coop_finish(coop_sched *s, coop_task *t)
{
    uint8_t is_child = t->co.flags & TASK_KEEP;
    if (!coop_is_ending(t))
        t->final = t->co.value;
    else if (COOP_RARE(!(t->co.flags & TASK_EXITED)))
        t->co.flags |= TASK_KILLED;
    if (COOP_RARE(coop_is_error(t->final)) && !(t->co.flags & TASK_KILLED)) {
        t->co.flags |= TASK_FAILED;
        if (t->final <= COOP_UNDONE)
            t->final = -EINVAL;    /* these mean something as the answer to a wait for it */
    }
    t->co.state = COOP_ENDED;
    if (!(t->co.flags & TASK_SYSTEM) && --s->living == 0)
        s->until_look = 0;
    coop_note(s, t, COOP_EXIT, NULL, t->final);
    if (COOP_RARE(s->lenders))
        coop_rank_end(s, t);
    if (COOP_RARE(t->tid == s->main_tid))
        tell_main(s, t);
    while (COOP_RARE(t->waiters))
        coop_offer(s, coop_list_take(&t->waiters));
    while (COOP_RARE(t->kept))
        coop_let_go(s, t->kept->next);
    if (COOP_RARE(t->co.flags & TASK_MORE))
        coop_tell_ties(s, t);
    if (is_child)
        tell_parent(s, t);
    else
        bury(s, t);
}

/* Begin to end a task: its frames, the innermost first, go to their coop_finally parts where
   they are resumed. One that has not run yet runs to its first trap, so that these parts
   find what its first lines set up; one that is cleaning up goes on with that first. */
void coop_doom(coop_sched *s, coop_task *t, coop_value final, unsigned flag)
{
    if (coop_is_ending(t))
        return;
    if (flag & TASK_EXITED && coop_is_error(final))
        coop_trail_all(s, &t->co, final);
    if (!(flag & TASK_EXITED) && coop_more_of(t))
        coop_more_of(t)->why = NULL;    /* that was why it had been cancelled */
    t->co.fate = (t->slices ? CO_UNWINDS : CO_UNWINDS_AT_TRAP)
        | (t->co.cleaning ? t->co.fate & CO_INTERRUPTED : 0);
    t->co.flags |= (uint8_t)flag;
    t->final = final;
    coop_scopes_end(s, t);
    if (t->co.cleaning || t->slices == 0 || t->co.state == COOP_RUNNING)
        return;
    bool waits = t->co.state == COOP_WAITING;
    if (coop_undo(s, t) && waits) {
        s->woken++;
        coop_make_ready(s, t);
    }
}
