/** Gramine today, B30. */

import { SIG } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE } from "../common.ts";
import { followWord } from "../injected.ts";

type Id = "came" | "asked" | "told";

/** The set of pending signals, its first word: `extra` of app.output. */
const PENDING = 5;
const TERM_BIT = 1 << (SIG.TERM - 1);

function run(m: ThreadModel, found: (finding: Found<null, Id>) => void): Handlers {
  const { word, listeners } = followWord(m);
  return {
    ...listeners,
    "app.output"() {
      const one = m.extra === PENDING ? word.of(m.pid()) : null;
      const call = m.open(SCOPE.CALL);
      if (one === null || one.seq === NONE || call === NONE || (m.value & TERM_BIT) !== 0) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "came", seq: one.seq },
          { id: "asked", seq: m.seqOf(call) },
          { id: "told", seq: m.seq },
        ],
        data: null,
      });
    },
  };
}

export const pendingSigtermBitOverwrite = defineRule({
  id: "pending-sigterm-bit-overwrite",
  title: "sigpending does not tell a SIGTERM of the host when anything else is pending",
  severity: "low",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "The set of pending signals begins with the bit of the host's SIGTERM. When a queue of the thread or of the process is not empty, the set " +
    "is then overwritten with what is in the queues, and the bit is gone.",
  why: "A program that blocks signals and asks sigpending now and then does not see that it is to stop. What looks for signals inside the LibOS uses the same set.",
  recognise: "The rule looks for a set without SIGTERM that sigpending writes while one waits in the word.",
  ignore: [
    {
      text: "nothing else is pending: the bit is told",
      nearMiss: {
        name: "a blocked SIGTERM alone",
        scenario: `
          options: [sigterm-injection]
          main:
            - sigprocmask: { how: block, signals: [SIGTERM] }
            - compute: 5ms
            - sigpending
          signals:
            - signal: SIGTERM
              when: { at: 3ms }
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.inject", "app.output"],
      },
    },
  ],
  remedy: "Or the sets.",
  fix: "sigterm-starved-by-blocked-pending",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 10.3, 14 B30; libos_signal.c:159-167",
  run,
  report: {
    title: () => "sigpending does not tell the host's SIGTERM, which waits",
    same: () => [],
    turn: ["told"],
    captions: {
      came: () => "the host's SIGTERM is noted in the word",
      asked: () => "the program asks what is pending",
      told: () => "the answer has no SIGTERM",
    },
  },
  invalid: [
    {
      name: "a blocked SIGTERM beside a blocked SIGUSR1",
      scenario: `
        options: [sigterm-injection]
        main:
          - sigprocmask: { how: block, signals: [SIGTERM, SIGUSR1] }
          - kill: { process: self, signal: SIGUSR1 }
          - compute: 5ms
          - sigpending
        signals:
          - signal: SIGTERM
            when: { at: 3ms }
      `,
      stacks: GRAMINE,
      found: [{ title: "sigpending does not tell the host's SIGTERM, which waits", evidence: ["came", "asked", "told"] }],
    },
  ],
});
