/** Pull requests 347 and 1218: signals are handled at the end of a call, where sigsuspend has put the old mask back. */

import { E, signalName } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, createLabelTest } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "suspended" | "sent" | "back" | "answered";

interface Suspended {
  readonly since: number;
  back: number;
  handled: boolean;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const suspended = m.notesOnScopes<Suspended>(over);
  const isSigsuspend = createLabelTest(m, calls("sigsuspend"));

  function over({ since, back, handled }: Suspended): void {
    if (m.how !== HOW.RETURNED || m.value !== E.INTR || handled || back === NONE) return;
    for (const { signal, seq, in: where } of m.pendingSignals()) {
      const action = m.actionOf(signal)?.action ?? 0;
      if (where !== WAITS_IN.LIBOS || seq < since || seq > back || action < 2 || m.blocks(signal) !== true) continue;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "suspended", seq: since },
          { id: "sent", seq },
          { id: "back", seq: back },
          { id: "answered", seq: m.seq },
        ],
        data: { signal },
      });
      return;
    }
  }

  return {
    "libos.mask"() {
      const call = m.open(SCOPE.CALL);
      if (call === NONE || !isSigsuspend(call)) return;
      const before = suspended.get(call);
      if (before === null) suspended.set(call, { since: m.seq, back: NONE, handled: false });
      else before.back = m.seq;
    },
    "app.handler.enter"() {
      const note = suspended.get(m.open(SCOPE.CALL));
      if (note !== null) note.handled = true;
    },
  };
}

const suspends = (blocked: string): string => `
  main:
    - sigaction: { signal: SIGUSR1, handler: h }
    ${blocked}
    - clone: sender
    - sigsuspend
  programs:
    sender:
      - nanosleep: 1ms
      - tgkill: { thread: main, signal: SIGUSR1 }
  handlers:
    h:
      - compute: 1us
`;

export const sigsuspendMaskBackTooEarly = defineRule({
  id: "sigsuspend-mask-back-too-early",
  title: "sigsuspend returns -EINTR, and the handler has not run",
  severity: "high",
  layers: ["libos"],
  generations: ["pr1218"],
  what:
    "sigsuspend puts the old mask back as soon as it is awake. Signals that are queued are handled at the end of the call, when the old mask counts " +
    "again: the one that ended the wait is blocked, and stays in the queue.",
  why: "Programs wait by sigsuspend until a flag is set that the handler sets (system, popen, shells): they wait again, and for ever.",
  recognise:
    "The rule looks for a sigsuspend that returns -EINTR without a handler while a signal that came during it is pending and blocked.",
  ignore: [
    {
      text: "the signal was never blocked outside: its handler runs at the end of the call",
      nearMiss: {
        name: "without sigprocmask",
        scenario: suspends(""),
        stacks: ["graphene-pr1218"],
        reaches: ["libos.mask", "app.handler.enter"],
      },
    },
  ],
  remedy: "Look for signals before the old mask is back, or keep it for the handler's frame as Linux does (saved_sigmask).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "pull request 1218, step 10 of its page; graphene 1957, told in reference 3.2 sigsuspend-ignores-pending",
  run,
  report: {
    title: ({ signal }) => `sigsuspend returns -EINTR because of ${signalName(signal)}, whose handler does not run: it is blocked again`,
    same: ({ signal }) => [signal],
    turn: ["back"],
    captions: {
      suspended: () => "sigsuspend sets its mask",
      sent: ({ signal }) => `${signalName(signal)} comes and is queued`,
      back: () => "the old mask is put back before anybody looks into the queue",
      answered: ({ signal }) => `sigsuspend returns -EINTR with ${signalName(signal)} blocked and pending`,
    },
  },
  invalid: [
    {
      name: "the signal is blocked outside of sigsuspend",
      scenario: suspends("- sigprocmask: { how: block, signals: [SIGUSR1] }"),
      stacks: ["graphene-pr1218"],
      found: [
        {
          title: "sigsuspend returns -EINTR because of SIGUSR1, whose handler does not run: it is blocked again",
          evidence: ["suspended", "sent", "back", "answered"],
        },
      ],
    },
  ],
});
