/** Gramine today, N4. */

import { SIG } from "../../../engine/index.ts";
import { HOW, NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { argsOf, createLabelTest, MS, timeText } from "../common.ts";
import { followWorkers } from "../workers.ts";

interface Data {
  readonly call: string;
  readonly late: number;
}
type Id = "armed" | "asleep" | "no-signal";

interface Timer {
  readonly thread: number;
  readonly call: string;
  readonly seq: number;
  /** Earliest time at which it is over, ns. */
  readonly due: number;
}

/** The time after which it comes, ns, as text; undefined: the call sets no timer. */
const afterOf = (label: string): string | undefined =>
  (/^(\d+)\)/.exec(argsOf("alarm", label) ?? "") ?? /^(\d+), \d+, real/.exec(argsOf("setitimer", label) ?? ""))?.[1];
/** The worker needs its time. */
const LATE_NS = 5 * MS;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process. */
  const timers = new Map<number, Timer>();
  const workers = followWorkers(m);
  const setsTimer = createLabelTest(m, (label) => afterOf(label) !== undefined);

  function check(pid: number): void {
    const timer = timers.get(pid);
    if (timer === undefined || m.time < timer.due + LATE_NS) return;
    const asleep = workers.asleepSince(pid, timer.due);
    if (asleep === NONE) return;
    timers.delete(pid);
    found({
      thread: timer.thread,
      costNs: m.time - timer.due,
      evidence: [
        { id: "armed", seq: timer.seq },
        { id: "asleep", seq: asleep },
        { id: "no-signal", seq: m.seq },
      ],
      data: { call: timer.call, late: m.time - timer.due },
    });
  }

  const came = (): void => {
    if (m.signal === SIG.ALRM && timers.size > 0) timers.delete(m.value < 0 ? m.pid() : m.pid(m.value));
  };

  return {
    ...workers.listeners,
    "call.end"() {
      if (timers.size > 0) check(m.pid());
      if (m.how !== HOW.RETURNED || !m.hasLibos || m.value < 0 || !setsTimer(m.closed)) return;
      const label = m.labelOf(m.closed);
      const ns = Number(afterOf(label));
      if (ns === 0) timers.delete(m.pid());
      else timers.set(m.pid(), { thread: m.thread, call: label, seq: m.seqOf(m.closed), due: m.timeOf(m.closed) + ns });
    },
    "libos.signal.append": came,
    "libos.signal.drop": came,
    "process.exit"() {
      check(m.pid());
      timers.delete(m.pid());
    },
    "trace.end"() {
      for (const pid of [...timers.keys()]) check(pid);
    },
  };
}

export const alarmLostInWorkerGap = defineRule({
  id: "alarm-lost-in-worker-gap",
  title: "an alarm expires while the async worker is awake, and is not seen",
  severity: "high",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "The async worker waits until the next time that is later than the clock it reads at the top of its loop. What expires between its look at " +
    "what is over and that reading is neither: it is passed over, and when it was the only one the worker waits without a time-out.",
  why:
    "alarm(1) does not come, and a periodic timer stops for good, until another thread ends or another timer is set. A watchdog or a profiler " +
    "stands still about once in some thousand expiries.",
  recognise:
    "The rule looks for an alarm or an ITIMER_REAL whose time has been over for 5 ms without a SIGALRM, where a thread of the LibOS was awake for another reason then, and sleeps since.",
  ignore: [
    {
      text: "the alarm comes",
      nearMiss: {
        name: "an alarm, and a thread that ends long before",
        scenario: `
          main:
            - sigaction: { signal: SIGALRM, handler: on-alrm }
            - setitimer: { value: 4ms }
            - clone: short
            - nanosleep: 20ms
            - nanosleep: 20ms
          programs:
            short:
              - getpid
          handlers:
            on-alrm:
              - compute: 1us
        `,
        stacks: ["gramine-sgx"],
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
  ],
  remedy: "Do not wait when a time is over already.",
  fix: "alarm-lost-in-worker-gap",
  cost: "how long the alarm is late by then",
  source: "gramine today, corrections 9.2, N4; libos_async.c:151-290",
  run,
  report: {
    title: ({ call }) => `${call}: its time was over while the LibOS's worker was awake, and SIGALRM does not come`,
    same: ({ call }) => [call],
    turn: ["asleep"],
    captions: {
      armed: ({ call }) => `the application calls ${call}`,
      asleep: () => "the worker, awake for something else, has passed over what is due, and sleeps",
      "no-signal": ({ late }) => `${timeText(late)} late, and no SIGALRM was sent`,
    },
  },
  invalid: [
    {
      name: "a thread ends just before the timer expires",
      scenario: `
        main:
          - sigaction: { signal: SIGALRM, handler: on-alrm }
          - setitimer: { value: 2ms }
          - clone: short
          - nanosleep: 20ms
        programs:
          short:
            - compute: 1972500ns
        handlers:
          on-alrm:
            - compute: 1us
      `,
      stacks: ["gramine-sgx"],
      found: [
        {
          title: "setitimer(2000000, 0, real): its time was over while the LibOS's worker was awake, and SIGALRM does not come",
          evidence: ["armed", "asleep", "no-signal"],
        },
      ],
    },
  ],
});
