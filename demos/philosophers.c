/* philosophers [order | stuck] - five forks, and each eats with two (E. W. Dijkstra)

   Each takes the fork at his left and waits for the one at his right. The last would close a
   circle of waits: he is refused, puts his fork down and tries again. With "order" the fork
   with the lower number comes first, and there is never a circle. With "stuck" they wait for
   a fork or for the end of the dinner. That might come first, so nobody is refused; but it
   does not, and the deadlock is reported. */
#include <coop.h>
#include <stdio.h>
#include <string.h>

enum { SEATS = 5 };

static coop_lock forks[SEATS] = {
    { .name = "fork 0" }, { .name = "fork 1" }, { .name = "fork 2" }, { .name = "fork 3" },
    { .name = "fork 4" }
};
static coop_event_flag over = { .name = "the end" };

coop_routine(dine, const char *name; coop_lock *first, *second; bool stuck; int which;
             coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_trap(coop_void, Lock, .lock = my->first);
        printf("%s takes %s\n", my->name, my->first->name);
        coop_trap(coop_void, Sleep, .ns = COOP_MS(10));
        if (my->stuck)
            coop_any(my->which, my->r, (Lock, .lock = my->second),
                     (EventWait, .event = &over));
        else
            coop_trap(my->r, Lock, .lock = my->second);
        if (my->r == 0)
            break;
        printf("%s puts it down: %s\n", my->name, strerror((int)-my->r));
        coop_trap(coop_void, Unlock, .lock = my->first);
        coop_trap(coop_void, Sleep, .ns = COOP_MS(10));
    }
    printf("%s eats\n", my->name);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(10));
    coop_finally;
    coop_trap(coop_void, Unlock, .lock = my->second);
    coop_trap(coop_void, Unlock, .lock = my->first);
    coop_end;
}

int main(int argc, char **argv)
{
    static const char *const names[SEATS] = { "Ann", "Bob", "Cat", "Dan", "Eve" };
    bool order = argc == 2 && !strcmp(argv[1], "order");
    bool stuck = argc == 2 && !strcmp(argv[1], "stuck");

    for (int i = 0; i < SEATS; i++) {
        coop_lock *left = &forks[i], *right = &forks[(i + 1) % SEATS];
        bool swap = order && right < left;

        coop_name(coop_spawn(dine, .name = names[i], .first = swap ? right : left,
                             .second = swap ? left : right, .stuck = stuck),
                  names[i]);
    }
    return coop_run() < 0;
}
