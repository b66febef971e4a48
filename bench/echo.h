/* echo.h - the echo servers that are compared, and trials of them. */
#ifndef COOP_BENCH_ECHO_H
#define COOP_BENCH_ECHO_H

#include <stdbool.h>
#include <stdint.h>

/* Accepts so many connections from listener, which does not block, echoes what they send,
   and comes back when all of them have ended. */
typedef struct echo_server {
    const char *name;
    void (*serve)(int listener, int connections);
} echo_server;

extern const echo_server echo_servers[];   /* plain is the first; the last has no name */
const echo_server *echo_find(const char *name);

void echo_plain(int listener, int connections);
void echo_coop(int listener, int connections);
void echo_coop_q8(int listener, int connections);
void echo_coop_epoll(int listener, int connections);
void echo_fiber(int listener, int connections);
void echo_uv(int listener, int connections);
void echo_st(int listener, int connections);

enum { MESSAGE = 64, BUFFER = 512 };

/* What the load does: all connections are opened and echo once; then the first active of
   them send the next message as soon as the last has come back, for some time or until
   there were so many requests. */
typedef struct load {
    int connections, active;
    double seconds;
    long requests;                 /* 0: seconds count */
    bool spin;                     /* rather than sleep: the processor is the load's own */
} load;

/* In the load's process. stages is a socket: the load writes a byte when it has opened the
   first connection, when it has opened all, and when it has measured, and goes on when it
   gets one back. */
typedef struct load_result {
    long requests;
    int64_t ns;                    /* from the first to the last of them */
    double p50, p99;               /* us from a request to its answer */
} load_result;
void load_run(const load *, int port, int stages, load_result *);

/* How the server runs: as it is; with its host calls counted; under callgrind. */
typedef enum trial_kind { TIMED, TRACED, CALLGRIND } trial_kind;

typedef struct trial_result {
    load_result load;
    double cpu;                    /* seconds of the server while it was measured */
    double memory;                 /* bytes that it grew by, for each connection */
    uint64_t calls;                /* TRACED: of the host while it was measured */
    uint64_t instructions;         /* CALLGRIND: from start to end */
} trial_result;
trial_result trial_run(const echo_server *, const load *, trial_kind);

/* In a child process: runs the server in a child of its own, and counts its host calls. */
void count_calls(const echo_server *, int listener, int connections,
                 volatile uint64_t *calls);

/* Becomes valgrind that runs this program with --serve, and what it then has counted. */
void callgrind_serve(const echo_server *, int listener, int connections, const char *out);
uint64_t callgrind_total(const char *out);

#endif
