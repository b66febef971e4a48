/* task.c - how a task comes to be, how it ends, and who is told. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *coop_name_of(const coop_task *t)
{
    if (t->co.flags & TASK_NAMED)
        return ((struct coop_naming *)t->born)->name;
    return ((coop_frame *)t->room)->routine->name;
}

const char *coop_born_of(const coop_task *t)
{
    const char *born = t->born;
    if (t->co.flags & TASK_NAMED)
        born = ((struct coop_naming *)born)->born;
    return coop_basename(born);
}

int coop_rename(coop_task *t, const char *name)
{
    struct coop_naming *new = NULL, *old = NULL;
    const char *born = t->born;
    if (t->co.flags & TASK_NAMED) {
        old = (struct coop_naming *)t->born;
        born = old->born;
    }
    if (name && *name) {
        new = malloc(sizeof *new + strlen(name) + 1);
        if (!new)
            return -ENOMEM;
        new->born = born;
        strcpy(new->name, name);
        for (char *c = new->name; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 127)
                *c = '?';          /* a name is part of a line */
        t->born = (char *)new;
        t->co.flags |= TASK_NAMED;
    } else {
        t->born = born;
        t->co.flags &= (uint8_t)~TASK_NAMED;
    }
    free(old);
    return 0;
}

/* Make a coroutine that nobody resumes by hand into a task. */
coop_tid coop_admit(coop_sched *s, coop_task *t, coop_tid parent, unsigned flags)
{
    t->tid = s->last_tid + 1;
    int r = coop_table_add(s, t);
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

void coop_status_of(coop_task *t, coop_status *status)
{
    t->co.flags |= TASK_SEEN;
    if (COOP_RARE(t->co.flags & TASK_KILLED))
        *status = (coop_status){ COOP_KILLED, -ECANCELED, t->final, t->tid };
    else
        *status = (coop_status){ t->co.flags & TASK_FAILED ? COOP_FAILED : COOP_OK, t->final, 0,
                                 t->tid };
}

static void report_failure(coop_sched *s, coop_task *t)
{
    char result[40];
    coop_text text = { .data = result, .size = sizeof result };
    coop_result_text(t->final, &text);
    coop_report(s, "task %td %s failed: %s (created at %s)", t->tid, coop_name_of(t), result,
                coop_born_of(t));
}

/* The table and the memory of an ended task; a failure that nobody was told of is told
   to the people. */
static inline void bury(coop_sched *s, coop_task *t)
{
    if (COOP_RARE((t->co.flags & (TASK_FAILED | TASK_SEEN)) == TASK_FAILED))
        report_failure(s, t);
    coop_table_remove(s, t);
    coop_unmake(t);
}

void coop_let_go(coop_sched *s, coop_task *t)
{
    coop_task *parent = s->current;
    if (COOP_RARE(!parent || parent->tid != t->parent))
        parent = coop_find(s, t->parent);
    coop_unlink(&parent->kept, t);
    bury(s, t);
}

/* The parent keeps the status if nobody was told; it may wait for any child's end. */
static void tell_parent(coop_sched *s, coop_task *t)
{
    coop_task *parent = coop_find(s, t->parent);
    bool alive = parent && parent->co.state != COOP_ENDED;
    bool kept = alive && (t->co.flags & (TASK_KEEP | TASK_SEEN)) == TASK_KEEP;
    if (kept)
        coop_link(&parent->kept, t);
    if (alive && !parent->co.unwinding)
        parent->children--;
    if (COOP_RARE(alive && parent->co.flags & TASK_WAITS_ANY))
        coop_offer(s, parent->co.call);
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
    if (!t->co.unwinding)
        t->final = t->co.value;
    if (COOP_RARE(t->co.unwinding && !(t->co.flags & TASK_EXITED)))
        t->co.flags |= TASK_KILLED;
    else if (COOP_RARE(coop_is_error(t->final)))
        t->co.flags |= TASK_FAILED;
    t->co.state = COOP_ENDED;
    if (!(t->co.flags & TASK_SYSTEM) && --s->living == 0)
        s->until_look = 0;
    coop_note(s, t, COOP_EXIT, NULL, t->final);
    if (COOP_RARE(t->tid == s->main_tid))
        tell_main(s, t);
    while (COOP_RARE(t->waiters))
        coop_offer(s, coop_list_take(&t->waiters));
    while (COOP_RARE(t->kept))
        coop_let_go(s, t->kept->next);
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
    if (t->co.unwinding)
        return;
    t->co.unwinding = t->slices ? CO_UNWINDS : CO_UNWINDS_AT_TRAP;
    t->co.flags |= (uint8_t)flag;
    t->final = final;
    if (t->co.cleaning || t->slices == 0 || t->co.state == COOP_RUNNING)
        return;
    bool waits = t->co.state == COOP_WAITING;
    if (coop_undo(s, t) && waits) {
        s->woken++;
        coop_make_ready(s, t);
    }
}
