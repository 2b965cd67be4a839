/** append_signal and who calls it otherwise than in 2019 (shim_signal.c, shim_alarm.c at 32a89d1d2). */

import type { Flow } from "../../flow.ts";
import type { Append } from "../../libos/append.ts";
import { setEvent } from "../../libos/events.ts";
import { LIBOS } from "../../libos/flows.ts";
import { dk } from "../../libos/io.ts";
import { lockOf } from "../../libos/ipc.ts";
import { lockOfThread, THREAD_LIST_LOCK } from "../../libos/names.ts";
import { reservation, store } from "../../libos/ring.ts";
import { NO_INFO } from "../../siginfo.ts";
import { hasSignal, SIG } from "../../signals.ts";
import { IGNORED, type Lookup, lookUp, NO_DEFAULT } from "../graphene-pr347/handler.ts";
import { isIgnored } from "./deliver.ts";
import { type Cpu, flow } from "./flow.ts";

interface Appending extends Append, Lookup {
  wakes: boolean;
}

/** The handler as delivery would find it: an action with SA_RESETHAND is used up by this. */
function ask(c: Cpu, v: Appending): void {
  const target = c.m.threads[v.target];
  v.handler = NO_DEFAULT;
  if (target) lookUp(c, target, v, true);
  v.wakes = !isIgnored(v);
}

/** Of those that are blocked only SIGCHLD is not kept. */
function isDropped(c: Cpu, v: Appending): boolean {
  const mask = c.m.threads[v.target]?.libos.mask;
  return !v.wakes && (v.signal === SIG.CHLD || !mask || !hasSignal(mask, v.signal));
}

/** thread->lock is held. One that is blocked wakes the thread all the same, unless it is ignored. */
const appendSignal = flow<Appending>(LIBOS.append_signal, "libos", "pr1218 8", (s) => [
  s.own({ handler: NO_DEFAULT, restorer: 0, reset: false, wakes: false }),
  s.act("__get_sighandler(thread, sig, &handler, &restorer); SA_RESETHAND: action := NULL", ask),
  s.test("no SA_RESETHAND?", (_, v) => !v.reset, "asked"),
  s.call("free(act)", LIBOS.free),
  s.at("asked"),
  s.test("ignored, and not blocked, or SIGCHLD?", isDropped, "dropped"),
  s.call("malloc(shim_signal)", LIBOS.malloc),
  s.call("allocate_signal_log(sig): reserve a slot", LIBOS.allocate_signal_log, (_, v) => reservation(v.target, v)),
  s.act("append signal", (c, v) => store(c, v.target, v), "libos.signal.append"),
  s.test("no slot: the queue is full, dropped?", (c) => c.t.rax < 0, "full"),
  s.test("ignored: nobody is woken", (_, v) => !v.wakes, "done"),
  s.act(
    'debug "resuming thread"',
    (c, v) => {
      c.signal = v.signal;
      c.value = v.target;
      c.extra = v.id;
    },
    "libos.wake",
  ),
  setEvent<Appending>(s, "thread_wakeup: DkEventSet(scheduler_event)", (c, v) => c.m.threads[v.target]?.libos.schedulerEvent ?? -1),
  dk<Appending>(s, "DkThreadResume(thread)  < SIGCONT via tgkill() >", "DkThreadResume", (_, v) => ({ target: v.target })),
  s.jump("done", "done"),
  s.at("full"),
  s.call('SYS_PRINTF("signal queue is full")', LIBOS.sys_printf),
  s.call("free(signal)", LIBOS.free),
  s.jump("done", "done"),
  s.at("dropped"),
  s.act(
    "nobody will ask for it",
    (c, v) => {
      c.signal = v.signal;
      c.value = v.handler === IGNORED ? 1 : 0;
      c.extra = v.id;
    },
    "libos.signal.ignore",
  ),
  s.at("done"),
  s.ret(),
]);

const ofTarget = (_: Cpu, v: { target: number }): { name: string } => ({ name: lockOfThread(v.target) });

/** Without a siginfo: all of it is 0. */
const signalAlarm = flow(LIBOS.signal_alarm, "libos", "pr1218 8", (s) => [
  s.call("lookup_thread: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.call("lookup_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.call("lock(thread->lock)", LIBOS.lock, ofTarget),
  s.call("append_signal(thread, SIGALRM, NULL, true)", LIBOS.append_signal, (c, v) => ({
    target: v.target,
    signal: SIG.ALRM,
    id: c.newSignalId(),
    info: NO_INFO,
    context: "none",
  })),
  s.call("unlock(thread->lock)", LIBOS.unlock, ofTarget),
  s.ret(),
]);

export const appendFlows: readonly Flow[] = [appendSignal, signalAlarm];
