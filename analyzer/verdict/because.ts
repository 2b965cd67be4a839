/**
 * Differences explained by findings: what rules found at the same place, or what came of an earlier difference. One that neither
 * explains is how the next rule is found.
 */

import type { Difference } from "./difference.ts";
import { createExplainers, type Explainer, type Explainers, inOrder } from "./explainers.ts";
import { isDetail } from "./verdict.ts";

export interface Because {
  readonly difference: Difference;
  /** Rule whose finding explains it; null: nobody knows why. */
  readonly rule: string | null;
  /** It follows from an earlier difference that the rule explains. */
  readonly follows: boolean;
}

/** `nameOf` names the thread of a finding as differences do. Only differences that weigh are explained. */
export function explained(
  differences: readonly Difference[],
  findings: readonly Explainer[],
  nameOf: (thread: number) => string,
): Because[] {
  const byThread = new Map<string, Explainer[]>();
  for (const one of inOrder(findings)) {
    const name = one.thread === null ? "" : nameOf(one.thread);
    const own = byThread.get(name);
    if (own === undefined) byThread.set(name, [one]);
    else own.push(one);
  }
  const everything = createExplainers([...byThread.values()].flat());
  const ofThread = new Map(Array.from(byThread, ([name, list]) => [name, createExplainers(list)]));
  const nothing = createExplainers([]);
  let before: string | null = null;
  const all = differences
    .filter(({ weight }) => weight === "differs")
    .map((difference) => {
      const direct = directly(difference, ofThread.get(difference.thread) ?? nothing, everything);
      // What handlers are given, and a call that is not there: nothing follows from them, where there is another cause.
      const detail = isDetail(difference);
      if (direct !== null) {
        if (!detail) before ??= direct;
        return { difference, rule: direct, follows: false };
      }
      return detail ? { difference, rule: null, follows: false } : { difference, rule: before, follows: before !== null };
    });
  const stuck = stuckThreads(all);
  return all.map((one) => {
    const rule = one.rule === null && isLacking(one.difference) ? stuck.get(one.difference.thread) : undefined;
    return rule === undefined ? one : { ...one, rule, follows: true };
  });
}

/** What one run has and this one never comes to. */
const isLacking = ({ kind, one }: Difference): boolean =>
  (kind === "call" && one.text === "is not called") || (kind === "handler" && one.text === "does not run");

/** Threads that wait for ever, or turn in a circle, come to nothing more: the rule that says why holds for what they lack. */
function stuckThreads(all: readonly Because[]): ReadonlyMap<string, string> {
  const stuck = new Map<string, string>();
  for (const { rule, difference } of all) {
    const { kind, thread, one } = difference;
    if (rule === null || stuck.has(thread) || !endsThere(kind) || !/^never (?:ends|returns)/.test(one.text)) continue;
    stuck.set(thread, rule);
  }
  return stuck;
}

/** Rules about what a handler is given and runs under: that is no matter of the call that it interrupts, nor whether it runs. */
const ABOUT_HANDLERS = /siginfo|no-address|mask-not-set/;

function directly(difference: Difference, own: Explainers, everything: Explainers): string | null {
  if (difference.kind === "siginfo" || difference.kind === "mask") return aboutHandlers(difference, own, everything);
  const weighs = ({ rule }: Explainer): boolean => !ABOUT_HANDLERS.test(rule);
  return aboutCalls(difference, own.where("weighs", weighs), everything.where("weighs", weighs));
}

/** A finding that lies where the call or handler is, or that speaks of the handler's signal. */
function aboutCalls(difference: Difference, own: Explainers, everything: Explainers): string | null {
  const { kind, one, what } = difference;
  const { seq } = one;
  const about = ABOUT.find(({ call }) => call.test(what))?.rule;
  const aboutIt = about && own.list.find(({ rule }) => about.test(rule));
  if (aboutIt !== undefined) return aboutIt.rule;
  if (seq !== null) {
    // A call begins at `seq`; what goes wrong in it begins there or later, and is over with it or earlier than the next.
    const inside = own.around(seq);
    const speaksOfIt = what === "" ? undefined : own.titled(`what ${what}`, (title) => title.includes(what));
    const found = kind.startsWith("handler")
      ? (inside ?? speaksOfIt)
      : (speaksOfIt ?? inside ?? (endsThere(kind) ? own.next(seq) : undefined));
    if (found !== undefined) return found.rule;
  }
  const ending = endsThere(kind) ? endedBy(difference, own.list, everything.list) : undefined;
  if (ending !== undefined) return ending.rule;
  const word = signalWord(what);
  if (word === null) return null;
  const ofSignal = (title: string): boolean => word.test(title);
  return (own.titled(`signal ${word.source}`, ofSignal) ?? everything.titled(`signal ${word.source}`, ofSignal))?.rule ?? null;
}

/** Questions of the program about its own state, and the rules that know who has changed it. */
const ABOUT = [{ call: /vector registers/, rule: /xstate/ }] as const;

/** Of a handler's siginfo or mask: a finding that lies in that handler's run, else one of its signal. */
function aboutHandlers({ kind, one, what }: Difference, own: Explainers, everything: Explainers): string | null {
  // Handlers that nest on Linux have the mask of the one below.
  const about = kind === "siginfo" ? /siginfo|no-address/ : /mask|in-turn/;
  const signal = signalWord(what);
  const fits = ({ rule, title }: Explainer): boolean => about.test(rule) && (signal === null || signal.test(title));
  const key = `${kind} ${signal?.source ?? ""}`;
  const fitting = own.where(key, fits);
  const here = one.seq === null ? undefined : fitting.around(one.seq);
  return (here ?? fitting.list[0] ?? everything.where(key, fits).list[0])?.rule ?? null;
}

/** So many transitions lie between what ends a process and the row that says that it is over: other threads are ended meanwhile. */
const LAST_STEPS = 200;

/**
 * What ended a process or thread, or keeps it from its end: a finding of the signal that it dies of in one of the runs; one that lies just
 * before; and for what never ends one that lasts longest.
 */
function endedBy({ one, other }: Difference, own: readonly Explainer[], everything: readonly Explainer[]): Explainer | undefined {
  const seq = one.seq ?? Number.POSITIVE_INFINITY;
  const killed = [one.text, other.text].find((text) => text.includes("killed by"));
  const signal = killed === undefined ? null : signalWord(killed);
  const ofSignal = ({ title, firstSeq }: Explainer): boolean => firstSeq <= seq && signal?.test(title) === true;
  const named = own.find(ofSignal) ?? everything.find(ofSignal);
  if (named !== undefined) return named;
  if (one.text.startsWith("never ends")) return latest(everything);
  const justBefore = ({ lastSeq }: Explainer): boolean => lastSeq <= seq && lastSeq >= seq - LAST_STEPS;
  return latest(own.filter(justBefore)) ?? latest(everything.filter(justBefore));
}

/** The one that ends last; of several that end together the first, which knows most. */
const latest = (list: readonly Explainer[]): Explainer | undefined =>
  list.reduce<Explainer | undefined>((best, one) => (best === undefined || one.lastSeq > best.lastSeq ? one : best), undefined);

/** Finds the signal that a text names, or the calls that send it; null when the text names none. */
function signalWord(text: string): RegExp | null {
  const signal = /SIG[A-Z0-9]+/.exec(text)?.[0];
  if (signal === undefined) return null;
  return signal === "SIGALRM" ? /\b(?:SIGALRM\b|alarm\(|setitimer\()/ : new RegExp(`\\b${signal}\\b`);
}

const endsThere = (kind: Difference["kind"]): boolean => kind === "never-returns" || kind === "thread-end" || kind === "process-end";
