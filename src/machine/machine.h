/* machine.h - the seam to everything outside: clock, descriptors, sockets, files, names,
   threads, signals, child processes, random bytes, console.

   The library reaches the host through this table alone. Functions give 0 or more, or a
   negative errno, and do not block, but poll and those for helper threads. Numbers of
   descriptors, signals and processes, and flags of open, are the host's. */
#ifndef COOP_MACHINE_H
#define COOP_MACHINE_H

#include "coop.h"

#define COOP_RARE(x) __builtin_expect(!!(x), 0)

/* Built with a sanitizer that watches memory. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define COOP_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COOP_SANITIZED 1
#endif
#endif

/* For watch: what poll is to look for.
   COOP_ANEW  also if it has been there before; without it a poller may tell only what
              comes from now on
   From poll:
   COOP_BAD   not open
   COOP_OVER  something stands behind what there is to read, the end, an error or urgent
              data: a short read does not mean that all is read
   COOP_ONCE  will not be told again before it comes again, so there is no hurry to unwatch
              what nobody waits for */
enum {
    COOP_READ = 1, COOP_WRITE = 2, COOP_BAD = 4, COOP_OVER = 8, COOP_ANEW = 16,
    COOP_ONCE = 32
};

typedef struct coop_fired {
    int fd;
    unsigned events;
} coop_fired;

/* An address in parts; coop_spot_from reads the text. */
enum { COOP_TCP, COOP_UDP, COOP_LOCAL };
typedef struct coop_spot {
    int kind;
    char host[64], port[6];        /* numeric; host may be empty */
    char path[108];                /* COOP_LOCAL */
} coop_spot;

/* How a descriptor is read and written. */
enum {
    COOP_BY_TRYING,                /* read and write never wait */
    COOP_BY_POLL,                  /* they may: only when poll says so */
    COOP_BY_HELPER                 /* a file: always ready, but slow */
};

struct coop_machine {
    const char *name;
    void (*free)(coop_machine *);

    int64_t (*now)(coop_machine *);                 /* ns, never goes back */
    int64_t (*wall)(coop_machine *);                /* ns since 1970 */
    int (*random)(coop_machine *, void *buf, size_t len);

    /* What poll looks for on fd from now on; 0: nothing. With an error, nothing has
       changed. -EMFILE: fd is past what can be watched. */
    int (*watch)(coop_machine *, int fd, unsigned events);
    /* Waits up to timeout ns (0: not at all, -1: no limit) and stores what fired, in the
       order in which its tasks are to wake; also until a job is finished or a signal has
       come. May return early with 0. -EDEADLK: without a limit, and nothing can ever come;
       any other error is for good. */
    int (*poll)(coop_machine *, int64_t timeout, coop_fired *fired, int max);

    /* Of any descriptor. read and write give -EAGAIN when it would take time. */
    int (*close)(coop_machine *, int fd);
    int (*way)(coop_machine *, int fd);             /* COOP_BY_... */
    coop_value (*read)(coop_machine *, int fd, void *buf, size_t len);
    coop_value (*write)(coop_machine *, int fd, const void *buf, size_t len);
    /* As pread, of what is in memory; -EAGAIN: a helper must see. NULL: always. */
    coop_value (*pread_now)(coop_machine *, int fd, void *buf, size_t len, int64_t at);

    /* Sockets. connect gives a descriptor at once, and connected -EAGAIN until it is
       there or has failed. recv and send may give -EINTR, to be tried again. address writes "host:port", "[host]:port" for IPv6, of this
       side or the other. */
    int (*listen)(coop_machine *, const coop_spot *, int backlog, bool shared);
    int (*accept)(coop_machine *, int fd, bool *stream);    /* false: it has borders */
    int (*connect)(coop_machine *, const coop_spot *);
    int (*connected)(coop_machine *, int fd);
    int (*address)(coop_machine *, int fd, bool peer, char *text, size_t size);
    coop_value (*recv)(coop_machine *, int fd, void *buf, size_t len);
    coop_value (*send)(coop_machine *, int fd, const void *buf, size_t len);
    coop_value (*recvfrom)(coop_machine *, int fd, void *buf, size_t len, char *from, size_t size);
    coop_value (*sendto)(coop_machine *, int fd, const void *buf, size_t len, const coop_spot *);
    coop_value (*sendfile)(coop_machine *, int fd, int file, int64_t offset, size_t len);
    int (*shutdown)(coop_machine *, int fd, int how);       /* COOP_SEND, ... */

    /* For helper threads, any of them: these may block. at -1: the file's position. */
    int (*open)(coop_machine *, const char *path, int flags, int mode);
    coop_value (*pread)(coop_machine *, int fd, void *buf, size_t len, int64_t at);
    coop_value (*pwrite)(coop_machine *, int fd, const void *buf, size_t len, int64_t at);
    int (*fsync)(coop_machine *, int fd, bool data);
    int (*stat)(coop_machine *, const char *path, int fd, coop_stat *);
    int (*unlink)(coop_machine *, const char *path);
    int (*resolve)(coop_machine *, const char *name, coop_address *, int max);

    /* Helper threads. A job's run is called on one of them, with the call that it stands
       in behind base. withdraw takes out one that has not begun: true. finished gives one
       that is through, NULL: none. */
    int (*work)(coop_machine *, coop_job *);
    bool (*withdraw)(coop_machine *, coop_job *);
    coop_job *(*finished)(coop_machine *);
    void (*end_jobs)(coop_machine *);               /* waits for those that run */

    /* A thread that calls look(arg), and again after so many ns as it gives, or, when it gives
       less than 0, after a nudge: one that came meanwhile counts. unguard waits for its end.
       NULL: there is none here, as where time does not pass by itself. */
    int (*guard)(coop_machine *, int64_t (*look)(void *), void *arg);
    void (*nudge)(coop_machine *);
    void (*unguard)(coop_machine *);

    /* Signals: from the first time one is wanted, arrived tells of it, once. */
    int (*want)(coop_machine *, uint64_t signals);
    uint64_t (*arrived)(coop_machine *);

    /* Other threads and signal handlers may call rouse from heed with true on until heed with
       false: it makes poll return, now or as soon as it is called. As long as they may there
       is no -EDEADLK. give_way lets other threads run. */
    int (*heed)(coop_machine *, bool);
    void (*rouse)(coop_machine *);
    void (*give_way)(coop_machine *);

    /* Child processes. child: 0 and how it ended, -EAGAIN as long as it has not. */
    int (*spawn)(coop_machine *, const struct coop_Spawn *);
    int (*child)(coop_machine *, int pid, int *status, int *signal);
    int (*kill)(coop_machine *, int pid, int signal);
};

#pragma GCC visibility push(hidden)

/* As coop_unix, and says why not: -EINVAL for a word that is none. */
int coop_open_unix(const char *poller, unsigned threads, coop_machine **machine);

/* choose.c: the machine for a word of COOP_MACHINE: "unix", "sim", "sim:SEED"; NULL and ""
   are unix. poller and threads are for unix. -ENODEV for another word, -EINVAL: no such
   poller. */
int coop_machine_by_name(const char *word, const char *poller, unsigned threads,
                         coop_machine **machine);

/* chance.c: the next number of a generator, which began with *state being its seed; the seed
   in what follows a word: nothing, which is 0, or ":SEED" with a number. */
uint64_t coop_draw(uint64_t *state);
bool coop_seed_from(const char *text, uint64_t *seed);

/* address.c: "tcp://HOST:PORT", "udp://...", "unix://PATH". 0, -EINVAL, -ENAMETOOLONG. */
int coop_spot_from(const char *address, coop_spot *spot);
int coop_spot_split(const char *host_port, coop_spot *spot);     /* HOST:PORT alone */

/* Plain blocking console access, for reports, traces and the stepper. */
void coop_say(int fd, const char *text, size_t len);
int coop_ask(int fd, char *line, size_t size);      /* length, -ENODATA at the end */
bool coop_terminal(int fd);
int coop_open_log(const char *path, bool write);
/* False when reading so much there would end the program: an observer may not. */
bool coop_can_read(const void *from, size_t len);
/* Copies what may be gone, or at which another thread writes: false if not all of it could be
   read, and where the host does not have that. */
bool coop_peek(void *to, const void *from, size_t len);
void coop_close_log(int fd);                        /* not the standard ones */

/* scan.c: shows visit all memory that the program can write to, by and by, copied to where
   copy has room. 0; -ENOSYS where that cannot be done, or another error. */
enum { COOP_COPY_SIZE = 4096 };
typedef void coop_memory_fn(void *arg, uintptr_t at, const uintptr_t *words, size_t count);
int coop_read_memory(coop_memory_fn *visit, void *arg, uintptr_t *copy);

#pragma GCC visibility pop

#endif
