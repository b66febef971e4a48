#define _POSIX_C_SOURCE 200809L
#include "plain.h"
#include "protocol.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void print_address(char text[64], const struct sockaddr_in *at)
{
    char host[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &at->sin_addr, host, sizeof host);
    snprintf(text, 64, "%s:%d", host, ntohs(at->sin_port));
}

int plain_listen(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((in_port_t)port) };
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char address[64];

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0
        || bind(fd, (struct sockaddr *)&at, size) < 0
        || listen(fd, SOMAXCONN) < 0
        || getsockname(fd, (struct sockaddr *)&at, &size) < 0) {
        perror("rpc");
        return -1;
    }
    print_address(address, &at);
    log_listening(address);
    return fd;
}

int plain_accept(int listener, int *number)
{
    static int count;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    char address[64];
    int fd = accept(listener, (struct sockaddr *)&peer, &size);

    if (fd < 0)
        return fd;
    *number = ++count;
    print_address(address, &peer);
    log_connected(*number, address);
    return fd;
}

void plain_on_stop(void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int stop_pipe[2];

static void write_to_pipe(int number)
{
    int saved = errno;

    (void)number;
    if (write(stop_pipe[1], "", 1) < 0)        /* a full pipe can be read as well */
        errno = saved;
}

int plain_stop_pipe(void)
{
    if (pipe(stop_pipe) < 0 || fcntl(stop_pipe[1], F_SETFL, O_NONBLOCK) < 0) {
        perror("rpc");
        return -1;
    }
    plain_on_stop(write_to_pipe);
    return stop_pipe[0];
}

int plain_is_full(void)
{
    return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
}
