/* trial.c - a server and its load, each in a process and on a processor of its own. */
#include "config.h"

#include "bench/bench.h"
#include "bench/echo.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 600 };            /* seconds that a trial may take */

/* What the processes of a trial tell each other. */
struct shared {
    load_result load;
    volatile uint64_t calls;
};

/* The server gets the first processor that we may use, the load the last. False: there is
   only one. */
static bool pin(bool last)
{
    cpu_set_t allowed, mine;
    int cpu, step = last ? -1 : 1;
    bench_need(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
    for (cpu = last ? CPU_SETSIZE - 1 : 0; !CPU_ISSET(cpu, &allowed); cpu += step)
        ;
    CPU_ZERO(&mine);
    CPU_SET(cpu, &mine);
    sched_setaffinity(0, sizeof mine, &mine);
    return CPU_COUNT(&allowed) > 1;
}

/* The child ends with its parent and after LONGEST at the latest. */
static pid_t fork_child(void)
{
    fflush(stdout);
    pid_t child = fork();
    bench_need(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(LONGEST);
    }
    return child;
}

static int listen_somewhere(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    bench_need(fd >= 0 && bind(fd, (struct sockaddr *)&at, size) == 0
               && listen(fd, SOMAXCONN) == 0
               && getsockname(fd, (struct sockaddr *)&at, &size) == 0, "listen");
    *port = ntohs(at.sin_port);
    return fd;
}

/* Waits until the server has gone to sleep, too, so that no work of it is left over. */
static void await_stage(int stages)
{
    char c;
    bench_need(read(stages, &c, 1) == 1, "the load");
    nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL);
}

static void go_on(int stages)
{
    bench_need(write(stages, "", 1) == 1, "the load");
}

static double cpu_of(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    bench_need(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &t) == 0,
               "clock_getcpuclockid");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double memory_of(pid_t pid)
{
    char path[32];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "r");
    if (f) {
        if (fscanf(f, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static pid_t start_server(const echo_server *server, const load *l, trial_kind kind,
                          int listener, const char *out, struct shared *shared)
{
    pid_t pid = fork_child();
    if (pid)
        return pid;
    pin(false);
    if (kind == TRACED)
        count_calls(server, listener, l->connections, &shared->calls);
    else if (kind == CALLGRIND)
        callgrind_serve(server, listener, l->connections, out);
    else
        server->serve(listener, l->connections);
    _exit(0);
}

static pid_t start_load(const load *l, int port, int stages, struct shared *shared)
{
    pid_t pid = fork_child();
    if (pid)
        return pid;
    load mine = *l;
    mine.spin = pin(true);
    load_run(&mine, port, stages, &shared->load);
    _exit(0);
}

static void reap(pid_t pid, const char *who)
{
    int status;
    bench_need(waitpid(pid, &status, 0) == pid && status == 0, who);
}

trial_result trial_run(const echo_server *server, const load *l, trial_kind kind)
{
    trial_result result = { .calls = 0 };
    char out[] = "/tmp/echo-XXXXXX";
    int port, stages[2];
    int listener = listen_somewhere(&port);
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bench_need(shared != MAP_FAILED, "mmap");
    if (kind == CALLGRIND) {
        int fd = mkstemp(out);
        bench_need(fd >= 0, "mkstemp");
        close(fd);
    }
    bench_need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stages) == 0,
               "socketpair");
    pid_t s = start_server(server, l, kind, listener, out, shared);
    close(listener);
    pid_t c = start_load(l, port, stages[1], shared);
    close(stages[1]);

    await_stage(stages[0]);
    double memory = memory_of(s);
    go_on(stages[0]);
    await_stage(stages[0]);
    result.memory = (memory_of(s) - memory) / (l->connections > 1 ? l->connections - 1 : 1);
    result.calls = shared->calls;
    result.cpu = cpu_of(s);
    go_on(stages[0]);
    await_stage(stages[0]);
    result.cpu = cpu_of(s) - result.cpu;
    result.calls = shared->calls - result.calls;
    go_on(stages[0]);

    reap(c, "the load");
    reap(s, server->name);
    close(stages[0]);
    result.load = shared->load;
    munmap(shared, sizeof *shared);
    if (kind == CALLGRIND) {
        result.instructions = callgrind_total(out);
        unlink(out);
    }
    return result;
}
