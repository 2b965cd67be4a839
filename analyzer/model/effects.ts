/** What rows of a kind change besides open scopes: sleep, locks, masks, pending signals. One entry for each kind that changes something. */

import { EVENT, KIND, KIND_COUNT, type KindName, PAL_ERROR, SIG, SIGNAL_COUNT, signalName } from "../../engine/index.ts";
import { isHandlerOf } from "./interruptions.ts";
import { processEnded, released, taken, threadEnded } from "./locks.ts";
import type { ThreadModel } from "./model.ts";
import { closeDownTo } from "./opening.ts";
import { HOW, NONE, SCOPE } from "./scopes.ts";
import { forgetThread, generated, WAITS_IN, waits, waitsNoMore } from "./signals.ts";
import { MASK, MASKS, type Mask } from "./threads.ts";

type Effect = (m: ThreadModel) => void;

/**
 * Notes the exit on the application's call. A call that began before the trace is not open here. Frames that the LibOS has put between it and
 * the application, for a handler to run first, count with the depth.
 */
const leaveLibos: Effect = (m) => {
  const { scopes } = m;
  const call = m.open(SCOPE.CALL);
  if (call === NONE || (m.tellsDepth && (scopes.depth[call] as number) > m.depth)) return;
  scopes.exitSeq[call] = m.seq;
  scopes.result[call] = m.value;
};

const fallAsleep: Effect = ({ threads, slot, seq, time, extra, value }) => {
  if (slot === NONE) return;
  threads.blockedSeq[slot] = seq;
  threads.blockedTime[slot] = time;
  threads.blockedOn[slot] = extra;
  threads.interruptible[slot] = value;
};

const wakeUp: Effect = ({ threads, slot }) => {
  if (slot !== NONE) threads.blockedSeq[slot] = NONE;
};

/** The count stays at 0 for the release of a lock that was taken before the trace. */
const countLocks = ({ threads, slot }: ThreadModel, by: 1 | -1): void => {
  if (slot !== NONE) threads.locksHeld[slot] = Math.max(0, (threads.locksHeld[slot] as number) + by);
};

const setMask = ({ threads, slot }: ThreadModel, mask: Mask, low: number, high: number): void => {
  if (slot === NONE) return;
  const at = MASKS * slot + mask;
  threads.maskLow[at] = low;
  threads.maskHigh[at] = high;
  threads.maskKnown[at] = 1;
};

const forgetMask =
  (mask: Mask): Effect =>
  ({ threads, slot }) => {
    if (slot !== NONE) threads.maskKnown[MASKS * slot + mask] = 0;
  };

const endThread: Effect = (m) => {
  if (m.slot === NONE) return;
  closeDownTo(m, NONE, HOW.THREAD_OVER);
  threadEnded(m.locks, m.thread);
  forgetThread(m.signals, m.thread);
  m.leaving = m.slot;
};

const waitsInPal: Effect = (m) => waits(m.signals, m.extra, m.signal, m.thread, WAITS_IN.PAL, m.seq, m.time);

/** Until the enclave is entered the registers can be rewritten again; then the event before is lost. */
function inject(m: ThreadModel): void {
  const pal = m.open(SCOPE.PAL_CALL);
  if (pal === NONE || (m.interruptions.get(pal)?.entered ?? NONE) !== NONE) return;
  const since = { entered: NONE, upcall: NONE, upcallAt: 0, handler: NONE };
  m.interruptions.set(pal, { event: m.extra, signal: m.signal, injected: m.seq, injectedAt: m.time, ...since });
}

function enterEnclave(m: ThreadModel): void {
  if (m.extra !== -PAL_ERROR.INTERRUPTED) return;
  const interruption = m.interruptions.get(m.open(SCOPE.PAL_CALL));
  if (interruption?.entered === NONE) interruption.entered = m.seq;
}

function enterUpcall(m: ThreadModel): void {
  if (m.value === EVENT.FAILURE) {
    if (m.slot !== NONE) m.threads.failedSeq[m.slot] = m.seq;
    return;
  }
  const interruption = m.interruptions.get(m.open(SCOPE.PAL_CALL));
  if (interruption?.event !== m.extra) return;
  interruption.upcall = m.seq;
  interruption.upcallAt = m.time;
}

function enterHandler(m: ThreadModel): void {
  const i = m.interruptions.get(m.open(SCOPE.PAL_CALL));
  if (i === null || i.entered === NONE || i.handler !== NONE || !isHandlerOf(i.event, i.signal, m.extra)) return;
  i.handler = m.seq;
  i.signal = m.signal;
}

/** The row's signal is handled, or lost. */
const isOver: Effect = (m) => waitsNoMore(m.signals, m.extra, m.thread);

/** The PAL's own locks have no number: they are only counted. */
const isNamedLock = (m: ThreadModel): boolean => m.detail !== 0 && m.value >= 0;

const appMaskUnknown = forgetMask(MASK.APP);
const hostMaskUnknown = forgetMask(MASK.HOST);

/** The set after "-> " in "mask {SIGINT} -> {SIGINT SIGCONT}"; null when the text is no such thing. */
function toldSet(text: string): readonly [number, number] | null {
  const names = /^mask \{[^}]*\} -> \{([^}]*)\}$/.exec(text)?.[1];
  if (names === undefined) return null;
  const words: [number, number] = [0, 0];
  for (const name of names.split(" ").filter((one) => one !== "")) {
    const signal = SIGNALS.get(name);
    if (signal === undefined) return null;
    const word = signal <= 32 ? 0 : 1;
    words[word] |= 1 << ((signal - 1) & 31);
  }
  return words;
}
const SIGNALS: ReadonlyMap<string, number> = new Map(Array.from({ length: SIGNAL_COUNT }, (_, i) => [signalName(i + 1), i + 1]));

/** The row's text tells the host's mask; without a text nobody knows. */
const hostMaskTold: Effect = (m) => {
  let set = m.maskTexts.get(m.detail);
  if (set === undefined) {
    set = toldSet(m.names.texts[m.detail] ?? "");
    m.maskTexts.set(m.detail, set);
  }
  if (set === null) hostMaskUnknown(m);
  else setMask(m, MASK.HOST, set[0], set[1]);
};
const hostMaskLent: Effect = (m) => {
  if (m.detail !== 0) hostMaskTold(m);
};

/** What the kernel was told before the first row of the LibOS was the PAL's wish, not the application's. */
const isLibos: Effect = (m) => {
  if (m.hasLibos) return;
  m.hasLibos = true;
  m.libos.more();
  m.actions.forgetAll();
};

/** A new thread has the LibOS's mask of its creator. */
function threadStarts(m: ThreadModel): void {
  const set = m.maskOf(MASK.LIBOS, m.slotOf(m.value));
  if (set !== null) setMask(m, MASK.LIBOS, set[0], set[1]);
}

/** The first process has an empty mask in the LibOS; another one has that of the thread that forked it, if it is plain which one did. */
function processStarts(m: ThreadModel): void {
  m.actions.forget(m.pid());
  if (m.value < 0) return setMask(m, MASK.LIBOS, 0, 0);
  let [parent, count] = [NONE, 0];
  for (const [thread, slot] of m.threads.slots) {
    const call = m.open(SCOPE.CALL, slot);
    if (slot === m.slot || call === NONE || !/^v?fork|^clone|^posix_spawn/.test(m.labelOf(call))) continue;
    parent = thread;
    count += 1;
  }
  if (count !== 1) return;
  m.actions.copy(m.names.threads[parent]?.pid ?? NONE, m.pid());
  const set = m.maskOf(MASK.LIBOS, m.slotOf(parent));
  if (set !== null) setMask(m, MASK.LIBOS, set[0], set[1]);
}

/** What the application asked for: told by the LibOS where there is one, else by the kernel. */
const actionTold =
  (byLibos: boolean): Effect =>
  (m) => {
    if (m.hasLibos !== byLibos || m.value < 0) return;
    m.actions.set(m.pid(), m.signal, { action: m.value, flags: m.extra, seq: m.seq, thread: m.thread });
  };

const BY_NAME: Readonly<Partial<Record<KindName, Effect>>> = {
  "app.call": appMaskUnknown,
  "app.handler.enter": (m) => {
    enterHandler(m);
    isOver(m);
    appMaskUnknown(m);
  },
  "app.handler.return": appMaskUnknown,
  "app.handler.longjmp": appMaskUnknown,
  "app.mask": (m) => setMask(m, MASK.APP, m.value, m.extra),

  "host.sigaction": actionTold(false),
  "host.sigprocmask": (m) => setMask(m, MASK.HOST, m.value, m.extra),
  // A mask for the length of a call, and its end: the row has a text.
  "host.syscall.enter": hostMaskLent,
  "host.syscall.exit": hostMaskLent,
  "host.sigreturn": hostMaskTold,
  "host.signal.generate": (m) => {
    if (m.signal === SIG.CONT) m.stopped.delete(m.names.threads[m.value]?.pid ?? NONE);
    generated(m.signals, m.extra, m.seq, m.value);
    waits(m.signals, m.extra, m.signal, m.value, WAITS_IN.HOST, m.seq, m.time);
  },
  "host.signal.discard": isOver,
  "host.signal.default": (m) => {
    isOver(m);
    if (m.value === 2) m.stopped.add(m.pid());
    else m.stopped.delete(m.pid());
  },
  // The signal is in a frame now; later rows say what the handler does with it.
  "host.signal.deliver": (m) => {
    isOver(m);
    hostMaskTold(m);
  },

  "pal.call.enter": isLibos,
  "pal.event.pend": waitsInPal,
  "pal.event.inject": (m) => {
    inject(m);
    waitsInPal(m);
  },
  "pal.event.overwrite": (m) => {
    inject(m);
    // The row names the lost event in `value`.
    waitsNoMore(m.signals, m.value, m.thread);
    waitsInPal(m);
  },
  "pal.event.deliver": isOver,
  "pal.event.lost": isOver,
  "pal.fail": isOver,

  "libos.syscall.enter": isLibos,
  "libos.mask": (m) => {
    isLibos(m);
    setMask(m, MASK.LIBOS, m.value, m.extra);
  },
  "libos.sigaction": (m) => {
    isLibos(m);
    actionTold(true)(m);
  },
  "libos.syscall.exit": leaveLibos,
  "libos.upcall.enter": (m) => {
    enterUpcall(m);
    isOver(m);
  },
  "libos.signal.append": (m) => waits(m.signals, m.extra, m.signal, m.value, WAITS_IN.LIBOS, m.seq, m.time),
  "libos.signal.overwrite": (m) => waitsNoMore(m.signals, m.value, m.thread),
  "signal.take": isOver,
  "libos.signal.fetch": isOver,
  "libos.signal.ignore": isOver,
  "libos.signal.kill": isOver,
  "libos.signal.lost": isOver,
  "libos.signal.drop": (m) => waitsNoMore(m.signals, m.extra, m.value),

  lock: (m) => {
    if (isNamedLock(m)) taken(m.locks, m.value, m.thread, m.pid(), m.seq);
    countLocks(m, 1);
  },
  unlock: (m) => {
    if (isNamedLock(m)) released(m.locks, m.value);
    countLocks(m, -1);
  },

  "sgx.eenter": enterEnclave,

  "thread.start": threadStarts,
  "process.start": processStarts,
  "thread.block": fallAsleep,
  "thread.wake": wakeUp,
  "thread.exit": endThread,
  "process.exit": (m) => {
    if (m.slot === NONE) return;
    processEnded(m.locks, m.pid());
    m.actions.forget(m.pid());
  },
};

export const EFFECTS: readonly (Effect | null)[] = Array.from({ length: KIND_COUNT }, (_, id) => {
  const known = Object.entries(BY_NAME).find(([name]) => KIND[name as KindName] === id);
  return known?.[1] ?? null;
});
