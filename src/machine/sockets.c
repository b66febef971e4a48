/* sockets.c - the real machine's sockets. */
#include "config.h"

#include "machine/quiet.h"
#include "machine/unix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_SYS_SENDFILE_H
#include <sys/sendfile.h>
#endif
#include <sys/socket.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0             /* where it is missing SO_NOSIGPIPE does it */
#endif

/* libc's own can be cancelled, as pthread_cancel does it, and that takes 50 instructions a call
   as soon as there is a second thread. Sanitizers look at them. */
#if defined __linux__ && defined SYS_recvfrom && defined SYS_sendto && !defined COOP_SANITIZED
#define host_recv(fd, buf, len, flags) syscall(SYS_recvfrom, fd, buf, len, flags, NULL, NULL)
#define host_send(fd, buf, len, flags) syscall(SYS_sendto, fd, buf, len, flags, NULL, 0)
#else
#define host_recv recv
#define host_send send
#endif

union place {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage room;
};

static socklen_t place_path(const coop_spot *spot, union place *to)
{
    size_t len = strlen(spot->path);
    to->un.sun_family = AF_UNIX;
    memcpy(to->un.sun_path, spot->path, len + 1);
    if (*spot->path == '@')
        to->un.sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*spot->path != '@'));
}

/* The length of the address that spot is, or an error. */
static int place_of(const coop_spot *spot, union place *to)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *at;
    memset(to, 0, sizeof *to);
    if (spot->kind == COOP_LOCAL)
        return (int)place_path(spot, to);
    int r = *spot->host ? getaddrinfo(spot->host, spot->port, &hints, &at) : EAI_NONAME;
    if (r)
        return r == EAI_MEMORY ? -ENOMEM : r == EAI_SYSTEM ? -errno : -EINVAL;
    socklen_t len = at->ai_addrlen;
    memcpy(to, at->ai_addr, len);
    freeaddrinfo(at);
    return (int)len;
}

/* All addresses of this host: an IPv6 socket takes IPv4 too, where there is IPv6. */
static socklen_t place_all(const coop_spot *spot, bool six, union place *to)
{
    in_port_t port = htons((in_port_t)strtoul(spot->port, NULL, 10));
    memset(to, 0, sizeof *to);
    if (six)
        to->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port,
                                         .sin6_addr = IN6ADDR_ANY_INIT };
    else
        to->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port,
                                       .sin_addr.s_addr = htonl(INADDR_ANY) };
    return six ? sizeof to->in6 : sizeof to->in;
}

static int open_socket(int family, int kind)
{
    int type = kind == COOP_UDP ? SOCK_DGRAM : SOCK_STREAM;
#ifdef SOCK_NONBLOCK
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
#else
    return coop_adopt(socket(family, type, 0), true);
#endif
}

static int fail(int fd)
{
    int r = -errno;
    close(fd);
    return r;
}

static int bind_at(const union place *at, socklen_t len, const coop_spot *spot, int backlog,
                   bool shared)
{
    int on = 1, off = 0, fd = open_socket(at->any.sa_family, spot->kind);
    if (fd < 0)
        return fd;
    if (spot->kind == COOP_TCP)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        return fail(fd);
    if (at->any.sa_family == AF_INET6 && !*spot->host)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, &at->any, len) < 0)
        return fail(fd);
    if (spot->kind != COOP_UDP && listen(fd, backlog ? backlog : SOMAXCONN) < 0)
        return fail(fd);
    return fd;
}

static int listen_socket(coop_machine *m, const coop_spot *spot, int backlog, bool shared)
{
    union place at;
    (void)m;
    if (spot->kind != COOP_LOCAL && !*spot->host) {
        int fd = bind_at(&at, place_all(spot, true, &at), spot, backlog, shared);
        if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
            return fd;
        return bind_at(&at, place_all(spot, false, &at), spot, backlog, shared);
    }
    int len = place_of(spot, &at);
    return len < 0 ? len : bind_at(&at, (socklen_t)len, spot, backlog, shared);
}

/* A listener that was made elsewhere may block, and must not. What is no socket, the
   terminal perhaps, stays as it is. */
static int never_block(int fd)
{
    int type, flags = fcntl(fd, F_GETFL);
    socklen_t size = sizeof type;
    if (flags < 0)
        return -errno;
    if (!(flags & O_NONBLOCK) && (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0
                                  || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
        return -errno;
    return 0;
}

/* Linux tells a connection's own errors here, in place of the connection. (EOPNOTSUPP could
   be one too, but is what a socket of another kind gives for ever.) */
static bool broke_in_queue(int error)
{
    switch (error) {
    case EINTR: case ECONNABORTED: case EPROTO: case ENOPROTOOPT: case EHOSTUNREACH:
    case EHOSTDOWN: case ENETDOWN: case ENETUNREACH:
#ifdef ENONET
    case ENONET:
#endif
        return true;
    default:
        return false;
    }
}

/* Local ones have borders, if only around what is sent together with a descriptor. */
static bool is_stream(const union place *peer)
{
    return peer->any.sa_family == AF_INET || peer->any.sa_family == AF_INET6;
}

static int accept_next(int listener, union place *peer)
{
    socklen_t len = sizeof *peer;
    peer->any.sa_family = AF_UNSPEC;
#ifdef HAVE_ACCEPT4
    int fd = accept4(listener, &peer->any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd < 0 ? -errno : fd;
#else
    return coop_adopt(accept(listener, &peer->any, &len), true);
#endif
}

/* Connections that broke while they were queued are passed over. */
static int accept_socket(coop_machine *m, int listener, bool *stream)
{
    union place peer;
    int fd = never_block(listener);
    (void)m;
    if (fd < 0)
        return fd;
    do
        fd = accept_next(listener, &peer);
    while (fd < 0 && broke_in_queue(-fd));
    if (fd >= 0)
        *stream = is_stream(&peer);
    return fd;
}

static int connect_socket(coop_machine *m, const coop_spot *spot)
{
    union place to;
    (void)m;
    int len = place_of(spot, &to);
    if (len < 0)
        return len;
    int fd = open_socket(to.any.sa_family, spot->kind);
    if (fd >= 0 && connect(fd, &to.any, (socklen_t)len) < 0 && errno != EINPROGRESS
        && errno != EINTR)
        return fail(fd);
    return fd;
}

/* SO_ERROR tells why it failed; that it has a peer, that it is there. */
static int connected(coop_machine *m, int fd)
{
    union place peer;
    int error;
    socklen_t size = sizeof error, len = sizeof peer;
    (void)m;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    if (error)
        return -error;
    if (getpeername(fd, &peer.any, &len) == 0)
        return 0;
    return errno == ENOTCONN ? -EAGAIN : -errno;
}

static void text_of(const union place *at, socklen_t len, char *text, size_t size)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    size_t head = offsetof(struct sockaddr_un, sun_path);
    *text = '\0';
    if (at->any.sa_family == AF_UNIX) {
        int n = len > head ? (int)(len - head) : 0;
        bool named = n > 0 && at->un.sun_path[0] == '\0';
        if (n)
            snprintf(text, size, "%s%.*s", named ? "@" : "", n - named, at->un.sun_path + named);
        return;
    }
    if (getnameinfo(&at->any, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return;
    const char *four = strncmp(host, "::ffff:", 7) ? NULL : host + 7;
    if (four && strchr(four, '.'))
        snprintf(text, size, "%s:%s", four, port);
    else
        snprintf(text, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static int address(coop_machine *m, int fd, bool peer, char *text, size_t size)
{
    union place at;
    socklen_t len = sizeof at;
    (void)m;
    int r = peer ? getpeername(fd, &at.any, &len) : getsockname(fd, &at.any, &len);
    if (r < 0)
        return -errno;
    text_of(&at, len, text, size);
    return 0;
}

static coop_value recv_socket(coop_machine *m, int fd, void *buf, size_t len)
{
    (void)m;
    ssize_t n = host_recv(fd, buf, len, MSG_DONTWAIT);
    return COOP_RARE(n < 0) ? -errno : n;
}

static coop_value send_socket(coop_machine *m, int fd, const void *buf, size_t len)
{
    (void)m;
    ssize_t n = host_send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return COOP_RARE(n < 0) ? -errno : n;
}

static coop_value recv_from(coop_machine *m, int fd, void *buf, size_t len, char *from,
                            size_t size)
{
    union place at;
    socklen_t at_len = sizeof at;
    ssize_t n;
    (void)m;
    at.any.sa_family = AF_UNSPEC;
    do
        n = recvfrom(fd, buf, len, MSG_DONTWAIT, &at.any, &at_len);
    while (n < 0 && errno == EINTR);
    if (n >= 0 && from && size)
        text_of(&at, at_len, from, size);
    return n < 0 ? -errno : n;
}

/* An IPv6 socket reaches IPv4 addresses in their IPv6 form. */
static int place_for(int fd, const coop_spot *spot, union place *to)
{
    union place own;
    socklen_t len = sizeof own;
    coop_spot mapped = *spot;
    int r = place_of(spot, to);
    if (r < 0 || to->any.sa_family != AF_INET || getsockname(fd, &own.any, &len) < 0
        || own.any.sa_family != AF_INET6)
        return r;
    snprintf(mapped.host, sizeof mapped.host, "::ffff:%.*s", INET_ADDRSTRLEN, spot->host);
    return place_of(&mapped, to);
}

static coop_value send_to(coop_machine *m, int fd, const void *buf, size_t len,
                          const coop_spot *spot)
{
    union place to;
    ssize_t n;
    (void)m;
    int to_len = place_for(fd, spot, &to);
    if (to_len < 0)
        return to_len;
    do
        n = sendto(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL, &to.any, (socklen_t)to_len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static coop_value send_file(coop_machine *m, int fd, int file, int64_t offset, size_t len)
{
    (void)m;
#ifdef HAVE_SYS_SENDFILE_H
    struct coop_quiet quiet;
    off_t from = offset;
    ssize_t n = never_block(fd);
    if (n < 0)
        return n;
    coop_quiet_begin(&quiet);
    do
        n = sendfile(fd, file, &from, len);
    while (n < 0 && errno == EINTR);
    coop_quiet_end(&quiet, n < 0 && errno == EPIPE);
    return n < 0 ? -errno : n;
#else
    char buf[16384];
    ssize_t n = pread(file, buf, len < sizeof buf ? len : sizeof buf, offset);
    return n < 0 ? -errno : n == 0 ? 0 : send_socket(m, fd, buf, (size_t)n);
#endif
}

static int shutdown_socket(coop_machine *m, int fd, int how)
{
    static const int hows[] = { [COOP_SEND] = SHUT_WR, [COOP_RECV] = SHUT_RD,
                                [COOP_BOTH] = SHUT_RDWR };
    (void)m;
    return shutdown(fd, hows[how]) < 0 ? -errno : 0;
}

/* EINTR from close: the descriptor is gone on Linux, so it is not tried again. */
static int close_fd(coop_machine *m, int fd)
{
    (void)m;
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

void coop_host_sockets(coop_machine *m)
{
    m->listen = listen_socket;
    m->accept = accept_socket;
    m->connect = connect_socket;
    m->connected = connected;
    m->address = address;
    m->recv = recv_socket;
    m->send = send_socket;
    m->recvfrom = recv_from;
    m->sendto = send_to;
    m->sendfile = send_file;
    m->shutdown = shutdown_socket;
    m->close = close_fd;
}
