/** Reference 3.2 `setitimer-never-signals`; the timers of 2.19. */

import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { argsOf, calls, createLabelTest, GRAPHENE, MS, timeText } from "../common.ts";
import { followWorkers } from "../workers.ts";

interface Data {
  readonly call: string;
  readonly after: number;
}
type Id = "armed" | "no-signal";

interface Timer {
  readonly thread: number;
  readonly call: string;
  readonly seq: number;
  readonly at: number;
  readonly due: number;
  /** Earliest time at which it is over: the LibOS reads the clock somewhere in the call. */
  readonly earliest: number;
}

const SIGALRM = 14;
/** The helper needs its time. */
const LATE_NS = 5 * MS;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const setsTimer = createLabelTest(m, calls("alarm", "setitimer"));
  /** By process. */
  const timers = new Map<number, Timer>();
  const workers = followWorkers(m);

  function check(pid: number): void {
    const timer = timers.get(pid);
    if (timer === undefined || m.time < timer.due + LATE_NS) return;
    timers.delete(pid);
    // A worker that passes over what is due is another fault: alarm-lost-in-worker-gap.
    if (workers.asleepSince(pid, timer.earliest) !== NONE) return;
    found({
      thread: timer.thread,
      costNs: 0,
      evidence: [
        { id: "armed", seq: timer.seq },
        { id: "no-signal", seq: m.seq },
      ],
      data: { call: timer.call, after: timer.due - timer.at },
    });
  }

  const came = (): void => {
    if (m.signal === SIGALRM && timers.size > 0) timers.delete(m.value < 0 ? m.pid() : m.pid(m.value));
  };

  return {
    ...workers.listeners,
    "app.return"() {
      const pid = m.pid();
      if (timers.size > 0) check(pid);
      if (m.closed === NONE || !m.hasLibos || m.value < 0 || !setsTimer(m.closed)) return;
      timers.delete(pid);
      const label = m.labelOf(m.closed);
      const ns = Number(/^(\d+), \d+, real/.exec(argsOf("setitimer", label) ?? "")?.[1] ?? 0);
      if (ns <= 0) return;
      const [seq, earliest] = [m.seqOf(m.closed), m.timeOf(m.closed) + ns];
      timers.set(pid, { thread: m.thread, call: label, seq, at: m.time, due: m.time + ns, earliest });
    },
    "libos.signal.append": came,
    "host.signal.generate": came,
    "process.exit"() {
      check(m.pid());
      timers.delete(m.pid());
    },
    "trace.end"() {
      for (const pid of timers.keys()) check(pid);
    },
  };
}

export const setitimerNeverSignals = defineRule({
  id: "setitimer-never-signals",
  title: "an interval timer expires, and no SIGALRM is sent",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "setitimer(ITIMER_REAL) arms a timer whose callback only notes that the time is over. Nothing sends SIGALRM, and nothing arms the next interval.",
  why: "Profilers, watchdogs and schedulers that live on the timer stand still.",
  recognise:
    "The rule looks for setitimer(real) with a time that has passed, with no SIGALRM sent to the process and no other timer set meanwhile.",
  ignore: [
    {
      text: "the timer is disarmed or set again before its time",
      nearMiss: {
        name: "setitimer, then setitimer(0)",
        scenario: `
          main:
            - setitimer: { value: 5ms }
            - setitimer: { value: 0s }
            - nanosleep: 20ms
        `,
        stacks: GRAPHENE,
        reaches: ["app.return"],
      },
    },
    {
      text: "alarm() sends its signal",
      nearMiss: { name: "alarm", scenario: "alarm", stacks: GRAPHENE, reaches: ["libos.signal.append", "app.handler.enter"] },
    },
  ],
  remedy: "Send SIGALRM (Gramine 5c312f95d, 2022-09-14) and arm the next interval (0ca3cbd5d, 2024-02-21).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.19",
  run,
  report: {
    title: ({ call, after }) => `${call}: ${timeText(after)} have passed, and SIGALRM is never sent`,
    same: ({ call }) => [call],
    turn: ["no-signal"],
    captions: {
      armed: ({ call }) => `the application calls ${call}`,
      "no-signal": () => "its time is over by now, and no SIGALRM was sent",
    },
  },
  invalid: [
    {
      name: "setitimer in place of an alarm",
      scenario: "w8-alarm-itimer",
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "setitimer(5000000000, 0, real): 5 s have passed, and SIGALRM is never sent", evidence: ["armed", "no-signal"] }],
    },
  ],
});
