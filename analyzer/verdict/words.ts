/** Short texts of what a run has, the same in the database, in JSON and on the screen. */

import { resultText, signalName, signalsIn } from "../../engine/index.ts";
import type { ProcessEnd, ThreadEnd } from "./ends.ts";
import {
  DROPPED,
  HANDLER,
  JUMPED,
  MASK_HIGH,
  MASK_LOW,
  type Observed,
  RETURNED,
  SIGINFO_CODE,
  SIGINFO_MORE,
  SIGINFO_PID,
  SIGINFO_SIGNAL,
} from "./observation.ts";
import { labelOf } from "./tokens.ts";

/** "read(pipe, 64)", "handler of SIGINT". */
export function whatIs(of: Observed, item: number): string {
  const { items } = of;
  if (items.kind.at(item) !== HANDLER) return labelOf(of, item);
  return `handler of ${signalName(items.signal.at(item))}`;
}

/** What became of a call or handler. */
export function becameOf(of: Observed, item: number): string {
  const { items } = of;
  const isHandler = items.kind.at(item) === HANDLER;
  switch (items.how.at(item)) {
    case RETURNED:
      return isHandler ? "returns" : resultText(items.result.at(item));
    case JUMPED:
      return "is left by siglongjmp";
    case DROPPED:
      return "is dropped: what it was called from is over";
    default:
      return openText(of, item);
  }
}

/** Why it has not ended. */
function openText(of: Observed, item: number): string {
  const end = of.ends.threads[of.items.thread.at(item)];
  switch (end?.how) {
    case "exited":
      return "does not return: the thread exits";
    case "killed":
    case "died":
      return "never returns: the thread dies in it";
    case "livelock":
      return "never returns: livelock";
    case "waiting":
    case "running":
      return "had not returned when the run ended";
    default:
      return "never returns";
  }
}

/** Where a handler runs: "in read(pipe)", "after write()", "before any call"; "handler of SIGINT: ..." when in another handler. */
export function placeText(of: Observed, run: number): string {
  const { items } = of;
  const before = items.before.at(run);
  const parent = items.parent.at(run);
  const within = parent < 0 ? "" : `in the handler of ${signalName(items.signal.at(parent))}, `;
  if (before < 0) return `${within}before any call`;
  return `${within}${items.inside.at(run) === 1 ? "in" : "after"} ${labelOf(of, before)}`;
}

const OUTPUT_NAMES: Readonly<Record<number, string>> = {
  1: "wait status",
  2: "remaining ns",
  3: "old mask",
  4: "old mask above 32",
  5: "pending",
  6: "pending above 32",
  7: "old value ns",
  8: "interval ns",
  9: "old handler",
  10: "revents",
  11: "signal",
  12: "counter",
  13: "old stack's size",
  14: "old stack's flags",
  [SIGINFO_SIGNAL]: "si_signo",
  [SIGINFO_CODE]: "si_code",
  [SIGINFO_PID]: "si_pid",
  [SIGINFO_MORE]: "siginfo",
  [SIGINFO_MORE + 1]: "si_status",
  [SIGINFO_MORE + 2]: "si_addr",
  [SIGINFO_MORE + 3]: "si_value",
};

/** A mask's half as names of signals; `base` is the number of bit 0. */
function maskText(bits: number, base: number): string {
  const low = base === 1 ? bits >>> 0 : 0;
  const high = base === 1 ? 0 : bits >>> 0;
  return `{${signalsIn([low, high]).map(signalName).join(" ")}}`;
}

/** One output, "si_pid 3", "mask {SIGINT}". */
export function outputText(what: number, value: number): string {
  if (what === MASK_LOW || what === 3 || what === 5) return `${what === MASK_LOW ? "mask" : OUTPUT_NAMES[what]} ${maskText(value, 1)}`;
  if (what === MASK_HIGH || what === 4 || what === 6) return `${what === MASK_HIGH ? "mask" : OUTPUT_NAMES[what]} ${maskText(value, 33)}`;
  if (what === SIGINFO_SIGNAL) return `si_signo ${signalName(value)}`;
  return `${OUTPUT_NAMES[what] ?? `output ${what}`} ${value}`;
}

const UNITS = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "us"],
] as const;

/** "1.5 s", "20 ms", "700 ns". */
export function durationText(ns: number): string {
  const [size, unit] = UNITS.find(([least]) => ns >= least) ?? [1, "ns"];
  return `${Number((ns / size).toPrecision(3))} ${unit}`;
}

/** How a thread ended. */
export function threadText(of: Observed, end: ThreadEnd): string {
  const where = end.item < 0 || end.how === "exited" ? "" : ` in ${whatIs(of, end.item)}`;
  return `${endText(end)}${where}${end.why === "" ? "" : ` (${end.why})`}`;
}

function endText({ how }: ThreadEnd): string {
  switch (how) {
    case "exited":
      return "exits";
    case "killed":
      return "is killed";
    case "died":
      return "dies in the PAL";
    case "blocked":
      return "waits for ever";
    case "livelock":
      return "is in a livelock";
    case "waiting":
      return "waits when the run ends";
    case "running":
      return "still runs when the run ends";
    case "unborn":
      return "never makes a step";
  }
}

/** How a process ended. */
export function processText(end: ProcessEnd, of: Observed): string {
  const why = end.why === "" ? "" : `: ${end.why}`;
  switch (end.how) {
    case "exited":
      return `exits with status ${end.status}`;
    case "signal":
      // No signal did it: the LibOS gave up.
      if (end.status === 0) return `is ended by the LibOS: exit status ${end.hostStatus}`;
      return `is killed by ${signalName(end.status)}${end.hostStatus === null ? "" : ` (by the LibOS: the host sees exit status ${end.hostStatus})`}`;
    case "assertion":
      return `dies of an assertion of the LibOS${why}`;
    case "fault":
      return `dies of an internal fault of the LibOS${why}`;
    case "pal":
      return `ends because the PAL gave up: exit status ${end.status}`;
    case "undefined":
      return "dies: control flow went where nothing is";
    case "stuck":
      return `never ends: ${stuckThreads(end, of)}`;
    case "going-on":
      return "had not ended when the run ended";
  }
}

function stuckThreads({ threads }: ProcessEnd, of: Observed): string {
  const stuck = threads.flatMap((thread) => {
    const end = of.ends.threads[thread];
    if (end?.how !== "blocked" && end?.how !== "livelock") return [];
    return [`${of.threads[thread]?.name ?? "a thread"} ${threadText(of, end)}`];
  });
  const [first = "its threads are gone, those of the LibOS wait for ever"] = stuck;
  return stuck.length > 1 ? `${first}, and ${stuck.length - 1} more` : first;
}
