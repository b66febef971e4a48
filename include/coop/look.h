/* look.h - part of coop.h: looking at tasks, and observers, who see every event. */
#ifndef COOP_LOOK_H_
#define COOP_LOOK_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Looking at tasks ------------------------------------------------------------ */

/** coop_self - the running task
 *
 * Returns: its tid; 0 outside of all tasks.
 */
coop_tid coop_self(void);

/** coop_name - give a task a name
 *
 * name is copied, with ? for control characters; NULL or "" gives back the routine's
 * name.
 *
 * Returns: 0.
 * Errors:
 * -ESRCH   no such task
 * -ENOMEM  memory is exhausted; the old name stays
 */
int coop_name(coop_tid tid, const char *name);

/** coop_info - what is known of a task
 *
 * Pointers are good until the task runs again or ends.
 *
 * tid, parent  parent is 0 for tasks that the program itself started, and from the end of
 *              its parent on
 * name         of the task
 * state        COOP_READY, COOP_RUNNING, COOP_WAITING, COOP_ENDED (its status is kept)
 * system       true: a system task
 * ending       true: its frames are being ended
 * cancelled    true: calls of it that can wait fail
 * born         "file.c:12", where it was created
 * call         what it waits for, NULL if it does not; print it with coop_call_text
 * waited       ns since it began to wait, as of the last poll
 * slices       times it got the processor
 * bytes        memory of the task and its call stack
 * stack        bytes of the stacks of its fibers, of which those that were touched take memory;
 *              0: it has none
 * rank         what coop_rank gave it; 0 without
 * raised       what it runs at, for a policy that looks at ranks: its rank, or more while
 *              a task of higher rank waits for it; as of the last slice
 */
typedef enum coop_state { COOP_READY, COOP_RUNNING, COOP_WAITING, COOP_ENDED } coop_state;
typedef struct coop_info {
    coop_tid tid, parent;
    const char *name, *born;
    coop_state state;
    bool system, ending, cancelled;
    const coop_call *call;
    int64_t waited;
    uint64_t slices;
    size_t bytes, stack;
    int rank, raised;
} coop_info;

/** coop_inspect - look at one task
 *
 * Returns: 0 and *info filled.
 * Errors:
 * -ESRCH   no such task
 * -EINVAL  info is NULL
 */
int coop_inspect(coop_tid tid, coop_info *info);

/** coop_stack_used - how much of its fibers' stacks a task has used
 *
 * At the deepest, in bytes; it asks the host, and looks at each stack. A stack that others
 * had before may show what those used, unless coop_options.measure was set.
 *
 * Returns: how many bytes, 0 for a task without fibers. -ESRCH: no such task.
 */
coop_value coop_stack_used(coop_tid tid);

/** coop_tasks - list all tasks
 *
 * Stores up to max tids in ascending order, system tasks and kept statuses included.
 * coop_ready_tasks lists those in the ready queue in the order in which they will run, as
 * far as the policy knows it.
 *
 * Returns: how many there are, which may be more than max; tids may be NULL when max is
 * 0. -ENOMEM when memory is exhausted.
 */
coop_value coop_tasks(coop_tid *tids, size_t max);
coop_value coop_ready_tasks(coop_tid *tids, size_t max);

/** coop_backtrace - the call stack of a task
 *
 * Stores up to max frames, the innermost first. line is where the frame stopped; 0
 * where it has not begun or is about to run its coop_finally part. A fiber has a frame for
 * each function on its stack, 128 at most, which code is an address in; those of this
 * library are left out. code is NULL for routines, and where functions are not known.
 *
 * coop_place_text appends a place as coop_ps does: "file.c:12" or "function+0x1a".
 *
 * Returns: the depth, which may be more than max. -ESRCH: no such task.
 */
typedef struct coop_place {
    const char *routine, *file;
    int line;
    const void *code;
} coop_place;
coop_value coop_backtrace(coop_tid tid, coop_place *places, size_t max);
void coop_place_text(const coop_place *place, coop_text *text);

/** coop_text - a text being put together
 *
 * Begin with { .data = buffer, .size = sizeof buffer }. The text is always closed by a
 * NUL. When full, flush is called, if not NULL: it takes data[0] to data[used-1] away
 * and sets used to 0. Without flush the rest is cut off and cut is set.
 */
struct coop_text {
    char *data;
    size_t size, used;
    bool cut;
    void (*flush)(coop_text *);
    void *arg;
};

/** coop_print - append to a text, as printf does
 *
 * coop_print_bytes appends len bytes quoted, as strace shows buffers: at most 32 of
 * them, then "..."; memory that cannot be read shows as its address. coop_print_span
 * appends ns as a person reads it: 1.5s, 20ms.
 * Thread: any.
 */
void coop_print(coop_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void coop_print_bytes(coop_text *text, const void *bytes, size_t len);
void coop_print_span(coop_text *text, int64_t ns);

/** coop_ps - the table of tasks, for people
 *
 * One task a line: tid, parent, state, slices, for how long it has waited, its name,
 * the system call with its arguments, and place; each further frame of the call stack
 * on a line of its own. coop_ps_stacks shows how much of its fibers' stacks each has used
 * besides, see coop_stack_used. coop_bt shows one task.
 *
 * Returns: 0.
 * Errors:
 * -ESRCH   coop_bt: no such task
 * -ENOMEM  memory is exhausted
 */
int coop_ps(coop_text *text);
int coop_ps_stacks(coop_text *text);
int coop_bt(coop_tid tid, coop_text *text);

/** coop_deadlocks - which tasks wait for ever
 *
 * Also while others go on: a task is told that can be woken only by others that are told.
 * Waits for tasks and locks are followed from one to the next. A channel counts when no task
 * that may go on can reach it any more: that is found out by looking for its address in all
 * of the program's memory, so this takes a while, for searching for a bug. It can miss a
 * task; those that it tells wait for ever, unless the program has hidden addresses, as by
 * combining them with other numbers, or kills them.
 *
 * Appends the cycles, one a line, and then the tasks with their calls, at most 20. text may
 * be NULL.
 *
 * Returns: the number of tasks; 0: none is known.
 * Errors:
 * -ENOMEM  memory is exhausted
 */
coop_value coop_deadlocks(coop_text *text);

/** coop_call_text - a system call with its arguments, for people
 *
 * Appends as Recv(5, 4096); with a result, as traces show it: Recv(5, "hi", 4096) = 2.
 * result may be NULL. coop_result_text appends a result alone: 2, or -9 EBADF.
 */
void coop_call_text(const coop_call *call, const coop_value *result, coop_text *text);
void coop_result_text(coop_value result, coop_text *text);

/* ---- Observers ------------------------------------------------------------------- */

/** coop_event - one thing that happened
 *
 * COOP_SPAWN   a task was made; other is its parent, file its "file.c:12" of birth
 * COOP_RUN     it got the processor
 * COOP_TRAP    it trapped with call, which is about to be handled
 * COOP_RESULT  its call was answered with value, at once
 * COOP_BLOCK   its call waits
 * COOP_WAKE    its waiting call was answered with value; other is the task whose trap
 *              did it, 0 if it came from outside
 * COOP_UNDO    its waiting call was undone, since the task ends
 * COOP_PASS    it yielded value and goes to the tail of the ready queue
 * COOP_EXIT    it ended with status
 *
 * step is the number of the last trap, counted over all tasks but system tasks. woken
 * is the number of tasks whose wait ended since COOP_TRAP. file and line are the
 * innermost frame's; file has no folder, and is its function's name for a fiber. All
 * pointers are good during the event only.
 */
typedef enum coop_event_kind {
    COOP_SPAWN, COOP_RUN, COOP_TRAP, COOP_RESULT, COOP_BLOCK, COOP_WAKE, COOP_UNDO,
    COOP_PASS, COOP_EXIT
} coop_event_kind;
typedef struct coop_event {
    coop_event_kind kind;
    uint64_t step;
    coop_tid tid, other;
    const char *name, *file;
    int line;
    bool system;
    unsigned woken;
    const coop_call *call;
    coop_value value;
    coop_status status;
} coop_event;

/** coop_observer - one who sees every event
 *
 * Fill in event, and free if the observer wants to know that it is let go. It must not
 * trap, and changes nothing. It may look at tasks.
 */
struct coop_observer {
    void (*event)(coop_observer *, const coop_event *);
    void (*free)(coop_observer *);
    coop_observer *next;           /* the scheduler's */
};

/** coop_observe - add or remove an observer
 *
 * It sees every slice that begins from now on, after those added before it; of one that
 * is under way perhaps only parts. coop_unobserve lets it go without calling free;
 * coop_sched_close calls free. Neither while it is being told of an event.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  NULL, or without event, or no scheduler
 * -EBUSY   coop_observe: it is added already
 * -ENOENT  coop_unobserve: it is not
 */
int coop_observe(coop_observer *observer);
int coop_unobserve(coop_observer *observer);

/** coop_event_text - one event as COOP_TRACE prints it, without a newline
 *
 * COOP_RUN and COOP_TRAP give nothing: the line comes with the answer.
 */
void coop_event_text(const coop_event *event, coop_text *text);

#endif
