/* kernel.h - the kernel's structures and the functions that its parts, the system calls
   and the system tasks call. Everything here belongs to one scheduler, and so to one
   thread. */
#ifndef COOP_KERNEL_H
#define COOP_KERNEL_H

#include "config.h"

#include "coop.h"
#include "machine/machine.h"

/* From handle, besides COOP_WAIT. */
#define COOP_GO_ON (INTPTR_MIN + 1)     /* the task ends, let it unwind now */
#define COOP_STAY (INTPTR_MIN + 2)      /* call->result is the answer, and the object stays */

/* From ready, of a part of another call: its undo gave false, and now it is undone. */
#define COOP_UNDONE (INTPTR_MIN + 3)

/* For thread-local variables: reached without a call, also within a shared library. */
#ifdef __ELF__
#define COOP_TLS __attribute__((tls_model("initial-exec")))
#else
#define COOP_TLS
#endif

/* co.life: what may be done with a coroutine by hand. */
enum { CO_FRESH, CO_SUSPENDED, CO_RUNNING, CO_DONE, CO_TASK, CO_PROMISED };

/* idle of a scheduler: whether a task can have the processor, for the watchdog, which reads
   it from another thread; COOP_UNWATCHED: none can, and the watchdog sleeps until one can. */
enum { COOP_BUSY, COOP_IDLE, COOP_UNWATCHED };

/* co.state of one by hand: it has begun a fiber, whose stack is its thread's. */
enum { CO_PINNED = 1 };

/* co.fate: each frame that is resumed goes to its coop_finally part; a task that was killed
   before it began comes to that at its first trap; calls that would wait fail, since a
   scope has been interrupted, or the whole task. */
enum {
    CO_UNWINDS = COOP_UNWINDS_, CO_UNWINDS_AT_TRAP = 2, CO_ENDS = 3, CO_INTERRUPTED = 4,
    CO_CANCELLED = 8
};

/* frame.flags: in its coop_finally part; has scopes; has a stack of its own; a fiber that, as
   the task ends, is not to return into its function. */
enum { FRAME_CLEANS = COOP_CLEANS_, FRAME_SCOPED = 2, FRAME_FIBER = 4, FRAME_FORCED = 8 };

/* co.flags of a task */
enum {
    TASK_SYSTEM = 1,               /* does not count as work left */
    TASK_KEEP = 2,                 /* its parent keeps its status */
    TASK_SEEN = 4,                 /* somebody was told its status */
    TASK_EXITED = 8,               /* unwinding because of Exit, not of a kill */
    TASK_MORE = 16,                /* born is a struct coop_more */
    TASK_FAILED = 32,              /* ended: with an error */
    TASK_KILLED = 64,              /* ended: by a kill */
    TASK_WAITS_ANY = 128           /* its call is to be offered when a child is kept */
};

/* What few tasks have. */
struct coop_more {
    const char *born;
    char *name;                    /* NULL: the routine's */
    coop_scope *scope;             /* the innermost */
    coop_tie *ties;                /* who is to know of its end; the newest first */
    struct coop_locals *locals;
    coop_tid by;                   /* cancelled or killed: who did it, and why */
    const char *why;
    bool cancelled;                /* also when it was ended after that */
    bool lends;                    /* is among the scheduler's lenders */
    int rank, raised;              /* as coop_rank gave it; as the policy is to see it */
    int lent;                      /* the highest of those who wait for it; 0: none */
    coop_task *next_lender;
    int64_t note;                  /* the policy's */
};

/* A task is a coroutine with an identity, so each coroutine is made with room for one:
   it becomes a task where it stands, since frames never move. co.state is its
   coop_state. A fresh coroutine by hand is in its thread's list of those: next, before. */
struct coop_task {
    coop_coroutine co;
    union {
        coop_task *next;           /* in the ready queue, or among its parent's kept */
        int64_t since;             /* waiting: when it began to */
    };
    uint64_t slices;               /* here: all that a slice touches stands together */
    union {
        coop_call *waiters;        /* those who wait for its end */
        coop_task *before;         /* ended: among its parent's kept */
    };
    coop_task *kept;               /* ended children whose status it keeps: the newest */
    coop_tid tid, parent;
    const char *born;              /* "file:line" of its creation */
    coop_task *chain;              /* in the task table */
    union {
        size_t children;           /* living ones that it has by NewTask */
        coop_value final;          /* ending: Exit's value or the killer's tid; ended: its value */
        const void *owner;         /* by hand: in whose list it was fresh */
    };
    _Alignas(max_align_t) char room[];     /* the first segment of its call stack */
};

struct coop_sched {
    coop_task *current;
    coop_policy *policy;
    coop_observer *observers;
    uint64_t step;                 /* traps of tasks that are not system tasks */
    unsigned until_look;           /* slices until the outside is looked at */
    unsigned quantum, traps;       /* a slice's traps that need no waiting; those left of it */
    size_t living;                 /* tasks that are work left */
    size_t outside;                /* waiting calls that the outside answers */
    size_t jobs;                   /* of those, the ones that helper threads work on */
    unsigned woken;                /* tasks made ready since the last trap */

    coop_task **slots;             /* the task table: chains by tid */
    size_t limit, count;           /* slots, 0 or a power of two; tasks in it */
    unsigned bits;                 /* of a slot's number */
    coop_tid last_tid;

    struct { coop_task *first; int count; } spare[2];  /* memory of ended tasks, for new ones */

    coop_task *lenders;            /* rank.c: who wait with a rank, and who are lent one */
    bool stale;                    /* what they lend is to be settled before the next slice, */
    unsigned look_later;           /* and this is what until_look was */

    struct coop_due *due;          /* timers: a heap, the first due on top */
    size_t due_count, due_size;
    uint32_t due_seq;

    coop_machine *machine;
    int64_t now;                   /* at the last poll */
    coop_task *poller;             /* the task that looks outside, never in the queue */
    int (*start_poller)(coop_sched *);
    struct coop_trails *trails;
    struct coop_io *io;            /* the system tasks' own */
    void *signals;
    struct coop_watchdog *watchdog;
    coop_door *doors;              /* that are open */

    coop_later *later, **later_end;        /* to be done before the next slice */
    coop_task *express;            /* go before the queue: the stepper's choice */
    coop_tid let_first;            /* set during COOP_TRAP: defer it, run this first */
    int stop;                      /* why coop_run is to return */
    size_t stack_size;             /* of fibers that do not say, 0: the usual */
    bool measure;                  /* how much of their stacks they use, each for itself */
    coop_tid main_tid;             /* coop_main's, 0: none */
    coop_value *main_value;
    bool looping, closing, automatic;
    uint8_t idle;
    void (*report)(void *arg, const char *text);
    void *arg;
};

#pragma GCC visibility push(hidden)

extern _Thread_local coop_sched *coop_this COOP_TLS;    /* the calling thread's */

/* stack.c, coroutine.c: call stacks and the trampoline */
void coop_unmake(coop_task *);
void coop_free_spare(coop_sched *);
int coop_claim(coop_coroutine *);  /* a fresh coroutine is to become a task */
int coop_promise(coop_coroutine *, const void *owner);      /* the same, later; in any thread */
void coop_keep_promise(coop_coroutine *);           /* now; lets pass what was not promised */
const void *coop_fresh_here(void);                  /* the owner of this thread's */
void coop_report_fresh(void);      /* those that never began; each once */
void coop_drop_segment(coop_coroutine *);

/* fiber/run.c: frames that have a stack of their own. It is had before a task is made, so that
   there is somebody to tell that there is none. */
int coop_fiber_begin(coop_coroutine *);    /* its first frame */
const void *coop_fiber_memory(const coop_frame *, size_t *size);
void coop_fiber_end(coop_frame *);
void coop_fibers_release(void);
int64_t coop_fibers_trim(int64_t now);     /* ns until it is of use again; -1: none is idle */
void coop_stacks_of(const coop_coroutine *, size_t *size, size_t *peak);    /* peak or NULL */

/* fiber/trace.c: addresses in the program's functions on its stack, the innermost first. At
   most so many; 0 for other frames. */
enum { COOP_MOST_FUNCTIONS = 128 };
size_t coop_fiber_functions(const coop_frame *, const void **codes);

/* task.c: the life of a task */
coop_tid coop_admit(coop_sched *, coop_task *, coop_tid parent, unsigned flags);
void coop_finish(coop_sched *, coop_task *);
void coop_doom(coop_sched *, coop_task *, coop_value final, unsigned flag);
void coop_status_of(coop_task *, coop_status *);
void coop_let_go(coop_sched *, coop_task *);        /* an ended task whose status is told */
int coop_rename(coop_task *, const char *name);
struct coop_more *coop_need_more(coop_task *);     /* NULL: no memory */
void coop_lose_more(coop_task *);
void coop_tie_to(struct coop_more *, coop_tie *);
void coop_untie(coop_tie *);
bool coop_tell_ties(coop_sched *, coop_task *);    /* true: there were some */
const char *coop_name_of(const coop_task *);
const char *coop_born_of(const coop_task *);

/* local.c: a new task gets what its parent hands down */
int coop_inherit(coop_task *, const coop_task *parent);

/* table.c */
int coop_table_add(coop_sched *, coop_task *);
void coop_table_remove(coop_sched *, coop_task *);
coop_task *coop_each(coop_sched *, coop_task *);

/* sched.c */
int coop_loop(coop_sched *);
void coop_end_all(coop_sched *);   /* kill every task and run until none is left */
bool coop_undo(coop_sched *, coop_task *);         /* false: it goes on waiting */
void coop_let_first(coop_sched *, coop_tid);        /* an observer's, during COOP_TRAP */
void coop_stop(coop_sched *, int why);
int coop_need_poller(coop_sched *);

/* later.c: what is to be done before the next slice, since it cannot be now: an undo answers no
   other call, which may be about to be undone too. Once, however often it is set. */
void coop_later_set(coop_sched *, coop_later *, void (*run)(coop_sched *, coop_later *));
void coop_later_clear(coop_sched *, coop_later *);
bool coop_later_run(coop_sched *);                  /* true: there was something */

/* rank.c: how much a task matters to a policy that looks at ranks */
void coop_rank_waits(coop_sched *, coop_task *);    /* now, and its call may have a holder */
void coop_rank_end(coop_sched *, coop_task *);      /* it is about to be gone */
void coop_ranks_stale(coop_sched *);
void coop_settle_ranks(coop_sched *);

/* observer/ps.c: the table, from a signal handler */
void coop_ps_crash(coop_text *);

/* inspect.c */
coop_value coop_backtrace_from(coop_tid, size_t skip, coop_place *, size_t max);

/* scope.c: what holds for a part of a task's call stack */
int coop_scope_open(coop_sched *, coop_call *, coop_scope *);       /* from handle */
coop_scope *coop_scope_here(const coop_task *, const coop_call_type *);
bool coop_left(coop_coroutine *, coop_frame *);     /* false: it waits for its scopes */
void coop_scopes_end(coop_sched *, coop_task *);
void coop_scopes_drop(coop_sched *, coop_task *);   /* which goes as it stands */
void coop_scope_break(coop_sched *, coop_task *, coop_scope *, int why);
void coop_cancel_by(coop_sched *, coop_task *, coop_tid by, const char *why);
void coop_blame(coop_task *, coop_tid by, const char *why);
int coop_interrupted(const coop_task *, const coop_scope **by);    /* 0, or how its calls fail */
void coop_interrupt(coop_sched *, coop_task *);     /* if so, the call that it waits in */

/* part.c: calls that are made of others, but not of such */
bool coop_part_fits(const coop_call *part);
coop_value coop_part_begin(coop_sched *, coop_call *whole, coop_call *part);
bool coop_part_undo(coop_sched *, coop_call *part);
void coop_part_drop(coop_call *part);
coop_value coop_undone(const coop_call *);         /* the answer of one undone late */

/* timer.c */
bool coop_next_timer(coop_sched *, int64_t *when);
void coop_expire(coop_sched *, int64_t now);

/* trail.c: the ways on which errors came */
void coop_trail(coop_sched *, const coop_coroutine *, const coop_frame *);
void coop_trail_all(coop_sched *, const coop_coroutine *, coop_value);
void coop_trail_end(coop_sched *, const coop_coroutine *);
void coop_trail_text(coop_sched *, const coop_coroutine *, coop_value, coop_text *);

/* text.c: this thread is in a signal handler: texts take no memory */
extern _Thread_local bool coop_crashing COOP_TLS;

/* report.c, event.c */
void coop_report(coop_sched *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void coop_report_text(coop_sched *, const char *text);      /* whole lines */
int coop_deadlock(coop_sched *);
coop_tid coop_waits_for(const coop_task *);         /* whom its call says; 0: nobody */
void coop_tell(coop_sched *, coop_task *, coop_event_kind, const coop_call *,
               coop_value);
const char *coop_basename(const char *path);
void coop_print_string(coop_text *, const char *);  /* quoted, as coop_print_bytes does */
void coop_print_why(const char *why, coop_text *);  /* of KillTask and its like; NULL: nothing */
void coop_print_object(const void *, const char *name, coop_text *);    /* NULL: no name */
void coop_print_next(coop_text *);                  /* ", " unless the argument is the first */
void coop_print_call(const coop_call *, const coop_value *result, coop_text *); /* no result */

#pragma GCC visibility pop

/* Where a call stack goes on when a segment is full. */
struct coop_segment {
    struct coop_segment *below;
    char *sp, *limit;              /* of the one below */
    void *first;                   /* the block that opened it */
    size_t size;
};

static inline void coop_pop(coop_coroutine *co, void *block)
{
    if (co->segment && co->segment->first == block)
        coop_drop_segment(co);
    else
        co->sp = block;
}

/* A pointer may look negative where it has 32 bits, but is no errno. */
static inline bool coop_is_error(coop_value value)
{
    return sizeof value < 8 ? (uintptr_t)value >= (uintptr_t)-4095 : value < 0;
}

/* The task whose first frame it is. */
static inline coop_task *coop_task_of(coop_frame *first)
{
    return (coop_task *)((char *)first - offsetof(coop_task, room));
}

/* The trampoline: run the top frame, and whatever it calls or returns to, until one of them
   traps or yields or the last has returned. A frame whose scopes are not over yet traps in
   the place of its return, and is resumed to return again. *alone, unless NULL, becomes false
   where a frame is resumed. */
static inline coop_step coop_advance_from(coop_coroutine *co, coop_step step, bool *alone)
{
    for (;;) {
        coop_frame *frame = co->top;
        if (step < COOP_RETURNED)
            return step;
        if (step == COOP_RETURNED) {
            if (COOP_RARE(frame->flags) && !coop_left(co, frame))
                return COOP_TRAPPED;
            co->value = frame->result;
            if (COOP_RARE(coop_is_error(frame->result)))
                coop_trail(coop_this, co, frame);
            co->top = frame->caller;
            coop_pop(co, frame);
            if (!co->top)
                return COOP_RETURNED;
            frame = co->top;
        }
        if (alone)
            *alone = false;
        step = frame->routine->resume(co, frame);
    }
}

static inline coop_step coop_advance(coop_coroutine *co)
{
    return coop_advance_from(co, co->top->routine->resume(co, co->top), NULL);
}

static inline struct coop_more *coop_more_of(const coop_task *t)
{
    return t->co.flags & TASK_MORE ? (struct coop_more *)t->born : NULL;
}

static inline const char *coop_frame_name(const coop_frame *frame)
{
    size_t at = frame->routine->name_at;
    const char *name = at ? *(const char *const *)((const char *)frame + at) : NULL;
    return name ? name : frame->routine->name;
}

/* Inline parts of table.c, which says why. */
static inline coop_task **coop_slot_of(const coop_sched *s, coop_tid tid)
{
    size_t n = (size_t)tid;
    return &s->slots[(n + (n >> s->bits)) & (s->limit - 1)];
}

static inline coop_task *coop_find(const coop_sched *s, coop_tid tid)
{
    coop_task *t = s->slots ? *coop_slot_of(s, tid) : NULL;
    while (t && t->tid != tid)
        t = t->chain;
    return t;
}

static inline bool coop_is_ending(const coop_task *t)
{
    return t->co.fate & CO_ENDS;
}

/* Its task ends: if it is a fiber, it goes from its next call to its defers. */
static inline void coop_force(coop_frame *frame)
{
    if (frame->routine == &coop_fiber_routine)
        frame->flags |= FRAME_FORCED;
}

static inline void coop_make_ready(coop_sched *s, coop_task *t)
{
    t->co.state = COOP_READY;
    s->policy->put(s->policy, t);
}

/* t runs after the one that was just taken. With very many tasks what they need is in no cache,
   and to wait for that takes longer than all the rest: a fiber's stack is asked for now. With
   1000 connections that is 2 % of an echo server's time. */
static inline void coop_fetch(const coop_task *t)
{
    const coop_frame *top = t->co.top;
    if (top->routine == &coop_fiber_routine)
        __builtin_prefetch(((const struct coop_fiber *)top)->own_);
}

/* Lists of tasks out of which any can be taken: circular, and known by the newest, whose
   next is the oldest. */
static inline void coop_link_in(coop_task **list, coop_task *t)
{
    coop_task *newest = *list;
    *list = t;
    if (!newest) {
        t->next = t->before = t;
        return;
    }
    t->next = newest->next;
    t->before = newest;
    t->next->before = t;
    newest->next = t;
}

static inline void coop_link_out(coop_task **list, coop_task *t)
{
    if (t->next == t) {
        *list = NULL;
        return;
    }
    t->before->next = t->next;
    t->next->before = t->before;
    if (*list == t)
        *list = t->before;
}

/* coop_offer, where it counts. */
static inline bool coop_offer_now(coop_sched *s, coop_call *call)
{
    coop_value value = call->type->ready(s, call);
    if (value == COOP_WAIT)
        return false;
    coop_wake(s, call, value);
    return true;
}

/* From handle: the slice ends with this call, whatever is left of the quantum. */
static inline void coop_end_slice(coop_sched *s)
{
    s->traps = 1;
}

/* No task can run until coop_busy. */
static inline void coop_idle(coop_sched *s)
{
    if (__atomic_load_n(&s->idle, __ATOMIC_RELAXED) == COOP_BUSY)
        __atomic_store_n(&s->idle, COOP_IDLE, __ATOMIC_RELEASE);
}

static inline void coop_busy(coop_sched *s)
{
    if (COOP_RARE(__atomic_exchange_n(&s->idle, COOP_BUSY, __ATOMIC_ACQ_REL)
                  == COOP_UNWATCHED))
        s->machine->nudge(s->machine);
}

static inline void coop_note(coop_sched *s, coop_task *t, coop_event_kind kind,
                             const coop_call *call, coop_value value)
{
    if (COOP_RARE(s->observers))
        coop_tell(s, t, kind, call, value);
}

#endif
