#include "random.h"

#include <stdlib.h>

static uint64_t state;

unsigned below(unsigned n)
{
    state *= UINT64_C(6364136223846793005);
    state += UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % n;
}

static void run_with(uint64_t seed, void (*one_run)(uint64_t))
{
    state = seed * 2654435761;
    one_run(seed);
}

bool random_runs(uint64_t runs, void (*one_run)(uint64_t))
{
    const char *only = getenv("RANDOM_SEED");
    if (only) {
        run_with(strtoull(only, NULL, 10), one_run);
        return false;
    }
    for (uint64_t seed = 1; seed <= runs; seed++) {
        unsigned failures = CU_get_number_of_failures();
        run_with(seed, one_run);
        if (CU_get_number_of_failures() != failures) {
            IS(seed, -1);          /* shows the first seed that fails */
            break;
        }
    }
    return true;
}

coop_tid any_task(void)
{
    return 2 + (coop_tid)below((unsigned)coop_this->last_tid + 1);
}

bool is_another(coop_tid tid)
{
    coop_info info;
    return coop_inspect(tid, &info) == 0 && !info.system && info.state != COOP_ENDED
        && tid != coop_self();
}

void follow_traps(struct traps *traps, const coop_event *e)
{
    if (e->kind == COOP_TRAP) {
        traps->made++;
        IS(traps->open[e->tid]++, 0);
    } else if (e->kind == COOP_RESULT || e->kind == COOP_WAKE || e->kind == COOP_UNDO) {
        traps->answered++;
        IS(--traps->open[e->tid], 0);
    } else if (e->kind == COOP_EXIT) {
        IS(traps->open[e->tid], 0);
    }
}
