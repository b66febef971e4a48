/* letterbox.h - a box of fixed size, into which any thread and signal handlers put items at any
   moment and from which one thread takes them, in order; without locks. */
#ifndef COOP_LETTERBOX_H
#define COOP_LETTERBOX_H

#include <stdbool.h>
#include <stddef.h>

struct letterbox;

#pragma GCC visibility push(hidden)

struct letterbox *coop_letterbox_open(size_t size, size_t capacity);    /* NULL: no memory */
void coop_letterbox_free(struct letterbox *);

bool coop_letterbox_put(struct letterbox *, const void *item);  /* false: it is full */
void *coop_letterbox_first(struct letterbox *);     /* NULL: it is empty, or is being put */
void coop_letterbox_drop(struct letterbox *);       /* the first */

#pragma GCC visibility pop

#endif
