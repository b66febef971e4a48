/* hostmemory.h - a pool of stacks on the host's memory, whose calls fail when asked to. */
#ifndef HOSTMEMORY_H
#define HOSTMEMORY_H

#include "fiber/fiber.h"

enum { MALLOC, MMAP, MARK, WALL, RESIDENT, CALLS };

/* n calls of that kind are made, and from then on each fails. */
void fail_after(int call, int n);
void fail_none(void);
extern bool once;                  /* only the next one fails */
extern int refused;                /* since fail_after */

/* They end the test when they fail. */
struct coop_stacks *pool_with(struct coop_stacks_options);
struct coop_stacks *plain_pool(void);
struct coop_stack *take(struct coop_stacks *, size_t size);

struct coop_stacks_count count_of(const struct coop_stacks *);
bool zeros(const char *at, size_t size);

#endif
