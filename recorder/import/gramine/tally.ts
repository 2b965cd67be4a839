/** What became of each line of the log. Every line is counted once, but for `stray`. */

import type { QualityCounter } from "../../format/metadata.ts";

const FATES = {
  calls: { severity: "info", advice: "lines of system calls" },
  signals: { severity: "info", advice: "lines on signals, handlers, ends of threads and processes" },
  joined: { severity: "info", advice: "lines that go on with the one before: the log's buffer was too short for a call" },
  other: { severity: "info", advice: "what the LibOS says of other things" },
  empty: { severity: "info", advice: "empty lines" },
  foreign: { severity: "info", advice: "lines without the log's prefix: the program's own output" },
  cut: { severity: "notice", advice: "calls whose line was cut and never went on: another thread wrote into it" },
  stray: { severity: "data-loss", advice: "the end of a call, or of a handler, whose beginning is not in the log" },
} as const satisfies Record<string, Pick<QualityCounter, "severity" | "advice">>;

export type Fate = keyof typeof FATES;

const NO_TIMES: QualityCounter = {
  name: "gramine.no-times",
  count: 1,
  severity: "notice",
  advice: "the log has no times: each of its lines stands for 1 us, order is all that its times say",
};

export interface GramineTally {
  add(fate: Fate): void;
  /** So many runs more than one stand in the log. */
  anotherRun(count: number): void;
  counters(): QualityCounter[];
}

export function createGramineTally(): GramineTally {
  const counts = new Map<Fate, number>();
  let runs = 0;
  const more = (): QualityCounter[] =>
    runs === 0
      ? []
      : [
          {
            name: "gramine.runs",
            count: runs,
            severity: "data-loss",
            advice: "runs begin after the first one: told as if all were one; cut them apart",
          },
        ];
  return {
    add: (fate) => void counts.set(fate, (counts.get(fate) ?? 0) + 1),
    anotherRun: (count) => {
      runs = count;
    },
    counters: () => [...[...counts].map(([fate, count]) => ({ name: `gramine.${fate}`, count, ...FATES[fate] })), ...more(), NO_TIMES],
  };
}
