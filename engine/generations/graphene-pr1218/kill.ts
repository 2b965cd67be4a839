/** The default actions that end something, and how a process ends with all its threads (shim_signal.c, shim_exit.c at 32a89d1d2). */

import type { Flow, Mark, Step } from "../../flow.ts";
import { processExit } from "../../libos/exit.ts";
import { LIBOS, SHIM_DO } from "../../libos/flows.ts";
import { dkExit, dkQuiet } from "../../libos/io.ts";
import { lockOf } from "../../libos/ipc.ts";
import { THREAD_LIST_LOCK } from "../../libos/names.ts";
import { fetch, fetchable } from "../../libos/ring.ts";
import { othersAlive } from "../../libos/thread-list.ts";
import { walkArgs } from "../../libos/walk.ts";
import { NO_INFO } from "../../siginfo.ts";
import { hasSignal, SIG } from "../../signals.ts";
import { KIND } from "../../transition.ts";
import { isDefault, NO_DEFAULT } from "../graphene-pr347/handler.ts";
import { type Cpu, flow, type Steps } from "./flow.ts";
import { type Found, PR1218 } from "./flows.ts";

const checkLast = flow(PR1218.check_last_thread, "libos", "pr1218 exit", (s) => [
  s.call("lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.act("another thread that is alive?", (c) => {
    c.value = othersAlive(c).length;
  }),
  s.call("unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.ret("return", (c) => {
    c.t.rax = othersAlive(c).length;
    c.value = c.t.rax;
  }),
]);

/** SIGKILL into every other thread's ring, and round and round until the last of them has ended. */
const endOthers = <V extends object>(s: Steps<V>): (Step | Mark)[] => [
  s.call("do_kill_proc(tgid, tgid, SIGKILL, use_ipc = false)", LIBOS.do_kill_proc, (c) => {
    const { pid } = c.process(c.t);
    return walkArgs(pid, SIG.KILL, pid, false);
  }),
  s.at("others"),
  s.call("check_last_thread(cur_thread)", PR1218.check_last_thread),
  s.test("it is the last one?", (c) => c.t.rax === 0, "last"),
  dkQuiet(s, "DkThreadYieldExecution()", "DkThreadYieldExecution"),
  s.jump("others", "while others are alive"),
  s.at("last"),
];

/** Of the whole process: by abort, and by Ctrl-C or SIGTERM of the host. Everything else ends one thread. */
const isForAll = (v: { signal: number; info: { pid: number } }): boolean =>
  v.signal === SIG.ABRT || (v.info.pid === 0 && (v.signal === SIG.TERM || v.signal === SIG.INT));

/** The first one. */
function takeTurn(c: Cpu): boolean {
  const { libos } = c.process(c.t);
  if (libos.killing) return false;
  libos.killing = true;
  return true;
}

/** Whether there is a core dump the LibOS tells the parent by a bit of the status, which is not kept here. */
const kill = flow(PR1218.sighandler_kill, "libos", "pr1218 4", (s) => [
  s.act(
    "killed by the signal",
    (c, v) => {
      c.signal = v.signal;
      c.value = othersAlive(c).length;
      c.extra = v.id;
    },
    "libos.signal.kill",
  ),
  s.test("neither SIGABRT nor, with si_pid 0, SIGTERM or SIGINT?", (_, v) => !isForAll(v), "last"),
  s.test("the first one?", takeTurn, "first"),
  s.at("for ever"),
  dkQuiet(s, "DkThreadYieldExecution()", "DkThreadYieldExecution"),
  s.jump("for ever", "for ever"),
  s.at("first"),
  ...endOthers(s),
  s.call("thread_or_process_exit(0, sig)", LIBOS.try_process_exit, (_, v) => ({ status: 0, signal: v.signal, turns: 0, returns: false })),
  dkExit(s, "DkThreadExit()", "DkThreadExit"),
]);

type Draining = Pick<Found, "found" | "id" | "info" | "handler" | "restorer">;

/** The oldest of the lowest number, blocked or not. */
function takeAny(c: Cpu, v: Draining): void {
  v.found = 0;
  for (let signal = 1; signal <= LAST_KNOWN && v.found === 0; signal += 1) if (fetchable(c.t, signal)) v.found = signal;
  const entry = v.found === 0 ? null : fetch(c.t, v.found);
  c.signal = v.found;
  if (!entry) return c.row(KIND["libos.signal.pending"], c.t.libos.hasSignal);
  v.id = entry.id;
  v.info = entry.info;
  c.row(KIND["libos.signal.fetch"], c.t.libos.hasSignal, v.id);
}

/** NUM_KNOWN_SIGS is the first that is not looked at. */
const LAST_KNOWN = 31;
/** `value` of libos.signal.lost: its handler is not entered. */
const NOT_ENTERED = 6;

/** Until the count is 0, which a number above 31 keeps it from: a default action ends the thread, nothing else is done. */
const exitSignal = flow<Draining>(PR1218.handle_exit_signal, "libos", "pr1218 exit", (s) => [
  s.own({ found: 0, id: 0, info: NO_INFO, handler: NO_DEFAULT, restorer: 0 }),
  s.at("next"),
  s.test("has_signal == 0?", (c) => c.t.libos.hasSignal === 0, "done"),
  s.act("the next one of 1..31", takeAny, "libos.signal.fetch"),
  s.test("none: look again", (_, v) => v.found === 0, "next"),
  s.test("the mask blocks it?", (c, v) => hasSignal(c.t.libos.mask, v.found), "free"),
  s.call("get_sighandler(thread, sig, &handler, &restorer)", PR1218.get_sighandler, (_, v) => ({ signal: v.found, id: v.id })),
  s.test("no default action?", (c, v) => !isDefault(c, v), "free"),
  s.call("handler(sig, &signal->info): it does not return", PR1218.sighandler_kill, (_, v) => ({
    signal: v.found,
    id: v.id,
    event: 0,
    info: v.info,
  })),
  s.at("free"),
  s.act(
    "the thread ends: nobody gets it",
    (c, v) => {
      c.signal = v.found;
      c.row(KIND["libos.signal.lost"], NOT_ENTERED, v.id);
    },
    "libos.signal.lost",
  ),
  s.call("free(signal)", LIBOS.free),
  s.jump("next", "next"),
  s.at("done"),
  s.ret(),
]);

/** Only the first caller kills the others. One that comes later waits for its own SIGKILL, and finds it itself. */
const exitGroup = flow(SHIM_DO.exit_group, "libos", "pr1218 exit", (s) => [
  s.test("the first one?", isFirst, "first"),
  s.at("again"),
  s.call("handle_exit_signal()", PR1218.handle_exit_signal),
  dkQuiet(s, "DkThreadYieldExecution()", "DkThreadYieldExecution"),
  s.jump("again", "again"),
  s.at("first"),
  ...endOthers(s),
  s.call("thread_or_process_exit(error_code, 0)", LIBOS.try_process_exit, (_, v) => ({
    status: v.status,
    signal: 0,
    turns: 0,
    returns: false,
  })),
]);

function isFirst(c: Cpu): boolean {
  const { libos } = c.process(c.t);
  const first = !libos.exitGroup;
  libos.exitGroup = true;
  return first;
}

/** shim_clean_and_exit(term_signal ? term_signal : error_code). */
const hostHears = (v: { status: number; signal: number }): number => (v.signal > 0 ? v.signal : v.status);

export const killFlows: readonly Flow[] = [checkLast, kill, exitSignal, exitGroup, processExit(hostHears)];
