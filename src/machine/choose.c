/* choose.c - the machine that a word asks for. */
#include "config.h"

#include "machine/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int coop_machine_by_name(const char *word, const char *poller, unsigned threads,
                         coop_machine **machine)
{
    uint64_t seed;
    if (!word || !*word || !strcmp(word, "unix"))
        return coop_open_unix(poller, threads, machine);
    if (strncmp(word, "sim", 3) || !coop_seed_from(word + 3, &seed))
        return -ENODEV;
    *machine = coop_sim(seed);
    return *machine ? 0 : -ENOMEM;
}
