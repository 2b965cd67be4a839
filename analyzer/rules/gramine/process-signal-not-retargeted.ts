/** Gramine today, 6: not in the catalogue; read in the source. libos_sigaction.c:307-337, libos_signal.c:635-650 and 810-825. */

import { signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE, MS, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly thread: string;
  readonly other: string;
  readonly late: number;
  readonly ended: boolean;
}
type Id = "queued" | "chosen" | "blocked" | "taken" | "end";

/** A signal for the process, and the thread that was woken for it. */
interface Given {
  readonly signal: number;
  readonly thread: number;
  readonly queued: number;
  readonly chosen: number;
  /** Where that thread has blocked it, and who would have let it through there; NONE: not yet. */
  blocked: number;
  at: number;
  other: number;
}

const MOST = 64;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On senders: what they have queued for the process last. */
  const queued = m.notesOnThreads<{ readonly id: number; readonly signal: number; readonly seq: number }>();
  /** By id. */
  const given = new Map<number, Given>();

  function whoLetsThrough({ signal, thread }: Given): number {
    for (const [other] of m.liveThreads())
      if (other !== thread && m.pid(other) === m.pid() && !m.isInternal(other) && m.isDue({ signal, in: WAITS_IN.LIBOS }, other) === true)
        return other;
    return NONE;
  }

  function told({ signal, thread, queued: from, chosen, blocked, at, other }: Given, ended: boolean): void {
    const late = m.time - at;
    if (late < MS) return;
    found({
      thread,
      costNs: late,
      evidence: [
        { id: "queued", seq: from },
        { id: "chosen", seq: chosen },
        { id: "blocked", seq: blocked },
        { id: ended ? "taken" : "end", seq: m.seq },
      ],
      data: { signal, thread: m.nameOf(thread), other: m.nameOf(other), late, ended },
    });
  }

  return {
    "libos.signal.append"() {
      if (m.value === NONE) queued.set(m.slot, { id: m.extra, signal: m.signal, seq: m.seq });
      else queued.remove(m.slot);
    },
    "libos.wake"() {
      const one = queued.get(m.slot);
      if (one === null) return;
      queued.remove(m.slot);
      if (given.size < MOST)
        given.set(one.id, { signal: one.signal, thread: m.value, queued: one.seq, chosen: m.seq, blocked: NONE, at: 0, other: NONE });
    },
    "libos.mask"() {
      if (given.size === 0) return;
      for (const one of given.values()) {
        if (one.thread !== m.thread || one.blocked !== NONE || m.isDue({ signal: one.signal, in: WAITS_IN.LIBOS }) !== false) continue;
        one.other = whoLetsThrough(one);
        if (one.other === NONE) continue;
        one.blocked = m.seq;
        one.at = m.time;
      }
    },
    "libos.signal.fetch"() {
      const one = given.get(m.extra);
      if (one === undefined) return;
      given.delete(m.extra);
      if (one.blocked !== NONE) told(one, true);
    },
    "process.exit"() {
      for (const [id, { thread }] of given) if (m.pid(thread) === m.pid()) given.delete(id);
    },
    "trace.end"() {
      for (const one of given.values()) if (one.blocked !== NONE) told(one, false);
    },
  };
}

/** The sender blocks the second signal; main lets it through, and its handler of the first one does not. */
const TWO = (mask: string, waiter: string): string => `
  objects:
    pipe: pipe
  main:
    - sigaction: { signal: SIGUSR1, handler: slow, mask: ${mask} }
    - sigaction: { signal: SIGUSR2, handler: quick }
    - clone: waiter
    - clone: sender
    - read: { from: pipe }
  programs:
    waiter: ${waiter}
    sender:
      - sigprocmask: { how: block, signals: [SIGUSR2] }
      - nanosleep: 2ms
      - kill: { process: self, signal: SIGUSR2 }
      - tgkill: { thread: main, signal: SIGUSR1 }
  handlers:
    slow:
      - nanosleep: 5ms
    quick:
      - getpid
  limit: { time: 20ms, transitions: 30000 }
`;

export const processSignalNotRetargeted = defineRule({
  id: "process-signal-not-retargeted",
  title: "a signal for the process waits for a thread that has blocked it meanwhile, and another one would take it",
  severity: "high",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "Of a signal for the process one thread is told: the first whose mask lets it through. If that one blocks it before it comes to it, by the mask " +
    "of a handler that it runs first, by sigprocmask, or as its sigtimedwait ends, nobody else is told. Linux looks for another thread when one blocks " +
    "a signal that is pending for the process.",
  why: "A request to stop waits until the handler is over, or the thread unblocks it again, while another thread sleeps that would take it at once.",
  recognise:
    "The rule looks for a signal in the queue of the process that its chosen thread has blocked for a millisecond or more, with another thread " +
    "there that lets it through.",
  ignore: [
    {
      text: "the handler's mask lets it through: it is nested, or comes next",
      nearMiss: {
        name: "a handler that blocks only its own signal",
        scenario: TWO("[]", "[pause]"),
        stacks: GRAMINE,
        reaches: ["libos.wake", "libos.mask", "app.handler.enter"],
      },
    },
    {
      text: "all others block it, too: Linux waits as well",
      nearMiss: {
        name: "a second thread that blocks it",
        scenario: TWO("[SIGUSR2]", "[{ sigprocmask: { how: block, signals: [SIGUSR2] } }, pause]"),
        stacks: GRAMINE,
        reaches: ["libos.wake", "libos.mask", "app.handler.enter"],
      },
    },
  ],
  remedy: "Walk the threads again when one blocks what is pending for the process, or ends, as retarget_shared_pending of Linux does.",
  fix: null,
  cost: "how long the signal waited after the thread had blocked it",
  source: "gramine today 6; libos_sigaction.c:307-337; libos_signal.c:635-650, 810-825; Linux, kernel/signal.c, __set_task_blocked",
  run,
  report: {
    title: ({ signal, thread, other, late, ended }) =>
      `${signalName(signal)} waits for ${thread}, which has blocked it, ${ended ? `for ${timeText(late)}` : "to the end of the trace"}; ${other} would take it`,
    same: ({ signal, thread }) => [signal, thread],
    turn: ["blocked"],
    captions: {
      queued: ({ signal }) => `${signalName(signal)} is put into the queue of the process`,
      chosen: ({ thread }) => `${thread} lets it through, and is woken for it`,
      blocked: ({ other }) => `the thread blocks it before it has taken it: ${other} is not told`,
      taken: ({ late }) => `it is taken ${timeText(late)} later`,
      end: () => "it still waits when the trace ends",
    },
  },
  invalid: [
    {
      name: "a handler of a lower number blocks the signal",
      scenario: TWO("[SIGUSR2]", "[pause]"),
      stacks: GRAMINE,
      found: [
        {
          title: "SIGUSR2 waits for main, which has blocked it, for 5 ms; waiter would take it",
          evidence: ["queued", "chosen", "blocked", "taken"],
        },
      ],
    },
  ],
});
