/* trampoline - coroutines, resumed by hand

   The client is a loop again, as in the blocking form: where it stands is kept by its
   coroutine. Where it would block it traps, and the system-call object that comes out of
   coop_co_send says what it waits for. Nobody answers it but the loop in this file: this is
   all that a scheduler needs to be. */
#define _POSIX_C_SOURCE 200809L
#include "forms.h"
#include "plain.h"
#include "protocol.h"
#include <coop.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- The loop ------------------------------------------------------------------- */

static coop_coroutine **waiting;   /* in the order in which they came, NULL: has ended */
static struct pollfd *wanted;      /* what each of them waits for */
static size_t count, room;

/* What a system call waits for. Returns false when it is none that is known here. */
static bool is_wait(const coop_call *call, struct pollfd *wait)
{
    *wait = (struct pollfd){ .fd = -1 };        /* Yield: until something has happened */
    if (call->type == &coop_ReadWait_type)
        *wait = (struct pollfd){ ((const struct coop_ReadWait *)call)->fd, POLLIN, 0 };
    else if (call->type == &coop_WriteWait_type)
        *wait = (struct pollfd){ ((const struct coop_WriteWait *)call)->fd, POLLOUT, 0 };
    return wait->fd >= 0 || call->type == &coop_Yield_type;
}

/* Resumes one until it waits. */
static void go_on(size_t i)
{
    coop_value value = 0;

    while (coop_co_send(waiting[i], value, &value) == COOP_TRAPPED) {
        if (is_wait((const coop_call *)value, &wanted[i]))
            return;
        value = -ENOSYS;
    }
    coop_co_free(waiting[i]);
    waiting[i] = NULL;
}

static bool start(coop_coroutine *co)
{
    if (co && count == room) {
        size_t more = room ? 2 * room : 16;
        coop_coroutine **c = realloc(waiting, more * sizeof *c);
        struct pollfd *w = c ? realloc(wanted, more * sizeof *w) : NULL;

        waiting = c ? c : waiting;
        wanted = w ? w : wanted;
        room = w ? more : room;
    }
    if (!co || count == room) {
        coop_co_free(co);
        return false;
    }
    waiting[count++] = co;
    go_on(count - 1);
    return true;
}

static void forget_ended(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (waiting[i]) {
            waiting[kept] = waiting[i];
            wanted[kept++] = wanted[i];
        }
    count = kept;
}

/* Until the first has ended. */
static void run(void)
{
    while (waiting[0]) {
        size_t asked;

        forget_ended();
        asked = count;
        if (poll(wanted, (nfds_t)asked, -1) < 0)
            continue;
        for (size_t i = 0; i < asked; i++)
            if (wanted[i].revents)
                go_on(i);
        for (size_t i = 0; i < asked; i++)
            if (waiting[i] && wanted[i].fd < 0)
                go_on(i);
    }
    for (size_t i = 0; i < count; i++)
        coop_co_free(waiting[i]);
}

/* ---- The coroutines ------------------------------------------------------------- */

/* Returns less than len at the end of the stream, or -errno. */
coop_routine(recv_all, int fd; char *buf; size_t len, got; ssize_t n;)
{
    coop_begin;
    while (my->got < my->len) {
        my->n = recv(my->fd, my->buf + my->got, my->len - my->got, 0);
        if (my->n > 0)
            my->got += (size_t)my->n;
        else if (my->n == 0)
            break;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            coop_trap(coop_void, ReadWait, .fd = my->fd);
        else if (errno != EINTR)
            coop_return(-errno);
    }
    coop_return(my->got);
    coop_end;
}

coop_routine(send_all, int fd; const char *buf; size_t len, sent; ssize_t n;)
{
    coop_begin;
    while (my->sent < my->len) {
        my->n = send(my->fd, my->buf + my->sent, my->len - my->sent, MSG_NOSIGNAL);
        if (my->n >= 0)
            my->sent += (size_t)my->n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            coop_trap(coop_void, WriteWait, .fd = my->fd);
        else if (errno != EINTR)
            coop_return(-errno);
    }
    coop_end;
}

/* Returns 1 when there is a message, 0 at the end of the stream, or -errno. */
coop_routine(receive, int fd; char **message; size_t *len; coop_value n; char head[HEAD];)
{
    coop_begin;
    coop_await(my->n, recv_all, .fd = my->fd, .buf = my->head, .len = HEAD);
    if (my->n < HEAD)
        coop_return(my->n > 0 ? -EPROTO : my->n);
    *my->len = head_get(my->head);
    if (*my->len > LIMIT)
        coop_return(-EMSGSIZE);
    *my->message = malloc(*my->len + 1);
    if (!*my->message)
        coop_return(-ENOMEM);
    coop_await(my->n, recv_all, .fd = my->fd, .buf = *my->message, .len = *my->len);
    coop_return(my->n < 0 ? my->n : my->n < (coop_value)*my->len ? -EPROTO : 1);
    coop_end;
}

coop_routine(serve, int fd, number; char *message; size_t len; struct answer answer;
             coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_await(my->r, receive, .fd = my->fd, .message = &my->message, .len = &my->len);
        if (my->r <= 0)
            break;
        log_received(my->number, my->message, my->len);
        my->r = rpc_answer(my->message, my->len, &my->answer) ? 0 : -ENOMEM;
        free(my->message);
        my->message = NULL;
        if (my->answer.bytes)
            coop_await(my->r, send_all, .fd = my->fd, .buf = my->answer.bytes,
                       .len = HEAD + my->answer.len);
        free(my->answer.bytes);
        my->answer.bytes = NULL;
        if (my->r < 0)
            break;
    }
    coop_finally;
    free(my->message);
    free(my->answer.bytes);
    log_closed(my->number, (int)my->r);
    close(my->fd);
    coop_end;
}

coop_routine(accept_clients, int listener, fd, number;)
{
    coop_begin;
    for (;;) {
        my->fd = plain_accept(my->listener, &my->number);
        if (my->fd < 0 && plain_is_full())
            coop_trap(coop_void, Yield);
        else if (my->fd < 0)
            coop_trap(coop_void, ReadWait, .fd = my->listener);
        else if (fcntl(my->fd, F_SETFL, O_NONBLOCK) < 0
                   || !start(coop_create(serve, .fd = my->fd, .number = my->number))) {
            log_closed(my->number, -ENOMEM);
            close(my->fd);
        }
    }
    coop_finally;
    close(my->listener);
    coop_end;
}

coop_routine(await_stop, int fd;)
{
    coop_begin;
    coop_trap(coop_void, ReadWait, .fd = my->fd);
    coop_end;
}

int serve_trampoline(int port)
{
    int stop = plain_stop_pipe(), listener = stop < 0 ? -1 : plain_listen(port);

    if (listener < 0 || fcntl(listener, F_SETFL, O_NONBLOCK) < 0
        || !start(coop_create(await_stop, .fd = stop))
        || !start(coop_create(accept_clients, .listener = listener)))
        return 1;
    run();
    log_stopped();
    free(waiting);
    free(wanted);
    return 0;
}
