/* choose.c - the policy that a word asks for. */
#include "policy/policy.h"

#include <errno.h>
#include <string.h>

int coop_policy_by_name(const char *word, coop_policy **policy)
{
    uint64_t seed;
    if (!word || !*word || !strcmp(word, "fifo"))
        *policy = coop_fifo();
    else if (!strcmp(word, "priority"))
        *policy = coop_priority();
    else if (!strcmp(word, "mlfq"))
        *policy = coop_mlfq(0, 0, 0);
    else if (!strncmp(word, "lottery", 7) && coop_seed_from(word + 7, &seed))
        *policy = coop_lottery(seed);
    else
        return -EINVAL;
    return *policy ? 0 : -ENOMEM;
}
