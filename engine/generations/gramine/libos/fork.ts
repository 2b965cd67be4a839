/** fork, vfork and posix_spawn: a new process and a checkpoint for it (gramine-today.md 7.5; libos_clone.c, libos_checkpoint.c). */

import { E } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { callArgs, exitArgs } from "../../../host/calls.ts";
import { SIG } from "../../../signals.ts";
import { extended } from "../../../state.ts";
import type { ProgramArgs } from "../../../syscalls.ts";
import { WHY } from "../../../transition.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { PAL_ERROR, palToUnix } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import type { LibosProcess } from "../state.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { CHILDREN_LOCK } from "./names.ts";

interface Fork extends ProgramArgs {
  process: number;
}

type Stream = keyof LibosProcess["streams"];

const streamOf = (c: Cpu, process: number, which: Stream): number => c.m.processes[process]?.libos.streams[which] ?? -1;

/** write_exact and read_exact swallow interruptions. `again` is the name of the mark before it. */
const exactly = <V extends object>(
  s: Steps<V>,
  what: "read" | "write",
  label: string,
  stream: (c: Cpu, v: V) => number,
  outside = false,
): Step =>
  s.call(
    `${what}_exact: ${what === "read" ? "PalStreamRead" : "PalStreamWrite"}(${label})`,
    what === "read" ? PAL.PalStreamRead : PAL.PalStreamWrite,
    (c, v) => (outside ? callArgs({ takes: 0, result: 1 }) : callArgs({ object: stream(c, v), bytes: 1 })),
    "pal.call.enter",
  );

const isInterrupted = (c: Cpu): boolean => c.t.rax === PAL_ERROR.INTERRUPTED;

/** What PalProcessCreate made, once it has answered. */
function adopt(c: Cpu, v: Fork): void {
  const child = c.m.processes[v.process];
  if (child) processOf(c).children.unshift({ process: child.id, pid: child.pid, exitCode: 0, termSignal: 0 });
  c.value = child?.pid ?? -1;
}

const processOf = (c: Cpu): LibosProcess => c.process(c.t).libos;

/** The child is among the children before it may go on: it says that it is there, and waits for the answer. No signal ends any of this. */
const newProcess = flow<Fork>(LIBOS.do_clone_new_vm, "libos", "7.5", (s) => [
  s.own({ process: -1 }),
  s.act("get_new_thread: mask, dispositions, handles; no alternate stack, nothing pending"),
  s.call(
    "PalProcessCreate()",
    PAL.PalProcessCreate,
    (_, v) => ({ program: v.program, start: -1, internal: false, cloned: null }),
    "pal.call.enter",
  ),
  s.act("the process", (c, v) => {
    v.process = c.t.rax;
    c.value = v.process;
  }),
  s.test("it failed?", (_, v) => v.process < 0, "failed"),
  exactly(s, "write", "checkpoint header", () => -1, true),
  exactly(s, "write", "checkpoint", () => -1, true),
  s.at("ack"),
  exactly(s, "read", "process: its final ack", (c, v) => streamOf(c, v.process, "up")),
  s.test("interrupted? again", isInterrupted, "ack"),
  s.test("the child is gone?", (c) => c.t.rax <= 0, "lost"),
  s.call("add_child_process: lock(children_lock)", LIBOS.lock, () => ({ name: CHILDREN_LOCK })),
  s.act("among the children", adopt),
  s.call("add_child_process: unlock(children_lock)", LIBOS.unlock, () => ({ name: CHILDREN_LOCK })),
  s.at("answer"),
  exactly(s, "write", "process: ack", (c, v) => streamOf(c, v.process, "down")),
  s.test("interrupted? again", isInterrupted, "answer"),
  s.test("it went off?", (c) => c.t.rax >= 0, "done"),
  s.call("the child is gone: mark_child_exited_by_vmid(SIGPWR)", LIBOS.mark_child_exited, (_, v) => ({
    process: v.process,
    code: 0,
    signal: SIG.PWR,
  })),
  s.at("done"),
  s.ret("return the pid", (c, v) => {
    c.t.rax = c.m.processes[v.process]?.pid ?? -1;
    c.value = c.t.rax;
  }),
  s.at("lost"),
  s.ret("return -ENODATA, or the error", (c) => {
    c.t.rax = c.t.rax === 0 ? E.NODATA : palToUnix(c.t.rax);
    c.value = c.t.rax;
  }),
  s.at("failed"),
  s.ret("return the error", (c) => {
    c.t.rax = palToUnix(c.t.rax);
    c.value = c.t.rax;
  }),
]);

const fork = (name: "fork" | "vfork"): Flow =>
  flow(SYSCALL_FLOWS[name], "libos", "7.5", (s) => [
    s.call(name === "fork" ? "do_clone_new_vm" : "as fork: do_clone_new_vm", LIBOS.do_clone_new_vm, (_, v) =>
      extended(callArgs(), { program: v.program }),
    ),
    answer(s),
  ]);

/** Of the child, in libos_init: it tells its parent that it is there, and waits for the answer. Without a parent it ends. */
export const handshake = <V extends object>(s: Steps<V>): (Step | Mark)[] => [
  s.at("final ack"),
  exactly(s, "write", "parent: final ack", (c) => streamOf(c, c.t.process, "up")),
  s.test("interrupted? again", isInterrupted, "final ack"),
  s.test("the parent is gone?", (c) => c.t.rax < 0, "orphan"),
  s.at("ack"),
  exactly(s, "read", "parent: ack", (c) => streamOf(c, c.t.process, "down")),
  s.test("interrupted? again", isInterrupted, "ack"),
  s.test("the parent is there?", (c) => c.t.rax > 0, "alone"),
  s.at("orphan"),
  s.call("PalProcessExit(1)", PAL.PalProcessExit, () => exitArgs({ status: 1, group: true, why: WHY.LIBOS, signal: 0 }), "pal.call.enter"),
];

export const forkFlows: readonly Flow[] = [newProcess, fork("fork"), fork("vfork")];
