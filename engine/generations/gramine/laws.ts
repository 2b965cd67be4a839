/** What holds in every state of this generation, beyond the laws of the machine (`engine/invariant.ts`). */

import type { Look } from "../../stack/stack.ts";
import { checkPalProcess, checkPalThread } from "./pal/sgx/laws.ts";
import type { Process, Queued, Thread } from "./state.ts";

/** The last real-time signal, and the places of each. */
const MOST = 64;
const RING = 32;

export function laws(look: Look<Thread, Process>): void {
  for (const t of look.m.threads) if (t) checkThread(look, t);
  for (const p of look.m.processes) if (p) checkProcess(look, p);
}

function checkQueue(say: (what: string) => void, queue: readonly Queued[]): void {
  const counts = new Map<number, number>();
  for (const { signal, info } of queue) {
    counts.set(signal, (counts.get(signal) ?? 0) + 1);
    if (!(signal >= 1 && signal <= MOST)) say(`signal ${signal} is queued`);
    if (info.signo !== signal) say(`signal ${signal} is queued with the siginfo of ${info.signo}`);
  }
  for (const [signal, n] of counts) if (n > (signal < 32 ? 1 : RING)) say(`signal ${signal} is queued ${n} times`);
}

function checkThread(look: Look<Thread, Process>, t: Thread): void {
  const name = `thread ${t.name}`;
  const say = (what: string): void => look.wrong(`${name}: ${what}`);
  look.own(t.libos, `${name}: libos`);
  look.own(t.libos.queue, `${name}: queue`);
  checkQueue(say, t.libos.queue);
  look.uses(t.libos.schedulerEvent, name);
  look.uses(t.libos.pollableEvent, name);
  if (t.pal.sgx) checkPalThread(look, t, t.pal.sgx);
}

function checkProcess(look: Look<Thread, Process>, p: Process): void {
  const name = `process ${p.name}`;
  const say = (what: string): void => look.wrong(`${name}: ${what}`);
  const { libos } = p;
  look.own(libos.actions, `${name}: dispositions`);
  look.own(libos.queue, `${name}: queue`);
  for (const [word, queue] of Object.entries(libos.futexes)) {
    look.own(queue, `${name}: waiters of word ${word}`);
    if (new Set(queue).size !== queue.length) say(`a thread is queued twice on word ${word}`);
  }
  look.own(libos.threadList, `${name}: g_thread_list`);
  checkQueue(say, libos.queue);
  for (const id of libos.threadList) {
    const t = look.m.threads[id];
    if (t && (t.process !== p.id || t.internal)) say(`g_thread_list has thread ${t.name}`);
  }
  if (new Set(libos.threadList).size !== libos.threadList.length) say("a thread is on g_thread_list twice");
  const { async, ipc, streams } = libos;
  for (const object of [async.pipe, ipc.port, streams.up, streams.down, ...Object.values(libos.lockObjects)]) look.uses(object, name);
  for (const entry of [...async.list, ...ipc.waiters, ...libos.children, ...libos.zombies]) look.own(entry, `${name}: an entry of a list`);
  if (new Set(libos.waitQueue).size !== libos.waitQueue.length) say("a thread is on wait_queue twice");
  if (p.pal.sgx) checkPalProcess(look, p, p.pal.sgx);
}
