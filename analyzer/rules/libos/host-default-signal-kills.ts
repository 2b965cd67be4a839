/** Reference 3.5 `host-default-signal-kills`; the handlers of 1.7. */

import { isSynchronous, signalName } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly ignored: boolean;
}
type Id = "asked" | "killed";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "host.signal.default"() {
      if (m.value !== 1 || !m.hasLibos || isSynchronous(m.signal)) return;
      const action = m.actionOf(m.signal);
      if (action === null || action.action === 0) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asked", seq: action.seq },
          { id: "killed", seq: m.seq },
        ],
        data: { signal: m.signal, ignored: action.action === 1 },
      });
    },
  };
}

export const hostDefaultSignalKills = defineRule({
  id: "host-default-signal-kills",
  title: "a signal from outside kills the process, although the application handles or ignores it",
  severity: "high",
  layers: ["host", "pal"],
  generations: ["graphene-2019", "gramine"],
  what:
    "The PAL registers handlers for a few signals of the host (TERM, INT, CONT and those of faults). What another process of the host sends " +
    "besides, as ALRM, USR1, USR2, HUP, QUIT or PROF, meets the host's default action, whatever the application asked the LibOS for.",
  why: "logrotate's HUP or a health check's USR1 kills the server that would have read its configuration again.",
  recognise:
    'The rule looks for the host\'s default action "terminate" for a signal for which the application has a handler, or which it ignores.',
  ignore: [
    {
      text: "the application has no handler: on Linux the process dies as well",
      nearMiss: {
        name: "SIGUSR1 from outside, unhandled",
        scenario: `
          main:
            - nanosleep: 50ms
          signals:
            - signal: SIGUSR1
              when: { at: 5ms }
        `,
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["host.signal.default"],
      },
    },
  ],
  remedy: "None: by design only few signals are passed in, to this day.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5 and 1.7",
  run,
  report: {
    title: ({ signal, ignored }) =>
      `${signalName(signal)} from outside kills the process, although the application ${ignored ? "ignores" : "handles"} it`,
    same: ({ signal, ignored }) => [signal, ignored ? 1 : 0],
    turn: ["killed"],
    captions: {
      asked: ({ signal, ignored }) =>
        `the application asks to ${ignored ? "ignore" : "handle"} ${signalName(signal)}: only the LibOS knows`,
      killed: () => "the host's default action ends the process: the PAL has no handler for it",
    },
  },
  invalid: [
    {
      name: "SIGUSR1 from another process of the host",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - nanosleep: 50ms
        handlers:
          on-usr1:
            - compute: 1us
        signals:
          - signal: SIGUSR1
            when: { at: 5ms }
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218", "gramine-linux", "gramine-sgx"],
      found: [{ title: "SIGUSR1 from outside kills the process, although the application handles it", evidence: ["asked", "killed"] }],
    },
  ],
});
