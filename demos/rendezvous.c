/* rendezvous - how a program makes a system call of its own

   Meet(place, gift) waits at a place until somebody else comes, and the two swap gifts,
   which are numbers. A system call is a struct that begins with a coop_call, and a type
   that says how it is done, undone and shown; coop_trap, kill, traces and deadlock
   reports then treat it like those of the library. Try: COOP_TRACE=1 ./rendezvous */
#include <coop.h>
#include <stdio.h>

struct place {
    const char *name;
    coop_call *waiting;                /* at most one: the second does not wait */
};

struct coop_Meet { coop_call base; struct place *place; int gift; };

static coop_value meet_handle(coop_sched *sched, coop_call *call)
{
    struct coop_Meet *mine = (struct coop_Meet *)call;
    struct coop_Meet *other = (struct coop_Meet *)coop_list_take(&mine->place->waiting);
    int gift;

    if (!other) {
        coop_list_add(&mine->place->waiting, call);
        return COOP_WAIT;
    }
    gift = other->gift;                        /* coop_wake takes the object away */
    coop_wake(sched, &other->base, mine->gift);
    return gift;
}

static bool meet_undo(coop_sched *sched, coop_call *call)
{
    struct coop_Meet *mine = (struct coop_Meet *)call;

    (void)sched;
    return coop_list_remove(&mine->place->waiting, call);
}

static void meet_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Meet *mine = (const struct coop_Meet *)call;

    (void)result;
    coop_print(text, "%s, %d", mine->place->name, mine->gift);
}

static void meet_touches(const coop_call *call, coop_touch *touch)
{
    touch->object = (uintptr_t)((const struct coop_Meet *)call)->place;
    touch->write = true;
}

static const coop_call_type coop_Meet_type = {
    .name = "Meet",
    .handle = meet_handle,
    .undo = meet_undo,
    .describe = meet_describe,
    .touches = meet_touches,
};

coop_routine(guest, struct place *place; const char *name; int brings, gets;)
{
    coop_begin;
    printf("%s brings %d\n", my->name, my->brings);
    coop_trap(my->gets, Meet, .place = my->place, .gift = my->brings);
    printf("%s gets %d\n", my->name, my->gets);
    coop_end;
}

coop_routine(evening, struct place *cafe; coop_tid cat;)
{
    coop_begin;
    coop_spawn(guest, .place = my->cafe, .name = "Ann", .brings = 1);
    coop_spawn(guest, .place = my->cafe, .name = "Bob", .brings = 2);
    my->cat = coop_spawn(guest, .place = my->cafe, .name = "Cat", .brings = 3);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, KillTask, .tid = my->cat, .wait = true);
    puts("Cat is gone, and nobody waits");
    coop_spawn(guest, .place = my->cafe, .name = "Dan", .brings = 4);
    coop_spawn(guest, .place = my->cafe, .name = "Eve", .brings = 5);
    coop_end;
}

int main(void)
{
    struct place cafe = { .name = "cafe" };

    return coop_main(evening, .cafe = &cafe) < 0;
}
