/* crash.h - what the host tells of a fault, and of the code at an address. All but switching
   it on and off may be called from signal handlers; only where there is no _dl_find_object
   (glibc before 2.35) finding a module takes the loader's lock. Errors are negative errno. */
#ifndef COOP_CRASH_H
#define COOP_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* The program or library that an address is in. */
struct coop_module {
    uintptr_t base;                /* what is added to the addresses in its file */
    const char *path;
    const void *unwinding;         /* its PT_GNU_EH_FRAME segment; NULL: none */
};
bool coop_module_at(const void *pc, struct coop_module *);

/* FUNCTION+0x1a where its file has a symbol for it, be it of a static function; else
   FILE+0x1234. Reads the file, takes no memory and no lock. Cut to size, 0 at the end;
   returns its length. */
size_t coop_print_code(const void *pc, char *out, size_t size);

#pragma GCC visibility pop

#endif
