/** The verdict: what the application saw of a run, beside what it would have seen in another one. */

import { E } from "../../engine/index.ts";
import type { OutcomeRecord, QualityCounter, VerdictRecord } from "../../recorder/index.ts";
import { type Compared, compare, type Ignored, MOST_BEYOND } from "./compare.ts";
import type { Difference, Weight } from "./difference.ts";
import { endsAlike, processPairs } from "./endings.ts";
import type { ProcessEnd } from "./ends.ts";
import { logNameOf } from "./log-places.ts";
import type { Observed } from "./observation.ts";
import { processText, threadText } from "./words.ts";

/** Most differences kept; more are only counted. */
const MAX_DIFFERENCES = 100_000;

export interface Verdict extends VerdictRecord {
  /** File of the log that the run's scenario, or the other's, was made from: `line` of a difference is one of its. */
  readonly log: string | null;
  readonly differences: readonly Difference[];
  readonly cause: Difference | undefined;
}

/** The verdict of a run, and of the run it is compared with, if any. Null when `signal` was aborted. */
export async function verdictOf(
  one: Observed,
  other: Observed | null,
  notices: readonly QualityCounter[],
  { ignored, signal }: { readonly ignored?: Ignored | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<Verdict | null> {
  if (other === null) return told(one, null, null, notices);
  const compared = await compare(one, other, ignored, signal);
  return compared === null ? null : told(one, other, compared, notices);
}

function told(one: Observed, other: Observed | null, compared: Compared | null, notices: readonly QualityCounter[]): Verdict {
  const { kept, omitted, beyond } = firstMany(compared);
  return {
    log: logOfBoth(one, other),
    other: other?.name ?? null,
    compared: compared?.compared ?? 0,
    omitted: omitted.count,
    beyond,
    outcomes: outcomesOf(one, other, compared, omitted.from),
    differences: kept,
    cause: firstOf({ differences: kept }),
    notices: [...notices, ...fullNotice(one)],
  };
}

/** Null also when each of the two comes from a log of its own. */
function logOfBoth(one: Observed, other: Observed | null): string | null {
  const logs = [one, other].flatMap((run) => (run === null ? [] : [run.program === "" ? run.name : logNameOf(run.program)]));
  const [first = null, ...others] = new Set(logs.filter((log) => log !== null));
  return others.length === 0 ? first : null;
}

/** By name of a thread: the first seq of a difference that is only counted. */
type Uncompared = ReadonlyMap<string, number>;

interface FirstMany {
  /** In order. */
  readonly kept: Difference[];
  /** Those that are only counted, but for those beyond the end of a run. */
  readonly omitted: { readonly count: number; readonly from: Uncompared };
  /** Of weight `cut`, kept or not. */
  readonly beyond: number;
}

function firstMany(compared: Compared | null): FirstMany {
  const all = compared?.differences;
  const kept: Difference[] = [];
  const from = new Map<string, number>();
  let count = 0;
  let beyond = 0;
  for (let i = 0; all !== undefined && i < all.length; i += 1) {
    if (all.weight(i) === "cut") {
      beyond += 1;
      if (beyond <= MOST_BEYOND) kept.push(all.at(i));
    } else if (kept.length < MAX_DIFFERENCES) kept.push(all.at(i));
    else {
      count += 1;
      const { thread, one } = all.at(i);
      if (one.seq !== null) from.set(thread, Math.min(one.seq, from.get(thread) ?? one.seq));
    }
  }
  return { kept, omitted: { count, from }, beyond: beyond + (compared?.beyond ?? 0) };
}

/** Differences of one weight. */
export const ofWeight = ({ differences }: Pick<Verdict, "differences">, weight: Weight): readonly Difference[] =>
  differences.filter((difference) => difference.weight === weight);

/** What a handler is given and runs under, and calls that a stack does not have: always otherwise on it, and seldom the cause of more. */
export const isDetail = (one: Difference): boolean => one.kind === "siginfo" || one.kind === "mask" || isMissingCall(one);

/** A call that one of the runs does not have; those that wait or have to do with signals are causes like any other. */
export const isMissingCall = ({ kind, what, one, other }: Answered): boolean =>
  kind === "result" && (one.result === E.NOSYS || other.result === E.NOSYS) && !MATTERS.test(what);

/** What tells whether it is a call that is missing. */
interface Answered extends Pick<Difference, "kind" | "what"> {
  readonly one: Pick<Difference["one"], "result">;
  readonly other: Pick<Difference["other"], "result">;
}

const MATTERS = /^(?:signalfd|eventfd|timerfd|timer_|sig|rt_|setitimer|clock_nanosleep|waitid|pidfd_|ppoll|pselect|epoll_)/;

/** The cause: the first that differs, a detail only where there is nothing else; undefined when the application fares alike. */
export function firstOf(verdict: Pick<Verdict, "differences">): Difference | undefined {
  const all = ofWeight(verdict, "differs");
  return all.find((one) => !isDetail(one)) ?? all[0];
}

function fullNotice(of: Observed): QualityCounter[] {
  if (!of.full) return [];
  const advice = `${of.items.kind.length.toLocaleString("en")} calls and handlers were compared, which is the most; record a shorter run`;
  return [{ name: "verdict-stopped-early", count: 1, severity: "notice", advice }];
}

function outcomesOf(one: Observed, other: Observed | null, compared: Compared | null, omitted: Uncompared): OutcomeRecord[] {
  const partner = compared?.pairing.threads.partner;
  const otherwise = (compared === null ? [] : processPairs(compared.pairing)).filter((process) => !endsAlike(process));
  const here = runOutcome(
    one,
    otherwise.map(({ a }) => a),
  );
  const beside =
    other === null
      ? null
      : runOutcome(
          other,
          otherwise.map(({ b }) => b),
        );
  const there = (thread: number): number => partner?.[thread] ?? -1;
  const run: OutcomeRecord = {
    subject: "run",
    name: one.name,
    thread: null,
    ...here,
    seq: one.rows > 0 ? one.rows - 1 : null,
    otherHow: beside?.how ?? null,
    otherText: beside?.text ?? null,
    comparedSeq: null,
  };
  const processes = one.ends.processes.map((end): OutcomeRecord => {
    const twin = other?.ends.processes.find(({ thread }) => thread === there(end.thread));
    return {
      subject: "process",
      name: one.threads[end.thread]?.name ?? "",
      thread: end.thread,
      how: end.how,
      text: processText(end, one),
      seq: end.how === "going-on" || end.how === "stuck" ? null : end.seq,
      otherHow: twin?.how ?? null,
      otherText: twin === undefined || other === null ? null : processText(twin, other),
      comparedSeq: null,
    };
  });
  const threads = one.threads.flatMap(({ name, internal }, thread): OutcomeRecord[] => {
    const end = one.ends.threads[thread];
    if (internal || end === undefined) return [];
    const twin = other?.ends.threads[there(thread)];
    const stop = firstUncompared(compared?.comparedTo[thread] ?? -1, name, omitted);
    return [
      {
        subject: "thread",
        name,
        thread,
        how: end.how,
        text: threadText(one, end),
        seq: end.seq < 0 ? null : end.seq,
        otherHow: twin?.how ?? null,
        otherText: twin === undefined || other === null ? null : threadText(other, twin),
        comparedSeq: stop,
      },
    ];
  });
  return [run, ...processes, ...threads];
}

function firstUncompared(comparedTo: number, name: string, omitted: Uncompared): number | null {
  const seqs = [comparedTo, omitted.get(name) ?? -1].filter((seq) => seq >= 0);
  return seqs.length === 0 ? null : Math.min(...seqs);
}

const LIMITS = {
  finished: "",
  "row-limit": ", at the limit of transitions",
  "time-limit": ", at the limit of time",
  aborted: ", stopped early",
  killed: ", its recording was killed",
  recorded: ", where its recording ends",
} as const;

/** The run in one line: the gravest end of a process, of those first that ended otherwise in the other run. */
function runOutcome(of: Observed, otherwise: readonly ProcessEnd[]): Pick<OutcomeRecord, "how" | "text"> {
  const { run } = of.ends;
  const processes = otherwise.length > 0 ? otherwise : of.ends.processes;
  const worst = processes.reduce<ProcessEnd | undefined>((a, b) => (a === undefined || gravity(b) > gravity(a) ? b : a), undefined);
  if (worst === undefined) return { how: "nothing", text: "nothing happened" };
  const name = of.threads[worst.thread]?.name ?? "";
  const text = worst.how === "stuck" ? stuck(worst, of) : worst.how === "going-on" ? goingOn(worst, of) : processText(worst, of);
  const all = of.ends.processes.length;
  // Shells and the like end children by signals every day: how the first process fares is the run's outcome then.
  const [first] = of.ends.processes;
  const everyday = otherwise.length === 0 && worst.how === "signal" && first !== undefined && first.how === "exited";
  const lead = everyday ? `${of.threads[first.thread]?.name ?? ""} ${processText(first, of)}; ` : "";
  return { how: worst.how, text: `${lead}${name} ${text}${LIMITS[run]}${all === 1 ? "" : `; ${all} processes in all`}` };
}

/** With one thread, its wait says all; one that has left does not say why its process stays. */
function stuck(end: ProcessEnd, of: Observed): string {
  const [only, ...more] = end.threads;
  const thread = only === undefined ? undefined : of.ends.threads[only];
  const tells = more.length === 0 && thread !== undefined && thread.how !== "exited";
  return tells ? threadText(of, thread) : processText(end, of);
}

const GRAVITY = ["exited", "going-on", "signal", "stuck", "pal", "fault", "undefined", "assertion"] as const;
const gravity = ({ how }: ProcessEnd): number => GRAVITY.indexOf(how);

/** What the threads of a process that goes on were at. */
function goingOn({ threads }: ProcessEnd, of: Observed): string {
  const doing = threads.flatMap((thread) => {
    const end = of.ends.threads[thread];
    if (end === undefined || end.how === "exited" || end.how === "killed" || end.how === "unborn") return [];
    return [{ how: end.how, text: threadText(of, end) }];
  });
  const [first] = doing;
  if (first === undefined) return "had not ended";
  return doing.length === 1 ? first.text : `${first.text}, and ${doing.length - 1} threads more`;
}
