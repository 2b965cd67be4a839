/**
 * IPC: messages between processes, and the worker thread that gets them (gramine-today.md 6, 7.3; ipc/*.c). All connections of a process are
 * one object here; who owns a pid is known without asking the leader.
 */

import { E } from "../../../errno.ts";
import type { Flow, Step } from "../../../flow.ts";
import { enter } from "../../../frames.ts";
import { addMessage, callArgs, exitArgs, fill, takeMessage } from "../../../host/calls.ts";
import { sentBy } from "../../../siginfo.ts";
import { type Frame, setAt, type Word } from "../../../state.ts";
import { NEVER } from "../../../time.ts";
import { WHY } from "../../../transition.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { PAL_ERROR, palToUnix } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import type { Ipc, IpcMessage, IpcWaiter, Process } from "../state.ts";
import { answer } from "./answer.ts";
import { LIBOS } from "./flows.ts";
import { CHILDREN_LOCK, WAITERS_LOCK } from "./names.ts";

const ipcOf = (c: Cpu): Ipc => c.process(c.t).libos.ipc;

const PWR = 30;

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

/** The host has ended a process: its connections close, and who has one hears of it. */
export function disconnected(c: Cpu, p: Process): void {
  const port = c.m.objects[p.libos.ipc.port];
  if (port) port.closed = true;
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

const isZombie = (c: Cpu, process: number): boolean => c.process(c.t).libos.zombies.some((child) => child.process === process);

interface KillSend {
  dest: number;
  message: IpcMessage;
  turns: number;
  ret: number;
}

/** is_zombie_process, under its lock. */
const lookForZombie = (s: Steps<KillSend>): Step[] => [
  s.call("is_zombie_process: lock(children_lock)", LIBOS.lock, () => ({ name: CHILDREN_LOCK })),
  s.act("is it a zombie of ours?", (c, v) => {
    if (isZombie(c, v.dest)) v.ret = 0;
    c.value = v.ret;
  }),
  s.call("is_zombie_process: unlock(children_lock)", LIBOS.unlock, () => ({ name: CHILDREN_LOCK })),
];

/** ns between two looks for a zombie. */
const ZOMBIE_WAIT = 10_000_000;

/** A pid that nobody owns is that of a zombie, or of nobody. An answer that is lost makes it look for a zombie three times. */
const killSend = flow<KillSend>(LIBOS.ipc_pid_kill_send, "libos", "6", (s) => [
  s.own({ turns: 3, ret: E.SRCH }),
  s.test("somebody owns the pid?", (c, v) => c.m.processes[v.dest]?.alive === true, "owned"),
  ...lookForZombie(s),
  s.jump("return", "0 or -ESRCH"),
  s.at("owned"),
  s.call("ipc_send_msg_and_get_response", LIBOS.ipc_send_msg_and_get_response, (_, v) => ({ dest: v.dest, message: v.message })),
  s.act("the answer", (c, v) => {
    v.ret = c.t.rax;
    c.value = v.ret;
  }),
  s.test("it is still there?", (c, v) => c.m.processes[v.dest]?.alive === true, "return"),
  s.at("again"),
  s.test("looked three times?", (_, v) => v.turns === 0 || v.ret === 0, "return"),
  ...lookForZombie(s),
  s.act("turns - 1", (_, v) => {
    v.turns -= 1;
  }),
  s.test("it is?", (_, v) => v.ret === 0, "return"),
  s.call("thread_wait(10 ms, true)", LIBOS.thread_wait, () => ({ timeout: ZOMBIE_WAIT, ignorePending: true })),
  s.jump("again", "look again"),
  s.at("return"),
  s.ret("return", (c, v) => {
    c.t.rax = v.ret;
    c.value = v.ret;
  }),
]);

interface Callback {
  message: IpcMessage;
  ret: number;
}

/** Of the worker that got it; the result goes back, but for a broadcast of the leader's. An answer that cannot be sent ends the process (N11). */
const killCallback = flow<Callback>(LIBOS.ipc_pid_kill_callback, "libos", "6, corrections 6.M1", (s) => [
  s.own({ ret: 0 }),
  s.test("KILL_THREAD?", (_, v) => v.message.what === "kill-thread", "thread"),
  s.test("not KILL_ALL to the leader?", (c, v) => v.message.what !== "kill-all" || !isLeader(c), "process"),
  s.call("ipc_broadcast to the others", LIBOS.ipc_broadcast, (_, v) => ({
    exclude: v.message.src,
    message: { ...v.message, thread: -1 },
  })),
  s.at("process"),
  s.call("do_kill_proc: kill_current_proc(info)", LIBOS.kill_current_proc, (_, v) => ({
    info: sentBy(v.message.signal, v.message.sender),
    id: v.message.id,
  })),
  s.jump("respond", "the result"),
  s.at("thread"),
  s.call("do_kill_thread", LIBOS.do_kill_thread, (_, v) => ({
    name: v.message.name,
    signal: v.message.signal,
    sender: v.message.sender,
    id: v.message.id,
  })),
  s.at("respond"),
  s.act("the result", (c, v) => {
    v.ret = c.t.rax;
    c.value = v.ret;
  }),
  s.test("nobody waits for an answer?", (_, v) => v.message.thread < 0, "done"),
  s.call("ipc_send_message(response)", LIBOS.ipc_send_message, (c, v) => ({
    dest: v.message.src,
    message: message("response", c.t.process, { thread: v.message.thread, ret: v.ret }),
  })),
  answer(s),
  s.at("done"),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

/** The first process leads. */
export const isLeader = (c: Cpu): boolean => c.process(c.t).parent < 0;

/** An event set for each waiter of the sender: with the answer, or without one. */
interface Wake {
  message: IpcMessage;
  events: readonly number[];
}

function answered(c: Cpu, v: Wake): void {
  const { waiters } = ipcOf(c);
  const { what, src, thread, ret } = v.message;
  v.events = [];
  waiters.forEach((waiter, i) => {
    if (what === "response" ? waiter.thread !== thread : waiter.dest !== src) return;
    if (what === "response") setAt(waiters, i, { thread: waiter.thread, dest: waiter.dest, event: waiter.event, ret });
    v.events = [...v.events, waiter.event];
  });
  c.value = v.events.length;
}

const responseCallback = flow<Wake>(LIBOS.ipc_response_callback, "libos", "6", (s) => [
  s.own({ events: [] }),
  s.call("lock(g_msg_waiters_tree_lock)", LIBOS.lock, () => ({ name: WAITERS_LOCK })),
  s.act("who waits for it?", answered),
  s.at("next"),
  s.test("none left?", (_, v) => v.events.length === 0, "done"),
  s.call(
    "PalEventSet(event)",
    PAL.PalEventSet,
    (_, v) => {
      const [object = -1, ...rest] = v.events;
      v.events = rest;
      return { object, autoClear: false };
    },
    "pal.call.enter",
  ),
  s.jump("next", "next one"),
  s.at("done"),
  s.call("unlock(g_msg_waiters_tree_lock)", LIBOS.unlock, () => ({ name: WAITERS_LOCK })),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

/** What is done with a message. */
function dispatch(c: Cpu, v: { message: IpcMessage }): Frame | null {
  const { what, src, ret, termSignal, signal } = v.message;
  c.signal = signal;
  c.extra = src;
  switch (what) {
    case "kill-process":
    case "kill-thread":
    case "kill-all":
      return enter(c.program, LIBOS.ipc_pid_kill_callback, { message: v.message });
    case "child-exit":
      return enter(c.program, LIBOS.mark_child_exited, { process: src, code: ret, signal: termSignal });
    case "disconnected":
      return enter(c.program, LIBOS.mark_child_exited, { process: src, code: 0, signal: PWR });
    case "response":
      return enter(c.program, LIBOS.ipc_response_callback, { message: v.message });
    case "exit":
      return null;
  }
}

const NO_MESSAGE = message("exit", -1);

/** The worker handles no signals. An error of a callback ends the process. */
const worker = flow<{ message: IpcMessage }>(LIBOS.ipc_worker_main, "libos", "6, 7.3", (s) => [
  s.own({ message: NO_MESSAGE }),
  s.act(
    "the IPC worker starts",
    (c) => {
      c.t.libos.ready = true;
      c.value = c.process(c.t).threads[0] ?? -1;
      c.extra = 1;
    },
    "thread.start",
  ),
  s.at("loop"),
  s.call(
    "PalStreamsWaitEvents(own event, connections)",
    PAL.PalStreamsWaitEvents,
    (c) => ({ objects: [ipcOf(c).port], timeout: NEVER, takes: -1, result: 0, ends: -1 }),
    "pal.call.enter",
  ),
  s.test("interrupted? wait on", (c) => c.t.rax === PAL_ERROR.INTERRUPTED, "loop"),
  s.test("failed?", (c) => c.t.rax < 0, "die"),
  s.at("receive"),
  s.call(
    "receive_ipc_messages: PalStreamRead(connection)",
    PAL.PalStreamRead,
    (c) => callArgs({ object: ipcOf(c).port, bytes: 1 }),
    "pal.call.enter",
  ),
  s.test("interrupted? again", (c) => c.t.rax === PAL_ERROR.INTERRUPTED || c.t.rax === PAL_ERROR.TRYAGAIN, "receive"),
  s.act("the message", (c, v) => {
    v.message = (takeMessage(c, ipcOf(c).port) as unknown as IpcMessage | null) ?? NO_MESSAGE;
    c.signal = v.message.signal;
    c.value = v.message.src;
    c.detail = c.text(v.message.what);
  }),
  s.test("told to end?", (_, v) => v.message.what === "exit", "exit"),
  s.callDynamic("ipc_callbacks[code]", dispatch),
  s.test("an error?", (c) => c.t.rax < 0, "die"),
  s.test("not a disconnection?", (_, v) => v.message.what !== "disconnected", "loop"),
  s.call("remove_outgoing_ipc_connection", LIBOS.ipc_response_callback, (_, v) => ({ message: v.message })),
  s.jump("loop", "wait for more"),
  s.at("exit"),
  s.act("tcb.tp := NULL", (c) => {
    c.t.libos.ready = false;
  }),
  s.call("PalThreadExit(g_clear_on_worker_exit)", PAL.PalThreadExit, () => exitArgs({}), "pal.call.enter"),
  s.at("die"),
  s.call("PalProcessExit(1)", PAL.PalProcessExit, () => exitArgs({ status: 1, group: true, why: WHY.LIBOS, signal: 0 }), "pal.call.enter"),
]);

const terminate = flow(LIBOS.terminate_ipc_worker, "libos", "7.1", (s) => [
  s.call(
    "set_pollable_event(worker): PalStreamWrite",
    PAL.PalStreamWrite,
    (c) => {
      const { port } = ipcOf(c);
      c.t.mail = { object: port, message: message("exit", c.t.process) as unknown as Word };
      return callArgs({ object: port, bytes: 1 });
    },
    "pal.call.enter",
  ),
  s.call("spin until the worker has left the PAL", LIBOS["spin until PAL has cleared the word"], (c) => ({ thread: ipcOf(c).thread })),
  s.ret(),
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

export const ipcFlows: readonly Flow[] = [send, ask, broadcast, killSend, killCallback, responseCallback, worker, terminate, childExitSend];
