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
function directly({ kind, one, what }: Difference, own: readonly Explainer[], everything: readonly Explainer[]): string | null {
  const { seq } = one;
  // What a handler is given and runs under is no matter of the call that it interrupts.
  if (kind === "siginfo" || kind === "mask") {
    const about = kind === "siginfo" ? /siginfo|no-address/ : /mask-(?:imbalance|replaced)/;
    return (own.find(({ rule }) => about.test(rule)) ?? everything.find(({ rule }) => about.test(rule)))?.rule ?? null;
  }
  if (seq !== null) {
    // A call begins at `seq`; what goes wrong in it begins there or later, and is over with it or earlier than the next.
    const inside = own.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
    const next = own.filter(({ firstSeq }) => firstSeq >= seq).sort((a, b) => a.firstSeq - b.firstSeq)[0];
    const speaksOfIt = own.find(({ title }) => what !== "" && title.includes(what));
    const found = kind.startsWith("handler") ? (inside ?? speaksOfIt) : (speaksOfIt ?? inside ?? (endsThere(kind) ? next : undefined));
    if (found !== undefined) return found.rule;
  }
  const signal = /SIG[A-Z0-9]+/.exec(what)?.[0];
  if (signal === undefined) return null;
  const word = new RegExp(`\\b${signal}\\b`);
  return (own.find(({ title }) => word.test(title)) ?? everything.find(({ title }) => word.test(title)))?.rule ?? null;
}

const endsThere = (kind: Difference["kind"]): boolean => kind === "never-returns" || kind === "thread-end" || kind === "process-end";
