/**
 * Locks of the PAL, kept with their owners in the process's `locks` (reference, 1.4). They are not the LibOS's: holding one defers
 * nothing, and what interrupts the owner may want it too. A futex mutex, in the enclave a spinlock; both wait for ever for themselves.
 */

import { inEnclave } from "../cpu.ts";
import type { Mark, Step } from "../flow.ts";
import { enter } from "../frames.ts";
import type { Cpu, Steps } from "../generations/graphene-2019/flow.ts";
import type { Process } from "../generations/graphene-2019/state.ts";
import { callArgs } from "../host/calls.ts";
import { KERNEL } from "../host/flows.ts";
import { KIND, type KindId } from "../transition.ts";
import { isUnwanted } from "../unwanted.ts";

type Name<V> = (v: V) => string;
type Items = (Step | Mark)[];

/** The row's arguments. The kernel knows of such a lock only when somebody has waited for it: it has no number. */
function say(c: Cpu, kind: KindId<"lock" | "unlock" | "lock.busy">, name: string): void {
  c.row(kind, -1, c.process(c.t).pal.locks[name] ?? -1);
  c.detail = c.text(name);
}

const TRY = "try";
const TAKEN = "taken";

/** Take the lock: one step, as the locked instruction is one. `whenTaken` has to follow somewhere in the flow. */
export const lock = <V extends object>(s: Steps<V>, label: string, name: Name<V>): Items => [
  s.at(TRY),
  s.test(
    label,
    (c, v) => {
      const { locks } = c.process(c.t).pal;
      const taken = locks[name(v)] !== undefined;
      if (!taken) {
        locks[name(v)] = c.t.id;
        setWord(c, name(v), 0);
      }
      say(c, taken ? KIND["lock.busy"] : KIND.lock, name(v));
      return taken;
    },
    TAKEN,
    "lock",
  ),
];

/** Release it; a futex mutex enters the kernel only for a sleeper. */
export const unlock = <V extends object>(s: Steps<V>, label: string, name: Name<V>): Step =>
  s.callDynamic(
    label,
    (c, v) => {
      say(c, KIND.unlock, name(v));
      delete c.process(c.t).pal.locks[name(v)];
      const word = setWord(c, name(v), 1);
      return sleeper(c, word) ? enter(c.program, KERNEL["futex-wake"], callArgs({ object: word, bytes: 1 })) : null;
    },
    "unlock",
  );

/** Where `lock` goes when somebody has it, this very thread perhaps (3.4 handler-table-lock-self-deadlock). */
export const whenTaken = <V extends object>(s: Steps<V>, name: Name<V>, { spins }: { spins: boolean }): Items => [
  s.at(TAKEN),
  ...(spins ? [s.test("in the enclave: a spinlock, turn", (c) => inEnclave(c.t), TRY)] : []),
  s.call("futex: wait for the owner", KERNEL["wait-any"], (c, v) => callArgs({ objects: [futexOf(c, name(v))] })),
  s.jump(TRY, "woken, or EINTR: try again"),
];

/** The kernel knows of a lock from the first wait on: level 1 = free. It may have become so since. */
function futexOf(c: Cpu, name: string): number {
  const { locks, lockObjects } = c.process(c.t).pal;
  return (lockObjects[name] ??= c.newObject(name, locks[name] === undefined ? 1 : 0));
}

/** The word as the kernel sees it; its object, -1 when nobody has waited yet. */
function setWord(c: Cpu, name: string, level: number): number {
  const id = c.process(c.t).pal.lockObjects[name] ?? -1;
  const word = c.m.objects[id];
  if (word) word.level = level;
  return id;
}

const sleeper = (c: Cpu, word: number): boolean =>
  c.m.live.some((id) => c.thread(id).state === "blocked" && c.thread(id).wait?.objects.includes(word) === true);

/**
 * A lock that goes with its owner, a thread or the record of a child: its mutex is given back, unless somebody has the lock or is on its
 * way to it.
 */
export function dropLock(c: Cpu, p: Process, name: string): void {
  const id = p.pal.lockObjects[name];
  if (id === undefined || p.pal.locks[name] !== undefined || !isUnwanted(c, p, name)) return;
  delete p.pal.lockObjects[name];
  c.freeObject(id);
}
