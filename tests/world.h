/* world.h - what the kernel's suites share: a scheduler on the virtual machine whose
   reports are kept, a log that tasks write to, and the question whether the kernel still
   knows of a task that is gone. */
#ifndef WORLD_H
#define WORLD_H

#include "kernel/kernel.h"

#include "asfibers.h"
#include "suite.h"
#include "virtual.h"

/* To ThreadSanitizer fibers are threads, of which it knows some 8000. */
#ifdef __SANITIZE_THREAD__
enum { MANY_FIBERS = 5000 };
#else
enum { MANY_FIBERS = 100000 };
#endif

#define TEST(name) { #name, name }

struct world {
    struct virtual_machine machine;
    char log[16384], reports[16384];
    unsigned reported;             /* how many reports there were */
};
extern struct world world;

/* For main: all tests twice, with routines as they are and on fibers; but not those that
   without names, with blanks between, since they count frames, bytes or allocations. Under
   valgrind once: it cannot deliver signals where stacks have been switched. */
int world_main(const char *name, const suite_test *tests, size_t count, int argc,
               char **argv, const char *without);

/* Opens a scheduler; quantum 0 is the default. world_open_with takes any options and puts
   in the machine and the report where they have none. */
void world_open(unsigned quantum);
void world_open_with(coop_options options);
void world_report(void *arg, const char *text);     /* the one it puts in; arg is &world */

/* Closes it, and checks that all tasks were gone before, and with them everything that the
   kernel had put anywhere. world_drop closes it whatever there is. */
void world_close(void);
void world_drop(void);

/* Runs a routine in a world of its own, and checks what it returns. */
#define WORLD(expected, ...) (world_open(0), IS(coop_main(__VA_ARGS__), expected), \
                              world_close())

/* Checks that nothing in the kernel points at the task, from inside a run or outside. */
void no_trace_of(coop_tid tid);

/* Adds to the log; its parts are separated by blanks. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_it(void *text);           /* for coop_defer */

/* A result for the log: a number, or the name of an error. Good until the next. */
const char *result(coop_value value);

/* An observer that logs "TID-ended" for each end of a task. */
void say_ends(void);

void clear_log(void);

/* Checks what is in the log, and empties it. The same for the reports, which need only
   contain the text; NO_REPORTS checks that there was none. */
#define LOG_IS(text) log_is(text, __FILE__, __LINE__)
#define REPORTED(text) reported(text, __FILE__, __LINE__)
#define NO_REPORTS() reported(NULL, __FILE__, __LINE__)
void log_is(const char *text, const char *file, unsigned line);
void reported(const char *text, const char *file, unsigned line);

/* Checks that two numbers are the same; a failure shows them. */
#define IS(actual, expected) \
    is((intptr_t)(actual), (intptr_t)(expected), #actual, __FILE__, __LINE__)
void is(intptr_t actual, intptr_t expected, const char *text, const char *file,
        unsigned line);

/* "file.c:12"; good until the next. */
const char *here(const char *file, int line);

/* valgrind reports bad buffers, drops connections for which there is no descriptor, and has
   memory of its own. True says that the test is skipped. */
bool under_valgrind(void);

#endif
