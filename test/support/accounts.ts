/** Laws of a run that only its transitions show: every signal has an end, no restart code gets out, a lock has one owner. */

import { KINDS, type Machine, shownBy } from "../../engine/index.ts";
import type { Ran, Row } from "./run-scenario.ts";

/** ERESTARTSYS of the host kernel. */
const RESTART = -512;

/** Rows whose `extra` is a signal id. */
const carriesId = (row: Row): boolean => {
  const failure = row.what.startsWith("libos.upcall.") && row.value === 7;
  return row.extra > 0 && !failure && (KINDS[row.kind]?.extra.includes("signal id") ?? false);
};

/** Kinds whose row is the sender's; `value` is the thread the signal is for. */
const SENDS: ReadonlySet<string> = new Set(["host.signal.generate", "libos.signal.append", "libos.wake"]);

const ENDS: ReadonlySet<string> = new Set([
  "app.handler.enter",
  "host.signal.discard",
  "signal.take",
  "host.signal.default",
  "libos.signal.ignore",
  "libos.signal.drop",
  "libos.signal.lost",
  "libos.signal.kill",
  "libos.fault",
  "pal.event.lost",
]);

/**
 * Signals that were made and are nowhere: no row says how they ended, no part of the state holds them, and the thread they were for
 * lives. An event that is over with its upcall (RESUME, Gramine's INTERRUPTED) ends there.
 */
export function unaccounted(ran: Ran): string[] {
  const { consumed } = shownBy(ran.run.options.stack).events;
  const ended = new Set<number>();
  const last = new Map<number, Row>();
  const target = new Map<number, number>();
  for (const row of ran.rows) {
    if (!carriesId(row)) continue;
    last.set(row.extra, row);
    target.set(row.extra, SENDS.has(row.what) ? row.value : row.thread);
    if (row.what === "pal.event.overwrite" || row.what === "libos.signal.overwrite") ended.add(row.value);
    // siglongjmp leaves the frames of signals that came after its place behind, handlers that had not begun among them.
    if (row.what === "app.handler.longjmp") {
      for (const [id, before] of last) if (before.thread === row.thread && before.depth > row.depth) ended.add(id);
    }
    // The context that a host handler redirects may be a handler's that has not begun: its signal goes with it (2.3, 3.4 sgx-nested-host-signal).
    if (row.what === "pal.event.inject") {
      for (const [id, { what, thread }] of last)
        if (id !== row.extra && what === "host.signal.deliver" && thread === row.thread) ended.add(id);
    }
    if (ENDS.has(row.what) || (row.what === "libos.upcall.enter" && consumed.includes(row.value))) ended.add(row.extra);
    // A RESUME that has ended a wait of the enclave has done its work.
    if (row.what === "pal.event.deliver" && row.place.flow === "_DkHandleExternalEvent") ended.add(row.extra);
  }
  const { machine } = ran;
  const held = idsIn(machine);
  const anyoneGone = machine.threads.includes(null);
  const wrong: string[] = [];
  for (let id = 1; id < machine.nextSignalId; id += 1) {
    // A number that was given to a signal which was then refused (no such process or thread) is in no row.
    if (ended.has(id) || held.has(id) || !last.has(id)) continue;
    const owner = target.get(id) ?? -1;
    if (owner < 0 ? anyoneGone : machine.threads[owner] === null) continue;
    wrong.push(`signal id ${id}: last seen at seq ${last.get(id)?.seq} as ${last.get(id)?.what} (${last.get(id)?.where})`);
  }
  return wrong;
}

/** The label of a row that names the thread for which the data is (engine/host/outside.ts). */
const DATA_ARRIVES = "data arrives from outside";

/** The kernel's restart code is for the kernel: what follows in the thread is the signal it was for, the call once more, or its end. */
export function leakedRestarts(ran: Ran): string[] {
  const restarting = new Map<number, Row>();
  const wrong: string[] = [];
  for (const row of ran.rows) {
    const exit = restarting.get(row.thread);
    // A row of the outside world that only names this thread is none of its own.
    if (exit && row.place.flow === "(outside)" && (row.what === "host.signal.generate" || row.place.label === DATA_ARRIVES)) continue;
    restarting.delete(row.thread);
    if (exit && !/^(?:host\.signal\.|thread\.exit|process\.exit|call)/.test(row.what))
      wrong.push(`seq ${exit.seq}: ${exit.where}, then ${row.where}`);
    if (row.what === "host.syscall.exit" && row.value === RESTART) restarting.set(row.thread, row);
    if (row.what === "app.return" && row.value === RESTART) wrong.push(`seq ${row.seq}: ${row.where}`);
  }
  return wrong;
}

/** Gramine's do_waitid releases it a second time when a signal ends the wait (B1, libos_wait.c), whoever has it by then. */
const WRONGLY_RELEASED: ReadonlySet<string> = new Set(["children_lock"]);

/** LibOS locks that two threads had at once, or that one released for another. */
export function sharedLocks(ran: Ran): string[] {
  const owners = new Map<string, number>();
  const wrong: string[] = [];
  for (const row of ran.rows) {
    if (row.place.flow !== row.what || (row.what !== "lock" && row.what !== "unlock")) continue;
    const name = ran.texts[row.detail] ?? "";
    if (WRONGLY_RELEASED.has(name)) continue;
    const lock = `${ran.threads[row.thread]?.pid} ${name}`;
    const owner = owners.get(lock);
    if (row.what === "lock" ? owner !== undefined : owner !== row.thread)
      wrong.push(`seq ${row.seq}: ${row.what} of "${lock}", which thread ${owner} has`);
    if (row.what === "lock") owners.set(lock, row.thread);
    else owners.delete(lock);
  }
  return wrong;
}

const ID_KEYS: ReadonlySet<string> = new Set(["id", "carried", "pendingId", "lastAsyncId", "lastSyncId", "injectedId"]);

/** Signal ids in queues, rings, registers and frames. */
function idsIn(machine: Machine): Set<number> {
  const ids = new Set<number>();
  const visit = (value: unknown, key: string): void => {
    if (typeof value === "number" && ID_KEYS.has(key)) ids.add(value);
    if (value !== null && typeof value === "object") for (const [name, inner] of Object.entries(value)) visit(inner, name);
  };
  for (const t of machine.threads) if (t) visit([t.hostPending, t.pal, t.libos, t.sgx, { id: t.eventSignalId }, t.host, t.enclave], "");
  for (const p of machine.processes) if (p) visit([p.hostPending, p.libos], "");
  return ids;
}
