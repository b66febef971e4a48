#include "scarce.h"

#include "blocks.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int right;
long seen, allocations;
static bool for_good;

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
    unsigned long n = 0, failed;
    IS(pipe(ends), 0);
    IS(write(ends[1], "x", 1), 1);
    IS(dup2(ends[0], 200), 200);
    lowest = lowest_free();
    do {
        memset(&world, 0, sizeof world);
        seen = right = 0;
        for_good = gone_for_good;
        long before = blocks;
        blocks_fail(++n, for_good);
        scenario(ends[0]);
        allocations = (long)asked;
        failed = refused;
        blocks_fail(0, false);
        IS(blocks, before);
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
