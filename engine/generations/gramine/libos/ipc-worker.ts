import type { Flow } from "../../../flow.ts";
import { enter } from "../../../frames.ts";
import { callArgs, exitArgs, takeMessage } from "../../../host/calls.ts";
import { SIG } from "../../../signals.ts";
import { type Frame, setAt, type Word } from "../../../state.ts";
import { NEVER } from "../../../time.ts";
import { WHY } from "../../../transition.ts";
import { type Cpu, flow } from "../flow.ts";
import { PAL_ERROR } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import type { IpcMessage } from "../state.ts";
import { LIBOS } from "./flows.ts";
import { ipcOf, message } from "./ipc.ts";
import { WAITERS_LOCK } from "./names.ts";

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
    case "clear-locks":
      return enter(c.program, LIBOS.ipc_file_lock_clear_pid_callback, { message: v.message });
    case "release-id":
      return enter(c.program, LIBOS.ipc_release_id_range_callback, {});
    case "child-exit":
      return enter(c.program, LIBOS.mark_child_exited, { process: src, code: ret, signal: termSignal });
    case "disconnected":
      return enter(c.program, LIBOS.mark_child_exited, { process: src, code: 0, signal: SIG.PWR });
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

export const ipcWorkerFlows: readonly Flow[] = [responseCallback, worker, terminate];
