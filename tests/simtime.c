/* The machine of virtual.h on top of the simulated one: with this file in place of
   virtual.c a suite that needs no descriptors runs on the simulated machine. */
#include "config.h"
#include "machine/sim.h"
#include "virtual.h"

#include <errno.h>
#include <string.h>

static coop_machine *sim;

static int64_t now(coop_machine *m)
{
    struct virtual_machine *v = (struct virtual_machine *)m;
    coop_sim_of(sim)->clock = v->clock;
    return sim->now(sim);
}

static int watch(coop_machine *m, int fd, unsigned events)
{
    (void)m;
    return sim->watch(sim, fd, events);
}

static int poll_sim(coop_machine *m, int64_t timeout, coop_fired *fired, int max)
{
    struct virtual_machine *v = (struct virtual_machine *)m;
    int64_t before = now(m);
    int n = sim->poll(sim, timeout, fired, max);
    v->blocked += timeout != 0;
    v->looked += timeout == 0;
    v->stuck = n == -EDEADLK;
    v->clock = sim->now(sim);
    v->slept += v->clock - before;
    return n;
}

static int close_fd(coop_machine *m, int fd)
{
    (void)m;
    return sim->close(sim, fd);
}

static void release(coop_machine *m)
{
    sim->free(sim);
    ((struct virtual_machine *)m)->freed = true;
}

coop_machine *virtual_machine(struct virtual_machine *v)
{
    memset(v, 0, sizeof *v);
    sim = coop_sim(1);
    v->face = (coop_machine){ .name = "sim", .free = release, .now = now, .watch = watch,
                              .poll = poll_sim, .close = close_fd };
    return sim ? &v->face : NULL;
}
