/** Queues of signals, of a thread and of a process (gramine-today.md 1, 5; libos_signal.c). */

import { running } from "../../../cpu.ts";
import type { Flow } from "../../../flow.ts";
import { sentBy } from "../../../siginfo.ts";
import { hasSignal, SIG, type SignalSet, setOf, signalsIn, subtract, union } from "../../../signals.ts";
import { KIND } from "../../../transition.ts";
import { type Cpu, flow } from "../flow.ts";
import { INJECTED_AND_TAKEN, NOT_INJECTED, type Queued, type SignalQueue } from "../state.ts";
import { isIgnored } from "./default-action.ts";
import { LIBOS } from "./flows.ts";
import { PROCESS_QUEUE_LOCK, threadLock } from "./names.ts";

/** SIGRTMIN. */
export const FIRST_REAL_TIME = 32;
/** MAX_SIGNAL_LOG: places of a real-time signal. */
const RING = 32;

const ofNumber = (queue: SignalQueue, signal: number): number => queue.filter((each) => each.signal === signal).length;

/** queue_append_signal: false when the slot is taken or the ring is full. */
export function append(queue: SignalQueue, entry: Queued): boolean {
  if (ofNumber(queue, entry.signal) >= (entry.signal < FIRST_REAL_TIME ? 1 : RING)) return false;
  queue.push(entry);
  return true;
}

/** pending_mask. */
export const pendingMask = (queue: SignalQueue): SignalSet => setOf(queue.map(({ signal }) => signal));

/** The lowest number that the mask lets through: of the thread's own queue first, then of the process's. */
function pop(own: SignalQueue, processes: SignalQueue, mask: SignalSet): Queued | null {
  let best: { queue: SignalQueue; at: number; signal: number } | null = null;
  for (const queue of [own, processes])
    for (let at = 0; at < queue.length; at += 1) {
      const { signal } = queue[at] as Queued;
      if (!hasSignal(mask, signal) && (best === null || signal < best.signal)) best = { queue, at, signal };
    }
  return best === null ? null : (best.queue.splice(best.at, 1)[0] ?? null);
}

const left = (c: Cpu): number => c.t.libos.queue.length + c.process(c.t).libos.queue.length;

/** Whoever pops has a variable for what was popped. */
export interface Popper {
  taken: Queued | null;
}

interface Pop {
  mask: SignalSet | null;
  taken: Queued | null;
  allowed: boolean;
}

function tell(c: Cpu, v: Pop): void {
  c.t.rax = v.taken?.signal ?? 0;
  c.signal = v.taken?.signal ?? 0;
}

/** The popped signal, by whom the caller's variable is set. */
function giveTo(c: Cpu, v: Pop): void {
  const caller = running(c.t).at(-2);
  if (caller && "taken" in caller.v) (caller.v as unknown as Popper).taken = v.taken;
}

/**
 * Queued signals and the injected SIGTERM exclude each other: while anything is queued, blocked or not, the injected one is not looked at
 * (B4). A thread that blocks SIGTERM wakes another one each time, for ever after the word is -1 (B7).
 */
const popUnblocked = ({ beside, once }: { beside: boolean; once: boolean }): Flow =>
  flow<Pop>(LIBOS.pop_unblocked_signal, "libos", "5 P1, P2", (s) => [
    s.own({ taken: null, allowed: false }),
    s.test("both counters of pending signals 0?", (c) => left(c) === 0, "injected"),
    s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
    s.call("lock(g_process_signal_queue_lock)", LIBOS.lock, () => ({ name: PROCESS_QUEUE_LOCK })),
    s.act(
      "the first of 1 to 64 that is not blocked: of the thread, else of the process",
      (c, v) => {
        v.taken = pop(c.t.libos.queue, c.process(c.t).libos.queue, v.mask ?? c.t.libos.mask);
        c.signal = v.taken?.signal ?? 0;
        if (v.taken) c.row(KIND["libos.signal.fetch"], left(c), v.taken.id);
        else c.row(KIND["libos.signal.pending"], left(c));
      },
      ["libos.signal.fetch", "libos.signal.pending"],
    ),
    s.test("nothing, or a slot's own?", (_, v) => (v.taken?.signal ?? 0) < FIRST_REAL_TIME, "popped"),
    s.call("free(signal)", LIBOS.free),
    s.at("popped"),
    s.call("unlock(g_process_signal_queue_lock)", LIBOS.unlock, () => ({ name: PROCESS_QUEUE_LOCK })),
    s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
    beside ? s.test("one of the queues?", (_, v) => v.taken !== null, "done") : s.jump("done", "return it"),
    s.at("injected"),
    s.test(
      once ? "g_host_injected_signal == 0, or taken?" : "g_host_injected_signal == 0?",
      (c) => {
        const { injected } = c.process(c.t).libos;
        return injected === NOT_INJECTED || (once && injected === INJECTED_AND_TAKEN);
      },
      "done",
    ),
    s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
    s.act("SIGTERM in the mask?", (c, v) => {
      v.allowed = !hasSignal(v.mask ?? c.t.libos.mask, SIG.TERM);
      c.value = v.allowed ? 0 : 1;
    }),
    s.test("it is", (_, v) => !v.allowed, "blocked"),
    s.act(
      "g_host_injected_signal exchanged with -1",
      (c, v) => {
        const p = c.process(c.t).libos;
        if (p.injected !== INJECTED_AND_TAKEN) v.taken = { signal: SIG.TERM, id: p.injectedId, info: sentBy(SIG.TERM, 0) };
        p.injected = INJECTED_AND_TAKEN;
        c.signal = v.taken?.signal ?? 0;
        c.row(KIND["libos.signal.inject"], INJECTED_AND_TAKEN, v.taken?.id ?? 0);
      },
      "libos.signal.inject",
    ),
    s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
    s.jump("done", "return it"),
    s.at("blocked"),
    s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
    s.call("walk_thread_list(wakeup_one_thread_on_signal, SIGTERM)", LIBOS.wakeup_one_thread_on_signal, (c) => ({
      signal: SIG.TERM,
      id: c.process(c.t).libos.injectedId,
    })),
    s.at("done"),
    s.ret("return", (c, v) => {
      giveTo(c, v);
      tell(c, v);
      c.value = c.t.rax;
    }),
  ]);

/** Whoever asks has a variable for the set. */
export interface Asker {
  set: SignalSet;
}

/** Into the caller's variable. */
function tellSet(c: Cpu, set: SignalSet): void {
  const caller = running(c.t).at(-2);
  if (caller && "set" in caller.v) (caller.v as unknown as Asker).set = set;
}

/** The injected signal, unless anything is queued: then its bit is overwritten (B4, B30). */
const getAll = (beside: boolean): Flow =>
  flow(LIBOS.get_all_pending_signals, "libos", "5, 8", (s) => [
    s.act("set := the injected signal, if there is one", (c) => {
      const { injected } = c.process(c.t).libos;
      tellSet(c, injected > 0 ? setOf([injected]) : setOf([]));
    }),
    s.test("both counters of pending signals 0?", (c) => left(c) === 0, "done"),
    s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
    s.call("lock(g_process_signal_queue_lock)", LIBOS.lock, () => ({ name: PROCESS_QUEUE_LOCK })),
    s.act(
      "set := pending_mask of the thread or the process",
      (c) => {
        c.row(KIND["libos.signal.pending"], left(c));
        const { queue, injected } = c.process(c.t).libos;
        const queued = union(pendingMask(c.t.libos.queue), pendingMask(queue));
        tellSet(c, beside && injected > 0 ? union(queued, setOf([injected])) : queued);
      },
      "libos.signal.pending",
    ),
    s.call("unlock(g_process_signal_queue_lock)", LIBOS.unlock, () => ({ name: PROCESS_QUEUE_LOCK })),
    s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
    s.at("done"),
    s.ret(),
  ]);

/** Also a thread that is to die has something pending. Ignored signals count (B10, B11). */
const havePending = (ignoredDoNot: boolean): Flow =>
  flow<{ set: SignalSet; any: boolean }>(LIBOS.have_pending_signals, "libos", "8", (s) => [
    s.own({ set: [0, 0], any: false }),
    s.call("get_all_pending_signals(set)", LIBOS.get_all_pending_signals),
    s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
    s.act("set without the mask", (c, v) => {
      const unblocked = subtract(v.set, c.t.libos.mask);
      const [low, high] = ignoredDoNot
        ? subtract(unblocked, setOf(signalsIn(unblocked).filter((signal) => isIgnored(c, signal))))
        : unblocked;
      v.any = low !== 0 || high !== 0;
    }),
    s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
    s.ret("return", (c, v) => {
      c.t.rax = v.any || c.t.libos.timeToDie ? 1 : 0;
      c.value = c.t.rax;
    }),
  ]);

export const queueFlows = (fixes: { beside: boolean; once: boolean; ignoredDoNot: boolean }): Flow[] => [
  popUnblocked(fixes),
  getAll(fixes.beside),
  havePending(fixes.ignoredDoNot),
];
