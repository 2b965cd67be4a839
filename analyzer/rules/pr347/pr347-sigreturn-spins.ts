/** pr347.md c8, c9; errata-2 section 3. */

import { signalName } from "../../../engine/index.ts";
import { defineRule } from "../../rule.ts";
import { LINUX_PAL, PR347, timeText } from "../common.ts";
import { findEndlessSearches } from "../signal-search.ts";

const namesOf = (signals: readonly number[]): string => signals.map(signalName).join(", ") || "what is pending";

const inHandler = (block: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - sigaction: { signal: SIGUSR1, handler: h }
    - sigprocmask: { how: ${block}, signals: [SIGUSR1] }
    - clone: sender
    - compute: 3ms
    - getpid
  programs:
    sender:
      - compute: 1ms
      - tgkill: { thread: main, signal: SIGUSR1 }
      - nanosleep: 5ms
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { at: 2ms } }
  limit: { time: 4ms }
`;

export const pr347SigreturnSpins = defineRule({
  id: "pr347-sigreturn-spins",
  title: "rt_sigreturn looks for a signal for ever, when all that is pending is blocked",
  severity: "critical",
  layers: ["libos"],
  generations: ["pr347"],
  what: "rt_sigreturn asks for another pending signal before it goes back, by the same search as the end of a call: it goes on until it has found something or nothing is pending. A signal that the mask blocks is neither.",
  why: "A handler returns and the program stands still at 100 % of a processor, with a signal blocked that it may have blocked long ago.",
  recognise: "The rule looks for searches that find nothing one after the other, with no PAL call and nothing of the application between.",
  ignore: [
    {
      text: "what is pending is not blocked",
      nearMiss: {
        name: "the same, with nothing blocked",
        scenario: inHandler("unblock"),
        stacks: PR347,
        reaches: ["app.handler.return", "libos.sigreturn"],
      },
    },
    {
      text: "the base revision has no rt_sigreturn of its own",
      nearMiss: {
        name: "the same on the Linux PAL",
        scenario: inHandler("block"),
        stacks: LINUX_PAL,
        reaches: ["app.handler.return", "libos.signal.append"],
      },
    },
  ],
  remedy: "The search ends when it finds nothing: so in its author's tree of 2019.",
  fix: "pr347-blocked-pending-spins",
  cost: "how long it searches",
  source: "pull request 347, c8 and c9",
  run: findEndlessSearches(true),
  report: {
    title: ({ signals }) => `rt_sigreturn looks for a signal again and again: ${namesOf(signals)} is blocked`,
    same: ({ call, signals }) => [call, ...signals],
    turn: ["again"],
    captions: {
      first: () => "all that is pending is blocked: the search of rt_sigreturn finds nothing",
      again: () => "it looks again, and nothing has changed",
      last: ({ turns, lasted }) => `${turns.toLocaleString("en")} times so far, in ${timeText(lasted)}`,
    },
  },
  invalid: [
    {
      name: "SIGINT while a blocked SIGUSR1 is pending",
      scenario: inHandler("block"),
      stacks: PR347,
      found: [{ title: "rt_sigreturn looks for a signal again and again: SIGUSR1 is blocked", evidence: ["first", "again", "last"] }],
    },
  ],
});
