/* crash.h - what the host tells of a fault, and of the code at an address. Errors are negative
   errno. */
#ifndef COOP_CRASH_H
#define COOP_CRASH_H

#include <stdbool.h>
#include <stddef.h>

struct coop_fault {
    void *address;                 /* that was touched */
    void *pc, *sp;                 /* of who touched it; NULL where they are not known */
    void *context;                 /* a ucontext_t */
};

#pragma GCC visibility push(hidden)

/* SIGSEGV and SIGBUS of this process go to look, in a signal handler. True: it has told of
   the fault, which then comes again as if look had never been; false: whoever had the signal
   before gets this one. As often off as on. */
int coop_faults_on(bool (*look)(const struct coop_fault *));
void coop_faults_off(void);

/* A stack of its own for signal handlers of the calling thread; NULL in mine: it had one. */
int coop_alternate_stack(void **mine);
void coop_no_alternate_stack(void *mine);

#pragma GCC visibility pop

#endif
