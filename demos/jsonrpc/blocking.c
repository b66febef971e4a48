/* blocking - one client at a time

   Nothing can be simpler: each call waits until it is done. All other clients wait too,
   until this one has closed its connection. */
#define _POSIX_C_SOURCE 200809L
#include "forms.h"
#include "plain.h"
#include "protocol.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t stopping, listener = -1, client = -1;

/* What is waited for in a call that blocks comes to its end. */
static void stop(int number)
{
    int saved = errno;

    (void)number;
    stopping = 1;
    shutdown(listener, SHUT_RDWR);
    shutdown(client, SHUT_RDWR);
    errno = saved;
}

/* Returns less than len at the end of the stream, or -errno. */
static ssize_t recv_all(char *buf, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = recv(client, buf + got, len - got, 0);

        if (n == 0)
            break;
        if (n > 0)
            got += (size_t)n;
        else if (errno != EINTR)
            return -errno;
    }
    return (ssize_t)got;
}

static int send_all(const char *buf, size_t len)
{
    while (len > 0) {
        ssize_t n = send(client, buf, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            buf += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* Returns 1 when there is a message, 0 at the end of the stream, or -errno. */
static int receive(char *message, size_t *len)
{
    char head[HEAD];
    ssize_t n = recv_all(head, HEAD);

    if (n < HEAD)
        return n > 0 ? -EPROTO : (int)n;
    *len = head_get(head);
    if (*len > LIMIT)
        return -EMSGSIZE;
    n = recv_all(message, *len);
    return n < 0 ? (int)n : n < (ssize_t)*len ? -EPROTO : 1;
}

/* Returns as receive does, when there is no more. */
static int serve(int number)
{
    static char message[LIMIT];
    struct answer answer;
    size_t len = 0;
    int r = 0;

    while (!stopping && (r = receive(message, &len)) > 0) {
        log_received(number, message, len);
        if (!rpc_answer(message, len, &answer))
            return -ENOMEM;
        r = answer.bytes ? send_all(answer.bytes, HEAD + answer.len) : 0;
        free(answer.bytes);
        if (r < 0)
            break;
    }
    return r;
}

int serve_blocking(int port)
{
    int number;

    plain_on_stop(stop);
    listener = plain_listen(port);
    if (listener < 0)
        return 1;
    while (!stopping) {
        client = plain_accept(listener, &number);
        if (client >= 0) {
            int r = serve(number);

            log_closed(number, stopping ? -ECANCELED : r);
            close(client);
            client = -1;
        } else if (!stopping && errno != EINTR && errno != ECONNABORTED) {
            perror("rpc");
            return 1;
        }
    }
    close(listener);
    log_stopped();
    return 0;
}
