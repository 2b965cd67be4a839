/** Reference 3.2 `alarm-fires-early`; 2.19, D14. */

import { SIG, signalName } from "../../../engine/index.ts";
import { NONE, only, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAPHENE, timeText } from "../common.ts";

interface Data {
  readonly call: string;
  readonly by: number;
  readonly early: number;
}
type Id = "armed" | "interrupted" | "fired";

interface Alarm {
  readonly thread: number;
  readonly call: string;
  readonly seq: number;
  readonly due: number;
}

const INTERRUPTED = 2;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process: the alarm that was asked for last, and one before it whose time was over and that was not sent yet. */
  const alarms = new Map<number, { readonly now: Alarm | null; readonly late: boolean }>();
  /** On the LibOS's own threads: what interrupted their last wait. */
  const woken = m.notesOnThreads<{ readonly seq: number; readonly signal: number }>();

  function fired(): void {
    if (m.signal !== SIG.ALRM || alarms.size === 0 || !m.isInternal()) return;
    const pid = m.pid(m.value);
    const alarm = alarms.get(pid);
    if (alarm === undefined) return;
    const { now, late } = alarm;
    if (late) return void alarms.set(pid, { now, late: false });
    alarms.delete(pid);
    if (now === null || now.thread !== m.value || m.time >= now.due) return;
    const by = woken.get(m.slot);
    found({
      thread: now.thread,
      costNs: now.due - m.time,
      evidence: [
        { id: "armed", seq: now.seq },
        ...(by === null ? [] : [{ id: "interrupted" as const, seq: by.seq }]),
        { id: "fired", seq: m.seq },
      ],
      data: { call: now.call, by: by?.signal ?? 0, early: now.due - m.time },
    });
  }

  return {
    "app.return": only(calls("alarm"), () => {
      if (m.closed === NONE || !m.hasLibos) return;
      const label = m.labelOf(m.closed);
      const ns = Number(/\((\d+)/.exec(label)?.[1] ?? 0);
      const before = alarms.get(m.pid());
      const late = before !== undefined && (before.late || (before.now !== null && before.now.due <= m.time));
      const now = ns > 0 ? { thread: m.thread, call: label, seq: m.seqOf(m.closed), due: m.timeOf(m.closed) + ns } : null;
      alarms.set(m.pid(), { now, late });
    }),
    "thread.wake"() {
      if (!m.isInternal()) return;
      if (m.value === INTERRUPTED) woken.set(m.slot, { seq: m.seq, signal: 0 });
      else woken.remove(m.slot);
    },
    "host.signal.deliver"() {
      const note = woken.get(m.slot);
      if (note !== null && note.signal === 0) woken.set(m.slot, { seq: m.seq, signal: m.signal });
    },
    "libos.signal.append": fired,
    "process.exit": () => alarms.delete(m.pid()),
  };
}

export const alarmFiresEarly = defineRule({
  id: "alarm-fires-early",
  title: "an alarm comes before its time, because a signal woke the thread that waits for it",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "The async helper sleeps until the next alarm is due. Whatever ends its sleep without a readable pipe counts as the time-out: it looks neither " +
    "at the clock nor at the error, and sends SIGALRM.",
  why: "A signal of the host that the kernel gives to the helper makes all time-outs of the program run off at once: requests are given up.",
  recognise: "The rule looks for a SIGALRM that a thread of the LibOS sends earlier than the alarm that was set last is due.",
  ignore: [
    {
      text: "the alarm is set again: the one before was due",
      nearMiss: {
        name: "an alarm, and another one after its signal",
        scenario: `
          main:
            - sigaction: { signal: SIGALRM, handler: on-alarm }
            - alarm: 1s
            - nanosleep: 2s
            - alarm: 1s
            - nanosleep: 2s
          handlers:
            on-alarm:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
    {
      text: "the signal goes to a thread of the application: the helper sleeps on",
      nearMiss: {
        name: "SIGINT to the main thread during an alarm",
        scenario: `
          main:
            - sigaction: { signal: SIGALRM, handler: on-alarm }
            - sigaction: { signal: SIGINT, handler: on-alarm }
            - alarm: 1s
            - nanosleep: 2s
            - nanosleep: 2s
          handlers:
            on-alarm:
              - compute: 1us
          signals:
            - signal: SIGINT
              thread: main
              when: { at: 100ms }
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "libos.signal.append"],
      },
    },
    {
      text: "the clock said 0 when the alarm was set (sgx-time-query-zero): its entry has no time, and is not called early",
      nearMiss: {
        name: "SIGINT in the time query of alarm, and another one to the helper",
        scenario: `
          main:
            - sigaction: { signal: SIGALRM, handler: on-alarm }
            - sigaction: { signal: SIGINT, handler: on-alarm }
            - alarm: 10s
            - nanosleep: 3s
          handlers:
            on-alarm:
              - compute: 1us
          signals:
            - signal: SIGINT
              thread: main
              when: { thread: main, site: "ocall_gettime: take the arguments" }
            - signal: SIGINT
              thread: async-helper
              when: { at: 1s }
        `,
        stacks: ["graphene-sgx"],
        reaches: ["ocall_gettime: take the arguments", "libos.signal.lost"],
      },
    },
  ],
  remedy: "Look at the clock again (Graphene 87a4d4768, 2019-06-18).",
  fix: "async-list-redundant-cancel",
  cost: "how much too early the signal is",
  source: "reference 3.2, 2.19 and D14",
  run,
  report: {
    title: ({ call, by, early }) =>
      `${call.replace(/\(.*/, "")}: SIGALRM comes ${timeText(early)} too early${by === 0 ? "" : `, because ${signalName(by)} woke the helper`}`,
    same: ({ by }) => [by],
    turn: ["fired"],
    captions: {
      armed: () => "the application sets the alarm",
      interrupted: ({ by }) => `${by === 0 ? "a signal" : signalName(by)} ends the sleep of the async helper`,
      fired: ({ early }) => `it takes this for the time-out and sends SIGALRM, ${timeText(early)} too early`,
    },
  },
  invalid: [
    {
      name: "SIGINT to the helper",
      scenario: `
        main:
          - sigaction: { signal: SIGALRM, handler: on-alarm }
          - alarm: 10s
          - nanosleep: 3s
        handlers:
          on-alarm:
            - compute: 1us
        signals:
          - signal: SIGINT
            thread: async-helper
            when: { at: 1s }
            stacks: [graphene-linux, graphene-sgx]
      `,
      stacks: GRAPHENE,
      found: [{ title: "alarm: SIGALRM comes 9 s too early, because SIGINT woke the helper", evidence: ["armed", "interrupted", "fired"] }],
    },
  ],
});
