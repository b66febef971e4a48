/* echo - what an echo server costs with coop, beside one written by hand and others.

   Each is measured in turns with the one that is written by hand, so that what else the
   machine does meanwhile hits both, and the ratios are medians over such pairs. */
#include "config.h"

#include "bench/bench.h"
#include "bench/echo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

const echo_server echo_servers[] = {
    { "plain", echo_plain },
    { "coop", echo_coop },
    { "coop-q8", echo_coop_q8 },
    { "coop-epoll", echo_coop_epoll },
    { "fiber", echo_fiber },
#ifdef HAVE_LIBUV
    { "uv", echo_uv },
#endif
#ifdef HAVE_LIBST
    { "st", echo_st },
#endif
    { NULL, NULL }
};

enum { MOST_KINDS = 16, COUNTS = 3 };

static struct options {
    int rounds, connections[MOST_KINDS], kinds, active;
    double seconds;
    bool counts;
    const echo_server **servers;
} options = { .rounds = 21, .connections = { 1, 64, 1000 }, .kinds = 3, .seconds = 0.2 };

static const char help[] =
    "Usage: echo [OPTION...] [SERVER...]\n"
    "Prints what each server does with so many connections: requests per second, the time\n"
    "to an answer, processor time and its part of the time, how much the server grows\n"
    "with a connection, and rate and processor time as a multiple of the plain server's.\n"
    "  --connections N,N...  1,64,1000\n"
    "  --active N            only so many of them send; all\n"
    "  --rounds N            trials of each, medians of which are shown; 21\n"
    "  --seconds S           a trial; 0.2\n"
    "  --counts              calls of the host and instructions per request instead; the\n"
    "                        latter need valgrind\n"
    "  --quick               one short round: to see that it runs\n"
    "Servers: plain coop coop-q8 coop-epoll fiber uv st, as far as they were built in.\n";

static void give_up(const char *about)
{
    if (about)
        fprintf(stderr, "echo: what is %s?\n", about);
    fputs(help, about ? stderr : stdout);
    exit(about ? 2 : 0);
}

const echo_server *echo_find(const char *name)
{
    for (const echo_server *s = echo_servers; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    give_up(name);
    return NULL;
}

static void read_connections(char *list)
{
    options.kinds = 0;
    for (char *at = strtok(list, ","); at; at = strtok(NULL, ",")) {
        int n = atoi(at);
        if (n < 1 || options.kinds == MOST_KINDS)
            give_up(at);
        options.connections[options.kinds++] = n;
    }
}

static char **read_option(char **argv)
{
    const char *name = *argv;
    if (strcmp(name, "--help") == 0)
        give_up(NULL);
    if (strcmp(name, "--quick") == 0) {
        options.rounds = 1;
        options.seconds = 0.02;
        return argv;
    }
    if (strcmp(name, "--counts") == 0) {
        options.counts = true;
        return argv;
    }
    char *value = *++argv;
    if (!value)
        give_up(name);
    if (strcmp(name, "--connections") == 0)
        read_connections(value);
    else if (strcmp(name, "--active") == 0 && atoi(value) > 0)
        options.active = atoi(value);
    else if (strcmp(name, "--rounds") == 0 && atoi(value) > 0 && atoi(value) <= MOST_ROUNDS)
        options.rounds = atoi(value);
    else if (strcmp(name, "--seconds") == 0 && atof(value) > 0)
        options.seconds = atof(value);
    else
        give_up(name);
    return argv;
}

static void read_arguments(char **argv)
{
    while (*++argv && **argv == '-')
        argv = read_option(argv);
    static const echo_server *asked[64];
    size_t n = 0;
    if (!*argv)
        for (const echo_server *s = echo_servers; s->name; s++)
            asked[n++] = s;
    for (; *argv && n < 63; argv++)
        asked[n++] = echo_find(*argv);
    options.servers = asked;
}

/* The columns of the table, each a median over the rounds. */
enum { RATE, P50, P99, CPU, BUSY, MEMORY, RATE_RATIO, CPU_RATIO, COLUMNS };
static bench_result table[COLUMNS];

static void add(int column, double value)
{
    table[column].sample[table[column].count++] = value;
}

static double rate(const trial_result *t)
{
    return (double)t->load.requests * 1e9 / (double)t->load.ns;
}

static double cpu_each(const trial_result *t)
{
    return t->cpu * 1e6 / (double)t->load.requests;
}

static load load_of(int connections)
{
    int active = options.active && options.active < connections ? options.active
                                                               : connections;
    return (load){ .connections = connections, .active = active,
                   .seconds = options.seconds };
}

/* Every second pair begins with the other one. */
static void pair(const echo_server *server, int connections, int round)
{
    load l = load_of(connections);
    trial_result t, plain;
    if (round % 2)
        t = trial_run(server, &l, TIMED);
    plain = trial_run(&echo_servers[0], &l, TIMED);
    if (round % 2 == 0)
        t = trial_run(server, &l, TIMED);
    add(RATE, rate(&t));
    add(P50, t.load.p50);
    add(P99, t.load.p99);
    add(CPU, cpu_each(&t));
    add(BUSY, t.cpu * 1e11 / (double)t.load.ns);
    add(MEMORY, t.memory);
    add(RATE_RATIO, rate(&t) / rate(&plain));
    add(CPU_RATIO, cpu_each(&t) / cpu_each(&plain));
}

static void compare(void)
{
    printf("%11s %-10s %10s %8s %8s %8s %5s %9s %6s %6s\n", "connections", "server",
           "requests/s", "p50 us", "p99 us", "CPU us", "busy", "bytes", "rate", "CPU");
    for (int i = 0; i < options.kinds; i++)
        for (const echo_server **s = options.servers; *s; s++) {
            memset(table, 0, sizeof table);
            for (int round = 0; round < options.rounds; round++)
                pair(*s, options.connections[i], round);
            printf("%11d %-10s", options.connections[i], (*s)->name);
            static const char *const formats[] = {
                " %10.0f", " %8.1f", " %8.1f", " %8.2f", " %4.0f%%", " %9.0f", " %6.3f",
                " %6.3f\n"
            };
            for (int c = 0; c < COLUMNS; c++)
                printf(formats[c], bench_median(&table[c]));
            fflush(stdout);
        }
}

/* A neighbour can only make it more, since fewer requests are found at once then. */
static trial_result least(const echo_server *server, const load *l, trial_kind kind)
{
    trial_result least = trial_run(server, l, kind);
    for (int i = 1; i < COUNTS; i++) {
        trial_result t = trial_run(server, l, kind);
        if (t.calls + t.instructions < least.calls + least.instructions)
            least = t;
    }
    return least;
}

static double calls_each(const echo_server *server, load l)
{
    l.requests = 20000;
    trial_result t = least(server, &l, TRACED);
    return (double)t.calls / (double)t.load.requests;
}

/* Of what a long run takes more than a short one, so that the start does not count. */
static double instructions_each(const echo_server *server, load l)
{
    static int valgrind = -1;
    if (valgrind < 0)
        valgrind = system("valgrind --version >/dev/null 2>&1") == 0;
    if (!valgrind)
        return NAN;
    l.requests = l.active * 2;
    trial_result less = least(server, &l, CALLGRIND);
    l.requests += 20000;
    trial_result more = least(server, &l, CALLGRIND);
    return ((double)more.instructions - (double)less.instructions)
         / (double)(more.load.requests - less.load.requests);
}

static void count(void)
{
    printf("%11s %-10s %12s %20s %8s %8s\n", "connections", "server", "calls/request",
           "instructions/request", "calls", "more");
    for (int i = 0; i < options.kinds; i++) {
        load l = load_of(options.connections[i]);
        double calls0 = calls_each(&echo_servers[0], l);
        double instructions0 = instructions_each(&echo_servers[0], l);
        for (const echo_server **s = options.servers; *s; s++) {
            double calls = calls_each(*s, l);
            double instructions = instructions_each(*s, l);
            printf("%11d %-10s %12.4f %20.1f %8.4f %+8.1f\n", options.connections[i],
                   (*s)->name, calls, instructions, calls / calls0,
                   instructions - instructions0);
            fflush(stdout);
        }
    }
}

/* As many descriptors as the system allows. */
static void raise_limit(void)
{
    struct rlimit limit;
    bench_need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    bench_need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    for (int i = 0; i < options.kinds; i++)
        if ((rlim_t)options.connections[i] + 32 > limit.rlim_cur) {
            fprintf(stderr, "echo: %d connections need more than the %lu descriptors of "
                    "ulimit -n\n", options.connections[i], (unsigned long)limit.rlim_cur);
            exit(1);
        }
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--serve") == 0) {
        echo_find(argv[2])->serve(atoi(argv[3]), atoi(argv[4]));
        return 0;
    }
    read_arguments(argv);
    raise_limit();
    if (options.counts)
        count();
    else
        compare();
    return 0;
}
