/* input.h - lines out of a stream of bytes, whatever comes */
#ifndef SERVER_INPUT_H
#define SERVER_INPUT_H

#include "lines.h"

struct input {
    char line[LINE_ROOM];          /* of len bytes: the line so far */
    size_t len;
    bool complete, skipping;
    unsigned char telnet;
};

/* Takes bytes from *at on until a line is complete. Returns true if one is: LF, CR LF or
   CR NUL ended it and is not in it. What telnet negotiates is left out. A line longer
   than LINE_LIMIT is given once, with its first LINE_LIMIT + 1 bytes. */
bool input_take(struct input *, const char *bytes, size_t count, size_t *at);

/* The stream ended. Returns true if it did so within a line, which is complete then. */
bool input_end(struct input *);

#endif
