/** What the machine's state says of threads at the end of a run. It may come from a stranger's keyframe: nothing in it is trusted. */

import { NEVER, signalName } from "../../engine/index.ts";

export interface ThreadFacts {
  readonly blocked: boolean;
  /** The wait has a time-out. */
  readonly timed: boolean;
  /** Names of the objects waited for. */
  readonly objects: readonly string[];
  /** Waits for a child process. */
  readonly child: boolean;
  /** Signals that are pending for it, by name: in the kernel, in the PAL, in the LibOS. */
  readonly pending: readonly string[];
  readonly stopped: boolean;
}

export interface Facts {
  readonly threads: ReadonlyMap<number, ThreadFacts>;
  /** Something will still come from outside: a planned signal or arrival, a timer. */
  readonly coming: boolean;
}

type Tree = { readonly [name: string]: unknown };

const tree = (value: unknown): Tree => (value !== null && typeof value === "object" ? (value as Tree) : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const number = (value: unknown): number => (typeof value === "number" ? value : 0);

/** Null when there is no state to look at. */
export function factsOf(machine: unknown): Facts | null {
  const m = tree(machine);
  if (!Array.isArray(m.threads) || !Array.isArray(m.processes)) return null;
  const processes = m.processes.map(tree);
  const threads = new Map<number, ThreadFacts>();
  for (const one of m.threads.map(tree)) {
    if (typeof one.id !== "number" || one.state === "dead") continue;
    threads.set(one.id, threadFacts(one, tree(processes[number(one.process)]), list(m.objects)));
  }
  const planned = list(m.plans).some((plan) => number(tree(plan).next) < NEVER);
  const timer = processes.some(
    (p) => p.alive === true && (number(p.timer) < NEVER || list(p.timers).some((one) => number(tree(one).next) < NEVER)),
  );
  return { threads, coming: planned || timer || list(m.due).length > 0 };
}

function threadFacts(thread: Tree, process: Tree, objects: readonly unknown[]): ThreadFacts {
  const wait = tree(thread.wait);
  const blocked = thread.state === "blocked";
  return {
    blocked,
    timed: blocked && number(wait.deadline) < NEVER,
    objects: blocked ? list(wait.objects).flatMap((id) => nameOf(tree(objects[number(id)]))) : [],
    child: blocked && number(wait.child) >= -1 && wait.child !== undefined,
    pending: [...new Set([...kernelPending(thread, process), ...libosPending(tree(thread.libos)), ...palPending(tree(thread.pal))])],
    stopped: process.stopped === true,
  };
}

const nameOf = ({ name }: Tree): string[] => (typeof name === "string" && name !== "" ? [name] : []);

const kernelPending = (thread: Tree, process: Tree): string[] =>
  [...list(thread.hostPending), ...list(process.hostPending)].map((one) => signalName(number(tree(one).signal)));

const libosPending = (libos: Tree): string[] =>
  Object.entries(tree(libos.rings)).flatMap(([signal, ring]) => (number(tree(ring).length) > 0 ? [signalName(Number(signal))] : []));

/** The PAL keeps events, not signals. */
const palPending = (pal: Tree): string[] => (number(pal.pendingEvent) > 0 || list(pal.queue).length > 0 ? ["an event of the PAL"] : []);
