/* event.c - telling the observers. */
#include "kernel/kernel.h"

#include <errno.h>
#include <string.h>

const char *coop_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void coop_tell(coop_sched *s, coop_task *t, coop_event_kind kind, const coop_call *call,
               coop_value value)
{
    coop_frame *frame = t->co.top ? t->co.top : (coop_frame *)t->room;
    coop_event event = {
        .kind = kind,
        .step = s->step,
        .tid = t->tid,
        .name = coop_name_of(t),
        .system = t->co.flags & TASK_SYSTEM,
        .file = frame->routine->name_at ? coop_frame_name(frame)
            : coop_basename(frame->routine->file),
        .line = frame->line > 0 ? frame->line : 0,
        .woken = s->woken,
        .call = call,
        .value = value,
    };
    if (kind == COOP_SPAWN) {
        event.other = t->parent;
        event.file = coop_born_of(t);
        event.line = 0;
    }
    if (kind == COOP_WAKE && s->current && !(s->current->co.flags & TASK_SYSTEM))
        event.other = s->current->tid;
    if (kind == COOP_EXIT) {
        uint8_t flags = t->co.flags;
        coop_status_of(t, &event.status);
        t->co.flags = flags;
    }
    /* What observers do with it, such as asking people, is not the task's time. */
    if (s->looping)
        coop_idle(s);
    for (coop_observer *o = s->observers; o; o = o->next)
        o->event(o, &event);
    if (s->looping)
        coop_busy(s);
}

int coop_observe(coop_observer *observer)
{
    coop_sched *s = coop_this;
    if (!observer || !observer->event || !s)
        return -EINVAL;
    coop_observer **end = &s->observers;
    for (; *end; end = &(*end)->next)
        if (*end == observer)
            return -EBUSY;
    observer->next = NULL;
    *end = observer;
    return 0;
}

int coop_unobserve(coop_observer *observer)
{
    coop_sched *s = coop_this;
    if (!observer || !s)
        return -EINVAL;
    for (coop_observer **at = &s->observers; *at; at = &(*at)->next)
        if (*at == observer) {
            *at = observer->next;
            return 0;
        }
    return -ENOENT;
}
