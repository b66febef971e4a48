/* session.h - a task server and sessions with it. TASKSERVER is its path; without it
   demos/taskserver of the build folder. */
#ifndef SESSION_H
#define SESSION_H

#include "talk.h"

extern talk out;                   /* what the server logs */
extern pid_t server;               /* 0: none */
extern int port;

const char *program(void);

/* Starts the server, with at most `files` open descriptors (0: as here). A server that a
   failed test left behind is ended first. */
void start_with(int files, const char *patience);
void start(void);

/* Ends it by SIGINT; it must do so in order. */
void stop(void);

int server_status(void);
void kill_server(void);

void join(talk *);                 /* connect, up to the greeting */
void ask(talk *, const char *line, const char *answer);
long spawn(talk *, const char *line);  /* the tid */

/* The format with the number in it; good until three more were made. */
const char *with_tid(const char *format, long tid);

/* Whether a task waits in a system call that begins like this. */
bool is_in(talk *, long tid, const char *call);

#endif
