/* files.h - part of coop.h: files, and descriptors of any kind. */
#ifndef COOP_FILES_H_
#define COOP_FILES_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Files ----------------------------------------------------------------------- */

/** coop_Read - read from a descriptor of any kind
 *
 * Use: coop_trap(n, Read, .fd = 0, .buf = my->buf, .len = sizeof my->buf);
 *
 * From a pipe, terminal or socket: waits until something has come. From a file: reads
 * at the file's position, on a helper thread unless it is in the host's memory. A
 * terminal or pipe that blocks stays as it is, since others may share it: it is read
 * only when something is there.
 *
 * Returns: the number of bytes, at most len; 0 at the end.
 * Errors:
 * as of ReadWait, and of read: -EBADF, -EISDIR, -EIO, -EFAULT, ...
 */
struct coop_Read { coop_call base; coop_job job; int fd; void *buf; size_t len; };

/** coop_Write - write all of a buffer to a descriptor of any kind
 *
 * Use: coop_trap(n, Write, .fd = 1, .buf = "hello\n", .len = 6);
 *
 * As Read in where it waits, and as Send in what it gives: waits as often as it takes
 * until the host has taken everything. Never raises SIGPIPE.
 *
 * Returns: len; less only if an error came after that much was written.
 * Errors:
 * as of WriteWait, and of write: -EBADF, -EPIPE, -ENOSPC, -EFBIG, -EFAULT, ...
 */
struct coop_Write {
    coop_call base;
    coop_job job;
    int fd;
    const void *buf;
    size_t len, written;
};

/** coop_Open - open a file
 *
 * Use: coop_trap(fd, Open, .path = "data", .flags = O_RDWR | O_CREAT, .mode = 0644);
 *
 * flags and mode are those of open, <fcntl.h>; 0 is O_RDONLY. Files are opened, read,
 * written and asked about on helper threads, as Work describes it, while other tasks
 * run; buffers and paths must stay good until the answer.
 *
 * Returns: the descriptor: close-on-exec, the caller's to close.
 * Errors:
 * -EFAULT  path is NULL
 * others   as of open: -ENOENT, -EACCES, -EEXIST, -EMFILE, ...; as of Work
 */
struct coop_Open { coop_call base; coop_job job; const char *path; int flags, mode; };

/** coop_Pread - read or write at a place in a file
 *
 * Use: coop_trap(n, Pread, .fd = fd, .buf = my->buf, .len = sizeof my->buf, .at = 0);
 * Use: coop_trap(n, Pwrite, .fd = fd, .buf = my->buf, .len = my->n, .at = 0);
 *
 * at is in bytes from the beginning. The file's position stays.
 *
 * Returns: the number of bytes. Pread: at most len, less only at the end of the file;
 * both: less if an error came after that much.
 * Errors:
 * -EINVAL  at is negative
 * -ESPIPE  fd is no file
 * others   as of pread and pwrite: -EBADF, -ENOSPC, -EFBIG, -EIO, ...; as of Work
 */
struct coop_Pread { coop_call base; coop_job job; int fd; void *buf; size_t len; int64_t at; };
struct coop_Pwrite {
    coop_call base;
    coop_job job;
    int fd;
    const void *buf;
    size_t len;
    int64_t at;
};

/** coop_Fsync - wait until a file is on the disk
 *
 * Use: coop_trap(r, Fsync, .fd = fd);
 *
 * With data, its contents and what is needed to find them, as fdatasync does.
 *
 * Returns: 0.
 * Errors:
 * as of fsync: -EIO, -ENOSPC, -EINVAL (no file), ...; as of Work
 */
struct coop_Fsync { coop_call base; coop_job job; int fd; bool data; };

/** coop_Stat - what is known of a file
 *
 * Use: coop_trap(r, Stat, .path = "data", .stat = &my->stat);
 *
 * Of the file at path, through symbolic links, or without a path of the open file fd.
 *
 * kind       COOP_REGULAR, COOP_FOLDER, COOP_PIPE, COOP_SOCKET, COOP_DEVICE
 * mode       the permission bits
 * size       in bytes
 * modified   when its contents last changed, in ns since 1970
 * device, number   together tell whether two names are one file
 *
 * Returns: 0.
 * Errors:
 * -EFAULT  stat is NULL
 * others   as of stat: -ENOENT, -EACCES, -ENOTDIR, -EBADF, ...; as of Work
 */
typedef enum coop_file_kind {
    COOP_REGULAR, COOP_FOLDER, COOP_PIPE, COOP_SOCKET, COOP_DEVICE
} coop_file_kind;
typedef struct coop_stat {
    coop_file_kind kind;
    int mode;
    int64_t size, modified;
    uint64_t device, number;
} coop_stat;
struct coop_Stat { coop_call base; coop_job job; const char *path; int fd; coop_stat *stat; };

/** coop_Unlink - remove a file's name
 *
 * Use: coop_trap(r, Unlink, .path = "data");
 *
 * Returns: 0.
 * Errors:
 * -EFAULT  path is NULL
 * others   as of unlink: -ENOENT, -EACCES, -EISDIR, ...; as of Work
 */
struct coop_Unlink { coop_call base; coop_job job; const char *path; };

#endif
