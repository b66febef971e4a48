/* echo_st.c - the server with State Threads. */
#include "config.h"

#ifdef HAVE_LIBST
#include "bench/bench.h"
#include "bench/echo.h"

#include <st.h>
#include <stdint.h>
#include <unistd.h>

enum { STACK = 16 * 1024 };

static int alive;
static st_cond_t all_gone;

static void *client(void *arg)
{
    st_netfd_t fd = arg;
    char buf[BUFFER];
    ssize_t n;
    while ((n = st_read(fd, buf, sizeof buf, ST_UTIME_NO_TIMEOUT)) > 0)
        if (st_write(fd, buf, (size_t)n, ST_UTIME_NO_TIMEOUT) != n)
            break;
    st_netfd_close(fd);
    if (--alive == 0)
        st_cond_signal(all_gone);
    return NULL;
}

/* epoll where the library has it, which Debian's has not; select would end at 1024. */
static void start(void)
{
    st_set_eventsys(ST_EVENTSYS_ALT);
    if (st_get_eventsys() != ST_EVENTSYS_ALT)
        st_set_eventsys(ST_EVENTSYS_POLL);
    bench_need(st_init() == 0, "st_init");
}

void echo_st(int listener, int connections)
{
    start();
    st_netfd_t door = st_netfd_open_socket(listener);
    all_gone = st_cond_new();
    bench_need(door && all_gone, "st_netfd_open_socket");
    alive = connections;
    for (int i = 0; i < connections; i++) {
        st_netfd_t fd = st_accept(door, NULL, NULL, ST_UTIME_NO_TIMEOUT);
        bench_need(fd, "st_accept");
        bench_need(st_thread_create(client, fd, 0, STACK), "st_thread_create");
    }
    st_netfd_close(door);
    while (alive)
        st_cond_wait(all_gone);
    st_cond_destroy(all_gone);
}
#else
typedef int nothing;               /* a file may not be empty */
#endif
