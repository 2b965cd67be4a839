/**
 * IPC: messages between processes (gramine-today.md 6; ipc/libos_ipc.c). All connections of a process are one object here; who owns a pid is
 * known without asking the leader.
 */

import { E } from "../../../errno.ts";
import type { Flow, Step } from "../../../flow.ts";
import { addMessage, callArgs, fill } from "../../../host/calls.ts";
import { wakeWaiters } from "../../../host/sleep.ts";
import type { Word } from "../../../state.ts";
import { NEVER } from "../../../time.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { PAL_ERROR, palToUnix } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import type { Ipc, IpcMessage, IpcWaiter, Process } from "../state.ts";
import { LIBOS } from "./flows.ts";
import { WAITERS_LOCK } from "./names.ts";

export const ipcOf = (c: Cpu): Ipc => c.process(c.t).libos.ipc;

/** A message with what it has to say. */
export const message = (what: IpcMessage["what"], src: number, given: Partial<IpcMessage> = {}): IpcMessage => ({
  what,
  src,
  sender: given.sender ?? 0,
  signal: given.signal ?? 0,
  id: given.id ?? 0,
  name: given.name ?? "",
  thread: given.thread ?? -1,
  ret: given.ret ?? 0,
  termSignal: given.termSignal ?? 0,
});

function closeObject(c: Cpu, id: number): void {
  const object = c.m.objects[id];
  if (!object || object.closed) return;
  object.closed = true;
  wakeWaiters(c, id);
}

/** The host has ended a process: its connections close, and who has one hears of it; so do the streams to its parent and its children. */
export function disconnected(c: Cpu, p: Process): void {
  const port = c.m.objects[p.libos.ipc.port];
  if (port) port.closed = true;
  for (const { id, parent, libos } of c.processes()) {
    if (id !== p.id && parent !== p.id) continue;
    closeObject(c, libos.streams.up);
    closeObject(c, libos.streams.down);
  }
  for (const other of c.processes()) {
    if (other === p || !other.alive) continue;
    const waits = other.libos.ipc.waiters.some(({ dest }) => dest === p.id);
    if (other.id !== p.parent && !waits) continue;
    addMessage(c, other.libos.ipc.port, message("disconnected", p.id) as unknown as Word);
    fill(c, other.libos.ipc.port, 1);
  }
}

/** PalStreamWrite to the other process. Closed: the error of a broken pipe. */
const write = <V extends object>(s: Steps<V>, label: string, dest: (v: V) => number, what: (v: V) => IpcMessage): Step =>
  s.call(
    label,
    PAL.PalStreamWrite,
    (c, v) => {
      const port = c.m.processes[dest(v)]?.libos.ipc.port ?? -1;
      c.t.mail = { object: port, message: what(v) as unknown as Word };
      c.value = dest(v);
      return callArgs({ object: port, bytes: 1 });
    },
    "pal.call.enter",
  );

/** write_exact: interruptions are swallowed. */
const send = flow(LIBOS.ipc_send_message, "libos", "6", (s) => [
  s.at("again"),
  s.test("no such process any more?", (c, v) => c.m.processes[v.dest]?.alive !== true, "gone"),
  write(
    s,
    "write_exact: PalStreamWrite(connection)",
    (v) => v.dest,
    (v) => v.message,
  ),
  s.test("interrupted? again", (c) => c.t.rax === PAL_ERROR.INTERRUPTED, "again"),
  s.ret("return", (c) => {
    c.t.rax = Math.min(0, palToUnix(c.t.rax));
    c.value = c.t.rax;
  }),
  s.at("gone"),
  s.ret("the connection fails", (c) => {
    c.t.rax = E.CONNRESET;
    c.value = c.t.rax;
  }),
]);

interface Ask {
  dest: number;
  message: IpcMessage;
  event: number;
  ret: number;
}

const waiterOf = (c: Cpu): IpcWaiter | undefined => ipcOf(c).waiters.find(({ thread }) => thread === c.t.id);

/** wait_for_response looks neither at signals nor at time_to_die (corrections 1.M1). */
const ask = flow<Ask>(LIBOS.ipc_send_msg_and_get_response, "libos", "6, corrections 1.M1", (s) => [
  s.own({ event: -1, ret: 0 }),
  s.call("lock(g_msg_waiters_tree_lock)", LIBOS.lock, () => ({ name: WAITERS_LOCK })),
  s.act("among those that wait for an answer", (c, v) => {
    v.event = c.newObject("answer");
    ipcOf(c).waiters.push({ thread: c.t.id, dest: v.dest, event: v.event, ret: null });
  }),
  s.call("unlock(g_msg_waiters_tree_lock)", LIBOS.unlock, () => ({ name: WAITERS_LOCK })),
  s.call("ipc_send_message", LIBOS.ipc_send_message, (_, v) => ({ dest: v.dest, message: v.message })),
  s.act("what it said", (c, v) => {
    v.ret = c.t.rax;
    c.value = v.ret;
  }),
  s.test("it failed?", (_, v) => v.ret < 0, "out"),
  s.at("wait"),
  s.call(
    "wait_for_response: PalEventWait(event, NULL)",
    PAL.PalEventWait,
    (_, v) => ({ object: v.event, timeout: NEVER, autoClear: false }),
    "pal.call.enter",
  ),
  s.test("interrupted? wait on", (c) => c.t.rax === PAL_ERROR.INTERRUPTED, "wait"),
  s.act("the answer; -ESRCH when the other one has died", (c, v) => {
    v.ret = waiterOf(c)?.ret ?? E.SRCH;
    c.value = v.ret;
  }),
  s.at("out"),
  s.call("lock(g_msg_waiters_tree_lock)", LIBOS.lock, () => ({ name: WAITERS_LOCK })),
  s.act("not among those any more", (c, v) => {
    const { waiters } = ipcOf(c);
    const at = waiters.findIndex(({ thread }) => thread === c.t.id);
    if (at >= 0) waiters.splice(at, 1);
    c.freeObject(v.event);
  }),
  s.call("unlock(g_msg_waiters_tree_lock)", LIBOS.unlock, () => ({ name: WAITERS_LOCK })),
  s.ret("return", (c, v) => {
    c.t.rax = v.ret;
    c.value = v.ret;
  }),
]);

interface Broadcast {
  exclude: number;
  message: IpcMessage;
  rest: readonly number[];
}

/** To every process that has a connection: all others. */
const broadcast = flow<Broadcast>(LIBOS.ipc_broadcast, "libos", "6", (s) => [
  s.own({ rest: [] }),
  s.act("the connections", (c, v) => {
    v.rest = c
      .processes()
      .filter((p) => p.alive && p.id !== c.t.process && p.id !== v.exclude)
      .map((p) => p.id);
    c.value = v.rest.length;
  }),
  s.at("next"),
  s.test("none left?", (_, v) => v.rest.length === 0, "done"),
  s.call("ipc_send_message_to_conn", LIBOS.ipc_send_message, (_, v) => {
    const [dest = -1, ...rest] = v.rest;
    v.rest = rest;
    return { dest, message: v.message };
  }),
  s.jump("next", "next one"),
  s.at("done"),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

/** IPC_MSG_CHILDEXIT, before the workers end. */
const childExitSend = flow(LIBOS.ipc_cld_exit_send, "libos", "7.1, 7.3", (s) => [
  s.test("no parent in Gramine?", (c) => c.process(c.t).parent < 0, "done"),
  s.call("ipc_send_message(IPC_MSG_CHILDEXIT)", LIBOS.ipc_send_message, (c, v) => ({
    dest: c.process(c.t).parent,
    message: message("child-exit", c.t.process, { ret: v.status, termSignal: v.signal }),
  })),
  s.at("done"),
  s.ret(),
]);

export const ipcFlows: readonly Flow[] = [send, ask, broadcast, childExitSend];
