/* children.c - child processes of the host. */
#include "config.h"

#include "machine/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child's descriptors 0, 1 and 2 are made from. */
struct outfit {
    int from[3];                   /* this side's number for each, -1: it stays as it is */
    int ours[3];                   /* our ends of pipes, -1: none */
    int opened[6], count;          /* what is closed as soon as the child has it */
};

static int to_be_closed(struct outfit *o, int fd)
{
    if (fd < 0)
        return -errno;
    return o->opened[o->count++] = fd;
}

/* Only our end is made non-blocking: the child's has a mode of its own. */
static int piped(struct outfit *o, int i)
{
    int ends[2], r = coop_make_pipe(ends);
    if (r < 0)
        return r;
    o->ours[i] = ends[i == 0];
    to_be_closed(o, ends[i != 0]);
    if (fcntl(o->ours[i], F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return ends[i != 0];
}

/* The child's i is to be fd. What would be written over before it is used, since it is one
   of the three itself, is copied out of the way first. */
static int put(struct outfit *o, int i, int fd)
{
    if (fd >= 0 && fd < 3 && fd != i)
        fd = to_be_closed(o, fcntl(fd, F_DUPFD_CLOEXEC, 3));
    o->from[i] = fd;
    return fd < 0 ? fd : 0;
}

static int fill_in(struct outfit *o, const struct coop_Spawn *c)
{
    const int asked[3] = { c->in, c->out, c->err };
    int r = 0;
    for (int i = 0; i < 3 && r == 0; i++) {
        if (asked[i] == 0 || (i == 2 && asked[i] == COOP_AS_OUT))
            continue;
        if (asked[i] == COOP_PIPED)
            r = put(o, i, piped(o, i));
        else if (asked[i] == COOP_NOWHERE)
            r = put(o, i, to_be_closed(o, open("/dev/null", O_RDWR | O_CLOEXEC)));
        else
            r = asked[i] < 0 ? -EBADF : put(o, i, asked[i]);
    }
    return r;
}

static int set_dir(posix_spawn_file_actions_t *actions, const char *dir)
{
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCHDIR_NP
    return posix_spawn_file_actions_addchdir_np(actions, dir);
#else
    (void)actions;
    (void)dir;
    return ENOSYS;
#endif
}

/* Signals that are ignored stay so for the three with which shells and nohup mean the whole
   family; the others begin anew, above all SIGPIPE. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, reset;
    sigemptyset(&none);
    sigfillset(&reset);
    sigdelset(&reset, SIGHUP);
    sigdelset(&reset, SIGINT);
    sigdelset(&reset, SIGQUIT);
    int e = posix_spawnattr_setsigmask(attributes, &none);
    if (!e)
        e = posix_spawnattr_setsigdefault(attributes, &reset);
    if (!e)
        e = posix_spawnattr_setflags(attributes,
                                     POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return e;
}

static int start(const struct outfit *o, const struct coop_Spawn *c)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = 0;
    int e = posix_spawn_file_actions_init(&actions);
    if (e)
        return -e;
    e = posix_spawnattr_init(&attributes);
    if (!e) {
        e = set_signals(&attributes);
        if (!e && c->dir)
            e = set_dir(&actions, c->dir);
        for (int i = 0; i < 3 && !e; i++)
            if (o->from[i] >= 0)
                e = posix_spawn_file_actions_adddup2(&actions, o->from[i], i);
        if (!e && c->err == COOP_AS_OUT)
            e = posix_spawn_file_actions_adddup2(&actions, 1, 2);
        if (!e)
            e = posix_spawnp(&pid, c->argv[0], &actions, &attributes,
                             (char *const *)c->argv,
                             c->env ? (char *const *)c->env : environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return e ? -e : pid;
}

/* SIGCHLD is taken first: where it was ignored, ended children would be forgotten. */
static int spawn(coop_machine *m, const struct coop_Spawn *c)
{
    struct outfit o = { .from = { -1, -1, -1 }, .ours = { -1, -1, -1 } };
    int r = m->want(m, COOP_SIGNAL(SIGCHLD));
    if (r == 0)
        r = fill_in(&o, c);
    if (r == 0)
        r = start(&o, c);
    while (o.count)
        close(o.opened[--o.count]);
    for (int i = 0; i < 3; i++) {
        if (o.ours[i] >= 0 && r < 0)
            close(o.ours[i]);
        if (c->pipes)
            c->pipes[i] = r < 0 ? -1 : o.ours[i];
    }
    return r;
}

static int child(coop_machine *m, int pid, int *status, int *signal)
{
    int how, r = waitpid(pid, &how, WNOHANG);
    (void)m;
    if (r <= 0)
        return r < 0 ? -errno : -EAGAIN;
    *signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    *status = *signal ? 128 + *signal : WEXITSTATUS(how);
    return 0;
}

/* The number of a child that was waited for may be another process by now. */
static int kill_child(coop_machine *m, int pid, int signal)
{
    siginfo_t info;
    (void)m;
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return errno == ECHILD ? -ESRCH : -errno;
    return kill(pid, signal) < 0 ? -errno : 0;
}

void coop_host_children(coop_machine *m)
{
    m->spawn = spawn;
    m->child = child;
    m->kill = kill_child;
}
