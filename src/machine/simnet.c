/* simnet.c - the simulated machine's stream sockets: their addresses, and how connections
   come and go. */
#include "config.h"

#include "machine/sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_QUEUED = 4096 };

/* ---- Lists ---- */

static void append(struct coop_sim_socket **list, struct coop_sim_socket *s)
{
    while (*list)
        list = &(*list)->next;
    s->next = NULL;
    *list = s;
}

static void take_out(struct coop_sim_socket **list, const struct coop_sim_socket *s)
{
    while (*list && *list != s)
        list = &(*list)->next;
    if (*list)
        *list = s->next;
}

/* ---- Addresses ---- */

/* Into the one form in which they are compared. */
static int settle(coop_spot *spot)
{
    unsigned char raw[16];
    if (spot->kind == COOP_UDP)
        return -ENOSYS;
    if (spot->kind == COOP_LOCAL)
        return *spot->path ? 0 : -EINVAL;
    if (!*spot->host)
        strcpy(spot->host, "::");
    int family = strchr(spot->host, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(family, spot->host, raw) != 1)
        return -EINVAL;
    inet_ntop(family, raw, spot->host, sizeof spot->host);
    unsigned short port = (unsigned short)strtol(spot->port, NULL, 10);
    snprintf(spot->port, sizeof spot->port, "%hu", port);
    return 0;
}

/* Is the one who listens at a reached by those who call at b? */
static bool reaches(const coop_spot *a, const coop_spot *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == COOP_LOCAL)
        return !strcmp(a->path, b->path);
    return !strcmp(a->port, b->port)
        && (!strcmp(a->host, b->host) || !strcmp(a->host, "::")
            || (!strcmp(a->host, "0.0.0.0") && !strchr(b->host, ':')));
}

static bool in_use(const struct coop_sim *m, const coop_spot *at, bool shared)
{
    for (const struct coop_sim_socket *s = m->listeners; s; s = s->next)
        if ((reaches(&s->here, at) || reaches(at, &s->here)) && !(shared && s->shared))
            return true;
    return false;
}

/* A port that nobody has, for all addresses. */
static int give_port(struct coop_sim *m, struct coop_sim_socket *s)
{
    for (int i = 0; i < SIM_PORTS; i++) {
        int port = m->next_port;
        unsigned short number = (unsigned short)(SIM_FIRST_PORT + port);
        coop_spot all = { .kind = COOP_TCP, .host = "::" };
        m->next_port = (port + 1) % SIM_PORTS;
        snprintf(all.port, sizeof all.port, "%hu", number);
        if (m->ports[port] || in_use(m, &all, false))
            continue;
        m->ports[port] = s->given = true;
        strcpy(s->here.port, all.port);
        return 0;
    }
    return -EADDRINUSE;
}

static void take_port_back(struct coop_sim *m, const struct coop_sim_socket *s)
{
    if (s->given)
        m->ports[strtol(s->here.port, NULL, 10) - SIM_FIRST_PORT] = false;
}

/* Those who share an address get one connection or another, by chance. */
static struct coop_sim_socket *who_listens(struct coop_sim *m, const coop_spot *at)
{
    struct coop_sim_socket *found = NULL;
    size_t n = 0;
    for (struct coop_sim_socket *s = m->listeners; s; s = s->next)
        if (reaches(&s->here, at) && (n++ == 0 || coop_sim_below(m, n) == 0))
            found = s;
    return found;
}

static int address(coop_machine *m, int fd, bool peer, char *text, size_t size)
{
    const struct coop_sim_socket *s = coop_sim_socket(coop_sim_of(m), fd);
    if (!s)
        return -EBADF;
    if (peer && s->state != SIM_JOINED)
        return -ENOTCONN;
    const coop_spot *at = peer ? &s->there : &s->here;
    if (at->kind == COOP_LOCAL)
        snprintf(text, size, "%s", at->path);
    else
        snprintf(text, size, strchr(at->host, ':') ? "[%s]:%s" : "%s:%s",
                 at->host, at->port);
    return 0;
}

/* ---- The life of a socket ---- */

static void release(struct coop_sim *m, struct coop_sim_socket *s)
{
    take_port_back(m, s);
    free(s->data);
    free(s);
}

/* A number for a new socket, or the error that there was, and it is gone. */
static int number(struct coop_sim *m, struct coop_sim_socket *s, int error)
{
    int fd = error < 0 ? error : coop_sim_open(m, s);
    if (fd < 0)
        release(m, s);
    return fd;
}

static int listen_socket(coop_machine *machine, const coop_spot *at, int backlog,
                         bool shared)
{
    struct coop_sim *m = coop_sim_of(machine);
    struct coop_sim_socket *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->state = SIM_LISTENS;
    s->here = *at;
    s->shared = shared;
    s->backlog = backlog > 0 && backlog < MOST_QUEUED ? backlog : MOST_QUEUED;
    int r = settle(&s->here);
    if (r == 0 && s->here.kind == COOP_TCP && !strcmp(s->here.port, "0"))
        r = give_port(m, s);
    else if (r == 0 && in_use(m, &s->here, shared))
        r = -EADDRINUSE;
    r = number(m, s, r);
    if (r >= 0)
        append(&m->listeners, s);
    return r;
}

/* The other end, queued at the listener: data can be sent to it before it is accepted. */
static void join(struct coop_sim_socket *s, struct coop_sim_socket *listener)
{
    struct coop_sim_socket *other = calloc(1, sizeof *other);
    s->state = other ? SIM_JOINED : SIM_REFUSED;
    s->error = other ? 0 : ENOMEM;
    if (!other)
        return;
    other->state = SIM_JOINED;
    other->here = s->there;
    other->there = s->here;
    other->peer = s;
    s->peer = other;
    append(&listener->queue, other);
    listener->queued++;
}

/* False: the queue is full, and s has to wait. */
static bool try_to_join(struct coop_sim *m, struct coop_sim_socket *s)
{
    struct coop_sim_socket *listener = who_listens(m, &s->there);
    if (listener && listener->queued >= listener->backlog)
        return false;
    if (listener) {
        join(s, listener);
    } else {
        s->state = SIM_REFUSED;
        bool file = s->there.kind == COOP_LOCAL && *s->there.path != '@';
        s->error = file ? ENOENT : ECONNREFUSED;
    }
    return true;
}

void coop_sim_dial(struct coop_sim *m)
{
    struct coop_sim_socket **at = &m->dialling;
    while (*at) {
        struct coop_sim_socket *s = *at, *next = s->next;
        if (try_to_join(m, s))
            *at = next;
        else
            at = &s->next;
    }
}

static int own_address(struct coop_sim *m, struct coop_sim_socket *s)
{
    int r = settle(&s->there);
    s->here.kind = s->there.kind;
    if (r < 0 || s->here.kind == COOP_LOCAL)
        return r;
    if (!strcmp(s->there.host, "::"))
        strcpy(s->there.host, "::1");
    if (!strcmp(s->there.host, "0.0.0.0"))
        strcpy(s->there.host, "127.0.0.1");
    strcpy(s->here.host, strchr(s->there.host, ':') ? "::1" : "127.0.0.1");
    return give_port(m, s) < 0 ? -EADDRNOTAVAIL : 0;
}

/* tcp:// takes until the next poll, half of the time; unix:// ends at once. */
static int connect_socket(coop_machine *machine, const coop_spot *to)
{
    struct coop_sim *m = coop_sim_of(machine);
    struct coop_sim_socket *s = calloc(1, sizeof *s);
    int r = 0;
    if (!s)
        return -ENOMEM;
    s->state = SIM_DIALS;
    s->there = *to;
    int fd = number(m, s, own_address(m, s));
    if (fd < 0)
        return fd;
    if (s->there.kind == COOP_LOCAL)
        r = try_to_join(m, s) ? -s->error : -EAGAIN;
    else if (coop_sim_below(m, 2) || !try_to_join(m, s))
        append(&m->dialling, s);
    if (r < 0)
        machine->close(machine, fd);
    return r < 0 ? r : fd;
}

static int connected(coop_machine *m, int fd)
{
    const struct coop_sim_socket *s = coop_sim_socket(coop_sim_of(m), fd);
    if (!s)
        return -EBADF;
    if (s->state == SIM_LISTENS)
        return -ENOTCONN;
    return s->state == SIM_DIALS ? -EAGAIN : -s->error;
}

static int accept_socket(coop_machine *machine, int fd, bool *stream)
{
    *stream = true;
    struct coop_sim *m = coop_sim_of(machine);
    struct coop_sim_socket *s = coop_sim_socket(m, fd);
    if (!s)
        return -EBADF;
    if (s->state != SIM_LISTENS)
        return -EINVAL;
    if (!s->queue)
        return -EAGAIN;
    fd = coop_sim_open(m, s->queue);
    if (fd >= 0) {
        s->queue = s->queue->next;
        s->queued--;
    }
    return fd;
}

/* The other end is told: of the end, or of a reset if something was not received. */
static void part(struct coop_sim_socket *s, bool reset)
{
    struct coop_sim_socket *other = s->peer;
    if (!other)
        return;
    other->peer = NULL;
    other->ended = true;
    if (reset) {
        other->error = ECONNRESET;
        other->broken = true;
    }
}

void coop_sim_end(struct coop_sim *m, struct coop_sim_socket *s)
{
    if (s->state == SIM_LISTENS)
        take_out(&m->listeners, s);
    else if (s->state == SIM_DIALS)
        take_out(&m->dialling, s);
    for (struct coop_sim_socket *q = s->queue, *next; q; q = next) {
        next = q->next;
        part(q, true);
        release(m, q);
    }
    part(s, s->used > 0);
    release(m, s);
}

void coop_sim_net(coop_machine *m)
{
    m->listen = listen_socket;
    m->accept = accept_socket;
    m->connect = connect_socket;
    m->connected = connected;
    m->address = address;
}
