/* routines - a task for each client

   The blocking form, word for word, but where that blocks the process this blocks its own
   task alone. The stream of the library knows of frames; that is all that is new. */
#include "protocol.h"
#include "tasks.h"
#include <errno.h>
#include <stdlib.h>

coop_routine(client, int fd, number; coop_stream *stream; char *message; size_t len;
             struct answer answer; coop_value r;)
{
    coop_begin;
    my->stream = coop_stream_open(my->fd, LIMIT);
    for (;;) {
        coop_await(my->r, coop_read_frame, .stream = my->stream, .frame = &my->message,
                   .length = &my->len);
        if (my->r <= 0)
            break;
        log_received(my->number, my->message, my->len);
        my->r = rpc_answer(my->message, my->len, &my->answer) ? 0 : -ENOMEM;
        if (my->answer.bytes)
            coop_await(my->r, coop_write_frame, .stream = my->stream,
                       .buf = my->answer.bytes + HEAD, .len = my->answer.len);
        free(my->answer.bytes);
        my->answer.bytes = NULL;
        if (my->r < 0)
            break;
    }
    coop_finally;
    free(my->answer.bytes);
    log_closed(my->number, (int)my->r);
    coop_await(coop_void, coop_stream_close, .stream = my->stream, .fd = my->fd);
    coop_end;
}

coop_coroutine *start_routines(int fd, int number)
{
    return coop_create(client, .fd = fd, .number = number);
}
