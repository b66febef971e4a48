/* output.h - what is on its way to one client: a bounded ring of bytes between those who
   print and the client's writer task, and the system calls on it.

   A program whose text finds no room waits; so one client costs a fixed amount of
   memory, however little it reads. One that takes nothing for `patience` while somebody
   waits for it is hung up on. */
#ifndef SERVER_OUTPUT_H
#define SERVER_OUTPUT_H

#include "coop.h"

enum {
    OUTPUT_SIZE = 65536,
    OUTPUT_FULL = 49152,           /* Print waits beyond; the rest is for output_tell */
    OUTPUT_CHUNK = 16384           /* goes out at once at most */
};

struct output {
    int client, fd;
    size_t head, used;
    uint64_t sent;                 /* bytes that the host took so far */
    unsigned lost;                 /* lines of output_tell that found no room */
    bool rung;                     /* the bell was rung for it */
    bool dropped, broken;          /* hung up on; sending failed */
    struct coop_Print *first;      /* it is its turn to print */
    coop_call *printers;           /* those behind it */
    struct coop_WaitOutput *writer;
    struct coop_Flush *flusher;
    char ring[OUTPUT_SIZE];
};

struct patience {                  /* of one who waits */
    uint64_t seen;                 /* how much had been sent, and since when */
    int64_t since;
};

/* Print - print whole lines for a client
 *
 * Each line of text begins with tag there, if that is not NULL. Waits while there is no
 * room. Other tasks' lines may come between two lines, never inside one.
 *
 * Returns: 0, or -EPIPE when the client cannot be sent to any more.
 */
struct coop_Print {
    coop_call base;
    coop_timer timer;
    struct output *to;
    const char *tag, *text;
    size_t done;                   /* bytes of text printed */
    struct patience patience;
};

/* WaitOutput - the writer's call: drop what was sent, wait for more
 *
 * sent is the result of the last Send: that many bytes leave the ring. A negative one
 * breaks the output: all who wait for it get -EPIPE.
 *
 * Returns: how many bytes stand at output_front() to be sent, or sent if it is negative.
 */
struct coop_WaitOutput {
    coop_call base;
    struct output *from;
    coop_value sent;
};

/* Flush - wait until all is sent
 *
 * Returns: 0, or -EPIPE when the client cannot be sent to any more.
 */
struct coop_Flush {
    coop_call base;
    coop_timer timer;
    struct output *of;
    struct patience patience;
};

extern const coop_call_type coop_Print_type, coop_WaitOutput_type, coop_Flush_type;

extern int64_t output_patience;    /* ns */

static inline const char *output_front(const struct output *out)
{
    return out->ring + out->head;
}

/* Appends a line without waiting; no trap, so it may be called from an observer. When there
   is no room the line is dropped and counted, and the client is told how many were. */
void output_tell(struct output *, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
