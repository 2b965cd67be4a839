/** Gramine today, host_exception.c (Linux-SGX), sgx_signal_setup: SIGUSR2 is the PAL's. */

import { SIG, signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { isFromOutside } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "kept" | "sent" | "over";

const MOST = 64;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  let kept: number = NONE;
  /** By id: where it was sent, and by which process it waits. */
  const waiting = new Map<number, { readonly sent: number; readonly thread: number; readonly pid: number }>();

  function over(pid: number): void {
    for (const [id, { sent, thread, pid: of }] of waiting) {
      if (pid !== of) continue;
      waiting.delete(id);
      found({
        thread,
        costNs: 0,
        evidence: [
          { id: "kept", seq: kept },
          { id: "sent", seq: sent },
          { id: "over", seq: m.seq },
        ],
        data: { signal: SIG.USR2 },
      });
    }
  }

  return {
    "host.sigaction"() {
      if (m.signal === SIG.USR2 && m.value === NONE && kept === NONE) kept = m.seq;
    },
    "host.signal.generate"() {
      if (m.signal !== SIG.USR2 || kept === NONE || waiting.size >= MOST || !isFromOutside(m)) return;
      if ((m.actionOf(SIG.USR2)?.action ?? 0) < 2) return;
      waiting.set(m.extra, { sent: m.seq, thread: m.thread, pid: m.pid() });
    },
    "host.signal.deliver"() {
      if (m.signal === SIG.USR2) waiting.delete(m.extra);
    },
    "host.signal.discard"() {
      if (m.signal === SIG.USR2) waiting.delete(m.extra);
    },
    "process.exit"() {
      if (waiting.size > 0) over(m.pid());
    },
  };
}

const sleeper = (signal: string): string => `
  main:
    - sigaction: { signal: ${signal}, handler: h }
    - nanosleep: 5ms
    - exit-group
  handlers:
    h:
      - getpid
  signals:
    - { signal: ${signal}, when: { at: 3ms } }
`;

export const sgxUsr2KeptByPal = defineRule({
  id: "sgx-usr2-kept-by-pal",
  title: "SIGUSR2 from outside never comes: the PAL keeps it for itself",
  severity: "low",
  layers: ["untrusted-pal", "host"],
  generations: ["gramine"],
  what:
    "The PAL for SGX uses SIGUSR2 to interrupt the calls of its threads for exitless calls. It gives it an empty handler and blocks it in all threads of " +
    "the enclave: one that is sent from outside stays pending in the host until the process ends.",
  why: "Programs that reopen their logs or print statistics on SIGUSR2 do not react to it, and nobody says so.",
  recognise:
    "The rule looks for a SIGUSR2 from outside that the host still has when the process ends, where the application has a handler for it.",
  ignore: [
    {
      text: "a SIGUSR2 of the application's own threads goes by the LibOS and comes",
      nearMiss: {
        name: "tgkill",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR2, handler: h }
            - tgkill: { thread: self, signal: SIGUSR2 }
            - exit-group
          handlers:
            h:
              - getpid
        `,
        stacks: ["gramine-sgx"],
        reaches: ["host.sigaction", "app.handler.enter"],
      },
    },
  ],
  remedy: "Use another signal, or send it from within; in the PAL a real-time signal would do as well.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today 11; pal/src/host/linux-sgx/host_exception.c, sgx_signal_setup",
  run,
  report: {
    title: ({ signal }) => `${signalName(signal)} from outside never reaches the application, which has a handler for it`,
    same: ({ signal }) => [signal],
    turn: ["kept"],
    captions: {
      kept: ({ signal }) => `the PAL takes ${signalName(signal)} for itself and blocks it`,
      sent: ({ signal }) => `somebody sends ${signalName(signal)}: the host keeps it`,
      over: () => "the process ends, and it has not come; on Linux the handler runs",
    },
  },
  invalid: [
    {
      name: "SIGUSR2 during a sleep",
      scenario: sleeper("SIGUSR2"),
      stacks: ["gramine-sgx"],
      found: [
        { title: "SIGUSR2 from outside never reaches the application, which has a handler for it", evidence: ["kept", "sent", "over"] },
      ],
    },
  ],
});
