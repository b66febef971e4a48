#include "config.h"
#include "virtual.h"

#include <errno.h>
#include <string.h>

static int64_t now(coop_machine *m)
{
    return ((struct virtual_machine *)m)->clock;
}

static int watch(coop_machine *m, int fd, unsigned events)
{
    struct virtual_machine *v = (struct virtual_machine *)m;
    if (fd >= VIRTUAL_FDS)
        return -EMFILE;
    events &= COOP_READ | COOP_WRITE;
    v->watching += !!events - !!v->watched[fd];
    v->watched[fd] = events;
    return 0;
}

static bool is_watched(const struct virtual_machine *v, const struct virtual_fire *f)
{
    return v->watched[f->fd] && (f->events & (v->watched[f->fd] | COOP_BAD));
}

static int64_t next_fire(const struct virtual_machine *v)
{
    int64_t at = INT64_MAX;
    for (int i = 0; i < v->fire_count; i++)
        if (is_watched(v, &v->fires[i]) && v->fires[i].at < at)
            at = v->fires[i].at;
    return at;
}

static int pass_time(struct virtual_machine *v, int64_t timeout)
{
    int64_t until = timeout < 0 ? INT64_MAX : v->clock + timeout, fire = next_fire(v);
    if (fire < until)
        until = fire;
    v->stuck = timeout < 0 && until == INT64_MAX;
    if (v->stuck)
        return -EIO;
    if (until > v->clock) {
        v->slept += until - v->clock;
        v->clock = until;
    }
    return 0;
}

static int poll_script(coop_machine *m, int64_t timeout, coop_fired *fired, int max)
{
    struct virtual_machine *v = (struct virtual_machine *)m;
    int r = v->poll_error, n = 0, left = 0;
    v->poll_error = 0;
    if (timeout)
        v->blocked++;
    else
        v->looked++;
    if (r == 0 && timeout)
        r = pass_time(v, timeout);
    if (r < 0)
        return r;
    for (int i = 0; i < v->fire_count; i++) {
        struct virtual_fire f = v->fires[i];
        if (n < max && f.at <= v->clock && is_watched(v, &f))
            fired[n++] = (coop_fired){ f.fd, f.events };
        else
            v->fires[left++] = f;
    }
    v->fire_count = left;
    return n;
}

static int close_fd(coop_machine *m, int fd)
{
    (void)m;
    return fd < VIRTUAL_FDS ? 0 : -EBADF;
}

static void release(coop_machine *m)
{
    ((struct virtual_machine *)m)->freed = true;
}

coop_machine *virtual_machine(struct virtual_machine *v)
{
    memset(v, 0, sizeof *v);
    v->face = (coop_machine){
        .name = "virtual", .free = release, .now = now, .watch = watch,
        .poll = poll_script, .close = close_fd
    };
    return &v->face;
}

void virtual_fire(struct virtual_machine *v, int64_t at, int fd, unsigned events)
{
    if (v->fire_count < VIRTUAL_FIRES)
        v->fires[v->fire_count++] = (struct virtual_fire){ at, fd, events };
}
