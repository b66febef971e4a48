/* policy.h - the seam that says which ready task runs next. */
#ifndef COOP_POLICY_H
#define COOP_POLICY_H

#include "coop.h"

struct coop_policy {
    const char *name;
    void (*put)(coop_policy *, coop_task *);        /* became ready */
    coop_task *(*take)(coop_policy *);              /* runs next; NULL: none is ready */
    bool (*remove)(coop_policy *, coop_task *);     /* true: it was ready */
    coop_task *(*after)(coop_policy *, coop_task *);/* walks the queue; NULL: the first */
    void (*free)(coop_policy *);
};

#endif
