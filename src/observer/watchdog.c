/* watchdog.c - tells of a task that keeps the processor for too long, while it does.

   It looks now and then, from a thread of the machine's. The scheduler neither waits for it
   nor does anything for it but to say when no task can run. So what it looks at may change
   or go at any moment: it copies (coop_peek), and tells only what it has read twice, of a
   task that had the processor before and after.

   Time is counted in looks: that of a process which was stopped does not count. */
#include "observer/observer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS = 4 };                /* in the limit */
enum { MOST_MS = 1000000000 };
static const int64_t DEFAULT = COOP_MS(100), SHORTEST = COOP_MS(1);

/* The same twice: the task has had the processor all the time. Without a trap it may have
   yielded, and its memory may be another's already. */
struct seen {
    coop_task *task;               /* NULL: none of the program's */
    uint64_t step, slices;
    coop_tid tid;
};

struct told {
    char who[100], where[300];
};

struct coop_watchdog {
    coop_sched *sched;
    void (*report)(void *arg, const char *text);
    void *arg;
    int64_t every, limit;
    struct seen last;
    int64_t kept, next;            /* for how long it is the same; when to tell of it */
    struct told told;              /* who: empty, if it was not told of */
};

static struct seen see(coop_sched *s, coop_task *copy)
{
    struct seen now = { 0 };
    coop_peek(&now.step, &s->step, sizeof now.step);
    if (__atomic_load_n(&s->idle, __ATOMIC_ACQUIRE) != COOP_BUSY
        || !coop_peek(&now.task, &s->current, sizeof now.task)
        || !coop_peek(copy, now.task, sizeof *copy) || copy->co.flags & TASK_SYSTEM) {
        now.task = NULL;
    } else {
        now.slices = copy->slices;
        now.tid = copy->tid;
    }
    return now;
}

static bool same(const struct seen *a, const struct seen *b)
{
    return a->task == b->task && a->step == b->step && a->slices == b->slices
        && a->tid == b->tid;
}

/* In pieces none of which crosses the border of a page. */
static bool copy_string(char *to, size_t size, const char *from)
{
    enum { PIECE = 64 };
    for (size_t used = 0, n; used < size; used += n, from += n) {
        n = PIECE - (uintptr_t)from % PIECE;
        if (n > size - used)
            n = size - used;
        if (!coop_peek(to + used, from, n))
            return false;
        if (memchr(to + used, '\0', n))
            return true;
    }
    to[size - 1] = '\0';
    return true;
}

/* What coop_more_of points at, or what stands for it. */
static bool read_more(const coop_task *t, struct coop_more *more)
{
    *more = (struct coop_more){ .born = t->born };
    return !(t->co.flags & TASK_MORE) || coop_peek(more, t->born, sizeof *more);
}

/* The frame and the routine that it is of. */
static bool read_frame(const coop_frame *from, coop_frame *frame, coop_routine *routine)
{
    return coop_peek(frame, from, sizeof *frame)
        && coop_peek(routine, frame->routine, sizeof *routine);
}

/* As coop_frame_name. */
static bool read_name(const coop_frame *from, const coop_routine *r, char *name, size_t size)
{
    const char *own = NULL;
    if (r->name_at && !coop_peek(&own, (const char *)from + r->name_at, sizeof own))
        return false;
    return copy_string(name, size, own ? own : r->name);
}

static bool read_who(const coop_task *t, const coop_frame *first, const char *name,
                     coop_text *text)
{
    char copy[80];
    coop_frame frame;
    coop_routine routine;
    if (name ? !copy_string(copy, sizeof copy, name)
        : !read_frame(first, &frame, &routine)
            || !read_name(first, &routine, copy, sizeof copy))
        return false;
    coop_print(text, "task %td %s", t->tid, copy);
    return true;
}

/* Where it last went on, or, before its first stop and in coop_finally, how it came there.
   Fibers have no lines, nor has a routine that is just calling for the first time. */
static bool read_where(const coop_task *t, const char *born, coop_text *text)
{
    char name[80], file[1024];
    coop_frame top, caller;
    coop_routine routine, other;
    if (!read_frame(t->co.top, &top, &routine)
        || !read_name(t->co.top, &routine, name, sizeof name))
        return false;
    if (top.line > 0) {
        if (!copy_string(file, sizeof file, routine.file))
            return false;
        coop_print(text, "since %s:%d", coop_basename(file), (int)top.line);
    } else if (top.caller) {
        if (!read_frame(top.caller, &caller, &other)
            || !(caller.line ? copy_string(file, sizeof file, other.file)
                 : read_name(top.caller, &other, file, sizeof file)))
            return false;
        coop_print(text, "in %s, called ", name);
        if (caller.line)
            coop_print(text, "at %s:%d", coop_basename(file), (int)caller.line);
        else
            coop_print(text, "in %s", file);
    } else {
        if (!copy_string(file, sizeof file, born))
            return false;
        coop_print(text, "in %s, created at %s", name, coop_basename(file));
    }
    return true;
}

static bool read_told(struct coop_watchdog *w, struct told *told)
{
    coop_task t;
    struct coop_more more;
    coop_text who = { .data = told->who, .size = sizeof told->who };
    coop_text where = { .data = told->where, .size = sizeof told->where };
    struct seen now = see(w->sched, &t);
    return same(&now, &w->last)
        && read_more(&t, &more)
        && read_who(&t, (coop_frame *)((char *)now.task + offsetof(coop_task, room)), more.name,
                    &who)
        && read_where(&t, more.born, &where);
}

static void say(struct coop_watchdog *w, const char *what, const char *where)
{
    char line[512], span[24];
    coop_text text = { .data = line, .size = sizeof line };
    coop_text kept = { .data = span, .size = sizeof span };
    coop_print_span(&kept, w->kept);
    coop_print(&text, "coop: %s %s %s%s%s\n", w->told.who, what, span, *where ? " " : "",
               where);
    if (w->report)
        w->report(w->arg, line);
    else
        coop_say(2, line, strlen(line));
}

/* False: it cannot be read now. */
static bool tell(struct coop_watchdog *w)
{
    struct told now, again;
    if (!read_told(w, &now) || !read_told(w, &again) || strcmp(now.who, again.who)
        || strcmp(now.where, again.where))
        return false;
    w->told = now;
    say(w, "keeps the processor:", w->told.where);
    return true;
}

static void tell_end(struct coop_watchdog *w)
{
    if (w->told.who[0])
        say(w, "gave the processor up after", "");
    w->told.who[0] = '\0';
}

/* After a whole pause without any task to watch the watchdog sleeps, unless one comes now. */
static bool may_sleep(coop_sched *s)
{
    uint8_t idle = COOP_IDLE;
    return __atomic_compare_exchange_n(&s->idle, &idle, COOP_UNWATCHED, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static int64_t look(void *arg)
{
    struct coop_watchdog *w = arg;
    coop_task copy;
    struct seen now = see(w->sched, &copy);
    if (!same(&now, &w->last)) {
        tell_end(w);
        w->last = now;
        w->kept = 0;
        w->next = w->limit;
    } else if (!now.task) {
        if (may_sleep(w->sched))
            return -1;
    } else {
        w->kept += w->every;
        if (w->kept >= w->next && tell(w))
            w->next = w->kept * 2;
    }
    return w->every;
}

/* -EINVAL: it is no limit. */
static int limit_of(const char *word, int64_t *limit)
{
    char *end;
    if (!strcmp(word, "off")) {
        *limit = -1;
        return 0;
    }
    long ms = strtol(word, &end, 10);
    if (*end || ms <= 0 || ms > MOST_MS)
        return -EINVAL;
    *limit = COOP_MS(ms);
    return 0;
}

static int start(coop_sched *s, const coop_options *o, int64_t limit)
{
    coop_machine *m = s->machine;
    struct coop_watchdog *w = malloc(sizeof *w);
    if (!w)
        return -ENOMEM;
    *w = (struct coop_watchdog){ .sched = s, .report = o->slow_report, .arg = o->arg,
                                 .limit = limit, .every = (limit - 1) / LOOKS + 1 };
    if (w->every < SHORTEST)
        w->every = SHORTEST;
    int r = coop_peek(&w->last.step, &s->step, sizeof s->step) ? m->guard(m, look, w) : -ENOSYS;
    if (r < 0)
        free(w);
    else
        s->watchdog = w;
    return r;
}

int coop_watchdog_open(coop_sched *s, const coop_options *o, const char *word)
{
    int64_t limit = o->slow;
    bool asked = limit || word;
    if (!limit)
        limit = DEFAULT;
    if (!o->slow && word && limit_of(word, &limit) < 0) {
        coop_report(s, "'%s' is no limit in milliseconds; see COOP_SLOW in coop(7)", word);
        return -EINVAL;
    }
    int r = limit > 0 && s->machine->guard ? start(s, o, limit) : 0;
    if (r < 0 && asked) {
        char error[40];
        coop_text text = { .data = error, .size = sizeof error };
        coop_result_text(r, &text);
        coop_report(s, "there is no watchdog: %s", error);
    }
    return 0;
}

void coop_watchdog_close(coop_sched *s)
{
    struct coop_watchdog *w = s->watchdog;
    if (!w)
        return;
    s->machine->unguard(s->machine);
    tell_end(w);
    free(w);
    s->watchdog = NULL;
}
