/** kill and tgkill of other processes, on both sides (gramine-today.md 6, corrections 6.M1; ipc/libos_ipc_signal.c). */

import { E } from "../../../errno.ts";
import type { Flow, Step } from "../../../flow.ts";
import { sentBy } from "../../../siginfo.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import type { IpcMessage } from "../state.ts";
import { answer } from "./answer.ts";
import { LIBOS } from "./flows.ts";
import { message } from "./ipc.ts";
import { CHILDREN_LOCK } from "./names.ts";

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
export const leaderOf = (c: Cpu): number => c.processes().find((p) => p.parent < 0)?.id ?? -1;

export const ipcKillFlows: readonly Flow[] = [killSend, killCallback];
