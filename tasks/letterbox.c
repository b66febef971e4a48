/* letterbox.c - a ring of cells. Who puts something in takes the number of a place first, and
   then fills the cell of that place: so the order is that of the numbers, and a cell that
   is not filled yet holds up those behind it, but nobody who puts or takes.

   A cell's turn says whose it is: 2 * place, free for the item of that place; one more,
   filled with it. */
#include "tasks/letterbox.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(ATOMIC_LONG_LOCK_FREE == 2 && ATOMIC_POINTER_LOCK_FREE == 2
               && sizeof(size_t) == sizeof(long), "what handlers use takes no lock");

struct cell {
    atomic_size_t turn;
    char item[];
};

struct letterbox {
    size_t size, step, capacity;   /* bytes of an item, of a cell; cells */
    atomic_size_t in;              /* the next place to be taken */
    size_t out;                    /* the place of the first */
    char cells[];
};

static struct cell *cell_of(struct letterbox *box, size_t place)
{
    return (struct cell *)(box->cells + place % box->capacity * box->step);
}

struct letterbox *coop_letterbox_open(size_t size, size_t capacity)
{
    size_t align = _Alignof(struct cell), most = PTRDIFF_MAX - sizeof(struct letterbox);
    if (size > most - sizeof(struct cell) - align)
        return NULL;
    size_t step = (sizeof(struct cell) + size + align - 1) / align * align;
    struct letterbox *box = step > most / capacity ? NULL
        : malloc(sizeof *box + capacity * step);
    if (!box)
        return NULL;
    box->size = size;
    box->step = step;
    box->capacity = capacity;
    box->out = 0;
    atomic_init(&box->in, 0);
    for (size_t i = 0; i < capacity; i++)
        atomic_init(&cell_of(box, i)->turn, 2 * i);
    return box;
}

void coop_letterbox_free(struct letterbox *box)
{
    free(box);
}

bool coop_letterbox_put(struct letterbox *box, const void *item)
{
    size_t place = atomic_load_explicit(&box->in, memory_order_relaxed);
    for (;;) {
        struct cell *cell = cell_of(box, place);
        size_t turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
        if (turn == 2 * place) {
            if (atomic_compare_exchange_weak_explicit(&box->in, &place, place + 1,
                                                      memory_order_relaxed,
                                                      memory_order_relaxed)) {
                memcpy(cell->item, item, box->size);
                atomic_store_explicit(&cell->turn, 2 * place + 1, memory_order_release);
                return true;
            }
        } else if ((ptrdiff_t)(turn - 2 * place) < 0) {
            return false;          /* it has what was put in a round ago */
        } else {
            place = atomic_load_explicit(&box->in, memory_order_relaxed);
        }
    }
}

void *coop_letterbox_first(struct letterbox *box)
{
    struct cell *cell = cell_of(box, box->out);
    size_t turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
    return turn == 2 * box->out + 1 ? cell->item : NULL;
}

void coop_letterbox_drop(struct letterbox *box)
{
    struct cell *cell = cell_of(box, box->out);
    atomic_store_explicit(&cell->turn, 2 * (box->out + box->capacity), memory_order_release);
    box->out++;
}
