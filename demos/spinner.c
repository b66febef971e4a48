/* spinner - something turns while something else works, and is cancelled (an article on
   asyncio)

   The spinner shows a frame every 0.1 s; the work takes 5 s. At 5.0 s both are due. Timers
   that are due together come in the order in which they were set, so the work is told first,
   and cancels a spinner that is ready: it shows its 51st frame and then learns of it.
   COOP_MACHINE=sim does it without waiting. */
#include <coop.h>
#include <stdio.h>

static void back(int n)
{
    while (n-- > 0)
        putchar('\b');
}

coop_routine(spin, const char *text; int frame, width; coop_value r;)
{
    coop_begin;
    do {
        my->width = printf("%c %s", "|/-\\"[my->frame++ % 4], my->text);
        back(my->width);
        fflush(stdout);
        coop_trap(my->r, Sleep, .ns = COOP_MS(100));
    } while (my->r == 0);
    printf("%*s", my->width, "");
    back(my->width);
    coop_return(my->r);
    coop_end;
}

coop_routine(work, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(5));
    coop_return(42);
    coop_end;
}

coop_routine(supervise, coop_tid spinner; coop_value answer;)
{
    coop_begin;
    my->spinner = coop_spawn(spin, .text = "thinking ...");
    printf("spinner object:  <Task pending %d spin>\n", (int)my->spinner);
    coop_await(my->answer, work);
    coop_trap(coop_void, Cancel, .tid = my->spinner, .wait = true);
    coop_return(my->answer);
    coop_end;
}

int main(void)
{
    coop_value answer = coop_main(supervise);

    printf("answer:  %d\n", (int)answer);
    return answer < 0;
}
