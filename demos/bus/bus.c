/* bus.c - from events to buses. */
#include "buses.h"

#include <stdio.h>
#include <string.h>

static void add(char *to, size_t size, const char *text)
{
    size_t used = strlen(to), length = strlen(text);
    if (length > size - 1 - used)
        length = size - 1 - used;
    memcpy(to + used, text, length);
    to[used + length] = '\0';
}

static void keep(struct bus *bus, const char *name, const char *text)
{
    const struct { const char *name; char *at; size_t size; } fields[] = {
        { "id", bus->id, sizeof bus->id },
        { "route", bus->route, sizeof bus->route },
        { "direction", bus->direction, sizeof bus->direction },
        { "latitude", bus->latitude, sizeof bus->latitude },
        { "longitude", bus->longitude, sizeof bus->longitude },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(name, fields[i].name) == 0)
            add(fields[i].at, fields[i].size, text);
}

/* Two states: outside of a bus, and inside. */
bool take_event(struct reading *r, const struct event *e)
{
    bool is_bus = e->kind != TEXT && strcmp(e->text, "bus") == 0;
    if (is_bus && e->kind == START)
        *r = (struct reading){ .inside = true };
    if (!r->inside)
        return false;
    if (e->kind == START)
        r->text[0] = '\0';
    else if (e->kind == TEXT)
        add(r->text, sizeof r->text, e->text);
    else if (!is_bus)
        keep(&r->bus, e->text, r->text);
    r->inside = !(is_bus && e->kind == END);
    return !r->inside;
}

bool is_on_route_22(const struct bus *bus)
{
    return strcmp(bus->route, "22") == 0;
}

bool is_north_bound(const struct bus *bus)
{
    return strcmp(bus->direction, "North Bound") == 0;
}

void print_bus(const struct bus *bus)
{
    printf("%s,%s,\"%s\",%s,%s\n", bus->route, bus->id, bus->direction, bus->latitude,
           bus->longitude);
}
