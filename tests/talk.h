/* talk.h - a server process and connections to it, for tests that drive a built program

   Waiting is always for a text; the limits in time only end a test that has failed. */
#ifndef TALK_H
#define TALK_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct talk {              /* bytes from a connection or a pipe */
    int fd;
    size_t len;
    char text[65536];              /* read and not yet taken */
} talk;

/* Starts a program with its output, standard error too, in *out, and at most `files` open
   descriptors (0: as here). The last argument is NULL. Returns its pid. */
pid_t talk_start(talk *out, int files, const char *program, ...);

/* How the program ended: its exit status, or 1000 and the signal's number. */
int talk_status(pid_t);

/* Kilobytes of memory that it has, 0 where the host does not tell. */
long talk_memory(pid_t);

void talk_connect(talk *, int port);
void talk_send(talk *, const char *text);
void talk_send_bytes(talk *, const char *bytes, size_t len);
void talk_half_close(talk *);
void talk_close(talk *);
void talk_reset(talk *);           /* close with a reset */

/* Waits until the text has come and takes everything up to its end. Returns false when it
   does not come; what did come is shown. */
bool talk_gets(talk *, const char *text);

/* The same, but returns what came before it, good until the next call, or NULL. */
const char *talk_until(talk *, const char *text);

/* The number between two texts, -1 if it does not come. */
long talk_number(talk *, const char *before, const char *after);

/* Everything up to the end of the stream, as a text; NULL if that does not come. */
const char *talk_rest(talk *);

#define GETS(TALK, TEXT) CU_ASSERT_FATAL(talk_gets(TALK, TEXT))

#endif
