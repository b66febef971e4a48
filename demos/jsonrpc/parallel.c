/* parallel - a task that reads and a task that writes, for each client

   So a client may send its next request before it has read the last answer, and the answers
   go on being sent while requests are being read. A queue with a few places is between the
   two: who does not read answers is not read from for long. A third task starts the two and
   waits for them. */
#include "protocol.h"
#include "queue.h"
#include "tasks.h"
#include <errno.h>
#include <stdlib.h>

/* Ends the queue however it ends itself; what is in it is sent still. */
coop_routine(reader, coop_stream *stream; int number; struct queue *queue; char *message;
             size_t len; struct answer answer; coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_await(my->r, coop_read_frame, .stream = my->stream, .frame = &my->message,
                   .length = &my->len);
        if (my->r <= 0)
            coop_return(my->r);
        log_received(my->number, my->message, my->len);
        if (!rpc_answer(my->message, my->len, &my->answer))
            coop_return(-ENOMEM);
        if (!my->answer.bytes)
            continue;
        coop_trap(my->r, Put, .to = my->queue, .answer = my->answer);
        if (my->r < 0)
            coop_return(my->r);
        my->answer.bytes = NULL;
    }
    coop_finally;
    if (my->r < 0)                 /* or else the queue has it */
        free(my->answer.bytes);
    coop_trap(coop_void, Put, .to = my->queue, .answer.bytes = NULL);
    coop_end;
}

coop_routine(writer, coop_stream *stream; struct queue *queue; struct answer answer;
             coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->r, Get, .from = my->queue, .answer = &my->answer);
        if (my->r < 0)
            coop_return(0);
        coop_await(my->r, coop_write_frame, .stream = my->stream,
                   .buf = my->answer.bytes + HEAD, .len = my->answer.len);
        if (my->r >= 0)
            coop_await(my->r, coop_drain, .stream = my->stream);
        if (my->r < 0)
            coop_return(my->r);
        free(my->answer.bytes);
        my->answer.bytes = NULL;
    }
    coop_finally;
    free(my->answer.bytes);
    coop_end;
}

coop_routine(client, int fd, number; coop_stream *stream; struct queue queue;
             coop_tid reader, writer; coop_status ended; coop_value first, second;)
{
    coop_begin;
    my->stream = coop_stream_open(my->fd, LIMIT);
    coop_trap(my->reader, NewTask, .target = coop_create(reader, .stream = my->stream,
              .number = my->number, .queue = &my->queue));
    coop_trap(my->writer, NewTask, .target = coop_create(writer, .stream = my->stream,
              .queue = &my->queue));
    if (my->reader < 0 || my->writer < 0)
        coop_return(my->first = -ENOMEM);
    coop_trap(my->first, WaitTask, .tid = COOP_CHILD, .status = &my->ended);
    if (my->first < 0 && my->ended.tid == my->writer)
        coop_trap(coop_void, KillTask, .tid = my->reader);
    coop_trap(my->second, WaitTask, .tid = COOP_CHILD);
    coop_finally;
    coop_trap(coop_void, KillTask, .tid = my->reader, .wait = true);
    coop_trap(coop_void, KillTask, .tid = my->writer, .wait = true);
    queue_clear(&my->queue);
    log_closed(my->number, (int)(my->first < 0 ? my->first : my->second));
    coop_await(coop_void, coop_stream_close, .stream = my->stream, .fd = my->fd);
    coop_end;
}

coop_coroutine *start_parallel(int fd, int number)
{
    return coop_create(client, .fd = fd, .number = number);
}
