/* What COOP_TRACE makes of events. Traces of a whole program, and the stepper, are in
   check-trace. */
#include "routines.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct virtual_machine machine;

/* Opens a scheduler with these words in COOP_TRACE; NULL: it is not set. */
static int open_traced(const char *words, bool no_env)
{
    if (words)
        setenv("COOP_TRACE", words, 1);
    else
        unsetenv("COOP_TRACE");
    int r = coop_sched_open(&(coop_options){ .machine = virtual_machine(&machine),
                                             .no_env = no_env });
    unsetenv("COOP_TRACE");
    return r;
}

/* What a file has, and the file is gone. */
static const char *contents(const char *path)
{
    static char text[20000];
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    unlink(path);
    return text;
}

static const char *temporary(void)
{
    static char path[100];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%.60s/coop-trace-XXXXXX", folder ? folder : "/tmp");
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    return path;
}

static const char *traced(const char *words, unsigned quantum)
{
    char all[200];
    const char *path = temporary();
    snprintf(all, sizeof all, "%s,file=%s", words, path);
    setenv("COOP_TRACE", all, 1);
    coop_options o = { .machine = virtual_machine(&machine), .quantum = quantum };
    IS(coop_sched_open(&o), 0);
    unsetenv("COOP_TRACE");
    IS(coop_main(everything), -EIO);
    IS(coop_sched_close(), 0);
    return contents(path);
}

static void two_runs_have_the_same_trace(void)
{
    static char first[20000];
    for (unsigned quantum = 0; quantum < 5; quantum++) {
        strcpy(first, traced("1,run,system,time", quantum));
        CU_ASSERT(strlen(first) > 1000);
        CU_ASSERT_STRING_EQUAL(traced("1,run,system,time", quantum), first);
    }
}

static void words_choose_what_is_shown(void)
{
    CU_ASSERT_PTR_NULL(strstr(traced("1", 0), "iopoll"));
    CU_ASSERT_PTR_NOT_NULL(strstr(traced("system", 0), "[4 [iopoll]] Poll("));
    CU_ASSERT_PTR_NULL(strstr(traced("1", 0), "runs"));
    CU_ASSERT_PTR_NOT_NULL(strstr(traced("1,run", 0), "\n     1 [2 square] runs\n"));
    CU_ASSERT_NSTRING_EQUAL(traced("time", 0), "    0.000000      0 [1 everything] + ", 37);
    CU_ASSERT_PTR_NOT_NULL(strstr(traced(",,time,,1,", 0),
                                  "\n    1.000000      4 [1 ever"));
}

static void no_words_no_trace(void)
{
    static const char *const none[] = { NULL, "", "0" };
    for (int i = 0; i < 3; i++) {
        IS(open_traced(none[i], false), 0);
        CU_ASSERT_PTR_NULL(coop_this->observers);
        IS(coop_sched_close(), 0);
    }
    IS(open_traced("nonsense", true), 0);
    CU_ASSERT_PTR_NULL(coop_this->observers);
    IS(coop_sched_close(), 0);
}

static void keep_report(void *arg, const char *text)
{
    strcpy(arg, text);
}

static int next_descriptor(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

static void hear(coop_observer *o, const coop_event *e)
{
    (void)o;
    (void)e;
}

static int freed;

static void count_free(coop_observer *o)
{
    (void)o;
    freed++;
}

static void bad_words_are_reported(void)
{
    static const struct { const char *words, *report; } bad[] = {
        { "2", "unknown word '2'; it knows "
               "1, step, time, run, system, file=PATH, in=PATH" },
        { "1,verbose,time", "unknown word 'verbose'" }, { "steps", "unknown word 'steps'" },
        { "file=", "unknown word 'file='" }, { "time ", "unknown word 'time '" },
        { "file=/no/such/folder/x", "cannot write to /no/such/folder/x: No such file" },
        { "step,in=/no/such/file", "cannot read /no/such/file: No such file" },
        { "step,file=/dev/null,in=/no/such/file",
          "cannot read /no/such/file: No such file" },
    };
    int lowest = next_descriptor();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char report[600] = "";
        coop_observer own = { .event = hear, .free = count_free };
        setenv("COOP_TRACE", bad[i].words, 1);
        coop_options o = { .machine = virtual_machine(&machine), .observer = &own,
                           .report = keep_report, .arg = report };
        IS(coop_sched_open(&o), -EINVAL);
        unsetenv("COOP_TRACE");
        CU_ASSERT_PTR_NULL(coop_this);
        CU_ASSERT(!machine.freed);
        IS(freed, 0);
        CU_ASSERT_NSTRING_EQUAL(report, "coop: COOP_TRACE: ", 18);
        CU_ASSERT_PTR_NOT_NULL(strstr(report, bad[i].report));
        IS(next_descriptor(), lowest);
    }
}

/* In a process of its own, whose standard error nobody reads: 0 if it lives to the end, and
   its signals are as they were. */
static int trace_to_nobody(void)
{
    int ends[2];
    sigset_t set;
    if (pipe(ends) < 0 || dup2(ends[1], 2) < 0)
        return 1;
    close(ends[0]);
    close(ends[1]);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    if (open_traced("1", false) < 0 || coop_main(everything) != -EIO
        || coop_sched_close() < 0)
        return 2;
    if (sigpending(&set) < 0 || sigismember(&set, SIGPIPE))
        return 3;
    if (sigprocmask(SIG_SETMASK, NULL, &set) < 0 || sigismember(&set, SIGPIPE))
        return 4;
    return 0;
}

static void a_trace_that_nobody_reads_ends_no_program(void)
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(trace_to_nobody());
    IS(waitpid(child, &status, 0), child);
    IS(status, 0);
}

/* F30: where a program says where reports go, none goes to standard error; and without
   COOP_TRACE the kernel prints nothing else. */
static void F30_nothing_is_printed_unasked(void)
{
    const char *path = temporary();
    int before = dup(2), to = open(path, O_WRONLY);
    dup2(to, 2);
    close(to);
    world_open(0);
    coop_spawn(everything);
    IS(coop_run(), 0);
    world_close();
    dup2(before, 2);
    close(before);
    CU_ASSERT_STRING_EQUAL(contents(path), "");
    REPORTED("coop: task 1 everything failed: -5 EIO (created at test_trace.c:");
}

static const suite_test tests[] = {
    { "two_runs_have_the_same_trace", two_runs_have_the_same_trace },
    { "words_choose_what_is_shown", words_choose_what_is_shown },
    { "no_words_no_trace", no_words_no_trace },
    { "bad_words_are_reported", bad_words_are_reported },
    { "a_trace_that_nobody_reads_ends_no_program",
      a_trace_that_nobody_reads_ends_no_program },
    { "F30_nothing_is_printed_unasked", F30_nothing_is_printed_unasked },
};

int main(int argc, char **argv)
{
    return world_main("trace", tests, SUITE_COUNT(tests), argc, argv, "");
}
