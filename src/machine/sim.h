/* sim.h - the simulated machine's parts: sim.c has time, descriptors, jobs and what is not
   there; simnet.c addresses and connections; simdata.c what goes through them. Nothing here
   asks the host for anything but memory, to print, and to sleep until another thread comes. */
#ifndef COOP_SIM_H
#define COOP_SIM_H

#include "machine/machine.h"

#include <semaphore.h>

/* Ports that are given to those who ask for any. */
enum { SIM_FIRST_PORT = 49152, SIM_PORTS = 65536 - SIM_FIRST_PORT };

struct coop_sim_socket {
    enum { SIM_LISTENS, SIM_DIALS, SIM_REFUSED, SIM_JOINED } state;
    bool shared;                   /* SIM_LISTENS: the address, with others */
    bool given;                    /* the port of here is one that was given */
    bool ended;                    /* nothing more will come */
    bool deaf, mute;               /* shut down for receiving, for sending */
    bool broken;                   /* what is sent reaches nobody */
    int error;                     /* to be told next */
    coop_spot here, there;
    struct coop_sim_socket *next;  /* in the one list that it stands in */
    struct coop_sim_socket *queue; /* not accepted yet, the oldest first */
    int queued, backlog;
    struct coop_sim_socket *peer;  /* SIM_JOINED: the other end, NULL when it is closed */
    char *data;                    /* come, and not received */
    size_t size, from, used;
};

struct coop_sim_slot {
    struct coop_sim_socket *socket;            /* NULL: the descriptor is not open */
    unsigned watched;
};

struct coop_sim {
    coop_machine face;
    int64_t clock;
    uint64_t chance, bytes;        /* generators: of what happens, and of random bytes */
    struct coop_sim_slot *slots;   /* by descriptor */
    int size, lowest;              /* no descriptor below lowest is free */
    unsigned console[3];           /* events that are watched of 0 to 2: always there */
    struct coop_sim_socket *listeners;
    struct coop_sim_socket *dialling;          /* not connected yet, the oldest first */
    int next_port;
    bool ports[SIM_PORTS];         /* those given */
    coop_job *queued, *finished;   /* the oldest first */
    bool heeds, has_bell;          /* others may rouse, by the bell */
    sem_t bell;
};

#pragma GCC visibility push(hidden)

/* From 0 to n - 1. */
size_t coop_sim_below(struct coop_sim *, size_t n);

/* Descriptors: the socket of one, NULL: not open; a number for a socket, or -ENOMEM. */
struct coop_sim_socket *coop_sim_socket(struct coop_sim *, int fd);
int coop_sim_open(struct coop_sim *, struct coop_sim_socket *);

/* simnet.c. dial lets those connect that can now; end closes and releases. */
void coop_sim_net(coop_machine *);
void coop_sim_dial(struct coop_sim *);
void coop_sim_end(struct coop_sim *, struct coop_sim_socket *);

/* simdata.c. state: the events that are there. */
void coop_sim_data(coop_machine *);
unsigned coop_sim_state(const struct coop_sim_socket *);

#pragma GCC visibility pop

static inline struct coop_sim *coop_sim_of(coop_machine *m)
{
    return (struct coop_sim *)m;
}

#endif
