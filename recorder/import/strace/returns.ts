/**
 * Which signals ran a handler that came back: signal lines and the rt_sigreturn calls that end them, paired from the end. What the
 * log does not say was set before it began: a handler where one ran, SIG_IGN where a signal that kills did not.
 */

import type { Arrival } from "./arrivals.ts";
import type { Facts } from "./facts.ts";
import type { Life, SignalEvent } from "./log.ts";
import { type Action, unknownHandler } from "./registrations.ts";
import type { Process, Tree } from "./tree.ts";

/** Fills in `returned` and `action`. Answers with the dispositions assumed, by the process whose start must set them. */
export function matchReturns(tree: Tree, facts: Facts): ReadonlyMap<Process, readonly Action[]> {
  const assumed = new Map<Process, Action[]>();
  const assume = (process: Process, what: Action["what"], signal: number): Action => {
    const root = rootOf(process);
    const list = assumed.get(root) ?? [];
    assumed.set(root, list);
    const known = list.find((action) => action.signal === signal && action.what === what);
    if (known) return known;
    const action: Action = what === "handler" ? unknownHandler(signal, `${root.name} ${signal} unknown`) : { what, signal };
    list.push(action);
    return action;
  };
  for (const task of tree.tasks) matchLife(task.life, facts, (what, signal) => assume(task.process, what, signal));
  return assumed;
}

/** From the last line back: an rt_sigreturn belongs to the nearest signal before it that has none yet. */
function matchLife(life: Life, facts: Facts, assume: (what: Action["what"], signal: number) => Action): void {
  let unmatched = 0;
  for (let i = life.events.length - 1; i >= 0; i -= 1) {
    const event = life.events[i];
    if (event?.kind === "call" && event.name === "rt_sigreturn") unmatched += 1;
    const arrival = event?.kind === "signal" ? facts.arrivals.get(event) : undefined;
    if (event?.kind !== "signal" || !arrival || arrival.cause === "stop" || arrival.cause === "lost") continue;
    if (unmatched > 0 && mayHandle(arrival)) {
      arrival.action ??= assume("handler", event.signal);
      arrival.returned = true;
      unmatched -= 1;
    } else if (arrival.action === null && arrival.cause !== "fault" && survived(event, life, i))
      arrival.action = assume("ignore", event.signal);
  }
}

const mayHandle = ({ action, unknown }: Arrival): boolean => (action === null ? unknown : action.what === "handler");

/** SIGCHLD, SIGCONT, SIGURG, SIGWINCH and the stops do not kill by default; SIGKILL cannot be ignored. */
const HARMLESS: ReadonlySet<number> = new Set([9, 17, 18, 19, 20, 21, 22, 23, 28]);

/** The thread went on after a signal that kills by default. */
function survived({ signal }: SignalEvent, life: Life, at: number): boolean {
  if (HARMLESS.has(signal)) return false;
  const last = life.events.at(-1);
  return at < life.events.length - 1 && !(last?.kind === "end" && last.how === "killed" && last.value === signal);
}

/** The process of the family that was there when the log began. */
function rootOf(process: Process): Process {
  let root = process;
  while (root.parent !== null && root.leader.creation !== null) root = root.parent;
  return root;
}
