# coop-gdb.py - the tasks of a program, for gdb: info coop, coop bt TID, coop bt all.
#
# For live processes and core files: nothing of the program is run and no register is set. It
# needs libcoop's debug information (gcc -g, as make has it, and not stripped), and gdb's
# libthread_db, for the variables that each thread has its own of.
import os
import re

import gdb
import gdb.unwinder

STATES = ["ready", "running", "waiting", "ended"]
CO_ENDS, TASK_SYSTEM, TASK_MORE, FRAME_FIBER = 3, 1, 16, 4
ENDED = 3


def variable(name):
    """A variable of the selected thread's, None if the program does not have it."""
    try:
        return gdb.parse_and_eval(name)
    except gdb.error:
        return None


def text(pointer):
    return pointer.string(errors="replace") if int(pointer) else ""


# ---- Tasks ---------------------------------------------------------------------------------

class Task:
    def __init__(self, value):
        self.value = value
        self.co = value["co"]
        self.tid = int(value["tid"])
        self.state = int(self.co["state"])

    def more(self):
        if not int(self.co["flags"]) & TASK_MORE:
            return None
        return self.value["born"].cast(gdb.lookup_type("struct coop_more").pointer())

    def first_frame(self):
        return self.value["room"].address.cast(gdb.lookup_type("coop_frame").pointer())

    def name(self):
        more = self.more()
        name = text(more["name"]) if more else ""
        name = name or frame_name(self.first_frame())
        return "[%s]" % name if int(self.co["flags"]) & TASK_SYSTEM else name

    def born(self):
        more = self.more()
        return os.path.basename(text(more["born"] if more else self.value["born"]))

    def state_name(self):
        ending = int(self.co["fate"]) & CO_ENDS and self.state != ENDED
        return "ending" if ending else STATES[self.state]

    def call(self):
        call = self.co["call"]
        if STATES[self.state] != "waiting" or not int(call):
            return ""
        return text(call["type"]["name"])

    def frames(self):
        frame = self.co["top"]
        while int(frame):
            yield frame
            frame = frame["caller"]


def frame_name(frame):
    routine = frame["routine"]
    at = int(routine["name_at"])
    if at:
        chars = gdb.lookup_type("char").pointer()
        name = (frame.cast(chars) + at).cast(chars.pointer()).dereference()
        if int(name):
            return text(name)
    return text(routine["name"])


def tasks(sched):
    """All of a scheduler, by their numbers."""
    found = {}
    for slot in range(int(sched["limit"])):
        task = sched["slots"][slot]
        while int(task):
            found[int(task["tid"])] = Task(task.dereference())
            task = task["chain"]
    return [found[tid] for tid in sorted(found)]


# ---- The C functions of a stack --------------------------------------------------------------

class Elsewhere(gdb.unwinder.Unwinder):
    """As if who called the innermost function were where a context stands."""

    def __init__(self):
        super().__init__("coop")
        self.enabled = False

    def start(self, context):
        frame = gdb.newest_frame()
        self.here = int(frame.read_register("sp"))
        self.registers = registers_of(context, frame.architecture().name())
        self.enabled = bool(self.registers)
        gdb.invalidate_cached_frames()

    def stop(self):
        self.enabled = False
        gdb.invalidate_cached_frames()

    def __call__(self, pending):
        if not self.enabled or int(pending.read_register("sp")) != self.here:
            return None
        chars = gdb.lookup_type("char").pointer()
        sp = next(value for name, value in self.registers if name in ("rsp", "sp"))
        info = pending.create_unwind_info(Id(gdb.Value(sp - 16).cast(chars),
                                             pending.read_register("pc")))
        for name, value in self.registers:
            kind = pending.read_register(name).type
            info.add_saved_register(name, gdb.Value(value).cast(kind))
        return info


class Id:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


def registers_of(context, machine):
    """What a struct coop_context keeps, as pairs of names and values."""
    fields = [field.name for field in context.type.fields()]
    if "sp" in fields:
        names = ("rsp", "rbp", "rip") if "x86-64" in machine else ("sp", "x29", "pc")
        return list(zip(names, (int(context[name]) for name in ("sp", "fp", "pc"))))
    if "x86-64" not in machine:
        return []
    kept = context["saved"]["uc_mcontext"]["gregs"]
    names = "r8 r9 r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx rsp rip".split()
    return [(name, int(kept[i])) for i, name in enumerate(names)]


elsewhere = Elsewhere()
gdb.unwinder.register_unwinder(None, elsewhere, replace=True)


def is_ours(frame):
    """A function of the library's."""
    name = frame.name() or ""
    symtab = frame.find_sal().symtab
    return name.startswith("coop_") or bool(
        symtab and re.search(r"(^|/)src/(fiber|kernel|lib)/\w+\.[chS]$", symtab.filename))


def is_first(frame):
    return frame.name() == "coop_fiber_enter"


def is_of(frame, routine):
    return frame.name() in (routine + "_code_", routine + "_resume_")


def describe(frame):
    """As gdb shows it, without its number and the line of source."""
    frame.select()
    line = gdb.execute("frame", to_string=True).split("\n")[0]
    return line.split(None, 1)[1]


def functions(frame, until=lambda frame: False):
    """The program's functions from frame on, the innermost first."""
    found = []
    while frame is not None:
        found.append(frame)
        if until(frame):
            break
        frame = frame.older()
    while found and is_ours(found[-1]):
        found.pop()
    while found and is_ours(found[0]):
        found.pop(0)
    return [describe(frame) for frame in found]


def begins(context):
    """It stands at the very first instruction."""
    machine = gdb.newest_frame().architecture().name()
    pc = dict(registers_of(context, machine)).get("rip" if "x86-64" in machine else "pc", 0)
    symbol = gdb.execute("info symbol %d" % pc, to_string=True).split(" in ")[0]
    return symbol in ("coop_context_start", "coop_context_begin")


def functions_at(context):
    elsewhere.start(context)
    try:
        older = gdb.newest_frame().older() if elsewhere.enabled else None
        return functions(older, is_first) if older is not None else []
    finally:
        elsewhere.stop()


def functions_of_fiber(frame):
    """None: it has not begun."""
    if not int(frame["flags"]) & FRAME_FIBER:
        return None
    own = frame.cast(gdb.lookup_type("struct coop_fiber").pointer())["own_"]
    at, inner = variable("coop_fiber_running"), None
    while at is not None and int(at):
        if int(at) == int(own):
            if inner is None:
                return functions(gdb.newest_frame(), is_first)
            return functions_at(inner["host"].dereference())
        inner, at = at, at["outer"]
    return None if begins(own["context"]) else functions_at(own["context"])


def functions_of_routine(task, frame, sched):
    """Of the one that has the processor just now; None of others."""
    routine = text(frame["routine"]["name"])
    fiber = variable("coop_fiber_running")
    if int(sched["current"]) != int(task.value.address) or int(frame) != int(task.co["top"]) \
            or (fiber is not None and int(fiber)):
        return None
    at = gdb.newest_frame()
    while at is not None and not is_of(at, routine):
        at = at.older()
    return functions(gdb.newest_frame(), lambda f: f == at) if at is not None else None


def place_of(frame):
    file, line = os.path.basename(text(frame["routine"]["file"])), int(frame["line"])
    return "%s:%d" % (file, line) if line > 0 else file


def lines_of(task, sched, most=None):
    """A line for each frame of a task, the innermost first."""
    lines = []
    for frame in task.frames():
        fiber = text(frame["routine"]["name"]) == "fiber"
        found = functions_of_fiber(frame) if fiber \
            else functions_of_routine(task, frame, sched)
        lines += found or ["%s at %s" % (frame_name(frame), place_of(frame))]
        if most and len(lines) >= most:
            break
    return lines


# ---- The commands ----------------------------------------------------------------------------

def schedulers():
    """Each thread that has one is selected in turn, and the first one in the end."""
    selected, found = gdb.selected_thread(), False
    if selected is None:
        raise gdb.GdbError("There is no process and no core file.")
    frame = gdb.selected_frame()
    try:
        for thread in sorted(gdb.selected_inferior().threads(), key=lambda t: t.num):
            thread.switch()
            sched = variable("coop_this")
            if sched is not None and sched.type.code == gdb.TYPE_CODE_PTR and int(sched):
                found = True
                yield thread, sched.dereference()
    finally:
        selected.switch()
        if frame.is_valid():
            frame.select()
    if not found:
        raise gdb.GdbError("No thread has a scheduler, or libcoop's debug information is "
                           "missing.")


def head(thread):
    name = thread.name or "?"
    gdb.write("Thread %d (%s):\n" % (thread.num, name))


class InfoCoop(gdb.Command):
    """The tasks of all schedulers: number, parent, state, name, call and place."""

    def __init__(self):
        super().__init__("info coop", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        for thread, sched in schedulers():
            head(thread)
            gdb.write("%5s %6s %-7s  %s\n" % ("TID", "PARENT", "STATE", "TASK"))
            all = tasks(sched)
            alive = {task.tid for task in all if task.state != ENDED}
            for task in all:
                parent = int(task.value["parent"])
                lines = lines_of(task, sched, 1)
                gdb.write("%5d %6d %-7s  %s%s%s\n" % (
                    task.tid, parent if parent in alive else 0, task.state_name(),
                    task.name(), "  " + task.call() if task.call() else "",
                    "  " + lines[0] if lines else ""))


class Coop(gdb.Command):
    """coop bt TID, coop bt all: the call stacks of tasks. See also info coop."""

    def __init__(self):
        super().__init__("coop", gdb.COMMAND_STACK, prefix=True)


class CoopBt(gdb.Command):
    """The call stack of a task, or of all: routines with their places, fibers with their
functions. Use: coop bt TID, or coop bt all."""

    def __init__(self):
        super().__init__("coop bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        word = argument.strip()
        if word != "all" and not word.isdigit():
            raise gdb.GdbError("coop bt TID, or coop bt all; info coop shows the tasks.")
        found = False
        for thread, sched in schedulers():
            wanted = [task for task in tasks(sched) if word in ("all", str(task.tid))]
            if wanted:
                found = True
                head(thread)
            for task in wanted:
                self.show(task, sched)
        if not found:
            raise gdb.GdbError("There is no task %s." % word)

    def show(self, task, sched):
        call = " in " + task.call() if task.call() else ""
        gdb.write("%d %s, %s%s, created at %s\n" % (task.tid, task.name(), task.state_name(),
                                                    call, task.born()))
        for number, line in enumerate(lines_of(task, sched)):
            gdb.write("  #%d %s\n" % (number, line))


InfoCoop()
Coop()
CoopBt()
