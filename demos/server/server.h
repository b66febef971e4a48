/* server.h - what the parts of the task server share

   A client is three tasks. Its reader makes lines out of what comes, its shell does what
   they ask for, its writer sends what is printed. The reader is the one that
   starts and ends the others: whoever wants a client gone kills its reader. The shell
   owns the programs that were spawned in it, and takes them along.

       socket -> reader -> commands -> shell -> output -> writer -> socket
                                       programs ----^                            */
#ifndef SERVER_H
#define SERVER_H

#include "coop.h"
#include "input.h"
#include "lines.h"
#include "output.h"
#include <time.h>

enum { JOBS_MAX = 32, TRACES_MAX = 8, WORD_MAX = 16 };

struct job {                       /* a program that a client spawned */
    struct client *client;
    const struct program *program;
    coop_tid tid;
    coop_status status;            /* how it ended */
    char line[64];                 /* as it was asked for */
    char tag[64];                  /* stands before each line that it prints */
    int64_t number, ns;            /* its arguments */
    char word[WORD_MAX + 1];
    struct lines input;            /* what is said to it */
};

struct client {
    struct client *next;
    int number, fd;
    coop_tid reader, shell, writer;
    char left[64];                 /* why it left, for the log */
    const char *farewell;          /* its last line, or NULL */
    bool told;                     /* that it has to go */
    bool busy;                     /* something is being done for it; if not: */
    int64_t heard;                 /* since when there is nothing to be done */
    coop_tid asked;                /* the task whose end the shell is about to tell */
    coop_tid traced[TRACES_MAX];   /* 0: free */
    struct job *jobs[JOBS_MAX];    /* in the order in which they were spawned */
    size_t job_count;
    struct lines commands;
    struct output output;
};

struct server {
    coop_tid task;                 /* the one that the bell wakes */
    int bell[2];                   /* a pipe: what may not trap writes to it */
    struct client *clients;
    int client_count, client_number;
    int client_max;                /* 0: any */
    int worker;                    /* which of several processes it is, 0: the only one */
    int report;                    /* where a worker writes its address to */
    bool listening, stopping;
    unsigned ended;                /* tasks, since the stop */
    int stopped;                   /* clients that the stop sent away */
    struct timespec start;
};

extern struct server server;

/* main.c */
struct options;
int serve(const struct options *);     /* gives the exit status */
void server_listens(const char *address);
void server_ring(struct output *);     /* have its writer woken, where no trap may be */
void server_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* client.c */
coop_tid clients_accept(int listener);
void client_leaves(struct client *, const char *why);  /* the first why counts */
struct job *client_job(struct client *, coop_tid);

/* shell.c */
coop_tid shell_start(struct client *);

/* idle.c: the task that sends those away who ask for nothing */
extern int64_t idle_limit;             /* ns */
coop_tid idle_watch(void);

/* workers.c: as serve, with several processes */
int workers_serve(struct options *);

/* watch.c: the observer that tells clients what became of their programs, and traces */
int watch_start(void);
void status_text(const coop_status *, coop_text *);

/* programs.c, chat.c */
struct program {
    const char *name, *usage, *help;
    const char *arguments;         /* n: a number, s: seconds, w: a word, a must */
    int64_t number, ns;            /* when they are not given */
    bool listens;                  /* to what is said to it */
    coop_coroutine *(*start)(struct job *);
};

extern const struct program programs[];        /* the last has no name */

coop_coroutine *chat_start(struct job *);
void job_begin(struct job *, const char *name);

/* Begins every program. It has a member struct job *job. The Yield lets the answer to
   spawn come before the first line that the program prints. */
#define PROGRAM_BEGIN(NAME)                                                         \
    coop_begin;                                                                     \
    job_begin(my->job, NAME);                                                       \
    coop_trap(coop_void, Yield)

#endif
