/** LibOS start, threads, children (reference, 2.1 step 5, 2.15, 2.20 wait4). */

import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow } from "../flow.ts";
import type { CallLocals } from "../host/calls.ts";
import { dkArgs } from "../pal/calls.ts";
import { EVENT, eventName } from "../pal/events.ts";
import { WAIT_EVENT } from "../pal/sync-calls.ts";
import { forgetProcess } from "../threads.ts";
import { answer, dk, dkEvent } from "./io.ts";
import { threadLock } from "./names.ts";
import { addSelf } from "./thread-list.ts";

const register =
  (event: number) =>
  (c: Cpu): void => {
    c.process(c.t).upcalls[event] = true;
    c.value = event;
  };

/** preempt is 1 until the application starts; FAILURE is registered first, the other six last. */
const init = flow("shim_init", "libos", "2.1", ({ act, test, call, at, ret }) => [
  act("tcb.context.preempt := 1", (c) => {
    c.t.libos.preempt = 1;
  }),
  act(`DkSetExceptionHandler(${eventName(EVENT.FAILURE)})`, register(EVENT.FAILURE)),
  act("init_thread: tcb.tp", (c) => {
    c.t.libos.ready = true;
    addSelf(c);
  }),
  test("no parent process?", (c) => c.process(c.t).parent < 0, "alone"),
  call("create the IPC helper", "create_ipc_helper"),
  at("alone"),
  ...[EVENT.ARITHMETIC_ERROR, EVENT.MEMFAULT, EVENT.ILLEGAL, EVENT.QUIT, EVENT.SUSPEND, EVENT.RESUME].map((event) =>
    act(`init_signal: DkSetExceptionHandler(${eventName(event)})`, register(event)),
  ),
  act("tcb.context.preempt := 0, jump to the application", (c) => {
    c.t.libos.preempt = 0;
  }),
  ret(),
]);

const createIpcHelper = flow("create_ipc_helper", "libos", "2.15", (s) => [
  s.call(
    "thread_create(ipc_helper)",
    "DkThreadCreate",
    (c) => {
      c.value = c.t.libos.palErrno;
      return { ...dkArgs(), program: "", start: "ipc_helper", internal: true };
    },
    "pal.call.enter",
  ),
  s.ret(),
]);

/** First LibOS function of a new thread. */
const threadStart = flow("clone_implementation_wrapper", "libos", "1.6", ({ act, callDynamic, call }) => [
  act(
    "thread starts with preempt 1",
    (c) => {
      c.t.libos.preempt = 1;
      c.t.libos.ready = true;
      c.value = c.process(c.t).threads[0] ?? -1;
    },
    "thread.start",
  ),
  act("tcb.context.preempt := 0, jump to the application", (c) => {
    c.t.libos.preempt = 0;
  }),
  callDynamic("the thread's program", (c) => ({ flow: c.flowOf(c.t.program), v: {} })),
  call("exit(0)", "libc exit", () => ({ status: 0, ret: 0 })),
]);

interface Clone {
  program: string;
  ret: number;
}

const clone = flow<Clone>("shim_do_clone", "libos", "1.6", (s) => [
  s.call(
    "DkThreadCreate(clone_implementation_wrapper)",
    "DkThreadCreate",
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return { ...dkArgs(), program: v.program, start: "clone_implementation_wrapper", internal: false };
    },
    "pal.call.enter",
  ),
  s.act("ret = tid", (c, v) => {
    v.ret = c.t.rax;
  }),
  answer(s),
]);

const fork = flow<Clone>("shim_do_fork", "libos", "2.15", (s) => [
  s.test("IPC helper exists?", (c) => c.threadsOf(c.process(c.t)).some((t) => t.name.startsWith("ipc-helper")), "helper"),
  s.call("create the IPC helper", "create_ipc_helper"),
  s.at("helper"),
  s.call(
    "DkProcessCreate()",
    "DkProcessCreate",
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return { ...dkArgs(), program: v.program, start: "", internal: false };
    },
    "pal.call.enter",
  ),
  s.act("ret = pid of the child", (c, v) => {
    const child = c.m.processes[c.t.rax];
    v.ret = child?.pid ?? E.AGAIN;
    if (child) c.process(c.t).children.push({ process: child.id, pid: child.pid, thread: c.t.id, exited: false });
  }),
  answer(s),
]);

/** `object`: the wanted child process, or -1. */
const wanted = (c: Cpu, v: CallLocals) => c.process(c.t).children.filter((child) => v.object < 0 || child.process === v.object);

const own = (c: Cpu): { name: string } => ({ name: threadLock(c.t) });

/** Never EINTR. For any child the loop takes and releases cur.lock, for one child it does not (2.20). */
const wait4 = flow<CallLocals>("shim_do_wait4", "libos", "2.20", (s) => [
  s.at("again"),
  s.test("no such child?", (c, v) => wanted(c, v).length === 0, "none"),
  s.test("one has exited?", (c, v) => wanted(c, v).some((child) => child.exited), "reap"),
  s.test("WNOHANG?", (_, v) => v.bytes === 1, "done"),
  s.test("wait for one child?", (_, v) => v.object >= 0, "wait"),
  s.call("lock(cur.lock)", "lock", own),
  s.call("unlock(cur.lock)", "unlock", own),
  s.at("wait"),
  s.act("child_exit_event cleared", (c) => {
    const event = c.m.objects[c.process(c.t).childEvent];
    if (event && !c.process(c.t).children.some((child) => child.exited)) event.level = 0;
  }),
  dkEvent(s, "DkObjectsWaitAny(child_exit_event)", WAIT_EVENT, (c) => c.process(c.t).childEvent),
  s.jump("again", "again"),
  s.at("none"),
  s.act("-ECHILD", (_, v) => {
    v.ret = E.CHILD;
  }),
  s.jump("done"),
  s.at("reap"),
  s.act("ret = pid", (c, v) => {
    const child = wanted(c, v).find((known) => known.exited);
    if (!child) return;
    v.ret = child.pid;
    const me = c.process(c.t);
    me.children.splice(me.children.indexOf(child), 1);
    const process = c.m.processes[child.process];
    if (!process) return;
    process.reaped = true;
    forgetProcess(c, process);
  }),
  s.call("lock(cur.lock)", "lock", own),
  s.call("unlock(cur.lock)", "unlock", own),
  s.at("done"),
  answer(s),
]);

/** Dispositions are kept over execve at the base revision. */
const exec = flow<CallLocals>("shim_do_execve", "libos", "2.20", (s) => [
  dk(s, "load the program", "DkStreamOpen", (_, v) => ({ takes: v.takes, result: v.result })),
  answer(s),
]);

export const processFlows: readonly Flow[] = [init, createIpcHelper, threadStart, clone, fork, wait4, exec];
