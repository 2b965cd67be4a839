/** Errata B3: what handlers read of a siginfo. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, createRing, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly what: "signo" | "code";
  readonly found: number;
}
type Id = "handled" | "read";

/** si_code of what tgkill and tkill send; of a timer, and of a child's end (1 to 6). */
const TKILL = -6;

const toThread = calls("tgkill", "tkill");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Signal ids that tgkill sent: their si_code on Linux is SI_TKILL. */
  const byTgkill = createRing();

  return {
    "libos.signal.append"() {
      const call = m.open(SCOPE.CALL);
      if (call !== NONE && toThread(m.labelOf(call))) byTgkill.set(m.extra, m.seq);
    },
    "app.siginfo"() {
      const handler = m.open(SCOPE.HANDLER);
      if (handler === NONE || !m.hasLibos) return;
      const signal = m.signalOf(handler);
      const what = m.signal !== signal ? "signo" : byTgkill.get(m.extraOfRow(handler)) !== NONE && m.value !== TKILL ? "code" : null;
      if (what === null) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "handled", seq: m.seqOf(handler) },
          { id: "read", seq: m.seq },
        ],
        data: { signal, what, found: what === "signo" ? m.signal : m.value },
      });
    },
  };
}

export const siginfoIncomplete = defineRule({
  id: "siginfo-incomplete",
  title: "a handler reads a siginfo that nobody has filled in",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "The LibOS fills in few fields: SIGALRM comes with si_signo 0, and si_code is 0 (SI_USER) whoever has sent the signal.",
  why: "A handler for several signals that looks at si_signo takes the wrong way; one that asks si_code whether a signal is its own does, too.",
  recognise:
    "The rule looks for a handler whose si_signo is another signal than its own, and for si_code other than SI_TKILL after tgkill.",
  ignore: [
    {
      text: "kill() sends SI_USER, which is 0",
      nearMiss: {
        name: "kill",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - kill: { process: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["app.siginfo", "app.handler.return"],
      },
    },
  ],
  remedy: "Fill in si_signo, si_code, si_pid and the rest (Graphene a534cb4b8, 2020-10-13).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 (append-signal-garbage-context-pointer); errata B3",
  run,
  report: {
    title: ({ signal, what, found }) =>
      what === "signo"
        ? `the handler of ${signalName(signal)} reads si_signo ${found}`
        : `the handler of ${signalName(signal)} reads si_code ${found} after tgkill`,
    same: ({ signal, what }) => [signal, what],
    turn: ["read"],
    captions: {
      handled: ({ signal }) => `the handler of ${signalName(signal)} runs`,
      read: ({ what, found }) =>
        what === "signo" ? `it reads si_signo: ${found}` : `it reads si_code: ${found}; on Linux it is -6 (SI_TKILL)`,
    },
  },
  invalid: [
    {
      name: "SIGALRM of alarm()",
      scenario: "alarm",
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "the handler of SIGALRM reads si_signo 0", evidence: ["handled", "read"] }],
    },
  ],
});
