/** Gramine today, B21. */

import { signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly times: number;
  readonly took: number;
}
type Id = "forced" | "ignored" | "last";

interface Loop {
  readonly signal: number;
  readonly forced: number;
  readonly ignored: number;
  readonly at: number;
  times: number;
  last: number;
  lastAt: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const forced = m.notesOnThreads<{ readonly seq: number; readonly id: number }>();
  const loops = m.notesOnThreads<Loop>();

  function over(slot: number, thread: number): void {
    const loop = loops.get(slot);
    if (loop === null || loop.last === NONE) return;
    loops.remove(slot);
    found({
      thread,
      costNs: loop.lastAt - loop.at,
      evidence: [
        { id: "forced", seq: loop.forced },
        { id: "ignored", seq: loop.ignored },
        { id: "last", seq: loop.last },
      ],
      data: { signal: loop.signal, times: loop.times, took: loop.lastAt - loop.at },
    });
  }

  return {
    "libos.signal.force": () => forced.set(m.slot, { seq: m.seq, id: m.extra }),
    "libos.signal.ignore"() {
      const one = forced.get(m.slot);
      if (one === null || one.id !== m.extra) return;
      const loop = loops.get(m.slot);
      if (loop !== null && loop.signal === m.signal) {
        loop.times += 1;
        loop.last = m.seq;
        loop.lastAt = m.time;
      } else loops.set(m.slot, { signal: m.signal, forced: one.seq, ignored: m.seq, at: m.time, times: 1, last: NONE, lastAt: 0 });
    },
    "thread.exit": () => over(m.slot, m.thread),
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) over(slot, thread);
    },
  };
}

export const forcedSignalIgnoredLoop = defineRule({
  id: "forced-signal-ignored-loop",
  title: "a fault whose signal is ignored repeats for ever",
  severity: "medium",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "A fault forces its signal. Where the program ignores that signal Linux resets it to the default, and the process dies. Here the signal is " +
    "thrown away, and the instruction faults again.",
  why: "In place of a core dump there is a process that burns a processor and does nothing, and under SGX some enclave exits for each round.",
  recognise: "The rule looks for forced signals that a thread ignores again and again.",
  ignore: [
    {
      text: "a signal of the same number that somebody sends is thrown away once",
      nearMiss: {
        name: "SIGFPE by kill, ignored",
        scenario: `
          main:
            - sigaction: { signal: SIGFPE, handler: ignore }
            - kill: { process: self, signal: SIGFPE }
            - kill: { process: self, signal: SIGFPE }
        `,
        stacks: GRAMINE,
        reaches: ["app.return"],
      },
    },
  ],
  remedy: "Treat an ignored forced signal as one without a handler.",
  fix: "forced-signal-ignored-loop",
  cost: "from the first to the last time that it was ignored",
  source: "gramine today 5, 14 B21; libos_signal.c:747-847",
  run,
  report: {
    title: ({ signal }) => `a fault raises ${signalName(signal)}, which is ignored, again and again`,
    same: ({ signal }) => [signal],
    turn: ["ignored"],
    captions: {
      forced: ({ signal }) => `the fault forces ${signalName(signal)}`,
      ignored: () => "the program ignores it: it is thrown away, and the instruction is made again",
      last: ({ times, took }) => `${times.toLocaleString("en")} times in ${timeText(took)}`,
    },
  },
  invalid: [
    {
      name: "a division by zero with SIGFPE ignored",
      scenario: `
        main:
          - sigaction: { signal: SIGFPE, handler: ignore }
          - fault: { what: divide }
        limit: { time: 1ms, transitions: 5000 }
      `,
      stacks: GRAMINE,
      found: [{ title: "a fault raises SIGFPE, which is ignored, again and again", evidence: ["forced", "ignored", "last"] }],
    },
  ],
});
