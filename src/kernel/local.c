/* local.c - values that belong to a task, by key; children get some of them. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>

struct local {
    struct local *next;
    const coop_key *key;
    coop_value value;
    bool inherited;                /* the key's free is the parent's business */
};

struct coop_locals {
    coop_tie tie;
    struct local *first;
};

static void let_go(struct local *l)
{
    if (l->key->free && !l->inherited)
        l->key->free(l->value);
}

static void ended(coop_sched *s, coop_task *t, coop_tie *tie)
{
    struct coop_locals *locals = (struct coop_locals *)tie;
    (void)s;
    coop_more_of(t)->locals = NULL;
    for (struct local *l = locals->first, *next; l; l = next) {
        next = l->next;
        let_go(l);
        free(l);
    }
    free(locals);
}

static struct coop_locals *need_locals(coop_task *t)
{
    struct coop_more *more = coop_need_more(t);
    if (more && !more->locals) {
        more->locals = calloc(1, sizeof *more->locals);
        if (more->locals) {
            more->locals->tie.ended = ended;
            coop_tie_to(more, &more->locals->tie);
        }
    }
    return more ? more->locals : NULL;
}

static struct local *find(const coop_task *t, const coop_key *key)
{
    const struct coop_more *more = coop_more_of(t);
    struct local *l = more && more->locals ? more->locals->first : NULL;
    while (l && l->key != key)
        l = l->next;
    return l;
}

static int add(coop_task *t, const struct local *like)
{
    struct coop_locals *locals = need_locals(t);
    struct local *l = locals ? malloc(sizeof *l) : NULL;
    if (!l)
        return -ENOMEM;
    *l = *like;
    l->next = locals->first;
    locals->first = l;
    return 0;
}

int coop_inherit(coop_task *t, const coop_task *parent)
{
    const struct coop_more *more = coop_more_of(parent);
    const struct local *l = more && more->locals ? more->locals->first : NULL;
    int r = 0;
    for (; l && r == 0; l = l->next)
        if (l->key->inherit)
            r = add(t, &(struct local){ NULL, l->key, l->value, true });
    return r;
}

coop_value coop_local(const coop_key *key)
{
    const coop_task *t = coop_this ? coop_this->current : NULL;
    const struct local *l = t ? find(t, key) : NULL;
    return l ? l->value : 0;
}

int coop_set_local(const coop_key *key, coop_value value)
{
    coop_task *t = coop_this ? coop_this->current : NULL;
    struct local *l = t && key ? find(t, key) : NULL;
    if (!key)
        return -EINVAL;
    if (!t)
        return -ESRCH;
    if (!l)
        return add(t, &(struct local){ NULL, key, value, false });
    struct local old = *l;
    l->value = value;
    l->inherited = false;
    let_go(&old);                  /* which may set values, too */
    return 0;
}
