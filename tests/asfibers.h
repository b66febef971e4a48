/* asfibers.h - the suites of routines on fibers. When as_fibers is set, each routine that a
   suite spawns, creates or awaits stands on a fiber that does nothing but call it. So call
   stacks are fibers and routines in turns, and all that is expected of routines is expected
   of such ones. world_main runs a suite in both ways. */
#ifndef ASFIBERS_H
#define ASFIBERS_H

#include "coop.h"

extern bool as_fibers;

/* As coop_make_, coop_create_ and coop_push_; what they give is the routine's frame, to be
   filled in. as_fiber_of is the fiber that calls it then. */
coop_frame *as_fiber_make(const coop_routine *, const char *here);
coop_coroutine *as_fiber_create(const coop_routine *, const char *here, coop_frame **);
coop_frame *as_fiber_push(coop_coroutine *, const coop_routine *, size_t align);
coop_frame *as_fiber_of(coop_frame *);

#undef COOP_NEW_
#define COOP_NEW_(WHAT, NAME, ...)                                                  \
    __extension__({                                                                 \
        coop_frame *new_##NAME = as_fiber_make(&NAME##_routine, COOP_HERE_);        \
        if (new_##NAME)                                                             \
            COOP_FILL_(NAME, new_##NAME, __VA_ARGS__);                              \
        WHAT(as_fiber_of(new_##NAME));                                              \
    })

#undef COOP_CREATE_
#define COOP_CREATE_(NAME, ...)                                                     \
    __extension__({                                                                 \
        coop_frame *first_##NAME;                                                   \
        coop_coroutine *new_##NAME =                                                \
            as_fiber_create(&NAME##_routine, COOP_HERE_, &first_##NAME);            \
        if (new_##NAME)                                                             \
            COOP_FILL_(NAME, first_##NAME, __VA_ARGS__);                            \
        new_##NAME;                                                                 \
    })

#undef COOP_AWAIT_
#define COOP_AWAIT_(DEST, NAME, ...)                                                \
    do {                                                                            \
        struct NAME *callee_ = (struct NAME *)as_fiber_push(                        \
            self_, &NAME##_routine, _Alignof(struct NAME));                         \
        if (callee_) {                                                              \
            *callee_ = (struct NAME){ __VA_ARGS__ };                                \
            coop_frame *fiber_ = as_fiber_of(&callee_->coop_);                      \
            coop_enter_(self_, as_fibers ? &coop_fiber_routine : &NAME##_routine, fiber_); \
            COOP_STOP_(COOP_CALLED);                                                \
        }                                                                           \
        COOP_RESUME_(DEST);                                                         \
    } while (0)

#endif
