#define _POSIX_C_SOURCE 200809L
#include "server.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void client_leaves(struct client *client, const char *why)
{
    if (!client->left[0])
        snprintf(client->left, sizeof client->left, "%s", why);
}

struct job *client_job(struct client *client, coop_tid tid)
{
    for (size_t i = 0; i < client->job_count; i++)
        if (client->jobs[i]->tid == tid)
            return client->jobs[i];
    return NULL;
}

/* An error of its connection. */
static void client_fails(struct client *client, coop_value error)
{
    char why[64];
    coop_text text = { .data = why, .size = sizeof why };

    if (client->output.dropped) {
        coop_print(&text, "was dropped: it took nothing for ");
        coop_print_span(&text, output_patience);
    } else if (error == -ECONNRESET || error == -EPIPE)
        coop_print(&text, "reset the connection");
    else {
        if (error == -EMFILE)
            client->farewell = "there is no room for another client; try later";
        coop_print(&text, "failed: ");
        coop_result_text(error, &text);
    }
    client_leaves(client, why);
}

coop_routine(writer, struct client *client; coop_value n;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->n, WaitOutput, .from = &my->client->output, .sent = my->n);
        if (my->n < 0)
            break;
        coop_trap(my->n, Send, .fd = my->client->fd,
                  .buf = output_front(&my->client->output), .len = (size_t)my->n);
    }
    client_fails(my->client, my->n);
    coop_trap(coop_void, KillTask, .tid = my->client->reader);
    coop_end;
}

/* Closing with something unread in the host would be a reset, which can take the last lines
   away from the client. */
static void discard_input(int fd)
{
    char rest[4096];
    int rounds = 64;

    while (rounds-- > 0 && recv(fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
        ;
}

/* To one that was dropped a reset is the clear answer. */
static void prepare_close(const struct client *client)
{
    if (client->output.broken)
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 },
                   sizeof(struct linger));
    else
        discard_input(client->fd);
}

static void client_free(struct client *client)
{
    struct client **link = &server.clients;

    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    server.client_count--;
    server_log("client %d %s", client->number, client->left[0] ? client->left : "left");
    free(client);
}

static void greet(char *text, size_t size)
{
    snprintf(text, size, "coop taskserver, %td tasks; type help", coop_tasks(NULL, 0));
}

static int start_others(struct client *client)
{
    char name[32];

    client->writer = coop_spawn(writer, .client = client);
    client->shell = shell_start(client);
    if (client->writer < 0 || client->shell < 0)
        return -ENOMEM;
    snprintf(name, sizeof name, "writer %d", client->number);
    coop_name(client->writer, name);
    snprintf(name, sizeof name, "shell %d", client->number);
    coop_name(client->shell, name);
    return 0;
}

static bool is_broken(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0;
}

/* Gives the shell what comes, line by line, until the end. */
coop_routine(take_lines, struct client *client; coop_value n; size_t at; struct input input;
             char bytes[1024];)
{
    coop_begin;
    for (;;) {
        coop_trap(my->n, Recv, .fd = my->client->fd, .buf = my->bytes,
                  .len = sizeof my->bytes);
        if (my->n <= 0)
            break;
        my->at = 0;
        while (input_take(&my->input, my->bytes, (size_t)my->n, &my->at))
            coop_trap(coop_void, PutLine, .to = &my->client->commands,
                      .text = my->input.line, .len = my->input.len);
    }
    if (my->n < 0)
        coop_return(my->n);
    if (input_end(&my->input))
        coop_trap(coop_void, PutLine, .to = &my->client->commands,
                  .text = my->input.line, .len = my->input.len);
    coop_trap(coop_void, PutLine, .to = &my->client->commands, .end = true);
    coop_end;
}

/* The end of what a client sends is the end of what it pipes, or of the client: the host
   tells these apart only after something was sent to it. So this sends, and looks what
   came of it, until the shell has done all that was asked for and ends this task. */
coop_routine(await_shell, struct client *client; bool told;)
{
    coop_begin;
    do {
        coop_trap(coop_void, Sleep, .ns = COOP_MS(250));
        if (!my->told)
            coop_trap(coop_void, Print, .to = &my->client->output,
                      .text = "no more input; waiting for your programs");
        my->told = true;
    } while (!is_broken(my->client->fd));
    coop_end;
}

coop_routine(reader, struct client *client; coop_value n; char greeting[64];)
{
    coop_begin;
    my->n = start_others(my->client);
    greet(my->greeting, sizeof my->greeting);
    if (my->n == 0)
        coop_trap(my->n, Print, .to = &my->client->output, .text = my->greeting);
    if (my->n == 0)
        coop_await(my->n, take_lines, .client = my->client);
    if (my->n < 0 || my->client->output.dropped) {
        client_fails(my->client, my->n);
        coop_return(0);
    }
    client_leaves(my->client, "left");
    coop_await(coop_void, await_shell, .client = my->client);
    coop_finally;
    if (my->client->shell > 0)
        coop_trap(coop_void, KillTask, .tid = my->client->shell, .wait = true);
    if (my->client->farewell)
        coop_trap(coop_void, Print, .to = &my->client->output,
                  .text = my->client->farewell);
    if (my->client->writer > 0) {
        coop_trap(coop_void, Flush, .of = &my->client->output);
        coop_trap(coop_void, KillTask, .tid = my->client->writer, .wait = true);
    }
    prepare_close(my->client);
    coop_trap(coop_void, Close, .fd = my->client->fd);
    client_free(my->client);
    coop_end;
}

static void client_start(int fd, const char *peer)
{
    struct client *client = calloc(1, sizeof *client);
    char name[32];

    if (client) {
        client->fd = client->output.fd = fd;
        client->busy = true;
        client->number = client->output.client = ++server.client_number;
        snprintf(client->commands.name, sizeof client->commands.name, "client %d",
                 client->number);
        client->reader = coop_spawn(reader, .client = client);
    }
    if (!client || client->reader < 0) {
        server_log("no memory for a client from %s", peer);
        free(client);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    snprintf(name, sizeof name, "reader %d", client->number);
    coop_name(client->reader, name);
    client->next = server.clients;
    server.clients = client;
    server.client_count++;
    server_log("client %d from %s", client->number, peer);
}

static void turn_away(int fd, const char *peer)
{
    char text[64];
    int len = snprintf(text, sizeof text, "the server is full, with %d of %d clients\n",
                       server.client_count, server.client_max);

    send(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
    discard_input(fd);
    close(fd);
    server_log("full: one from %s was turned away", peer);
}

coop_routine(accept_clients, int listener; int fd; bool told; char peer[64];)
{
    coop_begin;
    for (;;) {
        coop_trap(my->fd, Accept, .fd = my->listener, .peer = my->peer,
                  .peer_size = sizeof my->peer);
        if (my->fd >= 0) {
            if (!my->peer[0])
                strcpy(my->peer, "this machine");
            if (server.client_max > 0 && server.client_count >= server.client_max)
                turn_away(my->fd, my->peer);
            else
                client_start(my->fd, my->peer);
            my->told = false;
            continue;
        }
        if (my->fd == -EBADF || my->fd == -EINVAL || my->fd == -ENOTSOCK)
            coop_return(my->fd);
        if (!my->told)
            server_log("cannot accept: %s; new clients wait", strerror(-my->fd));
        my->told = true;
        coop_trap(coop_void, Sleep, .ns = COOP_MS(100));
    }
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

coop_tid clients_accept(int listener)
{
    return coop_spawn(accept_clients, .listener = listener);
}
