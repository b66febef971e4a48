/* DoorWait - wait until somebody knocks at a door. */
#include "tasks/doors.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    coop_door *door = ((struct coop_DoorWait *)call)->door;
    return door ? coop_door_await(s, door, call) : -ENOMEM;
}

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_door_undo(((struct coop_DoorWait *)call)->door, call);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const coop_door *door = ((const struct coop_DoorWait *)call)->door;
    const char *name = door ? coop_door_name(door) : "NULL";
    (void)result;
    coop_print(text, "%s", name ? name : "");
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_door *door = ((const struct coop_DoorWait *)call)->door;
    *touch = (coop_touch){
        .object = (uintptr_t)door, .write = true, .what = "door",
        .name = door ? coop_door_name(door) : NULL
    };
}

const coop_call_type coop_DoorWait_type = {
    .name = "DoorWait", .handle = handle, .undo = undo, .describe = describe,
    .touches = touches
};
