/** Sending inside the LibOS and between LibOS processes (reference, 2.15). */

import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow } from "../flow.ts";
import { fill } from "../host/calls.ts";
import { dkArgs } from "../pal/calls.ts";
import { eventArgs, WAIT_EVENT } from "../pal/sync-calls.ts";
import { childInfo, type SigInfo, sentBy } from "../siginfo.ts";
import { SIG } from "../signals.ts";
import type { PalContext, Process, Thread } from "../state.ts";
import { KIND, WHY } from "../transition.ts";
import { lockOfThread, THREAD_LIST_LOCK } from "./names.ts";
import { reservation, store } from "./ring.ts";
import { leaderOf, listed, otherThreads } from "./thread-list.ts";

/** Locals of shim_do_kill: `wanted` as in the scenario: self, parent, group, all, or a program's name. */
export interface Kill {
  wanted: string;
  signal: number;
  id: number;
  /** Local threads and remote processes still to be sent to. */
  threads: number[];
  processes: number[];
  self: boolean;
  /** What si_pid becomes: the tid of the caller, for kill(0) its tgid. */
  sender: number;
  reply: number;
  ret: number;
}

export const killArgs = (wanted: string, signal: number): Kill => ({
  wanted,
  signal,
  id: 0,
  threads: [],
  processes: [],
  self: false,
  sender: 0,
  reply: -1,
  ret: 0,
});

/** Processes meant by a name; dead ones are none. The whole run is one process group. */
export function processesNamed(c: Cpu, wanted: string): Process[] {
  const me = c.process(c.t);
  const alive = c.processes().filter((p) => p.alive);
  switch (wanted) {
    case "self":
      return [me];
    case "parent":
      return alive.filter((p) => p.id === me.parent);
    case "group":
    case "all":
      return alive;
    default:
      return alive.filter((p) => isNamed(p.name, wanted));
  }
}

/** As the host knows them. */
export const threadNamed = (c: Cpu, wanted: string): Thread | undefined =>
  wanted === "self" ? c.t : c.m.live.map((id) => c.thread(id)).find((t) => t.name === wanted);

/** "worker" means worker, worker#2, ...; "worker#2" only that one. */
const isNamed = (name: string, wanted: string): boolean => name === wanted || name.startsWith(`${wanted}#`);

const doKill = flow<Kill>("shim_do_kill", "libos", "2.15", ({ act, test, call, at, ret }) => [
  act("who is meant: local threads, remote processes, self", (c, v) => {
    const me = c.process(c.t);
    const named = processesNamed(c, v.wanted);
    v.self = named.includes(me);
    v.sender = v.wanted === "group" ? me.pid : c.t.tid;
    v.processes = named.filter((p) => p !== me).map((p) => p.id);
    // kill(-1): of a process only the leader, here too if it is not the caller.
    v.threads = v.wanted === "all" ? leaderOf(c, me).filter((id) => id !== c.t.id) : v.self ? otherThreads(c) : [];
    v.ret = named.length === 0 ? E.SRCH : 0;
    c.signal = v.signal;
    c.value = named.length;
  }),
  test("signal 0: only a question", (_, v) => v.signal === 0, "done"),
  test("not kill(-1)?", (_, v) => v.wanted !== "all", "local"),
  act("ipc broadcast IPC_PID_KILL: nobody answers", (c, v) => {
    for (const target of v.processes) send(c, target, { what: "broadcast", signal: v.signal, id: 0, from: v.sender, child: -1, reply: -1 });
    c.signal = v.signal;
    c.value = v.processes.length;
    v.processes = [];
  }),
  at("local"),
  call("lock(thread_list_lock)", "lock", () => ({ name: THREAD_LIST_LOCK })),
  at("thread"),
  test("no local thread left?", (_, v) => v.threads.length === 0, "unlock"),
  call("do_kill_thread", "do_kill_thread", (_, v) => {
    const [target, ...rest] = v.threads;
    v.threads = rest;
    return { target: target ?? 0, signal: v.signal, from: v.sender };
  }),
  test("next thread", () => true, "thread"),
  at("unlock"),
  call("unlock(thread_list_lock)", "unlock", () => ({ name: THREAD_LIST_LOCK })),
  at("process"),
  test("no remote process left?", (_, v) => v.processes.length === 0, "self"),
  act("ipc send IPC_PID_KILL", (c, v) => {
    const [target, ...rest] = v.processes;
    v.processes = rest;
    v.reply = c.newObject("ipc reply");
    c.signal = v.signal;
    c.value = target ?? -1;
    send(c, target ?? -1, { what: "kill", signal: v.signal, id: 0, from: v.sender, child: -1, reply: v.reply });
  }),
  call(
    "wait for the answer",
    WAIT_EVENT,
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return eventArgs(v.reply);
    },
    "pal.call.enter",
  ),
  test("next process", () => true, "process"),
  at("self"),
  test("not sent to self?", (_, v) => !v.self, "done"),
  call("deliver_signal(info, NULL) to self", "deliver_signal", (c, v) => ({
    signal: v.signal,
    id: c.newSignalId(),
    info: sentBy(v.signal, c.t.tid),
    context: "none",
    stored: false,
  })),
  at("done"),
  ret("return", (c, v) => {
    c.t.rax = v.ret;
    c.value = v.ret;
  }),
]);

/** append_signal under the target's lock; `from` is what si_pid becomes. */
const doKillThread = flow<{ target: number; signal: number; from: number }>("do_kill_thread", "libos", "2.15", ({ call, ret }) => [
  call("lock(thread.lock)", "lock", (_, v) => ({ name: lockOfThread(v.target) })),
  call("append_signal(thread, sig, info, wakeup = true)", "append_signal", (c, v) => ({
    target: v.target,
    signal: v.signal,
    id: c.newSignalId(),
    info: sentBy(v.signal, v.from),
    context: "garbage",
  })),
  call("unlock(thread.lock)", "unlock", (_, v) => ({ name: lockOfThread(v.target) })),
  ret(),
]);

interface Append {
  target: number;
  signal: number;
  id: number;
  info: SigInfo;
  /** Of a siginfo only the siginfo is copied into the new block; without one the block is cleared. */
  context: PalContext;
}

/** No look at mask, disposition or liveness. */
const appendSignal = flow<Append>("append_signal", "libos", "2.15, 2.19", ({ act, test, call, at, ret }) => [
  call("malloc(shim_signal)", "malloc"),
  call("allocate_signal_log(sig): reserve a slot", "allocate_signal_log", (_, v) => reservation(v.target, v)),
  act("append signal", (c, v) => store(c, v.target, v), "libos.signal.append"),
  test("no slot: the queue is full, dropped?", (c) => c.t.rax < 0, "full"),
  act(
    'log "resuming thread"',
    (c, v) => {
      c.signal = v.signal;
      c.value = v.target;
      c.extra = v.id;
    },
    "libos.wake",
  ),
  call(
    "DkThreadResume(thread)  < SIGCONT via tgkill() >",
    "DkThreadResume",
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return dkArgs({ target: v.target });
    },
    "pal.call.enter",
  ),
  test("done", () => true, "done"),
  at("full"),
  call('sys_printf("signal queue is full")', "sys_printf"),
  call("free(shim_signal)", "free"),
  at("done"),
  ret(),
]);

const doTgkill = flow<{ thread: string; signal: number; target: number; ret: number }>(
  "shim_do_tgkill",
  "libos",
  "2.15",
  ({ act, test, call, at, ret }) => [
    act("find the thread", (c, v) => {
      v.target = listed(c, v.thread);
      v.ret = v.target < 0 ? E.SRCH : 0;
      c.signal = v.signal;
      c.value = v.target;
    }),
    // The signal's range is not checked: 0 goes on like any other (3.5 kill-signal-zero-oob).
    test("nobody?", (_, v) => v.target < 0, "done"),
    test("another thread?", (c, v) => v.target !== c.t.id, "other"),
    call("deliver_signal(info, NULL) to self", "deliver_signal", (c, v) => ({
      signal: v.signal,
      id: c.newSignalId(),
      info: sentBy(v.signal, c.t.tid),
      context: "none",
      stored: false,
    })),
    test("done", () => true, "done"),
    at("other"),
    call("do_kill_thread(thread)", "do_kill_thread", (c, v) => ({ target: v.target, signal: v.signal, from: c.process(c.t).pid })),
    at("done"),
    ret("return", (c, v) => {
      c.t.rax = v.ret;
      c.value = v.ret;
    }),
  ],
);

/** Put a message into a process's IPC port and wake its helper. */
function send(c: Cpu, process: number, message: Process["ipcQueue"][number]): void {
  const p = c.m.processes[process];
  if (p?.alive) {
    p.ipcQueue.push(message);
    fill(c, p.ipcEvent, 1);
  } else if (message.reply >= 0) fill(c, message.reply, 1);
}

/** A child that ended without a message: its IPC connection closes, and the parent's helper takes that for its end. (inferred) */
export function portClosed(c: Cpu, parent: Process, child: Process): void {
  const known = parent.children.some((entry) => entry.process === child.id && !entry.exited);
  if (!known || parent.ipcQueue.some((message) => message.what === "exit" && message.child === child.id)) return;
  parent.ipcQueue.push({ what: "exit", signal: 0, id: 0, from: child.pid, child: child.id, reply: -1 });
  fill(c, parent.ipcEvent, 1);
}

interface Helper {
  what: string;
  signal: number;
  from: number;
  child: number;
  /** Thread that forked the child. */
  parent: number;
  reply: number;
  threads: number[];
}

/** The IPC helper: an internal thread that answers remote kills and hears of children's ends. */
const ipcHelper = flow<Helper>("ipc_helper", "libos", "2.15", ({ act, test, call, callDynamic, at }) => [
  act("IPC helper thread started", (c) => {
    c.t.libos.ready = true;
  }),
  at("next"),
  call(
    "wait for a message",
    "DkObjectsWaitAny",
    (c) => {
      c.value = c.t.libos.palErrno;
      return dkArgs({ objects: [c.process(c.t).ipcEvent] });
    },
    "pal.call.enter",
  ),
  at("more"),
  test("no message?", (c) => c.process(c.t).ipcQueue.length === 0, "next"),
  act("take it", (c, v) => {
    const p = c.process(c.t);
    const message = p.ipcQueue.shift();
    const port = c.m.objects[p.ipcEvent];
    if (port && port.level > 0) port.level -= 1;
    const child = p.children.find((known) => known.process === message?.child && !known.exited);
    Object.assign(v, {
      // Two threads of a child that end at once may both tell of it: the second finds nobody.
      what: message?.what === "exit" && !child ? "" : message?.what,
      signal: message?.signal ?? 0,
      from: message?.from ?? 0,
      child: message?.child ?? -1,
      reply: message?.reply ?? -1,
      parent: child?.thread ?? -1,
    });
    v.threads = v.what === "kill" ? otherThreads(c) : v.what === "broadcast" ? leaderOf(c, p) : [];
    c.signal = v.signal;
  }),
  test("a child ended?", (_, v) => v.what === "exit", "exit"),
  at("kill"),
  test("no thread left?", (_, v) => v.threads.length === 0, "reply"),
  call("do_kill_thread", "do_kill_thread", (_, v) => {
    const [target, ...rest] = v.threads;
    v.threads = rest;
    return { target: target ?? 0, signal: v.signal, from: v.from };
  }),
  test("next thread", () => true, "kill"),
  at("reply"),
  callDynamic(
    "answer",
    (c, v) => {
      if (v.reply >= 0) {
        c.value = c.t.libos.palErrno;
        return { flow: c.flowOf("DkEventSet"), v: eventArgs(v.reply) };
      }
      c.kind = KIND.step;
      return null;
    },
    "pal.call.enter",
  ),
  test("more", () => true, "more"),
  at("exit"),
  act("thread_exit of a remote child", (c, v) => {
    const child = c.process(c.t).children.find((known) => known.process === v.child);
    if (child) child.exited = true;
    c.value = v.child;
  }),
  call(
    "append_signal(parent thread, SIGCHLD, wakeup = true)",
    "append_signal",
    (c, v): Append => ({
      target: v.parent,
      signal: SIG.CHLD,
      id: c.newSignalId(),
      info: exitInfo(c, v),
      context: "garbage",
    }),
  ),
  call(
    "set child_exit_event",
    "DkEventSet",
    (c) => {
      c.value = c.t.libos.palErrno;
      return eventArgs(c.process(c.t).childEvent);
    },
    "pal.call.enter",
  ),
  test("more", () => true, "more"),
]);

/** Exit code of a child whose connection closed without a message: ECONNRESET (del_ipc_port_fini in shim_ipc_helper.c). */
const CONNECTION_CLOSED = 104;

/** thread_exit (shim_exit.c): si_status is the exit code shifted as in a wait status, si_code stays 0. A kill's exit code is 0. */
function exitInfo(c: Cpu, v: Helper): SigInfo {
  const child = c.m.processes[v.child];
  const code = child?.end.why === WHY.HOST ? CONNECTION_CLOSED : (child?.exitCode ?? 0);
  return childInfo(0, v.from, (code & 0xff) << 8);
}

/** Tell the parent's IPC helper that this process ends. */
const ipcExit = flow("ipc_exit", "libos", "2.15", ({ act, ret }) => [
  act("ipc send: child ended", (c) => {
    const me = c.process(c.t);
    c.value = me.parent;
    send(c, me.parent, { what: "exit", signal: 0, id: 0, from: me.pid, child: me.id, reply: -1 });
  }),
  ret(),
]);

/** exit_group: SIGKILL into every other thread's ring, then this thread's own end. */
const exitGroup = flow<{ status: number; threads: number[] }>("shim_do_exit_group", "libos", "2.15", ({ act, test, call, at }) => [
  act("kill the other threads", (c, v) => {
    v.threads = otherThreads(c);
    c.value = v.status;
  }),
  at("next"),
  test("no other thread left?", (_, v) => v.threads.length === 0, "exit"),
  call("do_kill_thread(thread, SIGKILL)", "do_kill_thread", (c, v) => {
    const [target, ...rest] = v.threads;
    v.threads = rest;
    return { target: target ?? 0, signal: SIG.KILL, from: c.process(c.t).pid };
  }),
  test("next", () => true, "next"),
  at("exit"),
  call("try_process_exit(status, 0)", "try_process_exit", (_, v) => ({ status: v.status, signal: 0 })),
]);

const exit = flow<{ status: number }>("shim_do_exit", "libos", "2.15", ({ call }) => [
  call("try_process_exit(status, 0)", "try_process_exit", (_, v) => ({ status: v.status, signal: 0 })),
]);

export const killFlows: readonly Flow[] = [doKill, doKillThread, appendSignal, doTgkill, ipcHelper, ipcExit, exitGroup, exit];
