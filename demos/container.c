/* container - the items of something that is far away (async for)

   Asking for the next item may wait, for that task alone: a clock ticks meanwhile. The clock
   is a daemon of the group, so it ends when there is nobody else left. */
#include <coop.h>
#include <stdio.h>

struct cursor { int page, at; };

enum { PAGES = 3, PAGE = 2 };

/* 1 and *item, or 0 at the end. A page of items takes a second. */
coop_routine(next, struct cursor *cursor; int *item; coop_value r;)
{
    coop_begin;
    if (my->cursor->at == 0) {
        coop_trap(my->r, Sleep, .ns = COOP_S(1));
        if (my->r < 0)
            coop_return(my->r);
    }
    if (my->cursor->page == PAGES)
        coop_return(0);
    *my->item = my->cursor->page * PAGE + my->cursor->at;
    my->cursor->at = (my->cursor->at + 1) % PAGE;
    my->cursor->page += my->cursor->at == 0;
    coop_return(1);
    coop_end;
}

coop_routine(reader, struct cursor cursor; int item; coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_await(my->r, next, .cursor = &my->cursor, .item = &my->item);
        if (my->r <= 0)
            break;
        printf("item %d\n", my->item);
    }
    puts("no more");
    coop_return(my->r);
    coop_end;
}

coop_routine(clock, coop_value r;)
{
    coop_begin;
    do {
        coop_trap(my->r, Sleep, .ns = COOP_MS(350));
        if (my->r == 0)
            puts("tick");
    } while (my->r == 0);
    coop_return(my->r);
    coop_end;
}

coop_routine(both, coop_group *group; coop_value r;)
{
    coop_begin;
    coop_trap(my->group, Group);
    coop_trap(coop_void, GroupSpawn, .group = my->group, .daemon = true,
              .target = coop_create(clock));
    coop_trap(coop_void, GroupSpawn, .group = my->group, .target = coop_create(reader));
    coop_trap(my->r, GroupWait, .group = my->group);
    coop_return(my->r);
    coop_end;
}

int main(void)
{
    return coop_main(both) < 0;
}
