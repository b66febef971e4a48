/* For statements about signals: see check-docs. */
#include <coop.h>

#include <signal.h>

coop_routine(stopper, int listener;)
{
    coop_begin;
    fragment
    coop_end;
}

int main(void)
{
    return (int)coop_main(stopper, .listener = -1);
}
