#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "file.h"
#include "date.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

static int folder;
static bool walks;                 /* the host cannot keep a path inside of the folder */

/* ---- Opening, on a helper thread ----------------------------------------------------- */

enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };

#ifdef SYS_openat2
static int open_beneath(const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS
    };

    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}
#else
static int open_beneath(const char *path, int flags)
{
    (void)path;
    (void)flags;
    errno = ENOSYS;
    return -1;
}
#endif

/* Part by part, following no symbolic link. */
static int open_walking(const char *path)
{
    char part[NAME_MAX + 1];
    int at = folder, next;

    for (;;) {
        size_t len = strcspn(path, "/");

        if (len > NAME_MAX) {
            errno = ENAMETOOLONG;
            next = -1;
        } else {
            memcpy(part, path, len);
            part[len] = '\0';
            next = openat(at, part, FLAGS | O_NOFOLLOW | (path[len] ? O_DIRECTORY : 0));
        }
        if (at != folder) {
            int error = errno;

            close(at);
            errno = error;
        }
        if (next < 0 || !path[len])
            return next;
        at = next;
        path += len + 1;
    }
}

static int status_of(int error)
{
    switch (error) {
    case ENOENT: case ENOTDIR: case ENAMETOOLONG: case ELOOP: case EXDEV: case ENXIO:
        return 404;
    case EACCES: case EPERM:
        return 403;
    case EMFILE: case ENFILE: case ENOMEM: case EAGAIN:
        return 503;
    default:
        return 500;
    }
}

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        { "html", "text/html" }, { "htm", "text/html" }, { "css", "text/css" },
        { "js", "text/javascript" }, { "mjs", "text/javascript" },
        { "json", "application/json" }, { "map", "application/json" },
        { "txt", "text/plain" }, { "md", "text/markdown" }, { "csv", "text/csv" },
        { "xml", "application/xml" }, { "pdf", "application/pdf" },
        { "svg", "image/svg+xml" }, { "png", "image/png" }, { "jpg", "image/jpeg" },
        { "jpeg", "image/jpeg" }, { "gif", "image/gif" }, { "webp", "image/webp" },
        { "avif", "image/avif" }, { "ico", "image/vnd.microsoft.icon" },
        { "woff", "font/woff" }, { "woff2", "font/woff2" }, { "ttf", "font/ttf" },
        { "mp3", "audio/mpeg" }, { "ogg", "audio/ogg" }, { "mp4", "video/mp4" },
        { "webm", "video/webm" }, { "wasm", "application/wasm" },
        { "zip", "application/zip" }, { "gz", "application/gzip" },
        { "tar", "application/x-tar" }
    };
    const char *name = strrchr(path, '/'), *dot = strrchr(name ? name : path, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (!strcasecmp(dot + 1, types[i][0]))
            return types[i][1];
    return "application/octet-stream";
}

/* Takes a small file's bytes and closes it. What was cut off meanwhile is not there. */
static int take(struct file *file)
{
    int64_t got = 0;
    ssize_t n;

    file->data = malloc((size_t)file->size + 1);
    if (!file->data)
        return 503;
    while (got < file->size) {
        n = pread(file->fd, file->data + got, (size_t)(file->size - got), got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return status_of(errno);
        if (n == 0)
            break;
        got += n;
    }
    file->size = got;
    close(file->fd);
    file->fd = -1;
    return 200;
}

static void describe(struct file *file, const struct stat *about, const char *name)
{
    file->modified = about->st_mtim.tv_sec;
    http_date(file->modified, file->date);
    snprintf(file->etag, sizeof file->etag, "\"%llx.%lx-%llx\"",
             (unsigned long long)file->modified, (unsigned long)about->st_mtim.tv_nsec,
             (unsigned long long)about->st_size);
    file->length_len = (uint16_t)snprintf(file->fields, sizeof file->fields,
                                          "Content-Length: %lld\r\n",
                                          (long long)file->size);
    file->fields_len = (uint16_t)(file->length_len + snprintf(
        file->fields + file->length_len, sizeof file->fields - file->length_len,
        "Content-Type: %s\r\nLast-Modified: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n",
        type_of(name), file->date, file->etag));
}

static int load(struct file *file, const char *name, bool is_folder)
{
    struct stat about;
    int status = 200;

    file->fd = walks ? open_walking(name) : open_beneath(name, FLAGS);
    if (file->fd < 0)
        return status_of(errno);
    if (fstat(file->fd, &about) < 0)
        return status_of(errno);
    if (S_ISDIR(about.st_mode))
        return is_folder ? 404 : 301;
    if (!S_ISREG(about.st_mode))
        return 404;
    file->size = about.st_size;
    if (file->size <= INLINE_MOST)
        status = take(file);
    describe(file, &about, name);
    return status;
}

coop_value file_load(void *arg)
{
    static const char index[] = "index.html";
    struct file *file = arg;
    size_t len = strlen(file->path);
    char *name = file->path;
    bool is_folder = len == 0 || name[len - 1] == '/';
    int status;

    if (is_folder)
        memcpy(name + len, index, sizeof index);
    status = load(file, name, is_folder);
    name[len] = '\0';
    return status;
}

struct file *file_new(const char *path, uint64_t tick)
{
    size_t len = strlen(path);
    struct file *file = calloc(1, sizeof *file + len + sizeof "index.html");

    if (file) {
        memcpy(file->path, path, len);
        file->fd = -1;
        file->uses = 1;
        file->opened = file->used = tick;
    }
    return file;
}

void file_release(struct file *file)
{
    if (!file || --file->uses > 0)
        return;
    if (file->fd >= 0)
        close(file->fd);
    free(file->data);
    free(file);
}

int files_open(const char *path)
{
    int probe;

    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    probe = open_beneath(".", FLAGS);
    walks = probe < 0;
    if (probe >= 0)
        close(probe);
    return 0;
}

/* ---- The cache ----------------------------------------------------------------------- */

static struct file *chains[CACHED * 2], *newest, *oldest;
static size_t cached;

static uint32_t hash_of(const char *path)
{
    uint32_t hash = 2166136261u;

    while (*path)
        hash = (hash ^ (unsigned char)*path++) * 16777619u;
    return hash;
}

static struct file **chain_of(uint32_t hash)
{
    return &chains[hash % (CACHED * 2)];
}

static struct file *look_up(const char *path, uint32_t hash)
{
    struct file *file = *chain_of(hash);

    while (file && (file->hash != hash || strcmp(file->path, path)))
        file = file->chain;
    return file;
}

static void unlink_age(struct file *file)
{
    *(file->newer ? &file->newer->older : &newest) = file->older;
    *(file->older ? &file->older->newer : &oldest) = file->newer;
}

static void link_age(struct file *file)
{
    file->newer = NULL;
    file->older = newest;
    *(newest ? &newest->newer : &oldest) = file;
    newest = file;
}

static void forget(struct file *file)
{
    struct file **link = chain_of(file->hash);

    while (*link != file)
        link = &(*link)->chain;
    *link = file->chain;
    unlink_age(file);
    cached--;
    file_release(file);
}

struct file *files_find(const char *path, uint64_t tick)
{
    struct file *file = look_up(path, hash_of(path));

    if (!file)
        return NULL;
    if (file->opened != tick && !(file->reopening && file->opened + 1 == tick)) {
        file->reopening = true;
        return NULL;
    }
    if (file != newest) {
        unlink_age(file);
        link_age(file);
    }
    file->used = tick;
    file->uses++;
    return file;
}

void files_forget(const char *path)
{
    struct file *file = look_up(path, hash_of(path));

    if (file)
        forget(file);
}

void files_keep(struct file *file)
{
    files_forget(file->path);
    if (cached == CACHED)
        forget(oldest);
    file->hash = hash_of(file->path);
    file->chain = *chain_of(file->hash);
    *chain_of(file->hash) = file;
    link_age(file);
    file->uses++;
    cached++;
}

void files_sweep(uint64_t tick)
{
    while (oldest && oldest->used < tick)
        forget(oldest);
}
