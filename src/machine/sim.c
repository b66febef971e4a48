/* sim.c - the simulated machine: a clock that stands still while tasks run, descriptors,
   jobs, names and random bytes, all from memory and a seed. */
#include "config.h"

#include "machine/sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_FD = 3 };

/* The wall clock begins at 2009-03-25 00:00:00 UTC. */
static const int64_t WALL_START = COOP_S(1237939200);

/* ---- Chance: splitmix64 ---- */

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

size_t coop_sim_below(struct coop_sim *m, size_t n)
{
    return (size_t)(draw(&m->chance) % n);
}

static int random_bytes(coop_machine *machine, void *buf, size_t len)
{
    unsigned char *to = buf;
    uint64_t z = 0;
    for (size_t i = 0; i < len; i++, z >>= 8) {
        if (i % 8 == 0)
            z = draw(&coop_sim_of(machine)->bytes);
        to[i] = (unsigned char)z;
    }
    return 0;
}

/* ---- Time ---- */

static int64_t now(coop_machine *m)
{
    return coop_sim_of(m)->clock;
}

static int64_t wall(coop_machine *m)
{
    int64_t clock = coop_sim_of(m)->clock;
    return clock < INT64_MAX - WALL_START ? WALL_START + clock : INT64_MAX;
}

/* ---- Descriptors ---- */

/* The program's own: it can print, and has nothing to read. */
static bool is_console(int fd)
{
    return fd >= 0 && fd < FIRST_FD;
}

struct coop_sim_socket *coop_sim_socket(struct coop_sim *m, int fd)
{
    return fd >= 0 && fd < m->size ? m->slots[fd].socket : NULL;
}

int coop_sim_open(struct coop_sim *m, struct coop_sim_socket *socket)
{
    int fd = m->lowest;
    while (fd < m->size && m->slots[fd].socket)
        fd++;
    if (fd >= m->size) {
        int size = m->size ? m->size * 2 : 16;
        struct coop_sim_slot *slots = realloc(m->slots, (size_t)size * sizeof *slots);
        if (!slots)
            return -ENOMEM;
        memset(slots + m->size, 0, (size_t)(size - m->size) * sizeof *slots);
        m->slots = slots;
        m->size = size;
    }
    m->slots[fd].socket = socket;
    m->lowest = fd + 1;
    return fd;
}

/* Who watches it is told that it is not open. */
static int close_fd(coop_machine *machine, int fd)
{
    struct coop_sim *m = coop_sim_of(machine);
    struct coop_sim_socket *socket = coop_sim_socket(m, fd);
    if (!socket)
        return -EBADF;
    m->slots[fd].socket = NULL;
    if (fd < m->lowest)
        m->lowest = fd;
    coop_sim_end(m, socket);
    return 0;
}

static int way(coop_machine *m, int fd)
{
    return is_console(fd) || coop_sim_socket(coop_sim_of(m), fd) ? COOP_BY_TRYING : -EBADF;
}

static coop_value read_fd(coop_machine *m, int fd, void *buf, size_t len)
{
    return is_console(fd) ? 0 : m->recv(m, fd, buf, len);
}

static coop_value write_fd(coop_machine *m, int fd, const void *buf, size_t len)
{
    if (!is_console(fd))
        return m->send(m, fd, buf, len);
    coop_say(fd, buf, len);
    return (coop_value)len;
}

static int watch(coop_machine *machine, int fd, unsigned events)
{
    struct coop_sim *m = coop_sim_of(machine);
    unsigned wanted = events & (COOP_READ | COOP_WRITE);
    if (is_console(fd)) {
        m->console[fd] = wanted;
        return 0;
    }
    if (wanted && !coop_sim_socket(m, fd))
        return -EBADF;
    if (fd >= 0 && fd < m->size)
        m->slots[fd].watched = wanted;
    return 0;
}

static int tell(const struct coop_sim *m, coop_fired *fired, int max)
{
    int n = 0;
    for (int fd = 0; is_console(fd) && n < max; fd++)
        if (m->console[fd])
            fired[n++] = (coop_fired){ fd, m->console[fd] };
    for (int fd = 0; fd < m->size && n < max; fd++) {
        const struct coop_sim_slot *slot = &m->slots[fd];
        if (!slot->watched)
            continue;
        unsigned here = slot->socket ? coop_sim_state(slot->socket) : COOP_BAD;
        if (here & (slot->watched | COOP_BAD))
            fired[n++] = (coop_fired){ fd, here & (slot->watched | COOP_BAD | COOP_OVER) };
    }
    return n;
}

/* ---- Jobs ---- */

static void append(coop_job **list, coop_job *job)
{
    while (*list)
        list = &(*list)->next;
    job->next = NULL;
    *list = job;
}

static int work(coop_machine *m, coop_job *job)
{
    append(&coop_sim_of(m)->queued, job);
    return 0;
}

static bool withdraw(coop_machine *m, coop_job *job)
{
    for (coop_job **at = &coop_sim_of(m)->queued; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            return true;
        }
    return false;
}

static coop_job *finished(coop_machine *machine)
{
    struct coop_sim *m = coop_sim_of(machine);
    coop_job *job = m->finished;
    if (job)
        m->finished = job->next;
    return job;
}

static void do_one(struct coop_sim *m)
{
    coop_job *job = m->queued;
    m->queued = job->next;
    job->result = job->run(&m->face, (coop_call *)job - 1);
    append(&m->finished, job);
}

/* ---- Waiting ---- */

static int heed(coop_machine *machine, bool on)
{
    struct coop_sim *m = coop_sim_of(machine);
    if (on && !m->has_bell && sem_init(&m->bell, 0, 0) < 0)
        return -errno;
    m->has_bell |= on;
    m->heeds = on;
    return 0;
}

static void rouse(coop_machine *machine)
{
    sem_post(&coop_sim_of(machine)->bell);
}

static void give_way(coop_machine *m)
{
    (void)m;
    sched_yield();
}

/* Until somebody rouses, or has since the last time. */
static void sleep_until_roused(struct coop_sim *m)
{
    sem_wait(&m->bell);
    while (sem_trywait(&m->bell) == 0)
        ;
}

/* When nothing else can happen a job is done, and when there is none time passes. Without a
   limit only other threads are left to wait for, since all else that could come is in here. */
static int poll_sim(coop_machine *machine, int64_t timeout, coop_fired *fired, int max)
{
    struct coop_sim *m = coop_sim_of(machine);
    coop_sim_dial(m);
    int n = tell(m, fired, max);
    if (n || m->finished || !timeout)
        return n;
    if (m->queued)
        do_one(m);
    else if (timeout < 0 && m->heeds)
        sleep_until_roused(m);
    else if (timeout < 0)
        return -EDEADLK;
    else
        m->clock += timeout < INT64_MAX - m->clock ? timeout : INT64_MAX - m->clock;
    return 0;
}

/* ---- Names ---- */

/* "1.2.3.4", "::1" and "[::1]", as ":PORT" can follow it. */
static bool numeric(const char *name, char *text, size_t size)
{
    unsigned char raw[16];
    char host[INET6_ADDRSTRLEN + 2], closed;
    if (inet_pton(AF_INET, name, raw) == 1)
        return inet_ntop(AF_INET, raw, text, (socklen_t)size);
    bool brackets = *name == '[';
    size_t len = strcspn(name + brackets, "]");
    if (len >= sizeof host || (closed = name[brackets + len]) != (brackets ? ']' : '\0'))
        return false;
    memcpy(host, name + brackets, len);
    host[len] = '\0';
    if ((closed && name[len + 2]) || inet_pton(AF_INET6, host, raw) != 1)
        return false;
    inet_ntop(AF_INET6, raw, host, sizeof host);
    snprintf(text, size, "[%s]", host);
    return true;
}

static int resolve(coop_machine *m, const char *name, coop_address *addresses, int max)
{
    coop_address found[2] = { { "127.0.0.1" }, { "[::1]" } };
    int n = 2;
    (void)m;
    if (strcmp(name, "localhost"))
        n = numeric(name, found[0].text, sizeof found[0].text);
    if (n > max)
        n = max;
    memcpy(addresses, found, (size_t)n * sizeof *found);
    return n ? n : -ENOENT;
}

/* ---- What there is not ---- */

static int no_open(coop_machine *m, const char *path, int flags, int mode)
{
    (void)m, (void)path, (void)flags, (void)mode;
    return -ENOSYS;
}

static coop_value no_pread(coop_machine *m, int fd, void *buf, size_t len, int64_t at)
{
    (void)m, (void)fd, (void)buf, (void)len, (void)at;
    return -ENOSYS;
}

static coop_value no_pwrite(coop_machine *m, int fd, const void *buf, size_t len,
                            int64_t at)
{
    (void)m, (void)fd, (void)buf, (void)len, (void)at;
    return -ENOSYS;
}

static int no_fsync(coop_machine *m, int fd, bool data)
{
    (void)m, (void)fd, (void)data;
    return -ENOSYS;
}

static int no_stat(coop_machine *m, const char *path, int fd, coop_stat *stat)
{
    (void)m, (void)path, (void)fd, (void)stat;
    return -ENOSYS;
}

static int no_unlink(coop_machine *m, const char *path)
{
    (void)m, (void)path;
    return -ENOSYS;
}

static int no_signals(coop_machine *m, uint64_t signals)
{
    (void)m, (void)signals;
    return -ENOSYS;
}

static uint64_t none_arrived(coop_machine *m)
{
    (void)m;
    return 0;
}

static int no_spawn(coop_machine *m, const struct coop_Spawn *call)
{
    (void)m, (void)call;
    return -ENOSYS;
}

static int no_child(coop_machine *m, int pid, int *status, int *signal)
{
    (void)m, (void)pid, (void)status, (void)signal;
    return -ENOSYS;
}

static int no_kill(coop_machine *m, int pid, int signal)
{
    (void)m, (void)pid, (void)signal;
    return -ENOSYS;
}

/* ---- The machine ---- */

static void release(coop_machine *machine)
{
    struct coop_sim *m = coop_sim_of(machine);
    for (int fd = 0; fd < m->size; fd++)
        close_fd(machine, fd);
    if (m->has_bell)
        sem_destroy(&m->bell);
    free(m->slots);
    free(m);
}

coop_machine *coop_sim(uint64_t seed)
{
    struct coop_sim *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->chance = seed;
    m->bytes = ~seed;
    m->lowest = FIRST_FD;
    m->face = (coop_machine){
        .name = "sim", .free = release, .now = now, .wall = wall, .random = random_bytes,
        .watch = watch, .poll = poll_sim, .close = close_fd, .way = way, .read = read_fd,
        .write = write_fd, .open = no_open, .pread = no_pread, .pwrite = no_pwrite,
        .fsync = no_fsync, .stat = no_stat, .unlink = no_unlink, .resolve = resolve,
        .work = work, .withdraw = withdraw, .finished = finished, .want = no_signals,
        .arrived = none_arrived, .heed = heed, .rouse = rouse, .give_way = give_way,
        .spawn = no_spawn, .child = no_child, .kill = no_kill
    };
    coop_sim_net(&m->face);
    coop_sim_data(&m->face);
    return &m->face;
}
