/**
 * Messages between LibOS processes, and the helper thread that gets them (reference, 2.15; ipc/shim_ipc_helper.c, shim_ipc.c). It is there
 * from shim_init on in every process: an own server pipe wants to be listened on (shim_ipc_pid.c:66).
 */

import type { Flow, Step } from "../flow.ts";
import { enter, numberOf } from "../frames.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import type { IpcMessage, Process } from "../generations/graphene-2019/state.ts";
import { addMessage, fill, takeMessage } from "../host/calls.ts";
import { createArgs } from "../pal/calls.ts";
import { dkCreate } from "../pal/flows.ts";
import { takeFirst } from "../state.ts";
import { KIND } from "../transition.ts";
import { setEvent, waitEvent } from "./events.ts";
import { LIBOS } from "./flows.ts";
import { dk, dkExit, dkQuiet, setWait } from "./io.ts";
import { childLock, IPC_HELPER_LOCK, MSGS_LOCK, RANGE_MAP_LOCK, THREAD_LIST_LOCK } from "./names.ts";
import { childOf } from "./thread-list.ts";
import { walkArgs } from "./walk.ts";

export const lockOf = (name: string) => () => ({ name });

/** A lock that is held for a look at what it guards: two PAL calls. */
export const passLock = <V extends object>(s: Pick<Steps<V>, "call">, who: string, name: string): Step[] => [
  s.call(`${who}: lock(${name})`, LIBOS.lock, lockOf(name)),
  s.call(`${who}: unlock(${name})`, LIBOS.unlock, lockOf(name)),
];

/** A message; what a kind of it does not say is -1 or 0. */
export const message = (what: IpcMessage["what"], src: number, given: Partial<IpcMessage> = {}): IpcMessage => ({
  what,
  src,
  signal: 0,
  sender: 0,
  target: -1,
  thread: -1,
  exitCode: 0,
  termSignal: 0,
  ...given,
});

/** The host tells a process's helper something: a stream has been closed. */
export function tell(c: Cpu, p: Process, told: IpcMessage): void {
  addMessage(c, p.libos.ipc.port, told);
  fill(c, p.libos.ipc.port, 1);
}

/**
 * The host has ended a process: its streams are closed. Its parent's helper takes that for the child's end; whoever waits for an answer is
 * told that there will be none.
 */
export function streamsClosed(c: Cpu, gone: Process): void {
  const port = c.m.objects[gone.libos.ipc.port];
  if (port) port.closed = true;
  for (const p of c.processes()) {
    const connected = p.libos.ipc.children.includes(gone.id) || p.libos.ipc.waiting.some(({ process }) => process === gone.id);
    if (p.alive && p.libos.ipc.thread && connected) tell(c, p, message("closed", gone.id));
  }
}

/** DkStreamWrite of one message to a process's port; it is there when the bytes are. */
export const post = <V extends object>(
  s: Pick<Steps<V>, "call">,
  label: string,
  to: (c: Cpu, v: V) => number,
  what: (c: Cpu, v: V) => IpcMessage,
): Step =>
  dk<V>(s, label, "DkStreamWrite (device)", (c, v) => {
    const object = c.m.processes[to(c, v)]?.libos.ipc.port ?? -1;
    c.t.mail = { object, message: what(c, v) };
    return { object, bytes: 1 };
  });

/** Streams to the parent and to the children: IPC_PORT_DIRPRT and IPC_PORT_DIRCLD. */
export function ports(c: Cpu, p: Process): number[] {
  const parent = c.m.processes[p.parent];
  const connected = parent?.alive && c.m.objects[p.libos.stream]?.closed !== true;
  return [...(connected ? [parent.id] : []), ...p.libos.ipc.children];
}

export interface Broadcast {
  message: IpcMessage;
  /** Not to the process it came from. */
  except: number;
  to: number[];
}

/** broadcast_ipc: a message to all of them, without an answer. */
const broadcast = flow(LIBOS.broadcast_ipc, "libos", "2.15", (s) => [
  s.call("lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  s.act("the streams to parent and children", (c, v) => {
    v.to = ports(c, c.process(c.t)).filter((id) => id !== v.except);
    c.value = v.to.length;
  }),
  s.call("unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  s.at("next"),
  s.test("sent to all?", (_, v) => v.to.length === 0, "done"),
  post<Broadcast>(
    s,
    "send_ipc_message: DkStreamWrite(port)",
    (_, v) => takeFirst(v, "to"),
    (_, v) => v.message,
  ),
  s.jump("next", "next port"),
  s.at("done"),
  s.ret(),
]);

export interface KillSend {
  message: IpcMessage;
  dest: number;
}

export const killSend = (c: Cpu, what: IpcMessage["what"], target: number, signal: number, sender: number): KillSend => ({
  message: { ...message(what, c.t.process, { target, signal, sender, thread: c.t.internal ? -1 : c.t.id }) },
  dest: -1,
});

/** Whose number it is: that process, unless it is this one or gone (connect_owner in shim_ipc_nsimpl.h). An execve gives it to the new process. */
function owner(c: Cpu, target: number): number {
  const has = (known: Process): boolean => known.threads.some((id) => c.m.threads[id]?.tid === target);
  const p = c.processes().findLast((known) => known.alive && has(known)) ?? c.processes().find((known) => known.pid === target);
  return p?.alive && p.id !== c.t.process ? p.id : -1;
}

/**
 * Ask the process that owns a number to kill what has it. The answer is waited for once: a signal that ends the wait makes it a success
 * (shim_ipc.c:468). A helper has no scheduler_event and does not wait.
 */
const pidKillSend = flow(LIBOS.ipc_pid_kill_send, "libos", "2.15", (s) => [
  s.call("connect_owner: lock(range_map_lock)", LIBOS.lock, lockOf(RANGE_MAP_LOCK)),
  s.act("whose number is it?", (c, v) => {
    v.dest = owner(c, v.message.target);
    c.value = v.dest;
  }),
  s.call("connect_owner: unlock(range_map_lock)", LIBOS.unlock, lockOf(RANGE_MAP_LOCK)),
  s.test("nobody's, or this process's own?", (_, v) => v.dest < 0, "none"),
  s.call("ipc_helper_lock: is there a port?", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  s.call("unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  s.test("a helper: nobody waits", (_, v) => v.message.thread < 0, "send"),
  setWait(s),
  s.at("send"),
  s.call("lock(port.msgs_lock)", LIBOS.lock, lockOf(MSGS_LOCK)),
  s.act("note who waits for the answer", (c, v) => {
    if (v.message.thread >= 0) c.process(c.t).libos.ipc.waiting.push({ thread: v.message.thread, process: v.dest });
  }),
  s.call("unlock(port.msgs_lock)", LIBOS.unlock, lockOf(MSGS_LOCK)),
  post<KillSend>(
    s,
    "send_ipc_message(IPC_PID_KILL): DkStreamWrite(port)",
    (c, v) => {
      c.signal = v.message.signal;
      return v.dest;
    },
    (_, v) => v.message,
  ),
  s.test("a helper: nobody waits", (_, v) => v.message.thread < 0, "close"),
  waitEvent(s, "thread_sleep: DkObjectsWaitAny(scheduler_event, forever), once", (c) => c.t.libos.schedulerEvent),
  s.at("close"),
  s.call("lock(port.msgs_lock)", LIBOS.lock, lockOf(MSGS_LOCK)),
  s.act("nobody waits any more", (c) => {
    const { ipc } = c.process(c.t).libos;
    ipc.waiting = ipc.waiting.filter(({ thread }) => thread !== c.t.id);
  }),
  s.call("unlock(port.msgs_lock)", LIBOS.unlock, lockOf(MSGS_LOCK)),
  s.ret("return 0: the answer's value, or nothing", (c) => {
    c.t.rax = 0;
  }),
  s.at("none"),
  s.ret("return -ESRCH", (c) => {
    c.t.rax = -3;
    c.value = -3;
  }),
]);

const createHelper = flow(LIBOS.create_ipc_helper, "libos", "2.15", (s) => [
  s.act("ipc_helper_state := HELPER_ALIVE", (c) => {
    const { ipc } = c.process(c.t).libos;
    ipc.helper = "alive";
    ipc.thread = true;
  }),
  s.call(
    "thread_create(shim_ipc_helper)",
    dkCreate.DkThreadCreate,
    (c) => {
      c.value = c.t.libos.palErrno;
      return createArgs({ program: "ipc-helper", start: numberOf(c.program, LIBOS.shim_ipc_helper), internal: true });
    },
    "pal.call.enter",
  ),
  s.test("handle?", (c) => c.t.rax !== 0, "return"),
  s.act("ipc_helper_state := HELPER_NOTALIVE", (c) => {
    const { ipc } = c.process(c.t).libos;
    ipc.helper = "none";
    ipc.thread = false;
  }),
  s.at("return"),
  s.ret(),
]);

export interface Helper {
  message: IpcMessage;
}

const NOTHING = message("event", -1);

/** Remove what waits for an answer of a process, or of the thread that gets it; and who that was. */
function takeWaiting(c: Cpu, v: Helper): number {
  const { ipc } = c.process(c.t).libos;
  const at = ipc.waiting.findIndex((entry) =>
    v.message.what === "answer" ? entry.thread === v.message.thread : entry.process === v.message.src,
  );
  const [taken] = at < 0 ? [] : ipc.waiting.splice(at, 1);
  return taken?.thread ?? -1;
}

/** Wake whoever waits for an answer. */
const wakeWaiting = (s: Steps<Helper>, again: string): (Step | ReturnType<Steps<Helper>["at"]>)[] => [
  s.call("lock(port.msgs_lock)", LIBOS.lock, lockOf(MSGS_LOCK)),
  s.act("who waits for an answer?", (c, v) => {
    v.message = { ...v.message, thread: takeWaiting(c, v) };
    c.value = v.message.thread;
  }),
  s.call("unlock(port.msgs_lock)", LIBOS.unlock, lockOf(MSGS_LOCK)),
  s.test("nobody?", (_, v) => v.message.thread < 0, again),
  setEvent(s, "thread_wakeup: DkEventSet(scheduler_event)", (c, v) => c.m.threads[v.message.thread]?.libos.schedulerEvent ?? -1),
];

/** Its event and ports, as one object. */
const portOf = (c: Cpu): { object: number; bytes: number } => ({ object: c.process(c.t).libos.ipc.port, bytes: 1 });

const isKill = (v: Helper): boolean => v.message.what.startsWith("kill");

const helper = flow<Helper>(LIBOS.shim_ipc_helper, "libos", "2.15", (s) => [
  s.own({ message: NOTHING }),
  s.act("ipc helper thread: allocate_tls", (c, v) => {
    c.t.libos.ready = true;
    v.message = { ...NOTHING };
  }),
  s.call("lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  s.call("unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  s.act("ipc helper thread started"),
  s.at("update"),
  s.call("update_list: lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  s.act("the ports to listen on", (c) => {
    c.value = ports(c, c.process(c.t)).length;
  }),
  s.call("update_list: unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  s.at("loop"),
  s.test(
    "not alive, and no child's stream to keep?",
    (c) => {
      const { ipc } = c.process(c.t).libos;
      return ipc.helper !== "alive" && ipc.children.length === 0;
    },
    "end",
  ),
  dk(s, "DkObjectsWaitAny(ipc_helper_event and the ports)", "DkObjectsWaitAny", (c) => ({ objects: [c.process(c.t).libos.ipc.port] })),
  s.test("nothing: again", (c) => c.t.rax === 0, "loop"),
  s.act("polled: what is it?", (c, v) => {
    v.message = { ...((takeMessage(c, c.process(c.t).libos.ipc.port) as IpcMessage | null) ?? NOTHING) };
    c.signal = v.message.signal;
    c.detail = c.text(v.message.what);
  }),
  s.test("ipc_helper_event?", (_, v) => v.message.what === "event", "event"),
  dk(s, "DkStreamAttributesQuerybyHandle(port)", "DkStreamAttributesQuerybyHandle", portOf),
  s.test("disconnected?", (_, v) => v.message.what === "closed", "closed"),
  dk(s, "receive_ipc_message: DkStreamRead(port)", "DkStreamRead", portOf),
  s.test("IPC_CLD_EXIT?", (_, v) => v.message.what === "exit", "exit"),
  s.test("IPC_PID_KILL?", (_, v) => isKill(v), "kill"),
  ...wakeWaiting(s, "loop"),
  s.jump("loop", "next message"),

  s.at("event"),
  dk(s, "clear_event: DkStreamRead(ipc_helper_event)", "DkStreamRead", portOf),
  s.test("HELPER_NOTALIVE?", (c) => c.process(c.t).libos.ipc.helper === "not-alive", "end"),
  s.jump("update", "update_list"),

  s.at("kill"),
  s.callDynamic("ipc_pid_kill_callback", (c, v) => {
    const { what, target, signal, sender, src } = v.message;
    if (what === "kill-all") return enter(c.program, LIBOS["kill_all_threads (IPC)"], { message: v.message, except: src });
    const walks = { "kill-process": LIBOS.do_kill_proc, "kill-thread": LIBOS.do_kill_thread, "kill-group": LIBOS.do_kill_pgroup } as const;
    return enter(c.program, walks[what as keyof typeof walks], walkArgs(target, signal, sender, true));
  }),
  s.test("nobody waits for an answer?", (_, v) => v.message.thread < 0, "loop"),
  post<Helper>(
    s,
    "send_ipc_message(IPC_RESP): DkStreamWrite(port)",
    (_, v) => v.message.src,
    (c, v) => message("answer", c.t.process, { thread: v.message.thread }),
  ),
  s.jump("loop", "next message"),

  s.at("exit"),
  s.call("ipc_thread_exit", LIBOS.ipc_thread_exit, (_, v) => ({ message: v.message })),
  s.jump("loop", "next message"),

  s.at("closed"),
  s.call("del_ipc_port_fini: lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  s.act("the port is deleted", (c, v) => {
    const { ipc } = c.process(c.t).libos;
    ipc.children = ipc.children.filter((id) => id !== v.message.src);
    c.value = v.message.src;
    // The port stands for all streams: one thing less to look at.
    const port = c.m.objects[ipc.port];
    if (port) port.level -= 1;
  }),
  dkQuiet(s, "DkStreamDelete(port)", "DkStreamDelete"),
  ...wakeWaiting(s, "deleted"),
  s.at("deleted"),
  s.call("del_ipc_port_fini: unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  s.call("ipc_child_exit: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.callDynamic("child_thread_exit: the child is alive? It has been killed", (c, v) => {
    const child = c.process(c.t).libos.children.find((known) => known.process === v.message.src && known.alive);
    if (!child) return null;
    // SIGKILL, and the error of the stream as an exit code (shim_ipc_child.c:127).
    child.exitCode = STREAM_CLOSED;
    child.termSignal = 9;
    return enter(c.program, LIBOS.thread_exit, { child: child.pid, send: false });
  }),
  s.call("ipc_child_exit: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.jump("update", "update_list"),

  s.at("end"),
  s.test("not HELPER_HANDEDOVER?", (c) => c.process(c.t).libos.ipc.helper !== "handed-over", "not the last"),
  s.call("the last thread: shim_terminate()", LIBOS.shim_clean),
  s.at("not the last"),
  s.call("lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  s.act("ipc_helper_thread := NULL", (c) => {
    c.process(c.t).libos.ipc.thread = false;
  }),
  s.call("unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  s.act("ipc helper thread terminated"),
  dkExit(s, "DkThreadExit()", "DkThreadExit"),
]);

/** -ECONNRESET as an exit code. */
const STREAM_CLOSED = 104;

/** IPC_CLD_EXIT: of a thread on thread_list its end, of any other one a note (struct shim_simple_thread). */
const threadExit = flow(LIBOS.ipc_thread_exit, "libos", "2.15", (s) => [
  s.callDynamic(
    "__lookup_thread(tid): thread_exit(thread)",
    (c, v) => {
      const { target, exitCode, termSignal } = v.message;
      const child = childOf(c.process(c.t), target);
      c.value = target;
      if (!child) {
        c.kind = KIND.step;
        return null;
      }
      if (child.alive) Object.assign(child, { exitCode, termSignal });
      return enter(c.program, LIBOS.thread_exit, { child: target, send: false });
    },
    ["call", "step"],
  ),
  s.ret(),
]);

/** KILL_ALL: passed on to the other streams, then the leader here. */
const killAllRemote = flow<Broadcast>(LIBOS["kill_all_threads (IPC)"], "libos", "2.15", (s) => [
  s.call("broadcast_ipc(IPC_PID_KILL) to the others", LIBOS.broadcast_ipc, (c, v) => ({
    message: { ...v.message, src: c.t.process },
    except: v.except,
    to: [],
  })),
  s.call("kill_all_threads(NULL, sender, sig)", LIBOS.kill_all_threads, (_, v) => walkArgs(-1, v.message.signal, v.message.sender, false)),
  s.ret(),
]);

export interface ExitSend {
  tid: number;
  status: number;
  signal: number;
}

/** ipc_cld_exit_send: parent and children hear that a thread has ended, with its exit code and signal. */
const cldExitSend = flow<ExitSend>(LIBOS.ipc_cld_exit_send, "libos", "2.15", (s) => [
  s.call("broadcast_ipc(IPC_CLD_EXIT)", LIBOS.broadcast_ipc, (c, v) => ({
    message: message("exit", c.t.process, { target: v.tid, exitCode: v.status, termSignal: v.signal }),
    except: -1,
    to: [],
  })),
  s.ret(),
]);

export const ipcFlows: readonly Flow[] = [broadcast, pidKillSend, createHelper, helper, threadExit, killAllRemote, cldExitSend];
export { childLock };
