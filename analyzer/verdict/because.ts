/**
 * Differences explained by findings: what rules found at the same place, or what came of an earlier difference. One that neither
 * explains is how the next rule is found.
 */

import type { Finding } from "../finding.ts";
import type { Difference } from "./difference.ts";

export interface Because {
  readonly difference: Difference;
  /** Rule whose finding explains it; null: nobody knows why. */
  readonly rule: string | null;
  /** It follows from an earlier difference that the rule explains. */
  readonly follows: boolean;
}

/** From the gravest on: of several findings at one place the first of these is told. A rule of the catalogue knows more than a general one. */
export interface Explainer extends Pick<Finding, "rule" | "thread" | "firstSeq" | "lastSeq" | "title"> {
  readonly general: boolean;
}

/** `nameOf` names the thread of a finding as differences do. Only differences that weigh are explained. */
export function explained(
  differences: readonly Difference[],
  findings: readonly Explainer[],
  nameOf: (thread: number) => string,
): Because[] {
  const byThread = new Map<string, Explainer[]>();
  for (const one of [...findings].sort((a, b) => Number(a.general) - Number(b.general) || a.firstSeq - b.firstSeq)) {
    const name = one.thread === null ? "" : nameOf(one.thread);
    const own = byThread.get(name);
    if (own === undefined) byThread.set(name, [one]);
    else own.push(one);
  }
  const everything = [...byThread.values()].flat();
  let before: string | null = null;
  return differences
    .filter(({ weight }) => weight === "differs")
    .map((difference) => {
      const direct = directly(difference, byThread.get(difference.thread) ?? [], everything);
      const isDetail = difference.kind === "siginfo" || difference.kind === "mask";
      if (direct !== null) {
        before ??= direct;
        return { difference, rule: direct, follows: false };
      }
      return isDetail ? { difference, rule: null, follows: false } : { difference, rule: before, follows: before !== null };
    });
}

/** A finding that lies where the call or handler is, or that speaks of the handler's signal. */
function directly(difference: Difference, own: readonly Explainer[], everything: readonly Explainer[]): string | null {
  const { kind, one, what } = difference;
  const { seq } = one;
  // What a handler is given and runs under is no matter of the call that it interrupts.
  if (kind === "siginfo" || kind === "mask") return aboutHandlers(difference, own, everything);
  const about = ABOUT.find(({ call }) => call.test(what))?.rule;
  const aboutIt = about && own.find(({ rule }) => about.test(rule));
  if (aboutIt !== undefined) return aboutIt.rule;
  if (seq !== null) {
    // A call begins at `seq`; what goes wrong in it begins there or later, and is over with it or earlier than the next.
    const inside = own.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
    const next = own.filter(({ firstSeq }) => firstSeq >= seq).sort((a, b) => a.firstSeq - b.firstSeq)[0];
    const speaksOfIt = own.find(({ title }) => what !== "" && title.includes(what));
    const found = kind.startsWith("handler") ? (inside ?? speaksOfIt) : (speaksOfIt ?? inside ?? (endsThere(kind) ? next : undefined));
    if (found !== undefined) return found.rule;
    const ending = endsThere(kind) ? endedBy(one.text, seq, own, everything) : undefined;
    if (ending !== undefined) return ending.rule;
  }
  const word = signalWord(what);
  if (word === null) return null;
  return (own.find(({ title }) => word.test(title)) ?? everything.find(({ title }) => word.test(title)))?.rule ?? null;
}

/** Questions of the program about its own state, and the rules that know who has changed it. */
const ABOUT = [{ call: /vector registers/, rule: /xstate/ }] as const;

/** Of a handler's siginfo or mask: a finding that lies in that handler's run, else one of its signal. */
function aboutHandlers({ kind, one, what }: Difference, own: readonly Explainer[], everything: readonly Explainer[]): string | null {
  // Handlers that nest on Linux have the mask of the one below.
  const about = kind === "siginfo" ? /siginfo|no-address/ : /mask|in-turn/;
  const signal = signalWord(what);
  const fits = ({ rule, title }: Explainer): boolean => about.test(rule) && (signal === null || signal.test(title));
  const seq = one.seq ?? Number.NaN;
  const here = own.find((finding) => fits(finding) && finding.firstSeq <= seq && seq <= finding.lastSeq);
  return (here ?? own.find(fits) ?? everything.find(fits))?.rule ?? null;
}

/** So many transitions lie between what ends a process and the row that says that it is over: other threads are ended meanwhile. */
const LAST_STEPS = 200;

/** What ended a process or thread at `seq`: a finding of the signal that it died of, else one that ends just before. */
function endedBy(text: string, seq: number, own: readonly Explainer[], everything: readonly Explainer[]): Explainer | undefined {
  const signal = /killed by/.test(text) ? signalWord(text) : null;
  const before = (list: readonly Explainer[]): Explainer | undefined =>
    list.find(({ title, lastSeq }) => lastSeq <= seq && signal?.test(title) === true) ??
    list.filter(({ lastSeq }) => lastSeq <= seq && lastSeq >= seq - LAST_STEPS).sort((a, b) => b.lastSeq - a.lastSeq)[0];
  return /^never ends/.test(text) ? undefined : (before(own) ?? before(everything));
}

/** Finds the signal that a text names; null when it names none. */
function signalWord(text: string): RegExp | null {
  const signal = /SIG[A-Z0-9]+/.exec(text)?.[0];
  return signal === undefined ? null : new RegExp(`\\b${signal}\\b`);
}

const endsThere = (kind: Difference["kind"]): boolean => kind === "never-returns" || kind === "thread-end" || kind === "process-end";
