/* streams.h - part of coop.h: the library: streams with buffers over descriptors, and servers. */
#ifndef COOP_STREAMS_H_
#define COOP_STREAMS_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Library --------------------------------------------------------------------- */

/* Routines and functions made of the system calls alone. Routines are used with
   coop_await, in any task; arguments that are left out are zero. What they have begun
   they undo when the task is killed. */

/** coop_listen - open a socket that others can reach, with a name and a fresh file
 *
 * Use: coop_await(fd, coop_listen, .address = "tcp://localhost:2222");
 *
 * As Listen, which tells of the arguments, but HOST may be a name: the first of its
 * addresses that can be had is taken. And when PATH of unix://PATH is there already, a
 * socket that nobody listens at any more, it is removed and made anew.
 *
 * Returns: the descriptor, the caller's to close.
 * Errors:
 * -EADDRINUSE  also: PATH is there and somebody listens, or it is no socket
 * others       as of Listen and Resolve
 */
coop_declare(coop_listen,
    const char *address;
    char *bound;
    size_t bound_size;
    int backlog;
    bool shared;
    /* The routine's own. */
    struct coop_names_ *names_;
    coop_value r_;
    int fd_, i_;
    bool given_;
);

/** coop_dial - connect to a name
 *
 * Use: coop_await(fd, coop_dial, .address = "tcp://localhost:2222");
 * Use: coop_await(fd, coop_dial, .address = "tcp://localhost:2222",
 *                .timeout = COOP_S(5));
 *
 * As Connect, but HOST may be a name. Its addresses are tried one after the other, IPv6
 * and IPv4 in turns: the next when one has failed, or has not answered for 250 ms. The
 * first that is connected is taken, and the other attempts are given up. At unix://PATH
 * it waits for room in the listener's queue.
 *
 * timeout, when not 0, is the most that all of it may take, in ns. The tasks that make
 * the attempts are not the caller's children: a wait for COOP_CHILD does not see them.
 *
 * Returns: the descriptor, the caller's to close.
 * Errors:
 * -ETIMEDOUT  no address has answered in time
 * -EINVAL     the address is not of a form that Connect takes
 * others      when all attempts have failed, why the first did, or the first that
 *             reached a host at all; as of Resolve and Connect
 *
 * See: RFC 8305, "Happy Eyeballs".
 */
coop_declare(coop_dial,
    const char *address;
    int64_t timeout;
    /* The routine's own. */
    struct coop_names_ *names_;
    coop_tid race_;
    coop_value r_;
    int fd_;
    bool given_;
);

/** coop_stream_open - a stream with buffers over a descriptor
 *
 * Works on sockets that are connected, pipes, terminals and files. The stream has the
 * descriptor from then on. limit is the most bytes that it holds for each way, and so
 * the longest line or frame; 0: 64 KiB. Buffers are there only while something is in
 * them.
 *
 * Before a task waits for input it sends what it has written to the same stream. One
 * task may read while others write; only one may read, and what is written in one call
 * stays together. When a task is killed while it sends, the rest is not sent, and to
 * write gives an error from then on.
 *
 * coop_stream_free releases a stream without sending and without closing: the
 * descriptor is the caller's again. No other task may be using it. NULL is let pass.
 *
 * coop_stream_fd tells the descriptor. coop_stream_waiting tells how many bytes have
 * been received and not been read, coop_stream_unsent how many have been written and
 * not been sent.
 *
 * Returns: coop_stream_open: the stream; NULL when memory is exhausted, and every
 * function and routine that gets it then gives -ENOMEM, so it need not be checked in
 * between. coop_stream_free and coop_stream_fd: the descriptor.
 */
typedef struct coop_stream coop_stream;
coop_stream *coop_stream_open(int fd, size_t limit);
int coop_stream_free(coop_stream *stream);
int coop_stream_fd(const coop_stream *stream);
coop_value coop_stream_waiting(const coop_stream *stream);
coop_value coop_stream_unsent(const coop_stream *stream);

/** coop_read_some - read what has come
 *
 * Use: coop_await(n, coop_read_some, .stream = s, .buf = my->buf,
 *                .len = sizeof my->buf);
 *
 * Waits until there is something.
 *
 * Returns: the number of bytes, at most len; 0 at the end of the stream or when len is
 * 0.
 * Errors:
 * -EBUSY  another task reads from the stream
 * others  as of Recv and Read
 */
coop_declare(coop_read_some,
    coop_stream *stream;
    void *buf;
    size_t len;
    /* The routine's own. */
    coop_value r_;
    bool mine_;
);

/** coop_read_exact - read a number of bytes
 *
 * Use: coop_await(n, coop_read_exact, .stream = s, .buf = my->buf, .len = 16);
 *
 * Returns: len; less only if the stream ended before.
 * Errors: as of coop_read_some; what had come before is lost.
 */
coop_declare(coop_read_exact,
    coop_stream *stream;
    void *buf;
    size_t len;
    /* The routine's own. */
    size_t done_;
    coop_value r_;
    bool mine_;
);

/** coop_read_line - read a line
 *
 * Use: coop_await(n, coop_read_line, .stream = s, .line = &my->line);
 *
 * *line points at the line then, without its LF or CR LF and closed by a NUL. It is
 * good until the stream is next read or released, and may be written to. length, when
 * not NULL, receives its length, for lines that may have NULs within. limit is the
 * longest line that is wanted; 0, or more than the stream's: the stream's. The last
 * line of a stream need not have an end.
 *
 * Returns: the number of bytes taken, with those of the line's end; so 0 is the end of
 * the stream alone.
 * Errors:
 * -EMSGSIZE  the line is longer than limit. The next call passes over the rest of it.
 * others     as of coop_read_some
 */
coop_declare(coop_read_line,
    coop_stream *stream;
    char **line;
    size_t *length, limit;
    /* The routine's own. */
    size_t seen_;
    coop_value r_;
    bool mine_;
);

/** coop_read_frame - read a message that begins with its length
 *
 * Use: coop_await(n, coop_read_frame, .stream = s, .frame = &my->frame,
 *                .length = &my->length);
 *
 * A frame is four bytes, the length of what follows in network order, and that. *frame
 * points at what follows, and a NUL behind it; it is good until the stream is next read
 * or released, and may be written to. length, when not NULL, receives its length. limit
 * is the longest that is wanted; 0, or more than the stream's: the stream's.
 *
 * Returns: the number of bytes taken, 4 and the length; 0 at the end of the stream.
 * Errors:
 * -EMSGSIZE  it is longer than limit. Nothing was taken: the next call says the same.
 * -EPROTO    the stream ended inside a frame
 * others     as of coop_read_some
 */
coop_declare(coop_read_frame,
    coop_stream *stream;
    char **frame;
    size_t *length, limit;
    /* The routine's own. */
    size_t need_;
    coop_value r_;
    bool mine_;
);

/** coop_write_all - write
 *
 * Use: coop_await(n, coop_write_all, .stream = s, .buf = "hi\n", .len = 3);
 *
 * Puts buf into the stream's buffer when it fits, and waits for nothing then. Otherwise
 * it sends what is there, and waits until the other side has made room. What the buffer
 * holds is sent by coop_drain, by coop_stream_close, and before this task waits for
 * input.
 *
 * Returns: len.
 * Errors: as of Send and Write, also for what was written before; the stream cannot be
 * written to any more, and each later write and coop_drain gives the same error.
 */
coop_declare(coop_write_all,
    coop_stream *stream;
    const void *buf;
    size_t len;
    /* The routine's own. */
    coop_value r_;
    bool used_, mine_;
);

/** coop_write_frame - write a message with its length before it
 *
 * Use: coop_await(n, coop_write_frame, .stream = s, .buf = my->data, .len = my->size);
 *
 * As coop_write_all, and in the form that coop_read_frame reads.
 *
 * Returns: 4 and len.
 * Errors:
 * -EMSGSIZE  len is more than the stream's limit; nothing was written
 * others     as of coop_write_all
 */
coop_declare(coop_write_frame,
    coop_stream *stream;
    const void *buf;
    size_t len;
    /* The routine's own. */
    coop_value r_;
    bool used_;
);

/** coop_stream_print - write, as printf does
 *
 * Into the buffer of the stream, without waiting; all or nothing.
 *
 * Returns: the number of bytes.
 * Errors:
 * -ENOBUFS  there is no room for it within the limit; coop_drain makes some
 * -EINVAL   the format is wrong
 * -ENOMEM   memory is exhausted, or stream is NULL
 * others    as of coop_write_all
 */
int coop_stream_print(coop_stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** coop_drain - send all that was written
 *
 * Use: coop_await(r, coop_drain, .stream = s);
 *
 * Waits until the host has taken it. Another task may write meanwhile: that is sent
 * too.
 *
 * Returns: 0.
 * Errors: as of coop_write_all.
 */
coop_declare(coop_drain,
    coop_stream *stream;
    /* The routine's own. */
    char *data_;
    uint32_t at_;
    bool used_, mine_;
    coop_value r_;
);

/** coop_stream_close - send what was written, close, and release
 *
 * Use: coop_await(r, coop_stream_close, .stream = s, .fd = fd);
 *
 * Meant for a coop_finally part, and for any other place. linger is how long it waits
 * for the other side to take what was written, in ns; 0: 10 seconds. A task that is
 * being killed sends nothing more. The descriptor is closed and the stream gone in
 * every case; another task that is reading or writing gets -EBADF. When stream is NULL,
 * because there was no memory for it, fd is closed; 0 or less is none.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM     stream is NULL
 * -ETIMEDOUT  not everything could be sent in time
 * others      as of coop_drain and Close
 */
coop_declare(coop_stream_close,
    coop_stream *stream;
    int fd;
    int64_t linger;
    /* The routine's own. */
    coop_tid guard_;
    coop_value r_, closed_;
);

/** coop_copy - copy from a descriptor to another
 *
 * Use: coop_await(n, coop_copy, .from = fd, .to = other);
 *
 * Of any kinds. len is how much at most; 0: until the end. A file is read from offset
 * on, and its position stays. From a file to a socket nothing passes through this
 * program where the host can do that.
 *
 * Returns: the number of bytes; less than len only if the source ended.
 * Errors:
 * -EINVAL  offset is negative
 * others   as of Recv, Read, Pread, Send, Write and SendFile; some may have been copied
 */
coop_declare(coop_copy,
    int from, to;
    int64_t offset;
    uint64_t len;
    /* The routine's own. */
    uint64_t done_;
    char *buf_;
    coop_value r_, n_;
    int way_;
    bool plain_;
);

/** coop_serve - accept connections, and have each served by a task
 *
 * Use: coop_await(r, coop_serve, .fd = listener, .client = start, .grace = COOP_S(5));
 *
 * Takes over the listening socket fd. client is called for each connection and gives
 * the coroutine that is to serve it, coop_create(ROUTINE, .fd = fd, ...), or NULL if it
 * cannot be had, and the connection is closed then. That task owns the connection and
 * closes it in its coop_finally part, since it may be killed. peer is the other side's
 * HOST:PORT and good during the call alone. client must not trap.
 *
 * arg    handed to client and to ended
 * ended  when not NULL, is called when a client has ended, unless another task that
 *        waited for the client was told instead. Who wants to know of failures looks
 *        there: they are not reported, and do not end the server.
 * max    connections at once; 0: no limit. At the limit it accepts none until one ends.
 * grace  how long it waits for the clients when it stops, in ns; -1: without a limit
 *
 * It goes on until fd is closed with Close by another task. Then it waits for the
 * clients as long as grace says, kills those that are left, and waits for their ends.
 * When no descriptor or no memory is left it tries again when a client has ended, or
 * after 100 ms. When the calling task is killed, it closes fd and kills the clients.
 *
 * The clients are not the caller's children: a wait for COOP_CHILD does not see them.
 *
 * Returns: 0 after fd was closed.
 * Errors:
 * -EBADF   fd was not open
 * -EFAULT  client is NULL
 * others   as of NewTask and Accept; clients are ended as above, and fd is closed
 */
coop_declare(coop_serve,
    int fd;
    coop_coroutine *(*client)(int fd, const char *peer, void *arg);
    void (*ended)(const coop_status *status, void *arg);
    void *arg;
    size_t max;
    int64_t grace;
    /* The routine's own. */
    coop_tid inner_;
    coop_value r_;
    char name_[8];
);

#endif
