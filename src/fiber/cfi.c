/* cfi.c - reads call frame information: finds what was written for a place in the code, runs
   it up to there, and applies the rules that come out. It takes no memory and no lock, and
   reads nothing but the tables and the stack, so it may run in a signal handler, on the
   stack of another context. What it does not know (tables that are not sorted, operators
   that no compiler uses here) ends the call stack early. */
#include "config.h"

#include "fiber/cfi.h"
#include "machine/crash.h"

#include <string.h>

enum { SAVES = 4, DEPTH = 16 };

enum rule_kind { SAME, UNDEFINED, AT_OFFSET, IS_OFFSET, IN_REGISTER, AT_EXPRESSION,
                 IS_EXPRESSION };

struct rule {
    enum rule_kind kind;
    int64_t offset;                /* or a register */
    const uint8_t *expression;     /* its length first */
};

struct rules {
    struct rule cfa;               /* IN_REGISTER: register, plus more; or IS_EXPRESSION */
    int64_t more;
    struct rule of[CFI_REGISTERS];
};

struct entry {                     /* what a FDE and its CIE say */
    uintptr_t from;
    uint64_t code_unit, ra;
    int64_t data_unit;
    bool signal;
    const uint8_t *begin, *end, *first, *first_end;
};

/* ---- Numbers ---- */

static uint64_t uleb(const uint8_t **p)
{
    uint64_t n = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*p)++;
        if (shift < 64)
            n |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return n;
    }
}

static int64_t sleb(const uint8_t **p)
{
    uint64_t n = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = *(*p)++;
        if (shift < 64)
            n |= (uint64_t)(byte & 127) << shift;
        shift += 7;
    } while (byte >= 128);
    if ((byte & 64) && shift < 64)
        n |= ~UINT64_C(0) << shift;
    return (int64_t)n;
}

static int64_t fixed(const uint8_t **p, size_t size, bool is_signed)
{
    uint64_t n = 0;
    for (size_t i = 0; i < size; i++)
        n |= (uint64_t)*(*p)++ << 8 * i;
    if (is_signed && size < 8 && n >> (8 * size - 1))
        n |= ~UINT64_C(0) << 8 * size;
    return (int64_t)n;
}

/* A pointer in one of the forms of DW_EH_PE_: relative to where it stands or absolute. */
static uintptr_t encoded(const uint8_t **p, uint8_t form)
{
    static const uint8_t size[16] = {
        sizeof(void *), 0, 2, 4, 8, [10] = 2, [11] = 4, [12] = 8
    };
    uintptr_t here = (uintptr_t)*p;
    uintptr_t n = (uintptr_t)((form & 15) == 1 ? (int64_t)uleb(p)
                              : fixed(p, size[form & 15], (form & 8) != 0));
    return (form & 0x70) == 0x10 ? here + n : n;
}

/* ---- Finding ---- */

static int32_t word_at(const uint8_t *p)
{
    return (int32_t)fixed(&p, 4, true);
}

/* In the sorted table of PT_GNU_EH_FRAME: pairs of code and FDE, relative to its start. */
static const uint8_t *find_fde(uintptr_t pc)
{
    struct coop_module m;
    if (!coop_module_at((const void *)pc, &m) || !m.unwinding)
        return NULL;
    const uint8_t *table = m.unwinding, *p = table + 4;
    if (table[0] != 1 || table[2] == 0xff || table[3] != 0x3b)
        return NULL;
    encoded(&p, table[1]);
    size_t low = 0, high = encoded(&p, table[2]);
    int64_t want = (int64_t)(pc - (uintptr_t)table);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (word_at(p + 8 * middle) <= want)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? table + word_at(p + 8 * (low - 1) + 4) : NULL;
}

/* Returns the form of pointers in its FDEs; 0xff: not known. */
static uint8_t read_cie(struct entry *e, const uint8_t *p)
{
    uint8_t form = 0;
    uint64_t length = (uint64_t)fixed(&p, 4, false);
    e->first_end = p + length;
    p += 4;
    uint8_t version = *p++;
    const char *kind = (const char *)p;
    p += strlen(kind) + 1;
    e->code_unit = uleb(&p);
    e->data_unit = sleb(&p);
    e->ra = version == 1 ? *p++ : uleb(&p);
    if ((version != 1 && version != 3) || e->ra >= CFI_REGISTERS || *kind++ != 'z')
        return 0xff;
    uint64_t more = uleb(&p);
    e->first = p + more;
    for (; *kind; kind++)
        if (*kind == 'R') {
            form = *p++;
        } else if (*kind == 'L') {
            p++;
        } else if (*kind == 'P') {
            uint8_t personality = *p++;
            encoded(&p, personality);
        } else if (*kind == 'S') {
            e->signal = true;
        } else if (*kind != 'B') {
            return 0xff;
        }
    return form;
}

static bool find_entry(struct entry *e, uintptr_t pc)
{
    const uint8_t *p = find_fde(pc);
    if (!p)
        return false;
    *e = (struct entry){ .signal = false };
    uint64_t length = (uint64_t)fixed(&p, 4, false);
    if (length == 0xffffffff)
        return false;
    e->end = p + length;
    const uint8_t *cie = p;
    cie -= fixed(&p, 4, false);
    uint8_t form = read_cie(e, cie);
    if (form == 0xff)
        return false;
    e->from = encoded(&p, form);
    uintptr_t size = encoded(&p, form & 15);
    uint64_t more = uleb(&p);
    e->begin = p + more;
    return pc >= e->from && pc - e->from < size;
}

/* ---- Running ---- */

struct run {
    const struct entry *entry;
    struct rules now, first, saved[SAVES];
    unsigned saves;
    uintptr_t at;
};

static void set(struct run *r, uint64_t number, enum rule_kind kind, int64_t offset)
{
    if (number < CFI_REGISTERS)
        r->now.of[number] = (struct rule){ kind, offset, NULL };
}

static const uint8_t *set_expression(struct run *r, uint64_t number, enum rule_kind kind,
                                     const uint8_t *p)
{
    if (number < CFI_REGISTERS)
        r->now.of[number] = (struct rule){ kind, 0, p };
    uint64_t length = uleb(&p);
    return p + length;
}

static void set_cfa(struct run *r, uint64_t number, int64_t more)
{
    r->now.cfa = (struct rule){ IN_REGISTER, (int64_t)number, NULL };
    r->now.more = more;
}

/* The instructions with an operand in their lowest six bits. */
static void run_short(struct run *r, uint8_t byte, const uint8_t **p)
{
    uint8_t low = byte & 63;
    if (byte >> 6 == 1)
        r->at += low * r->entry->code_unit;
    else if (byte >> 6 == 2)
        set(r, low, AT_OFFSET, (int64_t)uleb(p) * r->entry->data_unit);
    else if (low < CFI_REGISTERS)
        r->now.of[low] = r->first.of[low];
}

/* Up to a place in the code. */
static bool run(struct run *r, const uint8_t *p, const uint8_t *end, uintptr_t pc)
{
    int64_t unit = r->entry->data_unit;
    uint64_t n;
    while (p < end && r->at <= pc) {
        uint8_t byte = *p++;
        if (byte >> 6) {
            run_short(r, byte, &p);
            continue;
        }
        switch (byte) {
        case 0x00: break;                                               /* nop */
        case 0x01: return false;                                        /* set_loc */
        case 0x02: r->at += (uint64_t)fixed(&p, 1, false) * r->entry->code_unit; break;
        case 0x03: r->at += (uint64_t)fixed(&p, 2, false) * r->entry->code_unit; break;
        case 0x04: r->at += (uint64_t)fixed(&p, 4, false) * r->entry->code_unit; break;
        case 0x05: n = uleb(&p); set(r, n, AT_OFFSET, (int64_t)uleb(&p) * unit); break;
        case 0x06: n = uleb(&p); if (n < CFI_REGISTERS) r->now.of[n] = r->first.of[n]; break;
        case 0x07: set(r, uleb(&p), UNDEFINED, 0); break;
        case 0x08: set(r, uleb(&p), SAME, 0); break;
        case 0x09: n = uleb(&p); set(r, n, IN_REGISTER, (int64_t)uleb(&p)); break;
        case 0x0a: if (r->saves == SAVES) return false; r->saved[r->saves++] = r->now; break;
        case 0x0b: if (!r->saves) return false; r->now = r->saved[--r->saves]; break;
        case 0x0c: n = uleb(&p); set_cfa(r, n, (int64_t)uleb(&p)); break;
        case 0x0d: set_cfa(r, uleb(&p), r->now.more); break;
        case 0x0e: r->now.more = (int64_t)uleb(&p); break;
        case 0x0f: r->now.cfa = (struct rule){ IS_EXPRESSION, 0, p };
                   n = uleb(&p); p += n; break;
        case 0x10: n = uleb(&p); p = set_expression(r, n, AT_EXPRESSION, p); break;
        case 0x11: n = uleb(&p); set(r, n, AT_OFFSET, sleb(&p) * unit); break;
        case 0x12: n = uleb(&p); set_cfa(r, n, sleb(&p) * unit); break;
        case 0x13: r->now.more = sleb(&p) * unit; break;
        case 0x14: n = uleb(&p); set(r, n, IS_OFFSET, (int64_t)uleb(&p) * unit); break;
        case 0x15: n = uleb(&p); set(r, n, IS_OFFSET, sleb(&p) * unit); break;
        case 0x16: n = uleb(&p); p = set_expression(r, n, IS_EXPRESSION, p); break;
        case 0x2d: break;                       /* aarch64: the return address is signed */
        case 0x2e: uleb(&p); break;                                     /* GNU_args_size */
        default: return false;
        }
    }
    return true;
}

/* ---- Applying ---- */

static bool load(const struct cfi_frame *f, uintptr_t at, uintptr_t *value)
{
    if (at < f->low || at > f->high - sizeof *value || f->high - f->low < sizeof *value)
        return false;
    memcpy(value, (const void *)at, sizeof *value);
    return true;
}

static bool register_of(const struct cfi_frame *f, uint64_t number, uintptr_t *value)
{
    if (CFI_PC >= 0 && number == (uint64_t)CFI_PC) {
        *value = f->pc;
        return true;
    }
    if (number >= CFI_REGISTERS || !(f->known >> number & 1))
        return false;
    *value = f->value[number];
    return true;
}

/* Operators that take the two topmost values. */
static bool combine(uint8_t operator, uintptr_t a, uintptr_t b, uintptr_t *result)
{
    switch (operator) {
    case 0x1a: *result = a & b; return true;
    case 0x1c: *result = a - b; return true;
    case 0x21: *result = a | b; return true;
    case 0x22: *result = a + b; return true;
    case 0x24: *result = b < 64 ? a << b : 0; return true;
    case 0x25: *result = b < 64 ? a >> b : 0; return true;
    case 0x27: *result = a ^ b; return true;
    case 0x2a: *result = (intptr_t)a >= (intptr_t)b; return true;
    default: return false;
    }
}

/* Of those that compilers and C libraries use: for stacks that were aligned, for stubs of
   the dynamic linker, for frames of signals. first, if any, is pushed before. */
static bool evaluate(const struct cfi_frame *f, const uint8_t *p, const uintptr_t *first,
                     uintptr_t *result)
{
    uintptr_t stack[DEPTH] = { first ? *first : 0 };
    size_t n = first != NULL;
    uint64_t length = uleb(&p);
    for (const uint8_t *end = p + length; p < end;) {
        uint8_t op = *p++;
        if (op >= 0x08 && op <= 0x0f && n < DEPTH) {
            stack[n++] = (uintptr_t)fixed(&p, (size_t)1 << (op - 8) / 2, op & 1);
        } else if ((op == 0x10 || op == 0x11) && n < DEPTH) {
            stack[n++] = op == 0x10 ? (uintptr_t)uleb(&p) : (uintptr_t)sleb(&p);
        } else if (op >= 0x30 && op <= 0x4f && n < DEPTH) {
            stack[n++] = op - 0x30u;
        } else if (((op >= 0x70 && op <= 0x8f) || op == 0x92) && n < DEPTH) {
            uint64_t number = op == 0x92 ? uleb(&p) : op - 0x70u;
            if (!register_of(f, number, &stack[n]))
                return false;
            stack[n++] += (uintptr_t)sleb(&p);
        } else if (op == 0x06 && n) {
            if (!load(f, stack[n - 1], &stack[n - 1]))
                return false;
        } else if (op == 0x23 && n) {
            stack[n - 1] += (uintptr_t)uleb(&p);
        } else if (n < 2 || !combine(op, stack[n - 2], stack[n - 1], &stack[n - 2])) {
            return false;
        } else {
            n--;
        }
    }
    *result = n ? stack[n - 1] : 0;
    return n > 0;
}

static bool find_cfa(const struct cfi_frame *f, const struct rules *rules, uintptr_t *cfa)
{
    if (rules->cfa.kind == IS_EXPRESSION)
        return evaluate(f, rules->cfa.expression, NULL, cfa);
    if (!register_of(f, (uint64_t)rules->cfa.offset, cfa))
        return false;
    *cfa += (uintptr_t)rules->more;
    return true;
}

static bool apply(const struct cfi_frame *f, uint64_t number, const struct rule *rule,
                  uintptr_t cfa, uintptr_t *value)
{
    uintptr_t at;
    switch (rule->kind) {
    case SAME: return register_of(f, number, value);
    case AT_OFFSET: return load(f, cfa + (uintptr_t)rule->offset, value);
    case IS_OFFSET: *value = cfa + (uintptr_t)rule->offset; return true;
    case IN_REGISTER: return register_of(f, (uint64_t)rule->offset, value);
    case AT_EXPRESSION: return evaluate(f, rule->expression, &cfa, &at) && load(f, at, value);
    case IS_EXPRESSION: return evaluate(f, rule->expression, &cfa, value);
    default: return false;
    }
}

/* A signed return address has its signature in bits that no address uses. */
static uintptr_t plain(uintptr_t address)
{
#ifdef __aarch64__
    register uintptr_t x30 __asm__("x30") = address;
    __asm__("hint #7" : "+r"(x30));        /* xpaclri */
    return x30;
#else
    return address;
#endif
}

bool coop_cfi_step(struct cfi_frame *f)
{
    struct entry e;
    struct run r = { .entry = &e };
    uintptr_t place = f->pc - f->called, cfa;
    if (!find_entry(&e, place))
        return false;
    if (!run(&r, e.first, e.first_end, UINTPTR_MAX))
        return false;
    r.first = r.now;
    r.at = e.from;
    if (!run(&r, e.begin, e.end, place) || !find_cfa(f, &r.now, &cfa))
        return false;

    struct cfi_frame caller = { .low = f->low, .high = f->high, .called = !e.signal };
    for (unsigned i = 0; i < CFI_REGISTERS; i++)
        if (apply(f, i, &r.now.of[i], cfa, &caller.value[i]))
            caller.known |= UINT64_C(1) << i;
    if (r.now.of[CFI_SP].kind == SAME)
        caller.value[CFI_SP] = cfa;
    caller.known |= UINT64_C(1) << CFI_SP;
    if (!(caller.known >> e.ra & 1) || r.now.of[e.ra].kind == UNDEFINED)
        return false;
    caller.pc = plain(caller.value[e.ra]);
    bool outwards = caller.value[CFI_SP] > f->value[CFI_SP] || !f->called;
    *f = caller;
    return f->pc != 0 && outwards;
}
