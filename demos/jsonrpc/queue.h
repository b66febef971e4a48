/* queue.h - a bounded queue of answers between two tasks, with two system calls of its own,
   as doc/writing-calls.md tells how to make them */
#ifndef JSONRPC_QUEUE_H
#define JSONRPC_QUEUE_H

#include "protocol.h"
#include <coop.h>

enum { QUEUE_SLOTS = 4 };

struct queue {                     /* all zero is an empty one */
    struct answer slot[QUEUE_SLOTS];
    unsigned first, used;
    bool ended;                    /* nothing more is put; what is in it can be got */
    coop_call *getters, *putters;  /* who waits */
};

/* Put - give a queue an answer, or its end
 *
 * Waits while the queue is full. With the result 0 the queue owns the answer; with any
 * other it stays the caller's. An answer without bytes is the end.
 *
 * Returns: 0, or -EPIPE after the end.
 */
struct coop_Put { coop_call base; struct queue *to; struct answer answer; };

/* Get - take the next answer
 *
 * Waits while the queue is empty. *answer is the caller's to free.
 *
 * Returns: 0, or -EPIPE when the end is reached.
 */
struct coop_Get { coop_call base; struct queue *from; struct answer *answer; };

extern const coop_call_type coop_Put_type, coop_Get_type;

/* Frees what nobody got. */
void queue_clear(struct queue *);

#endif
