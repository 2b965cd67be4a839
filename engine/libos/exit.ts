/** How a thread ends, and with the last one the process (reference, 2.15, 2.16; shim_exit.c, shim_init.c). */

import { goTo } from "../control.ts";
import { topFrame } from "../cpu.ts";
import type { Flow, Mark, Step } from "../flow.ts";
import { enter } from "../frames.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import { addMessage } from "../host/calls.ts";
import { dkExitArgs } from "../pal/calls.ts";
import { childInfo } from "../siginfo.ts";
import { SIG } from "../signals.ts";
import { hasTidWord } from "../threads.ts";
import { KIND, WHY, type Why } from "../transition.ts";
import { helperLock } from "./async-helper.ts";
import { setEvent } from "./events.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { dk, dkExit, dkQuiet } from "./io.ts";
import { type ExitSend, lockOf, message, passLock, ports } from "./ipc.ts";
import { childLock, IPC_HELPER_LOCK, lockOfThread, MASTER_LOCK, MSGS_LOCK, THREAD_LIST_LOCK, threadLock } from "./names.ts";
import { childOf, endSelf, isAlive, isElsewhere, moveToExited, othersAlive } from "./thread-list.ts";
import { isDummy } from "./vfork.ts";
import { walkArgs } from "./walk.ts";

/** Locals of thread_exit: the calling thread, or the record of a forked child (`child` is its pid). */
export interface ThreadExit {
  child: number;
  /** send_ipc. */
  send: boolean;
}

const childIn = (c: Cpu, v: ThreadExit) => childOf(c.process(c.t), v.child);
const ownLock = (c: Cpu, v: ThreadExit): { name: string } => ({ name: v.child < 0 ? threadLock(c.t) : childLock(v.child) });
const parentOf = (c: Cpu, v: ThreadExit): number => (v.child < 0 ? c.t.libos.parent : (childIn(c, v)?.parent ?? -1));
const parentLock = (c: Cpu, v: ThreadExit): { name: string } => ({ name: lockOfThread(parentOf(c, v)) });
const childExitEvent = (c: Cpu, v: ThreadExit): number => c.m.threads[parentOf(c, v)]?.libos.childExitEvent ?? -1;

/**
 * Both the end of a thread and the message turn the sign of exit_code (shim_exit.c:135, shim_ipc_child.c:54): what a process passes on of a
 * thread that execve moved to another one arrives with the wrong sign.
 */
function sendExit(c: Cpu, v: ThreadExit): ExitSend {
  const child = childIn(c, v);
  if (child) return { tid: child.pid, status: 0 - child.exitCode, signal: child.termSignal };
  return { tid: c.t.tid, status: c.t.libos.exitCode, signal: c.t.libos.termSignal };
}

/**
 * Of a child it is the IPC helper that does this, so it waits for whoever has parent->lock, a parent in sigsuspend for example; SIGCHLD comes
 * before either event, under that lock (shim_exit.c:85-127). Of the calling thread the unlock delivers what is pending, although it is not
 * alive any more.
 */
const threadExit = flow(LIBOS.thread_exit, "libos", "2.15, 2.16", (s) => [
  s.test("not told to tell other processes?", (_, v) => v.child >= 0 || !v.send, "lock"),
  s.call("ipc_cld_exit_send, as early as possible", LIBOS.ipc_cld_exit_send, sendExit),
  s.at("lock"),
  s.call("lock(self->lock)", LIBOS.lock, ownLock),
  s.test("is_alive?", (c, v) => (v.child < 0 ? isAlive(c) : (childIn(c, v)?.alive ?? false)), "alive"),
  s.call("dead already: unlock(self->lock)", LIBOS.unlock, ownLock),
  s.jump("return", "return"),
  s.at("alive"),
  s.act("is_alive := false", (c, v) => {
    const child = childIn(c, v);
    if (child) child.alive = false;
    else endSelf(c);
    c.value = child?.pid ?? c.t.tid;
  }),
  s.test("no parent in this process?", (c, v) => parentOf(c, v) < 0, "remote"),
  s.call("lock(parent->lock)", LIBOS.lock, parentLock),
  s.act("from parent->children to exited_children", (c, v) => moveToExited(c, childIn(c, v) ?? c.t)),
  s.test("a thread of this process: no SIGCHLD", (_, v) => v.child < 0, "notified"),
  s.call("append_signal(parent, SIGCHLD, wakeup = true)", LIBOS.append_signal, (c, v) => ({
    target: parentOf(c, v),
    signal: SIG.CHLD,
    id: c.newSignalId(),
    info: childInfo(0, v.child, ((childIn(c, v)?.exitCode ?? 0) & 0xff) << 8),
    context: "garbage",
  })),
  s.at("notified"),
  s.call("unlock(parent->lock)", LIBOS.unlock, parentLock),
  setEvent(s, "DkEventSet(parent->child_exit_event)", childExitEvent),
  s.jump("unlock", "parent notified"),
  s.at("remote"),
  s.call("the parent is another process: ipc_cld_exit_send", LIBOS.ipc_cld_exit_send, sendExit),
  s.at("unlock"),
  s.call("unlock(self->lock)", LIBOS.unlock, ownLock),
  s.test("no clear_child_tid?", (c, v) => v.child >= 0 || !hasTidWord(c, c.t), "no word"),
  s.call("release_clear_child_id(clear_child_tid)", LIBOS.release_clear_child_id),
  s.at("no word"),
  setEvent(s, "DkEventSet(self->exit_event)", (c, v) => childIn(c, v)?.exitEvent ?? -1),
  s.at("return"),
  s.ret(),
]);

export interface Exit {
  status: number;
  signal: number;
}

export interface ProcessExit extends Exit {
  turns: number;
  /** The caller is execve: the thread goes back to it when others live. */
  returns: boolean;
}

/** SIGKILL of an exit_group is the LibOS's way to end the other threads, not the cause of the process's end. */
function causeOf(c: Cpu, v: Exit): { why: Why; signal: number } {
  return v.signal > 0 && !c.process(c.t).libos.exitGroup ? { why: WHY.LIBOS, signal: v.signal } : { why: WHY.EXIT, signal: 0 };
}

/** The PAL hears of a status only (0 of a thread); which signal it was the LibOS keeps for the parent. */
const leave = ({ signal }: Exit) => dkExitArgs({ how: signal > 0 ? 1 : 0, why: signal > 0 ? WHY.LIBOS : WHY.EXIT, signal });

/**
 * Another live thread: only this one ends. Else the helpers are told to end, too. While a child's stream is open the IPC helper stays behind
 * and ends the process when the last one closes; else it is waited for, a millisecond at a time and 2000 times at most
 * (exit_with_ipc_helper in shim_ipc_helper.c). Of threads that end one after the other the last one's status counts. `hostHears`: the status
 * of the host process.
 */
export const processExit = (hostHears: (v: Exit) => number): Flow =>
  flow(LIBOS.try_process_exit, "libos", "2.16", (s) => [
    s.act("exit_code, cur_process.exit_code, term_signal", (c, v) => {
      c.signal = v.signal;
      c.value = v.status;
      c.t.libos.exitCode = v.status;
      c.t.libos.termSignal = v.signal;
      c.process(c.t).libos.exiting = { status: hostHears(v), ...causeOf(c, v) };
      v.turns = 0;
    }),
    s.callDynamic(
      "thread_exit(cur_thread, true)",
      (c) => {
        if (!isElsewhere(c)) return enter(c.program, LIBOS.thread_exit, { child: -1, send: true });
        // Not in_vm.
        c.kind = KIND.step;
        return null;
      },
      ["call", "step"],
    ),
    s.call("check_last_thread: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
    s.act("look for another thread that is alive", (c, v) => {
      c.value = othersAlive(c).length;
      if (v.returns && c.value > 0) goTo(c.program, topFrame(c.t), "others");
    }),
    s.call("check_last_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
    s.test("another local thread is alive?", (c) => othersAlive(c).length > 0, "thread"),
    s.test("no async helper?", (c) => !c.process(c.t).libos.helperAlive, "ipc"),
    s.call("terminate_async_helper: lock(async_helper_lock)", LIBOS.lock, helperLock),
    s.act("async_helper_state := HELPER_NOTALIVE", (c) => {
      c.process(c.t).libos.helperAlive = false;
    }),
    s.call("terminate_async_helper: unlock(async_helper_lock)", LIBOS.unlock, helperLock),
    dk(s, "set_event: DkStreamWrite(async_helper_event)", "DkStreamWrite", (c) => ({ object: c.process(c.t).libos.helperEvent, bytes: 1 })),
    s.at("ipc"),
    s.test("no IPC helper?", (c) => c.process(c.t).libos.ipc.helper !== "alive", "clean"),
    s.call("exit_with_ipc_helper: lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
    s.act("a child's stream is open? HELPER_HANDEDOVER, else HELPER_NOTALIVE", (c) => {
      const { ipc } = c.process(c.t).libos;
      ipc.helper = ipc.children.length > 0 ? "handed-over" : "not-alive";
      c.value = ipc.children.length;
      addMessage(c, ipc.port, message("event", c.t.process));
    }),
    s.call("exit_with_ipc_helper: unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
    dk(s, "set_event: DkStreamWrite(ipc_helper_event)", "DkStreamWrite", (c) => ({ object: c.process(c.t).libos.ipc.port, bytes: 1 })),
    s.test("handed over?", (c) => c.process(c.t).libos.ipc.helper === "handed-over", "thread"),
    s.at("wait"),
    s.test("the helper is gone, or waited for 2000 times?", (c, v) => !c.process(c.t).libos.ipc.thread || v.turns >= 2000, "clean"),
    s.act("loops + 1", (_, v) => {
      v.turns += 1;
    }),
    dk(s, "DkThreadDelayExecution(1000 microseconds)", "DkThreadDelayExecution", () => ({ timeout: 1_000_000 })),
    s.jump("wait", "again"),
    s.at("clean"),
    s.call("shim_clean()", LIBOS.shim_clean),
    s.at("thread"),
    dkExit(s, "DkThreadExit()", "DkThreadExit", (_, v) => leave(v)),
    s.at("others"),
    s.call("check_last_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
    s.ret("another local thread is alive: return 0 to execve"),
  ]);

/** The broadcast stream, and the server pipe of this process (shim_ipc_helper.c:120-145, shim_ipc_pid.c:66). */
const OWN_PORTS = 2;

/** Of two that get here at once, or of an assertion on the way, only the first does it (in_terminate in shim_init.c). */
const clean = flow<{ again: boolean; ports: number }>(LIBOS.shim_clean, "libos", "2.16", (s) => [
  s.own({ again: false, ports: 0 }),
  s.act("in_terminate + 1", (c, v) => {
    const p = c.process(c.t);
    v.again = p.libos.terminating;
    p.libos.terminating = true;
  }),
  s.test("another one is at it already?", (_, v) => v.again, "again"),
  s.call("del_all_ipc_ports: lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  s.act("the ports: broadcast, its own, and those to other processes", (c, v) => {
    v.ports = OWN_PORTS + ports(c, c.process(c.t)).length;
    c.value = v.ports;
  }),
  s.at("next"),
  s.test("no port left?", (_, v) => v.ports === 0, "deleted"),
  dkQuiet(s, "DkStreamDelete(port)", "DkStreamDelete"),
  ...passLock(s, "wake who waits", MSGS_LOCK),
  s.act("next port", (_, v) => {
    v.ports -= 1;
  }),
  s.jump("next"),
  s.at("deleted"),
  s.call("del_all_ipc_ports: unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  s.test("the terminal is not open?", (c) => !c.process(c.t).libos.ttyOpen, "no terminal"),
  dkQuiet(s, "DkObjectClose(shim_stdio)", "DkObjectClose (event)"),
  s.at("no terminal"),
  s.call("lock(__master_lock)", LIBOS.lock, lockOf(MASTER_LOCK)),
  dkExit(s, "DkProcessExit(cur_process.exit_code)", "DkProcessExit", (c) => {
    const { status, why, signal } = c.process(c.t).libos.exiting;
    return dkExitArgs({ status, why, signal, how: c.t.libos.termSignal > 0 ? 1 : 0 });
  }),
  s.at("again"),
  s.ret(),
]);

/** A child of vfork: only its record ends. */
const endDummy = (s: Steps<{ status: number }>): (Step | Mark)[] => [
  s.at("dummy"),
  s.call("thread_exit(cur_thread, true), switch_dummy_thread()", LIBOS["thread_exit (dummy)"], (_, v) => ({ status: v.status })),
];

/** SIGKILL into every other thread's ring, then this thread's own end. */
const exitGroup = flow(SHIM_DO.exit_group, "libos", "2.15", (s) => [
  s.test("cur_thread->dummy?", isDummy, "dummy"),
  s.call("do_kill_proc(SIGKILL, without IPC)", LIBOS.do_kill_proc, (c) => {
    const { pid } = c.process(c.t);
    c.process(c.t).libos.exitGroup = true;
    return walkArgs(pid, SIG.KILL, pid, false);
  }),
  s.call("try_process_exit(status, 0)", LIBOS.try_process_exit, (_, v) => ({ status: v.status, signal: 0, turns: 0, returns: false })),
  ...endDummy(s),
]);

const exit = flow(SHIM_DO.exit, "libos", "2.15", (s) => [
  s.test("cur_thread->dummy?", isDummy, "dummy"),
  s.call("try_process_exit(status, 0)", LIBOS.try_process_exit, (_, v) => ({ status: v.status, signal: 0, turns: 0, returns: false })),
  ...endDummy(s),
]);

export const exitFlows: readonly Flow[] = [threadExit, processExit((v) => v.status), clean, exitGroup, exit];
