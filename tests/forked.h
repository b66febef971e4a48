/* forked.h - what a test does in a process of its own, how that ended and what it said. A
   header alone, since tests/check-aarch64 builds suites of one file. */
#ifndef FORKED_H
#define FORKED_H

#include "config.h"
#include "fiber/annotate.h"
#include "suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* With a sanitizer faults are to end the process by their signal, too. */
#define NO_HANDLERS                                                                 \
    "handle_segv=0:handle_sigbus=0:allow_user_segv_handler=1:use_sigaltstack=0"
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return NO_HANDLERS;
}

const char *__tsan_default_options(void)
{
    return NO_HANDLERS;
}

static int told = 2;               /* the descriptor by which children tell */
static char text[60000];           /* what the last one told */

/* How a child ended that did this, as waitpid tells it. */
static inline int status_of(void (*child)(void))
{
    int ends[2], status = -1;
    fflush(stdout);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        dup2(ends[1], told);
        alarm(20);                 /* a lock that is never left */
        coop_tell_looking(true);   /* valgrind is not to count its faults */
        child();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t n;
    while (length < sizeof text - 1
           && (n = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = 0;
    close(ends[0]);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    return status;
}

/* The same, which must end by a signal. */
static inline bool ends_by(int number, void (*child)(void))
{
    int status = status_of(child);
    bool well = WIFSIGNALED(status) && WTERMSIG(status) == number;
    if (!well)
        printf("status %x: %s\n", (unsigned)status, text);
    return well;
}

static inline bool says(const char *part)
{
    bool well = strstr(text, part) != NULL;
    if (!well)
        printf("no '%s' in: %s\n", part, text);
    return well;
}

#endif
