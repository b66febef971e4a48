#include "scarce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The linker puts these in front of the library's calls (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);

int right;
long seen, allocations;
static long fail_at, failed, blocks;
static bool for_good;

static bool refuse(void)
{
    allocations++;
    if (!fail_at || !(allocations == fail_at || (for_good && allocations > fail_at)))
        return false;
    failed++;
    return true;
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

bool again(coop_value r)
{
    seen += r == -ENOMEM;
    return r == -ENOMEM && !for_good;
}

/* Counts with the descriptors that are open, so that none gets lost either. */
static int lowest_free(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

void sweep(void (*scenario)(int fd), bool gone_for_good, int wanted)
{
    int ends[2], lowest;
    long n = 0;
    IS(pipe(ends), 0);
    IS(write(ends[1], "x", 1), 1);
    IS(dup2(ends[0], 200), 200);
    lowest = lowest_free();
    do {
        memset(&world, 0, sizeof world);
        allocations = failed = seen = blocks = right = 0;
        for_good = gone_for_good;
        fail_at = ++n;
        scenario(ends[0]);
        fail_at = 0;
        IS(blocks, 0);
        IS(lowest_free(), lowest);
        CU_ASSERT_PTR_NULL(coop_this);
        if (!gone_for_good) {
            IS(seen, failed);
            IS(right, wanted);
            NO_REPORTS();
        } else {
            CU_ASSERT(!failed || seen);
        }
        if (CU_get_number_of_failures()) {
            IS(n, -1);             /* shows which allocation */
            break;
        }
    } while (failed);
    close(ends[0]), close(ends[1]), close(200);
}
