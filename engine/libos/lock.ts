/** LibOS locks and heap: taking one raises preempt, releasing the last one delivers what is pending (reference, 2.13). */

import type { Cpu } from "../cpu.ts";
import { type Flow, flow } from "../flow.ts";
import { dkArgs } from "../pal/calls.ts";
import { KIND } from "../transition.ts";
import { SCAN_ALL } from "./deliver.ts";

interface Lock {
  name: string;
}

/** Host object behind a lock: level 1 = free. */
function lockObject(c: Cpu, name: string): number {
  return (c.process(c.t).lockObjects[name] ??= c.newObject(name, 1));
}

function say(c: Cpu, v: Lock): void {
  c.value = lockObject(c, v.name);
  c.detail = c.text(v.name);
}

const lock = flow<Lock>("lock", "libos", "2.13", ({ act, test, call, at, ret }) => [
  act("disable_preempt", (c) => {
    c.t.libos.preempt += 1;
  }),
  at("again"),
  test("free?", isFree, "take"),
  call(
    "wait for the owner",
    "DkObjectsWaitAny",
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return dkArgs({ objects: [lockObject(c, v.name)] });
    },
    "pal.call.enter",
  ),
  test("any failure: try again", () => true, "again"),
  at("take"),
  // The locked instruction: another thread may have taken it since the look above. That row is a branch, taken.
  test("take it", (c, v) => !take(c, v), "again", "lock"),
  ret(),
]);

/** Found taken, the word says that somebody is about to wait: only a release after this look ends the wait. */
function isFree(c: Cpu, v: Lock): boolean {
  if (c.process(c.t).locks[v.name] === undefined) return true;
  setLevel(c, v, 0);
  return false;
}

function take(c: Cpu, v: Lock): boolean {
  const { locks } = c.process(c.t);
  if (locks[v.name] !== undefined) {
    c.kind = KIND.branch;
    return false;
  }
  say(c, v);
  locks[v.name] = c.t.id;
  setLevel(c, v, 0);
  return true;
}

function setLevel(c: Cpu, v: Lock, level: 0 | 1): void {
  const object = c.m.objects[lockObject(c, v.name)];
  if (object) object.level = level;
}

const unlock = flow<Lock>("unlock", "libos", "2.13", ({ act, test, call, at, ret }) => [
  act(
    "release it",
    (c, v) => {
      say(c, v);
      delete c.process(c.t).locks[v.name];
      setLevel(c, v, 1);
    },
    "unlock",
  ),
  test("nobody waits for it?", (c, v) => !hasWaiter(c, lockObject(c, v.name)), "enable"),
  call(
    "wake a waiter",
    "DkEventSet",
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return dkArgs({ object: lockObject(c, v.name) });
    },
    "pal.call.enter",
  ),
  at("enable"),
  test("enable_preempt: preempt != 1 or nothing pending?", (c) => c.t.libos.preempt !== 1 || c.t.libos.hasSignal === 0, "down"),
  call("__handle_signal(0)", "__handle_signal", () => ({ ...SCAN_ALL })),
  at("down"),
  act("preempt - 1", (c) => {
    c.t.libos.preempt -= 1;
  }),
  ret(),
]);

const hasWaiter = (c: Cpu, object: number): boolean =>
  c.m.live.some((id) => c.thread(id).state === "blocked" && c.thread(id).wait?.objects.includes(object));

/** The LibOS heap with its lock: an upcall that allocates inside it waits for itself (3.2 libos-heap-lock-self-deadlock). */
const malloc = flow("malloc", "libos", "2.12", ({ act, call, ret }) => [
  call("lock(heap)", "lock", () => ({ name: "heap" })),
  act("take a block"),
  call("unlock(heap)", "unlock", () => ({ name: "heap" })),
  ret(),
]);

export const lockFlows: readonly Flow[] = [lock, unlock, malloc];
