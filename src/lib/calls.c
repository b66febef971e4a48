/* calls.c - each system call, each routine of the library as a plain function, for fibers. */
#include "coop.h"

#include <errno.h>

#define MAKE(RESULT, NAME, SHOWN, KIND, PARAMETERS, ...)                            \
    RESULT (NAME) PARAMETERS                                                        \
    {                                                                               \
        struct coop_##KIND call_ = { .base.type = &coop_##KIND##_type, __VA_ARGS__ }; \
        return (RESULT)coop_fiber_trap_(&call_.base, sizeof call_, SHOWN);          \
    }
#define CALL(RESULT, NAME, KIND, PARAMETERS, ...)                                   \
    MAKE(RESULT, NAME, #NAME, KIND, PARAMETERS, __VA_ARGS__)
#define ROUTINE(RESULT, NAME, PARAMETERS, ...)                                      \
    RESULT NAME PARAMETERS                                                          \
    {                                                                               \
        struct NAME *callee_ = coop_fiber_push_(                                    \
            sizeof *callee_, _Alignof(struct NAME), #NAME);                         \
        if (callee_)                                                                \
            *callee_ = (struct NAME){ __VA_ARGS__ };                                \
        return (RESULT)coop_fiber_call_(&NAME##_routine, (coop_frame *)callee_);    \
    }
#define BY_HAND(NAME, KIND)

#include "lib/calls.def"

static MAKE(coop_value, now, "coop_now", Now, (int64_t *at), .at = at)
static MAKE(coop_value, open_group, "coop_group_open", Group, (const char *name, int mode),
            .name = name, .mode = mode)
static MAKE(coop_value, wait_for_group, "coop_group_wait", GroupWait, (coop_group *group),
            .group = group)

/* Where a coop_value has 32 bits it does not hold a time. */
int64_t coop_now(void)
{
    int64_t at;
    coop_value r = now(&at);
    return r < 0 ? r : at;
}

coop_group *coop_group_open(const char *name, int mode)
{
    coop_value r = open_group(name, mode);
    return r == -EPERM || r == -ENOMEM ? NULL : (coop_group *)r;
}

static bool is_interrupted(coop_value value)
{
    return value == -ECANCELED || value == -ETIMEDOUT;
}

/* What members use may stand on the caller's stack, and the caller goes on after this. */
coop_value coop_group_wait(coop_group *group)
{
    coop_value value = wait_for_group(group), last = value;
    while (is_interrupted(last) && group->open_) {
        coop_group_cancel(group, "its group ends");
        last = wait_for_group(group);
    }
    return last < 0 && !is_interrupted(last) ? last : value;
}

/* What it is to run was made before there was room for the call. */
coop_value coop_call_few_(const struct coop_gather *made, const char *what)
{
    struct coop_gather *callee =
        coop_fiber_push_(sizeof *callee, _Alignof(struct coop_gather), what);
    if (callee)
        *callee = *made;
    for (size_t i = 0; !callee && i < made->count; i++) {
        coop_co_close(made->few_[i]);
        coop_co_free(made->few_[i]);
    }
    return coop_fiber_call_(&coop_gather_routine, (coop_frame *)callee);
}
