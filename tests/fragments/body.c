/* For statements of a routine in the documents: see check-docs. */
#include <coop.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

coop_routine(child, int n;)
{
    coop_begin;
    coop_return(my->n);
    coop_end;
}

coop_routine(body, int fd; int listener; ssize_t n; char buf[4096]; coop_tid tid;
    coop_value v; coop_status status;)
{
    coop_begin;
    fragment
    coop_end;
}

int main(void)
{
    return (int)coop_main(body);
}
