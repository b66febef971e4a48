/* echo_uv.c - the server with libuv: no allocation for a read, and a write that is tried at
   once. */
#include "config.h"

#ifdef HAVE_LIBUV
#include "bench/bench.h"
#include "bench/echo.h"

#include <stdlib.h>
#include <uv.h>

struct client {
    uv_tcp_t tcp;
    uv_write_t write;
    char buf[BUFFER];
};

static int to_accept;

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end(struct client *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, closed);
}

static void give_room(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct client *c = handle->data;
    (void)hint;
    *buf = uv_buf_init(c->buf, sizeof c->buf);
}

static void came(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void written(uv_write_t *write, int status)
{
    struct client *c = write->data;
    if (status < 0 || uv_read_start((uv_stream_t *)&c->tcp, give_room, came) < 0)
        end(c);
}

static void came(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = stream->data;
    if (n < 0) {
        end(c);
        return;
    }
    if (n == 0)
        return;
    uv_buf_t rest = uv_buf_init(buf->base, (unsigned)n);
    int sent = uv_try_write(stream, &rest, 1);
    if (sent == n)
        return;
    if (sent > 0)
        rest = uv_buf_init(buf->base + sent, (unsigned)(n - sent));
    uv_read_stop(stream);
    if ((sent < 0 && sent != UV_EAGAIN)
        || uv_write(&c->write, stream, &rest, 1, written) < 0)
        end(c);
}

static void knocked(uv_stream_t *listener, int status)
{
    struct client *c = malloc(sizeof *c);
    bench_need(status == 0 && c, "uv_listen");
    bench_need(uv_tcp_init(listener->loop, &c->tcp) == 0, "uv_tcp_init");
    c->tcp.data = c->write.data = c;
    bench_need(uv_accept(listener, (uv_stream_t *)&c->tcp) == 0, "uv_accept");
    bench_need(uv_read_start((uv_stream_t *)&c->tcp, give_room, came) == 0,
               "uv_read_start");
    if (--to_accept == 0)
        uv_close((uv_handle_t *)listener, NULL);
}

void echo_uv(int listener, int connections)
{
    uv_loop_t loop;
    uv_tcp_t door;
    to_accept = connections;
    bench_need(uv_loop_init(&loop) == 0, "uv_loop_init");
    bench_need(uv_tcp_init(&loop, &door) == 0, "uv_tcp_init");
    bench_need(uv_tcp_open(&door, listener) == 0, "uv_tcp_open");
    bench_need(uv_listen((uv_stream_t *)&door, SOMAXCONN, knocked) == 0, "uv_listen");
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_need(uv_loop_close(&loop) == 0, "uv_loop_close");
}
#else
typedef int nothing;               /* a file may not be empty */
#endif
