/* mlfq.c - multi-level feedback: who has used up its allotment of slices goes down a level,
   and now and then all come up again.

   A task's note is how many slices it has used, counted from the time of the last boost on:
   each boost moves the beginning of the count up to where no note can be yet. */
#include "policy/policy.h"

#include <stdlib.h>

enum { LEVELS = 3, ALLOTMENT = 4, BOOST = 256, MOST_LEVELS = 64 };

struct mlfq {
    coop_policy face;
    int64_t begin, allotment;
    unsigned boost, until_boost;   /* slices */
    int levels;
    struct line lines[MOST_LEVELS];        /* the highest level first */
};

static int level_of(const struct mlfq *q, coop_task *t)
{
    const int64_t *note = coop_task_note(t);
    return note && *note > q->begin ? (int)((*note - q->begin) / q->allotment) : 0;
}

/* Who is at the lowest level cannot use up more. */
static void count_slice(struct mlfq *q, coop_task *t)
{
    int64_t *note = coop_task_note(t), most = q->begin + (q->levels - 1) * q->allotment;
    if (note && *note < most)
        *note = (*note < q->begin ? q->begin : *note) + 1;
}

static void boost(struct mlfq *q)
{
    q->until_boost = q->boost;
    q->begin += (q->levels - 1) * q->allotment;
    for (int i = 1; i < q->levels; i++)
        coop_line_join(&q->lines[0], &q->lines[i]);
}

static void put(coop_policy *p, coop_task *t)
{
    struct mlfq *q = (struct mlfq *)p;
    line_add(&q->lines[level_of(q, t)], t);
}

static coop_task *take(coop_policy *p)
{
    struct mlfq *q = (struct mlfq *)p;
    coop_task *t = NULL;
    if (!q->until_boost)
        boost(q);
    for (int i = 0; !t && i < q->levels; i++)
        t = line_take(&q->lines[i]);
    if (t) {
        q->until_boost--;
        count_slice(q, t);
    }
    return t;
}

static bool take_out(coop_policy *p, coop_task *t)
{
    struct mlfq *q = (struct mlfq *)p;
    return coop_line_remove(&q->lines[level_of(q, t)], t);
}

static coop_task *after(coop_policy *p, coop_task *t)
{
    struct mlfq *q = (struct mlfq *)p;
    coop_task *next = t ? t->next : NULL;
    for (int i = t ? level_of(q, t) + 1 : 0; !next && i < q->levels; i++)
        next = q->lines[i].first;
    return next;
}

static void release(coop_policy *p)
{
    free(p);
}

coop_policy *coop_mlfq(unsigned levels, unsigned allotment, unsigned boost)
{
    struct mlfq *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->face = (coop_policy){ "mlfq", put, take, take_out, after, release, false };
    q->levels = levels > MOST_LEVELS ? MOST_LEVELS : levels ? (int)levels : LEVELS;
    q->allotment = allotment ? allotment : ALLOTMENT;
    q->boost = q->until_boost = boost ? boost : BOOST;
    return &q->face;
}
