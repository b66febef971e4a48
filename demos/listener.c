#define _POSIX_C_SOURCE 200809L
#include "listener.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static in_port_t port_of(int argc, char **argv)
{
    char *end;
    long port = 45000;

    if (argc == 3 && strcmp(argv[1], "--port") == 0) {
        port = strtol(argv[2], &end, 10);
        argc = *end || end == argv[2] ? argc : 1;
    }
    if (argc > 1 || port < 0 || port > 65535) {
        fprintf(stderr, "usage: %s [--port N]\n", argv[0]);
        exit(2);
    }
    return (in_port_t)port;
}

int open_listener(int argc, char **argv)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_port = htons(port_of(argc, argv));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0
        || bind(fd, (struct sockaddr *)&at, size) < 0
        || listen(fd, SOMAXCONN) < 0
        || fcntl(fd, F_SETFL, O_NONBLOCK) < 0
        || getsockname(fd, (struct sockaddr *)&at, &size) < 0) {
        perror(argv[0]);
        exit(1);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(at.sin_port));
    return fd;
}

void print_connection(int client)
{
    struct sockaddr_in peer = { .sin_port = 0 };
    char host[INET_ADDRSTRLEN];
    socklen_t size = sizeof peer;

    if (getpeername(client, (struct sockaddr *)&peer, &size) == 0
        && inet_ntop(AF_INET, &peer.sin_addr, host, sizeof host))
        printf("Connection from ('%s', %d)\n", host, ntohs(peer.sin_port));
}
