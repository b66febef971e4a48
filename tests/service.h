/* service.h - demos/rpc as a process, and what is said to it. RPC is its path; without it
   demos/rpc of the build folder. */
#ifndef SERVICE_H
#define SERVICE_H

#include "talk.h"

#include <sys/types.h>

#define FOO "{\"jsonrpc\": \"2.0\", \"method\": \"foo\", \"id\": \"abcdefgh\"}"
#define OK "{\"jsonrpc\": \"2.0\", \"result\": \"ok\", \"id\": \"abcdefgh\"}"

/* From the second on they serve many clients at once, from the fourth on they are tasks. */
enum { FORMS = 5, MANY_AT_ONCE = 1, TASKS = 3 };
extern const char *const forms[FORMS];

extern talk out;                   /* what the server logs */
extern pid_t server;               /* 0: none */
extern int port;
extern char record[65536];         /* what has been taken of the log */

const char *program(void);

/* Starts a form, with at most `files` open descriptors (0: as here). */
void start(const char *form, int files);

void logs(const char *text);       /* waits for that in the log */
void read_to_end(void);            /* takes the rest of it; the server must end well */
void stop(int number);             /* by that signal, and the same */
int status(void);                  /* how it ended */
void kill_server(void);

void leave_out_ports(void);        /* from the record: the addresses of the clients */

/* Plays a scenario with each form from the first on; what is logged must be the text, or
   the same with all if that is NULL. */
void play(int first, void scenario(void), const char *text);

size_t frame(char *bytes, const char *text);    /* with its length before it */
void ask(talk *, const char *text);
void answers(talk *, const char *text);         /* exactly that is next */
void closes(talk *);                            /* and not one byte comes before */
void leave(talk *, const char *log);

#endif
