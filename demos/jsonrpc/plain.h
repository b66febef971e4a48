/* plain.h - sockets of the host, for the forms that have no scheduler */
#ifndef JSONRPC_PLAIN_H
#define JSONRPC_PLAIN_H

#include <signal.h>
#include <stddef.h>

/* Listens on a port of 127.0.0.1, 0 for a free one, and logs where. Returns -1 when it
   cannot, and says why. */
int plain_listen(int port);

/* Accepts, as accept does, numbers the connection and logs it. */
int plain_accept(int listener, int *number);

/* What to do on SIGINT and SIGTERM. */
void plain_on_stop(void (*handler)(int));

/* The same as a descriptor, which can be read then; -1 when there is none. */
int plain_stop_pipe(void);

/* After accept has failed: whether there are too many connections now. */
int plain_is_full(void);

#endif
