/* channels.h - part of coop.h: channels between tasks, and doors from threads and signal handlers. */
#ifndef COOP_CHANNELS_H_
#define COOP_CHANNELS_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Channels and doors ---------------------------------------------------------- */

/** coop_chan_open - a channel, through which tasks send items to one another
 *
 * An item has size bytes and is copied; with size 0 it is a coop_value, such as a pointer.
 * Up to capacity items wait in the channel for a receiver; with 0 none does, and sender and
 * receiver meet. name is for people and not copied; it may be NULL. Any number of tasks of
 * one scheduler send and receive, without one or outside of tasks it can be made too.
 *
 * coop_chan_queued tells how many items wait in it. coop_chan_free releases a channel, and
 * what waits in it; NULL is let pass.
 *
 * Returns: coop_chan_open: the channel; NULL when memory is exhausted, and every call that
 * gets it then gives -ENOMEM, so it need not be checked in between. coop_chan_free: 0.
 * Errors:
 * -EBUSY   coop_chan_free: a task waits on it, or a door leads to it; nothing was released
 * -ENOMEM  coop_chan_queued: NULL
 */
typedef struct coop_chan coop_chan;
coop_chan *coop_chan_open(size_t size, size_t capacity, const char *name);
int coop_chan_free(coop_chan *chan);
coop_value coop_chan_queued(const coop_chan *chan);

/** coop_ChanSend - send an item into a channel
 *
 * Use: coop_trap(r, ChanSend, .chan = chan, .value = 42);
 * Use: coop_trap(r, ChanSend, .chan = chan, .item = &my->item);
 *
 * value is for a channel of size 0, and item for the others. Waits until there is a receiver
 * or room for it. Those that wait get their turns in the order in which they came. When the
 * call is undone, by a kill, a cancel, a time limit or WaitAny, nothing was sent.
 *
 * poll  true: it does not wait
 * all   true: each receiver that waits now gets the item; it is not kept for others, and
 *       does not wait
 *
 * Returns: 0; with all how many have got it.
 * Errors:
 * -EPIPE   the channel was closed, before or while it waited; nothing was sent
 * -EAGAIN  poll: it would have to wait
 * -EINVAL  value is negative, as an error is
 * -EFAULT  item is NULL
 * -ENOMEM  chan is NULL
 *
 * See: C. A. R. Hoare, "Communicating Sequential Processes" (1978).
 */
struct coop_ChanSend {
    coop_call base;
    coop_chan *chan;
    union { coop_value value; const void *item; };
    bool poll, all;
};

/** coop_ChanRecv - receive an item from a channel
 *
 * Use: coop_trap(v, ChanRecv, .chan = chan);
 * Use: coop_trap(r, ChanRecv, .chan = chan, .item = &my->item);
 *
 * Waits until there is one. Those that wait get their turns in the order in which they
 * came. Each item goes to one receiver: when the call is undone it has taken none, and one
 * that is answered before its task is killed is in DEST when coop_finally begins. With poll
 * it does not wait. The parts of a WaitAny do not send to one another.
 *
 * Returns: the value; of a channel with a size 0, and the item is at item.
 * Errors:
 * -EPIPE   the channel was closed and is empty
 * -EAGAIN  poll: it would have to wait
 * -EFAULT  item is NULL
 * -ENOMEM  chan is NULL
 */
struct coop_ChanRecv { coop_call base; coop_chan *chan; void *item; bool poll; };

/** coop_ChanClose - close a channel
 *
 * Use: coop_trap(coop_void, ChanClose, .chan = chan);
 *
 * Nothing more can be sent, and those that wait to send get -EPIPE. What is in it can still
 * be received; then, and where it is empty at once, receivers get -EPIPE. To close it again
 * changes nothing. It is released with coop_chan_free.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM  chan is NULL
 */
struct coop_ChanClose { coop_call base; coop_chan *chan; };

/** coop_ChanDone - tell that an item of a channel is finished
 *
 * Use: coop_trap(r, ChanDone, .chan = chan);
 *
 * For a channel that is a queue of work, by who has received an item and done what was to be
 * done, perhaps in a coop_finally part: so that ChanJoin knows.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  all that was received is finished already
 * -ENOMEM  chan is NULL
 */
struct coop_ChanDone { coop_call base; coop_chan *chan; };

/** coop_ChanJoin - wait until all that was sent into a channel is finished
 *
 * Use: coop_trap(r, ChanJoin, .chan = chan);
 *
 * Until ChanDone was called as often as items were sent. What tasks still wait to send does
 * not count.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM  chan is NULL
 *
 * See: Queue.join of Python and curio.
 */
struct coop_ChanJoin { coop_call base; coop_chan *chan; };

/** coop_door_open - a way into a scheduler for other threads and signal handlers
 *
 * A door belongs to the scheduler of the thread that opens it, which gets a default one if it
 * has none, as with coop_spawn. Others come to it with coop_knock, coop_post, coop_submit
 * and coop_co_submit. As long as it is open something from outside can wake tasks: an idle
 * scheduler waits without using the processor, and no deadlock is found. When no task is
 * left the run ends all the same.
 *
 * With a capacity chan is the channel that coop_post leads to, and so many items can be on
 * their way. With 0 nothing can be posted. name is for people and not copied; it may be NULL.
 *
 * A door is memory as long as anybody holds it. Who opened it does, up to coop_door_close,
 * which shuts it: what others bring from then on is refused with -EPIPE. What was submitted
 * before is started, and what was posted and has found no room is lost. The closing of the
 * scheduler shuts it too, and coop_door_close is called after it then. A thread that may use
 * the door later than that, or a handler that may still run, needs a hold of its own:
 * coop_door_keep takes one, coop_door_drop gives it back. NULL is let pass by all three.
 *
 * On a simulated machine time does not wait for other threads: it passes when no task can
 * run, and stands still when no timer is set.
 *
 * Returns: coop_door_open: the door; NULL when memory is exhausted or no descriptor is left
 * to wake the scheduler with, or capacity is not 0 and chan is NULL; functions that get it
 * then give -ENOMEM. coop_door_keep: door. coop_door_close: how many items that were posted
 * have not got into the channel.
 * Errors:
 * -EPERM  coop_door_close: another thread's, and its scheduler is open
 * Thread: coop_door_keep and coop_door_drop: any; coop_door_close, when the scheduler is
 * closed: any.
 */
typedef struct coop_door coop_door;
coop_door *coop_door_open(coop_chan *chan, size_t capacity, const char *name);
coop_value coop_door_close(coop_door *door);
coop_door *coop_door_keep(coop_door *door);
void coop_door_drop(coop_door *door);

/** coop_post - send an item into a channel from anywhere
 *
 * Copies what the channel of the door takes: an item of its size, or a coop_value. It never
 * waits. The items of a door get into the channel in the order in which they were posted, one
 * after the other: as soon as there is a receiver or room, in turns with tasks that wait to
 * send. Once an item comes to a channel that was closed, it is lost and so is all behind it,
 * and later ones are refused.
 *
 * Returns: 0: it is on its way.
 * Errors:
 * -EAGAIN  the door's capacity is used up
 * -EPIPE   the door is shut, or its channel closed
 * -EINVAL  nothing can be posted at this door; or the value is negative
 * -EFAULT  item is NULL
 * -ENOMEM  door is NULL
 * Thread: any, and signal handlers.
 */
int coop_post(coop_door *door, const void *item);

/** coop_knock - wake those who wait at a door
 *
 * Answers all tasks that wait in DoorWait. When none waits, the next that does is answered
 * at once: for any number of knocks once.
 *
 * Returns: 0.
 * Errors:
 * -EPIPE   the door is shut
 * -ENOMEM  door is NULL
 * Thread: any, and signal handlers.
 */
int coop_knock(coop_door *door);

/** coop_DoorWait - wait until somebody knocks at a door
 *
 * Use: coop_trap(r, DoorWait, .door = door);
 *
 * Returns: 0.
 * Errors:
 * -EPIPE   the door was shut, before or while it waited
 * -EPERM   another scheduler's door
 * -ENOMEM  door is NULL
 */
struct coop_DoorWait { coop_call base; coop_door *door; };

/** coop_submit - start a task from anywhere
 *
 * Use: int r = coop_submit(door, ROUTINE, .member = value, ...);
 * Use: int r = coop_co_submit(co, door);
 *
 * As coop_spawn, in the scheduler of the door, on whose thread the task then runs. Those that
 * are submitted at one door start in that order. Its parent is 0. One that was submitted
 * before the last task of a run ended belongs to that run; one that finds no memory when it
 * is to start is reported.
 *
 * coop_co_submit is for signal handlers, in which nothing can be allocated: co was made with
 * coop_create before, by the thread of the scheduler, and nothing else be done with it. With
 * 0 it is the scheduler's; with an error it stays the caller's.
 *
 * Returns: 0: it is on its way.
 * Errors:
 * -EPIPE   the door is shut
 * -ENOMEM  memory is exhausted, or door or co is NULL
 * -EBUSY   co is running, belongs to a task, or was submitted before
 * -EINVAL  co has been resumed by hand before
 * -EPERM   another thread created co
 * Thread: any; coop_co_submit also in signal handlers.
 */
#define coop_submit(DOOR, ...) COOP_SUBMIT_(DOOR, __VA_ARGS__, .coop_.caller = NULL)
#define COOP_SUBMIT_(DOOR, NAME, ...)                                               \
    __extension__({                                                                 \
        coop_frame *new_##NAME = coop_make_(&NAME##_routine, COOP_HERE_);           \
        if (new_##NAME)                                                             \
            COOP_FILL_(NAME, new_##NAME, __VA_ARGS__);                              \
        coop_submit_(DOOR, new_##NAME);                                             \
    })
int coop_co_submit(coop_coroutine *co, coop_door *door);

#endif
