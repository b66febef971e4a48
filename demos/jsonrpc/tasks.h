/* tasks.h - the server of the two forms that are tasks of a scheduler */
#ifndef JSONRPC_TASKS_H
#define JSONRPC_TASKS_H

#include <coop.h>

/* Makes the coroutine that serves a connection and closes it; NULL: no memory. */
typedef coop_coroutine *client_start(int fd, int number);
client_start start_routines, start_parallel;

/* Serves until SIGINT or SIGTERM. With clients of its own, which are tasks of the same
   scheduler, it ends when they are through. Returns the exit status. */
int serve_tasks(client_start *, int port, int own_clients);

/* A client: sends foo, and then so many heartbeats, 0 being no end of them, with a rest of
   `every` before each. Prints what is answered, if it is to be loud. */
coop_declare(heartbeat_client, const char *address; int beats; int64_t every; bool loud;
             coop_stream *stream; int fd, beat; coop_value r; char id[16];);

#endif
