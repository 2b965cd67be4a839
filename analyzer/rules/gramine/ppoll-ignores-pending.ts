/** Gramine today, 8; confirmed by a run of Gramine itself (its answers to s10 and s10b of the project's programs). */

import { signalName } from "../../../engine/index.ts";
import { NONE, only, type PendingSignal, SCOPE, type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, calls, createRing, GRAMINE, MS, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly slept: number;
  readonly ended: boolean;
}
type Id = "pending" | "called" | "asleep" | "awake" | "end";

interface Sleep {
  readonly signal: number;
  readonly call: string;
  readonly pending: number;
  readonly called: number;
  readonly seq: number;
  readonly at: number;
}

/** Those that do not look; epoll_wait does. */
const polls = calls("poll", "ppoll", "select", "pselect6");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const sleeps = m.notesOnThreads<Sleep>();
  /** Process of a signal that was queued for all its threads, by the signal's id. */
  const processOf = createRing();

  const isMine = (p: Readonly<PendingSignal>): boolean =>
    p.in === WAITS_IN.LIBOS && (p.thread === m.thread || (p.thread === NONE && processOf.get(p.id) === m.pid()));

  function over(thread: number, sleep: Sleep, ended: boolean): void {
    const slept = m.time - sleep.at;
    if (slept < MS && !m.isOver) return;
    found({
      thread,
      costNs: slept,
      evidence: [
        { id: "pending", seq: sleep.pending },
        { id: "called", seq: sleep.called },
        { id: "asleep", seq: sleep.seq },
        { id: ended ? "awake" : "end", seq: m.seq },
      ],
      data: { signal: sleep.signal, call: sleep.call, slept, ended },
    });
  }

  return {
    "libos.signal.append": () => processOf.set(m.extra, m.pid()),
    "thread.block": only(polls, () => {
      sleeps.remove(m.slot);
      if (m.value !== 1 || !m.anyPending()) return;
      const call = m.open(SCOPE.CALL);
      if (call === NONE) return;
      for (const p of m.signals.waiting.values()) {
        if (!isMine(p) || p.seq > m.seqOf(call) || m.isDue(p) !== true) continue;
        return sleeps.set(m.slot, { signal: p.signal, call: callOf(m), pending: p.seq, called: m.seqOf(call), seq: m.seq, at: m.time });
      }
    }),
    "thread.wake": sleeps.whileAny(() => {
      const sleep = sleeps.get(m.slot);
      if (sleep === null) return;
      sleeps.remove(m.slot);
      over(m.thread, sleep, true);
    }),
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) {
        const sleep = sleeps.get(slot);
        if (sleep !== null && !m.isStopped(thread)) over(thread, sleep, false);
      }
    },
  };
}

const HANDLER = `
  handlers:
    on-usr1:
      - compute: 1us
`;

/** USR1 is blocked and pending when the call begins. */
const PENDING = (call: string): string => `
  objects:
    pipe: pipe
  main:
    - sigaction: { signal: SIGUSR1, handler: on-usr1 }
    - sigprocmask: { how: block, signals: [SIGUSR1] }
    - kill: { process: self, signal: SIGUSR1 }
    - ${call}${HANDLER}`;

export const ppollIgnoresPending = defineRule({
  id: "ppoll-ignores-pending",
  title: "ppoll and pselect sleep although a signal that their mask lets through is pending",
  severity: "high",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "ppoll and pselect put their mask in force and ask the PAL to wait. They do not look whether a signal that the mask lets through is pending " +
    "already: its wake-up came while it was blocked. epoll_pwait and sigsuspend do look.",
  why:
    "Block SIGCHLD or SIGTERM, look at the flag, ppoll: this is how event loops wait without a race, and what ppoll and pselect are for. Here the " +
    "loop sleeps until something else comes, without a time-out for ever.",
  recognise:
    "The rule looks for a sleep in poll, ppoll, select or pselect, of a millisecond or more, over a signal that the LibOS had queued before the " +
    "call began and that the mask in force lets through.",
  ignore: [
    {
      text: "the mask of the call blocks the signal, too: Linux sleeps as well",
      nearMiss: {
        name: "SIGUSR1 pending, and blocked by the mask of ppoll",
        scenario: PENDING("poll: { on: [pipe], timeout: 5ms, mask: [SIGUSR1] }"),
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "thread.block", "set_user_sigmask: saved_sigmask := signal_mask; signal_mask := mask"],
      },
    },
    {
      text: "something is there to read: the call does not sleep, and the signal is handled at its end",
      nearMiss: {
        name: "ppoll of a pipe with data",
        scenario: `
          objects:
            pipe: pipe
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - kill: { process: self, signal: SIGUSR1 }
            - write: { to: pipe, bytes: 1 }
            - poll: { on: [pipe], timeout: 5ms, mask: [] }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
    {
      text: "epoll_pwait looks before it waits",
      nearMiss: {
        name: "the same with epoll_pwait",
        scenario: PENDING("epoll-wait: { on: [pipe], timeout: 5ms, mask: [] }"),
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
  ],
  remedy: "Look for pending signals after the mask is in force and before the wait, as epoll_wait does.",
  fix: "ppoll-ignores-pending",
  cost: "how long the thread slept over the signal",
  source: "gramine today 8; libos_poll.c:261-294, 436-486, beside libos_epoll.c:613-619",
  run,
  report: {
    title: ({ signal, call, slept, ended }) =>
      `${call} sleeps over ${signalName(signal)}, which was pending before: ${ended ? timeText(slept) : "to the end of the trace"}`,
    same: ({ signal, call }) => [signal, call],
    turn: ["asleep"],
    captions: {
      pending: ({ signal }) => `${signalName(signal)} is pending: it is blocked, so that the program cannot miss it`,
      called: ({ call }) => `the application calls ${call}, whose mask lets it through`,
      asleep: () => "the thread falls asleep without a look at what is pending",
      awake: ({ slept }) => `it wakes after ${timeText(slept)}, by something else`,
      end: () => "it still sleeps when the trace ends",
    },
  },
  invalid: [
    {
      name: "SIGUSR1 is pending when ppoll lets it through",
      scenario: PENDING("poll: { on: [pipe], timeout: 5ms, mask: [] }"),
      stacks: GRAMINE,
      found: [
        {
          title: "poll(pipe, 5000000) sleeps over SIGUSR1, which was pending before: 5 ms",
          evidence: ["pending", "called", "asleep", "awake"],
        },
      ],
    },
    {
      name: "the same with pselect",
      scenario: PENDING("select: { on: [pipe], timeout: 5ms, mask: [] }"),
      stacks: GRAMINE,
      found: [
        {
          title: "select(pipe, 5000000) sleeps over SIGUSR1, which was pending before: 5 ms",
          evidence: ["pending", "called", "asleep", "awake"],
        },
      ],
    },
  ],
});
