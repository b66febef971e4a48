#include "blocks.h"

#include <stddef.h>

/* The linker puts these in front of the library's calls (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);

long blocks;
unsigned long asked, refused;
bool no_memory;
static unsigned long fails_at;
static bool all_after;

void blocks_fail(unsigned long nth, bool for_good)
{
    asked = refused = 0;
    fails_at = nth;
    all_after = for_good;
}

static bool refuse(void)
{
    asked++;
    bool fails = no_memory
        || (fails_at && (asked == fails_at || (all_after && asked > fails_at)));
    refused += fails;
    return fails;
}

void *__wrap_malloc(size_t size)
{
    void *block = refuse() ? NULL : __real_malloc(size);
    blocks += block != NULL;
    return block;
}

void *__wrap_calloc(size_t n, size_t size)
{
    void *block = refuse() ? NULL : __real_calloc(n, size);
    blocks += block != NULL;
    return block;
}

void *__wrap_realloc(void *old, size_t size)
{
    void *block = refuse() ? NULL : __real_realloc(old, size);
    blocks += block != NULL && !old;
    return block;
}

void __wrap_free(void *block)
{
    blocks -= block != NULL;
    __real_free(block);
}
