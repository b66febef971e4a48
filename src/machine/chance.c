/* chance.c - numbers that look like chance, and are the same for the same seed. */
#include "config.h"

#include "machine/machine.h"

#include <errno.h>
#include <stdlib.h>

/* splitmix64 */
uint64_t coop_draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

bool coop_seed_from(const char *text, uint64_t *seed)
{
    char *end;
    *seed = 0;
    if (!*text)
        return true;
    if (*text != ':' || text[1] < '0' || text[1] > '9')
        return false;
    errno = 0;
    *seed = strtoull(text + 1, &end, 10);
    return !*end && !errno;
}
