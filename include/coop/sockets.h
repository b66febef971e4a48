/* sockets.h - part of coop.h: sockets and names. */
#ifndef COOP_SOCKETS_H_
#define COOP_SOCKETS_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Sockets --------------------------------------------------------------------- */

/** coop_Listen - open a socket that others can reach
 *
 * Use: coop_trap(fd, Listen, .address = "tcp://127.0.0.1:2222");
 *
 * The address is one of
 *
 * tcp://HOST:PORT   a stream socket, listening
 * unix://PATH       the same, of the local kind; @NAME is a name without a file (Linux)
 * udp://HOST:PORT   a datagram socket, for RecvFrom and SendTo
 *
 * HOST is numeric, IPv6 in brackets, or empty for all addresses, IPv4 and IPv6 alike.
 * PORT is 0 to 65535, 0 for a free one. bound, when not NULL, receives the address in
 * the same form with its real port, cut to bound_size with its final NUL. backlog 0
 * means the most that the host allows. shared lets other sockets have the same port, if
 * they are shared too: the host divides the connections among them. A port that lingers
 * is reused. coop_listen takes names too, and copes with files that were left behind.
 * In a fiber the function coop_listen is that one, so that Listen itself is a coop_syscall.
 *
 * Returns: the descriptor: non-blocking, close-on-exec, the caller's to close.
 * Errors:
 * -EINVAL        the address is not of that form, or NULL; backlog is negative
 * -ENAMETOOLONG  PATH is longer than the host allows
 * others         as of socket, bind and listen: -EADDRINUSE, -EACCES, -EMFILE, ...
 */
struct coop_Listen {
    coop_call base;
    const char *address;
    char *bound;
    size_t bound_size;
    int backlog;
    bool shared;
};

/** coop_Connect - connect to an address
 *
 * Use: coop_trap(fd, Connect, .address = "tcp://127.0.0.1:2222");
 *
 * The address is as Listen takes it, with a HOST and a PORT other than 0. Waits until
 * the connection is there. udp:// gives a datagram socket with which Send and Recv
 * reach that address alone. coop_dial takes names too.
 *
 * Returns: the descriptor: non-blocking, close-on-exec, the caller's to close.
 * Errors:
 * -EINVAL  the address is not of that form
 * -EAGAIN  unix://: the queue of the listener is full; to be tried again later
 * others   as of WriteWait, socket and connect: -ECONNREFUSED, -ETIMEDOUT, ...
 */
struct coop_Connect { coop_call base; const char *address; int fd; };

/** coop_Accept - take the next connection
 *
 * Use: coop_trap(fd, Accept, .fd = listener, .peer = buf, .peer_size = size);
 *
 * peer, when not NULL, receives the other side's HOST:PORT, cut to peer_size with its
 * final NUL. Of several that wait the first gets the connection.
 *
 * Returns: the connection: non-blocking, close-on-exec, the caller's to close.
 * Errors:
 * as of ReadWait, and of accept: -EMFILE and -ENFILE (try again when a descriptor was
 * closed), -EINVAL (not listening), -ENOTSOCK. A connection that broke while it was
 * queued is not an error; the next is taken.
 */
struct coop_Accept { coop_call base; int fd; char *peer; size_t peer_size; };

/** coop_Recv - receive from a socket
 *
 * Use: coop_trap(n, Recv, .fd = fd, .buf = my->buf, .len = sizeof my->buf);
 *
 * Waits until something has come. buf must stay good until the answer: a member, not a
 * local variable.
 *
 * Returns: the number of bytes, at most len; 0 at the end of the stream or when len is
 * 0.
 * Errors:
 * as of ReadWait, and of recv: -ECONNRESET, -ENOTSOCK, -EFAULT, ...
 */
struct coop_Recv { coop_call base; int fd; void *buf; size_t len; };

/** coop_Send - send all of a buffer to a socket
 *
 * Use: coop_trap(n, Send, .fd = fd, .buf = my->buf, .len = my->n);
 *
 * Waits as often as it takes until the host has taken everything. buf must stay good
 * and unchanged until the answer. Never raises SIGPIPE. Tasks that send on one socket
 * at once each wait for room on their own: their bytes may mix when a send takes
 * several rounds.
 *
 * Returns: len; less only if an error came after that much was sent (the next Send gets
 * an error again, perhaps -EPIPE instead of the first).
 * Errors:
 * -EBADF  also: closed with Close after a part was sent
 * others  as of WriteWait, and of send: -EPIPE, -ECONNRESET, -ENOTSOCK, -EFAULT, ...
 */
struct coop_Send { coop_call base; int fd; const void *buf; size_t len, sent; };

/** coop_Close - close a descriptor
 *
 * Use: coop_trap(coop_void, Close, .fd = fd);
 *
 * Tasks that wait on it get -EBADF. Descriptors that tasks wait on are closed this way;
 * one closed behind the kernel's back costs its waiters -EBADF too, as soon as the
 * poller finds out. What helper threads do for it, such as a Pread, must have been
 * answered before: it would be done to whatever file has the number then.
 *
 * Returns: 0.
 * Errors:
 * -EBADF  fd is not open
 * others  as of close; the descriptor is gone all the same
 */
struct coop_Close { coop_call base; int fd; };

/** coop_Shutdown - end one direction of a connection
 *
 * Use: coop_trap(r, Shutdown, .fd = fd);
 *
 * how is COOP_SEND, the default: the other side gets an end of stream, and can still be
 * read from; COOP_RECV; or COOP_BOTH. Tasks that wait for a direction that is ended are
 * answered as the host answers them then.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  how is none of these
 * others   as of shutdown: -ENOTCONN, -ENOTSOCK, -EBADF
 */
enum { COOP_SEND, COOP_RECV, COOP_BOTH };
struct coop_Shutdown { coop_call base; int fd, how; };

/** coop_RecvFrom - receive a datagram
 *
 * Use: coop_trap(n, RecvFrom, .fd = fd, .buf = my->buf, .len = sizeof my->buf,
 *               .from = my->from, .from_size = sizeof my->from);
 *
 * Waits for one. What does not fit into len is lost. from, when not NULL, receives the
 * sender's HOST:PORT, as SendTo takes it, cut to from_size with its final NUL; "" for
 * one without an address.
 *
 * Returns: the number of bytes, which may be 0 for an empty datagram.
 * Errors: as of Recv.
 */
struct coop_RecvFrom {
    coop_call base;
    int fd;
    void *buf;
    size_t len;
    char *from;
    size_t from_size;
};

/** coop_SendTo - send a datagram
 *
 * Use: coop_trap(n, SendTo, .fd = fd, .buf = "hi", .len = 2, .to = "127.0.0.1:2222");
 *
 * Waits until the host takes it. to is HOST:PORT, as RecvFrom and Accept give it.
 *
 * Returns: len.
 * Errors:
 * -EINVAL    to is not of that form, or NULL
 * -EMSGSIZE  too long for a datagram
 * others     as of Send
 */
struct coop_SendTo { coop_call base; int fd; const void *buf; size_t len; const char *to; };

/** coop_SockName - the address of a socket
 *
 * Use: coop_trap(r, SockName, .fd = fd, .peer = true, .name = buf, .size = sizeof buf);
 *
 * Writes HOST:PORT, of this side or, with peer, of the other, cut to size with its
 * final NUL. For a local socket it is the path, "" for one without.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  name is NULL
 * others   as of getsockname and getpeername: -ENOTCONN, -ENOTSOCK, -EBADF
 */
struct coop_SockName { coop_call base; int fd; bool peer; char *name; size_t size; };

/** coop_SendFile - send a part of a file to a socket
 *
 * Use: coop_trap(n, SendFile, .fd = fd, .file = file, .offset = 0, .len = size);
 *
 * Without a way through a buffer where the host can do that. Waits for room as often as
 * it takes. Where the file is not in the host's memory the scheduler waits for the
 * disk.
 *
 * Returns: the number of bytes sent: len, or less when the file ended or an error came
 * after that much was sent.
 * Errors:
 * -EINVAL  file cannot be sent this way; offset is negative
 * others   as of Send
 */
struct coop_SendFile {
    coop_call base;
    int fd, file;
    int64_t offset;
    size_t len, sent;
};

/** coop_Resolve - the addresses of a name
 *
 * Use: coop_trap(n, Resolve, .name = "localhost", .addresses = my->found, .max = 8);
 *
 * Asks the host's resolver on a helper thread. Stores up to max addresses, in the order
 * in which they should be tried: "127.0.0.1", "[::1]", so that ":PORT" can follow. A
 * numeric name gives itself.
 *
 * Returns: the number of addresses stored, at least 1.
 * Errors:
 * -ENOENT        there is no such name, or it has no address
 * -EAGAIN        the name servers do not answer, now
 * -EINVAL        name or addresses is NULL or max is not positive
 * -EHOSTUNREACH  the resolver failed otherwise
 * others         as of Work
 */
typedef struct coop_address { char text[56]; } coop_address;
struct coop_Resolve {
    coop_call base;
    coop_job job;
    const char *name;
    coop_address *addresses;
    int max;
};

#endif
