/** pr347.md c4. */

import { signalName } from "../../../engine/index.ts";
import { defineRule } from "../../rule.ts";
import { GRAPHENE, PR347, timeText } from "../common.ts";
import { findEndlessSearches } from "../signal-search.ts";

const namesOf = (signals: readonly number[]): string => signals.map(signalName).join(", ") || "what is pending";

const blocked = (after: string): string => `
  main:
    - sigaction: { signal: SIGUSR1, handler: h }
    - sigprocmask: { how: block, signals: [SIGUSR1] }
    - tgkill: { thread: self, signal: SIGUSR1 }
    ${after}
  handlers:
    h:
      - compute: 1us
  limit: { time: 2ms }
`;

export const pr347BlockedPendingSpins = defineRule({
  id: "pr347-blocked-pending-spins",
  title: "the end of a call looks for a signal for ever, when all that is pending is blocked",
  severity: "critical",
  layers: ["libos"],
  generations: ["pr347"],
  what: "deliver_signal_on_sysret runs whenever something is pending, and its search goes on until it has found something or nothing is pending. A signal that the mask blocks is neither.",
  why: "A program that blocks a signal for a critical section turns at 100 % in its next system call as soon as the signal comes.",
  recognise: "The rule looks for searches that find nothing one after the other, with no PAL call and nothing of the application between.",
  ignore: [
    {
      text: "other generations look once at the end of a call",
      nearMiss: {
        name: "the same on Graphene",
        scenario: blocked("- getpid"),
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "libos.syscall.exit"],
      },
    },
    {
      text: "nothing that is pending is blocked: the search finds it",
      nearMiss: {
        name: "a signal to itself",
        scenario: blocked("- getpid").replace("how: block", "how: unblock"),
        stacks: PR347,
        reaches: ["libos.signal.fetch", "app.handler.return"],
      },
    },
  ],
  remedy: "The search ends when it finds nothing: so in its author's tree of 2019.",
  fix: "pr347-blocked-pending-spins",
  cost: "how long it searches",
  source: "pull request 347, c4",
  run: findEndlessSearches(false),
  report: {
    title: ({ call, signals }) => `the end of ${call || "a call"} looks for a signal again and again: ${namesOf(signals)} is blocked`,
    same: ({ call, signals }) => [call, ...signals],
    turn: ["again"],
    captions: {
      first: () => "all that is pending is blocked: the search at the end of the call finds nothing",
      again: () => "it looks again, and nothing has changed",
      last: ({ turns, lasted }) => `${turns.toLocaleString("en")} times so far, in ${timeText(lasted)}`,
    },
  },
  invalid: [
    {
      name: "a signal to itself that it blocks",
      scenario: blocked("- getpid"),
      stacks: PR347,
      found: [
        {
          title: "the end of tgkill(self, SIGUSR1) looks for a signal again and again: SIGUSR1 is blocked",
          evidence: ["first", "again", "last"],
        },
      ],
    },
  ],
});
