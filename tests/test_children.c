/* Spawn, ChildWait and ChildKill, with real processes. */
#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A shell command, as a child; gives its pid. */
coop_routine(sh, const char *text; int in, out, err; int *pipes; const char *dir;
             const char *const *env; const char *argv[4]; coop_value r;)
{
    coop_begin;
    my->argv[0] = "sh";
    my->argv[1] = "-c";
    my->argv[2] = my->text;
    coop_trap(my->r, Spawn, .argv = my->argv, .env = my->env, .dir = my->dir, .in = my->in,
              .out = my->out, .err = my->err, .pipes = my->pipes);
    coop_return(my->r);
    coop_end;
}

/* To the end of it, and no more than fits; then it is closed. */
coop_routine(read_all, int fd; char *buf; size_t size, used; coop_value n;)
{
    coop_begin;
    while (my->used + 1 < my->size) {
        coop_trap(my->n, Read, .fd = my->fd, .buf = my->buf + my->used,
                  .len = my->size - my->used - 1);
        if (my->n <= 0)
            break;
        my->used += (size_t)my->n;
    }
    my->buf[my->used] = '\0';
    coop_return(my->n);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

/* What a command writes, with its standard output and error in one; -1 and its signal's
   number in signal if one ended it. */
coop_routine(ask, const char *text; char *answer; size_t size; int signal, pid, pipes[3];
             coop_value r;)
{
    coop_begin;
    coop_await(my->pid, sh, .text = my->text, .in = COOP_NOWHERE, .out = COOP_PIPED,
               .err = COOP_AS_OUT, .pipes = my->pipes);
    CU_ASSERT_FATAL(my->pid > 0);
    IS(my->pipes[0], -1);
    IS(my->pipes[2], -1);
    coop_await(my->r, read_all, .fd = my->pipes[1], .buf = my->answer, .size = my->size);
    IS(my->r, 0);
    coop_trap(my->r, ChildWait, .pid = my->pid, .signal = &my->signal);
    coop_return(my->r);
    coop_end;
}

/* Until it has ended, but it is left to be waited for. */
static void has_ended(int pid)
{
    siginfo_t info;
    need(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0, "waitid");
}

/* ---- How they end */

static const struct {
    const char *text;
    int status, signal;
} ends[] = {
    { "exit 0", 0, 0 },
    { "exit 1", 1, 0 },
    { "exit 255", 255, 0 },
    { "exit 143", 143, 0 },
    { "kill -TERM $$", 143, SIGTERM },
    { "kill -KILL $$", 137, SIGKILL },
    { "no-such-program-anywhere 2>/dev/null", 127, 0 },
};

coop_routine(ends_of_all_kinds, size_t i; int pid, signal; coop_value r;)
{
    coop_begin;
    for (my->i = 0; my->i < sizeof ends / sizeof *ends; my->i++) {
        coop_await(my->pid, sh, .text = ends[my->i].text);
        CU_ASSERT_FATAL(my->pid > 0);
        my->signal = -1;
        coop_trap(my->r, ChildWait, .pid = my->pid, .signal = &my->signal);
        IS(my->r, ends[my->i].status);
        IS(my->signal, ends[my->i].signal);
        coop_trap(my->r, ChildWait, .pid = my->pid);
        IS(my->r, -ECHILD);
    }
    coop_end;
}

static void exit_statuses_and_signals(void)
{
    OUTSIDE(0, ends_of_all_kinds);
}

coop_routine(ended_before, int pid; coop_value r; unsigned polls;)
{
    coop_begin;
    coop_await(my->pid, sh, .text = "exit 5");
    has_ended(my->pid);
    my->polls = outside.polls;
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 5);
    IS(outside.polls, my->polls);
    coop_trap(my->r, ChildWait, .pid = 0);
    IS(my->r, -EINVAL);
    coop_trap(my->r, ChildWait, .pid = -1);
    IS(my->r, -EINVAL);
    coop_trap(my->r, ChildWait, .pid = 1);
    IS(my->r, -ECHILD);
    coop_end;
}

static void wait_after_the_end(void)
{
    OUTSIDE(0, ended_before);
}

coop_routine(awaits, const char *name; int pid, signal; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ChildWait, .pid = my->pid, .signal = &my->signal);
    say("%s=%s", my->name, result(my->r));
    coop_end;
}

coop_routine(two_waiters, int pid, pipes[3]; coop_tid first, second; char right[40];
             coop_value r;)
{
    coop_begin;
    coop_await(my->pid, sh, .text = "read line; exit 9", .in = COOP_PIPED,
               .pipes = my->pipes);
    coop_trap(my->first, NewTask,
              .target = coop_create(awaits, .name = "first", .pid = my->pid));
    coop_trap(my->second, NewTask,
              .target = coop_create(awaits, .name = "second", .pid = my->pid));
    coop_await(coop_void, settle);
    LOG_IS("");
    snprintf(my->right, sizeof my->right, "ChildWait(%d)", my->pid);
    CU_ASSERT_STRING_EQUAL(outside_call(my->second), my->right);
    coop_trap(my->r, Write, .fd = my->pipes[0], .buf = "go\n", .len = 3);
    IS(my->r, 3);
    coop_trap(coop_void, WaitTask, .tid = my->first);
    coop_trap(coop_void, WaitTask, .tid = my->second);
    LOG_IS("first=9 second=ECHILD");
    coop_trap(coop_void, Close, .fd = my->pipes[0]);
    coop_end;
}

static void two_wait_and_one_is_told(void)
{
    OUTSIDE(0, two_waiters);
}

enum { MANY = 50 };

coop_routine(one_of_many, int number, *sum; int pid; coop_value r; char text[20];)
{
    coop_begin;
    snprintf(my->text, sizeof my->text, "exit %d", my->number);
    coop_await(my->pid, sh, .text = my->text);
    CU_ASSERT_FATAL(my->pid > 0);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, my->number);
    *my->sum += (int)my->r;
    coop_end;
}

coop_routine(many, int i, sum; coop_tid tids[MANY];)
{
    coop_begin;
    for (my->i = 0; my->i < MANY; my->i++)
        coop_trap(my->tids[my->i], NewTask,
                  .target = coop_create(one_of_many, .number = my->i, .sum = &my->sum));
    for (my->i = 0; my->i < MANY; my->i++)
        coop_trap(coop_void, WaitTask, .tid = my->tids[my->i]);
    IS(my->sum, MANY * (MANY - 1) / 2);
    coop_end;
}

static void many_children_at_once(void)
{
    OUTSIDE(0, many);
}

coop_routine(kills_waiter, int pid, pipes[3]; coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_await(my->pid, sh, .text = "read line; exit 3", .in = COOP_PIPED,
               .pipes = my->pipes);
    my->tid = coop_spawn(awaits, .name = "killed", .pid = my->pid);
    coop_await(coop_void, settle);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    no_trace_of(my->tid);
    coop_trap(coop_void, Close, .fd = my->pipes[0]);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 3);
    LOG_IS("");
    coop_end;
}

static void child_outlives_the_task_that_waits(void)
{
    OUTSIDE(0, kills_waiter);
}

/* Others of the program may wait for children too, and SIGCHLD is told to all. */
coop_routine(taken_elsewhere, int pid, how, pipes[3]; coop_value r; coop_tid tid;)
{
    coop_begin;
    coop_await(my->pid, sh, .text = "exit 4");
    has_ended(my->pid);
    coop_trap(my->r, SignalWait, .signals = COOP_SIGNAL(SIGCHLD));
    IS(my->r, SIGCHLD);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 4);
    coop_await(my->pid, sh, .text = "read line", .in = COOP_PIPED, .pipes = my->pipes);
    coop_trap(my->tid, NewTask,
              .target = coop_create(awaits, .name = "late", .pid = my->pid));
    coop_await(coop_void, settle);
    close(my->pipes[0]);
    need(waitpid(my->pid, &my->how, 0) == my->pid, "waitpid");
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    LOG_IS("late=ECHILD");
    coop_end;
}

static void others_wait_for_children_too(void)
{
    OUTSIDE(0, taken_elsewhere);
}

coop_routine(kills, int pid, pipes[3], signal; coop_value r; char line[4];)
{
    coop_begin;
    coop_await(my->pid, sh, .text = "echo yes; read line", .in = COOP_PIPED,
               .out = COOP_PIPED, .pipes = my->pipes);
    coop_trap(my->r, Read, .fd = my->pipes[1], .buf = my->line, .len = 4);
    IS(my->r, 4);
    coop_trap(my->r, ChildKill, .pid = my->pid, .signal = SIGKILL);
    IS(my->r, 0);
    coop_trap(my->r, ChildWait, .pid = my->pid, .signal = &my->signal);
    IS(my->r, 128 + SIGKILL);
    IS(my->signal, SIGKILL);
    coop_trap(my->r, ChildKill, .pid = my->pid, .signal = SIGTERM);
    IS(my->r, -ESRCH);
    coop_trap(coop_void, Close, .fd = my->pipes[0]);
    coop_trap(coop_void, Close, .fd = my->pipes[1]);
    coop_end;
}

coop_routine(kills_wrongly, coop_value r; int pid;)
{
    coop_begin;
    coop_trap(my->r, ChildKill, .pid = 0, .signal = SIGTERM);
    IS(my->r, -EINVAL);
    coop_trap(my->r, ChildKill, .pid = -1, .signal = SIGTERM);
    IS(my->r, -EINVAL);
    coop_trap(my->r, ChildKill, .pid = getpid(), .signal = SIGTERM);
    IS(my->r, -ESRCH);
    coop_await(my->pid, sh, .text = "exit 0");
    has_ended(my->pid);
    coop_trap(my->r, ChildKill, .pid = my->pid);
    IS(my->r, -EINVAL);
    coop_trap(my->r, ChildKill, .pid = my->pid, .signal = 1000);
    IS(my->r, -EINVAL);
    coop_trap(my->r, ChildKill, .pid = my->pid, .signal = SIGTERM);
    IS(my->r, 0);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 0);
    coop_end;
}

static void signals_to_children(void)
{
    OUTSIDE(0, kills);
    OUTSIDE(0, kills_wrongly);
}

/* ---- What they can read and write */

coop_routine(talks, int pid, pipes[3]; coop_value r; char buf[100];)
{
    coop_begin;
    coop_await(my->pid, sh, .text = "while read l; do echo \"<$l>\"; echo \"!$l\" >&2; "
               "done",
               .in = COOP_PIPED, .out = COOP_PIPED, .err = COOP_PIPED, .pipes = my->pipes);
    for (int i = 0; i < 3; i++) {
        IS(fcntl(my->pipes[i], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        IS(fcntl(my->pipes[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
    coop_trap(my->r, Write, .fd = my->pipes[0], .buf = "hi\n", .len = 3);
    IS(my->r, 3);
    coop_trap(my->r, Read, .fd = my->pipes[1], .buf = my->buf, .len = sizeof my->buf);
    IS(my->r, 5);
    CU_ASSERT_NSTRING_EQUAL(my->buf, "<hi>\n", 5);
    coop_trap(my->r, Read, .fd = my->pipes[2], .buf = my->buf, .len = sizeof my->buf);
    IS(my->r, 4);
    CU_ASSERT_NSTRING_EQUAL(my->buf, "!hi\n", 4);
    coop_trap(coop_void, Close, .fd = my->pipes[0]);
    coop_await(my->r, read_all, .fd = my->pipes[1], .buf = my->buf, .size = sizeof my->buf);
    IS(my->r, 0);
    coop_await(my->r, read_all, .fd = my->pipes[2], .buf = my->buf, .size = sizeof my->buf);
    IS(my->r, 0);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 0);
    coop_end;
}

static void pipes_in_all_three_places(void)
{
    OUTSIDE(0, talks);
}

coop_routine(broken, int pid, pipes[3]; coop_value r;)
{
    coop_begin;
    coop_await(my->pid, sh, .text = "exit 0", .in = COOP_PIPED, .pipes = my->pipes);
    has_ended(my->pid);
    coop_trap(my->r, Write, .fd = my->pipes[0], .buf = "hi\n", .len = 3);
    IS(my->r, -EPIPE);
    coop_trap(coop_void, Close, .fd = my->pipes[0]);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 0);
    coop_end;
}

static void child_that_does_not_read(void)
{
    OUTSIDE(0, broken);
}

enum { MUCH = 1 << 21 };
static char much[MUCH], come[MUCH + 1];

coop_routine(feed, int fd; coop_value n;)
{
    coop_begin;
    coop_trap(my->n, Write, .fd = my->fd, .buf = much, .len = MUCH);
    IS(my->n, MUCH);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(through_cat, int pid, pipes[3]; coop_tid feeder; coop_value r;)
{
    static const char *const cat[] = { "cat", NULL };
    coop_begin;
    for (int i = 0; i < MUCH; i++)
        much[i] = (char)(i % 251);
    coop_trap(my->pid, Spawn, .argv = cat, .in = COOP_PIPED, .out = COOP_PIPED,
              .pipes = my->pipes);
    coop_trap(my->feeder, NewTask, .target = coop_create(feed, .fd = my->pipes[0]));
    coop_await(coop_void, settle);
    CU_ASSERT_NSTRING_EQUAL(outside_call(my->feeder), "Write(", 6);
    coop_await(my->r, read_all, .fd = my->pipes[1], .buf = come, .size = sizeof come);
    coop_trap(my->r, WaitTask, .tid = my->feeder);
    IS(my->r, 0);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 0);
    IS(memcmp(much, come, MUCH), 0);
    coop_end;
}

static void both_directions_through_cat(void)
{
    OUTSIDE(0, through_cat);
}

coop_routine(nowhere, int pid; coop_value r; char answer[100];)
{
    coop_begin;
    coop_await(my->pid, sh, .text = "read l && exit 1; echo a && echo b >&2 && exit 2",
               .in = COOP_NOWHERE, .out = COOP_NOWHERE, .err = COOP_NOWHERE);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 2);
    coop_await(my->r, ask, .text = "echo out; echo err >&2", .answer = my->answer,
               .size = sizeof my->answer);
    IS(my->r, 0);
    CU_ASSERT_STRING_EQUAL(my->answer, "out\nerr\n");
    coop_end;
}

static void nowhere_and_as_out(void)
{
    OUTSIDE(0, nowhere);
}

/* ---- When the descriptors given are 0, 1 and 2 themselves */

static int kept[3];

static void keep_standard_ones(void)
{
    fflush(stdout);
    for (int i = 0; i < 3; i++) {
        kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
        need(kept[i] >= 0, "dup");
    }
}

static void get_standard_ones_back(void)
{
    for (int i = 0; i < 3; i++) {
        need(dup2(kept[i], i) == i, "dup2");
        close(kept[i]);
    }
}

/* Two pipes whose writing ends are 1 and 2 here, and the child is told to swap them. */
coop_routine(swaps, int pid, a[2], b[2]; char got[2][20]; coop_value r;)
{
    coop_begin;
    need(pipe(my->a) == 0 && pipe(my->b) == 0, "pipe");
    keep_standard_ones();
    moved(my->a[1], 1);
    moved(my->b[1], 2);
    coop_await(my->pid, sh, .text = "echo out; echo err >&2", .out = 2, .err = 1);
    get_standard_ones_back();
    coop_await(my->r, read_all, .fd = my->a[0], .buf = my->got[0], .size = 20);
    coop_await(my->r, read_all, .fd = my->b[0], .buf = my->got[1], .size = 20);
    CU_ASSERT_STRING_EQUAL(my->got[0], "err\n");
    CU_ASSERT_STRING_EQUAL(my->got[1], "out\n");
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 0);
    coop_end;
}

/* All turn by one: the child's 0 is our 1, its 1 our 2, and its 2 our 1. */
coop_routine(turns, int pid, in[2], out[2]; char got[40]; coop_value r;)
{
    coop_begin;
    pair(my->in);
    need(fcntl(my->in[1], F_SETFL, 0) == 0 && pipe(my->out) == 0, "pipe");
    keep_standard_ones();
    moved(my->in[1], 1);
    moved(my->out[1], 2);
    coop_await(my->pid, sh, .text = "read l; echo \"$l out\"; echo \"$l err\" >&2", .in = 1,
               .out = 2, .err = 1);
    get_standard_ones_back();
    IS(write(my->in[0], "my\n", 3), 3);
    coop_await(my->r, read_all, .fd = my->in[0], .buf = my->got, .size = sizeof my->got);
    CU_ASSERT_STRING_EQUAL(my->got, "my err\n");
    coop_await(my->r, read_all, .fd = my->out[0], .buf = my->got, .size = sizeof my->got);
    CU_ASSERT_STRING_EQUAL(my->got, "my out\n");
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 0);
    coop_end;
}

/* The program has none of the three: its pipes get their numbers. */
coop_routine(bare, int pid, pipes[3], asked; char got[40]; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, ChildWait, .pid = 1);    /* opens what it needs for itself */
    keep_standard_ones();
    close(0);
    close(1);
    close(2);
    coop_await(my->pid, sh, .text = "read l; echo \"$l out\"; echo \"$l err\" >&2",
               .in = COOP_PIPED, .out = COOP_PIPED, .err = my->asked, .pipes = my->pipes);
    for (int i = 0; i < 2; i++)
        my->pipes[i] = fcntl(my->pipes[i], F_DUPFD_CLOEXEC, 50);
    get_standard_ones_back();
    CU_ASSERT_FATAL(my->pid > 0);
    coop_trap(my->r, Write, .fd = my->pipes[0], .buf = "my\n", .len = 3);
    IS(my->r, 3);
    coop_trap(coop_void, Close, .fd = my->pipes[0]);
    coop_await(my->r, read_all, .fd = my->pipes[1], .buf = my->got, .size = sizeof my->got);
    CU_ASSERT_STRING_EQUAL(my->got, my->asked ? "my out\nmy err\n" : "my out\n");
    coop_trap(my->r, ChildWait, .pid = my->pid);
    CU_ASSERT(my->r == 0 || !my->asked);
    coop_end;
}

coop_routine(given, int pid, fds[2]; char got[40]; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    fcntl(my->fds[1], F_SETFL, 0);
    coop_await(my->pid, sh, .text = "read l; echo \"$l out\"; echo \"$l err\" >&2",
               .in = my->fds[1], .out = my->fds[1], .err = my->fds[1]);
    close(my->fds[1]);
    IS(write(my->fds[0], "my\n", 3), 3);
    coop_await(my->r, read_all, .fd = my->fds[0], .buf = my->got, .size = sizeof my->got);
    CU_ASSERT_STRING_EQUAL(my->got, "my out\nmy err\n");
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 0);
    coop_end;
}

static void descriptors_that_collide(void)
{
    OUTSIDE(0, swaps);
    OUTSIDE(0, turns);
    OUTSIDE(0, bare, .asked = COOP_AS_OUT);
    OUTSIDE(0, bare);
    OUTSIDE(0, given);
}

/* ---- What they are started with */

coop_routine(in_a_place, int pid, pipes[3]; char got[100]; coop_value r;)
{
    static const char *const env[] = { "COLOUR=blue", "PATH=/nowhere", NULL };
    coop_begin;
    coop_await(my->pid, sh, .text = "pwd; echo \"$COLOUR $HOME\"", .dir = "/", .env = env,
               .out = COOP_PIPED, .pipes = my->pipes);
    if (my->pid == -ENOSYS) {
        printf("(skipped: no dir here) ");
        coop_return(0);
    }
    coop_await(my->r, read_all, .fd = my->pipes[1], .buf = my->got, .size = sizeof my->got);
    CU_ASSERT_STRING_EQUAL(my->got, "/\nblue \n");
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 0);
    coop_end;
}

static void dir_and_env(void)
{
    OUTSIDE(0, in_a_place);
}

coop_routine(fails, int pid, pipes[3]; coop_value r;)
{
    static const char *const none[] = { "no-such-program-anywhere", NULL },
        *const file[] = { "/etc/passwd", NULL }, *const nothing[] = { NULL },
        *const path[] = { "/no/such/program", NULL }, *const good[] = { "true", NULL };
    coop_begin;
    coop_trap(my->r, Spawn, .argv = none, .in = COOP_PIPED, .out = COOP_PIPED,
              .err = COOP_PIPED, .pipes = my->pipes);
    IS(my->r, -ENOENT);
    for (int i = 0; i < 3; i++)
        IS(my->pipes[i], -1);
    coop_trap(my->r, Spawn, .argv = path, .err = COOP_NOWHERE);
    IS(my->r, -ENOENT);
    coop_trap(my->r, Spawn, .argv = good, .dir = "/no/such/folder");
    CU_ASSERT(my->r == -ENOENT || my->r == -ENOSYS);
    coop_trap(my->r, Spawn, .argv = file, .in = 1, .out = COOP_NOWHERE);
    IS(my->r, -EACCES);
    coop_trap(my->r, Spawn, .argv = NULL);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Spawn, .argv = nothing);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Spawn, .argv = good, .err = COOP_PIPED);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Spawn, .argv = good, .in = 4000);
    IS(my->r, -EBADF);
    coop_trap(my->r, Spawn, .argv = good, .out = COOP_AS_OUT);
    IS(my->r, -EBADF);
    coop_trap(my->r, Spawn, .argv = good, .in = -100);
    IS(my->r, -EBADF);
    coop_end;
}

/* Under valgrind a program that cannot be started is told as a child that ends with 127. */
static void programs_that_cannot_be_started(void)
{
    if (!under_valgrind())
        OUTSIDE(0, fails);
}

/* At each number of descriptors that are too few, the last of which is nearly enough. */
coop_routine(too_few, int left, pid, pipes[3], spare[10], opened; coop_value r; int failed;)
{
    coop_begin;
    coop_await(my->pid, sh, .text = "exit 0");
    coop_trap(coop_void, ChildWait, .pid = my->pid);
    for (my->left = 0; my->left < 9; my->left++) {
        for (int i = 0; i < my->left; i++)
            my->spare[i] = dup(0);
        allow_no_more_descriptors();
        for (int i = 0; i < my->left; i++)
            close(my->spare[i]);
        coop_await(my->pid, sh, .text = "exit 0", .in = COOP_PIPED, .out = COOP_PIPED,
                   .err = COOP_PIPED, .pipes = my->pipes);
        allow_descriptors_again();
        if (my->pid > 0) {
            for (int i = 0; i < 3; i++)
                close(my->pipes[i]);
            coop_trap(coop_void, ChildWait, .pid = my->pid);
            continue;
        }
        IS(my->pid, -EMFILE);
        my->failed++;
        for (int i = 0; i < 3; i++)
            IS(my->pipes[i], -1);
    }
    IS(my->failed, 6);
    coop_end;
}

static void no_descriptor_left(void)
{
    OUTSIDE(0, too_few);
}

/* Those of 3 to 63 that are open in the child are those that are not close-on-exec here. */
coop_routine(inherits, int fds[2], pipes[3], pid; char got[400], right[400]; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    need(fcntl(my->fds[1], F_SETFD, FD_CLOEXEC) == 0, "fcntl");
    coop_await(my->pid, sh, .text = "read l", .in = COOP_PIPED, .pipes = my->pipes);
    coop_await(my->r, ask, .answer = my->got, .size = sizeof my->got,
               .text = "i=3; while [ $i -lt 64 ]; do [ ! -e /proc/self/fd/$i ] || "
                       "printf ' %s' $i; i=$((i + 1)); done");
    IS(my->r, 0);
    for (int i = 3; i < 64; i++)
        if (is_open(i) && !(fcntl(i, F_GETFD) & FD_CLOEXEC))
            sprintf(my->right + strlen(my->right), " %d", i);
    CU_ASSERT_STRING_EQUAL(my->got, my->right);
    CU_ASSERT(strlen(my->right) > 0);
    close_pair(my->fds);
    close(my->pipes[0]);
    coop_trap(my->r, ChildWait, .pid = my->pid);
    IS(my->r, 1);
    coop_end;
}

static void no_descriptor_leaks_into_a_child(void)
{
    OUTSIDE(0, inherits);
}

coop_routine(fresh_signals, coop_value r; char got[10];)
{
    coop_begin;
    coop_spawn(awaits, .name = "x", .pid = 0);
    coop_await(my->r, ask, .text = "kill -PIPE $$; exit 0", .answer = my->got, .size = 10);
    IS(my->r, 128 + SIGPIPE);
    coop_await(my->r, ask, .text = "kill -USR1 $$; exit 0", .answer = my->got, .size = 10);
    IS(my->r, 128 + SIGUSR1);
    coop_await(my->r, ask, .text = "kill -CHLD $$; exit 0", .answer = my->got, .size = 10);
    IS(my->r, 0);
    coop_await(my->r, ask, .text = "kill -HUP $$; exit 7", .answer = my->got, .size = 10);
    IS(my->r, 7);
    coop_end;
}

static void signals_are_as_a_new_program_expects_them(void)
{
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    OUTSIDE(0, fresh_signals);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
}

static void statuses_are_kept_where_SIGCHLD_was_ignored(void)
{
    signal(SIGCHLD, SIG_IGN);
    OUTSIDE(0, ended_before);
    signal(SIGCHLD, SIG_DFL);
}

/* ---- As traces show them */

static void shows(const coop_call *call, const coop_value *r, const char *right)
{
    char buf[400];
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_call_text(call, r, &text);
    CU_ASSERT_STRING_EQUAL(buf, right);
}

static void as_text(void)
{
    static const char *const ls[] = { "ls", "-l", NULL }, *const env[] = { "A=1", NULL },
        *const nine[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL };
    int pipes[3] = { -1, 7, -1 }, by = SIGTERM;
    coop_value pid = 55, killed = 143, bad = -ENOENT;
    struct coop_Spawn plain = { .base.type = &coop_Spawn_type, .argv = ls };
    struct coop_Spawn full = {
        .base.type = &coop_Spawn_type, .argv = ls, .env = env, .dir = "/tmp",
        .in = COOP_NOWHERE, .out = COOP_PIPED, .err = COOP_AS_OUT, .pipes = pipes
    };
    struct coop_Spawn odd = { .base.type = &coop_Spawn_type, .in = 5 };
    struct coop_Spawn most = { .base.type = &coop_Spawn_type, .argv = nine };
    struct coop_ChildWait wait = {
        .base.type = &coop_ChildWait_type, .pid = 55, .signal = &by
    };
    struct coop_ChildKill kill = {
        .base.type = &coop_ChildKill_type, .pid = 55, .signal = SIGTERM
    };
    shows(&plain.base, NULL, "Spawn([\"ls\", \"-l\"])");
    shows(&plain.base, &bad, "Spawn([\"ls\", \"-l\"]) = -2 ENOENT");
    shows(&full.base, NULL, "Spawn([\"ls\", \"-l\"], env=[\"A=1\"], dir=\"/tmp\", "
          "in=/dev/null, out=pipe, err=out)");
    shows(&full.base, &pid, "Spawn([\"ls\", \"-l\"], env=[\"A=1\"], dir=\"/tmp\", "
          "in=/dev/null, out=pipe 7, err=out) = 55");
    shows(&odd.base, NULL, "Spawn(NULL, in=5)");
    shows(&most.base, NULL,
          "Spawn([\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", ...])");
    shows(&wait.base, NULL, "ChildWait(55)");
    shows(&wait.base, &killed, "ChildWait(55, SIGTERM) = 143");
    shows(&kill.base, NULL, "ChildKill(55, SIGTERM)");
}

static const suite_test tests[] = {
    TEST(exit_statuses_and_signals),
    TEST(wait_after_the_end),
    TEST(two_wait_and_one_is_told),
    TEST(many_children_at_once),
    TEST(child_outlives_the_task_that_waits),
    TEST(others_wait_for_children_too),
    TEST(signals_to_children),
    TEST(pipes_in_all_three_places),
    TEST(child_that_does_not_read),
    TEST(both_directions_through_cat),
    TEST(nowhere_and_as_out),
    TEST(descriptors_that_collide),
    TEST(dir_and_env),
    TEST(programs_that_cannot_be_started),
    TEST(no_descriptor_left),
    TEST(no_descriptor_leaks_into_a_child),
    TEST(signals_are_as_a_new_program_expects_them),
    TEST(statuses_are_kept_where_SIGCHLD_was_ignored),
    TEST(as_text),
};

int main(int argc, char **argv)
{
    return world_main("children", tests, SUITE_COUNT(tests), argc, argv, "");
}
