/* names.h - addresses whose HOST is a name. */
#ifndef COOP_NAMES_H
#define COOP_NAMES_H

#include "config.h"

#include "coop.h"

enum { COOP_ADDRESS_SIZE = 96 };

struct coop_names_ {
    char host[256];
    const char *address, *port;    /* as given; ":PORT" within it */
    int count;
    coop_address found[16];
    char text[COOP_ADDRESS_SIZE];  /* for one of them with the rest of the address */
};

#pragma GCC visibility push(hidden)

/* Room to ask for the name in address. *names is NULL when there is none, or nothing like
   an address: it can be used as it is. 0 or -ENOMEM. */
int coop_names_new(const char *address, struct coop_names_ **names);

/* Ask for it: the count, or an error. */
coop_declare(coop_names_find, struct coop_names_ *names; coop_value r;);

/* The address with the i-th that was found. */
void coop_names_text(const struct coop_names_ *names, int i, char text[COOP_ADDRESS_SIZE]);

#pragma GCC visibility pop

#endif
