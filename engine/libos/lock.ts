/** LibOS locks and heap: taking one raises preempt, releasing the last one delivers what is pending (reference, 2.13). */

import type { Cpu } from "../cpu.ts";
import { type Flow, flow } from "../flow.ts";
import { dkArgs } from "../pal/calls.ts";

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
  test("free?", (c, v) => c.process(c.t).locks[v.name] === undefined, "take"),
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
  act(
    "take it",
    (c, v) => {
      say(c, v);
      c.process(c.t).locks[v.name] = c.t.id;
      const object = c.m.objects[lockObject(c, v.name)];
      if (object) object.level = 0;
    },
    "lock",
  ),
  ret(),
]);

const unlock = flow<Lock>("unlock", "libos", "2.13", ({ act, test, call, at, ret }) => [
  act(
    "release it",
    (c, v) => {
      say(c, v);
      delete c.process(c.t).locks[v.name];
      const object = c.m.objects[lockObject(c, v.name)];
      if (object) object.level = 1;
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
  call("__handle_signal(0)", "__handle_signal", () => ({ only: 0, at: 1, found: 0, id: 0, from: 0 })),
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
