/** PAL events: a word, a count of waiters, a futex for those that sleep (pal_events.c of both PALs). The word is the level of the object. */

import { later } from "../../../cpu.ts";
import { E } from "../../../errno.ts";
import type { Flow } from "../../../flow.ts";
import { callArgs } from "../../../host/calls.ts";
import type { HostObject } from "../../../state.ts";
import { NEVER } from "../../../time.ts";
import { type Cpu, flow } from "../flow.ts";
import { unixToPal } from "./errors.ts";
import { type EventLocals, PAL } from "./flows.ts";
import { bottom, type PalName } from "./host-calls.ts";

const wordOf = (c: Cpu, object: number): HostObject => c.m.objects[object] as HostObject;

/** Whether the event is set; one that clears itself is not afterwards. One instruction. */
export function takeEvent(c: Cpu, { object, autoClear }: { object: number; autoClear: boolean }): boolean {
  const word = wordOf(c, object);
  if (word.level === 0) return false;
  if (autoClear) word.level = 0;
  return true;
}

/** Sets the word. Whether somebody has said that he waits. */
export function setWord(c: Cpu, object: number): boolean {
  const word = wordOf(c, object);
  word.level = 1;
  return word.waiters > 0;
}

const count = (by: 1 | -1) => (c: Cpu, v: EventLocals) => {
  const word = wordOf(c, v.object);
  word.waiters += by;
  c.value = word.waiters;
};

interface Wait extends EventLocals {
  /** Virtual ns at which the time-out is over. */
  until: number;
  ret: number;
}

/** A word that has changed before the host looks at it is no failure; all else ends the wait. The spinlock around the word is left out. */
const wait = (pal: PalName): Flow =>
  flow<Wait>(PAL.PalEventWait, "pal", "1, 8", (s) => [
    s.own({ until: NEVER, ret: 0 }),
    s.act("waiters_cnt + 1; the time-out's end", (c, v) => {
      v.until = later(c.now, v.timeout);
      count(1)(c, v);
    }),
    s.at("again"),
    s.test("signaled? (taken, if it clears itself)", takeEvent, "got it"),
    bottom(pal, s, "futex-wait", (c, v) =>
      callArgs({ object: v.object, timeout: v.until >= NEVER ? NEVER : Math.max(0, v.until - c.now) }),
    ),
    s.test("no failure, or the word has changed: look again", (c) => c.t.rax >= 0 || c.t.rax === E.AGAIN, "again"),
    s.act("the failure", (c, v) => {
      v.ret = unixToPal(c.t.rax);
      c.value = v.ret;
    }),
    s.at("got it"),
    s.act("waiters_cnt - 1; what is left of the time-out", (c, v) => {
      count(-1)(c, v);
      c.t.pal.timeLeft = v.until >= NEVER ? NEVER : Math.max(0, v.until - c.now);
    }),
    s.ret(
      "return to the LibOS",
      (c, v) => {
        c.t.rax = v.ret;
        c.value = v.ret;
      },
      "pal.call.leave",
    ),
  ]);

/** An ocall that an event has kept from its system call is made again, or those that sleep would not be woken (pal_events.c:137-147 of SGX). */
const set = (pal: PalName): Flow =>
  flow(PAL.PalEventSet, "pal", "1, 8, corrections 4.2.8", (s) => [
    s.test("signaled := 1; nobody waits?", (c, v) => !setWord(c, v.object), "done"),
    s.at("again"),
    bottom(pal, s, "futex-wake", (_, v) => callArgs({ object: v.object, bytes: v.autoClear ? 1 : Number.MAX_SAFE_INTEGER })),
    pal === "sgx" ? s.test("-EINTR? again", (c) => c.t.rax === E.INTR, "again") : null,
    s.at("done"),
    s.ret("return to the LibOS", undefined, "pal.call.leave"),
  ]);

const clear = flow(PAL.PalEventClear, "pal", "1, 8", (s) => [
  s.act("signaled := 0", (c, v) => {
    wordOf(c, v.object).level = 0;
  }),
  s.ret("return to the LibOS", undefined, "pal.call.leave"),
]);

export const eventCalls = (pal: PalName): Flow[] => [wait(pal), set(pal), clear];
