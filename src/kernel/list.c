/* list.c - lists of waiting calls: circular, and known by their last, so that the first is
   one step away and both ends are cheap. */
#include "kernel/kernel.h"

void coop_list_add(coop_call **list, coop_call *call)
{
    coop_call *last = *list;
    if (last) {
        call->next = last->next;
        last->next = call;
    } else {
        call->next = call;
    }
    *list = call;
}

coop_call *coop_list_take(coop_call **list)
{
    coop_call *last = *list;
    if (!last)
        return NULL;
    coop_call *first = last->next;
    if (first == last)
        *list = NULL;
    else
        last->next = first->next;
    return first;
}

bool coop_list_remove(coop_call **list, coop_call *call)
{
    coop_call *last = *list;
    if (!last)
        return false;
    for (coop_call *before = last;; before = before->next) {
        if (before->next == call) {
            before->next = call->next;
            if (call == last)
                *list = before == call ? NULL : before;
            return true;
        }
        if (before->next == last)
            return false;
    }
}
