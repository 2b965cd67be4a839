/** Reference 3.2 `sync-signal-deferred-livelock`; deliver_signal of 2.12. */

import { isSynchronous, signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, SGX, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly times: number;
  readonly lasted: number;
  readonly inHandler: boolean;
}
type Id = "fault" | "deferred" | "fault-again" | "deferred-again" | "end";

interface Loop {
  readonly signal: number;
  readonly inHandler: boolean;
  readonly fault: number;
  readonly deferred: number;
  readonly since: number;
  faultAgain: number;
  deferredAgain: number;
  times: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const faults = m.notesOnThreads<number>();
  const loops = m.notesOnThreads<Loop>();

  function deferred(): void {
    if (m.value !== 1 || !isSynchronous(m.signal)) return;
    const loop = loops.get(m.slot);
    const fault = faults.get(m.slot) ?? NONE;
    if (fault === NONE) return;
    if (loop === null || loop.signal !== m.signal) {
      const inHandler = m.open(SCOPE.HANDLER) !== NONE;
      loops.set(m.slot, {
        signal: m.signal,
        inHandler,
        fault,
        deferred: m.seq,
        since: m.time,
        faultAgain: NONE,
        deferredAgain: NONE,
        times: 1,
      });
      return;
    }
    loop.times += 1;
    if (loop.times !== 2) return;
    loop.faultAgain = fault;
    loop.deferredAgain = m.seq;
  }

  function over(thread: number, slot: number): void {
    const loop = loops.get(slot);
    if (loop === null) return;
    loops.remove(slot);
    if (loop.times < 2) return;
    found({
      thread,
      costNs: m.time - loop.since,
      evidence: [
        { id: "fault", seq: loop.fault },
        { id: "deferred", seq: loop.deferred },
        { id: "fault-again", seq: loop.faultAgain },
        { id: "deferred-again", seq: loop.deferredAgain },
        { id: "end", seq: m.seq },
      ],
      data: { signal: loop.signal, times: loop.times, lasted: m.time - loop.since, inHandler: loop.inHandler },
    });
  }
  const goesOn = (): void => over(m.thread, m.slot);

  return {
    "app.fault": () => faults.set(m.slot, m.seq),
    "libos.signal.decide": deferred,
    "app.handler.enter": goesOn,
    "app.call": goesOn,
    "app.return": goesOn,
    "thread.exit": goesOn,
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) over(thread, slot);
    },
  };
}

export const syncSignalDeferredLivelock = defineRule({
  id: "sync-signal-deferred-livelock",
  title: "a fault whose signal is put off happens again for ever",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "SIGSEGV, SIGFPE, SIGILL or SIGBUS of an instruction is treated like any other signal: while a handler runs, or the mask blocks it, it goes " +
    "into the ring. The return executes the same instruction, which faults again; after 31 times the ring is full.",
  why: 'A processor at 100 % and a log full of "signal queue is full". Linux kills the process with the signal, so a supervisor would notice.',
  recognise: "The rule looks for two faults in a row of a thread, both deferred, with nothing of the application between them.",
  ignore: [
    {
      text: "the handler runs each time and does not mend the fault: that loops on Linux, too",
      nearMiss: {
        name: "a handler that returns to the fault",
        scenario: `
          main:
            - sigaction: { signal: SIGFPE, handler: on-fpe }
            - fault: divide
          handlers:
            on-fpe:
              - compute: 1us
          limit: { time: 2ms }
        `,
        stacks: GRAPHENE,
        reaches: ["app.fault", "libos.signal.decide", "app.handler.enter"],
      },
    },
  ],
  remedy: "A place of its own for such a signal, delivered whatever the mask says (Graphene c24bddd5a, 2021-02-05; Linux kills).",
  fix: null,
  cost: "how long it goes round",
  source: "reference 3.2",
  run,
  report: {
    title: ({ signal, inHandler }) =>
      `${signalName(signal)} of an instruction is put off${inHandler ? " while a handler runs" : ""}, and the instruction faults again and again`,
    same: ({ signal, inHandler }) => [signal, inHandler ? 1 : 0],
    turn: ["fault-again"],
    captions: {
      fault: () => "an instruction of the application faults",
      deferred: ({ signal, inHandler }) =>
        `${signalName(signal)} is put off: ${inHandler ? "a handler runs" : "the mask blocks it, or the counter is too high"}`,
      "fault-again": () => "back to the same instruction, which faults again",
      "deferred-again": () => "and its signal is put off again",
      end: ({ times, lasted }) => `${times.toLocaleString("en")} times so far, in ${timeText(lasted)}`,
    },
  },
  invalid: [
    {
      name: "a second fault after siglongjmp out of the first one's handler",
      scenario: "w5-longjmp",
      stacks: SGX,
      found: [
        {
          title: "SIGSEGV of an instruction is put off, and the instruction faults again and again",
          evidence: ["fault", "deferred", "fault-again", "deferred-again", "end"],
        },
      ],
    },
    {
      name: "a division by zero in a handler",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - sigaction: { signal: SIGFPE, handler: on-fpe }
          - tgkill: { thread: self, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - fault: divide
          on-fpe:
            - skip-fault
        limit: { time: 2ms }
      `,
      stacks: GRAPHENE,
      found: [
        {
          title: "SIGFPE of an instruction is put off while a handler runs, and the instruction faults again and again",
          evidence: ["fault", "deferred", "fault-again", "deferred-again", "end"],
        },
      ],
    },
  ],
});
