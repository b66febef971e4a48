/* lines.h - a bounded queue of lines between tasks, with two system calls of its own:
   a user program can define its calls, and they show up in ps and traces like coop's. */
#ifndef SERVER_LINES_H
#define SERVER_LINES_H

#include "coop.h"

enum { LINE_LIMIT = 1024, LINE_ROOM = LINE_LIMIT + 3, LINES_SLOTS = 4 };

struct lines {
    char name[24];                 /* as the calls show it */
    bool ended;                    /* nothing more is put; what is in it can be got */
    unsigned first, used;
    coop_call *getters, *putters;  /* who waits */
    struct {
        size_t len;
        char text[LINE_ROOM];
    } slot[LINES_SLOTS];
};

/* PutLine - give a queue a line, or its end
 *
 * Waits while the queue is full. text has len bytes, LINE_ROOM - 1 at most.
 *
 * Returns: 0, or -EPIPE after the end.
 */
struct coop_PutLine {
    coop_call base;
    struct lines *to;
    const char *text;
    size_t len;
    bool end;
};

/* GetLine - take the next line
 *
 * Waits while the queue is empty. line has LINE_ROOM bytes and receives it, with a NUL.
 *
 * Returns: its length, or -EPIPE when the end is reached.
 */
struct coop_GetLine {
    coop_call base;
    struct lines *from;
    char *line;
};

extern const coop_call_type coop_PutLine_type, coop_GetLine_type;

#endif
