/** How much of a program's log became operations, in a line. */

import type { QualityCounter } from "../../recorder/index.ts";

/** Below this share of its lines a log has said little that is emulated. */
const LITTLE = 0.1;

/** What lines of a strace log came to; null for a case that came from no log. */
export function coverageLine(counters: readonly QualityCounter[]): string | null {
  const count = (name: string): number =>
    counters.filter((one) => one.name === name || one.name.startsWith(`${name}.`)).reduce((sum, one) => sum + one.count, 0);
  const emulated = count("strace.emulated");
  const like = count("strace.approximated");
  const opaque = count("strace.opaque");
  const lost = count("strace.foreign") + count("strace.stray") + count("strace.truncated");
  const all = emulated + like + opaque + lost;
  if (all === 0) return null;
  const missing = count("strace.note.calls-left-out") + count("strace.note.signals-left-out") > 0;
  const words = (n: number): string => `${n.toLocaleString("en")} (${Math.round((100 * n) / all)} %)`;
  const line = `of ${all.toLocaleString("en")} lines of the log ${words(emulated + like)} are emulated, ${words(opaque)} are calls kept as time and result${lost === 0 ? "" : `, ${words(lost)} are lost`}`;
  if (missing) return `${line}; calls or signals that strace left out are not among them, and the run may be far from the program's`;
  return (emulated + like) / all < LITTLE || lost / all > LITTLE
    ? `${line}: so little is known that the run may be far from the program's`
    : line;
}
