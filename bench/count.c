/* count.c - figures of a server that no neighbour changes: calls of the host, and
   instructions. */
#include "config.h"

#include "bench/bench.h"
#include "bench/echo.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

void count_calls(const echo_server *server, int listener, int connections,
                 volatile uint64_t *calls)
{
    bool inside = false;
    int status;
    long signal = 0;
    pid_t child = fork();
    bench_need(child >= 0, "fork");
    if (child == 0) {
        bench_need(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "ptrace");
        raise(SIGSTOP);
        server->serve(listener, connections);
        _exit(0);
    }
    close(listener);
    bench_need(waitpid(child, &status, 0) == child && WIFSTOPPED(status), "ptrace");
    bench_need(ptrace(PTRACE_SETOPTIONS, child, NULL,
                      (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) == 0, "ptrace");
    for (;;) {
        bench_need(ptrace(PTRACE_SYSCALL, child, NULL, (void *)signal) == 0, "ptrace");
        bench_need(waitpid(child, &status, 0) == child, "waitpid");
        if (!WIFSTOPPED(status))
            break;
        signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80)) {      /* at the entry, then at the exit */
            signal = 0;
            inside = !inside;
            if (inside)
                *calls = *calls + 1;
        }
    }
    bench_need(status == 0, server->name);
}

void callgrind_serve(const echo_server *server, int listener, int connections,
                     const char *out)
{
    char self[4096], file[128], fd[16], count[16];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    bench_need(n > 0, "readlink");
    self[n] = '\0';
    snprintf(file, sizeof file, "--callgrind-out-file=%s", out);
    snprintf(fd, sizeof fd, "%d", listener);
    snprintf(count, sizeof count, "%d", connections);
    execlp("valgrind", "valgrind", "--log-file=/dev/null", "--tool=callgrind", file, self,
           "--serve", server->name, fd, count, (char *)NULL);
    bench_need(false, "valgrind");
}

uint64_t callgrind_total(const char *out)
{
    char line[4096];
    uint64_t total = 0;
    FILE *f = fopen(out, "r");
    bench_need(f, out);
    while (fgets(line, sizeof line, f))
        sscanf(line, "totals: %" SCNu64, &total);
    fclose(f);
    bench_need(total > 0, "callgrind");
    return total;
}
