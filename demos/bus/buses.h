/* buses.h - where are the buses of route 22 that go north? What the forms share. */
#ifndef BUSES_H
#define BUSES_H

#include <coop.h>
#include <stdbool.h>
#include <stddef.h>

/* What a parser finds, one after the other. A long text comes in parts. */
struct event {
    enum { START, TEXT, END } kind;
    char text[64];                 /* of an element its name */
};

struct bus {
    char id[16], route[16], direction[16], latitude[24], longitude[24];
};

/* bus.c: a bus is put together from events; true: with this one it is complete. */
struct reading {
    bool inside;
    char text[64];
    struct bus bus;
};
bool take_event(struct reading *, const struct event *);
bool is_on_route_22(const struct bus *);
bool is_north_bound(const struct bus *);
void print_bus(const struct bus *);

/* file.c: the file, always the same. Gives the next part of it, 0 at the end. */
struct file { int next; unsigned random; };
size_t read_file(struct file *, char *buf, size_t size);
enum { PART = 1024 };              /* room for any of them */

/* events.c: expat calls handle from within its own functions. What gives the parts of the
   file is asked until it gives 0, or an error. */
typedef void event_fn(void *arg, const struct event *);
typedef coop_value part_fn(void *arg, char *buf, size_t size);
coop_value parse(part_fn *next, void *from, event_fn *handle, void *arg);
coop_value next_of_file(void *file, char *buf, size_t size);

/* tasks.c: the stages from events to lines as tasks with channels between them. */
bool start_stages(coop_chan *events);
void send_event(void *chan, const struct event *);

/* The forms. */
bool push(void);
bool pull(void);
bool tasks(void);
bool over_socket(void);

#endif
