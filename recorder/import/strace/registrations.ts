/** Dispositions: what rt_sigaction says, and the handlers that the calls made while they ran stand for. */

import { SIGNAL_COUNT, signalName, signalNumber } from "../../../engine/index.ts";
import { field, flagsOf, signalNames, signalSet, splitArgs } from "./args.ts";
import type { CallEvent, Log } from "./log.ts";
import type { Fate } from "./tally.ts";
import type { Task } from "./tree.ts";

/** Operations as a scenario file writes them. */
export type Item = Record<string, unknown>;

/** What lines of a handler's run came to. */
interface LinesTold {
  readonly fate: Fate;
  lines: number;
  readonly call: string | undefined;
}

/** One run of a handler. */
export interface HandlerRun {
  /** Name of the thread it ran on. */
  readonly thread: string;
  /** ns of the log. */
  readonly start: number;
  readonly items: Item[];
  /** What became of its lines, should the scenario's handler stand for this run. */
  fates: readonly LinesTold[];
  /** Caused by an instruction of the thread itself. */
  readonly fault: boolean;
  /** Ended by rt_sigreturn. */
  readonly returned: boolean;
  /** ns from the signal to the end of rt_sigreturn, in the log, and of the operations. */
  lasted: number;
  /** When it returned, ns of the log; 0 when it did not. */
  endedAt: number;
  modelled: number;
  /** The run whose operations stand for it in the scenario. */
  model: HandlerRun | null;
}

export interface Registration {
  readonly what: "handler";
  readonly signal: number;
  /** The same function for the same signal in the same image. */
  readonly key: string;
  readonly flags: readonly string[];
  readonly mask: readonly number[];
  /** Without SA_RESTORER, on a processor that has it. */
  readonly norestorer: boolean;
  readonly runs: HandlerRun[];
  /** Name of the scenario's handler, once all runs are known. */
  name: string;
}

export type Action = Registration | { readonly what: "default" | "ignore"; readonly signal: number };

/** The flags a scenario knows. SA_RESTORER and SA_UNSUPPORTED say nothing about behaviour. */
const FLAGS = ["SA_RESTART", "SA_RESETHAND", "SA_NODEFER", "SA_ONSTACK", "SA_SIGINFO", "SA_NOCLDSTOP", "SA_NOCLDWAIT"];

/** Older straces write `{0x401100, [INT], SA_RESTART, 0x7f3c}`. */
function withNames(act: string): string {
  if (!act.startsWith("{") || act.includes("sa_handler=") || act.includes("sa_sigaction=")) return act;
  const [handler = "", mask = "[]", flags = "0"] = splitArgs(act.slice(1, -1));
  return `{sa_handler=${handler}, sa_mask=${mask}, sa_flags=${flags}}`;
}

/** `rt_sigaction(SIGINT, {sa_handler=0x55, sa_mask=[], sa_flags=...}, NULL, 8)`; null for a question (NULL) or what is not understood. `restorers`: see `hasRestorers`. */
export function actionOf(call: CallEvent, task: Task, restorers: boolean): Action | null {
  const [name = "", written = ""] = splitArgs(call.args);
  const act = withNames(written);
  const signal = signalNumber(name);
  const handler = field(act, "sa_handler") || field(act, "sa_sigaction");
  if (signal < 1 || signal > SIGNAL_COUNT || handler === "") return null;
  if (handler === "SIG_DFL") return { what: "default", signal };
  if (handler === "SIG_IGN") return { what: "ignore", signal };
  const flags = flagsOf(field(act, "sa_flags"));
  return {
    what: "handler",
    signal,
    key: `${task.process.name} ${signal} ${handler}`,
    flags: FLAGS.filter((flag) => flags.includes(flag)),
    mask: signalSet(field(act, "sa_mask")) ?? [],
    norestorer: restorers && field(act, "sa_flags") !== "" && !flags.includes("SA_RESTORER"),
    runs: [],
    name: "",
  };
}

/** Some action of the log has SA_RESTORER, as all that libc sets on x86-64: not every processor knows it. */
export const hasRestorers = ({ events }: Log): boolean =>
  events.some((event) => event.kind === "call" && event.name === "rt_sigaction" && event.args.includes("SA_RESTORER"));

/** A handler that was set before the log began. */
export const unknownHandler = (signal: number, key: string): Registration => ({
  what: "handler",
  signal,
  key,
  flags: [],
  mask: [],
  norestorer: false,
  runs: [],
  name: "",
});

/** The operation that sets it. The handler's name is filled in by `nameHandlers`. */
export function setAction(action: Action, expect: number | null): Item {
  const args: Item = { signal: signalName(action.signal), handler: action.what === "handler" ? "" : action.what };
  if (action.what === "handler") {
    if (action.flags.length > 0) args.flags = [...action.flags];
    if (action.norestorer) args.norestorer = true;
    if (action.mask.length > 0) args.mask = signalNames(action.mask);
  }
  if (expect !== null) args.expect = expect;
  return { sigaction: args };
}
