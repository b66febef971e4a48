/* symbols.c - which module an address is in, and which function. dladdr knows exported
   functions only and takes the loader's lock; the symbol table in the file has all, unless
   it was stripped, and asks for nothing but pread. */
#include "config.h"

#include "machine/crash.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LINK_H
#include <link.h>
#endif
#ifdef HAVE__DL_FIND_OBJECT
#include <dlfcn.h>
#endif

#if defined HAVE__DL_FIND_OBJECT

bool coop_module_at(const void *pc, struct coop_module *m)
{
    struct dl_find_object found;
    if (_dl_find_object((void *)pc, &found) < 0)
        return false;
    const char *name = found.dlfo_link_map->l_name;
    *m = (struct coop_module){
        found.dlfo_link_map->l_addr, *name ? name : "/proc/self/exe", found.dlfo_eh_frame
    };
    return true;
}

#elif defined HAVE_DL_ITERATE_PHDR

struct search {
    uintptr_t pc;
    struct coop_module *module;
};

static int is_in(struct dl_phdr_info *info, size_t size, void *arg)
{
    const struct search *s = arg;
    const void *unwinding = NULL;
    bool in = false;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t low = info->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD)
            in |= s->pc >= low && s->pc < low + part->p_memsz;
        else if (part->p_type == PT_GNU_EH_FRAME)
            unwinding = (const void *)low;
    }
    if (in)
        *s->module = (struct coop_module){
            info->dlpi_addr, *info->dlpi_name ? info->dlpi_name : "/proc/self/exe", unwinding
        };
    return in;
}

bool coop_module_at(const void *pc, struct coop_module *m)
{
    struct search s = { (uintptr_t)pc, m };
    return dl_iterate_phdr(is_in, &s) != 0;
}

#else

bool coop_module_at(const void *pc, struct coop_module *m)
{
    (void)pc, (void)m;
    return false;
}

#endif

/* ---- Text without stdio ---- */

struct text {
    char *at, *end;
};

static void put(struct text *t, const char *s)
{
    while (*s && t->at < t->end)
        *t->at++ = *s++;
}

static void put_hex(struct text *t, uintptr_t n)
{
    char digits[2 * sizeof n + 1], *d = digits + sizeof digits;
    *--d = 0;
    do
        *--d = "0123456789abcdef"[n % 16];
    while (n /= 16);
    put(t, "0x");
    put(t, d);
}

/* ---- The file's symbols ---- */

#ifdef HAVE_LINK_H

enum { AT_ONCE = 32, NAME = 128 };

static bool read_at(int fd, void *buf, size_t size, uint64_t offset)
{
    return pread(fd, buf, size, (off_t)offset) == (ssize_t)size;
}

/* The full symbol table, or else the one of exported names; and its names. */
static bool find_table(int fd, ElfW(Shdr) *table, ElfW(Shdr) *names)
{
    ElfW(Ehdr) file;
    ElfW(Shdr) part;
    if (!read_at(fd, &file, sizeof file, 0) || memcmp(file.e_ident, ELFMAG, SELFMAG) != 0
        || file.e_shentsize != sizeof part)
        return false;
    for (unsigned i = 0; i < file.e_shnum; i++) {
        if (!read_at(fd, &part, sizeof part, file.e_shoff + i * sizeof part))
            return false;
        if (part.sh_type == SHT_SYMTAB
            || (part.sh_type == SHT_DYNSYM && table->sh_type != SHT_SYMTAB))
            *table = part;
    }
    return table->sh_type != SHT_NULL
        && read_at(fd, names, sizeof *names, file.e_shoff + table->sh_link * sizeof *names);
}

static bool find_function(int fd, const ElfW(Shdr) *table, uintptr_t at, ElfW(Sym) *function)
{
    ElfW(Sym) some[AT_ONCE];
    uint64_t end = table->sh_offset + table->sh_size;
    for (uint64_t from = table->sh_offset; from < end; from += sizeof some) {
        size_t size = end - from < sizeof some ? (size_t)(end - from) : sizeof some;
        if (!read_at(fd, some, size, from))
            return false;
        for (size_t i = 0; i < size / sizeof *some; i++)
            if ((some[i].st_info & 15) == STT_FUNC && some[i].st_shndx != SHN_UNDEF
                && at >= some[i].st_value && at - some[i].st_value < some[i].st_size) {
                *function = some[i];
                return true;
            }
    }
    return false;
}

static bool put_function(struct text *t, const struct coop_module *m, uintptr_t at)
{
    ElfW(Shdr) table = { 0 }, names;
    ElfW(Sym) function;
    char name[NAME] = "";
    int fd = open(m->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool found = find_table(fd, &table, &names) && find_function(fd, &table, at, &function)
        && pread(fd, name, sizeof name - 1, (off_t)(names.sh_offset + function.st_name)) > 0;
    close(fd);
    if (found) {
        put(t, name);
        put(t, "+");
        put_hex(t, at - function.st_value);
    }
    return found;
}

#else

static bool put_function(struct text *t, const struct coop_module *m, uintptr_t at)
{
    (void)t, (void)m, (void)at;
    return false;
}

#endif

size_t coop_print_code(const void *pc, char *out, size_t size)
{
    struct text t = { out, out + size - 1 };
    struct coop_module m;
    if (!coop_module_at(pc, &m)) {
        put_hex(&t, (uintptr_t)pc);
    } else if (!put_function(&t, &m, (uintptr_t)pc - m.base)) {
        const char *slash = strrchr(m.path, '/');
        put(&t, slash ? slash + 1 : m.path);
        put(&t, "+");
        put_hex(&t, (uintptr_t)pc - m.base);
    }
    *t.at = 0;
    return (size_t)(t.at - out);
}
