/* annotate.h - what AddressSanitizer, ThreadSanitizer and valgrind are told about contexts
   and their stacks. Without them all of it is nothing. */
#ifndef COOP_ANNOTATE_H
#define COOP_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

#if defined __SANITIZE_ADDRESS__
#define COOP_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define COOP_ASAN 1
#endif
#endif

#if defined __SANITIZE_THREAD__
#define COOP_TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define COOP_TSAN 1
#endif
#endif

#ifdef COOP_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef COOP_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef HAVE_VALGRIND
#include <valgrind/memcheck.h>
#define COOP_ON_VALGRIND RUNNING_ON_VALGRIND
/* The same, asked once: to tell it anything costs 5 ns also where it is not there. */
extern __attribute__((visibility("hidden"))) unsigned coop_valgrind_looks;
#define COOP_VALGRIND_LOOKS __builtin_expect(coop_valgrind_looks, 0)
#else
#define COOP_ON_VALGRIND 0
#endif

/* Always inline: gcc takes the way to a function that does not return for cold, and calls there
   what it inlines elsewhere. A call across a switch never returns: switch.h; and
   ThreadSanitizer counts calls and returns of each context. */
#define COOP_SWITCHES static inline __attribute__((always_inline))

/* valgrind takes a large move of the stack pointer for a switch when it leads into a stack
   that it knows. */
static inline unsigned coop_tell_stack(void *low, size_t size)
{
    (void)low, (void)size;
#ifdef HAVE_VALGRIND
    return COOP_VALGRIND_LOOKS ? VALGRIND_STACK_REGISTER(low, (char *)low + size) : 0;
#else
    return 0;
#endif
}

static inline void coop_tell_no_stack(unsigned id)
{
    (void)id;
#ifdef HAVE_VALGRIND
    if (COOP_VALGRIND_LOOKS)
        VALGRIND_STACK_DEREGISTER(id);
#endif
}

/* A stack begins anew: what frames left on it that never returned does not count. */
static inline void coop_tell_empty(void *low, size_t size)
{
    (void)low, (void)size;
#ifdef COOP_ASAN
    ASAN_UNPOISON_MEMORY_REGION(low, size);
#endif
#ifdef HAVE_VALGRIND
    if (COOP_VALGRIND_LOOKS)
        VALGRIND_MAKE_MEM_UNDEFINED(low, size);
#endif
}

/* Around a look at all of a stack, whatever its frames made of it. */
static inline void coop_tell_looking(bool looking)
{
    (void)looking;
#ifdef HAVE_VALGRIND
    if (looking)
        VALGRIND_DISABLE_ERROR_REPORTING;
    else
        VALGRIND_ENABLE_ERROR_REPORTING;
#endif
}

/* For a function that looks there. */
#ifdef COOP_ASAN
#define COOP_UNCHECKED __attribute__((no_sanitize_address))
#else
#define COOP_UNCHECKED
#endif

#if defined COOP_ASAN || defined COOP_TSAN
#define COOP_ANNOTATED 1

/* What they know of a context. That of a thread itself begins as zeros. */
struct coop_note {
    const void *low;               /* its stack; a thread's is found out by the first switch */
    size_t size;
    void *fake;                    /* AddressSanitizer's second stack */
    void *fiber;                   /* ThreadSanitizer's */
    struct coop_note *before;      /* who switched to it last */
};

COOP_SWITCHES void coop_note_make(struct coop_note *n, const void *low, size_t size)
{
    *n = (struct coop_note){ .low = low, .size = size };
#ifdef COOP_TSAN
    n->fiber = __tsan_create_fiber(0);
#endif
}

/* last: never to return. */
COOP_SWITCHES void coop_note_leave(struct coop_note *from, struct coop_note *to, bool last)
{
    to->before = from;
    (void)last;
#ifdef COOP_ASAN
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->low, to->size);
#endif
#ifdef COOP_TSAN
    if (!from->fiber)
        from->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
}

COOP_SWITCHES void coop_note_arrive(struct coop_note *n)
{
    (void)n;
#ifdef COOP_ASAN
    __sanitizer_finish_switch_fiber(n->fake, &n->before->low, &n->before->size);
#endif
}

/* It left for the last time, or never began. */
COOP_SWITCHES void coop_note_end(struct coop_note *n)
{
    (void)n;
#ifdef COOP_TSAN
    __tsan_destroy_fiber(n->fiber);
#endif
}

#else
#define coop_note_make(n, low, size) ((void)0)
#define coop_note_leave(from, to, last) ((void)0)
#define coop_note_arrive(n) ((void)0)
#define coop_note_end(n) ((void)0)
#endif

#endif
