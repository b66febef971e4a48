/* memory.h - whole pages of the host. Errors are negative errno. */
#ifndef COOP_MEMORY_H
#define COOP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

size_t coop_page_size(void);

/* Zeroed memory for stacks; takes room in the address space, and real pages one by one when
   they are touched. NULL: there is none. */
void *coop_map(size_t size);
void coop_unmap(void *at, size_t size);

/* From now on any access is a fault. The one needs Linux 6.13 and leaves the mapping whole;
   the other one splits it, and the host limits how many there may be. */
int coop_mark(void *at, size_t size);
int coop_wall(void *at, size_t size);

/* The pages are given back and read as zero next time; marks and walls stay. */
int coop_discard(void *at, size_t size);

/* Which pages are there: bit 0 of a byte for each. at is the beginning of a page. */
int coop_resident(void *at, size_t size, unsigned char *pages);

#pragma GCC visibility pop

#endif
