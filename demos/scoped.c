/* scoped - a connection that is closed however its user ends (async with)

   What stands behind coop_finally is done in every case, once, and may wait: here to say
   goodbye over a slow line. The user is let be, then killed, then out of time, and in the end
   killed before there is a connection. */
#include <coop.h>
#include <stdio.h>

struct database { bool connected; };

/* Each takes 100 ms, there and back. */
coop_routine(db_connect, struct database *db; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = COOP_MS(100));
    if (my->r < 0)
        coop_return(my->r);
    my->db->connected = true;
    puts("connect");
    coop_end;
}

coop_routine(db_set_key, struct database *db; const char *key; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = COOP_MS(100));
    if (my->r < 0)
        coop_return(my->r);
    printf("set_key %s\n", my->key);
    coop_end;
}

coop_routine(db_close, struct database *db;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(100));
    my->db->connected = false;
    puts("close");
    coop_end;
}

coop_routine(user, int64_t limit; struct database db; coop_value r;)
{
    coop_begin;
    if (my->limit)
        coop_trap(coop_void, Deadline, .ns = my->limit);
    coop_await(my->r, db_connect, .db = &my->db);
    if (my->r == 0)
        coop_await(my->r, db_set_key, .db = &my->db, .key = "language");
    if (my->r == 0)
        coop_await(my->r, db_set_key, .db = &my->db, .key = "year");
    coop_return(my->r);
    coop_finally;
    if (my->db.connected)
        coop_await(coop_void, db_close, .db = &my->db);
    coop_end;
}

coop_routine(killed_at, int ms; coop_tid tid;)
{
    coop_begin;
    printf("-- killed after %d ms\n", my->ms);
    coop_trap(my->tid, NewTask, .target = coop_create(user));
    coop_trap(coop_void, Sleep, .ns = COOP_MS(my->ms));
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    coop_end;
}

coop_routine(users, int unused;)
{
    coop_begin;
    coop_await(coop_void, user);
    coop_await(coop_void, killed_at, .ms = 150);
    puts("-- 250 ms are all that it has");
    coop_await(coop_void, user, .limit = COOP_MS(250));
    coop_await(coop_void, killed_at, .ms = 50);
    coop_end;
}

int main(void)
{
    return coop_main(users) < 0;
}
