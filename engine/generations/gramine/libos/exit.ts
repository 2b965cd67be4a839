/** Ends of threads and processes (gramine-today.md 7.1, 7.2; libos_exit.c). */

import type { Flow, Mark, Step } from "../../../flow.ts";
import { callArgs, exitArgs } from "../../../host/calls.ts";
import { hasTidWord } from "../../../threads.ts";
import { NEVER } from "../../../time.ts";
import { KIND, WHY } from "../../../transition.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { PAL } from "../pal/flows.ts";
import { CORE_DUMP } from "./default-action.ts";
import { type Ending, LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { THREAD_LIST_LOCK, threadLock } from "./names.ts";
import { wake } from "./send.ts";

const others = (c: Cpu): number[] => c.process(c.t).libos.threadList.filter((id) => id !== c.t.id);

interface Marking {
  rest: readonly number[];
  target: number;
  first: boolean;
}

/** Each other thread is told once: only who sets the flag wakes (B2: that one wake may come too early). */
const markOthers = (s: Steps<Marking>, round: string, always: boolean): (Step | Mark | null)[] => [
  s.call("walk_thread_list: lock(g_thread_list_lock)", LIBOS.lock, () => ({ name: THREAD_LIST_LOCK })),
  s.act("the other threads", (c, v) => {
    v.rest = others(c);
    c.value = v.rest.length;
  }),
  s.at(`${round}: next`),
  s.test("none left?", (_, v) => v.rest.length === 0, `${round}: walked`),
  s.act(
    "mark_thread_to_die: time_to_die exchanged with true",
    (c, v) => {
      v.target = v.rest[0] ?? -1;
      v.rest = v.rest.slice(1);
      const t = c.m.threads[v.target];
      v.first = t !== null && t !== undefined && !t.libos.timeToDie;
      if (t) t.libos.timeToDie = true;
      c.row(KIND["libos.die"], v.target, v.first ? 1 : 0);
    },
    "libos.die",
  ),
  always ? null : s.test("it was set before?", (_, v) => !v.first, `${round}: next`),
  ...wake(s, (v) => v.target),
  s.jump(`${round}: next`, "next thread"),
  s.at(`${round}: walked`),
  s.call("walk_thread_list: unlock(g_thread_list_lock)", LIBOS.unlock, () => ({ name: THREAD_LIST_LOCK })),
];

/** The yield of `kill_other_threads` costs what a time slice of nothing else does; a thread that never dies keeps it at it for ever. */
const killOthers = (always: boolean): Flow =>
  flow<Marking>(LIBOS.kill_other_threads, "libos", "7.1", (s) => [
    s.own({ rest: [], target: -1, first: false }),
    ...markOthers(s, "first", always),
    s.at("yield"),
    s.call("PalThreadYieldExecution()", PAL.PalThreadYieldExecution, () => callArgs(), "pal.call.enter"),
    s.call("check_last_thread: lock(g_thread_list_lock)", LIBOS.lock, () => ({ name: THREAD_LIST_LOCK })),
    s.call("check_last_thread: unlock(g_thread_list_lock)", LIBOS.unlock, () => ({ name: THREAD_LIST_LOCK })),
    s.test("the last one?", (c) => others(c).length === 0, "done"),
    ...markOthers(s, "again", always),
    s.jump("yield", "wait for the others"),
    s.at("done"),
    s.ret(),
  ]);

interface ProcessExit extends Ending {
  first: boolean;
}

const processExit = flow<ProcessExit>(LIBOS.process_exit, "libos", "7.1", (s) => [
  s.own({ first: false }),
  s.act("the first one?", (c, v) => {
    const p = c.process(c.t).libos;
    v.first = !p.exiting;
    p.exiting = true;
    c.signal = v.signal & ~CORE_DUMP;
    c.value = v.status;
  }),
  s.test("another thread is at it: only this one ends", (_, v) => !v.first, "exit"),
  s.call("kill_other_threads()", LIBOS.kill_other_threads),
  s.at("exit"),
  s.call("thread_exit(error_code, term_signal)", LIBOS.thread_exit, (_, v) => ({ status: v.status, signal: v.signal })),
]);

const ownSignal = (v: Ending): number => v.signal & ~CORE_DUMP;

interface ThreadExit extends Ending {
  last: boolean;
  /** The word with its tid, of one that is joined; -1 nobody has joined it. */
  word: number;
}

/** Whoever joins the thread from here on finds no word any more. */
function giveUpWord(c: Cpu, v: ThreadExit): void {
  v.word = hasTidWord(c, c.t) ? Math.max(c.t.tidWord, -1) : -1;
  c.t.tidWord = NO_WORD_ANY_MORE;
}

/** `tidWord` of a thread whose word is 0 (threads.ts). */
const NO_WORD_ANY_MORE = -2;

/** The main thread stays, for the host's tools: it sleeps for ever in the LibOS (B3). Of the process the last thread's status counts. */
const threadExit = flow<ThreadExit>(LIBOS.thread_exit, "libos", "7.1, 7.2", (s) => [
  s.own({ last: false, word: -1 }),
  s.call("check_last_thread: lock(g_thread_list_lock)", LIBOS.lock, () => ({ name: THREAD_LIST_LOCK })),
  s.act("off g_thread_list", (c, v) => {
    const { threadList } = c.process(c.t).libos;
    v.last = others(c).length === 0;
    const at = threadList.indexOf(c.t.id);
    if (at >= 0) threadList.splice(at, 1);
    c.value = threadList.length;
  }),
  s.call("check_last_thread: unlock(g_thread_list_lock)", LIBOS.unlock, () => ({ name: THREAD_LIST_LOCK })),
  s.test("the last one?", (_, v) => v.last, "last"),
  s.test("not the main thread?", (c) => c.t.tid !== c.process(c.t).pid, "thread"),
  s.call("thread_prepare_wait()", LIBOS.thread_prepare_wait),
  s.at("park"),
  s.call("thread_wait(NULL, true)", LIBOS.thread_wait, () => ({ timeout: NEVER, ignorePending: true })),
  s.jump("park", "wait for ever"),
  s.at("thread"),
  s.act("clear_child_tid_pal := 1", giveUpWord),
  s.call("install_async_event(cleanup_thread)", LIBOS.install_async_event, (c, v) => ({
    callback: "cleanup",
    us: 0,
    object: -1,
    thread: c.t.id,
    word: v.word,
  })),
  s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
  s.act("tcb.tp := NULL", (c) => {
    c.t.libos.ready = false;
  }),
  s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
  s.call(
    "PalThreadExit(clear_child_tid_pal)",
    PAL.PalThreadExit,
    (_, v) => exitArgs({ how: v.signal > 0 ? 1 : 0, why: v.signal > 0 ? WHY.LIBOS : WHY.EXIT, signal: ownSignal(v) }),
    "pal.call.enter",
  ),
  s.at("last"),
  s.call("file_lock_clear_pid(pid)", LIBOS.file_lock_clear_pid),
  s.act("detach_all_fds"),
  s.call("ipc_cld_exit_send(error_code, term_signal)", LIBOS.ipc_cld_exit_send, (_, v) => ({ status: v.status, signal: v.signal })),
  s.call("libos_clean_and_exit: terminate_async_worker()", LIBOS.terminate_async_worker),
  s.call("libos_clean_and_exit: release_id(tid)", LIBOS.release_id),
  s.call("libos_clean_and_exit: terminate_ipc_worker()", LIBOS.terminate_ipc_worker),
  s.call(
    "libos_clean_and_exit: PalProcessExit(exit code)",
    PAL.PalProcessExit,
    (_, v) =>
      exitArgs({
        status: v.signal > 0 ? 128 + ownSignal(v) : v.status,
        group: true,
        how: v.signal > 0 ? 1 : 0,
        why: v.signal > 0 ? WHY.LIBOS : WHY.EXIT,
        signal: ownSignal(v),
      }),
    "pal.call.enter",
  ),
]);

const exitGroup = flow(SYSCALL_FLOWS.exit_group, "libos", "7.1", (s) => [
  s.call("process_exit(error_code & 0xff, 0)", LIBOS.process_exit, (_, v) => ({ status: v.status & 0xff, signal: 0 })),
]);

const exit = flow(SYSCALL_FLOWS.exit, "libos", "7.2", (s) => [
  s.call("thread_exit(error_code & 0xff, 0)", LIBOS.thread_exit, (_, v) => ({ status: v.status & 0xff, signal: 0 })),
]);

export const exitFlows = (fixes: { kicksAlways: boolean }): Flow[] => [
  killOthers(fixes.kicksAlways),
  processExit,
  threadExit,
  exitGroup,
  exit,
];
