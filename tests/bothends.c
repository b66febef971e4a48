#include "bothends.h"

coop_define(both_ends)
{
    coop_begin;
    coop_await(my->listener, coop_listen, .address = "tcp://127.0.0.1:0", .bound = my->at,
               .bound_size = sizeof my->at);
    CU_ASSERT_FATAL(my->listener >= 0);
    coop_await(my->r, coop_dial, .address = my->at);
    CU_ASSERT_FATAL(my->r >= 0);
    *my->here = (int)my->r;
    coop_trap(my->r, Accept, .fd = my->listener);
    CU_ASSERT_FATAL(my->r >= 0);
    *my->there = (int)my->r;
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

coop_define(rest)
{
    coop_begin;
    for (my->i = 0; my->i < 4; my->i++)
        coop_trap(coop_void, Sleep, .ns = 1);
    coop_end;
}
