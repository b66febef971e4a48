#include "protocol.h"
#include "tasks.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Returns 0 when the answer has come, -EPIPE when the server closes instead. */
coop_routine(ask, coop_stream *stream; const char *method, *id; bool loud; char *answer;
             size_t len; coop_value r; char request[128];)
{
    coop_begin;
    my->len = rpc_request(my->request, sizeof my->request, my->method, my->id);
    coop_await(my->r, coop_write_frame, .stream = my->stream, .buf = my->request,
               .len = my->len);
    if (my->r >= 0)
        coop_await(my->r, coop_read_frame, .stream = my->stream, .frame = &my->answer);
    if (my->r <= 0)
        coop_return(my->r < 0 ? my->r : -EPIPE);
    if (my->loud)
        printf("Received from server: %s\n", my->answer);
    coop_return(strstr(my->answer, my->id) ? 0 : -EPROTO);
    coop_end;
}

coop_define(heartbeat_client)
{
    coop_begin;
    if (my->loud)
        printf("Connecting to %s\n", my->address);
    coop_await(my->fd, coop_dial, .address = my->address);
    if (my->fd < 0)
        coop_return(my->fd);
    my->stream = coop_stream_open(my->fd, LIMIT);
    coop_await(my->r, ask, .stream = my->stream, .method = "foo", .id = "abcdefgh",
               .loud = my->loud);
    while (my->r == 0 && (my->beats == 0 || my->beat < my->beats)) {
        coop_trap(coop_void, Sleep, .ns = my->every);
        snprintf(my->id, sizeof my->id, "beat%04d", ++my->beat % 10000);
        coop_await(my->r, ask, .stream = my->stream, .method = "heartbeat", .id = my->id,
                   .loud = my->loud);
    }
    coop_return(my->r);
    coop_finally;
    coop_await(coop_void, coop_stream_close, .stream = my->stream, .fd = my->fd);
    coop_end;
}
