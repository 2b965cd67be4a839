/** signal_logs: the rings of pending signals, and how slots are reserved, written and fetched (reference, 1.6, 2.12, 2.15, 3.2). */

import type { Flow } from "../flow.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import type { Ring, ShimSignal, Thread } from "../generations/graphene-2019/state.ts";
import { setAt } from "../state.ts";
import { KIND } from "../transition.ts";
import { LIBOS } from "./flows.ts";

const MAX_SIGNAL_LOG = 32;
/** 32 pointers, one always free. */
export const RING_CAPACITY = MAX_SIGNAL_LOG - 1;

/** What `undefined.read` says the memory was. */
export const UNDEFINED = { FREED: 1, NEVER_WRITTEN: 2, OUT_OF_BOUNDS: 3 } as const;

/** Locals of allocate_signal_log. */
export interface Reservation {
  target: number;
  signal: number;
  id: number;
  /** Tail as it was read. */
  tail: number;
  /** What is reserved: -1 nothing, the ring is full. */
  slot: number;
}

export const reservation = (target: number, v: { signal: number; id: number }): Reservation => ({
  target,
  signal: v.signal,
  id: v.id,
  tail: 0,
  slot: -1,
});

/** A signal on its way into a ring. */
interface Put extends ShimSignal {
  signal: number;
}

const newRing = (): Ring => ({ head: 0, tail: 0, length: 0, slots: Array.from({ length: MAX_SIGNAL_LOG }, () => null) });

function ringOf(t: Thread, signal: number): Ring {
  t.libos.rings[signal] ??= newRing();
  return t.libos.rings[signal];
}

const next = (slot: number): number => (slot + 1) % MAX_SIGNAL_LOG;

function move(ring: Ring, head: number, tail: number): void {
  ring.head = head;
  ring.tail = tail;
  ring.length = (tail - head + MAX_SIGNAL_LOG) % MAX_SIGNAL_LOG;
}

/** Mark in allocate_signal_log where the tail has moved and has_signal has not. */
export const RESERVED = "reserved";

/**
 * Reserve a slot: the tail moves and has_signal goes up before the pointer is there. The compare-and-swap is repeated only when the old
 * value it returns is the new tail; another one, two or more ahead, is taken for success, and two producers own one slot
 * (3.2 signal-log-cas-false-success). The slot comes back in RAX, -1 for a full ring.
 *
 * The ring of a thread that died in the PAL is memory nobody reads any more: writing there is no row of its own and changes nothing.
 */
const allocate = (label: string, counted: (t: Thread) => void): Flow =>
  flow(
    LIBOS.allocate_signal_log,
    "libos",
    "2.12, 2.15, 3.2 signal-log-cas-false-success, kill-signal-zero-oob",
    ({ at, test, act, ret }) => [
      at("again"),
      test(
        "read head and tail: full?",
        (c, v) => {
          c.signal = v.signal;
          const t = c.m.threads[v.target];
          if (v.signal === 0) {
            c.kind = KIND["undefined.read"];
            c.value = UNDEFINED.OUT_OF_BOUNDS;
            c.extra = v.id;
            c.detail = c.text("signal_logs[-1]: the memory before the rings");
          }
          v.tail = t ? ringOf(t, v.signal).tail : 0;
          v.slot = -1;
          return t ? ringOf(t, v.signal).length >= RING_CAPACITY : false;
        },
        "full",
        ["branch", "undefined.read"],
      ),
      test("compare-and-swap tail, tail + 1: is the old value tail + 1? again", (c, v) => swapTail(c, v) === next(v.tail), "again"),
      at(RESERVED),
      act(label, (c, v) => {
        v.slot = v.tail;
        const t = c.m.threads[v.target];
        if (!t) return;
        t.libos.hasSignal += 1;
        counted(t);
        c.value = t.libos.hasSignal;
      }),
      at("full"),
      ret("return the slot", (c, v) => {
        c.t.rax = v.slot;
        c.value = v.slot;
      }),
    ],
  );

/** The value of tail before; the swap is made only when that is what was read. */
function swapTail(c: Cpu, v: Reservation): number {
  const t = c.m.threads[v.target];
  if (!t) return v.tail;
  const ring = ringOf(t, v.signal);
  const before = ring.tail;
  if (before === v.tail) move(ring, ring.head, next(before));
  return before;
}

/** Write the pointer into the slot of RAX. The row says into whose ring; without a slot the signal is dropped ("signal queue is full"). */
export function store(c: Cpu, target: number, v: Put): void {
  const slot = c.t.rax;
  c.signal = v.signal;
  c.value = target;
  c.extra = v.id;
  if (slot < 0) {
    c.kind = KIND["libos.signal.drop"];
    return;
  }
  const t = c.m.threads[target];
  if (!t) return;
  const ring = ringOf(t, v.signal);
  const there = ring.slots[slot];
  if (there) {
    c.kind = KIND["libos.signal.overwrite"];
    c.value = there.id;
  }
  setAt(ring.slots, slot, { id: v.id, info: v.info, context: v.context });
}

/** Something can be fetched: a slot that is reserved and not yet written looks like an empty ring. */
export const fetchable = (t: Thread, signal: number): boolean => oldestIn(t.libos.rings[signal]) !== null;

const oldestIn = (ring: Ring | undefined): ShimSignal | null => (ring && ring.length > 0 ? (ring.slots[ring.head] ?? null) : null);

export function fetch(t: Thread, signal: number): ShimSignal | null {
  const ring = t.libos.rings[signal];
  const oldest = oldestIn(ring);
  if (!ring || !oldest) return null;
  setAt(ring.slots, ring.head, null);
  move(ring, next(ring.head), ring.tail);
  t.libos.hasSignal -= 1;
  return oldest;
}

/** `counted`: what is set for the thread together with its count, for a generation that has more than that. */
export const ringFlows = (label = "has_signal + 1", counted: (t: Thread) => void = () => {}): Flow[] => [allocate(label, counted)];
