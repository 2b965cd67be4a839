/** What holds in every state of this generation, beyond the laws of the machine (`engine/invariant.ts`). */

import { isAt } from "../../control.ts";
import { RESERVED, RING_CAPACITY } from "../../libos/ring.ts";
import { EVENT } from "../../pal/events.ts";
import type { Look } from "../../stack/stack.ts";
import type { Process, Thread } from "./state.ts";

type Say = (what: string) => void;

export function laws(look: Look<Thread, Process>): void {
  for (const t of look.m.threads) if (t) checkThread(look, t);
  for (const p of look.m.processes) if (p) checkProcess(look, p);
}

function checkThread(look: Look<Thread, Process>, t: Thread): void {
  const name = `thread ${t.name}`;
  const say = (what: string): void => look.wrong(`${name}: ${what}`);
  const { libos, pal } = t;
  look.own(libos.rings, `${name}: rings`);
  look.own(libos.actions, `${name}: actions`);
  look.own(pal.queue, `${name}: PAL queue`);
  for (const ring of Object.values(libos.rings)) {
    look.own(ring, `${name}: ring`);
    look.own(ring.slots, `${name}: slots`);
    for (const slot of ring.slots) look.own(slot, `${name}: slot`);
  }
  for (const action of Object.values(libos.actions)) look.own(action, `${name}: LibOS action`);
  look.uses(libos.schedulerEvent, name);
  look.uses(libos.childExitEvent, name);
  checkRings(look, t, say);
  checkPendings(t, say);
}

/**
 * A ring goes from head to tail. has_signal goes up after the tail and down with the head: it may be too high for good, after two
 * producers took one slot (3.2 signal-log-cas-false-success), but too low only for those that are between the two.
 */
function checkRings({ m, program }: Look<Thread, Process>, t: Thread, say: Say): void {
  let length = 0;
  for (const { head, tail, length: own, slots } of Object.values(t.libos.rings)) {
    if (slots.length !== RING_CAPACITY + 1) say(`a ring of ${slots.length} slots`);
    if (own !== (tail - head + slots.length) % slots.length) say(`a ring from ${head} to ${tail} has length ${own}`);
    length += own;
  }
  if (t.libos.hasSignal >= length) return;
  const allocating = program.byName.get("allocate_signal_log");
  const frames = m.threads.flatMap((other) =>
    other ? [...other.host, ...other.enclave, ...(other.sgx?.ssa ?? []).flatMap((ssa) => ssa?.push ?? [])] : [],
  );
  const reserving = frames.filter((frame) => frame.flow === allocating && frame.v.target === t.id && isAt(program, frame, RESERVED)).length;
  if (t.libos.hasSignal + reserving < length) say(`has_signal is ${t.libos.hasSignal}, in the rings are ${length}`);
}

/** Counts are the lengths of queues. */
function checkPendings({ libos, pal }: Thread, say: Say): void {
  if (libos.preempt < 0) say(`preempt is ${libos.preempt}`);
  for (const event of [pal.pendingEvent, ...pal.queue.map((node) => node.event)]) {
    if (!(event >= 0 && event <= EVENT.RESUME)) say(`event ${event} is pending`);
  }
  if ((pal.pendingEvent === 0) !== (pal.pendingId === 0)) say(`pending event ${pal.pendingEvent} with signal id ${pal.pendingId}`);
}

function checkProcess({ m, wrong, own, uses }: Look<Thread, Process>, p: Process): void {
  const name = `process ${p.name}`;
  const say = (what: string): void => wrong(`${name}: ${what}`);
  const { helperEvent, ipc, stream, children } = p.libos;
  own(p.libos.threadList, `${name}: thread_list`);
  for (const event of p.libos.asyncList) own(event, `${name}: async event`);
  for (const id of [helperEvent, ipc.port, stream, ...children.map((child) => child.exitEvent), ...Object.values(p.pal.lockObjects)])
    uses(id, name);
  for (const id of p.libos.threadList) {
    const t = m.threads[id];
    if (t && (t.process !== p.id || t.internal)) say(`thread_list has thread ${t.name}`);
  }
  if (new Set(p.libos.threadList).size !== p.libos.threadList.length) say("a thread is on thread_list twice");
  for (const [name, owner] of Object.entries(p.pal.locks)) {
    const t = m.threads[owner];
    if (t && t.process !== p.id) say(`${name} is owned by thread ${t.name} of another process`);
  }
}
