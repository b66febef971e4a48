/* calls.h - part of coop.h: writing a system call. */
#ifndef COOP_CALLS_H_
#define COOP_CALLS_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Writing a system call ------------------------------------------------------- */

/** coop_call_type - a kind of system call
 *
 * struct coop_Foo, with coop_call base as its first member, and const coop_call_type
 * coop_Foo_type make Foo callable with coop_trap. Where a time limit is needed,
 * coop_timer timer comes right behind base.
 *
 * name      as it is shown
 * outside   true: what wakes it is outside the scheduler; no deadlock while one waits.
 *           A call with a timer that is set only sometimes has two types.
 * handle    does it: gives the result, or COOP_WAIT after putting the call where its
 *           answer will come from (see coop_wake). Runs on the scheduler; must not block,
 *           and leaves rounding (fesetround) as it finds it, as must the others.
 * ready     what the call waits for may have come: gives the result, or COOP_WAIT to go
 *           on waiting. Timers, descriptors and task ends ask it. NULL: nobody does.
 * undo      takes a waiting call out of wherever handle put it: true, and nothing may
 *           point at it after; or false, if that cannot be now, since somebody is at work
 *           on it: then it is answered soon. It answers no other call: that may be undone
 *           next. NULL only if handle never gives COOP_WAIT.
 * at_once   true: this one will not wait, so a cancelled task may make it too. NULL: what
 *           has an undo may wait.
 * drop      the call will not be made, since its task ends before, or another one that it
 *           was to race with was answered: releases what it was given. NULL: nothing.
 * describe  appends the arguments, without parentheses; result is NULL as long as there is
 *           none. NULL: none are shown.
 * touches   says which object it concerns. NULL: none.
 * leave, part, nth   are of calls of the library that stay, or are made of others. NULL.
 */
struct coop_call_type {
    const char *name;
    bool outside;
    coop_value (*handle)(coop_sched *, coop_call *);
    coop_value (*ready)(coop_sched *, coop_call *);
    bool (*undo)(coop_sched *, coop_call *);
    bool (*at_once)(const coop_call *);
    void (*drop)(coop_call *);
    void (*describe)(const coop_call *, const coop_value *result, coop_text *);
    void (*touches)(const coop_call *, coop_touch *);
    bool (*leave)(coop_sched *, coop_call *);
    void (*part)(coop_sched *, coop_call *whole, coop_call *part, coop_value);
    const coop_call *(*nth)(const coop_call *whole, int n);
};

#define COOP_WAIT INTPTR_MIN            /* from handle and ready: not yet */

/** coop_touch - which object a call concerns
 *
 * object  its address or number
 * write   true: the call changes it
 * holder  the task that the caller must wait for, 0 if none: deadlock reports follow it, and
 *         the caller lends it its rank, when there is one as the wait begins
 * what, name   "lock", "db": for reports, which say "lock db held by 5 writer"; NULL: "task 5
 *         writer"
 * hidden  true: only who has the address in memory as it is can answer the call. So not for
 *         what is a part of something else, or can be found in another way.
 */
struct coop_touch {
    uintptr_t object;
    bool write;
    coop_tid holder;
    const char *what, *name;
    bool hidden;
};

/** coop_wake - answer a waiting call
 *
 * The call must have been taken out of where it waited. Its task goes to the tail of
 * the ready queue, and the call object is gone.
 *
 * coop_offer asks the call's ready first and answers with what that gives. False: it
 * waits on, and whoever took it out of its list puts it back.
 */
void coop_wake(coop_sched *sched, coop_call *call, coop_value value);
bool coop_offer(coop_sched *sched, coop_call *call);

/** coop_list_add - lists of waiting calls, in the order in which they came
 *
 * A list is a coop_call pointer, NULL when empty, linked through next. coop_list_take
 * gives the first, or NULL. coop_list_remove is for undo: false when the call is not in
 * it. Adding and taking cost the same for any length.
 */
void coop_list_add(coop_call **list, coop_call *call);
coop_call *coop_list_take(coop_call **list);
bool coop_list_remove(coop_call **list, coop_call *call);

/** coop_timer_set - ask for a call's ready to be called at a time
 *
 * The call's type must have the timer right behind base. when is in ns on the machine's
 * clock, which coop_clock reads. A timer fires once, and is off then; coop_timer_clear
 * takes it off before, and lets one that is off pass. It gives true, so that it can be
 * a type's undo.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM  memory is exhausted
 */
int coop_timer_set(coop_sched *sched, coop_call *call, int64_t when);
bool coop_timer_clear(coop_sched *sched, coop_call *call);
int64_t coop_clock(coop_sched *sched);

/** coop_closes_cycle - would waiting for holder close a cycle of waits
 *
 * True if holder is the call's own task, or waits, perhaps through others, for it. To
 * be answered with -EDEADLK.
 */
bool coop_closes_cycle(coop_sched *sched, const coop_call *call, coop_tid holder);

extern const coop_call_type
    coop_GetTid_type, coop_Yield_type, coop_NewTask_type, coop_KillTask_type,
    coop_WaitTask_type, coop_Exit_type, coop_Sleep_type, coop_ReadWait_type,
    coop_WriteWait_type, coop_Listen_type, coop_Accept_type, coop_Connect_type,
    coop_Recv_type, coop_Send_type, coop_RecvFrom_type, coop_SendTo_type,
    coop_SockName_type, coop_SendFile_type, coop_Shutdown_type, coop_Close_type,
    coop_Read_type, coop_Write_type, coop_Open_type, coop_Pread_type, coop_Pwrite_type,
    coop_Fsync_type, coop_Stat_type, coop_Unlink_type, coop_Work_type,
    coop_Resolve_type, coop_Now_type, coop_Random_type, coop_SignalWait_type,
    coop_Spawn_type, coop_ChildWait_type, coop_ChildKill_type, coop_Cancel_type,
    coop_Deadline_type, coop_Shield_type, coop_WaitAny_type, coop_Within_type,
    coop_Group_type, coop_GroupSpawn_type, coop_GroupWait_type, coop_GroupNext_type,
    coop_GroupCancel_type,
    coop_ChanSend_type, coop_ChanRecv_type, coop_ChanClose_type, coop_ChanDone_type,
    coop_ChanJoin_type, coop_DoorWait_type,
    coop_Lock_type, coop_Unlock_type, coop_CondWait_type, coop_CondSignal_type,
    coop_SemWait_type, coop_SemPost_type, coop_EventWait_type, coop_EventSet_type,
    coop_EventClear_type, coop_FutureWait_type, coop_FutureSet_type,
    coop_BarrierWait_type, coop_Once_type, coop_OnceDone_type;

#endif
