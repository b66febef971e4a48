/* dial.c - connecting to a name: the addresses are tried in turn, and the first that
   answers is taken. */
#include "lib/names.h"
#include "lib/pause.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = sizeof ((struct coop_names_ *)0)->found / sizeof (coop_address) };

#define HEAD_START COOP_MS(250)    /* of an attempt, before the next one */
#define NO_ROOM COOP_MS(10)        /* until a full queue is tried again */

/* One address; it is connected when *won is set. */
coop_routine(dial_attempt, const char *address; const struct coop_names_ *names; int i;
             int *won, fd; bool given; char text[COOP_ADDRESS_SIZE];)
{
    coop_begin;
    my->fd = -1;
    if (my->names)
        coop_names_text(my->names, my->i, my->text);
    do {
        coop_trap(my->fd, Connect, .address = my->names ? my->text : my->address);
        if (my->fd != -EAGAIN || strncmp(my->address, "unix:", 5))
            break;
        coop_trap(coop_void, Sleep, .ns = NO_ROOM);
    } while (true);
    my->given = my->fd >= 0 && *my->won < 0;
    if (my->given)
        *my->won = my->fd;
    coop_return(my->fd < 0 ? my->fd : 0);
    coop_finally;
    if (my->fd >= 0 && !my->given)
        coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

/* The resolver cannot be interrupted. Whoever does not want to wait for it leaves it alone,
   so it has what it writes to until it hands that over. */
coop_routine(dial_resolve, struct coop_names_ *names, **found; coop_value r;)
{
    coop_begin;
    coop_await(my->r, coop_names_find, .names = my->names);
    if (my->r > 0) {
        *my->found = my->names;
        my->names = NULL;
    }
    coop_return(my->r);
    coop_finally;
    free(my->names);
    coop_end;
}

/* The families in turns, as they come otherwise. */
static void take_turns(struct coop_names_ *names)
{
    for (int i = 1; i < names->count; i++) {
        bool before = names->found[i - 1].text[0] == '[';
        int next = i;
        while (next < names->count && (names->found[next].text[0] == '[') == before)
            next++;
        if (next == names->count)
            return;
        coop_address other = names->found[next];
        memmove(&names->found[i + 1], &names->found[i], (size_t)(next - i) * sizeof other);
        names->found[i] = other;
    }
}

/* That a family cannot be had here at all says less than any answer. */
static coop_value better_error(coop_value had, coop_value now)
{
    bool says_little = had == -ENETUNREACH || had == -EHOSTUNREACH || had == -EAFNOSUPPORT
        || had == -EADDRNOTAVAIL;
    return !had || says_little ? now : had;
}

/* Everything that may happen is the end of a child of this task. */
coop_routine(dial_race, const char *address; int64_t timeout; int *won;
             struct coop_names_ *names, *found;
             coop_tid clock, resolver, delay, attempts[MOST]; int count, begun, ended;
             bool go; coop_status status; coop_value r, error;)
{
    coop_begin;
    if (my->timeout > 0)
        coop_trap(my->clock, NewTask, .target = coop_create(pause, .ns = my->timeout));
    if (my->clock < 0)
        coop_return(my->clock);
    if (my->names) {
        coop_trap(my->resolver, NewTask,
                  .target = coop_create(dial_resolve, .names = my->names,
                                        .found = &my->found));
        if (my->resolver < 0)
            coop_return(my->resolver);
        my->names = NULL;
    } else {
        my->count = 1;
        my->go = true;
    }
    do {
        if (my->go && my->begun < my->count) {
            coop_trap(my->attempts[my->begun], NewTask,
                      .target = coop_create(dial_attempt, .address = my->address,
                                            .names = my->found, .i = my->begun,
                                            .won = my->won));
            if (my->attempts[my->begun] < 0)
                coop_return(my->attempts[my->begun]);
            my->go = false;
            my->begun++;
            if (my->begun < my->count)
                coop_trap(my->delay, NewTask,
                          .target = coop_create(pause, .ns = HEAD_START));
        }
        coop_trap(my->r, WaitTask, .tid = COOP_CHILD, .status = &my->status);
        if (*my->won >= 0)
            break;
        if (my->status.tid == 0)
            coop_return(my->r);
        if (my->status.tid == my->clock)
            coop_return(-ETIMEDOUT);
        if (my->status.tid == my->resolver) {
            my->resolver = 0;
            if (!my->found)
                coop_return(my->r);
            take_turns(my->found);
            my->count = my->found->count;
        } else if (my->status.tid == my->delay) {
            my->delay = 0;
        } else {
            my->ended++;
            my->error = better_error(my->error, my->r);
            if (my->delay > 0)
                coop_trap(coop_void, KillTask, .tid = my->delay, .wait = true);
            my->delay = 0;
        }
        my->go = true;
    } while (my->ended < my->count);
    coop_return(*my->won >= 0 ? 0 : my->error);
    coop_finally;
    if (my->resolver > 0)
        coop_trap(coop_void, KillTask, .tid = my->resolver);
    else
        free(my->names);
    if (my->clock > 0)
        coop_trap(coop_void, KillTask, .tid = my->clock, .wait = true);
    if (my->delay > 0)
        coop_trap(coop_void, KillTask, .tid = my->delay, .wait = true);
    for (my->begun = 0; my->begun < MOST; my->begun++)
        if (my->attempts[my->begun] > 0)
            coop_trap(coop_void, KillTask, .tid = my->attempts[my->begun], .wait = true);
    free(my->found);
    coop_end;
}

coop_define(coop_dial)
{
    coop_begin;
    my->fd_ = -1;
    my->r_ = coop_names_new(my->address, &my->names_);
    if (my->r_ < 0)
        coop_return(my->r_);
    if (!my->names_ && my->timeout <= 0) {
        coop_await(my->r_, dial_attempt, .address = my->address ? my->address : "",
                   .won = &my->fd_);
    } else {
        coop_trap(my->race_, NewTask,
                  .target = coop_create(dial_race, .names = my->names_, .won = &my->fd_,
                                        .address = my->address ? my->address : "",
                                        .timeout = my->timeout));
        if (my->race_ < 0)
            coop_return(my->race_);
        my->names_ = NULL;
        coop_trap(my->r_, WaitTask, .tid = my->race_);
    }
    my->given_ = my->fd_ >= 0;
    coop_return(my->given_ ? my->fd_ : my->r_);
    coop_finally;
    if (my->race_ <= 0)
        free(my->names_);
    /* The task knows where this frame is, and must be gone before it. */
    while (my->race_ > 0) {
        coop_trap(my->r_, KillTask, .tid = my->race_, .wait = true);
        if (my->r_ == -ENOMEM)
            coop_yield(coop_void, 0);
        else
            my->race_ = 0;
    }
    if (my->fd_ >= 0 && !my->given_)
        coop_trap(coop_void, Close, .fd = my->fd_);
    coop_end;
}
