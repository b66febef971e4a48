/* callback - many clients, and a loop that calls back when one can be read or written

   What is a loop in the blocking form is a state here: where a client stands in its
   conversation is kept by hand, since each function must return before it is done. */
#define _POSIX_C_SOURCE 200809L
#include "forms.h"
#include "plain.h"
#include "protocol.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- The loop ------------------------------------------------------------------- */

struct watch {                     /* of one descriptor */
    int fd;                        /* -1: the watch is gone after this round */
    short events;                  /* that are waited for */
    void (*ready)(struct watch *);
};

static struct watch **watches;     /* in the order in which they came */
static struct pollfd *polled;
static size_t count, room;
static bool stopping;

static bool watch_add(struct watch *watch)
{
    if (count == room) {
        size_t more = room ? 2 * room : 16;
        struct watch **w = realloc(watches, more * sizeof *w);
        struct pollfd *p = w ? realloc(polled, more * sizeof *p) : NULL;

        watches = w ? w : watches;
        if (!p)
            return false;
        polled = p;
        room = more;
    }
    watches[count++] = watch;
    return true;
}

static void forget_closed(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (watches[i]->fd >= 0)
            watches[kept++] = watches[i];
        else
            free(watches[i]);
    count = kept;
}

static void run(void)
{
    while (!stopping) {
        size_t asked = count;

        for (size_t i = 0; i < asked; i++)
            polled[i] = (struct pollfd){ watches[i]->fd, watches[i]->events, 0 };
        if (poll(polled, (nfds_t)asked, -1) < 0)
            continue;
        for (size_t i = 0; i < asked; i++)
            if (polled[i].revents)
                watches[i]->ready(watches[i]);
        forget_closed();
    }
}

/* ---- A client ------------------------------------------------------------------- */

struct client {
    struct watch watch;            /* first, so that it is the client's address too */
    struct watch *listener;
    int number;
    enum { IN_HEAD, IN_MESSAGE, IN_ANSWER } state;
    char *at;                      /* where it goes on, and for how many bytes */
    size_t left;
    char head[HEAD];
    char *message;
    size_t len;
    struct answer answer;
};

static void client_close(struct client *client, int error)
{
    log_closed(client->number, error);
    close(client->watch.fd);
    free(client->message);
    free(client->answer.bytes);
    client->watch.fd = -1;
    client->listener->events = POLLIN;          /* there is a descriptor now */
}

static void begin_head(struct client *client)
{
    client->state = IN_HEAD;
    client->watch.events = POLLIN;
    client->at = client->head;
    client->left = HEAD;
}

static void have_message(struct client *client)
{
    bool well;

    log_received(client->number, client->message, client->len);
    well = rpc_answer(client->message, client->len, &client->answer);
    free(client->message);
    client->message = NULL;
    if (!well)
        client_close(client, -ENOMEM);
    else if (client->answer.bytes) {
        client->state = IN_ANSWER;
        client->watch.events = POLLOUT;
        client->at = client->answer.bytes;
        client->left = HEAD + client->answer.len;
    } else
        begin_head(client);
}

static void have_head(struct client *client)
{
    client->len = head_get(client->head);
    client->message = client->len <= LIMIT ? malloc(client->len + 1) : NULL;
    if (!client->message) {
        client_close(client, client->len > LIMIT ? -EMSGSIZE : -ENOMEM);
        return;
    }
    client->state = IN_MESSAGE;
    client->at = client->message;
    client->left = client->len;
    if (client->len == 0)
        have_message(client);
}

static void have_sent(struct client *client)
{
    free(client->answer.bytes);
    client->answer.bytes = NULL;
    begin_head(client);
}

static void client_ready(struct watch *watch)
{
    struct client *client = (struct client *)watch;
    ssize_t n;

    if (client->state == IN_ANSWER)
        n = send(watch->fd, client->at, client->left, MSG_NOSIGNAL);
    else
        n = recv(watch->fd, client->at, client->left, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        bool between = client->state == IN_HEAD && client->left == HEAD;

        client_close(client, n < 0 ? -errno : between ? 0 : -EPROTO);
        return;
    }
    client->at += n;
    client->left -= (size_t)n;
    if (client->left > 0)
        return;
    if (client->state == IN_HEAD)
        have_head(client);
    else if (client->state == IN_MESSAGE)
        have_message(client);
    else
        have_sent(client);
}

/* ---- The listener and the signals ----------------------------------------------- */

static void client_start(int fd, int number, struct watch *listener)
{
    struct client *client = calloc(1, sizeof *client);

    if (client) {
        client->watch = (struct watch){ fd, POLLIN, client_ready };
        client->listener = listener;
        client->number = number;
        begin_head(client);
    }
    if (!client || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || !watch_add(&client->watch)) {
        log_closed(number, -ENOMEM);
        close(fd);
        free(client);
    }
}

/* When there is no descriptor left it would be called again at once. */
static void listener_ready(struct watch *watch)
{
    int number, fd = plain_accept(watch->fd, &number);

    if (fd >= 0)
        client_start(fd, number, watch);
    else if (plain_is_full() && count > 2)
        watch->events = 0;         /* until a client goes */
    else if (plain_is_full())
        poll(NULL, 0, 100);
}

static void stop_ready(struct watch *watch)
{
    (void)watch;
    stopping = true;
}

int serve_callback(int port)
{
    struct watch stop = { -1, POLLIN, stop_ready };
    struct watch listener = { -1, POLLIN, listener_ready };

    stop.fd = plain_stop_pipe();
    listener.fd = stop.fd < 0 ? -1 : plain_listen(port);
    if (listener.fd < 0 || fcntl(listener.fd, F_SETFL, O_NONBLOCK) < 0
        || !watch_add(&stop) || !watch_add(&listener))
        return 1;
    run();
    for (size_t i = 2; i < count; i++)
        client_close((struct client *)watches[i], -ECANCELED);
    forget_closed();
    close(listener.fd);
    log_stopped();
    free(watches);
    free(polled);
    return 0;
}
