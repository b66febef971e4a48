/* listen.c - listening at a name, and where an earlier program has left its file. */
#include "lib/names.h"

#include <stdlib.h>
#include <string.h>

/* A socket file at which connections are refused belongs to nobody. Anything else stays. */
coop_routine(remove_left_over, const char *address, *path; int fd; coop_value r;
             coop_stat stat;)
{
    coop_begin;
    my->fd = -1;
    coop_trap(my->r, Stat, .path = my->path, .stat = &my->stat);
    if (my->r < 0 || my->stat.kind != COOP_SOCKET)
        coop_return(-EADDRINUSE);
    coop_trap(my->fd, Connect, .address = my->address);
    if (my->fd != -ECONNREFUSED)
        coop_return(-EADDRINUSE);
    coop_trap(my->r, Unlink, .path = my->path);
    coop_return(my->r == -ENOENT ? 0 : my->r);
    coop_finally;
    if (my->fd >= 0)
        coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

/* NULL: no file. */
static const char *path_of(const char *address)
{
    const char scheme[] = "unix://";
    if (!address || strncmp(address, scheme, sizeof scheme - 1))
        return NULL;
    const char *path = address + sizeof scheme - 1;
    return *path == '@' ? NULL : path;
}

coop_define(coop_listen)
{
    coop_begin;
    my->fd_ = -1;
    my->r_ = coop_names_new(my->address, &my->names_);
    if (my->names_)
        coop_await(my->r_, coop_names_find, .names = my->names_);
    if (my->r_ < 0)
        coop_return(my->r_);
    do {
        if (my->names_)
            coop_names_text(my->names_, my->i_, my->names_->text);
        coop_trap(my->fd_, Listen, .address = my->names_ ? my->names_->text : my->address,
                  .bound = my->bound, .bound_size = my->bound_size, .backlog = my->backlog,
                  .shared = my->shared);
        my->i_++;
    } while (my->fd_ < 0 && my->names_ && my->i_ < my->names_->count);
    if (my->fd_ == -EADDRINUSE && path_of(my->address)) {
        coop_await(my->r_, remove_left_over, .address = my->address,
                   .path = path_of(my->address));
        if (my->r_ < 0)
            coop_return(my->r_);
        coop_trap(my->fd_, Listen, .address = my->address, .bound = my->bound,
                  .bound_size = my->bound_size, .backlog = my->backlog);
    }
    my->given_ = true;
    coop_return(my->fd_);
    coop_finally;
    free(my->names_);
    if (my->fd_ >= 0 && !my->given_)
        coop_trap(coop_void, Close, .fd = my->fd_);
    coop_end;
}
