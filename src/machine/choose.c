/* choose.c - the machine that a word asks for. */
#include "config.h"

#include "machine/machine.h"

#include <errno.h>
#include <string.h>

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
