/**
 * LibOS locks: a PAL event that clears itself, set when the lock is free (gramine-today.md 1; libos_lock.h). `lock` tries again whatever its
 * wait says, so it swallows interruptions. `unlock` does not look at the owner: one too many makes two owners.
 */

import { goTo } from "../../../control.ts";
import { topFrame } from "../../../cpu.ts";
import type { Flow } from "../../../flow.ts";
import { enter } from "../../../frames.ts";
import { NEVER } from "../../../time.ts";
import { KIND, type KindId } from "../../../transition.ts";
import { isUnwanted } from "../../../unwanted.ts";
import { type Cpu, flow } from "../flow.ts";
import { setWord, takeEvent } from "../pal/events.ts";
import { PAL } from "../pal/flows.ts";
import type { Process } from "../state.ts";
import { LIBOS } from "./flows.ts";
import { SLAB_LOCK } from "./names.ts";

/** The PAL event of a lock; made on first use, free. */
export function lockObject(c: Cpu, name: string): number {
  const { lockObjects } = c.process(c.t).libos;
  const known = lockObjects[name];
  if (known !== undefined) return known;
  const made = c.newObject(name, 1);
  lockObjects[name] = made;
  return made;
}

/** The lock of a thread that is over goes with it (put_thread), unless somebody has the lock or is on the way to it. */
export function dropLock(c: Cpu, p: Process, name: string): void {
  const { lockObjects, owners } = p.libos;
  const id = lockObjects[name];
  if (id === undefined || owners[name] !== undefined || !isUnwanted(c, p, name)) return;
  delete lockObjects[name];
  c.freeObject(id);
}

function say(c: Cpu, kind: KindId<"lock" | "unlock" | "lock.busy">, name: string): void {
  c.row(kind, lockObject(c, name), c.process(c.t).libos.owners[name] ?? -1);
  c.detail = c.text(name);
}

function own(c: Cpu, name: string): void {
  c.process(c.t).libos.owners[name] = c.t.id;
  say(c, KIND.lock, name);
}

const lock = flow(LIBOS.lock, "libos", "1", (s) => [
  s.at("again"),
  s.callDynamic(
    "PalEventWait(l->lock): free, and taken?",
    (c, v) => {
      const object = lockObject(c, v.name);
      if (takeEvent(c, { object, autoClear: true })) {
        own(c, v.name);
        goTo(c.program, topFrame(c.t), "done");
        return null;
      }
      say(c, KIND["lock.busy"], v.name);
      return enter(c.program, PAL.PalEventWait, { object, timeout: NEVER, autoClear: true });
    },
    ["lock", "lock.busy"],
  ),
  s.test("the wait has failed? again", (c) => c.t.rax < 0, "again"),
  s.act("l->owner := tid", (c, v) => own(c, v.name), "lock"),
  s.at("done"),
  s.ret(),
]);

const unlock = flow(LIBOS.unlock, "libos", "1", (s) => [
  s.act(
    "l->owner := 0",
    (c, v) => {
      say(c, KIND.unlock, v.name);
      delete c.process(c.t).libos.owners[v.name];
    },
    "unlock",
  ),
  s.callDynamic(
    "PalEventSet(l->lock)",
    (c, v) => {
      const object = lockObject(c, v.name);
      const word = c.m.objects[object];
      if (word && word.waiters > 0) return enter(c.program, PAL.PalEventSet, { object, autoClear: true });
      // Nobody waits: the word is all there is.
      setWord(c, object);
      c.kind = KIND.step;
      return null;
    },
    ["call", "step"],
  ),
  s.ret(),
]);

/** The heap's manager, which all threads share (libos_malloc.c, slabmgr.h). */
const heap = (which: "malloc" | "free"): Flow =>
  flow(LIBOS[which], "libos", "6 K2", (s) => [
    s.call("lock(slab_mgr_lock)", LIBOS.lock, () => ({ name: SLAB_LOCK })),
    s.act(which === "malloc" ? "take a block" : "give a block back"),
    s.call("unlock(slab_mgr_lock)", LIBOS.unlock, () => ({ name: SLAB_LOCK })),
    s.ret(),
  ]);

export const lockFlows: readonly Flow[] = [lock, unlock, heap("malloc"), heap("free")];
